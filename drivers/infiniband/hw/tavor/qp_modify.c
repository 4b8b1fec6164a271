// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Modify QP: the transition, and for a QP0 the port that goes up and down with it.
 *
 * The state machine needs no lock: a QP's requests are issued one at a time in the order they were
 * submitted, so each finds the state its predecessor left.
 */
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

static void tavor_modify_states(const struct tavor_hw_qp *qp, struct tavor_qp_modify *mod)
{
	mod->from = mod->mask & IB_QP_CUR_STATE ? mod->attr.cur_qp_state : qp->state;
	mod->to = mod->mask & IB_QP_STATE ? mod->attr.qp_state : mod->from;
}

static void tavor_encode_transition(struct tavor_dev *dev, struct vrb_slot *slot, u16 opcode,
				    const struct tavor_hw_qp *qp, const struct tavor_qp_modify *mod)
{
	struct tavor_qp_param *param = tavor_mbox_in(dev, slot);

	memset(param, 0, sizeof(*param));
	param->opt_param_mask = cpu_to_be32(tavor_qpc_encode(qp, mod, &param->context));
	tavor_cmd_set(dev, slot, opcode, 0, qp->qpn, TAVOR_CMD_IN);
}

static int tavor_modify_encode(struct vrb_device *vdev, struct vrb *vrb, struct vrb_slot *slot)
{
	struct tavor_qp_modify *mod = container_of(vrb, struct tavor_qp_modify, vrb);
	struct tavor_hw_qp *qp = to_hw_qp(vrb->object);
	struct tavor_dev *dev = vrb_to_tdev(vdev);
	u32 modifier = qp->qpn;
	u16 opcode;
	int err;

	tavor_modify_states(qp, mod);
	if (mod->from == IB_QPS_RESET && mod->to == IB_QPS_RESET)
		return VRB_END;
	err = tavor_qp_check_attrs(qp, mod);
	if (err)
		return err;
	opcode = tavor_transition_opcode(mod->from, mod->to);
	switch (opcode) {
	case 0:
		return -EINVAL;
	case TAVOR_CMD_ERR2RST_QPEE:
		tavor_encode_2rst(dev, slot, qp);
		break;
	case TAVOR_CMD_RTS2SQD_QPEE:
		if (mod->mask & IB_QP_EN_SQD_ASYNC_NOTIFY && mod->attr.en_sqd_async_notify)
			modifier |= TAVOR_SQD_EVENT;
		fallthrough;
	case TAVOR_CMD_2ERR_QPEE:
		tavor_cmd_set(dev, slot, opcode, 0, modifier, 0);
		break;
	default:
		tavor_encode_transition(dev, slot, opcode, qp, mod);
	}
	tavor_qp_next_attrs(qp, mod);
	qp->changing = true;
	return VRB_POST;
}

/* INIT_IB only once QP0 can receive: from then on the port's link comes up. */
static int tavor_modify_port_encode(struct vrb_device *vdev, struct vrb *vrb, struct vrb_slot *slot)
{
	struct tavor_hw_qp *qp = to_hw_qp(vrb->object);
	struct tavor_dev *dev = vrb_to_tdev(vdev);

	if (qp->type != IB_QPT_SMI)
		return VRB_NEXT;
	if (qp->state == IB_QPS_RTR && !qp->port_up)
		tavor_encode_init_ib(dev, slot, qp->attrs.port);
	else if ((qp->state == IB_QPS_RESET || qp->state == IB_QPS_ERR) && qp->port_up)
		tavor_encode_close_ib(dev, slot, qp->attrs.port);
	else
		return VRB_NEXT;
	return VRB_POST;
}

/* The transition's result is known; of one that failed the QP has seen nothing. */
static void tavor_modify_late(struct vrb_device *vdev, struct vrb_object *object,
			      const struct vrb_result *result)
{
	struct tavor_hw_qp *qp = to_hw_qp(object);

	qp->changing = false;
	if (result->status)
		return;
	qp->attrs = qp->next_attrs;
	WRITE_ONCE(qp->state, qp->next_state);
	if (qp->state == IB_QPS_RESET && !qp->user) {
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

	if (!result->status)
		qp->port_up = qp->state == IB_QPS_RTR;
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
		.late = tavor_modify_late,
	}, {
		.name = "INIT_IB or CLOSE_IB",
		.encode = tavor_modify_port_encode,
		.done = tavor_modify_port_done,
		.late = tavor_modify_port_late,
	},
};

static const struct vrb_verb tavor_verb_modify_qp = {
	.name = "MODIFY_QP",
	.class = VRB_CLASS_NORMAL,
	VRB_STEPS(tavor_modify_qp_steps),
};

/**
 * tavor_modify_qp() - ib_device_ops.modify_qp
 * @ibqp: the QP
 * @attr: what to set
 * @mask: what of it
 * @udata: NULL for kernel QPs
 *
 * Context: Process context.
 * Return: 0 or a negative errno; on failure the QP keeps the state it has reached.
 */
int tavor_modify_qp(struct ib_qp *ibqp, struct ib_qp_attr *attr, int mask, struct ib_udata *udata)
{
	struct tavor_hw_qp *qp = to_tqp(ibqp)->hw;
	struct tavor_qp_modify mod = { .attr = *attr, .mask = mask };

	if (mask & ~IB_QP_ATTR_STANDARD_BITS)
		return -EOPNOTSUPP;
	vrb_prep(&mod.vrb, &tavor_verb_modify_qp, &qp->object);
	mod.vrb.user = qp->object.destroy.user;
	return tavor_exec(qp->dev, &mod.vrb);
}
