// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Completion queues: life, table, events.
 *
 * A CQ number is freed only when the completion event queue has been drained after HW2SW_CQ. So no
 * event in the queue can name another CQ than the one it was written for.
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
#include "udata.h"

/**
 * tavor_cq_lock_pair() - locks both CQs of a QP
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
 * @flags: as set by tavor_cq_lock_pair()
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
 * tavor_cq_completion() - handles the completion event of an armed CQ
 * @dev: the device
 * @cqn: number; an unknown one is ignored
 *
 * Context: Softirq.
 */
void tavor_cq_completion(struct tavor_dev *dev, u32 cqn)
{
	struct vrb_object *object = tavor_table_get(dev, &dev->cqs, cqn);
	struct ib_cq *ibcq;

	if (!object)
		return;
	vrb_object_event(object);
	ibcq = to_hw_cq(object)->ibcq;
	if (ibcq->comp_handler)
		ibcq->comp_handler(ibcq, ibcq->cq_context);
	vrb_object_put(object);
}

/**
 * tavor_cq_error() - handles the error event of a CQ, which accepts no more completions
 * @dev: the device
 * @cqn: number; an unknown one is ignored
 * @overrun: it was full; otherwise its memory could not be written
 *
 * Logged for kernel CQs only, because a process can overrun its own at will.
 *
 * Context: Softirq.
 */
void tavor_cq_error(struct tavor_dev *dev, u32 cqn, bool overrun)
{
	struct ib_event event = { .device = &dev->ib_dev, .event = IB_EVENT_CQ_ERR };
	struct vrb_object *object = tavor_table_get(dev, &dev->cqs, cqn);
	struct ib_cq *ibcq;

	atomic64_inc(&dev->cq_errors);
	if (!object)
		return;
	if (!to_hw_cq(object)->half.user)
		dev_warn_ratelimited(&dev->pdev->dev, "CQ %#x: %s\n", cqn,
				     overrun ? "overrun" : "access violation");
	vrb_device_event(dev->vrb, IB_EVENT_CQ_ERR, object);
	ibcq = to_hw_cq(object)->ibcq;
	event.element.cq = ibcq;
	if (ibcq->event_handler)
		ibcq->event_handler(&event, ibcq->cq_context);
	vrb_object_put(object);
}

static void tavor_cq_release(struct vrb_object *object)
{
	struct tavor_hw_cq *cq = to_hw_cq(object);

	tavor_table_put(&cq->dev->cqs, object);
	tavor_eq_give_room(cq->dev, cq->vector);
	tavor_buf_free(cq->dev, &cq->buf);
	tavor_buf_free(cq->dev, &cq->spare);
}

static const struct tavor_queue_type tavor_cq_type =
	TAVOR_QUEUE_TYPE(struct tavor_hw_cq, spare, "CQ", tavor_cq_release);

static void tavor_encode_sw2hw_cq(struct tavor_dev *dev, struct vrb_slot *slot,
				  const struct tavor_hw_cq *cq)
{
	struct tavor_cq_context *ctx = tavor_mbox_in(dev, slot);
	u8 eqn = tavor_comp_eqn(dev, cq->vector);

	memset(ctx, 0, sizeof(*ctx));
	ctx->flags = cpu_to_be32(TAVOR_CQC_XLAT);
	ctx->log_size_uar = cpu_to_be32(FIELD_PREP(TAVOR_CQC_LOG_SIZE, ilog2(cq->entries)) |
					FIELD_PREP(TAVOR_CQC_UAR, cq->uar));
	ctx->error_eqn = cpu_to_be32(eqn);
	ctx->comp_eqn = cpu_to_be32(eqn);
	ctx->pd = cpu_to_be32(cq->pdn);
	ctx->lkey = cpu_to_be32(cq->lkey);
	ctx->cqn = cpu_to_be32(cq->cqn);
	tavor_cmd_set(dev, slot, TAVOR_CMD_SW2HW_CQ, 0, cq->cqn, TAVOR_CMD_IN);
}

/* Create: the key of a kernel CQ's buffer, then the CQ itself. */
static int tavor_cq_create_encode(struct vrb_device *vdev, struct vrb *vrb, struct vrb_slot *slot)
{
	struct tavor_hw_cq *cq = to_hw_cq(vrb->object);

	if (cq->half.hw_owned) {
		tavor_half_open(&cq->half);
		return VRB_NEXT;
	}
	tavor_encode_sw2hw_cq(vrb_to_tdev(vdev), slot, cq);
	cq->half.hw_owned = true;
	return VRB_POST;
}

static const struct vrb_step tavor_create_cq_steps[] = {
	TAVOR_MTT_STORE_STEP,
	TAVOR_MTT_WRITE_STEP,
	TAVOR_BUF_CREATE_STEP,
	{
		.name = "SW2HW_CQ",
		.encode = tavor_cq_create_encode,
		.done = tavor_half_created,
		.late = tavor_half_late,
	},
};

const struct vrb_verb tavor_verb_create_cq =
	TAVOR_CREATE_VERB("CREATE_CQ", tavor_create_cq_steps);

static const struct vrb_verb tavor_verb_create_user_cq =
	TAVOR_CREATE_USER_VERB("CREATE_CQ", tavor_create_cq_steps);

/* Destroy: the CQ, the drain of its event queue, the keys of its buffer and of a resize's. */
static int tavor_cq_destroy_encode(struct vrb_device *vdev, struct vrb *vrb, struct vrb_slot *slot)
{
	return tavor_half_destroy(vdev, vrb, slot, TAVOR_CMD_HW2SW_CQ);
}

static void tavor_cq_drained(struct tavor_eq_drain *drain)
{
	vrb_resume(&container_of(drain, struct tavor_hw_cq, drain)->object);
}

/* Ends a resize that timed out: from now on the CQ does not change its buffer. */
static void tavor_cq_stay(struct tavor_hw_cq *cq)
{
	unsigned long flags;

	spin_lock_irqsave(&cq->lock, flags);
	cq->move = TAVOR_CQ_SETTLED;
	spin_unlock_irqrestore(&cq->lock, flags);
}

/* The number must not be freed while an event in its event queue may name it. */
static int tavor_cq_destroy_done(struct vrb_device *vdev, struct vrb *vrb, struct vrb_slot *slot,
				 const struct vrb_result *result)
{
	struct tavor_hw_cq *cq = to_hw_cq(vrb->object);

	if (tavor_half_destroyed(vdev, vrb, slot, result))
		return result->status;
	if (READ_ONCE(cq->move))
		tavor_cq_stay(cq);
	if (tavor_eq_is_read(cq->dev, cq->vector))
		return VRB_NEXT;
	cq->drain.done = tavor_cq_drained;
	tavor_eq_drain(cq->dev, cq->vector, &cq->drain);
	return VRB_WAIT;
}

/* The key of a buffer that the hardware knows; after a resize that timed out there may be two. */
static struct tavor_mpt *tavor_cq_known_mpt(struct tavor_hw_cq *cq)
{
	if (cq->buf.mpt.hw_owned)
		return &cq->buf.mpt;
	return cq->spare.mpt.hw_owned ? &cq->spare.mpt : NULL;
}

static int tavor_cq_buf_encode(struct vrb_device *vdev, struct vrb *vrb, struct vrb_slot *slot)
{
	struct tavor_mpt *mpt = tavor_cq_known_mpt(to_hw_cq(vrb->object));

	if (!mpt)
		return VRB_NEXT;
	tavor_encode_hw2sw_mpt(vrb_to_tdev(vdev), slot, mpt);
	return VRB_POST;
}

static int tavor_cq_buf_done(struct vrb_device *vdev, struct vrb *vrb, struct vrb_slot *slot,
			     const struct vrb_result *result)
{
	struct tavor_hw_cq *cq = to_hw_cq(vrb->object);

	if (result->status)
		return result->status;
	tavor_cq_known_mpt(cq)->hw_owned = false;
	return tavor_cq_known_mpt(cq) ? VRB_AGAIN : VRB_NEXT;
}

static const struct vrb_step tavor_destroy_cq_steps[] = {
	{
		.name = "HW2SW_CQ",
		.encode = tavor_cq_destroy_encode,
		.done = tavor_cq_destroy_done,
	},
	{ .name = "HW2SW_MPT", .encode = tavor_cq_buf_encode, .done = tavor_cq_buf_done },
};

static const struct vrb_verb tavor_verb_destroy_cq = {
	.name = "DESTROY_CQ",
	.class = VRB_CLASS_TEARDOWN,
	VRB_STEPS(tavor_destroy_cq_steps),
};

/**
 * tavor_cq_buf_alloc() - allocates the buffer of a kernel CQ; the hardware owns all its entries
 * @dev: the device
 * @entries: power of two
 * @buf: result
 * @gfp: GFP_KERNEL or GFP_ATOMIC
 *
 * Context: Any down to softirq, as @gfp says.
 * Return: 0 or -ENOMEM.
 */
int tavor_cq_buf_alloc(struct tavor_dev *dev, u32 entries, struct tavor_buf *buf, gfp_t gfp)
{
	int err;
	u32 i;

	err = tavor_buf_alloc(dev, buf, entries * sizeof(struct tavor_cqe), dev->driver_pd->pdn,
			      TAVOR_MPT_LW, gfp);
	if (err)
		return err;
	for (i = 0; i < entries; i++)
		tavor_cqe_give_back(tavor_buf_at(buf, i * sizeof(struct tavor_cqe)));
	return 0;
}

static int tavor_cq_init_kernel(struct tavor_hw_cq *cq, gfp_t gfp)
{
	struct tavor_dev *dev = cq->dev;
	int err;

	cq->uar = dev->kar.uar.index;
	cq->pdn = dev->driver_pd->pdn;
	err = tavor_cq_buf_alloc(dev, cq->entries, &cq->buf, gfp);
	if (err)
		return err;
	cq->lkey = cq->buf.mpt.key;
	/* Events may come as soon as the hardware knows the CQ, so it enters the table first. */
	return tavor_table_insert(&dev->cqs, &cq->object);
}

/**
 * tavor_cq_pin() - pins the memory region that the buffer of a process's CQ lies in
 * @cq: the CQ
 * @ctx: context of the process
 * @lkey: key of the region
 * @entries: number of entries of the buffer
 * @pin: set to what is pinned
 *
 * Context: Process context.
 * Return: 0; -EINVAL: the region is not the caller's, or too small.
 */
int tavor_cq_pin(struct tavor_hw_cq *cq, struct tavor_ucontext *ctx, u32 lkey, u32 entries,
		 struct tavor_pin *pin)
{
	return tavor_uctx_pin(ctx, cq->pdn, lkey, (u64)entries * sizeof(struct tavor_cqe), true,
			      &cq->object, pin);
}

static int tavor_cq_init_user(struct tavor_hw_cq *cq, struct ib_udata *udata)
{
	struct tavor_ucontext *ctx = rdma_udata_to_drv_context(udata, struct tavor_ucontext, ib);
	struct mthca_create_cq cmd;
	int err;

	err = ib_copy_validate_udata_in(udata, cmd, set_db_index);
	if (err)
		return err;
	cq->uar = ctx->uar.index;
	cq->pdn = cmd.pdn;
	cq->lkey = cmd.lkey;
	cq->object.destroy.user = &ctx->process->user;
	err = tavor_cq_pin(cq, ctx, cmd.lkey, cq->entries, &cq->pin);
	return err ?: tavor_table_insert(&cq->dev->cqs, &cq->object);
}

static int tavor_cq_tell_user(struct tavor_hw_cq *cq, struct ib_udata *udata)
{
	struct mthca_create_cq_resp resp = { .cqn = cq->cqn };

	return tavor_udata_done(udata, ib_respond_udata(udata, resp));
}

static void tavor_cq_make_arm(struct tavor_hw_cq *cq)
{
	static const u32 commands[] = { TAVOR_CQ_DB_NOTIFY, TAVOR_CQ_DB_NOTIFY_SOLICITED };
	int i;

	for (i = 0; i < ARRAY_SIZE(commands); i++)
		cq->arm[i] = tavor_doorbell(FIELD_PREP(TAVOR_CQ_DB_CMD, commands[i]) | cq->cqn,
					    TAVOR_CQ_DB_OWN_CI);
}

static struct tavor_hw_cq *tavor_cq_alloc(struct ib_cq *ibcq, const struct ib_cq_init_attr *attr,
					  bool user, gfp_t gfp)
{
	struct tavor_dev *dev = to_tdev(ibcq->device);
	struct tavor_hw_cq *cq;
	int err;

	if (attr->flags)
		return ERR_PTR(-EOPNOTSUPP);
	if (attr->cqe < 1 || attr->cqe > dev->lim.max_cqes || attr->comp_vector >= dev->nr_comp_eqs)
		return ERR_PTR(-EINVAL);
	cq = kzalloc(sizeof(*cq), gfp);
	if (!cq)
		return ERR_PTR(-ENOMEM);
	cq->dev = dev;
	cq->ibcq = ibcq;
	refcount_set(&cq->half.memory, 1);
	cq->half.user = user;
	/* One entry always stays free. */
	cq->entries = roundup_pow_of_two(attr->cqe + 1);
	spin_lock_init(&cq->lock);
	mutex_init(&cq->resize_lock);
	INIT_LIST_HEAD(&cq->send_qps);
	INIT_LIST_HEAD(&cq->recv_qps);
	err = tavor_eq_take_room(dev, attr->comp_vector, &cq->vector);
	if (err)
		goto free_cq;
	err = tavor_alloc_get(&dev->cqs.alloc, &cq->cqn);
	if (err)
		goto give_room;
	tavor_cq_make_arm(cq);
	vrb_object_init_shell(&cq->object, dev->vrb, &tavor_cq_type.mtt.object, cq->cqn,
			      &tavor_verb_destroy_cq);
	to_tcq(ibcq)->hw = cq;
	ibcq->cqe = cq->entries - 1;
	return cq;

give_room:
	tavor_eq_give_room(dev, cq->vector);
free_cq:
	kfree(cq);
	return ERR_PTR(err);
}

/**
 * tavor_init_cq() - &vrb_verbs.init_cq: initialises a kernel CQ, which its create makes usable
 * @ibcq: shell, or made by ib_core
 * @attr: size and vector
 * @gfp: GFP_KERNEL or GFP_ATOMIC
 *
 * Context: Any down to softirq, as @gfp says.
 * Return: 0; -EOPNOTSUPP: flags; -EINVAL: size or vector; -ENOMEM.
 */
int tavor_init_cq(struct ib_cq *ibcq, const struct ib_cq_init_attr *attr, gfp_t gfp)
{
	struct tavor_hw_cq *cq = tavor_cq_alloc(ibcq, attr, false, gfp);
	int err;

	if (IS_ERR(cq))
		return PTR_ERR(cq);
	err = tavor_cq_init_kernel(cq, gfp);
	if (err)
		vrb_object_abandon(&cq->object);
	return err;
}

/**
 * tavor_cq_object() - &vrb_verbs.cq_object
 * @ibcq: CQ of this driver's
 *
 * Context: Any.
 * Return: its hardware half.
 */
struct vrb_object *tavor_cq_object(struct ib_cq *ibcq)
{
	return &to_tcq(ibcq)->hw->object;
}

static int tavor_create_kernel_cq(struct ib_cq *ibcq, const struct ib_cq_init_attr *attr)
{
	struct vrb_create_cq req;
	int err;

	err = tavor_init_cq(ibcq, attr, GFP_KERNEL);
	if (err)
		return err;
	vrb_prep_create_cq(&req, ibcq);
	err = tavor_exec(to_tdev(ibcq->device), &req.vrb);
	if (err)
		tavor_object_destroy(to_tdev(ibcq->device), tavor_cq_object(ibcq));
	return err;
}

static int tavor_create_user_cq(struct ib_cq *ibcq, const struct ib_cq_init_attr *attr,
				struct ib_udata *udata)
{
	struct tavor_hw_cq *cq = tavor_cq_alloc(ibcq, attr, true, GFP_KERNEL);
	struct vrb vrb;
	int err;

	if (IS_ERR(cq))
		return PTR_ERR(cq);
	err = tavor_cq_init_user(cq, udata);
	err = err ?: tavor_exec_on(&cq->object, &tavor_verb_create_user_cq, &vrb);
	err = err ?: tavor_cq_tell_user(cq, udata);
	if (err)
		tavor_object_destroy(cq->dev, &cq->object);
	else
		tavor_own(tavor_udata_ctx(udata), &to_tcq(ibcq)->owned, &cq->object,
			  &cq->half.memory);
	return err;
}

/**
 * tavor_create_cq() - ib_device_ops.create_cq
 * @ibcq: made by ib_core
 * @attr: size and vector
 * @attrs: NULL for kernel CQs
 *
 * Context: Process context.
 * Return: 0; -EOPNOTSUPP: flags, or unknown driver data; -EINVAL: size, vector, driver data that is
 * too short, or a buffer that is not the caller's; -EFAULT; -ENOMEM; or the firmware's.
 */
int tavor_create_cq(struct ib_cq *ibcq, const struct ib_cq_init_attr *attr,
		    struct uverbs_attr_bundle *attrs)
{
	return attrs ? tavor_create_user_cq(ibcq, attr, &attrs->driver_udata) :
	       tavor_create_kernel_cq(ibcq, attr);
}

/**
 * tavor_destroy_cq() - ib_device_ops.destroy_cq
 * @ibcq: the CQ; no QP uses it
 * @udata: of a process, or NULL
 *
 * Context: Process context.
 * Return: 0; -EOPNOTSUPP, -EFAULT: driver data, which only a call of a process to destroy it can
 * have; -EBUSY: its context is being closed and a QP still uses it: ib_core tries again. A destroy
 * does not fail otherwise.
 */
int tavor_destroy_cq(struct ib_cq *ibcq, struct ib_udata *udata)
{
	struct tavor_hw_cq *cq = to_tcq(ibcq)->hw;
	int err = tavor_no_udata(udata);

	if (err)
		return err;
	if (to_tcq(ibcq)->owned.ctx)
		return tavor_destroy_in_context(&to_tcq(ibcq)->owned, udata);
	if (vrb_object_is_shell(&cq->object))
		vrb_object_warn_shell(&cq->object, "ib_destroy_cq");
	return tavor_object_destroy(cq->dev, &cq->object);
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
