// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Event queues: one or more for completions, one for asynchronous events, one for errors of the
 * device, one for commands.
 *
 * The hard interrupt handler only finds out which queue has fired. Completion and asynchronous
 * events are handled by a softirq of each queue; the command queue is read by the engine's pump
 * alone. A queue is armed after its softirq is complete. If an entry was written meanwhile, arming
 * fires at once, so no entry is lost.
 *
 * Software returns an entry by setting its owner byte, and tells the hardware with SET_CI, at the
 * latest after EQ_SPARE entries.
 *
 * No process can make one of these queues overflow, because each has room for all events that can
 * be outstanding:
 *
 * - Completions: an armed CQ writes one entry and no other before that one has been read. It also
 *   writes one entry in its life for an error, to the same queue. So there is room for two entries
 *   per CQ, and the spare. A requested vector is only a hint: all queues together have room for all
 *   CQs, and a CQ whose queue is full gets another one. That is 64 bytes for each CQ of the device,
 *   over all vectors: 4 MB for 65536. The size of a queue is rounded up to a power of two, so it
 *   may be up to twice as much: 6 MB with three vectors.
 * - Asynchronous events: the entries that QPs and SRQs can write before they get another command
 *   (TAVOR_EVENTS_PER_QP), and some for ports and memory. The queue begins small. It is replaced by
 *   a larger one before an object is created that does not fit.
 * - Commands: one entry for each outstanding command.
 *
 * There is no such bound for the errors of the device, because the HCA may report each doorbell
 * that a process rings, through its own page, for an object of another process. So they have a
 * queue of their own, which also gets the overflow of the other queues. If processes make it
 * overflow, that is reported nowhere and does no harm: the error buffer is still read every few
 * seconds (catas.c).
 *
 * The entries of an object are counted until the object is gone and the queue has been read after
 * that. So the queue is read from time to time even without events, because callers that create and
 * destroy objects in softirq cannot wait for room.
 */
#include <linux/completion.h>
#include <linux/iopoll.h>
#include <linux/irq.h>
#include <linux/log2.h>
#include <linux/rcupdate_wait.h>
#include <linux/slab.h>

#include "eq.h"
#include "pd.h"
#include "tavor.h"
#include "trace.h"

#define EQ_BUDGET		64
#define EQ_SPARE		16	/* entries read since the last SET_CI, at most */
#define EQ_CQ_EVENTS		2
#define EQ_CMD_ENTRIES		256
#define EQ_ASYNC_ENTRIES	8192
#define EQ_ERROR_ENTRIES	1024
#define EQ_ASYNC_OTHERS		256	/* events of ports and memory */
#define EQ_ASYNC_GONE		1024	/* events of destroyed objects that cause a read */
#define EQ_NOP_MS		1000

struct tavor_eq_exchange {
	struct tavor_eq_drain drain;
	struct tavor_eq *eq;
	struct tavor_eq *next;
	struct completion done;
};

static struct tavor_eq *tavor_eq_async(struct tavor_dev *dev)
{
	return &dev->eq[dev->nr_comp_eqs];
}

static struct tavor_eq *tavor_eq_error(struct tavor_dev *dev)
{
	return &dev->eq[dev->nr_comp_eqs + 1];
}

static struct tavor_eq *tavor_eq_cmd(struct tavor_dev *dev)
{
	return &dev->eq[dev->nr_comp_eqs + 2];
}

static u32 tavor_nr_eqs(const struct tavor_dev *dev)
{
	return dev->nr_comp_eqs + 3;
}

/**
 * tavor_comp_eqn() - number of a completion event queue
 * @dev: device
 * @vector: completion vector
 *
 * Context: Any.
 * Return: the number.
 */
u8 tavor_comp_eqn(const struct tavor_dev *dev, u32 vector)
{
	return dev->eq[vector].eqn;
}

/**
 * tavor_eq_affinity() - the processors that may handle the interrupts of a completion vector
 * @dev: device
 * @vector: completion vector
 *
 * The vectors are not spread by PCI_IRQ_AFFINITY, because an administrator could not change the
 * processors then, and the interrupt would be off while they are offline. Without that flag
 * pci_irq_get_affinity() has no answer.
 *
 * Context: Process context, may sleep.
 * Return: the mask, which changes when the administrator changes it.
 */
const struct cpumask *tavor_eq_affinity(const struct tavor_dev *dev, u32 vector)
{
	return irq_get_affinity_mask(pci_irq_vector(dev->pdev, dev->msix ? vector : 0));
}

static bool tavor_eq_take_one(struct tavor_dev *dev, u32 vector)
{
	return atomic_add_unless(&dev->eq[vector].room, -1, 0);
}

/**
 * tavor_eq_take_room() - reserves room for the events of a CQ
 * @dev: device
 * @wanted: requested completion vector
 * @vector: the one whose queue has room
 *
 * Context: Any.
 * Return: 0, or -ENOMEM.
 */
int tavor_eq_take_room(struct tavor_dev *dev, u32 wanted, u32 *vector)
{
	u32 i;

	for (i = 0; i < dev->nr_comp_eqs; i++) {
		*vector = (wanted + i) % dev->nr_comp_eqs;
		if (tavor_eq_take_one(dev, *vector))
			return 0;
	}
	return -ENOMEM;
}

/**
 * tavor_eq_give_room() - counterpart of tavor_eq_take_room()
 * @dev: device
 * @vector: as it was set there; no event of the CQ is in its queue
 *
 * Context: Any.
 */
void tavor_eq_give_room(struct tavor_dev *dev, u32 vector)
{
	atomic_inc(&dev->eq[vector].room);
}

static void tavor_eq_doorbell(struct tavor_eq *eq, u32 command, u32 param)
{
	tavor_ring(&eq->dev->kar, TAVOR_DB_EQ, command | eq->eqn, param);
}

static void tavor_eq_arm(struct tavor_eq *eq)
{
	tavor_eq_doorbell(eq, TAVOR_EQ_DB_ARM, 0);
}

static void tavor_eq_set_ci(struct tavor_eq *eq)
{
	if (!eq->since_ci)
		return;
	eq->since_ci = 0;
	tavor_eq_doorbell(eq, TAVOR_EQ_DB_SET_CI, eq->cons_index & (eq->entries - 1));
}

static struct tavor_eqe *tavor_eq_entry(struct tavor_eq *eq, u32 index)
{
	index &= eq->entries - 1;
	return tavor_buf_at(&eq->buf, (size_t)index * sizeof(struct tavor_eqe));
}

/* Handles at most @budget entries; fewer: the queue is empty. */
static int tavor_eq_reap(struct tavor_eq *eq, int budget)
{
	int n;

	for (n = 0; n < budget; n++) {
		struct tavor_eqe *eqe = tavor_eq_entry(eq, eq->cons_index);

		if (READ_ONCE(eqe->owner) & TAVOR_EQE_OWNER_HW)
			break;
		/* The owner byte is written last: the rest of the entry is there by then. */
		dma_rmb();
		trace_tavor_event(eq, eqe);
		eq->handle(eq, eqe);
		/* Entries before the index have been handled: see tavor_eq_is_read(). */
		smp_store_release(&eq->cons_index, eq->cons_index + 1);
		/* The index advances before the hardware owns the entry again. */
		smp_wmb();
		WRITE_ONCE(eqe->owner, TAVOR_EQE_OWNER_HW);
		if (++eq->since_ci >= EQ_SPARE)
			tavor_eq_set_ci(eq);
	}
	tavor_eq_set_ci(eq);
	return n;
}

/* Ends the drains that wait, at most @budget of them; returns whether there are more. */
static bool tavor_eq_run_drains(struct tavor_eq *eq, int budget)
{
	struct tavor_eq_drain *drain;

	while (budget-- && !list_empty(&eq->draining)) {
		drain = list_first_entry(&eq->draining, struct tavor_eq_drain, entry);
		list_del(&drain->entry);
		drain->done(drain);
	}
	eq->drained = !list_empty(&eq->draining);
	return eq->drained;
}

/* All entries of objects that were gone when the run began have been read. */
static void tavor_eq_async_read(struct tavor_dev *dev, int entries, int gone)
{
	if (!entries)
		dev->eq_handlers->async_empty(dev);
	atomic_sub(gone, &dev->eq_gone);
	atomic_sub(gone, &dev->eq_expected);
}

/*
 * A drain that is requested during a run waits for the next run, because this run may have passed
 * some of its events' places already. The number of unread entries is bounded by the size of the
 * queue. So a drain ends after that many entries, even if processes fill the queue as fast as it is
 * read.
 */
static void tavor_eq_take_drains(struct tavor_eq *eq)
{
	if (!list_empty(&eq->draining))
		return;
	spin_lock(&eq->drain_lock);
	list_splice_tail_init(&eq->drains, &eq->draining);
	spin_unlock(&eq->drain_lock);
	eq->drain_from = eq->cons_index;
}

static int tavor_eq_poll(struct vrb_softirq *softirq, int budget)
{
	struct tavor_eq *eq = container_of(softirq, struct tavor_eq, softirq);
	int n, gone;

	tavor_eq_take_drains(eq);
	gone = atomic_read(&eq->dev->eq_gone);
	n = tavor_eq_reap(eq, budget);
	if (n >= budget) {
		if (eq->drained || eq->cons_index - eq->drain_from >= eq->entries)
			tavor_eq_run_drains(eq, budget);
		return n;
	}
	/* A run that only goes on with drains is not due to an interrupt. */
	if (eq == tavor_eq_async(eq->dev) && (n || !eq->drained))
		tavor_eq_async_read(eq->dev, n, gone);
	if (tavor_eq_run_drains(eq, budget))
		return budget;
	vrb_softirq_complete(softirq);
	tavor_eq_arm(eq);
	/* Pairs with the sched in tavor_eq_drain(), which has no effect during a run. */
	smp_mb();
	if (!list_empty_careful(&eq->drains))
		vrb_softirq_sched(softirq);
	return n;
}

/**
 * tavor_eq_is_read() - whether all events that are in a completion queue now have been handled
 * @dev: device
 * @vector: completion vector
 *
 * This is so if the hardware owns the entry at the index. A run that has handled that entry since
 * the index was read has advanced the index before it returned the entry to the hardware.
 *
 * Context: Any.
 * Return: true if they have; if not, tavor_eq_drain() calls back when they have.
 */
bool tavor_eq_is_read(struct tavor_dev *dev, u32 vector)
{
	struct tavor_eq *eq = &dev->eq[vector];
	u32 index;

	/* Pairs with the release in tavor_eq_reap(). */
	index = smp_load_acquire(&eq->cons_index);
	if (!(READ_ONCE(tavor_eq_entry(eq, index)->owner) & TAVOR_EQE_OWNER_HW))
		return false;
	/* Pairs with the write barrier in tavor_eq_reap(). */
	smp_rmb();
	return READ_ONCE(eq->cons_index) == index;
}

/**
 * tavor_eq_drain() - calls back once all events now in a queue have been handled
 * @dev: device
 * @vector: completion vector; or their number: the asynchronous queue
 * @drain: done() is set; must stay valid until it is called, once, in softirq with no lock held
 *
 * Context: Softirq or BH disabled.
 */
void tavor_eq_drain(struct tavor_dev *dev, u32 vector, struct tavor_eq_drain *drain)
{
	struct tavor_eq *eq = &dev->eq[vector];

	spin_lock_bh(&eq->drain_lock);
	list_add_tail(&drain->entry, &eq->drains);
	spin_unlock_bh(&eq->drain_lock);
	vrb_softirq_sched(&eq->softirq);
}

/**
 * tavor_eq_disarm_cq() - a CQ whose event has been read can be armed again
 * @eq: its completion queue
 * @cqn: CQ
 *
 * Context: Softirq, before the CQ's handler is called, so that the handler's arming takes effect.
 */
void tavor_eq_disarm_cq(struct tavor_eq *eq, u32 cqn)
{
	tavor_eq_doorbell(eq, TAVOR_EQ_DB_DISARM_CQ, cqn);
}

/* Finished commands; called by the engine's pump alone. */
static int tavor_eq_cmd_reap(struct tavor_dev *dev, int budget)
{
	return tavor_eq_reap(tavor_eq_cmd(dev), budget);
}

/* An interrupt for the next finished command, at once if there is one. */
static void tavor_eq_cmd_rearm(struct tavor_dev *dev)
{
	tavor_eq_arm(tavor_eq_cmd(dev));
}

static const struct tavor_cmd_events tavor_eq_cmd_events = {
	.reap = tavor_eq_cmd_reap,
	.rearm = tavor_eq_cmd_rearm,
};

/* ---- Interrupts ---- */

/* The queues for asynchronous events and for errors share a vector. */
static void tavor_eq_fired(struct tavor_eq *eq)
{
	struct tavor_eq *async = tavor_eq_async(eq->dev), *error = tavor_eq_error(eq->dev);

	atomic_inc(&eq->interrupts);
	if (eq == tavor_eq_cmd(eq->dev)) {
		vrb_device_kick(eq->dev->vrb);
	} else if (eq == async || eq == error) {
		vrb_softirq_sched(&async->softirq);
		vrb_softirq_sched(&error->softirq);
	} else {
		vrb_softirq_sched(&eq->softirq);
	}
}

static irqreturn_t tavor_eq_msix(int irq, void *data)
{
	tavor_eq_fired(data);
	return IRQ_HANDLED;
}

static void tavor_eq_clear_int(struct tavor_dev *dev)
{
	u8 pin = dev->adapter.inta_pin;

	/* Two dwords, pins 63..32 first. */
	iowrite32be(BIT(pin & 31), dev->clr_int + (pin < 32 ? 4 : 0));
}

/*
 * Clear the level first and the cause second: an EQ that fires in between raises the level again.
 * EQNs are below 32 (tavor_limits.num_eqs), so the low dword of the cause is all of it.
 */
static irqreturn_t tavor_eq_intx(int irq, void *data)
{
	struct tavor_dev *dev = data;
	u32 cause;
	u32 i;

	tavor_eq_clear_int(dev);
	cause = ioread32be(dev->ecr + 4);
	if (!cause || cause == ~0U)
		return IRQ_NONE;
	iowrite32be(cause, dev->ecr + TAVOR_ECR_CLR + 4);
	for (i = 0; i < tavor_nr_eqs(dev); i++)
		if (cause & BIT(dev->eq[i].eqn))
			tavor_eq_fired(&dev->eq[i]);
	return IRQ_HANDLED;
}

static void tavor_eq_free_irqs(struct tavor_dev *dev)
{
	u32 i;

	if (!dev->msix) {
		free_irq(pci_irq_vector(dev->pdev, 0), dev);
		return;
	}
	for (i = 0; i < tavor_nr_eqs(dev); i++) {
		if (dev->eq[i].irq)
			free_irq(dev->eq[i].irq, &dev->eq[i]);
		dev->eq[i].irq = 0;
	}
}

static int tavor_eq_request_msix(struct tavor_dev *dev)
{
	u32 i;
	int err;

	for (i = 0; i < tavor_nr_eqs(dev); i++) {
		struct tavor_eq *eq = &dev->eq[i];
		int irq = pci_irq_vector(dev->pdev, eq->vector);

		if (eq == tavor_eq_error(dev))
			continue;
		err = request_irq(irq, tavor_eq_msix, 0, eq->irq_name, eq);
		if (err) {
			tavor_eq_free_irqs(dev);
			return err;
		}
		eq->irq = irq;
	}
	return 0;
}

static int tavor_eq_request_irqs(struct tavor_dev *dev)
{
	if (dev->msix)
		return tavor_eq_request_msix(dev);
	return request_irq(pci_irq_vector(dev->pdev, 0), tavor_eq_intx, IRQF_SHARED, TAVOR_NAME,
			   dev);
}

/* Allocates the vectors, and sets the number of completion queues accordingly. */
static int tavor_eq_alloc_vectors(struct tavor_dev *dev, bool msix)
{
	int room = dev->limits.num_eqs - dev->lim.reserved_eqs;
	int want = min3((int)num_online_cpus(), TAVOR_MAX_COMP_EQS, room - 3) + 2;
	int got;

	if (room < 4)
		return -ENOSPC;
	dev->msix = msix;
	dev->nr_comp_eqs = 1;
	if (!msix)
		return min(pci_alloc_irq_vectors(dev->pdev, 1, 1, PCI_IRQ_INTX), 0);
	got = pci_alloc_irq_vectors(dev->pdev, 3, want, PCI_IRQ_MSIX);
	/* Too few vectors, or MSI-X is disabled, which has another errno: INTx remains. */
	if (got < 0)
		return -ENOSPC;
	dev->nr_comp_eqs = got - 2;
	return 0;
}

/* ---- One queue ---- */

static void tavor_eq_fill_context(const struct tavor_eq *eq, struct tavor_eq_context *context)
{
	const struct tavor_dev *dev = eq->dev;

	memset(context, 0, sizeof(*context));
	context->flags = cpu_to_be32(TAVOR_EQC_OWNER_HW | TAVOR_EQC_TRANSLATE | TAVOR_EQC_FIRED);
	context->size_uar = cpu_to_be32((u32)ilog2(eq->entries) << 24 | dev->kar.uar.index);
	context->pd = cpu_to_be32(dev->driver_pd->pdn);
	context->intr = cpu_to_be32(dev->msix ? TAVOR_EQC_INTR_MSIX + eq->vector :
						dev->adapter.inta_pin);
	context->lkey = cpu_to_be32(eq->buf.mpt.key);
}

/*
 * Memory that the hardware may still write must not be freed: if the command fails, the hardware is
 * stopped.
 */
static void tavor_eq_teardown(struct tavor_dev *dev, int err, const char *what)
{
	if (err)
		vrb_device_fail(dev->vrb, what);
}

static int tavor_eq_alloc_buf(struct tavor_eq *eq)
{
	struct tavor_dev *dev = eq->dev;
	u32 i;
	int err;

	err = tavor_buf_alloc(dev, &eq->buf, (size_t)eq->entries * sizeof(struct tavor_eqe),
			      dev->driver_pd->pdn, TAVOR_MPT_LW, GFP_KERNEL);
	if (err)
		return err;
	for (i = 0; i < eq->entries; i++)
		tavor_eq_entry(eq, i)->owner = TAVOR_EQE_OWNER_HW;
	err = tavor_buf_write_mtt(dev, &eq->buf);
	err = err ?: tavor_mpt_enable(dev, &eq->buf.mpt);
	if (err) {
		tavor_eq_teardown(dev, eq->buf.mpt.hw_owned, "SW2HW_MPT of an event queue");
		tavor_buf_free(dev, &eq->buf);
	}
	return err;
}

static void tavor_eq_free_buf(struct tavor_eq *eq)
{
	tavor_eq_teardown(eq->dev, tavor_mpt_disable(eq->dev, &eq->buf.mpt),
			  "HW2SW_MPT of an event queue");
	tavor_buf_free(eq->dev, &eq->buf);
}

static int tavor_eq_create(struct tavor_eq *eq)
{
	struct tavor_dev *dev = eq->dev;
	struct tavor_eq_context context;
	u32 eqn;
	int err;

	err = tavor_alloc_get(&dev->eq_alloc, &eqn);
	if (err)
		return err;
	eq->eqn = eqn;
	err = tavor_eq_alloc_buf(eq);
	if (err)
		goto put_eqn;
	tavor_eq_fill_context(eq, &context);
	err = tavor_fw_sw2hw_eq(dev, eq->eqn, &context);
	if (err)
		goto free_buf;
	return 0;

free_buf:
	tavor_eq_teardown(dev, err == -ETIMEDOUT, "SW2HW_EQ was not answered");
	tavor_eq_free_buf(eq);
put_eqn:
	tavor_alloc_put(&dev->eq_alloc, eqn);
	return err;
}

static void tavor_eq_destroy(struct tavor_eq *eq)
{
	tavor_eq_teardown(eq->dev, tavor_fw_hw2sw_eq(eq->dev, eq->eqn), "HW2SW_EQ");
	tavor_eq_free_buf(eq);
	tavor_alloc_put(&eq->dev->eq_alloc, eq->eqn);
}

static void tavor_eq_setup(struct tavor_dev *dev, u32 index, const char *kind, u32 entries,
			   void (*handle)(struct tavor_eq *eq, const struct tavor_eqe *eqe))
{
	struct tavor_eq *eq = &dev->eq[index];

	memset(eq, 0, sizeof(*eq));
	eq->dev = dev;
	eq->vector = index;
	eq->entries = entries;
	eq->handle = handle;
	atomic_set(&eq->room, (entries - EQ_SPARE) / EQ_CQ_EVENTS);
	spin_lock_init(&eq->drain_lock);
	INIT_LIST_HEAD(&eq->drains);
	INIT_LIST_HEAD(&eq->draining);
	vrb_softirq_init(&eq->softirq, EQ_BUDGET, tavor_eq_poll);
	snprintf(eq->irq_name, sizeof(eq->irq_name), "%s-%s@%s", TAVOR_NAME, kind,
		 pci_name(dev->pdev));
}

/* ---- All of them ---- */

static void tavor_eq_setup_all(struct tavor_dev *dev)
{
	u32 cqs = DIV_ROUND_UP(dev->limits.num_cqs - dev->lim.reserved_cqs, dev->nr_comp_eqs);
	u32 entries = roundup_pow_of_two(EQ_CQ_EVENTS * cqs + EQ_SPARE);
	char kind[16];
	u32 i;

	for (i = 0; i < dev->nr_comp_eqs; i++) {
		snprintf(kind, sizeof(kind), "comp%u", i);
		tavor_eq_setup(dev, i, kind, entries, dev->eq_handlers->comp);
	}
	tavor_eq_setup(dev, i, "async", EQ_ASYNC_ENTRIES, dev->eq_handlers->async);
	tavor_eq_setup(dev, i + 1, "error", EQ_ERROR_ENTRIES, dev->eq_handlers->async);
	tavor_eq_setup(dev, i + 2, "cmd", EQ_CMD_ENTRIES, dev->eq_handlers->cmd);
	/* Errors are rare, so their queue needs no vector of its own. */
	tavor_eq_error(dev)->vector = i;
	tavor_eq_cmd(dev)->vector = i + 1;
}

static void tavor_eq_destroy_first(struct tavor_dev *dev, u32 n)
{
	while (n--)
		tavor_eq_destroy(&dev->eq[n]);
}

static int tavor_eq_create_all(struct tavor_dev *dev)
{
	u32 i;
	int err;

	tavor_eq_setup_all(dev);
	for (i = 0; i < tavor_nr_eqs(dev); i++) {
		err = tavor_eq_create(&dev->eq[i]);
		if (err) {
			tavor_eq_destroy_first(dev, i);
			return err;
		}
	}
	return 0;
}

static void tavor_eq_end_drains(struct tavor_eq *eq)
{
	bool more;

	do {
		local_bh_disable();
		more = tavor_eq_run_drains(eq, EQ_BUDGET);
		local_bh_enable();
		cond_resched();
	} while (more);
}

/*
 * From here on the softirqs of the queues are not called any more. A call may still be running, and
 * so may the pump's last look at the command queue, until @gp has completed.
 */
static void tavor_eq_silence_begin(struct tavor_dev *dev, struct rcu_synchronize *gp)
{
	u32 i;

	for (i = 0; i < dev->nr_comp_eqs + 2; i++)
		vrb_softirq_stop_begin(&dev->eq[i].softirq);
	init_rcu_head_on_stack(&gp->head);
	init_completion(&gp->completion);
	/* One grace period for all of them */
	call_rcu_hurry(&gp->head, wakeme_after_rcu);
}

/*
 * After this there are no interrupts, no softirq of the queues runs, and all drains have completed.
 */
static void tavor_eq_silence_end(struct tavor_dev *dev, struct rcu_synchronize *gp)
{
	u32 i;

	tavor_eq_free_irqs(dev);
	wait_for_completion(&gp->completion);
	destroy_rcu_head_on_stack(&gp->head);
	for (i = 0; i < dev->nr_comp_eqs + 2; i++)
		vrb_softirq_stop_end(&dev->eq[i].softirq);
	for (i = 0; i < dev->nr_comp_eqs + 2; i++) {
		list_splice_tail_init(&dev->eq[i].drains, &dev->eq[i].draining);
		tavor_eq_end_drains(&dev->eq[i]);
	}
}

static void tavor_eq_silence(struct tavor_dev *dev)
{
	struct rcu_synchronize gp;

	tavor_eq_silence_begin(dev, &gp);
	tavor_eq_silence_end(dev, &gp);
}

static u64 tavor_eq_async_mask(const struct tavor_dev *dev)
{
	return TAVOR_ASYNC_EVENTS |
	       (dev->lim.flags & TAVOR_DEV_LIM_SRQ ? TAVOR_SRQ_EVENTS : 0);
}

static void tavor_eq_unmap_async(struct tavor_dev *dev)
{
	tavor_eq_teardown(dev, tavor_fw_map_eq(dev, tavor_eq_async_mask(dev), true,
					       tavor_eq_async(dev)->eqn),
			  "MAP_EQ");
}

static void tavor_eq_unmap_error(struct tavor_dev *dev)
{
	tavor_eq_teardown(dev, tavor_fw_map_eq(dev, TAVOR_ERROR_EVENTS, true,
					       tavor_eq_error(dev)->eqn),
			  "MAP_EQ");
}

static void tavor_eq_unmap_cmd(struct tavor_dev *dev)
{
	tavor_eq_teardown(dev, tavor_fw_map_eq(dev, TAVOR_CMD_EVENTS, true,
					       tavor_eq_cmd(dev)->eqn),
			  "MAP_EQ");
}

static int tavor_eq_map_events(struct tavor_dev *dev)
{
	int err;
	u32 i;

	err = tavor_fw_map_eq(dev, tavor_eq_async_mask(dev), false, tavor_eq_async(dev)->eqn);
	if (err)
		return err;
	err = tavor_fw_map_eq(dev, TAVOR_ERROR_EVENTS, false, tavor_eq_error(dev)->eqn);
	if (err)
		goto unmap_async;
	err = tavor_fw_map_eq(dev, TAVOR_CMD_EVENTS, false, tavor_eq_cmd(dev)->eqn);
	if (err)
		goto unmap_error;
	for (i = 0; i < tavor_nr_eqs(dev); i++)
		tavor_eq_arm(&dev->eq[i]);
	return 0;

unmap_error:
	tavor_eq_unmap_error(dev);
unmap_async:
	tavor_eq_unmap_async(dev);
	return err;
}

/* ---- A larger queue for asynchronous events ---- */

static bool tavor_eq_async_fits(struct tavor_dev *dev)
{
	u32 room = READ_ONCE(tavor_eq_async(dev)->entries) - EQ_SPARE - EQ_ASYNC_OTHERS;

	return (u32)atomic_read(&dev->eq_expected) < room;
}

/*
 * Called in the run of the queue, which is read to its end. If there is a new queue, the hardware
 * writes to that one already; its entries raise an interrupt when the run ends.
 */
static void tavor_eq_async_drained(struct tavor_eq_drain *drain)
{
	struct tavor_eq_exchange *exchange = container_of(drain, struct tavor_eq_exchange, drain);
	struct tavor_eq *eq = exchange->eq, *next = exchange->next;

	if (next) {
		swap(eq->eqn, next->eqn);
		swap(eq->buf, next->buf);
		swap(eq->entries, next->entries);
		eq->cons_index = 0;
	}
	complete(&exchange->done);
}

/* Reads the remaining entries of the queue and replaces it by @next, if any. */
static void tavor_eq_async_drain(struct tavor_dev *dev, struct tavor_eq *next)
{
	struct tavor_eq_exchange exchange = {
		.drain.done = tavor_eq_async_drained,
		.eq = tavor_eq_async(dev),
		.next = next,
	};

	init_completion(&exchange.done);
	/* So that the softirq runs here, not in ksoftirqd. */
	local_bh_disable();
	tavor_eq_drain(dev, dev->nr_comp_eqs, &exchange.drain);
	local_bh_enable();
	wait_for_completion(&exchange.done);
}

static int tavor_eq_async_grow(struct tavor_dev *dev)
{
	struct tavor_eq *next;
	int err;

	next = kzalloc(sizeof(*next), GFP_KERNEL);
	if (!next)
		return -ENOMEM;
	next->dev = dev;
	next->vector = tavor_eq_async(dev)->vector;
	next->entries = roundup_pow_of_two(2 * atomic_read(&dev->eq_expected));
	err = tavor_eq_create(next);
	if (err)
		goto free_next;
	err = tavor_fw_map_eq(dev, tavor_eq_async_mask(dev), false, next->eqn);
	if (!err)
		tavor_eq_async_drain(dev, next);
	/* Timed out: the hardware may still write to it. */
	tavor_eq_teardown(dev, err == -ETIMEDOUT, "MAP_EQ was not answered");
	tavor_eq_destroy(next);
free_next:
	kfree(next);
	return err;
}

/*
 * A separate function, so that the atomic check can verify that no caller that must not sleep
 * reaches it.
 */
static noinline int tavor_eq_make_room(struct tavor_dev *dev)
{
	int err = 0;

	mutex_lock(&dev->eq_mutex);
	if (!tavor_eq_async_fits(dev))
		tavor_eq_async_drain(dev, NULL);
	if (!tavor_eq_async_fits(dev))
		err = tavor_eq_async_grow(dev);
	mutex_unlock(&dev->eq_mutex);
	return err;
}

/**
 * tavor_eq_expect() - reserves room for the asynchronous events of a new object
 * @dev: device
 * @events: the largest number that it can write before it gets another command
 * @gfp: GFP_KERNEL: replaces the queue if it has no room; otherwise the call fails
 *
 * Context: Any down to softirq; process context with GFP_KERNEL, sleeps.
 * Return: 0; -ENOMEM; or a negative errno of the firmware's.
 */
int tavor_eq_expect(struct tavor_dev *dev, u32 events, gfp_t gfp)
{
	int err;

	atomic_add(events, &dev->eq_expected);
	if (tavor_eq_async_fits(dev))
		return 0;
	err = gfpflags_allow_blocking(gfp) ? tavor_eq_make_room(dev) : -ENOMEM;
	if (err) {
		tavor_eq_expect_less(dev, events);
		/* The read makes room for a caller that retries. */
		vrb_softirq_sched(&tavor_eq_async(dev)->softirq);
	}
	return err;
}

/**
 * tavor_eq_expect_less() - returns the room that was reserved for an object
 * @dev: device
 * @events: as given to tavor_eq_expect()
 *
 * Context: Any.
 */
void tavor_eq_expect_less(struct tavor_dev *dev, u32 events)
{
	if (atomic_add_return(events, &dev->eq_gone) >= EQ_ASYNC_GONE)
		vrb_softirq_sched(&tavor_eq_async(dev)->softirq);
}

/*
 * Tests whether interrupts of the command queue arrive. A run of the pump that has another cause
 * may find the completion first; the interrupt then arrives a little later.
 */
static int tavor_eq_test_interrupts(struct tavor_dev *dev)
{
	atomic_t *interrupts = &tavor_eq_cmd(dev)->interrupts;
	int n, err = tavor_fw_nop(dev, EQ_NOP_MS);

	if (!err && read_poll_timeout(atomic_read, n, n, USEC_PER_MSEC, EQ_NOP_MS * USEC_PER_MSEC,
				      false, interrupts))
		err = -ETIME;
	if (err)
		dev_warn(&dev->pdev->dev, "no interrupt by %s after NOP (%d)\n",
			 dev->msix ? "MSI-X" : "INTx", err);
	return err;
}

/*
 * The grace period passes while the commands are executed. Events that the hardware still writes
 * are not read: all objects are gone, and commands are polled for. An interrupt is still answered,
 * but it does not come again, because the queues are not armed again.
 */
static void tavor_eq_unmap_all(struct tavor_dev *dev)
{
	struct rcu_synchronize gp;

	tavor_eq_silence_begin(dev, &gp);
	tavor_eq_unmap_cmd(dev);
	tavor_eq_unmap_error(dev);
	tavor_eq_unmap_async(dev);
	tavor_eq_silence_end(dev, &gp);
}

static void tavor_eq_stop(struct tavor_dev *dev)
{
	tavor_cmd_use_polling(dev);
	tavor_eq_unmap_all(dev);
	tavor_eq_destroy_first(dev, tavor_nr_eqs(dev));
	pci_free_irq_vectors(dev->pdev);
}

static int tavor_eq_start(struct tavor_dev *dev, bool msix)
{
	int err;

	err = tavor_eq_alloc_vectors(dev, msix);
	if (err)
		return err;
	err = tavor_eq_create_all(dev);
	if (err)
		goto free_vectors;
	err = tavor_eq_request_irqs(dev);
	if (err)
		goto destroy_queues;
	err = tavor_eq_map_events(dev);
	if (err)
		goto silence_queues;
	err = tavor_cmd_use_events(dev, &tavor_eq_cmd_events);
	if (err)
		goto unmap_events;
	err = tavor_eq_test_interrupts(dev);
	if (err)
		tavor_eq_stop(dev);
	return err;

unmap_events:
	tavor_eq_unmap_all(dev);
	goto destroy_queues;
silence_queues:
	tavor_eq_silence(dev);
destroy_queues:
	tavor_eq_destroy_first(dev, tavor_nr_eqs(dev));
free_vectors:
	pci_free_irq_vectors(dev->pdev);
	return err;
}

static int tavor_eq_map_registers(struct tavor_dev *dev)
{
	resource_size_t bar = pci_resource_start(dev->pdev, 0);

	dev->ecr = ioremap(bar + TAVOR_ECR, TAVOR_ECR_SIZE);
	if (!dev->ecr)
		return -ENOMEM;
	dev->clr_int = ioremap(bar + TAVOR_CLR_INT, TAVOR_CLR_INT_SIZE);
	if (dev->clr_int)
		return 0;
	iounmap(dev->ecr);
	return -ENOMEM;
}

static void tavor_eq_unmap_registers(struct tavor_dev *dev)
{
	iounmap(dev->clr_int);
	iounmap(dev->ecr);
}

/**
 * tavor_eq_init() - event queues and interrupts; commands complete by events afterwards
 * @dev: device with keys, buffers, its UAR page and its own PD
 * @handlers: the handlers of the entries; must stay valid until tavor_eq_cleanup()
 *
 * Tries MSI-X first. If no interrupt arrives, it uses INTx.
 *
 * Context: Process context, may sleep.
 * Return: 0 or a negative errno.
 */
int tavor_eq_init(struct tavor_dev *dev, const struct tavor_eq_handlers *handlers)
{
	int err;

	dev->eq_handlers = handlers;
	mutex_init(&dev->eq_mutex);
	atomic_set(&dev->eq_expected, 0);
	atomic_set(&dev->eq_gone, 0);
	err = tavor_eq_map_registers(dev);
	if (err)
		return err;
	err = tavor_alloc_init(&dev->eq_alloc, "event queues", dev->limits.num_eqs,
			       dev->limits.num_eqs - 1, dev->lim.reserved_eqs);
	if (err)
		goto unmap;
	err = dev->want_msix ? tavor_eq_start(dev, true) : -ENOSPC;
	if ((err == -ENOSPC || err == -ETIME) && dev->adapter.inta_pin < 64)
		err = tavor_eq_start(dev, false);
	if (!err)
		return 0;
	tavor_alloc_destroy(dev, &dev->eq_alloc);
unmap:
	tavor_eq_unmap_registers(dev);
	return err;
}

/**
 * tavor_eq_cleanup() - destroys the event queues; commands are polled afterwards
 * @dev: device; no CQ, no QP, no request is left
 *
 * Context: Process context, may sleep.
 */
void tavor_eq_cleanup(struct tavor_dev *dev)
{
	tavor_eq_stop(dev);
	tavor_alloc_destroy(dev, &dev->eq_alloc);
	tavor_eq_unmap_registers(dev);
}
