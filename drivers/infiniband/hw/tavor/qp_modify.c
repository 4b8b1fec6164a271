// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Modify, connect and reset QP: the transition, and for a QP0 the commands that bring its port up
 * and down.
 *
 * The state machine needs no lock: a QP's requests are issued one at a time in the order they were
 * submitted, so each finds the state its predecessor left.
 */
#include <rdma/ib_cache.h>

#include "mr.h"
#include "qp.h"
#include "tavor.h"

#define TAVOR_NR_QP_STATES	(IB_QPS_ERR + 1)
#define TAVOR_SQD_EVENT		BIT(31)

static u16 tavor_transition_opcode(enum ib_qp_state from, enum ib_qp_state to)
{
	static const u16 opcodes[TAVOR_NR_QP_STATES][TAVOR_NR_QP_STATES] = {
		[IB_QPS_RESET][IB_QPS_INIT]	= TAVOR_CMD_RST2INIT_QPEE,
		[IB_QPS_INIT][IB_QPS_INIT]	= TAVOR_CMD_INIT2INIT_QPEE,
		[IB_QPS_INIT][IB_QPS_RTR]	= TAVOR_CMD_INIT2RTR_QPEE,
		[IB_QPS_RTR][IB_QPS_RTS]	= TAVOR_CMD_RTR2RTS_QPEE,
		[IB_QPS_RTS][IB_QPS_RTS]	= TAVOR_CMD_RTS2RTS_QPEE,
		[IB_QPS_RTS][IB_QPS_SQD]	= TAVOR_CMD_RTS2SQD_QPEE,
		[IB_QPS_SQD][IB_QPS_SQD]	= TAVOR_CMD_SQD2SQD_QPEE,
		[IB_QPS_SQD][IB_QPS_RTS]	= TAVOR_CMD_SQD2RTS_QPEE,
		[IB_QPS_SQE][IB_QPS_RTS]	= TAVOR_CMD_SQERR2RTS_QPEE,
	};

	if (from >= TAVOR_NR_QP_STATES || to >= TAVOR_NR_QP_STATES)
		return 0;
	if (to == IB_QPS_ERR)
		return TAVOR_CMD_2ERR_QPEE;
	if (to == IB_QPS_RESET)
		return TAVOR_CMD_ERR2RST_QPEE;
	return opcodes[from][to];
}

/**
 * tavor_hold_gid() - takes a reference to the source GID of a path
 * @ah: the path
 *
 * Context: Any.
 * Return: a reference for tavor_qp_put_gids(), or NULL: there is none.
 */
const struct ib_gid_attr *tavor_hold_gid(const struct rdma_ah_attr *ah)
{
	const struct ib_gid_attr *gid = NULL;

	if (rdma_ah_get_ah_flags(ah) & IB_AH_GRH)
		gid = rdma_ah_read_grh(ah)->sgid_attr;
	if (gid)
		rdma_hold_gid_attr(gid);
	return gid;
}

static void tavor_next_gids(struct tavor_hw_qp *qp, const struct tavor_qp_transition *mod)
{
	qp->next_paths[0] = mod->mask & IB_QP_AV;
	qp->next_paths[1] = mod->mask & IB_QP_ALT_PATH;
	if (qp->next_paths[0])
		qp->next_gids[0] = tavor_hold_gid(&mod->attr->ah_attr);
	if (qp->next_paths[1])
		qp->next_gids[1] = tavor_hold_gid(&mod->attr->alt_ah_attr);
}

/* A path that was set replaces the previous one, with or without a GID; RESET removes all paths. */
static void tavor_commit_gids(struct tavor_hw_qp *qp)
{
	int i;

	if (qp->state == IB_QPS_RESET)
		tavor_qp_put_gids(qp->gids);
	for (i = 0; i < 2; i++) {
		if (qp->next_paths[i])
			swap(qp->gids[i], qp->next_gids[i]);
	}
	tavor_qp_put_gids(qp->next_gids);
}

static void tavor_encode_transition(struct tavor_dev *dev, struct vrb_slot *slot, u16 opcode,
				    const struct tavor_hw_qp *qp,
				    const struct tavor_qp_transition *mod)
{
	struct tavor_qp_param *param = tavor_mbox_in(dev, slot);

	memset(param, 0, sizeof(*param));
	param->opt_param_mask = cpu_to_be32(tavor_qpc_encode(qp, mod, &param->context));
	tavor_cmd_set(dev, slot, opcode, 0, qp->qpn, TAVOR_CMD_IN);
}

static int tavor_qp_transition(struct tavor_hw_qp *qp, struct vrb_slot *slot,
			       const struct tavor_qp_transition *mod)
{
	struct tavor_dev *dev = qp->dev;
	u32 modifier = qp->qpn;
	u16 opcode;
	int err;

	if (qp->quiesced)
		return -ESHUTDOWN;
	err = tavor_qp_check_attrs(qp, mod);
	if (err)
		return err;
	opcode = tavor_transition_opcode(mod->from, mod->to);
	switch (opcode) {
	case 0:
		return -EINVAL;
	case TAVOR_CMD_ERR2RST_QPEE:
		/* After the command the hardware does not know the QP of a doorbell. */
		tavor_qp_close(qp);
		tavor_encode_2rst(dev, slot, qp);
		break;
	case TAVOR_CMD_RTS2SQD_QPEE:
		if (mod->mask & IB_QP_EN_SQD_ASYNC_NOTIFY && mod->attr->en_sqd_async_notify)
			modifier |= TAVOR_SQD_EVENT;
		fallthrough;
	case TAVOR_CMD_2ERR_QPEE:
		tavor_cmd_set(dev, slot, opcode, 0, modifier, 0);
		break;
	default:
		tavor_encode_transition(dev, slot, opcode, qp, mod);
	}
	tavor_qp_next_attrs(qp, mod);
	tavor_next_gids(qp, mod);
	qp->changing = true;
	return VRB_POST;
}

/*
 * A QP's first transition passes the key of its rings to the hardware, which must be valid then.
 * The registration of a process's region may still be in progress, so this waits for it.
 */
static int tavor_modify_ring(struct tavor_hw_qp *qp)
{
	if (!qp->pin.region || qp->state != IB_QPS_RESET)
		return VRB_NEXT;
	return tavor_ring_ready(to_hw_mr(qp->pin.region), &qp->ring_wait);
}

static int tavor_modify_ring_undo(struct vrb_device *vdev, struct vrb *vrb, struct vrb_slot *slot)
{
	tavor_ring_forget(vrb_to_tdev(vdev), &to_hw_qp(vrb->object)->ring_wait);
	return VRB_NEXT;
}

/*
 * The caller may know the QP's state better than the driver, because the hardware moves a QP to SQE
 * or ERR by itself; but it does so only from RTR on.
 */
static int tavor_modify_from(const struct tavor_hw_qp *qp, const struct vrb_modify_qp *req,
			     enum ib_qp_state *from)
{
	*from = qp->state;
	if (!(req->mask & IB_QP_CUR_STATE) || req->attr.cur_qp_state == qp->state)
		return 0;
	if (qp->state < IB_QPS_RTR || req->attr.cur_qp_state < IB_QPS_RTR)
		return -EINVAL;
	*from = req->attr.cur_qp_state;
	return 0;
}

static int tavor_modify_encode(struct vrb_device *vdev, struct vrb *vrb, struct vrb_slot *slot)
{
	const struct vrb_modify_qp *req = container_of(vrb, struct vrb_modify_qp, vrb);
	struct tavor_hw_qp *qp = to_hw_qp(vrb->object);
	struct tavor_qp_transition mod = {
		.attr = &req->attr,
		.mask = req->mask,
	};
	int ret;

	if (req->mask & ~IB_QP_ATTR_STANDARD_BITS)
		return -EOPNOTSUPP;
	ret = tavor_modify_from(qp, req, &mod.from);
	if (ret)
		return ret;
	mod.to = req->mask & IB_QP_STATE ? req->attr.qp_state : mod.from;
	if (mod.from == IB_QPS_RESET && mod.to == IB_QPS_RESET)
		return tavor_qp_check_attrs(qp, &mod) ?: VRB_END;
	ret = tavor_modify_ring(qp);
	return ret == VRB_NEXT ? tavor_qp_transition(qp, slot, &mod) : ret;
}

/* INIT_IB brings up the port's link, so it comes after QP0 can receive. */
static int tavor_modify_port_encode(struct vrb_device *vdev, struct vrb *vrb, struct vrb_slot *slot)
{
	struct tavor_hw_qp *qp = to_hw_qp(vrb->object);
	struct tavor_dev *dev = vrb_to_tdev(vdev);

	if (qp->type != IB_QPT_SMI)
		return VRB_NEXT;
	if (qp->state == IB_QPS_RTR && !qp->port_up) {
		/* Not when it has completed: there may be no answer. */
		set_bit(qp->attrs.port, &dev->open_ports);
		tavor_encode_init_ib(dev, slot, qp->attrs.port);
	} else if ((qp->state == IB_QPS_RESET || qp->state == IB_QPS_ERR) && qp->port_up) {
		tavor_encode_close_ib(dev, slot, qp->attrs.port);
	} else {
		return VRB_NEXT;
	}
	return VRB_POST;
}

/* The transition's result is known. A transition that failed has not changed the QP. */
static void tavor_modify_late(struct vrb_device *vdev, struct vrb_object *object,
			      const struct vrb_result *result)
{
	struct tavor_hw_qp *qp = to_hw_qp(object);

	qp->changing = false;
	if (result->status) {
		tavor_qp_set_state(qp, qp->state);
		tavor_qp_put_gids(qp->next_gids);
		return;
	}
	qp->attrs = qp->next_attrs;
	tavor_qp_set_state(qp, qp->next_state);
	tavor_commit_gids(qp);
	if (qp->state == IB_QPS_RESET)
		WRITE_ONCE(qp->last_wqe, TAVOR_LAST_WQE_NOBODY);
	if (qp->state == IB_QPS_RESET && !qp->half.user) {
		tavor_qp_forget_completions(qp);
		tavor_qp_rings_reset(qp);
	}
}

static int tavor_modify_done(struct vrb_device *vdev, struct vrb *vrb, struct vrb_slot *slot,
			     const struct vrb_result *result)
{
	tavor_modify_late(vdev, vrb->object, result);
	return result->status;
}

static void tavor_modify_port_late(struct vrb_device *vdev, struct vrb_object *object,
				   const struct vrb_result *result)
{
	struct tavor_hw_qp *qp = to_hw_qp(object);

	if (result->status)
		return;
	qp->port_up = qp->state == IB_QPS_RTR;
	if (!qp->port_up)
		clear_bit(qp->attrs.port, &qp->dev->open_ports);
}

static int tavor_modify_port_done(struct vrb_device *vdev, struct vrb *vrb, struct vrb_slot *slot,
				  const struct vrb_result *result)
{
	tavor_modify_port_late(vdev, vrb->object, result);
	return result->status;
}

static const struct vrb_step tavor_modify_qp_steps[] = {
	{
		.name = "MODIFY_QPEE",
		.encode = tavor_modify_encode,
		.done = tavor_modify_done,
		.undo = tavor_modify_ring_undo,
		.late = tavor_modify_late,
	}, {
		.name = "INIT_IB or CLOSE_IB",
		.encode = tavor_modify_port_encode,
		.done = tavor_modify_port_done,
		.late = tavor_modify_port_late,
	},
};

const struct vrb_verb tavor_verb_modify_qp = {
	.name = "MODIFY_QP",
	.class = VRB_CLASS_NORMAL,
	VRB_STEPS(tavor_modify_qp_steps),
};

/* ---- Connect: from any state up to RTR or RTS ---- */

/* Attributes of each transition, as in ib_core's own table */
static const int tavor_connect_masks[][3] = {
	[TAVOR_SERVICE_RC] = {
		IB_QP_PKEY_INDEX | IB_QP_PORT | IB_QP_ACCESS_FLAGS,
		IB_QP_AV | IB_QP_PATH_MTU | IB_QP_DEST_QPN | IB_QP_RQ_PSN |
		IB_QP_MAX_DEST_RD_ATOMIC | IB_QP_MIN_RNR_TIMER,
		IB_QP_TIMEOUT | IB_QP_RETRY_CNT | IB_QP_RNR_RETRY | IB_QP_SQ_PSN |
		IB_QP_MAX_QP_RD_ATOMIC,
	},
	[TAVOR_SERVICE_UC] = {
		IB_QP_PKEY_INDEX | IB_QP_PORT | IB_QP_ACCESS_FLAGS,
		IB_QP_AV | IB_QP_PATH_MTU | IB_QP_DEST_QPN | IB_QP_RQ_PSN,
		IB_QP_SQ_PSN,
	},
	[TAVOR_SERVICE_UD] = {
		IB_QP_PKEY_INDEX | IB_QP_PORT | IB_QP_QKEY,
		0,
		IB_QP_SQ_PSN,
	},
};

/**
 * tavor_connect_mask() - the attributes of a connect's transition
 * @qp: the QP, none of the special ones
 * @step: 0 to INIT, 1 to RTR, 2 to RTS
 *
 * Context: Any.
 * Return: enum ib_qp_attr_mask, without the state.
 */
int tavor_connect_mask(const struct tavor_hw_qp *qp, u32 step)
{
	return tavor_connect_masks[qp->service][step];
}

/**
 * tavor_connect_state() - the state after a connect's transition
 * @step: 0 to INIT, 1 to RTR, 2 to RTS
 *
 * Context: Any.
 * Return: the state.
 */
enum ib_qp_state tavor_connect_state(u32 step)
{
	static const enum ib_qp_state states[TAVOR_NR_CONNECT_STEPS] = {
		IB_QPS_INIT, IB_QPS_RTR, IB_QPS_RTS,
	};

	return states[step];
}

/*
 * The steps are the transitions, in order. Transitions that the QP has made already are skipped:
 * VRB_POST means that the transition of this step must be made.
 */
static int tavor_connect_next(struct vrb *vrb, struct tavor_qp_transition *mod)
{
	const struct vrb_connect_qp *req = container_of(vrb, struct vrb_connect_qp, vrb);
	struct tavor_hw_qp *qp = to_hw_qp(vrb->object);

	*mod = (struct tavor_qp_transition){
		.attr = &req->attr,
		.from = qp->state,
		.to = tavor_connect_state(vrb->step),
	};
	if ((req->to != IB_QPS_RTR && req->to != IB_QPS_RTS) || tavor_qp_is_special(qp) ||
	    (!vrb->step && qp->state > req->to))
		return -EINVAL;
	if (mod->to > req->to)
		return VRB_END;
	if (mod->from >= mod->to)
		return VRB_NEXT;
	mod->mask = IB_QP_STATE | tavor_connect_mask(qp, vrb->step);
	return VRB_POST;
}

static int tavor_connect_encode(struct vrb_device *vdev, struct vrb *vrb, struct vrb_slot *slot)
{
	struct tavor_qp_transition mod;
	int ret = tavor_connect_next(vrb, &mod);

	if (ret != VRB_POST)
		return ret;
	/* ib_core's security must check the port and the P_Key of ib_core's QPs. */
	if (!vrb->step && !vrb_object_is_shell(vrb->object))
		return -EACCES;
	return tavor_qp_transition(to_hw_qp(vrb->object), slot, &mod);
}

/*
 * Whether the port and the P_Key index that a process passes for a QP beyond INIT are the QP's.
 * ib_core has recorded them as such.
 */
static bool tavor_connect_agrees(const struct tavor_hw_qp *qp, const struct vrb_connect_qp *req,
				 int given)
{
	if (given & IB_QP_PORT && req->attr.port_num != qp->attrs.port)
		return false;
	return !(given & IB_QP_PKEY_INDEX) || req->attr.pkey_index == qp->attrs.pkey_index;
}

/* Attributes that ib_core has not checked are not used. */
static int tavor_connect_user_encode(struct vrb_device *vdev, struct vrb *vrb,
				     struct vrb_slot *slot)
{
	const struct tavor_connect_user_qp *user =
		container_of(vrb, struct tavor_connect_user_qp, req.vrb);
	struct tavor_hw_qp *qp = to_hw_qp(vrb->object);
	struct tavor_qp_transition mod;
	int ret;

	if (qp->quiesced)
		return -ESHUTDOWN;
	if (!vrb->step && qp->state > IB_QPS_RTR)
		return -EINVAL;
	ret = tavor_connect_next(vrb, &mod);
	if (ret == VRB_NEXT && !vrb->step && !tavor_connect_agrees(qp, &user->req, user->given))
		return -EINVAL;
	if (ret != VRB_POST)
		return ret;
	if (user->refused[vrb->step])
		return user->refused[vrb->step];
	ret = tavor_modify_ring(qp);
	return ret == VRB_NEXT ? tavor_qp_transition(qp, slot, &mod) : ret;
}

#define TAVOR_CONNECT_STEP(step, encode_it) {						\
	.name = (step), .encode = (encode_it), .undo = tavor_modify_ring_undo,		\
	.done = tavor_modify_done, .late = tavor_modify_late,				\
}

static const struct vrb_step tavor_connect_qp_steps[] = {
	TAVOR_CONNECT_STEP("RST2INIT_QPEE", tavor_connect_encode),
	TAVOR_CONNECT_STEP("INIT2RTR_QPEE", tavor_connect_encode),
	TAVOR_CONNECT_STEP("RTR2RTS_QPEE", tavor_connect_encode),
};

const struct vrb_verb tavor_verb_connect_qp = {
	.name = "CONNECT_QP",
	.class = VRB_CLASS_NORMAL,
	VRB_STEPS(tavor_connect_qp_steps),
};

static const struct vrb_step tavor_connect_user_qp_steps[] = {
	TAVOR_CONNECT_STEP("RST2INIT_QPEE", tavor_connect_user_encode),
	TAVOR_CONNECT_STEP("INIT2RTR_QPEE", tavor_connect_user_encode),
	TAVOR_CONNECT_STEP("RTR2RTS_QPEE", tavor_connect_user_encode),
};

const struct vrb_verb tavor_verb_connect_user_qp = {
	.name = "CONNECT_QP",
	.class = VRB_CLASS_NORMAL,
	VRB_STEPS(tavor_connect_user_qp_steps),
};

static int tavor_reset_encode(struct vrb_device *vdev, struct vrb *vrb, struct vrb_slot *slot)
{
	struct tavor_hw_qp *qp = to_hw_qp(vrb->object);
	struct tavor_qp_transition mod = {
		.attr = NULL,
		.mask = IB_QP_STATE,
		.from = qp->state,
		.to = IB_QPS_RESET,
	};

	if (qp->quiesced)
		return -ESHUTDOWN;
	return qp->state == IB_QPS_RESET ? VRB_END : tavor_qp_transition(qp, slot, &mod);
}

static const struct vrb_step tavor_reset_qp_steps[] = {
	{
		.name = "2RST_QPEE",
		.encode = tavor_reset_encode,
		.done = tavor_modify_done,
		.late = tavor_modify_late,
	}, {
		.name = "CLOSE_IB",
		.encode = tavor_modify_port_encode,
		.done = tavor_modify_port_done,
		.late = tavor_modify_port_late,
	},
};

const struct vrb_verb tavor_verb_reset_qp = {
	.name = "RESET_QP",
	.class = VRB_CLASS_TEARDOWN,
	VRB_STEPS(tavor_reset_qp_steps),
};

/* ---- Quiesce: after it the destroy of a process's QP needs no command ---- */

static int tavor_quiesce_encode(struct vrb_device *vdev, struct vrb *vrb, struct vrb_slot *slot)
{
	int ret;

	/* Its destroy fails with -EBUSY, and then the process uses it again. */
	if (READ_ONCE(to_hw_qp(vrb->object)->mcg_groups))
		return -EBUSY;
	ret = tavor_reset_encode(vdev, vrb, slot);
	return ret == VRB_END ? VRB_NEXT : ret;
}

/* Takes the region of its rings back from the hardware, unless the region has other uses. */
static int tavor_quiesce_mr_encode(struct vrb_device *vdev, struct vrb *vrb, struct vrb_slot *slot)
{
	struct tavor_hw_qp *qp = to_hw_qp(vrb->object);
	struct tavor_hw_mr *mr = qp->pin.region ? to_hw_mr(qp->pin.region) : NULL;

	/* If the request is cancelled during this wait, it has only reset the QP: not quiesced. */
	if (mr && tavor_ring_ready(mr, &qp->ring_wait) == VRB_WAIT)
		return VRB_WAIT;
	qp->quiesced = true;
	if (!mr || !mr->mpt.hw_owned || !vrb_object_has_one_child(&mr->object))
		return VRB_NEXT;
	WRITE_ONCE(mr->retired, TAVOR_MR_QUIESCED);
	tavor_encode_hw2sw_mpt(qp->dev, slot, &mr->mpt);
	return VRB_POST;
}

static void tavor_quiesce_mr_late(struct vrb_device *vdev, struct vrb_object *object,
				  const struct vrb_result *result)
{
	struct tavor_hw_mr *mr = to_hw_mr(to_hw_qp(object)->pin.region);

	if (!result->status)
		mr->mpt.hw_owned = false;
	else
		WRITE_ONCE(mr->retired, TAVOR_MR_IN_USE);
}

/* A region that the hardware refuses to release is taken back when it is deregistered. */
static int tavor_quiesce_mr_done(struct vrb_device *vdev, struct vrb *vrb, struct vrb_slot *slot,
				 const struct vrb_result *result)
{
	tavor_quiesce_mr_late(vdev, vrb->object, result);
	return result->status == -EBUSY ? 0 : result->status;
}

static const struct vrb_step tavor_quiesce_qp_steps[] = {
	{
		.name = "2RST_QPEE",
		.encode = tavor_quiesce_encode,
		.done = tavor_modify_done,
		.late = tavor_modify_late,
	}, {
		.name = "CLOSE_IB",
		.encode = tavor_modify_port_encode,
		.done = tavor_modify_port_done,
		.late = tavor_modify_port_late,
	}, {
		.name = "HW2SW_MPT",
		.encode = tavor_quiesce_mr_encode,
		.done = tavor_quiesce_mr_done,
		.undo = tavor_modify_ring_undo,
		.late = tavor_quiesce_mr_late,
	},
};

const struct vrb_verb tavor_verb_quiesce_qp = {
	.name = "QUIESCE_QP",
	.class = VRB_CLASS_TEARDOWN,
	VRB_STEPS(tavor_quiesce_qp_steps),
};

/* The work requests of a failed device are flushed anyway: only the QP's state is set. */
static void tavor_modify_failed(struct tavor_hw_qp *qp)
{
	tavor_qp_set_state(qp, IB_QPS_ERR);
	if (!qp->srq)
		return;
	local_bh_disable();
	tavor_qp_last_wqe(qp);
	local_bh_enable();
}

/*
 * A library repeats the reset that a verb queue has made, from a thread that must not wait for a
 * slot. There is nothing to do.
 */
static bool tavor_modify_is_void(struct tavor_hw_qp *qp, const struct ib_qp_attr *attr, int mask)
{
	return qp->half.user && mask == IB_QP_STATE && attr->qp_state == IB_QPS_RESET &&
	       vrb_object_is_quiet(&qp->object) && READ_ONCE(qp->state) == IB_QPS_RESET;
}

/**
 * tavor_modify_qp() - ib_device_ops.modify_qp
 * @ibqp: the QP
 * @attr: attributes
 * @mask: which attributes are set
 * @udata: NULL for kernel QPs
 *
 * While a transition to RESET is in progress posts to a kernel QP are refused. The driver cannot
 * refuse the doorbells of a process. A process that posts while it resets its QP may ring a
 * doorbell for a QP that the hardware no longer knows.
 *
 * Context: Process context.
 * Return: 0 or a negative errno; on failure the QP keeps the state it has reached. On a failed
 * device a kernel QP can only be moved to the error state.
 */
int tavor_modify_qp(struct ib_qp *ibqp, struct ib_qp_attr *attr, int mask, struct ib_udata *udata)
{
	struct tavor_hw_qp *qp = to_tqp(ibqp)->hw;
	struct vrb_modify_qp req;
	int err;

	if (tavor_modify_is_void(qp, attr, mask))
		return 0;
	vrb_prep_modify_qp(&req, ibqp);
	req.vrb.user = qp->object.destroy.user;
	req.attr = *attr;
	req.mask = mask;
	err = tavor_exec(qp->dev, &req.vrb);
	if (err != -EIO || qp->half.user || !vrb_device_failed(qp->dev->vrb) ||
	    !(mask & IB_QP_STATE) || attr->qp_state != IB_QPS_ERR)
		return err;
	tavor_modify_failed(qp);
	return 0;
}
