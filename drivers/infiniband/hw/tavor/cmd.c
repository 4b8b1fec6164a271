// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * The firmware command interface as a provider of the verbs request engine.
 *
 * A slot of the engine is a command the firmware may have outstanding; each has an in and an out
 * mailbox of its own, allocated once and freed when the device can write no more, so that a
 * command that timed out keeps its mailbox. Until the command event queue exists commands are
 * posted without event and reap() polls the register. After that GO clears when the firmware has
 * accepted a command, and its completion is reported by the event queue.
 *
 * The engine calls post, reap, rearm, quiesce and failed in softirq or with BH disabled, and slots
 * in process context. The kernel-doc of each other function states its context.
 */
#include <linux/dmapool.h>
#include <linux/sched.h>

#include "catas.h"
#include "cmd.h"
#include "params.h"
#include "reset.h"
#include "tavor.h"
#include "trace.h"

/**
 * tavor_cmd_timeout() - how long a command may take while no other one completes
 *
 * Context: Any.
 * Return: in jiffies.
 */
unsigned long tavor_cmd_timeout(void)
{
	return msecs_to_jiffies(tavor_params.cmd_timeout_ms);
}

/**
 * tavor_cmd_errno() - the errno of a firmware status
 * @status: as the firmware returned it
 *
 * Context: Any.
 * Return: 0 or a negative errno.
 */
int tavor_cmd_errno(u8 status)
{
	switch (status) {
	case TAVOR_ST_OK:
		return 0;
	case TAVOR_ST_INTERNAL_ERR:
		/* -EIO means that the device has failed and its hardware is stopped. */
		return -EREMOTEIO;
	case TAVOR_ST_BAD_OP:
		return -EOPNOTSUPP;
	case TAVOR_ST_BAD_SYS_STATE:
		return -ENXIO;
	case TAVOR_ST_BAD_RESOURCE:
	case TAVOR_ST_BAD_RES_STATE:
	case TAVOR_ST_BAD_INDEX:
		return -EBADF;
	case TAVOR_ST_RESOURCE_BUSY:
	case TAVOR_ST_REG_BOUND:
		return -EBUSY;
	case TAVOR_ST_DDR_MEM_ERR:
	case TAVOR_ST_EXCEED_LIM:
	case TAVOR_ST_BAD_SIZE:
		return -ENOMEM;
	case TAVOR_ST_BAD_NVMEM:
	case TAVOR_ST_BAD_SEG_PARAM:
		return -EFAULT;
	case TAVOR_ST_LAM_NOT_PRE:
		return -EAGAIN;
	case TAVOR_ST_BAD_PKT:
		return -EBADMSG;
	default:
		return -EINVAL;
	}
}

/**
 * tavor_mbox_in() - where a command's input is written
 * @dev: device
 * @slot: slot being encoded
 *
 * Context: Softirq or BH disabled, engine's device lock held.
 * Return: TAVOR_MBOX_SIZE bytes, which still contain the input of the slot's last command.
 */
void *tavor_mbox_in(struct tavor_dev *dev, const struct vrb_slot *slot)
{
	return dev->cmd.slot[slot->index].in.addr;
}

/**
 * tavor_mbox_out() - where a command's output is
 * @dev: device
 * @slot: slot being encoded, or whose command has completed
 *
 * Context: Softirq or BH disabled.
 * Return: TAVOR_MBOX_SIZE bytes.
 */
void *tavor_mbox_out(struct tavor_dev *dev, const struct vrb_slot *slot)
{
	return dev->cmd.slot[slot->index].out.addr;
}

static const char *tavor_cmd_status_name(u8 status)
{
	static const char *const names[] = {
		[TAVOR_ST_INTERNAL_ERR] = "INTERNAL_ERR",
		[TAVOR_ST_BAD_OP] = "BAD_OP",
		[TAVOR_ST_BAD_PARAM] = "BAD_PARAM",
		[TAVOR_ST_BAD_SYS_STATE] = "BAD_SYS_STATE",
		[TAVOR_ST_BAD_RESOURCE] = "BAD_RESOURCE",
		[TAVOR_ST_RESOURCE_BUSY] = "RESOURCE_BUSY",
		[TAVOR_ST_DDR_MEM_ERR] = "DDR_MEM_ERR",
		[TAVOR_ST_EXCEED_LIM] = "EXCEED_LIM",
		[TAVOR_ST_BAD_RES_STATE] = "BAD_RES_STATE",
		[TAVOR_ST_BAD_INDEX] = "BAD_INDEX",
		[TAVOR_ST_BAD_NVMEM] = "BAD_NVMEM",
		[TAVOR_ST_BAD_QPEE_STATE] = "BAD_QPEE_STATE",
		[TAVOR_ST_BAD_SEG_PARAM] = "BAD_SEG_PARAM",
		[TAVOR_ST_REG_BOUND] = "REG_BOUND",
		[TAVOR_ST_LAM_NOT_PRE] = "LAM_NOT_PRE",
		[TAVOR_ST_BAD_PKT] = "BAD_PKT",
		[TAVOR_ST_BAD_SIZE] = "BAD_SIZE",
	};

	return status < ARRAY_SIZE(names) ? names[status] : NULL;
}

/**
 * tavor_cmd_set() - sets the command that a slot will post
 * @dev: device
 * @slot: slot being encoded
 * @opcode: TAVOR_CMD_*
 * @op_modifier: opcode modifier
 * @in_modifier: input modifier
 * @mbox: TAVOR_CMD_IN, TAVOR_CMD_OUT: which of the slot's mailboxes the command uses
 *
 * Context: Softirq or BH disabled, engine's device lock held.
 */
void tavor_cmd_set(struct tavor_dev *dev, const struct vrb_slot *slot, u16 opcode, u8 op_modifier,
		   u32 in_modifier, u32 mbox)
{
	struct tavor_cmd_slot *cmd = &dev->cmd.slot[slot->index];

	cmd->opcode = opcode;
	cmd->op_modifier = op_modifier;
	cmd->in_modifier = in_modifier;
	cmd->in_param = mbox & TAVOR_CMD_IN ? cmd->in.dma : 0;
	cmd->out_param = mbox & TAVOR_CMD_OUT ? cmd->out.dma : 0;
}

/**
 * tavor_cmd_set_imm() - the same for a command whose in parameter is a value and that has no
 * mailbox
 * @dev: device
 * @slot: slot being encoded
 * @opcode: TAVOR_CMD_*
 * @op_modifier: opcode modifier
 * @in_modifier: input modifier
 * @in_param: the value
 *
 * Context: Softirq or BH disabled, engine's device lock held.
 */
void tavor_cmd_set_imm(struct tavor_dev *dev, const struct vrb_slot *slot, u16 opcode,
		       u8 op_modifier, u32 in_modifier, u64 in_param)
{
	tavor_cmd_set(dev, slot, opcode, op_modifier, in_modifier, 0);
	dev->cmd.slot[slot->index].in_param = in_param;
}

static void tavor_hcr_write(struct tavor_dev *dev, const struct tavor_cmd_slot *cmd, u16 token,
			    bool event)
{
	void __iomem *hcr = dev->cmd.hcr;

	iowrite32be(upper_32_bits(cmd->in_param), hcr + TAVOR_HCR_IN_HI);
	iowrite32be(lower_32_bits(cmd->in_param), hcr + TAVOR_HCR_IN_LO);
	iowrite32be(cmd->in_modifier, hcr + TAVOR_HCR_IN_MODIFIER);
	iowrite32be(upper_32_bits(cmd->out_param), hcr + TAVOR_HCR_OUT_HI);
	iowrite32be(lower_32_bits(cmd->out_param), hcr + TAVOR_HCR_OUT_LO);
	iowrite32be((u32)token << 16, hcr + TAVOR_HCR_TOKEN);
	/* iowrite32be() orders: the firmware must find all of the above when it sees GO. */
	iowrite32be(TAVOR_HCR_GO | (event ? TAVOR_HCR_EVENT : 0) |
		    (u32)cmd->op_modifier << TAVOR_HCR_OPMOD_SHIFT | cmd->opcode,
		    hcr + TAVOR_HCR_GO_OP);
}

static int tavor_cmd_post(struct vrb_device *vdev, struct vrb_slot *slot)
{
	struct tavor_dev *dev = vrb_to_tdev(vdev);
	struct tavor_cmd *cmd = &dev->cmd;
	u32 go;

	/*
	 * One command at a time while they are polled, also between GO clearing and being reaped.
	 */
	if (cmd->polled_busy)
		return -EAGAIN;
	go = ioread32be(cmd->hcr + TAVOR_HCR_GO_OP);
	if (go == ~0U)
		return -EIO;
	if (go & TAVOR_HCR_GO)
		return -EAGAIN;
	cmd->polled_token = slot->token;
	tavor_hcr_write(dev, &cmd->slot[slot->index], slot->token, !!cmd->events);
	trace_tavor_cmd_post(dev, &cmd->slot[slot->index], slot->token);
	/*
	 * Pairs with tavor_cmd_reap_register(): before GO is set, the register has the status of
	 * the previous command.
	 */
	smp_store_release(&cmd->polled_busy, !cmd->events);
	return 0;
}

static int tavor_cmd_reap_register(struct tavor_dev *dev)
{
	struct tavor_cmd *cmd = &dev->cmd;
	struct vrb_result result;
	u32 go;

	/* Pairs with the release in tavor_cmd_post(). */
	if (!smp_load_acquire(&cmd->polled_busy))
		return 0;
	go = ioread32be(cmd->hcr + TAVOR_HCR_GO_OP);
	if (go == ~0U) {
		vrb_device_fail(dev->vrb, "the device is gone");
		return 0;
	}
	if (go & TAVOR_HCR_GO)
		return 0;
	result.fw_status = go >> TAVOR_HCR_STATUS_SHIFT;
	result.status = tavor_cmd_errno(result.fw_status);
	result.out = (u64)ioread32be(cmd->hcr + TAVOR_HCR_OUT_HI) << 32 |
		     ioread32be(cmd->hcr + TAVOR_HCR_OUT_LO);
	cmd->polled_busy = false;
	trace_tavor_cmd_done(dev, cmd->polled_token, result.fw_status, result.out);
	vrb_slot_complete(dev->vrb, cmd->polled_token, &result);
	return 1;
}

static int tavor_cmd_reap(struct vrb_device *vdev, int budget)
{
	struct tavor_dev *dev = vrb_to_tdev(vdev);
	const struct tavor_cmd_events *events = READ_ONCE(dev->cmd.events);

	return events ? events->reap(dev, budget) : tavor_cmd_reap_register(dev);
}

static void tavor_cmd_rearm(struct vrb_device *vdev)
{
	struct tavor_dev *dev = vrb_to_tdev(vdev);
	const struct tavor_cmd_events *events = READ_ONCE(dev->cmd.events);

	if (events)
		events->rearm(dev);
}

/* No command is outstanding, so each completes in the mode in which it was posted. */
static void tavor_cmd_slots(struct vrb_device *vdev, unsigned int slots)
{
	struct tavor_cmd *cmd = &vrb_to_tdev(vdev)->cmd;

	cmd->polled_busy = false;	/* no command is outstanding */
	WRITE_ONCE(cmd->events, slots > 1 ? cmd->queue : NULL);
}

static void tavor_cmd_quiesce(struct vrb_device *vdev)
{
	tavor_dma_off(vrb_to_tdev(vdev));
}

static void tavor_cmd_failed(struct vrb_device *vdev, const char *reason)
{
	struct tavor_dev *dev = vrb_to_tdev(vdev);

	WRITE_ONCE(dev->reason, reason);
	tavor_fatal(dev);
	dev->failed(dev->function);
}

static const struct vrb_provider_ops tavor_cmd_ops = {
	.post = tavor_cmd_post,
	.reap = tavor_cmd_reap,
	.rearm = tavor_cmd_rearm,
	.slots = tavor_cmd_slots,
	.quiesce = tavor_cmd_quiesce,
	.failed = tavor_cmd_failed,
	.status_name = tavor_cmd_status_name,
};

static void tavor_mbox_free_all(struct tavor_cmd *cmd)
{
	unsigned int i;

	for (i = 0; i < TAVOR_MAX_SLOTS; i++) {
		struct tavor_cmd_slot *slot = &cmd->slot[i];

		if (slot->in.addr)
			dma_pool_free(cmd->pool, slot->in.addr, slot->in.dma);
		if (slot->out.addr)
			dma_pool_free(cmd->pool, slot->out.addr, slot->out.dma);
	}
	dma_pool_destroy(cmd->pool);
}

static int tavor_mbox_alloc_all(struct tavor_dev *dev)
{
	struct tavor_cmd *cmd = &dev->cmd;
	unsigned int i;

	memset(cmd->slot, 0, sizeof(cmd->slot));
	cmd->pool = dma_pool_create("tavor mailbox", &dev->pdev->dev, TAVOR_MBOX_SIZE,
				    TAVOR_MBOX_SIZE, 0);
	if (!cmd->pool)
		return -ENOMEM;
	for (i = 0; i < TAVOR_MAX_SLOTS; i++) {
		struct tavor_cmd_slot *slot = &cmd->slot[i];

		slot->in.addr = dma_pool_zalloc(cmd->pool, GFP_KERNEL, &slot->in.dma);
		slot->out.addr = dma_pool_zalloc(cmd->pool, GFP_KERNEL, &slot->out.dma);
		if (!slot->in.addr || !slot->out.addr) {
			tavor_mbox_free_all(cmd);
			return -ENOMEM;
		}
	}
	return 0;
}

/**
 * tavor_cmd_init() - the command register, mailboxes, and the device's engine with one slot
 * @dev: device, just reset
 *
 * Context: Process context, may sleep.
 * Return: 0 or a negative errno.
 */
int tavor_cmd_init(struct tavor_dev *dev)
{
	struct vrb_device_config config = {
		.name = pci_name(dev->pdev),
		.slots = TAVOR_MAX_SLOTS,
		.issue_timeout_ms = tavor_params.cmd_timeout_ms,
	};
	struct tavor_cmd *cmd = &dev->cmd;
	int err;

	cmd->events = NULL;
	cmd->polled_busy = false;
	vrb_user_init(&cmd->strangers);
	cmd->hcr = ioremap(pci_resource_start(dev->pdev, 0) + TAVOR_HCR, TAVOR_HCR_SIZE);
	if (!cmd->hcr)
		return -ENOMEM;
	err = tavor_mbox_alloc_all(dev);
	if (err)
		goto unmap_hcr;
	dev->vrb = vrb_device_create(&tavor_cmd_ops, dev, &config);
	if (!IS_ERR(dev->vrb))
		return 0;
	err = PTR_ERR(dev->vrb);
	tavor_mbox_free_all(cmd);
unmap_hcr:
	iounmap(cmd->hcr);
	return err;
}

/**
 * tavor_cmd_cleanup() - the end of commands
 * @dev: device; no request is left, and no zombie unless the device was quiesced
 *
 * Context: Process context, may sleep.
 */
void tavor_cmd_cleanup(struct tavor_dev *dev)
{
	/*
	 * A lost command may still write its mailbox, so the hardware must be stopped before the
	 * mailbox is freed.
	 */
	tavor_dma_off(dev);
	vrb_device_destroy(dev->vrb);
	tavor_mbox_free_all(&dev->cmd);
	iounmap(dev->cmd.hcr);
}

/**
 * tavor_cmd_use_events() - from now on commands complete through an event queue
 * @dev: device; no command is outstanding
 * @events: that queue, tested; must stay valid until tavor_cmd_use_polling()
 *
 * Context: Process context, may sleep.
 * Return: 0, or -EOPNOTSUPP if the firmware accepts only one command at a time.
 */
int tavor_cmd_use_events(struct tavor_dev *dev, const struct tavor_cmd_events *events)
{
	u32 slots = min(1U << min_t(u32, dev->fw.log_max_cmd, 16), (u32)TAVOR_MAX_SLOTS);

	if (slots < 2) {
		dev_err(&dev->pdev->dev, "the firmware takes one command at a time only\n");
		return -EOPNOTSUPP;
	}
	dev->cmd.queue = events;
	return vrb_device_set_slots(dev->vrb, slots);
}

/**
 * tavor_cmd_use_polling() - from now on commands are polled
 * @dev: device
 *
 * Fails the device if a command is still outstanding, because its completion would go to an event
 * queue that is about to be destroyed.
 *
 * Context: Process context, may sleep.
 */
void tavor_cmd_use_polling(struct tavor_dev *dev)
{
	if (vrb_device_set_slots(dev->vrb, 1))
		vrb_device_fail(dev->vrb, "a command was lost");
	WRITE_ONCE(dev->cmd.events, NULL);
}

/*
 * Not logged: a request of a process whose context is known, because the process can make it fail;
 * a device that has failed, because that was logged once; a bad packet, which must be dropped
 * silently.
 */
static void tavor_exec_report(struct tavor_dev *dev, const struct vrb *vrb, int err)
{
	const char *step = vrb->verb->steps[vrb->step].name;

	if (vrb->user && vrb->user != &dev->cmd.strangers)
		return;
	if (vrb_device_failed(dev->vrb) || err == -EBADMSG)
		return;
	if (vrb->fw_status)
		dev_err_ratelimited(&dev->pdev->dev, "%s failed at %s: firmware status %#x %s\n",
				    vrb->verb->name, step, vrb->fw_status,
				    tavor_cmd_status_name(vrb->fw_status) ?: "");
	else if (err == -ETIMEDOUT)
		dev_err_ratelimited(&dev->pdev->dev, "%s was not answered at %s\n",
				    vrb->verb->name, step);
}

/**
 * tavor_exec_caller() - the process that is charged for a command whose caller is unknown
 * @dev: device
 *
 * sysfs, ib_umad and some queries of uverbs call in the context of a process, but do not pass its
 * ucontext. All of these callers together count as one process.
 *
 * Context: Process context.
 * Return: for &vrb.user; NULL: the kernel itself.
 */
struct vrb_user *tavor_exec_caller(struct tavor_dev *dev)
{
	return current->flags & PF_KTHREAD ? NULL : &dev->cmd.strangers;
}

/**
 * tavor_exec() - submits a request as the driver's and waits
 * @dev: device
 * @vrb: prepared; no destroy
 *
 * Logs which command has failed or was not answered; see tavor_exec_report().
 *
 * Context: Process context, may sleep.
 * Return: the request's status.
 */
int tavor_exec(struct tavor_dev *dev, struct vrb *vrb)
{
	int err;

	might_sleep();
	err = vrb_submit_wait(vrb_device_client(dev->vrb), vrb);
	if (err)
		tavor_exec_report(dev, vrb, err);
	return err;
}

/**
 * tavor_exec_on() - submits a request on an object, as its owner's, and waits
 * @object: the object
 * @verb: the verb
 * @vrb: the request
 *
 * Context: Process context, may sleep.
 * Return: the request's status.
 */
int tavor_exec_on(struct vrb_object *object, const struct vrb_verb *verb, struct vrb *vrb)
{
	vrb_prep(vrb, verb, object);
	vrb->user = object->destroy.user;
	return tavor_exec(vrb_to_tdev(object->dev), vrb);
}
