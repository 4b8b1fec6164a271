// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Queue pairs: create, destroy, table.
 *
 * The hardware does not know a QP before its first transition. The create of a kernel QP needs
 * commands for the key of its buffer; that of a process's QP needs none. A QP that is being
 * destroyed stays in the table, hidden, until the hardware has released it, so that completions
 * that are still in a CQ are recognised and dropped.
 */
#include <linux/slab.h>
#include <rdma/ib_cache.h>
#include <rdma/mthca-abi.h>

#include "cqe.h"
#include "mr.h"
#include "object.h"
#include "qp.h"
#include "tavor.h"
#include "uctx.h"
#include "udata.h"

/* ERR2RST from any state, straight to RESET, no context dump */
#define TAVOR_2RST_NOW		3

/**
 * tavor_qp_lookup() - finds the QP of a completion
 * @dev: the device
 * @qpn: number on the hardware
 *
 * Context: Any; the lock of the CQ the completion is in is held.
 * Return: the QP, or NULL; valid while the lock of a CQ of that QP is held.
 */
struct tavor_hw_qp *tavor_qp_lookup(struct tavor_dev *dev, u32 qpn)
{
	struct vrb_object *object = tavor_table_find(&dev->qps, qpn);

	return object ? to_hw_qp(object) : NULL;
}

/**
 * tavor_qp_forget_completions() - drops completions of a kernel QP that are still in its CQs
 * @qp: a QP that the hardware no longer processes
 *
 * Context: Any down to softirq.
 */
void tavor_qp_forget_completions(struct tavor_hw_qp *qp)
{
	unsigned long flags;

	tavor_cq_lock_pair(qp->send_cq, qp->recv_cq, &flags);
	tavor_cq_clean(qp->recv_cq, qp->qpn, qp->srq);
	if (qp->send_cq != qp->recv_cq)
		tavor_cq_clean(qp->send_cq, qp->qpn, NULL);
	tavor_cq_unlock_pair(qp->send_cq, qp->recv_cq, flags);
}

static int tavor_qp_list(struct tavor_hw_qp *qp)
{
	unsigned long flags;
	int err;

	/* -EBUSY: the place can only be taken for special QPs. */
	err = tavor_table_insert(&qp->dev->qps, &qp->object);
	if (err)
		return err;
	qp->listed = true;
	if (qp->half.user)
		return 0;
	tavor_cq_lock_pair(qp->send_cq, qp->recv_cq, &flags);
	list_add_tail(&qp->on_send_cq, &qp->send_cq->send_qps);
	list_add_tail(&qp->on_recv_cq, &qp->recv_cq->recv_qps);
	tavor_cq_unlock_pair(qp->send_cq, qp->recv_cq, flags);
	return 0;
}

/* Makes the next completion look its QP up in the table. Both CQs are locked. */
static void tavor_qp_forget_last(struct tavor_hw_qp *qp)
{
	lockdep_assert_held(&qp->send_cq->lock);
	lockdep_assert_held(&qp->recv_cq->lock);
	if (qp->send_cq->last_qp == qp)
		qp->send_cq->last_qp = NULL;
	if (qp->recv_cq->last_qp == qp)
		qp->recv_cq->last_qp = NULL;
}

/* After this, completions of the QP are not reported. */
static void tavor_qp_hide(struct tavor_hw_qp *qp)
{
	unsigned long flags;

	tavor_cq_lock_pair(qp->send_cq, qp->recv_cq, &flags);
	qp->hidden = true;
	tavor_qp_forget_last(qp);
	tavor_cq_unlock_pair(qp->send_cq, qp->recv_cq, flags);
}

/**
 * tavor_qp_put_gids() - drops the references to the source GIDs of paths that are no longer used
 * @gids: of the primary and the alternate path, or NULL; both are NULL afterwards
 *
 * Context: Any.
 */
void tavor_qp_put_gids(const struct ib_gid_attr **gids)
{
	int i;

	for (i = 0; i < 2; i++) {
		if (gids[i])
			rdma_put_gid_attr(gids[i]);
		gids[i] = NULL;
	}
}

static void tavor_qp_put_number(struct tavor_hw_qp *qp)
{
	if (tavor_qp_is_special(qp))
		return;
	tavor_alloc_put(&qp->dev->qps.alloc, qp->qpn);
	tavor_eq_expect_less(qp->dev, TAVOR_EVENTS_PER_QP);
}

/* The hardware has released the QP, or never knew it. */
static void tavor_qp_release(struct vrb_object *object)
{
	struct tavor_hw_qp *qp = to_hw_qp(object);
	struct tavor_table *table = &qp->dev->qps;
	unsigned long flags;

	if (qp->listed) {
		tavor_qp_forget_completions(qp);
		spin_lock_bh(&table->lock);
		tavor_cq_lock_pair(qp->send_cq, qp->recv_cq, &flags);
		tavor_table_remove(table, object);
		tavor_qp_forget_last(qp);
		list_del_init(&qp->on_send_cq);
		list_del_init(&qp->on_recv_cq);
		tavor_cq_unlock_pair(qp->send_cq, qp->recv_cq, flags);
		spin_unlock_bh(&table->lock);
	}
	tavor_qp_put_number(qp);
	tavor_qp_put_gids(qp->gids);
	tavor_qp_put_gids(qp->next_gids);
	tavor_buf_free(qp->dev, &qp->buf);
	tavor_wq_free(&qp->sq);
	tavor_wq_free(&qp->rq);
}

/**
 * tavor_qp_set_state() - sets the state of a QP, and opens or closes its queues accordingly
 * @qp: the QP
 * @state: the state, which may be the current one, as set by its last request or by the hardware
 *
 * Context: Any, from the QP's own requests only; or its device has failed.
 */
void tavor_qp_set_state(struct tavor_hw_qp *qp, enum ib_qp_state state)
{
	WRITE_ONCE(qp->state, state);
	if (qp->half.user)
		return;
	/* Before RTS the hardware ignores a send's doorbell, so the send would never complete. */
	WRITE_ONCE(qp->sq.open, state >= IB_QPS_RTS);
	WRITE_ONCE(qp->rq.open, state >= IB_QPS_INIT && !qp->srq);
}

static void tavor_wq_close(struct tavor_wq *wq)
{
	unsigned long flags;

	spin_lock_irqsave(&wq->lock, flags);
	wq->open = false;
	spin_unlock_irqrestore(&wq->lock, flags);
}

/**
 * tavor_qp_close() - refuses posts to a kernel QP until tavor_qp_set_state() opens it
 * @qp: a QP that will be reset; a process's QP cannot be closed
 *
 * When this returns no post is in progress: the doorbells of all accepted posts have been rung.
 *
 * Context: Any, from the QP's own requests only.
 */
void tavor_qp_close(struct tavor_hw_qp *qp)
{
	if (qp->half.user)
		return;
	tavor_wq_close(&qp->sq);
	tavor_wq_close(&qp->rq);
}

/**
 * tavor_encode_2rst() - step: moves a QP to RESET, from any state, without completions
 * @dev: the device
 * @slot: where to encode
 * @qp: the QP
 *
 * Context: Softirq or BH disabled, the engine's device lock held.
 */
void tavor_encode_2rst(struct tavor_dev *dev, struct vrb_slot *slot, const struct tavor_hw_qp *qp)
{
	tavor_cmd_set(dev, slot, TAVOR_CMD_ERR2RST_QPEE, TAVOR_2RST_NOW, qp->qpn, 0);
}

static int tavor_qp_reset_encode(struct vrb_device *vdev, struct vrb *vrb, struct vrb_slot *slot)
{
	struct tavor_hw_qp *qp = to_hw_qp(vrb->object);

	if (qp->state == IB_QPS_RESET && !qp->changing)
		return VRB_NEXT;
	tavor_encode_2rst(vrb_to_tdev(vdev), slot, qp);
	return VRB_POST;
}

static int tavor_qp_reset_done(struct vrb_device *vdev, struct vrb *vrb, struct vrb_slot *slot,
			       const struct vrb_result *result)
{
	if (!result->status)
		tavor_qp_set_state(to_hw_qp(vrb->object), IB_QPS_RESET);
	return result->status;
}

static int tavor_qp_port_encode(struct vrb_device *vdev, struct vrb *vrb, struct vrb_slot *slot)
{
	struct tavor_hw_qp *qp = to_hw_qp(vrb->object);

	if (!qp->port_up)
		return VRB_NEXT;
	tavor_encode_close_ib(vrb_to_tdev(vdev), slot, qp->attrs.port);
	return VRB_POST;
}

static int tavor_qp_port_done(struct vrb_device *vdev, struct vrb *vrb, struct vrb_slot *slot,
			      const struct vrb_result *result)
{
	struct tavor_hw_qp *qp = to_hw_qp(vrb->object);

	if (result->status)
		return result->status;
	qp->port_up = false;
	clear_bit(qp->attrs.port, &qp->dev->open_ports);
	return 0;
}

static const struct vrb_step tavor_destroy_qp_steps[] = {
	{ .name = "2RST_QPEE", .encode = tavor_qp_reset_encode, .done = tavor_qp_reset_done },
	{ .name = "CLOSE_IB", .encode = tavor_qp_port_encode, .done = tavor_qp_port_done },
	TAVOR_BUF_DESTROY_STEP,
};

/* The driver has no buffer for a process's QP. */
static bool tavor_destroy_qp_is_void(const struct vrb_object *object)
{
	const struct tavor_hw_qp *qp = container_of(object, struct tavor_hw_qp, object);

	return qp->half.user && qp->state == IB_QPS_RESET && !qp->changing && !qp->port_up;
}

static const struct vrb_verb tavor_verb_destroy_qp = {
	.name = "DESTROY_QP",
	.class = VRB_CLASS_TEARDOWN,
	.is_void = tavor_destroy_qp_is_void,
	VRB_STEPS(tavor_destroy_qp_steps),
};

/*
 * Stops a QP in a multicast group after its owner has unregistered: it receives nothing any more.
 * This is the destroy without its last step: the QP keeps its buffer.
 */
static const struct vrb_verb tavor_verb_leave_qp = {
	.name = "LEAVE_QP",
	.class = VRB_CLASS_TEARDOWN,
	.parting = true,
	.steps = tavor_destroy_qp_steps,
	.nr_steps = ARRAY_SIZE(tavor_destroy_qp_steps) - 1,
};

static const struct tavor_queue_type tavor_qp_type =
	TAVOR_QUEUE_TYPE(struct tavor_hw_qp, buf, "QP", tavor_qp_release,
			 .leave = &tavor_verb_leave_qp);

/* Create: only the key of a kernel QP's buffer is passed to the hardware. */
static const struct vrb_step tavor_create_qp_steps[] = {
	TAVOR_MTT_STORE_STEP,
	TAVOR_MTT_WRITE_STEP,
	TAVOR_BUF_CREATE_STEP,
};

const struct vrb_verb tavor_verb_create_qp =
	TAVOR_CREATE_VERB("CREATE_QP", tavor_create_qp_steps);

/**
 * tavor_qp_rings_reset() - empties a kernel QP's queues
 * @qp: a QP in RESET
 *
 * Context: Any down to softirq.
 */
void tavor_qp_rings_reset(struct tavor_hw_qp *qp)
{
	unsigned long flags;

	spin_lock_irqsave(&qp->sq.lock, flags);
	tavor_wq_reset(&qp->sq, qp->sq.shape.max ?
		       tavor_send_slot(qp, qp->sq.shape.max - 1) : NULL);
	spin_unlock_irqrestore(&qp->sq.lock, flags);

	spin_lock_irqsave(&qp->rq.lock, flags);
	tavor_wq_reset(&qp->rq, qp->rq.shape.max ?
		       tavor_recv_slot(qp, qp->rq.shape.max - 1) : NULL);
	spin_unlock_irqrestore(&qp->rq.lock, flags);
}

/* Links the receive WQEs into a ring. The links stay; only the sizes in them change. */
static void tavor_qp_link_recv(struct tavor_hw_qp *qp)
{
	u32 i;

	for (i = 0; i < qp->rq.shape.max; i++)
		tavor_recv_slot(qp, i)->nda_op =
			cpu_to_be32(tavor_wq_after(&qp->rq, i) << qp->rq.shape.shift |
				    TAVOR_NEXT_RECV);
}

static int tavor_qp_init_kernel(struct tavor_hw_qp *qp, u32 bytes, gfp_t gfp)
{
	struct tavor_dev *dev = qp->dev;
	int err;

	qp->uar = dev->kar.uar.index;
	err = tavor_wq_alloc(&qp->sq, gfp);
	if (!err)
		err = tavor_wq_alloc(&qp->rq, gfp);
	if (!err)
		err = tavor_buf_alloc(dev, &qp->buf, max(bytes, 1U), qp->pd->pdn, 0, gfp);
	if (err)
		return err;
	qp->lkey = qp->buf.mpt.key;
	tavor_qp_link_recv(qp);
	tavor_qp_rings_reset(qp);
	return 0;
}

static int tavor_qp_init_user(struct tavor_hw_qp *qp, u32 bytes, struct ib_udata *udata)
{
	struct tavor_ucontext *ctx = rdma_udata_to_drv_context(udata, struct tavor_ucontext, ib);
	struct mthca_create_qp cmd;
	int err;

	err = ib_copy_validate_udata_in(udata, cmd, rq_db_index) ?:
	      tavor_udata_done(udata, ib_respond_empty_udata(udata));
	if (err)
		return err;
	qp->uar = ctx->uar.index;
	qp->lkey = cmd.lkey;
	qp->object.destroy.user = &ctx->process->user;
	return tavor_uctx_pin(ctx, qp->pd->pdn, cmd.lkey, bytes, false, &qp->object, &qp->pin);
}

static int tavor_qp_add_parents(struct tavor_hw_qp *qp)
{
	struct vrb_object *parents[] = {
		&qp->send_cq->object,
		qp->recv_cq != qp->send_cq ? &qp->recv_cq->object : NULL,
		qp->srq ? &qp->srq->object : NULL,
		/* The pin of a user's buffer has made the PD a parent already. */
		qp->half.user ? NULL : &qp->pd->object,
	};
	int i, err;

	for (i = 0; i < ARRAY_SIZE(parents); i++) {
		if (!parents[i])
			continue;
		err = vrb_object_add_parent(&qp->object, parents[i]);
		if (err)
			return err;
	}
	return 0;
}

static int tavor_qp_service(const struct ib_qp_init_attr *attr, bool user)
{
	switch (attr->qp_type) {
	case IB_QPT_RC:
		return TAVOR_SERVICE_RC;
	case IB_QPT_UC:
		return TAVOR_SERVICE_UC;
	case IB_QPT_UD:
		return TAVOR_SERVICE_UD;
	case IB_QPT_SMI:
	case IB_QPT_GSI:
		return user ? -EOPNOTSUPP : TAVOR_SERVICE_MLX;
	default:
		return -EOPNOTSUPP;
	}
}

static int tavor_qp_get_number(struct tavor_hw_qp *qp, u32 port, gfp_t gfp)
{
	int err;

	if (!tavor_qp_is_special(qp)) {
		err = tavor_eq_expect(qp->dev, TAVOR_EVENTS_PER_QP, gfp);
		if (err)
			return err;
		err = tavor_alloc_get(&qp->dev->qps.alloc, &qp->qpn);
		if (err)
			tavor_eq_expect_less(qp->dev, TAVOR_EVENTS_PER_QP);
		return err;
	}
	if (port < 1 || port > qp->dev->limits.num_ports)
		return -EINVAL;
	qp->attrs.port = port;
	qp->qpn = qp->dev->special_qpn + (qp->type == IB_QPT_GSI ? 2 : 0) + port - 1;
	return 0;
}

/* A QP with an SRQ has no receive queue, whatever was requested. */
static void tavor_qp_no_recv(struct ib_qp_cap *cap)
{
	cap->max_recv_wr = 0;
	cap->max_recv_sge = 0;
}

static void tavor_qp_apply_layout(struct tavor_hw_qp *qp, const struct tavor_wq_layout *layout,
				  struct ib_qp_cap *cap)
{
	qp->sq.shape = layout->send;
	qp->rq.shape = layout->recv;
	if (qp->srq)
		qp->rq.shape.max_gs = 0;
	qp->max_inline = layout->max_inline;
	cap->max_send_sge = layout->send.max_gs;
	cap->max_recv_sge = qp->rq.shape.max_gs;
	cap->max_inline_data = layout->max_inline;
}

/* The type is checked first: a QP of an unsupported type may have no CQs. */
static int tavor_qp_check_init(const struct ib_qp *ibqp, const struct ib_qp_init_attr *attr,
			       bool user)
{
	if (tavor_qp_service(attr, user) < 0 || attr->create_flags || attr->rwq_ind_tbl)
		return -EOPNOTSUPP;
	if (!attr->send_cq || !attr->recv_cq)
		return -EINVAL;
	/* The hardware reads an SRQ's WQEs and buffers in the QP's PD. */
	return attr->srq && attr->srq->pd != ibqp->pd ? -EINVAL : 0;
}

static struct tavor_hw_qp *tavor_qp_alloc(struct ib_qp *ibqp, const struct ib_qp_init_attr *attr,
					  bool user, gfp_t gfp)
{
	struct tavor_dev *dev = to_tdev(ibqp->device);
	struct tavor_hw_qp *qp;
	int err;

	err = tavor_qp_check_init(ibqp, attr, user);
	if (err)
		return ERR_PTR(err);
	qp = kzalloc(sizeof(*qp), gfp);
	if (!qp)
		return ERR_PTR(-ENOMEM);
	qp->dev = dev;
	refcount_set(&qp->half.memory, 1);
	INIT_LIST_HEAD(&qp->on_send_cq);
	INIT_LIST_HEAD(&qp->on_recv_cq);
	INIT_LIST_HEAD(&qp->queued);
	INIT_LIST_HEAD(&qp->issued);
	INIT_LIST_HEAD(&qp->named);
	tavor_waiter_init(&qp->mcg_waiting, &qp->object);
	INIT_LIST_HEAD(&qp->mcg_attached);
	qp->ibqp = ibqp;
	qp->pd = to_tpd(ibqp->pd)->hw;
	qp->send_cq = to_tcq(attr->send_cq)->hw;
	qp->recv_cq = to_tcq(attr->recv_cq)->hw;
	qp->srq = attr->srq ? to_tsrq(attr->srq)->hw : NULL;
	qp->type = attr->qp_type;
	qp->service = tavor_qp_service(attr, user);
	qp->state = IB_QPS_RESET;
	qp->half.user = user;
	qp->sq_sig_all = attr->sq_sig_type == IB_SIGNAL_ALL_WR;
	qp->send_flags = TAVOR_CTRL_ALWAYS | (qp->sq_sig_all ? TAVOR_CTRL_COMPLETION : 0);
	err = tavor_qp_get_number(qp, attr->port_num, gfp);
	if (err) {
		kfree(qp);
		return ERR_PTR(err);
	}
	qp->cqe_qpn = cpu_to_be32(qp->qpn);
	/* The first transition makes a process's QP known to the hardware. */
	if (user)
		vrb_object_init(&qp->object, dev->vrb, &tavor_qp_type.mtt.object, qp->qpn,
				&tavor_verb_destroy_qp);
	else
		vrb_object_init_shell(&qp->object, dev->vrb, &tavor_qp_type.mtt.object, qp->qpn,
				      &tavor_verb_destroy_qp);
	tavor_waiter_init(&qp->ring_wait, &qp->object);
	to_tqp(ibqp)->hw = qp;
	ibqp->qp_num = qp->type == IB_QPT_SMI ? 0 : qp->type == IB_QPT_GSI ? 1 : qp->qpn;
	return qp;
}

/* Computes the layout, and makes the QP a child of its parents. */
static int tavor_qp_plan(struct tavor_hw_qp *qp, struct ib_qp_init_attr *attr, u32 *bytes)
{
	struct tavor_dev *dev = qp->dev;
	struct tavor_wq_limits limits = {
		.max_wqes = dev->lim.max_qp_wqes,
		.max_sg = dev->limits.max_sg,
		.max_desc = dev->lim.max_desc_size,
	};
	struct tavor_wq_layout layout = {};
	int err;

	if (attr->srq)
		tavor_qp_no_recv(&attr->cap);
	err = tavor_wq_plan(&limits, qp->service, &attr->cap, &layout);
	if (err)
		return err;
	tavor_qp_apply_layout(qp, &layout, &attr->cap);
	*bytes = layout.size;
	return tavor_qp_add_parents(qp);
}

/**
 * tavor_init_qp() - &vrb_verbs.init_qp: initialises a kernel QP, which its create makes usable
 * @ibqp: shell, or made by ib_core
 * @attr: requested attributes; the capabilities are set to the actual ones
 * @gfp: GFP_KERNEL or GFP_ATOMIC
 *
 * Context: Any down to softirq, as @gfp says.
 * Return: as tavor_create_qp().
 */
int tavor_init_qp(struct ib_qp *ibqp, struct ib_qp_init_attr *attr, gfp_t gfp)
{
	struct tavor_hw_qp *qp = tavor_qp_alloc(ibqp, attr, false, gfp);
	u32 bytes;
	int err;

	if (IS_ERR(qp))
		return PTR_ERR(qp);
	err = tavor_qp_plan(qp, attr, &bytes);
	err = err ?: tavor_qp_init_kernel(qp, bytes, gfp);
	err = err ?: tavor_qp_list(qp);
	if (err)
		vrb_object_abandon(&qp->object);
	return err;
}

/**
 * tavor_qp_object() - &vrb_verbs.qp_object
 * @ibqp: QP of this driver's
 *
 * Context: Any.
 * Return: its hardware half.
 */
struct vrb_object *tavor_qp_object(struct ib_qp *ibqp)
{
	return &to_tqp(ibqp)->hw->object;
}

/**
 * tavor_qp_state() - &vrb_verbs.qp_state
 * @ibqp: QP of this driver's
 *
 * Context: Any.
 * Return: the state after the last request that completed.
 */
enum ib_qp_state tavor_qp_state(const struct ib_qp *ibqp)
{
	return READ_ONCE(container_of(ibqp, struct tavor_qp, ib)->hw->state);
}

/* ib_core accesses the CQs and the SRQ of its QPs at a time when a shell may be freed already. */
static bool tavor_cq_is_shell(struct ib_cq *ibcq)
{
	return ibcq && vrb_object_is_shell(tavor_cq_object(ibcq));
}

static int tavor_create_kernel_qp(struct ib_qp *ibqp, struct ib_qp_init_attr *attr)
{
	struct vrb_create_qp req;
	int err;

	if (tavor_cq_is_shell(attr->send_cq) || tavor_cq_is_shell(attr->recv_cq) ||
	    (attr->srq && vrb_object_is_shell(tavor_srq_object(attr->srq))))
		return -EINVAL;
	err = tavor_init_qp(ibqp, attr, GFP_KERNEL);
	if (err)
		return err;
	vrb_prep_create_qp(&req, ibqp);
	err = tavor_exec(to_tdev(ibqp->device), &req.vrb);
	if (err)
		tavor_object_destroy(to_tdev(ibqp->device), tavor_qp_object(ibqp));
	return err;
}

static int tavor_create_user_qp(struct ib_qp *ibqp, struct ib_qp_init_attr *attr,
				struct ib_udata *udata)
{
	struct tavor_hw_qp *qp = tavor_qp_alloc(ibqp, attr, true, GFP_KERNEL);
	u32 bytes;
	int err;

	if (IS_ERR(qp))
		return PTR_ERR(qp);
	mutex_init(&to_tqp(ibqp)->queue_lock);
	qp->core = ibqp;
	err = tavor_qp_plan(qp, attr, &bytes);
	err = err ?: tavor_qp_init_user(qp, bytes, udata);
	err = err ?: tavor_qp_list(qp);
	if (err)
		tavor_object_destroy(qp->dev, &qp->object);
	else
		tavor_own(tavor_udata_ctx(udata), &to_tqp(ibqp)->owned, &qp->object,
			  &qp->half.memory);
	return err;
}

/**
 * tavor_create_qp() - ib_device_ops.create_qp
 * @ibqp: made by ib_core, its PD set
 * @attr: requested attributes; the capabilities are set to the actual ones
 * @udata: NULL for kernel QPs
 *
 * Context: Process context.
 * Return: 0; -EOPNOTSUPP: type, flags, or unknown driver data; -EINVAL: capabilities, port, driver
 * data that is too short, a CQ or SRQ that ib_core does not know, or a buffer that is not the
 * caller's; -EFAULT; -EBUSY: a special QP that exists; -ENOMEM; or the errno of a firmware status.
 */
int tavor_create_qp(struct ib_qp *ibqp, struct ib_qp_init_attr *attr, struct ib_udata *udata)
{
	return udata ? tavor_create_user_qp(ibqp, attr, udata) : tavor_create_kernel_qp(ibqp, attr);
}

/**
 * tavor_destroy_qp() - ib_device_ops.destroy_qp
 * @ibqp: the QP
 * @udata: of a process, or NULL
 *
 * Context: Process context.
 * Return: 0: a destroy does not fail.
 */
int tavor_destroy_qp(struct ib_qp *ibqp, struct ib_udata *udata)
{
	struct tavor_hw_qp *qp = to_tqp(ibqp)->hw;

	if (to_tqp(ibqp)->owned.ctx)
		return tavor_destroy_in_context(&to_tqp(ibqp)->owned, udata);
	if (vrb_object_is_shell(&qp->object))
		vrb_object_warn_shell(&qp->object, "ib_destroy_qp");
	tavor_qp_hide(qp);
	return tavor_object_destroy(qp->dev, &qp->object);
}

/* Configures the special QPs */
struct tavor_conf_special {
	struct vrb vrb;
	u32 base;		/* QPN of the SMI; 0 to deconfigure */
};

static int tavor_conf_special_encode(struct vrb_device *vdev, struct vrb *vrb,
				     struct vrb_slot *slot)
{
	u32 base = container_of(vrb, struct tavor_conf_special, vrb)->base;

	/* Step and opcode modifier: 0 SMI, 1 GSI. Each has a QP per port. */
	tavor_cmd_set(vrb_to_tdev(vdev), slot, TAVOR_CMD_CONF_SPECIAL_QP, vrb->step,
		      base ? base + 2 * vrb->step : 0, 0);
	return VRB_POST;
}

static const struct vrb_step tavor_conf_special_steps[] = {
	{ .name = "CONF_SPECIAL_QP SMI", .encode = tavor_conf_special_encode },
	{ .name = "CONF_SPECIAL_QP GSI", .encode = tavor_conf_special_encode },
};

static const struct vrb_verb tavor_verb_conf_special_qp = {
	.name = "CONF_SPECIAL_QP",
	.class = VRB_CLASS_NORMAL,
	VRB_STEPS(tavor_conf_special_steps),
};

static int tavor_conf_special(struct tavor_dev *dev, u32 base)
{
	struct tavor_conf_special req = { .base = base };

	vrb_prep(&req.vrb, &tavor_verb_conf_special_qp, NULL);
	return tavor_exec(dev, &req.vrb);
}

/**
 * tavor_qp_table_init() - creates the table of QPs, and configures the special QPs
 * @dev: the device
 *
 * Context: Process context.
 * Return: 0 or a negative errno.
 */
int tavor_qp_table_init(struct tavor_dev *dev)
{
	int err;

	dev->special_qpn = ALIGN(dev->lim.reserved_qps, 2);
	err = tavor_table_init(&dev->qps, "QPs", dev->limits.num_qps, TAVOR_QPN_MASK,
			       dev->special_qpn + 2 * TAVOR_MAX_PORTS);
	if (err)
		return err;
	err = tavor_conf_special(dev, dev->special_qpn);
	if (err) {
		tavor_conf_special(dev, 0);
		tavor_table_destroy(dev, &dev->qps);
	}
	return err;
}

/**
 * tavor_qp_table_cleanup() - counterpart of tavor_qp_table_init()
 * @dev: the device; all its QPs are gone
 *
 * Context: Process context.
 */
void tavor_qp_table_cleanup(struct tavor_dev *dev)
{
	/* A failure is logged; CLOSE_HCA releases them in any case. */
	tavor_conf_special(dev, 0);
	tavor_table_destroy(dev, &dev->qps);
}
