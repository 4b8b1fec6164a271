// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Query QP.
 */
#include <linux/bitfield.h>

#include "qp.h"
#include "rate.h"
#include "tavor.h"

static enum ib_qp_state tavor_ib_qp_state(u32 state)
{
	switch (state) {
	case TAVOR_QP_HW_RESET:
		return IB_QPS_RESET;
	case TAVOR_QP_HW_INIT:
		return IB_QPS_INIT;
	case TAVOR_QP_HW_RTR:
		return IB_QPS_RTR;
	case TAVOR_QP_HW_RTS:
		return IB_QPS_RTS;
	case TAVOR_QP_HW_SQE:
		return IB_QPS_SQE;
	case TAVOR_QP_HW_SQD:
	case TAVOR_QP_HW_DRAINING:
		return IB_QPS_SQD;
	default:
		return IB_QPS_ERR;
	}
}

static enum ib_mig_state tavor_ib_mig_state(u32 state)
{
	switch (state) {
	case TAVOR_PM_ARMED:
		return IB_MIG_ARMED;
	case TAVOR_PM_REARM:
		return IB_MIG_REARM;
	default:
		return IB_MIG_MIGRATED;
	}
}

static int tavor_ib_access(u32 params2)
{
	int access = 0;

	if (params2 & TAVOR_QPC_RRE)
		access |= IB_ACCESS_REMOTE_READ;
	if (params2 & TAVOR_QPC_RWE)
		access |= IB_ACCESS_REMOTE_WRITE;
	if (params2 & TAVOR_QPC_RAE)
		access |= IB_ACCESS_REMOTE_ATOMIC;
	return access;
}

static void tavor_decode_path(struct tavor_dev *dev, const struct tavor_qp_path *path,
			      struct rdma_ah_attr *ah)
{
	u32 word = be32_to_cpu(path->sl_tclass_flow);
	u32 port = FIELD_GET(TAVOR_PATH_PORT, be32_to_cpu(path->port_pkey));

	memset(ah, 0, sizeof(*ah));
	if (!port || port > dev->limits.num_ports)
		return;
	ah->type = rdma_ah_find_type(&dev->ib_dev, port);
	rdma_ah_set_port_num(ah, port);
	rdma_ah_set_dlid(ah, be16_to_cpu(path->dlid));
	rdma_ah_set_sl(ah, FIELD_GET(TAVOR_PATH_SL, word));
	rdma_ah_set_path_bits(ah, FIELD_GET(TAVOR_PATH_BITS, path->grh_path_bits));
	rdma_ah_set_static_rate(ah, tavor_ib_rate(FIELD_GET(TAVOR_PATH_STATIC_RATE,
							    path->static_rate)));
	if (path->grh_path_bits & TAVOR_PATH_GRH) {
		rdma_ah_set_grh(ah, NULL, FIELD_GET(TAVOR_PATH_FLOW_LABEL, word), path->sgid_index,
				path->hop_limit, FIELD_GET(TAVOR_PATH_TCLASS, word));
		rdma_ah_set_dgid_raw(ah, (void *)path->dgid);
	}
}

static void tavor_decode_paths(struct tavor_hw_qp *qp, const struct tavor_qp_context *ctx,
			       struct ib_qp_attr *attr)
{
	u32 word = be32_to_cpu(ctx->pri_path.port_pkey);

	attr->port_num = FIELD_GET(TAVOR_PATH_PORT, word);
	if (!attr->port_num)
		attr->port_num = qp->attrs.port;
	attr->pkey_index = FIELD_GET(TAVOR_PATH_PKEY_INDEX, word);
	attr->timeout = FIELD_GET(TAVOR_PATH_ACK_TIMEOUT, ctx->pri_path.ack_timeout);
	attr->rnr_retry = FIELD_GET(TAVOR_PATH_RNR_RETRY, ctx->pri_path.rnr_retry);
	if (qp->service != TAVOR_SERVICE_RC && qp->service != TAVOR_SERVICE_UC)
		return;
	tavor_decode_path(qp->dev, &ctx->pri_path, &attr->ah_attr);
	tavor_decode_path(qp->dev, &ctx->alt_path, &attr->alt_ah_attr);
	word = be32_to_cpu(ctx->alt_path.port_pkey);
	attr->alt_port_num = FIELD_GET(TAVOR_PATH_PORT, word);
	attr->alt_pkey_index = FIELD_GET(TAVOR_PATH_PKEY_INDEX, word);
	attr->alt_timeout = FIELD_GET(TAVOR_PATH_ACK_TIMEOUT, ctx->alt_path.ack_timeout);
}

static void tavor_decode_context(struct tavor_hw_qp *qp, const struct tavor_qp_context *ctx,
				 struct ib_qp_attr *attr)
{
	u32 flags = be32_to_cpu(ctx->flags);
	u32 params1 = be32_to_cpu(ctx->params1), params2 = be32_to_cpu(ctx->params2);
	u32 rnr_psn = be32_to_cpu(ctx->rnr_next_recv_psn);
	u32 state = FIELD_GET(TAVOR_QPC_STATE, flags);

	/* The hardware has no context of a QP in RESET: there is nothing to decode. */
	attr->qp_state = tavor_ib_qp_state(state);
	attr->path_mig_state = IB_MIG_MIGRATED;
	if (attr->qp_state == IB_QPS_RESET)
		return;
	attr->sq_draining = state == TAVOR_QP_HW_DRAINING;
	attr->path_mig_state = tavor_ib_mig_state(FIELD_GET(TAVOR_QPC_PM_STATE, flags));
	attr->path_mtu = FIELD_GET(TAVOR_QPC_MTU, be32_to_cpu(ctx->mtu_msgmax));
	attr->qkey = be32_to_cpu(ctx->qkey);
	attr->rq_psn = rnr_psn & TAVOR_QPC_PSN;
	attr->min_rnr_timer = FIELD_GET(TAVOR_QPC_MIN_RNR, rnr_psn);
	attr->sq_psn = be32_to_cpu(ctx->next_send_psn) & TAVOR_QPC_PSN;
	attr->dest_qp_num = be32_to_cpu(ctx->remote_qpn) & TAVOR_QPN_MASK;
	attr->qp_access_flags = tavor_ib_access(params2);
	attr->max_rd_atomic = params1 & TAVOR_QPC_SRE ?
			      1 << FIELD_GET(TAVOR_QPC_SRA_MAX, params1) : 0;
	attr->max_dest_rd_atomic = qp->attrs.resp_depth;
	attr->retry_cnt = FIELD_GET(TAVOR_QPC_RETRY_COUNT, params1);
	tavor_decode_paths(qp, ctx, attr);
}

static void tavor_query_created(const struct tavor_hw_qp *qp, struct ib_qp_init_attr *init_attr)
{
	const struct ib_qp *ibqp = qp->ibqp;

	memset(init_attr, 0, sizeof(*init_attr));
	init_attr->event_handler = ibqp->event_handler;
	init_attr->qp_context = ibqp->qp_context;
	init_attr->send_cq = ibqp->send_cq;
	init_attr->recv_cq = ibqp->recv_cq;
	init_attr->srq = ibqp->srq;
	init_attr->cap.max_send_wr = qp->sq.shape.max;
	init_attr->cap.max_recv_wr = qp->rq.shape.max;
	init_attr->cap.max_send_sge = qp->sq.shape.max_gs;
	init_attr->cap.max_recv_sge = qp->rq.shape.max_gs;
	init_attr->cap.max_inline_data = qp->max_inline;
	init_attr->sq_sig_type = qp->sq_sig_all ? IB_SIGNAL_ALL_WR : IB_SIGNAL_REQ_WR;
	init_attr->qp_type = qp->type;
	if (tavor_qp_is_special(qp))
		init_attr->port_num = qp->attrs.port;
}

static void tavor_query_answer(struct vrb_query_qp *req, const struct tavor_qp_context *ctx)
{
	struct tavor_hw_qp *qp = to_hw_qp(req->vrb.object);

	tavor_query_created(qp, &req->init_attr);
	memset(&req->attr, 0, sizeof(req->attr));
	tavor_decode_context(qp, ctx, &req->attr);
	req->attr.cur_qp_state = req->attr.qp_state;
	req->attr.cap = req->init_attr.cap;
}

/* A context that was never filled in decodes as RESET. */
static const struct tavor_qp_context tavor_reset_context;

static int tavor_query_encode(struct vrb_device *vdev, struct vrb *vrb, struct vrb_slot *slot)
{
	struct tavor_hw_qp *qp = to_hw_qp(vrb->object);

	/* In RESET the hardware has no context to return. */
	if (qp->state == IB_QPS_RESET) {
		tavor_query_answer(container_of(vrb, struct vrb_query_qp, vrb),
				   &tavor_reset_context);
		return VRB_END;
	}
	tavor_cmd_set(vrb_to_tdev(vdev), slot, TAVOR_CMD_QUERY_QPEE, 0, qp->qpn, TAVOR_CMD_OUT);
	return VRB_POST;
}

static int tavor_query_done(struct vrb_device *vdev, struct vrb *vrb, struct vrb_slot *slot,
			    const struct vrb_result *result)
{
	const struct tavor_qp_param *param = tavor_mbox_out(vrb_to_tdev(vdev), slot);
	struct vrb_query_qp *req = container_of(vrb, struct vrb_query_qp, vrb);

	if (result->status)
		return result->status;
	tavor_query_answer(req, &param->context);
	/*
	 * The hardware may have moved it to SQE or ERR by itself, but never to RESET. RESET must
	 * not be stored: a destroy of a QP in RESET does not make the hardware release the rings.
	 */
	if (req->attr.qp_state != IB_QPS_RESET)
		tavor_qp_set_state(to_hw_qp(vrb->object), req->attr.qp_state);
	return 0;
}

static const struct vrb_step tavor_query_qp_steps[] = {
	{ .name = "QUERY_QPEE", .encode = tavor_query_encode, .done = tavor_query_done },
};

const struct vrb_verb tavor_verb_query_qp = {
	.name = "QUERY_QP",
	.class = VRB_CLASS_BACKGROUND,
	VRB_STEPS(tavor_query_qp_steps),
};

/**
 * tavor_query_qp() - ib_device_ops.query_qp
 * @ibqp: the QP
 * @attr: set to its attributes in the hardware
 * @mask: ignored: all attributes are returned; those undefined for the QP's type or state are 0
 * @init_attr: as created
 *
 * Context: Process context.
 * Return: 0 or a negative errno.
 */
int tavor_query_qp(struct ib_qp *ibqp, struct ib_qp_attr *attr, int mask,
		   struct ib_qp_init_attr *init_attr)
{
	struct tavor_hw_qp *qp = to_tqp(ibqp)->hw;
	struct vrb_query_qp *req;
	int err;

	req = kzalloc(sizeof(*req), GFP_KERNEL);
	if (!req)
		return -ENOMEM;
	vrb_prep_query_qp(req, ibqp);
	req->vrb.class = VRB_CLASS_NORMAL;
	/* The query of a kernel QP is charged to the caller. */
	req->vrb.user = qp->object.destroy.user ?: tavor_exec_caller(qp->dev);
	err = tavor_exec(qp->dev, &req->vrb);
	/* A QP that is being destroyed, for example in a list of all QPs, is reported as RESET. */
	if (err == -ESHUTDOWN || err == -ECANCELED) {
		tavor_query_answer(req, &tavor_reset_context);
		err = 0;
	}
	if (!err) {
		*attr = req->attr;
		*init_attr = req->init_attr;
	}
	kfree(req);
	return err;
}
