// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Completion queues: life, table, events.
 *
 * A CQ number returns only when the completion event queue has been drained after HW2SW_CQ: no
 * event that is still under way can name a CQ it does not belong to.
 */
#include <linux/bitfield.h>
#include <linux/log2.h>
#include <linux/slab.h>
#include <rdma/mthca-abi.h>

#include "cq.h"
#include "cqe.h"
#include "object.h"
#include "pd.h"
#include "tavor.h"
#include "uctx.h"

static struct tavor_hw_cq *to_hw_cq(struct vrb_object *object)
{
	return container_of(object, struct tavor_hw_cq, object);
}

/**
 * tavor_cq_lock_pair() - both CQs of a QP
 * @a: one
 * @b: the other; may be the same
 * @flags: for tavor_cq_unlock_pair()
 *
 * Context: Any.
 */
void tavor_cq_lock_pair(struct tavor_hw_cq *a, struct tavor_hw_cq *b, unsigned long *flags)
	__acquires(&a->lock) __acquires(&b->lock)
{
	if (a->cqn > b->cqn)
		swap(a, b);
	spin_lock_irqsave(&a->lock, *flags);
	if (a != b)
		spin_lock_nested(&b->lock, SINGLE_DEPTH_NESTING);
	else
		__acquire(&b->lock);
}

/**
 * tavor_cq_unlock_pair() - counterpart of tavor_cq_lock_pair()
 * @a: one
 * @b: the other
 * @flags: as given there
 *
 * Context: Any.
 */
void tavor_cq_unlock_pair(struct tavor_hw_cq *a, struct tavor_hw_cq *b, unsigned long flags)
	__releases(&a->lock) __releases(&b->lock)
{
	if (a->cqn > b->cqn)
		swap(a, b);
	if (a != b)
		spin_unlock(&b->lock);
	else
		__release(&b->lock);
	spin_unlock_irqrestore(&a->lock, flags);
}

/**
 * tavor_cq_completion() - a CQ that was armed has something
 * @dev: the device
 * @cqn: number; one the table does not know is ignored
 *
 * Context: Softirq.
 */
void tavor_cq_completion(struct tavor_dev *dev, u32 cqn)
{
	struct vrb_object *object = tavor_table_get(dev, &dev->cqs, cqn);
	struct ib_cq *ibcq;

	if (!object)
		return;
	ibcq = to_hw_cq(object)->ibcq;
	if (ibcq->comp_handler)
		ibcq->comp_handler(ibcq, ibcq->cq_context);
	vrb_object_put(object);
}

/**
 * tavor_cq_event() - report an asynchronous event of a CQ
 * @dev: the device
 * @cqn: number; one the table does not know is ignored
 * @type: what happened
 *
 * Context: Softirq.
 */
void tavor_cq_event(struct tavor_dev *dev, u32 cqn, enum ib_event_type type)
{
	struct ib_event event = { .device = &dev->ib_dev, .event = type };
	struct vrb_object *object = tavor_table_get(dev, &dev->cqs, cqn);
	struct ib_cq *ibcq;

	if (!object)
		return;
	ibcq = to_hw_cq(object)->ibcq;
	event.element.cq = ibcq;
	if (ibcq->event_handler)
		ibcq->event_handler(&event, ibcq->cq_context);
	vrb_object_put(object);
}

static void tavor_cq_pin_release(struct vrb_object *object)
{
	kfree(container_of(object, struct tavor_cq_pin, object));
}

static const struct vrb_object_type tavor_cq_pin_object = {
	.name = "CQ buffer",
	.release = tavor_cq_pin_release,
};

static struct tavor_cq_pin *tavor_cq_pin(struct tavor_hw_cq *cq, struct tavor_ucontext *ctx,
					 u32 lkey, u32 entries)
{
	struct tavor_cq_pin *pin;
	int err;

	pin = kzalloc(sizeof(*pin), GFP_KERNEL);
	if (!pin)
		return ERR_PTR(-ENOMEM);
	vrb_object_init(&pin->object, cq->dev->vrb, &tavor_cq_pin_object, cq->cqn);
	err = tavor_uctx_pin(ctx, cq->pdn, lkey, (u64)entries * sizeof(struct tavor_cqe), true,
			     &pin->object);
	if (!err)
		return pin;
	vrb_object_put(&pin->object);
	return ERR_PTR(err);
}

static void tavor_cq_release(struct vrb_object *object)
{
	struct tavor_hw_cq *cq = to_hw_cq(object);

	tavor_table_put(&cq->dev->cqs, object);
	tavor_buf_free(cq->dev, &cq->buf);
	if (cq->pin)
		vrb_object_put(&cq->pin->object);
	/* A resize that never answered. */
	if (cq->resize.pin)
		vrb_object_put(&cq->resize.pin->object);
	kfree(cq);
}

static const struct vrb_object_type tavor_cq_object = {
	.name = "CQ",
	.release = tavor_cq_release,
};

static void tavor_encode_sw2hw_cq(struct tavor_dev *dev, struct vrb_slot *slot,
				  const struct tavor_hw_cq *cq)
{
	struct tavor_cq_context *ctx = tavor_mbox_in(dev, slot);
	u8 eqn = tavor_comp_eqn(dev, cq->vector);

	memset(ctx, 0, sizeof(*ctx));
	ctx->flags = cpu_to_be32(TAVOR_CQC_XLAT);
	ctx->log_size_uar = cpu_to_be32(FIELD_PREP(TAVOR_CQC_LOG_SIZE, ilog2(cq->entries)) |
					FIELD_PREP(TAVOR_CQC_UAR, cq->uar));
	ctx->error_eqn = cpu_to_be32(tavor_async_eqn(dev));
	ctx->comp_eqn = cpu_to_be32(eqn);
	ctx->pd = cpu_to_be32(cq->pdn);
	ctx->lkey = cpu_to_be32(cq->lkey);
	ctx->cqn = cpu_to_be32(cq->cqn);
	tavor_cmd_set(dev, slot, TAVOR_CMD_SW2HW_CQ, 0, cq->cqn, TAVOR_CMD_IN);
}

static void tavor_encode_hw2sw_cq(struct tavor_dev *dev, struct vrb_slot *slot,
				  const struct tavor_hw_cq *cq)
{
	tavor_cmd_set(dev, slot, TAVOR_CMD_HW2SW_CQ, 0, cq->cqn, TAVOR_CMD_OUT);
}

/*
 * Create: the key of a kernel CQ's buffer, then the CQ itself. Of both the hardware has to be taken
 * for the owner until the failure of their command is known.
 */
enum {
	TAVOR_CREATE_CQ_BUF,
	TAVOR_CREATE_CQ,
};

static int tavor_cq_create_encode(struct vrb_device *vdev, struct vrb *vrb, struct vrb_slot *slot)
{
	struct tavor_dev *dev = vrb_to_tdev(vdev);
	struct tavor_hw_cq *cq = to_hw_cq(vrb->object);

	if (vrb->step == TAVOR_CREATE_CQ_BUF)
		return tavor_buf_create_encode(dev, vrb, slot, &cq->buf);
	tavor_encode_sw2hw_cq(dev, slot, cq);
	cq->hw_owned = true;
	return VRB_DONE_OK;
}

static int tavor_cq_create_advance(struct vrb_device *vdev, struct vrb *vrb, struct vrb_slot *slot,
				   const struct vrb_result *result)
{
	struct tavor_hw_cq *cq = to_hw_cq(vrb->object);

	if (vrb->step == TAVOR_CREATE_CQ_BUF)
		return tavor_buf_create_advance(vrb, result, &cq->buf);
	if (!result->status)
		return VRB_DONE_OK;
	cq->hw_owned = false;
	return vrb_undo(vrb, result->status);
}

static void tavor_cq_create_late(struct vrb_device *vdev, struct vrb_object *object, u16 step,
				 const struct vrb_result *result)
{
	struct tavor_hw_cq *cq = to_hw_cq(object);

	if (!result->status)
		return;
	if (step == TAVOR_CREATE_CQ_BUF)
		cq->buf.mpt.hw_owned = false;
	else
		cq->hw_owned = false;
}

static const struct vrb_verb tavor_verb_create_cq = {
	.name = "CREATE_CQ",
	.class = VRB_CLASS_NORMAL,
	.encode = tavor_cq_create_encode,
	.advance = tavor_cq_create_advance,
	.late = tavor_cq_create_late,
};

/* Destroy: the CQ, its event queue's drain, the key of its buffer. */
enum {
	TAVOR_DESTROY_CQ,
	TAVOR_DESTROY_CQ_BUF,
};

static int tavor_cq_destroy_encode(struct vrb_device *vdev, struct vrb *vrb, struct vrb_slot *slot)
{
	struct tavor_dev *dev = vrb_to_tdev(vdev);
	struct tavor_hw_cq *cq = to_hw_cq(vrb->object);

	switch (vrb->step) {
	case TAVOR_DESTROY_CQ:
		if (!cq->hw_owned)
			return VRB_MORE;
		tavor_encode_hw2sw_cq(dev, slot, cq);
		return VRB_DONE_OK;
	case TAVOR_DESTROY_CQ_BUF:
		return tavor_buf_destroy_encode(dev, slot, &cq->buf);
	default:
		return VRB_LAST;
	}
}

static void tavor_cq_drained(struct tavor_eq_drain *drain)
{
	vrb_object_put(&container_of(drain, struct tavor_hw_cq, drain)->object);
}

static int tavor_cq_destroy_advance(struct vrb_device *vdev, struct vrb *vrb, struct vrb_slot *slot,
				    const struct vrb_result *result)
{
	struct tavor_hw_cq *cq = to_hw_cq(vrb->object);

	if (result->status)
		return result->status;
	if (vrb->step == TAVOR_DESTROY_CQ_BUF) {
		cq->buf.mpt.hw_owned = false;
		return VRB_MORE;
	}
	cq->hw_owned = false;
	/* The reference keeps the destroy from completing, and the number from returning. */
	vrb_object_get(&cq->object);
	cq->drain.done = tavor_cq_drained;
	tavor_eq_drain(cq->dev, cq->vector, &cq->drain);
	return VRB_MORE;
}

static const struct vrb_verb tavor_verb_destroy_cq = {
	.name = "DESTROY_CQ",
	.class = VRB_CLASS_TEARDOWN,
	.flags = VRB_VERB_DESTROY,
	.encode = tavor_cq_destroy_encode,
	.advance = tavor_cq_destroy_advance,
};

static int tavor_cq_run(struct tavor_hw_cq *cq, const struct vrb_verb *verb, void *in)
{
	struct vrb vrb;

	vrb_init(&vrb, NULL, NULL);
	vrb.verb = verb;
	vrb.object = &cq->object;
	vrb.args.ptr.in = in;
	if (cq->user)
		vrb.flags |= VRB_F_USER;
	return tavor_exec(cq->dev, &vrb);
}

static int tavor_cq_init_kernel(struct tavor_hw_cq *cq)
{
	struct tavor_dev *dev = cq->dev;
	u32 i;
	int err;

	cq->uar = dev->kar.uar.index;
	cq->pdn = dev->driver_pd->pdn;
	err = tavor_buf_alloc(dev, &cq->buf, cq->entries * sizeof(struct tavor_cqe), cq->pdn,
			      TAVOR_MPT_LW, GFP_KERNEL);
	if (!err)
		err = tavor_buf_write_mtt(dev, &cq->buf);
	if (err)
		return err;
	cq->lkey = cq->buf.mpt.key;
	for (i = 0; i < cq->entries; i++)
		tavor_cqe_give_back(tavor_buf_at(&cq->buf, i * sizeof(struct tavor_cqe)));
	return 0;
}

static int tavor_cq_init_user(struct tavor_hw_cq *cq, struct ib_udata *udata)
{
	struct tavor_ucontext *ctx = rdma_udata_to_drv_context(udata, struct tavor_ucontext, ib);
	struct mthca_create_cq cmd = {};
	struct tavor_cq_pin *pin;
	int err;

	if (udata->inlen < sizeof(cmd))
		return -EINVAL;
	err = ib_copy_from_udata(&cmd, udata, sizeof(cmd));
	if (err)
		return err;
	cq->uar = ctx->uar.index;
	cq->pdn = cmd.pdn;
	cq->lkey = cmd.lkey;
	pin = tavor_cq_pin(cq, ctx, cmd.lkey, cq->entries);
	if (IS_ERR(pin))
		return PTR_ERR(pin);
	cq->pin = pin;
	return 0;
}

static int tavor_cq_tell_user(struct tavor_hw_cq *cq, struct ib_udata *udata)
{
	struct mthca_create_cq_resp resp = { .cqn = cq->cqn };

	return ib_copy_to_udata(udata, &resp, min(sizeof(resp), udata->outlen));
}

static struct tavor_hw_cq *tavor_cq_alloc(struct ib_cq *ibcq, const struct ib_cq_init_attr *attr,
					  bool user)
{
	struct tavor_dev *dev = to_tdev(ibcq->device);
	struct tavor_hw_cq *cq;
	int err;

	cq = kzalloc(sizeof(*cq), GFP_KERNEL);
	if (!cq)
		return ERR_PTR(-ENOMEM);
	cq->dev = dev;
	cq->ibcq = ibcq;
	cq->user = user;
	cq->vector = attr->comp_vector;
	/* One entry always stays free. */
	cq->entries = roundup_pow_of_two(attr->cqe + 1);
	spin_lock_init(&cq->lock);
	err = tavor_alloc_get(&dev->cqs.alloc, &cq->cqn);
	if (err) {
		kfree(cq);
		return ERR_PTR(err);
	}
	return cq;
}

/**
 * tavor_create_cq() - ib_device_ops.create_cq
 * @ibcq: made by ib_core
 * @attr: size and vector
 * @attrs: NULL for kernel CQs
 *
 * Context: Process context.
 * Return: 0; -EOPNOTSUPP: flags; -EINVAL: size, vector, or a buffer that is not the caller's;
 * -ENOMEM; or the firmware's.
 */
int tavor_create_cq(struct ib_cq *ibcq, const struct ib_cq_init_attr *attr,
		    struct uverbs_attr_bundle *attrs)
{
	struct tavor_dev *dev = to_tdev(ibcq->device);
	/* The first member: NULL for a NULL bundle, but nothing promises that. */
	struct ib_udata *udata = attrs ? &attrs->driver_udata : NULL;
	struct tavor_hw_cq *cq;
	int err;

	if (attr->flags)
		return -EOPNOTSUPP;
	if (attr->cqe < 1 || attr->cqe > dev->lim.max_cqes || attr->comp_vector >= dev->nr_comp_eqs)
		return -EINVAL;
	cq = tavor_cq_alloc(ibcq, attr, udata);
	if (IS_ERR(cq))
		return PTR_ERR(cq);
	tavor_object_init(dev, &cq->object, &tavor_cq_object, cq->cqn, &tavor_verb_destroy_cq);

	err = udata ? tavor_cq_init_user(cq, udata) : tavor_cq_init_kernel(cq);
	if (err)
		goto destroy_cq;
	/* The CQ can fire as soon as it is known, so the table knows it first. */
	err = tavor_table_insert(&dev->cqs, &cq->object);
	if (err)
		goto destroy_cq;
	err = tavor_cq_run(cq, &tavor_verb_create_cq, NULL);
	if (err)
		goto destroy_cq;
	err = udata ? tavor_cq_tell_user(cq, udata) : 0;
	if (err)
		goto destroy_cq;
	to_tcq(ibcq)->hw = cq;
	ibcq->cqe = cq->entries - 1;
	return 0;

destroy_cq:
	tavor_object_destroy(dev, &cq->object);
	return err;
}

/**
 * tavor_destroy_cq() - ib_device_ops.destroy_cq
 * @ibcq: the CQ; no QP uses it
 * @udata: not used
 *
 * Context: Process context.
 * Return: 0: a destroy does not fail.
 */
int tavor_destroy_cq(struct ib_cq *ibcq, struct ib_udata *udata)
{
	struct tavor_hw_cq *cq = to_tcq(ibcq)->hw;

	return tavor_object_destroy(cq->dev, &cq->object);
}

static int tavor_cq_resize_encode(struct vrb_device *vdev, struct vrb *vrb, struct vrb_slot *slot)
{
	struct tavor_cq_resize *resize = vrb->args.ptr.in;
	struct tavor_dev *dev = vrb_to_tdev(vdev);
	struct tavor_resize_cq *mbox = tavor_mbox_in(dev, slot);
	struct tavor_hw_cq *cq = to_hw_cq(vrb->object);

	cq->resize = *resize;
	resize->issued = true;
	memset(mbox, 0, sizeof(*mbox));
	mbox->log_size = cpu_to_be32(FIELD_PREP(TAVOR_CQC_LOG_SIZE, ilog2(resize->entries)));
	mbox->lkey = cpu_to_be32(resize->lkey);
	/* Opcode modifier 1: indices go on, software copies what is outstanding. */
	tavor_cmd_set(dev, slot, TAVOR_CMD_RESIZE_CQ, 1, cq->cqn, TAVOR_CMD_IN);
	return VRB_DONE_OK;
}

/* One of the two buffers is not used any more. */
static void tavor_cq_resize_settle(struct tavor_hw_cq *cq, int status)
{
	if (!status) {
		swap(cq->pin, cq->resize.pin);
		cq->entries = cq->resize.entries;
		cq->lkey = cq->resize.lkey;
	}
	vrb_object_put(&cq->resize.pin->object);
	cq->resize.pin = NULL;
}

static int tavor_cq_resize_advance(struct vrb_device *vdev, struct vrb *vrb, struct vrb_slot *slot,
				   const struct vrb_result *result)
{
	tavor_cq_resize_settle(to_hw_cq(vrb->object), result->status);
	/* More completions are outstanding than would fit: the caller asked for too little. */
	return result->fw_status == TAVOR_ST_BAD_SIZE ? -EINVAL : result->status;
}

static void tavor_cq_resize_late(struct vrb_device *vdev, struct vrb_object *object, u16 step,
				 const struct vrb_result *result)
{
	tavor_cq_resize_settle(to_hw_cq(object), result->status);
}

static const struct vrb_verb tavor_verb_resize_cq = {
	.name = "RESIZE_CQ",
	.class = VRB_CLASS_NORMAL,
	.encode = tavor_cq_resize_encode,
	.advance = tavor_cq_resize_advance,
	.late = tavor_cq_resize_late,
};

/* Takes over the reference to the pin: it is the CQ's once the request has been issued. */
static int tavor_cq_resize_exec(struct tavor_hw_cq *cq, struct tavor_cq_resize *resize)
{
	int err;

	err = tavor_cq_run(cq, &tavor_verb_resize_cq, resize);
	if (!resize->issued)
		vrb_object_put(&resize->pin->object);
	return err;
}

static int tavor_cq_resize_user(struct tavor_hw_cq *cq, u32 entries, struct ib_udata *udata)
{
	struct tavor_ucontext *ctx = rdma_udata_to_drv_context(udata, struct tavor_ucontext, ib);
	struct tavor_cq_resize resize = { .entries = entries };
	struct mthca_resize_cq cmd = {};
	int err;

	if (udata->inlen < sizeof(cmd))
		return -EINVAL;
	err = ib_copy_from_udata(&cmd, udata, sizeof(cmd));
	if (err)
		return err;
	resize.lkey = cmd.lkey;
	resize.pin = tavor_cq_pin(cq, ctx, cmd.lkey, entries);
	if (IS_ERR(resize.pin))
		return PTR_ERR(resize.pin);
	return tavor_cq_resize_exec(cq, &resize);
}

/**
 * tavor_resize_user_cq() - ib_device_ops.resize_user_cq (resize_cq in older kernels)
 * @ibcq: a user's CQ
 * @cqe: entries wanted
 * @udata: names the new buffer
 *
 * Context: Process context.
 * Return: 0; -EOPNOTSUPP: a kernel CQ; -EINVAL: size, more completions outstanding than would fit,
 * or a buffer that is not the caller's; or the firmware's.
 */
int tavor_resize_user_cq(struct ib_cq *ibcq, vrb_resize_cqe_t cqe, struct ib_udata *udata)
{
	struct tavor_hw_cq *cq = to_tcq(ibcq)->hw;
	u32 entries;
	int err;

	if (!udata)
		return -EOPNOTSUPP;
	if (cqe < 1 || cqe > cq->dev->lim.max_cqes)
		return -EINVAL;
	entries = roundup_pow_of_two(cqe + 1);
	if (entries == ibcq->cqe + 1)
		return 0;
	err = tavor_cq_resize_user(cq, entries, udata);
	if (!err)
		ibcq->cqe = entries - 1;
	return err;
}

/**
 * tavor_cq_table_init() - CQ numbers
 * @dev: the device
 *
 * Context: Process context.
 * Return: 0 or a negative errno.
 */
int tavor_cq_table_init(struct tavor_dev *dev)
{
	return tavor_table_init(&dev->cqs, "CQs", dev->limits.num_cqs, TAVOR_CQN_MASK,
				dev->lim.reserved_cqs);
}

/**
 * tavor_cq_table_cleanup() - counterpart of tavor_cq_table_init()
 * @dev: the device; all its CQs are gone
 *
 * Context: Process context.
 */
void tavor_cq_table_cleanup(struct tavor_dev *dev)
{
	tavor_table_destroy(dev, &dev->cqs);
}
