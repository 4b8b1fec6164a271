// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Resize of CQs. A process allocates the new buffer and copies the outstanding entries itself. The
 * new buffer of a kernel CQ is allocated before the request (vrb_alloc_cq_ring()). The request
 * copies the entries and frees the old buffer.
 */
#include <linux/bitfield.h>
#include <linux/log2.h>
#include <rdma/mthca-abi.h>

#include "cq_move.h"
#include "cq_resize.h"
#include "tavor.h"
#include "uctx.h"
#include "udata.h"

static void tavor_encode_resize_cq(struct tavor_dev *dev, struct vrb_slot *slot,
				   const struct tavor_hw_cq *cq, u32 entries, u32 lkey)
{
	struct tavor_resize_cq *mbox = tavor_mbox_in(dev, slot);

	memset(mbox, 0, sizeof(*mbox));
	mbox->log_size = cpu_to_be32(FIELD_PREP(TAVOR_CQC_LOG_SIZE, ilog2(entries)));
	mbox->lkey = cpu_to_be32(lkey);
	/* Opcode modifier 1: indices continue, software copies the outstanding entries. */
	tavor_cmd_set(dev, slot, TAVOR_CMD_RESIZE_CQ, 1, cq->cqn, TAVOR_CMD_IN);
}

/* More completions are outstanding than would fit: the caller asked for too little. */
static int tavor_resize_status(const struct vrb_result *result)
{
	return result->fw_status == TAVOR_ST_BAD_SIZE ? -EINVAL : result->status;
}

static bool tavor_cqe_ok(const struct tavor_dev *dev, s64 cqe)
{
	return cqe >= 1 && cqe <= dev->lim.max_cqes;
}

/* One entry always stays free. */
static u32 tavor_cq_entries(int cqe)
{
	return roundup_pow_of_two(cqe + 1);
}

/* ---- Kernel CQs ---- */

/**
 * tavor_ring_cq() - &vrb_verbs.ring_cq: allocates the buffer of a resize
 * @ibcq: a kernel CQ
 * @cqe: entries wanted
 * @gfp: GFP_KERNEL or GFP_ATOMIC
 *
 * The CQ owns the buffer until a resize has used it or the CQ is destroyed.
 *
 * Context: Any down to softirq, as @gfp says.
 * Return: 0; -EINVAL: size; -EBUSY: it has one already; -ENOMEM.
 */
int tavor_ring_cq(struct ib_cq *ibcq, int cqe, gfp_t gfp)
{
	struct tavor_hw_cq *cq = to_tcq(ibcq)->hw;
	struct tavor_buf buf;
	unsigned long flags;
	bool taken;
	int err;

	if (!tavor_cqe_ok(cq->dev, cqe))
		return -EINVAL;
	err = tavor_cq_buf_alloc(cq->dev, tavor_cq_entries(cqe), &buf, gfp);
	if (err)
		return err;
	spin_lock_irqsave(&cq->lock, flags);
	taken = cq->spare.block;
	if (!taken) {
		cq->spare = buf;
		cq->spare_entries = tavor_cq_entries(cqe);
	}
	spin_unlock_irqrestore(&cq->lock, flags);
	if (taken)
		tavor_buf_free(cq->dev, &buf);
	return taken ? -EBUSY : 0;
}

/* After a resize that timed out, the steps that it has completed are not repeated. */
static int tavor_resize_check(struct vrb_device *vdev, struct vrb *vrb, struct vrb_slot *slot)
{
	const struct vrb_resize_cq *req = container_of(vrb, struct vrb_resize_cq, vrb);
	struct tavor_hw_cq *cq = to_hw_cq(vrb->object);
	unsigned long flags;
	u32 entries;

	if (!tavor_cqe_ok(cq->dev, req->cqe))
		return -EINVAL;
	spin_lock_irqsave(&cq->lock, flags);
	if (cq->move == TAVOR_CQ_MOVED)
		entries = cq->entries;
	else
		entries = cq->spare.block ? cq->spare_entries : 0;
	if (!cq->spare.mpt.hw_owned)
		cq->spare.written = 0;
	spin_unlock_irqrestore(&cq->lock, flags);
	return entries == tavor_cq_entries(req->cqe) ? VRB_NEXT : -EINVAL;
}

static int tavor_resize_encode(struct vrb_device *vdev, struct vrb *vrb, struct vrb_slot *slot)
{
	struct tavor_hw_cq *cq = to_hw_cq(vrb->object);
	unsigned long flags;
	bool settled;

	/* After this, poll looks into the new buffer too. */
	spin_lock_irqsave(&cq->lock, flags);
	settled = cq->move == TAVOR_CQ_SETTLED;
	if (settled)
		cq->move = TAVOR_CQ_LEAVING;
	spin_unlock_irqrestore(&cq->lock, flags);
	if (!settled)
		return VRB_NEXT;
	tavor_encode_resize_cq(vrb_to_tdev(vdev), slot, cq, cq->spare_entries, cq->spare.mpt.key);
	return VRB_POST;
}

static void tavor_resize_late(struct vrb_device *vdev, struct vrb_object *object,
			      const struct vrb_result *result)
{
	struct tavor_hw_cq *cq = to_hw_cq(object);
	unsigned long flags;

	spin_lock_irqsave(&cq->lock, flags);
	if (!result->status)
		tavor_cq_left(cq);
	else if (cq->move == TAVOR_CQ_LEAVING)
		cq->move = TAVOR_CQ_SETTLED;
	spin_unlock_irqrestore(&cq->lock, flags);
}

static int tavor_resize_done(struct vrb_device *vdev, struct vrb *vrb, struct vrb_slot *slot,
			     const struct vrb_result *result)
{
	tavor_resize_late(vdev, vrb->object, result);
	return tavor_resize_status(result);
}

static int tavor_resize_move(struct vrb_device *vdev, struct vrb *vrb)
{
	struct tavor_hw_cq *cq = to_hw_cq(vrb->object);
	unsigned long flags;
	bool more;

	spin_lock_irqsave(&cq->lock, flags);
	more = tavor_cq_move_some(cq);
	spin_unlock_irqrestore(&cq->lock, flags);
	return more ? VRB_AGAIN : VRB_NEXT;
}

static void tavor_resize_key_late(struct vrb_device *vdev, struct vrb_object *object,
				  const struct vrb_result *result)
{
	if (result->status)
		to_hw_cq(object)->spare.mpt.hw_owned = false;
}

/* HW2SW_MPT of the buffer that the CQ has left */
static void tavor_resize_old_key_late(struct vrb_device *vdev, struct vrb_object *object,
				      const struct vrb_result *result)
{
	if (!result->status)
		to_hw_cq(object)->spare.mpt.hw_owned = false;
}

/* Frees the buffer that the CQ does not use. */
static void tavor_resize_free(struct tavor_hw_cq *cq)
{
	struct tavor_buf buf;
	unsigned long flags;

	spin_lock_irqsave(&cq->lock, flags);
	buf = cq->spare;
	memset(&cq->spare, 0, sizeof(cq->spare));
	cq->move = TAVOR_CQ_SETTLED;
	cq->resize_left = false;
	spin_unlock_irqrestore(&cq->lock, flags);
	tavor_buf_free(cq->dev, &buf);
}

static int tavor_resize_over(struct vrb_device *vdev, struct vrb *vrb)
{
	tavor_resize_free(to_hw_cq(vrb->object));
	return VRB_END;
}

static const struct vrb_step tavor_resize_cq_steps[] = {
	{ .name = "check", .encode = tavor_resize_check },
	TAVOR_MTT_STORE_STEP,
	TAVOR_MTT_WRITE_STEP,
	{
		.name = "SW2HW_MPT",
		.encode = tavor_buf_create,
		.done = tavor_buf_created,
		.undo = tavor_buf_destroy,
		.undone = tavor_buf_destroyed,
		.late = tavor_resize_key_late,
	}, {
		.name = "RESIZE_CQ",
		.encode = tavor_resize_encode,
		.done = tavor_resize_done,
		.late = tavor_resize_late,
	},
	{ .name = "copy entries", .work = tavor_resize_move },
	{
		.name = "HW2SW_MPT",
		.encode = tavor_buf_destroy,
		.done = tavor_buf_destroyed,
		.late = tavor_resize_old_key_late,
	},
	{ .name = "free buffer", .work = tavor_resize_over },
};

const struct vrb_verb tavor_verb_resize_cq = {
	.name = "RESIZE_CQ",
	.class = VRB_CLASS_NORMAL,
	VRB_STEPS(tavor_resize_cq_steps),
};

/* Whether neither the hardware nor a lost command uses the second buffer. */
static bool tavor_resize_unused(const struct tavor_hw_cq *cq)
{
	return cq->move == TAVOR_CQ_SETTLED && !cq->spare.mpt.hw_owned &&
	       !READ_ONCE(cq->object.zombies);
}

/* If it fails, the second buffer is freed, or is left to the next resize. */
static int tavor_resize_run(struct tavor_hw_cq *cq, int cqe)
{
	struct vrb_resize_cq req;
	unsigned long flags;
	int err;

	lockdep_assert_held(&cq->resize_lock);
	spin_lock_irqsave(&cq->lock, flags);
	cq->resize_left = true;
	spin_unlock_irqrestore(&cq->lock, flags);
	vrb_prep_resize_cq(&req, cq->ibcq);
	req.cqe = cqe;
	err = tavor_exec(cq->dev, &req.vrb);
	if (err && tavor_resize_unused(cq))
		tavor_resize_free(cq);
	return err;
}

/* Finishes a resize that timed out. While its command is lost this is refused with -EUCLEAN. */
static int tavor_resize_finish(struct tavor_hw_cq *cq)
{
	unsigned long flags;
	u32 entries;
	bool left;
	int err;

	spin_lock_irqsave(&cq->lock, flags);
	left = cq->resize_left;
	entries = cq->move == TAVOR_CQ_MOVED ? cq->entries : cq->spare_entries;
	spin_unlock_irqrestore(&cq->lock, flags);
	if (!left)
		return 0;
	err = tavor_resize_run(cq, entries - 1);
	return READ_ONCE(cq->resize_left) ? err : 0;
}

static int tavor_resize_kernel_cq(struct tavor_hw_cq *cq, int cqe)
{
	int err;

	err = tavor_resize_finish(cq);
	if (err)
		return err;
	err = tavor_ring_cq(cq->ibcq, cqe, GFP_KERNEL);
	return err ?: tavor_resize_run(cq, cqe);
}

/* ---- A process's CQs ---- */

/* The resize of a process's CQ to another buffer */
struct tavor_user_resize {
	struct vrb vrb;
	struct tavor_cq_resize to;
	bool issued;			/* the command was posted: the CQ owns the buffer */
};

static int tavor_user_resize_encode(struct vrb_device *vdev, struct vrb *vrb, struct vrb_slot *slot)
{
	struct tavor_user_resize *req = container_of(vrb, struct tavor_user_resize, vrb);
	struct tavor_hw_cq *cq = to_hw_cq(vrb->object);

	cq->resize = req->to;
	req->issued = true;
	tavor_encode_resize_cq(vrb_to_tdev(vdev), slot, cq, req->to.entries, req->to.lkey);
	return VRB_POST;
}

/* The result is known: one of the two buffers is no longer used. */
static void tavor_user_resize_late(struct vrb_device *vdev, struct vrb_object *object,
				   const struct vrb_result *result)
{
	struct tavor_hw_cq *cq = to_hw_cq(object);

	if (!result->status) {
		swap(cq->pin, cq->resize.pin);
		cq->entries = cq->resize.entries;
		cq->lkey = cq->resize.lkey;
		WRITE_ONCE(cq->ibcq->cqe, cq->entries - 1);
	}
	tavor_uctx_unpin(object, &cq->resize.pin);
}

static int tavor_user_resize_done(struct vrb_device *vdev, struct vrb *vrb, struct vrb_slot *slot,
				  const struct vrb_result *result)
{
	tavor_user_resize_late(vdev, vrb->object, result);
	return tavor_resize_status(result);
}

static const struct vrb_step tavor_user_resize_steps[] = {
	{
		.name = "RESIZE_CQ",
		.encode = tavor_user_resize_encode,
		.done = tavor_user_resize_done,
		.late = tavor_user_resize_late,
	},
};

static const struct vrb_verb tavor_user_resize_verb = {
	.name = "RESIZE_CQ",
	.class = VRB_CLASS_NORMAL,
	VRB_STEPS(tavor_user_resize_steps),
};

static int tavor_resize_users_cq(struct tavor_hw_cq *cq, u32 entries, struct ib_udata *udata)
{
	struct tavor_ucontext *ctx = rdma_udata_to_drv_context(udata, struct tavor_ucontext, ib);
	struct tavor_user_resize req = { .to.entries = entries };
	struct mthca_resize_cq cmd;
	int err;

	/* The value of the reserved field is not checked: libmthca does not set it. */
	err = ib_copy_validate_udata_in(udata, cmd, reserved) ?:
	      tavor_udata_done(udata, ib_respond_empty_udata(udata));
	if (err)
		return err;
	req.to.lkey = cmd.lkey;
	err = tavor_cq_pin(cq, ctx, cmd.lkey, entries, &req.to.pin);
	if (err)
		return err;
	err = tavor_exec_on(&cq->object, &tavor_user_resize_verb, &req.vrb);
	if (!req.issued)
		tavor_uctx_unpin(&cq->object, &req.to.pin);
	return err;
}

/**
 * tavor_resize_cq() - ib_device_ops.resize_cq, resize_user_cq in newer kernels
 * @ibcq: a CQ
 * @cqe: entries wanted
 * @udata: names the new buffer; NULL for kernel CQs
 *
 * Resizes of one CQ are serialized, because each needs a second buffer. A resize to the current
 * size moves the CQ too, because the process gives up the old buffer.
 *
 * Context: Process context.
 * Return: 0; -EINVAL: size, more completions outstanding than would fit, driver data that is too
 * short, or a buffer that is not the caller's; -EOPNOTSUPP: unknown driver data; -EFAULT; -ENOMEM;
 * -EBUSY: a kernel CQ that a client is about to resize; -ETIMEDOUT: the next resize finishes this
 * one first; -EUCLEAN: its command is still lost; or the firmware's.
 */
int tavor_resize_cq(struct ib_cq *ibcq, vrb_resize_cqe_t cqe, struct ib_udata *udata)
{
	struct tavor_hw_cq *cq = to_tcq(ibcq)->hw;
	int err;

	if (!tavor_cqe_ok(cq->dev, cqe))
		return -EINVAL;
	mutex_lock(&cq->resize_lock);
	err = udata ? tavor_resize_users_cq(cq, tavor_cq_entries(cqe), udata) :
	      tavor_resize_kernel_cq(cq, cqe);
	mutex_unlock(&cq->resize_lock);
	return err;
}
