// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Multicast: attach and detach on the group table in the HCA.
 *
 * The table is a hash with chained entries, which is changed by reading and writing whole entries.
 * Only one request at a time uses it, because a request needs several commands and must not see the
 * incomplete change of another one. mcg.c decides which request is next.
 */
#include <linux/bitfield.h>
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/slab.h>

#include "hw_mad.h"
#include "mcast.h"
#include "mcg.h"
#include "object.h"
#include "qp.h"
#include "tavor.h"

#define TAVOR_MGM_NONE		U32_MAX
#define TAVOR_MCAST_RETRY_MS	20

static u32 tavor_mgm_next(const struct tavor_mgm *mgm)
{
	return FIELD_GET(TAVOR_MGM_NEXT, be32_to_cpu(mgm->next));
}

static void tavor_mgm_set_next(struct tavor_mgm *mgm, u32 next)
{
	mgm->next = cpu_to_be32(FIELD_PREP(TAVOR_MGM_NEXT, next));
}

static bool tavor_mgm_empty(const struct tavor_mgm *mgm)
{
	return !memchr_inv(mgm->gid, 0, sizeof(mgm->gid));
}

static u32 tavor_mgm_count(const struct tavor_mgm *mgm)
{
	u32 n = 0;

	while (n < TAVOR_MGM_QPS && mgm->qp[n] & cpu_to_be32(TAVOR_MGM_VALID))
		n++;
	return n;
}

static int tavor_mgm_find(const struct tavor_mgm *mgm, u32 qpn)
{
	u32 i, n = tavor_mgm_count(mgm);

	for (i = 0; i < n; i++)
		if ((be32_to_cpu(mgm->qp[i]) & TAVOR_MGM_QPN) == qpn)
			return i;
	return -1;
}

static void tavor_encode_write_mgm(struct tavor_dev *dev, struct vrb_slot *slot, u32 index,
				   const struct tavor_mgm *mgm)
{
	memcpy(tavor_mbox_in(dev, slot), mgm, sizeof(*mgm));
	tavor_cmd_set(dev, slot, TAVOR_CMD_WRITE_MGM, 0, index, TAVOR_CMD_IN);
}

static const struct vrb_mcast *to_mcast(const struct vrb *vrb)
{
	return container_of(vrb, struct vrb_mcast, vrb);
}

static void tavor_mcast_start(struct tavor_mcast *op, const struct vrb *vrb)
{
	op->active = true;
	op->attach = vrb->op == VRB_OP_ATTACH_MCAST;
	op->gid = to_mcast(vrb)->gid;
	op->qpn = vrb->object->id;
	op->phase = TAVOR_MCAST_HASH;
	op->prev = TAVOR_MGM_NONE;
	op->moved = TAVOR_MGM_NONE;
	op->fresh = TAVOR_MGM_NONE;
	op->seen = 0;
}

static int tavor_mcast_enter(struct vrb_device *vdev, struct vrb *vrb, struct vrb_slot *slot)
{
	struct tavor_mcg_table *table = vrb_to_tdev(vdev)->mcgs;
	struct tavor_hw_qp *qp = to_hw_qp(vrb->object);
	int ret;

	if (qp->type != IB_QPT_UD || to_mcast(vrb)->gid.raw[0] != 0xff)
		return -EINVAL;
	ret = tavor_mcg_enter(table, qp, vrb->op == VRB_OP_ATTACH_MCAST);
	if (ret == VRB_NEXT)
		tavor_mcast_start(&table->op, vrb);
	return ret;
}

/* The request has failed, or was cancelled while it waited. */
static int tavor_mcast_undo(struct vrb_device *vdev, struct vrb *vrb, struct vrb_slot *slot)
{
	tavor_mcg_leave(vrb_to_tdev(vdev)->mcgs, to_hw_qp(vrb->object));
	return VRB_NEXT;
}

static int tavor_mcast_encode(struct vrb_device *vdev, struct vrb *vrb, struct vrb_slot *slot)
{
	struct tavor_dev *dev = vrb_to_tdev(vdev);
	struct tavor_mcast *op = &dev->mcgs->op;

	switch (op->phase) {
	case TAVOR_MCAST_HASH:
		memcpy(tavor_mbox_in(dev, slot), op->gid.raw, sizeof(op->gid));
		tavor_cmd_set(dev, slot, TAVOR_CMD_MGID_HASH, 0, 0, TAVOR_CMD_IN);
		return VRB_POST;
	case TAVOR_MCAST_READ:
	case TAVOR_MCAST_READ_NEXT:
		tavor_cmd_set(dev, slot, TAVOR_CMD_READ_MGM, 0, op->index, TAVOR_CMD_OUT);
		return VRB_POST;
	case TAVOR_MCAST_WRITE:
		tavor_encode_write_mgm(dev, slot, op->index, &op->mgm);
		return VRB_POST;
	case TAVOR_MCAST_WRITE_LINK:
		tavor_encode_write_mgm(dev, slot, op->prev, &op->link);
		return VRB_POST;
	default:
		return VRB_END;
	}
}

/* The group's entry, or an empty bucket, has been found. */
static int tavor_mcast_attach_here(struct tavor_mcast *op)
{
	u32 n = tavor_mgm_count(&op->mgm);

	if (tavor_mgm_find(&op->mgm, op->qpn) >= 0)
		return VRB_END;
	if (n == TAVOR_MGM_QPS)
		return -ENOMEM;
	memcpy(op->mgm.gid, op->gid.raw, sizeof(op->mgm.gid));
	op->mgm.qp[n] = cpu_to_be32(TAVOR_MGM_VALID | op->qpn);
	op->phase = TAVOR_MCAST_WRITE;
	return VRB_AGAIN;
}

/* The chain does not contain the group: a new entry is written, and linked after that. */
static int tavor_mcast_attach_new(struct tavor_mcg_table *table)
{
	struct tavor_mcast *op = &table->op;
	u32 index;

	if (tavor_alloc_get(&table->overflow, &index))
		return -ENOMEM;
	op->fresh = index;
	op->link = op->mgm;
	op->prev = op->index;
	tavor_mgm_set_next(&op->link, index);
	op->index = index;
	memset(&op->mgm, 0, sizeof(op->mgm));
	return tavor_mcast_attach_here(op);
}

/* The last QP of a group is detached: the group's entry is removed from the chain. */
static int tavor_mcast_detach_entry(struct tavor_mcast *op)
{
	u32 next = tavor_mgm_next(&op->mgm);

	if (op->prev != TAVOR_MGM_NONE) {
		op->moved = op->index;
		tavor_mgm_set_next(&op->link, next);
		op->phase = TAVOR_MCAST_WRITE_LINK;
	} else if (next) {
		op->prev = op->index;
		op->moved = next;
		op->index = next;
		op->phase = TAVOR_MCAST_READ_NEXT;
	} else {
		memset(&op->mgm, 0, sizeof(op->mgm));
		op->phase = TAVOR_MCAST_WRITE;
	}
	return VRB_AGAIN;
}

static int tavor_mcast_detach_here(struct tavor_mcast *op)
{
	u32 n = tavor_mgm_count(&op->mgm);
	int i = tavor_mgm_find(&op->mgm, op->qpn);

	if (i < 0)
		return -EINVAL;
	op->mgm.qp[i] = op->mgm.qp[n - 1];
	op->mgm.qp[n - 1] = 0;
	if (n == 1)
		return tavor_mcast_detach_entry(op);
	op->phase = TAVOR_MCAST_WRITE;
	return VRB_AGAIN;
}

/* An entry of the chain has been read. */
static int tavor_mcast_look(struct tavor_mcg_table *table)
{
	struct tavor_mcast *op = &table->op;
	u32 next = tavor_mgm_next(&op->mgm);

	if (!memcmp(op->mgm.gid, op->gid.raw, sizeof(op->mgm.gid)))
		return op->attach ? tavor_mcast_attach_here(op) : tavor_mcast_detach_here(op);
	if (op->attach && tavor_mgm_empty(&op->mgm) && op->prev == TAVOR_MGM_NONE)
		return tavor_mcast_attach_here(op);
	/* A chain that leaves the table or does not end */
	if (next >= 2 * table->buckets || ++op->seen > 2 * table->buckets)
		return -EREMOTEIO;
	if (!next)
		return op->attach ? tavor_mcast_attach_new(table) : -EINVAL;
	op->prev = op->index;
	op->link = op->mgm;
	op->index = next;
	return VRB_AGAIN;
}

/* The group's entry has been written; a new one must be linked next. */
static int tavor_mcast_written(struct tavor_mcast *op)
{
	if (op->fresh == TAVOR_MGM_NONE)
		return VRB_END;
	op->phase = TAVOR_MCAST_WRITE_LINK;
	return VRB_AGAIN;
}

/*
 * The result of the request's last command is known. An entry that is not linked, or not linked any
 * more, is freed, and the QP counts as attached or detached accordingly.
 */
static void tavor_mcast_settle(struct tavor_mcg_table *table, struct vrb_object *object, int status)
{
	struct tavor_mcast *op = &table->op;
	bool linked = op->phase == TAVOR_MCAST_WRITE_LINK && !status;
	bool written = op->phase == TAVOR_MCAST_WRITE && op->fresh == TAVOR_MGM_NONE && !status;

	op->active = false;
	if (op->fresh != TAVOR_MGM_NONE && !linked)
		tavor_alloc_put(&table->overflow, op->fresh);
	if (op->moved != TAVOR_MGM_NONE && linked)
		tavor_alloc_put(&table->overflow, op->moved);
	if (!linked && !written)
		return;
	if (op->attach)
		tavor_mcg_attached(table, to_hw_qp(object));
	else
		tavor_mcg_detached(table, to_hw_qp(object));
}

static int tavor_mcast_next(struct tavor_mcg_table *table, struct tavor_dev *dev,
			    struct vrb_slot *slot, const struct vrb_result *result)
{
	struct tavor_mcast *op = &table->op;

	switch (op->phase) {
	case TAVOR_MCAST_HASH:
		op->index = lower_16_bits(result->out);
		op->phase = TAVOR_MCAST_READ;
		return op->index < table->buckets ? VRB_AGAIN : -EREMOTEIO;
	case TAVOR_MCAST_READ:
		memcpy(&op->mgm, tavor_mbox_out(dev, slot), sizeof(op->mgm));
		return tavor_mcast_look(table);
	case TAVOR_MCAST_READ_NEXT:
		memcpy(&op->link, tavor_mbox_out(dev, slot), sizeof(op->link));
		op->phase = TAVOR_MCAST_WRITE_LINK;
		return VRB_AGAIN;
	case TAVOR_MCAST_WRITE:
		return tavor_mcast_written(op);
	default:
		return VRB_END;
	}
}

static int tavor_mcast_done(struct vrb_device *vdev, struct vrb *vrb, struct vrb_slot *slot,
			    const struct vrb_result *result)
{
	struct tavor_dev *dev = vrb_to_tdev(vdev);
	int ret = result->status;

	if (!ret)
		ret = tavor_mcast_next(dev->mcgs, dev, slot, result);
	if (ret == VRB_AGAIN)
		return ret;
	tavor_mcast_settle(dev->mcgs, vrb->object, ret == VRB_END ? 0 : ret);
	tavor_mcg_leave(dev->mcgs, to_hw_qp(vrb->object));
	return ret;
}

static void tavor_mcast_lost(struct vrb_device *vdev, struct vrb_object *object)
{
	tavor_mcg_lost(vrb_to_tdev(vdev)->mcgs);
}

static void tavor_mcast_late(struct vrb_device *vdev, struct vrb_object *object,
			     const struct vrb_result *result)
{
	struct tavor_mcg_table *table = vrb_to_tdev(vdev)->mcgs;

	tavor_mcast_settle(table, object, result->status);
	tavor_mcg_found(table);
	tavor_mcg_leave(table, to_hw_qp(object));
}

static const struct vrb_step tavor_mcast_steps[] = {
	{
		.name = "turn at the group table",
		.encode = tavor_mcast_enter,
		.undo = tavor_mcast_undo,
	}, {
		.name = "MGID_HASH, READ_MGM, WRITE_MGM",
		.encode = tavor_mcast_encode,
		.done = tavor_mcast_done,
		.lost = tavor_mcast_lost,
		.late = tavor_mcast_late,
	},
};

const struct vrb_verb tavor_verb_attach_mcast = {
	.name = "ATTACH_MCAST",
	.class = VRB_CLASS_NORMAL,
	VRB_STEPS(tavor_mcast_steps),
};

const struct vrb_verb tavor_verb_detach_mcast = {
	.name = "DETACH_MCAST",
	.class = VRB_CLASS_TEARDOWN,
	.parting = true,
	VRB_STEPS(tavor_mcast_steps),
};

static int tavor_mcast_exec(struct ib_qp *ibqp, const union ib_gid *gid, bool attach, u8 *status)
{
	struct tavor_hw_qp *qp = to_tqp(ibqp)->hw;
	struct vrb_mcast req;
	int err;

	if (attach)
		vrb_prep_attach_mcast(&req, ibqp);
	else
		vrb_prep_detach_mcast(&req, ibqp);
	req.vrb.user = qp->object.destroy.user;
	req.gid = *gid;
	err = tavor_exec(qp->dev, &req.vrb);
	*status = req.vrb.fw_status;
	return err;
}

/*
 * ib_core removes its record of the attachment in any case, and could never destroy the QP if this
 * failed. So, as with a destroy, the device fails if the hardware refuses the command or does not
 * answer. A command that timed out blocks the QP until it has completed, therefore the loop.
 *
 * ib_core has a record for each GID and LID of a process's QP, the hardware has one for each GID.
 * If there are several of a GID, the first detach is the one that the hardware knows of.
 *
 * Context: Process context, may sleep.
 */
static int tavor_mcast_detach(struct ib_qp *ibqp, const union ib_gid *gid)
{
	const struct tavor_hw_qp *qp = to_tqp(ibqp)->hw;
	struct tavor_dev *dev = qp->dev;
	unsigned long deadline = jiffies + 2 * tavor_cmd_timeout();
	bool again = false;
	u8 status;
	int err;

	might_sleep();
	for (;; again = true) {
		err = tavor_mcast_exec(ibqp, gid, false, &status);
		if (!err || vrb_device_failed(dev->vrb))
			return 0;
		/* A QP without references is in no group any more. */
		if (err == -ESHUTDOWN)
			return 0;
		/* Not attached; the first try may have succeeded after its timeout. */
		if (err == -EINVAL && !status)
			return again || qp->half.user ? 0 : err;
		if (status || time_after(jiffies, deadline)) {
			vrb_device_fail(dev->vrb, "DETACH_MCAST failed");
			return 0;
		}
		msleep(TAVOR_MCAST_RETRY_MS);
	}
}

/**
 * tavor_attach_mcast() - ib_device_ops.attach_mcast
 * @ibqp: a UD QP
 * @gid: the group
 * @lid: not used: the HCA uses the GID
 *
 * Context: Process context, may sleep.
 * Return: 0, also if it was attached already; -ENOMEM: group or table full; or the errno of the
 * firmware's status.
 */
int tavor_attach_mcast(struct ib_qp *ibqp, union ib_gid *gid, u16 lid)
{
	u8 status;
	int err;

	err = tavor_mcast_exec(ibqp, gid, true, &status);
	/* The attach may succeed late, and nobody would ever detach the QP. */
	if (err == -ETIMEDOUT)
		tavor_mcast_detach(ibqp, gid);
	return err;
}

/**
 * tavor_detach_mcast() - ib_device_ops.detach_mcast
 * @ibqp: the QP
 * @gid: the group
 * @lid: not used
 *
 * Context: Process context, may sleep.
 * Return: 0; -EINVAL: it is not attached. There is no other error.
 */
int tavor_detach_mcast(struct ib_qp *ibqp, union ib_gid *gid, u16 lid)
{
	return tavor_mcast_detach(ibqp, gid);
}

/* The table's destroy waits for the QPs that are still in groups; it needs no command. */
static int tavor_mcg_destroy_encode(struct vrb_device *vdev, struct vrb *vrb, struct vrb_slot *slot)
{
	return VRB_END;
}

static const struct vrb_step tavor_mcg_destroy_steps[] = {
	{ .name = "no command", .encode = tavor_mcg_destroy_encode },
};

static const struct vrb_verb tavor_verb_destroy_mcg = {
	.name = "DESTROY_MCG_TABLE",
	.class = VRB_CLASS_TEARDOWN,
	VRB_STEPS(tavor_mcg_destroy_steps),
};

static void tavor_mcg_release(struct vrb_object *object)
{
}

static const struct vrb_object_type tavor_mcg_object = {
	.name = "group table",
	.release = tavor_mcg_release,
};

/**
 * tavor_mcg_table_init() - creates the group table
 * @dev: the device; INIT_HCA has left the table empty
 *
 * Context: Process context.
 * Return: 0 or a negative errno.
 */
int tavor_mcg_table_init(struct tavor_dev *dev)
{
	struct tavor_mcg_table *table;
	int err;

	table = kzalloc(sizeof(*table), GFP_KERNEL);
	if (!table)
		return -ENOMEM;
	table->dev = dev;
	table->buckets = dev->limits.num_mgms;
	tavor_mcg_turns_init(table);
	/* A number is an index of the whole table: the buckets are reserved. */
	err = tavor_alloc_init(&table->overflow, "multicast groups", 2 * table->buckets,
			       2 * table->buckets - 1, table->buckets);
	if (err) {
		kfree(table);
		return err;
	}
	vrb_object_init(&table->object, dev->vrb, &tavor_mcg_object, 0, &tavor_verb_destroy_mcg);
	/* Pairs with tavor_mcg_failed(). */
	smp_store_release(&dev->mcgs, table);
	return 0;
}

/**
 * tavor_mcg_table_cleanup() - counterpart of tavor_mcg_table_init()
 * @dev: the device
 *
 * Context: Process context, may sleep.
 */
void tavor_mcg_table_cleanup(struct tavor_dev *dev)
{
	struct tavor_mcg_table *table = dev->mcgs;

	tavor_mcg_turns_stop(table);
	tavor_object_destroy(dev, &table->object);
	/* The device has failed during an attach or detach. */
	if (table->op.active)
		tavor_mcast_settle(table, NULL, -EIO);
	tavor_alloc_destroy(dev, &table->overflow);
	WRITE_ONCE(dev->mcgs, NULL);
	tavor_mcg_turns_end(table);
}
