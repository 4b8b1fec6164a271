// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Shared receive queues: create, destroy, table, events, post.
 *
 * The free list is the hardware's chain at the same time: each free WQE links to the one that will
 * be posted after it. One slot is never posted, so that the chain has an end to append to.
 */
#include <linux/bitfield.h>
#include <linux/slab.h>
#include <rdma/mthca-abi.h>

#include "mr.h"
#include "object.h"
#include "srq.h"
#include "tavor.h"
#include "uctx.h"
#include "udata.h"
#include "wq.h"

#define TAVOR_SRQ_END	U32_MAX

static struct tavor_hw_srq *to_hw_srq(struct vrb_object *object)
{
	return container_of(object, struct tavor_hw_srq, object);
}

static struct tavor_next_seg *tavor_srq_slot(const struct tavor_hw_srq *srq, u32 slot)
{
	return tavor_buf_at(&srq->buf, (size_t)slot << srq->shift);
}

/**
 * tavor_srq_event() - report an asynchronous event of an SRQ
 * @dev: the device
 * @srqn: number; an unknown one is ignored
 * @type: what happened
 *
 * Context: Softirq.
 */
void tavor_srq_event(struct tavor_dev *dev, u32 srqn, enum ib_event_type type)
{
	struct ib_event event = { .device = &dev->ib_dev, .event = type };
	struct vrb_object *object = tavor_table_get(dev, &dev->srqs, srqn);
	struct ib_srq *ibsrq;

	if (!object)
		return;
	vrb_device_event(dev->vrb, type, object);
	ibsrq = to_hw_srq(object)->ibsrq;
	event.element.srq = ibsrq;
	if (ibsrq->event_handler)
		ibsrq->event_handler(&event, ibsrq->srq_context);
	vrb_object_put(object);
}

/**
 * tavor_srq_complete() - returns a completed WQE to the free list
 * @srq: a kernel SRQ
 * @wqe_addr: its address in the completion
 *
 * Context: Any.
 * Return: its work request id; 0 for an invalid address.
 */
u64 tavor_srq_complete(struct tavor_hw_srq *srq, u32 wqe_addr)
{
	u32 slot = wqe_addr >> srq->shift;
	unsigned long flags;
	u64 wr_id;

	if (srq->half.user || slot >= srq->slots) {
		ibdev_err_ratelimited(&srq->dev->ib_dev, "SRQ 0x%06x: completion of no WQE: 0x%x\n",
				      srq->srqn, wqe_addr);
		return 0;
	}
	spin_lock_irqsave(&srq->lock, flags);
	wr_id = srq->wrid[slot];
	tavor_srq_slot(srq, srq->last_free)->nda_op = cpu_to_be32(slot << srq->shift |
								  TAVOR_NEXT_RECV);
	srq->next_free[srq->last_free] = slot;
	srq->next_free[slot] = TAVOR_SRQ_END;
	srq->last_free = slot;
	spin_unlock_irqrestore(&srq->lock, flags);
	return wr_id;
}

/* The WQE's size is always the whole stride: an invalid key ends a shorter list. */
static int tavor_srq_fill(struct tavor_hw_srq *srq, struct tavor_next_seg *wqe,
			  const struct ib_recv_wr *wr)
{
	struct tavor_data_seg *seg = (void *)(wqe + 1);
	struct tavor_data_seg *end = seg + srq->max_gs;
	u32 lengths = 0;
	int i;

	for (i = 0; i < wr->num_sge; i++) {
		lengths |= wr->sg_list[i].length;
		if (wr->sg_list[i].length)
			tavor_set_data_seg(seg++, &wr->sg_list[i]);
	}
	if (seg < end) {
		seg->byte_count = 0;
		seg->lkey = cpu_to_be32(TAVOR_INVALID_LKEY);
		seg->addr = 0;
	}
	return lengths & TAVOR_INLINE ? -EINVAL : 0;
}

static int tavor_srq_post_one(struct tavor_hw_srq *srq, const struct ib_recv_wr *wr)
{
	u32 slot = srq->first_free;
	struct tavor_next_seg *wqe;

	if (wr->num_sge < 0 || wr->num_sge > srq->max_gs)
		return -EINVAL;
	if (srq->next_free[slot] == TAVOR_SRQ_END)
		return -ENOMEM;
	wqe = tavor_srq_slot(srq, slot);
	wqe->ee_nds = 0;
	if (tavor_srq_fill(srq, wqe, wr))
		return -EINVAL;
	srq->wrid[slot] = wr->wr_id;
	srq->last->ee_nds = cpu_to_be32(TAVOR_NEXT_DBD);
	srq->last = wqe;
	srq->first_free = srq->next_free[slot];
	return 0;
}

static void tavor_srq_ring(struct tavor_hw_srq *srq, u32 slot, u32 count)
{
	tavor_ring(&srq->dev->kar, TAVOR_DB_RECV, slot << srq->shift,
		   srq->srqn << 8 | count % TAVOR_RECV_DB_MAX);
}

/**
 * tavor_post_srq_recv() - ib_device_ops.post_srq_recv
 * @ibsrq: a kernel SRQ
 * @wr: list of requests
 * @bad_wr: the first one not posted, on failure
 *
 * Context: Any.
 * Return: 0; -EINVAL: number or length of entries, or an SRQ that is a user's or not created yet;
 * -ENOMEM: queue full; -EIO: the device has failed.
 */
int tavor_post_srq_recv(struct ib_srq *ibsrq, const struct ib_recv_wr *wr,
			const struct ib_recv_wr **bad_wr)
{
	struct tavor_hw_srq *srq = to_tsrq(ibsrq)->hw;
	unsigned long flags;
	u32 first, count = 0;
	int err = 0;

	if (!READ_ONCE(srq->half.open) || vrb_device_failed(srq->dev->vrb)) {
		*bad_wr = wr;
		return READ_ONCE(srq->half.open) ? -EIO : -EINVAL;
	}
	spin_lock_irqsave(&srq->lock, flags);
	first = srq->first_free;
	for (; wr; wr = wr->next) {
		err = tavor_srq_post_one(srq, wr);
		if (err) {
			*bad_wr = wr;
			break;
		}
		if (++count == TAVOR_RECV_DB_MAX) {
			tavor_srq_ring(srq, first, count);
			first = srq->first_free;
			count = 0;
		}
	}
	if (count)
		tavor_srq_ring(srq, first, count);
	spin_unlock_irqrestore(&srq->lock, flags);
	return err;
}

static void tavor_srq_release(struct vrb_object *object)
{
	struct tavor_hw_srq *srq = to_hw_srq(object);

	tavor_table_put(&srq->dev->srqs, object);
	tavor_eq_expect_less(srq->dev, TAVOR_EVENTS_PER_SRQ);
	tavor_buf_free(srq->dev, &srq->buf);
	kvfree(srq->wrid);
	kvfree(srq->next_free);
}

static const struct tavor_queue_type tavor_srq_type =
	TAVOR_QUEUE_TYPE(struct tavor_hw_srq, buf, "SRQ", tavor_srq_release);

static void tavor_encode_sw2hw_srq(struct tavor_dev *dev, struct vrb_slot *slot,
				   const struct tavor_hw_srq *srq)
{
	struct tavor_srq_context *ctx = tavor_mbox_in(dev, slot);

	memset(ctx, 0, sizeof(*ctx));
	ctx->wqe_base_ds = cpu_to_be64((1U << srq->shift) / TAVOR_WQE_UNIT);
	ctx->state_pd = cpu_to_be32(srq->pd->pdn);
	ctx->lkey = cpu_to_be32(srq->lkey);
	ctx->uar_page = cpu_to_be32(srq->uar);
	tavor_cmd_set(dev, slot, TAVOR_CMD_SW2HW_SRQ, 0, srq->srqn, TAVOR_CMD_IN);
}

/* Create: the key of a kernel SRQ's buffer, then the SRQ. */
static int tavor_srq_create_encode(struct vrb_device *vdev, struct vrb *vrb, struct vrb_slot *slot)
{
	struct tavor_hw_srq *srq = to_hw_srq(vrb->object);
	int ret;

	if (srq->half.hw_owned) {
		tavor_half_open(&srq->half);
		return VRB_NEXT;
	}
	if (srq->region) {
		ret = tavor_ring_ready(srq->region, &srq->ring_wait);
		if (ret != VRB_NEXT)
			return ret;
	}
	tavor_encode_sw2hw_srq(vrb_to_tdev(vdev), slot, srq);
	srq->half.hw_owned = true;
	return VRB_POST;
}

/* A process's SRQ is being destroyed while its create waits for the region. */
static int tavor_srq_create_undo(struct vrb_device *vdev, struct vrb *vrb, struct vrb_slot *slot)
{
	tavor_ring_forget(vrb_to_tdev(vdev), &to_hw_srq(vrb->object)->ring_wait);
	return VRB_NEXT;
}

static const struct vrb_step tavor_create_srq_steps[] = {
	TAVOR_MTT_STORE_STEP,
	TAVOR_MTT_WRITE_STEP,
	TAVOR_BUF_CREATE_STEP,
	{
		.name = "SW2HW_SRQ",
		.encode = tavor_srq_create_encode,
		.done = tavor_half_created,
		.undo = tavor_srq_create_undo,
		.late = tavor_half_late,
	},
};

const struct vrb_verb tavor_verb_create_srq =
	TAVOR_CREATE_VERB("CREATE_SRQ", tavor_create_srq_steps);

static const struct vrb_verb tavor_verb_create_user_srq =
	TAVOR_CREATE_USER_VERB("CREATE_SRQ", tavor_create_srq_steps);

static int tavor_srq_destroy_encode(struct vrb_device *vdev, struct vrb *vrb, struct vrb_slot *slot)
{
	return tavor_half_destroy(vdev, vrb, slot, TAVOR_CMD_HW2SW_SRQ);
}

static const struct vrb_step tavor_destroy_srq_steps[] = {
	{
		.name = "HW2SW_SRQ",
		.encode = tavor_srq_destroy_encode,
		.done = tavor_half_destroyed,
	},
	TAVOR_BUF_DESTROY_STEP,
};

static const struct vrb_verb tavor_verb_destroy_srq = {
	.name = "DESTROY_SRQ",
	.class = VRB_CLASS_TEARDOWN,
	VRB_STEPS(tavor_destroy_srq_steps),
};

/* Initialises the ring: all slots are free, in order. */
static void tavor_srq_init_ring(struct tavor_hw_srq *srq)
{
	u32 room = (1U << srq->shift) - sizeof(struct tavor_next_seg);
	struct tavor_data_seg *seg;
	u32 i, gs;

	for (i = 0; i < srq->slots; i++) {
		bool end = i == srq->slots - 1;

		srq->next_free[i] = end ? TAVOR_SRQ_END : i + 1;
		tavor_srq_slot(srq, i)->nda_op =
			end ? 0 : cpu_to_be32((i + 1) << srq->shift | TAVOR_NEXT_RECV);
		/* A post never overwrites the keys of entries beyond max_gs. */
		seg = (void *)(tavor_srq_slot(srq, i) + 1);
		for (gs = 0; gs < room / sizeof(*seg); gs++)
			seg[gs].lkey = cpu_to_be32(TAVOR_INVALID_LKEY);
	}
	srq->first_free = 0;
	srq->last_free = srq->slots - 1;
	srq->last = tavor_srq_slot(srq, srq->slots - 1);
}

static int tavor_srq_init_kernel(struct tavor_hw_srq *srq, gfp_t gfp)
{
	struct tavor_dev *dev = srq->dev;
	int err;

	srq->uar = dev->kar.uar.index;
	srq->wrid = kvcalloc(srq->slots, sizeof(*srq->wrid), gfp);
	srq->next_free = kvcalloc(srq->slots, sizeof(*srq->next_free), gfp);
	if (!srq->wrid || !srq->next_free)
		return -ENOMEM;
	/* Unlike a QP's buffer, an SRQ's is written by the hardware. */
	err = tavor_buf_alloc(dev, &srq->buf, (size_t)srq->slots << srq->shift, srq->pd->pdn,
			      TAVOR_MPT_LW, gfp);
	if (err)
		return err;
	srq->lkey = srq->buf.mpt.key;
	tavor_srq_init_ring(srq);
	err = vrb_object_add_parent(&srq->object, &srq->pd->object);
	return err ?: tavor_table_insert(&dev->srqs, &srq->object);
}

static int tavor_srq_init_user(struct tavor_hw_srq *srq, struct ib_udata *udata)
{
	struct tavor_ucontext *ctx = rdma_udata_to_drv_context(udata, struct tavor_ucontext, ib);
	struct mthca_create_srq cmd;
	struct tavor_pin pin;
	int err;

	err = ib_copy_validate_udata_in(udata, cmd, db_page);
	if (err)
		return err;
	srq->uar = ctx->uar.index;
	srq->lkey = cmd.lkey;
	srq->object.destroy.user = &ctx->process->user;
	err = tavor_uctx_pin(ctx, srq->pd->pdn, cmd.lkey, (u64)srq->slots << srq->shift, false,
			     &srq->object, &pin);
	if (err)
		return err;
	srq->region = to_hw_mr(pin.region);
	return tavor_table_insert(&srq->dev->srqs, &srq->object);
}

static int tavor_srq_tell_user(struct tavor_hw_srq *srq, struct ib_udata *udata)
{
	struct mthca_create_srq_resp resp = { .srqn = srq->srqn };

	return tavor_udata_done(udata, ib_respond_udata(udata, resp));
}

static int tavor_srq_check(const struct tavor_dev *dev, const struct ib_srq_init_attr *attr)
{
	if (!dev->srqs.alloc.num || attr->srq_type != IB_SRQT_BASIC)
		return -EOPNOTSUPP;
	if (!attr->attr.max_wr || attr->attr.max_wr > dev->lim.max_srq_wqes ||
	    attr->attr.max_sge > dev->limits.max_srq_sge)
		return -EINVAL;
	return 0;
}

static struct tavor_hw_srq *tavor_srq_alloc(struct ib_srq *ibsrq, struct ib_srq_init_attr *attr,
					    bool user, gfp_t gfp)
{
	struct tavor_dev *dev = to_tdev(ibsrq->device);
	struct tavor_hw_srq *srq;
	int err;

	err = tavor_srq_check(dev, attr);
	if (err)
		return ERR_PTR(err);
	srq = kzalloc(sizeof(*srq), gfp);
	if (!srq)
		return ERR_PTR(-ENOMEM);
	srq->dev = dev;
	srq->ibsrq = ibsrq;
	refcount_set(&srq->half.memory, 1);
	srq->pd = to_tpd(ibsrq->pd)->hw;
	srq->half.user = user;
	/* User space computes the same two values from the request. */
	srq->slots = attr->attr.max_wr + 1;
	srq->shift = tavor_wqe_shift(sizeof(struct tavor_next_seg) +
				     attr->attr.max_sge * sizeof(struct tavor_data_seg));
	/*
	 * Not the number that fits into the stride: libmthca posts no more than it has requested.
	 */
	srq->max_gs = attr->attr.max_sge;
	spin_lock_init(&srq->lock);
	err = tavor_eq_expect(dev, TAVOR_EVENTS_PER_SRQ, gfp);
	if (err)
		goto free_srq;
	err = tavor_alloc_get(&dev->srqs.alloc, &srq->srqn);
	if (err)
		goto expect_less;
	vrb_object_init_shell(&srq->object, dev->vrb, &tavor_srq_type.mtt.object, srq->srqn,
			      &tavor_verb_destroy_srq);
	tavor_waiter_init(&srq->ring_wait, &srq->object);
	to_tsrq(ibsrq)->hw = srq;
	return srq;

expect_less:
	tavor_eq_expect_less(dev, TAVOR_EVENTS_PER_SRQ);
free_srq:
	kfree(srq);
	return ERR_PTR(err);
}

/**
 * tavor_init_srq() - &vrb_verbs.init_srq: initialises a kernel SRQ, which its create makes usable
 * @ibsrq: shell, or made by ib_core
 * @attr: requested attributes, which are also the actual ones
 * @gfp: GFP_KERNEL or GFP_ATOMIC
 *
 * Context: Any down to softirq, as @gfp says.
 * Return: 0; -EOPNOTSUPP: type; -EINVAL: size; -ENOMEM.
 */
int tavor_init_srq(struct ib_srq *ibsrq, struct ib_srq_init_attr *attr, gfp_t gfp)
{
	struct tavor_hw_srq *srq = tavor_srq_alloc(ibsrq, attr, false, gfp);
	int err;

	if (IS_ERR(srq))
		return PTR_ERR(srq);
	err = tavor_srq_init_kernel(srq, gfp);
	if (err)
		vrb_object_abandon(&srq->object);
	return err;
}

/**
 * tavor_srq_object() - &vrb_verbs.srq_object
 * @ibsrq: SRQ of this driver's
 *
 * Context: Any.
 * Return: its hardware half.
 */
struct vrb_object *tavor_srq_object(struct ib_srq *ibsrq)
{
	return &to_tsrq(ibsrq)->hw->object;
}

static int tavor_create_kernel_srq(struct ib_srq *ibsrq, struct ib_srq_init_attr *attr)
{
	struct vrb_create_srq req;
	int err;

	err = tavor_init_srq(ibsrq, attr, GFP_KERNEL);
	if (err)
		return err;
	vrb_prep_create_srq(&req, ibsrq);
	err = tavor_exec(to_tdev(ibsrq->device), &req.vrb);
	if (err)
		tavor_object_destroy(to_tdev(ibsrq->device), tavor_srq_object(ibsrq));
	return err;
}

static int tavor_create_user_srq(struct ib_srq *ibsrq, struct ib_srq_init_attr *attr,
				 struct ib_udata *udata)
{
	struct tavor_hw_srq *srq = tavor_srq_alloc(ibsrq, attr, true, GFP_KERNEL);
	struct vrb vrb;
	int err;

	if (IS_ERR(srq))
		return PTR_ERR(srq);
	err = tavor_srq_init_user(srq, udata);
	err = err ?: tavor_exec_on(&srq->object, &tavor_verb_create_user_srq, &vrb);
	err = err ?: tavor_srq_tell_user(srq, udata);
	if (err)
		tavor_object_destroy(srq->dev, &srq->object);
	else
		tavor_own(tavor_udata_ctx(udata), &to_tsrq(ibsrq)->owned, &srq->object,
			  &srq->half.memory);
	return err;
}

/**
 * tavor_create_srq() - ib_device_ops.create_srq
 * @ibsrq: made by ib_core, its PD set
 * @attr: requested attributes, which are also the actual ones
 * @udata: NULL for kernel SRQs
 *
 * Context: Process context.
 * Return: 0; -EOPNOTSUPP: type, or unknown driver data; -EINVAL: size, driver data that is too
 * short, or a buffer that is not the caller's; -EFAULT; -ENOMEM; or the firmware's.
 */
int tavor_create_srq(struct ib_srq *ibsrq, struct ib_srq_init_attr *attr, struct ib_udata *udata)
{
	return udata ? tavor_create_user_srq(ibsrq, attr, udata) :
	       tavor_create_kernel_srq(ibsrq, attr);
}

static int tavor_modify_srq_encode(struct vrb_device *vdev, struct vrb *vrb, struct vrb_slot *slot)
{
	const struct vrb_modify_srq *req = container_of(vrb, struct vrb_modify_srq, vrb);
	struct tavor_hw_srq *srq = to_hw_srq(vrb->object);

	if (req->mask & ~IB_SRQ_LIMIT)
		return -EOPNOTSUPP;
	if (!(req->mask & IB_SRQ_LIMIT))
		return VRB_END;
	if (req->attr.srq_limit > min_t(u32, srq->slots - 1, U16_MAX))
		return -EINVAL;
	tavor_cmd_set_imm(vrb_to_tdev(vdev), slot, TAVOR_CMD_ARM_SRQ, 0, srq->srqn,
			  req->attr.srq_limit);
	return VRB_POST;
}

static const struct vrb_step tavor_modify_srq_steps[] = {
	{ .name = "ARM_SRQ", .encode = tavor_modify_srq_encode },
};

const struct vrb_verb tavor_verb_modify_srq = {
	.name = "MODIFY_SRQ",
	.class = VRB_CLASS_NORMAL,
	VRB_STEPS(tavor_modify_srq_steps),
};

/**
 * tavor_modify_srq() - ib_device_ops.modify_srq
 * @ibsrq: the SRQ
 * @attr: the new limit
 * @mask: IB_SRQ_LIMIT; a resize is not supported
 * @udata: NULL for kernel SRQs
 *
 * Context: Process context.
 * Return: 0; -EOPNOTSUPP: resize, or unknown driver data; -EINVAL: limit; -EFAULT; or the
 * firmware's.
 */
int tavor_modify_srq(struct ib_srq *ibsrq, struct ib_srq_attr *attr, enum ib_srq_attr_mask mask,
		     struct ib_udata *udata)
{
	struct tavor_hw_srq *srq = to_tsrq(ibsrq)->hw;
	struct vrb_modify_srq req;
	int err = tavor_no_udata(udata);

	if (err)
		return err;
	vrb_prep_modify_srq(&req, ibsrq);
	req.vrb.user = srq->object.destroy.user;
	req.attr = *attr;
	req.mask = mask;
	return tavor_exec(srq->dev, &req.vrb);
}

static int tavor_query_srq_encode(struct vrb_device *vdev, struct vrb *vrb, struct vrb_slot *slot)
{
	tavor_cmd_set(vrb_to_tdev(vdev), slot, TAVOR_CMD_QUERY_SRQ, 0,
		      to_hw_srq(vrb->object)->srqn, TAVOR_CMD_OUT);
	return VRB_POST;
}

static int tavor_query_srq_done(struct vrb_device *vdev, struct vrb *vrb, struct vrb_slot *slot,
				const struct vrb_result *result)
{
	const struct tavor_srq_context *ctx = tavor_mbox_out(vrb_to_tdev(vdev), slot);
	struct vrb_query_srq *req = container_of(vrb, struct vrb_query_srq, vrb);
	const struct tavor_hw_srq *srq = to_hw_srq(vrb->object);

	if (result->status)
		return result->status;
	req->attr.max_wr = srq->slots - 1;
	req->attr.max_sge = srq->max_gs;
	req->attr.srq_limit = be16_to_cpu(ctx->limit);
	return 0;
}

static const struct vrb_step tavor_query_srq_steps[] = {
	{
		.name = "QUERY_SRQ",
		.encode = tavor_query_srq_encode,
		.done = tavor_query_srq_done,
	},
};

const struct vrb_verb tavor_verb_query_srq = {
	.name = "QUERY_SRQ",
	.class = VRB_CLASS_BACKGROUND,
	VRB_STEPS(tavor_query_srq_steps),
};

/**
 * tavor_query_srq() - ib_device_ops.query_srq
 * @ibsrq: the SRQ
 * @attr: result
 *
 * Context: Process context.
 * Return: 0 or a negative errno.
 */
int tavor_query_srq(struct ib_srq *ibsrq, struct ib_srq_attr *attr)
{
	struct tavor_hw_srq *srq = to_tsrq(ibsrq)->hw;
	struct vrb_query_srq req;
	int err;

	vrb_prep_query_srq(&req, ibsrq);
	req.vrb.class = VRB_CLASS_NORMAL;
	req.vrb.user = srq->object.destroy.user;
	err = tavor_exec(srq->dev, &req.vrb);
	if (!err)
		*attr = req.attr;
	return err;
}

/**
 * tavor_destroy_srq() - ib_device_ops.destroy_srq
 * @ibsrq: the SRQ; no QP uses it
 * @udata: of a process, or NULL
 *
 * Context: Process context.
 * Return: as tavor_destroy_cq().
 */
int tavor_destroy_srq(struct ib_srq *ibsrq, struct ib_udata *udata)
{
	struct tavor_hw_srq *srq = to_tsrq(ibsrq)->hw;
	int err = tavor_no_udata(udata);

	if (err)
		return err;
	if (to_tsrq(ibsrq)->owned.ctx)
		return tavor_destroy_in_context(&to_tsrq(ibsrq)->owned, udata);
	if (vrb_object_is_shell(&srq->object))
		vrb_object_warn_shell(&srq->object, "ib_destroy_srq");
	return tavor_object_destroy(srq->dev, &srq->object);
}

/**
 * tavor_srq_table_init() - SRQ numbers
 * @dev: the device
 *
 * Context: Process context.
 * Return: 0 or a negative errno.
 */
int tavor_srq_table_init(struct tavor_dev *dev)
{
	if (!(dev->lim.flags & TAVOR_DEV_LIM_SRQ))
		return 0;
	return tavor_table_init(&dev->srqs, "SRQs", dev->limits.num_srqs, TAVOR_QPN_MASK,
				dev->lim.reserved_srqs);
}

/**
 * tavor_srq_table_cleanup() - counterpart of tavor_srq_table_init()
 * @dev: the device; all its SRQs are gone
 *
 * Context: Process context.
 */
void tavor_srq_table_cleanup(struct tavor_dev *dev)
{
	if (dev->srqs.alloc.num)
		tavor_table_destroy(dev, &dev->srqs);
}
