// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Builds the QP context of a transition from ib_core's attributes.
 *
 * For every transition the context is built from zeros, with the attributes that the caller passes
 * and the fields that never change in a QP's life. The firmware does not use all of them: that
 * depends on the command and on the mask of optional parameters, which tavor_qpc_encode() returns.
 * The port and the P_Key index, for example, are used by RST2INIT_QPEE, and by other commands only
 * if their bits are set in the mask (tavor-hw 12.6).
 */
#include <linux/bitfield.h>
#include <linux/log2.h>

#include "ah.h"
#include "qp.h"
#include "rate.h"
#include "tavor.h"

/*
 * How often an acknowledge is requested, and the limit of what may be outstanding. Their units are
 * not documented; other drivers write these values (tavor-hw 12.3).
 */
#define TAVOR_ACK_FREQUENCY	10
#define TAVOR_FLIGHT_LIMIT	9
#define TAVOR_CONNECTED_MSG_MAX	31	/* log2 of the longest RC or UC message in bytes */
/*
 * Access flags that a modify accepts. IB_ACCESS_OPTIONAL covers flags that a driver may ignore, and
 * this one ignores them.
 */
#define TAVOR_QP_ACCESS		(IB_ACCESS_LOCAL_WRITE | IB_ACCESS_REMOTE_WRITE |	\
				 IB_ACCESS_REMOTE_READ | IB_ACCESS_REMOTE_ATOMIC |	\
				 IB_ACCESS_MW_BIND | IB_ACCESS_OPTIONAL)

static bool tavor_alt_path_ok(const struct tavor_dev *dev, const struct ib_qp_attr *attr)
{
	return tavor_port_ok(dev, attr->alt_port_num) &&
	       attr->alt_pkey_index < dev->limits.pkey_table_len && attr->alt_timeout < 32 &&
	       tavor_ah_attr_ok(dev, &attr->alt_ah_attr);
}

static bool tavor_path_attrs_ok(const struct tavor_dev *dev, const struct ib_qp_attr *attr,
				int mask)
{
	if (mask & IB_QP_PORT && !tavor_port_ok(dev, attr->port_num))
		return false;
	if (mask & IB_QP_PKEY_INDEX && attr->pkey_index >= dev->limits.pkey_table_len)
		return false;
	if (mask & IB_QP_AV && (!tavor_port_ok(dev, rdma_ah_get_port_num(&attr->ah_attr)) ||
				!tavor_ah_attr_ok(dev, &attr->ah_attr)))
		return false;
	if (mask & IB_QP_ALT_PATH && !tavor_alt_path_ok(dev, attr))
		return false;
	if (mask & IB_QP_PATH_MTU &&
	    (attr->path_mtu < IB_MTU_256 || attr->path_mtu > dev->lim.max_mtu))
		return false;
	/* The hardware changes the state to armed by itself. */
	if (mask & IB_QP_PATH_MIG_STATE && attr->path_mig_state != IB_MIG_MIGRATED &&
	    attr->path_mig_state != IB_MIG_REARM)
		return false;
	return !(mask & IB_QP_TIMEOUT) || attr->timeout < 32;
}

static bool tavor_transport_attrs_ok(const struct tavor_dev *dev, const struct ib_qp_attr *attr,
				     int mask)
{
	if (mask & IB_QP_MAX_QP_RD_ATOMIC && attr->max_rd_atomic > dev->limits.max_qp_init_rdma)
		return false;
	if (mask & IB_QP_MAX_DEST_RD_ATOMIC &&
	    attr->max_dest_rd_atomic > dev->limits.max_qp_dest_rdma)
		return false;
	if (mask & IB_QP_RETRY_CNT && attr->retry_cnt > 7)
		return false;
	if (mask & IB_QP_RNR_RETRY && attr->rnr_retry > 7)
		return false;
	if (mask & IB_QP_ACCESS_FLAGS && attr->qp_access_flags & ~TAVOR_QP_ACCESS)
		return false;
	return !(mask & IB_QP_MIN_RNR_TIMER) || attr->min_rnr_timer < 32;
}

static bool tavor_numbers_ok(const struct ib_qp_attr *attr, int mask)
{
	return (!(mask & IB_QP_DEST_QPN) || attr->dest_qp_num <= TAVOR_QPN_MASK) &&
	       (!(mask & IB_QP_RQ_PSN) || attr->rq_psn <= TAVOR_QPC_PSN) &&
	       (!(mask & IB_QP_SQ_PSN) || attr->sq_psn <= TAVOR_QPC_PSN);
}

static const char *tavor_bad_value(const struct tavor_dev *dev, const struct ib_qp_attr *attr,
				   int mask)
{
	if (!tavor_path_attrs_ok(dev, attr, mask))
		return "path attribute";
	if (!tavor_transport_attrs_ok(dev, attr, mask))
		return "transport attribute";
	return tavor_numbers_ok(attr, mask) ? NULL : "QPN or PSN";
}

/**
 * tavor_qp_check_values() - are the values of a modify in range, whatever the QP's state
 * @qp: the QP
 * @attr: attributes
 * @mask: which of them are set
 *
 * Context: Any.
 * Return: 0 or -EINVAL.
 */
int tavor_qp_check_values(const struct tavor_hw_qp *qp, const struct ib_qp_attr *attr, int mask)
{
	const char *what = tavor_bad_value(qp->dev, attr, mask);

	if (!what)
		return 0;
	ibdev_dbg(&qp->dev->ib_dev, "QP 0x%06x: bad %s: mask 0x%x\n", qp->qpn, what, mask);
	return -EINVAL;
}

/**
 * tavor_qp_check_attrs() - checks whether a modify may be passed to the firmware
 * @qp: the QP
 * @mod: a modify with its states set
 *
 * Context: Any.
 * Return: 0 or -EINVAL.
 */
int tavor_qp_check_attrs(const struct tavor_hw_qp *qp, const struct tavor_qp_transition *mod)
{
	const char *what;

	/* ib_core uses the states as indices. */
	if (mod->from > IB_QPS_ERR || mod->to > IB_QPS_ERR)
		what = "state";
	else if (!ib_modify_qp_is_ok(mod->from, mod->to, qp->type, mod->mask))
		what = "transition or attribute mask";
	else
		what = tavor_bad_value(qp->dev, mod->attr, mod->mask);
	if (!what)
		return 0;
	ibdev_dbg(&qp->dev->ib_dev, "QP 0x%06x: bad %s: state %d to %d, mask 0x%x\n", qp->qpn, what,
		  mod->from, mod->to, mod->mask);
	return -EINVAL;
}

static void tavor_encode_path(const struct tavor_dev *dev, const struct rdma_ah_attr *ah, u32 port,
			      struct tavor_qp_path *path)
{
	u32 word = FIELD_PREP(TAVOR_PATH_SL, rdma_ah_get_sl(ah));

	path->grh_path_bits = FIELD_PREP(TAVOR_PATH_BITS, rdma_ah_get_path_bits(ah));
	path->dlid = cpu_to_be16(rdma_ah_get_dlid(ah));
	path->static_rate = tavor_static_rate(dev, port, rdma_ah_get_static_rate(ah));
	if (rdma_ah_get_ah_flags(ah) & IB_AH_GRH) {
		const struct ib_global_route *grh = rdma_ah_read_grh(ah);

		path->grh_path_bits |= TAVOR_PATH_GRH;
		path->sgid_index = grh->sgid_index;
		path->hop_limit = grh->hop_limit;
		word |= FIELD_PREP(TAVOR_PATH_TCLASS, grh->traffic_class) |
			FIELD_PREP(TAVOR_PATH_FLOW_LABEL, grh->flow_label);
		memcpy(path->dgid, grh->dgid.raw, sizeof(path->dgid));
	}
	path->sl_tclass_flow = cpu_to_be32(word);
}

static u32 tavor_encode_primary(const struct tavor_hw_qp *qp, const struct tavor_qp_transition *mod,
				struct tavor_qp_path *path)
{
	const struct ib_qp_attr *attr = mod->attr;
	u32 port = mod->mask & IB_QP_PORT ? attr->port_num : qp->attrs.port;
	u32 word = 0, opt = 0;

	if (mod->mask & IB_QP_AV) {
		tavor_encode_path(qp->dev, &attr->ah_attr, port, path);
		opt |= TAVOR_OPTPAR_PRI_PATH;
	}
	if (mod->mask & IB_QP_PORT)
		opt |= TAVOR_OPTPAR_PORT;
	/* Special QPs name their port in every transition. */
	if (mod->mask & IB_QP_PORT || tavor_qp_is_special(qp))
		word |= FIELD_PREP(TAVOR_PATH_PORT, port);
	if (mod->mask & IB_QP_PKEY_INDEX) {
		word |= FIELD_PREP(TAVOR_PATH_PKEY_INDEX, attr->pkey_index);
		opt |= TAVOR_OPTPAR_PKEY_INDEX;
	}
	if (mod->mask & IB_QP_TIMEOUT) {
		path->ack_timeout = FIELD_PREP(TAVOR_PATH_ACK_TIMEOUT, attr->timeout);
		opt |= TAVOR_OPTPAR_ACK_TIMEOUT;
	}
	path->port_pkey = cpu_to_be32(word);
	return opt;
}

static u32 tavor_encode_alternate(const struct tavor_hw_qp *qp, const struct ib_qp_attr *attr,
				  struct tavor_qp_path *path)
{
	tavor_encode_path(qp->dev, &attr->alt_ah_attr, attr->alt_port_num, path);
	path->port_pkey = cpu_to_be32(FIELD_PREP(TAVOR_PATH_PORT, attr->alt_port_num) |
				      FIELD_PREP(TAVOR_PATH_PKEY_INDEX, attr->alt_pkey_index));
	path->ack_timeout = FIELD_PREP(TAVOR_PATH_ACK_TIMEOUT, attr->alt_timeout);
	return TAVOR_OPTPAR_ALT_PATH;
}

static u32 tavor_encode_paths(const struct tavor_hw_qp *qp, const struct tavor_qp_transition *mod,
			      struct tavor_qp_context *ctx)
{
	u32 opt = tavor_encode_primary(qp, mod, &ctx->pri_path);

	if (mod->mask & IB_QP_ALT_PATH)
		opt |= tavor_encode_alternate(qp, mod->attr, &ctx->alt_path);
	if (mod->mask & IB_QP_RNR_RETRY) {
		ctx->pri_path.rnr_retry = FIELD_PREP(TAVOR_PATH_RNR_RETRY, mod->attr->rnr_retry);
		ctx->alt_path.rnr_retry = ctx->pri_path.rnr_retry;
		opt |= TAVOR_OPTPAR_RNR_RETRY | TAVOR_OPTPAR_ALT_RNR_RETRY;
	}
	return opt;
}

static u32 tavor_encode_pm_state(const struct tavor_qp_transition *mod, u32 *flags)
{
	enum tavor_pm_state state = TAVOR_PM_MIGRATED;

	if (mod->mask & IB_QP_PATH_MIG_STATE && mod->attr->path_mig_state == IB_MIG_REARM)
		state = TAVOR_PM_REARM;
	*flags |= FIELD_PREP(TAVOR_QPC_PM_STATE, state);
	return mod->mask & IB_QP_PATH_MIG_STATE ? TAVOR_OPTPAR_PM_STATE : 0;
}

static __be32 tavor_encode_mtu(const struct tavor_hw_qp *qp, const struct tavor_qp_transition *mod)
{
	u32 mtu = qp->dev->lim.max_mtu;

	/* A datagram is one packet: the message limit is the MTU, 128 << code bytes. */
	if (qp->service == TAVOR_SERVICE_UD || qp->service == TAVOR_SERVICE_MLX)
		return cpu_to_be32(FIELD_PREP(TAVOR_QPC_MTU, mtu) |
				   FIELD_PREP(TAVOR_QPC_MSG_MAX, mtu + 7));
	if (!(mod->mask & IB_QP_PATH_MTU))
		return 0;
	return cpu_to_be32(FIELD_PREP(TAVOR_QPC_MTU, mod->attr->path_mtu) |
			   FIELD_PREP(TAVOR_QPC_MSG_MAX, TAVOR_CONNECTED_MSG_MAX));
}

/* params1: this side as requester */
static u32 tavor_encode_requester(const struct tavor_hw_qp *qp,
				  const struct tavor_qp_transition *mod,
				  struct tavor_qp_context *ctx)
{
	u32 word = FIELD_PREP(TAVOR_QPC_ACK_FREQ, TAVOR_ACK_FREQUENCY) |
		   FIELD_PREP(TAVOR_QPC_FLIGHT_LIMIT, TAVOR_FLIGHT_LIMIT) | TAVOR_QPC_SWE;
	u32 opt = 0;

	if (qp->sq_sig_all)
		word |= TAVOR_QPC_SSC;
	if (mod->mask & IB_QP_RETRY_CNT) {
		word |= FIELD_PREP(TAVOR_QPC_RETRY_COUNT, mod->attr->retry_cnt);
		opt |= TAVOR_OPTPAR_RETRY_COUNT;
	}
	if (mod->mask & IB_QP_MAX_QP_RD_ATOMIC) {
		if (mod->attr->max_rd_atomic)
			word |= TAVOR_QPC_SRE | TAVOR_QPC_SAE |
				FIELD_PREP(TAVOR_QPC_SRA_MAX,
					   order_base_2(mod->attr->max_rd_atomic));
		opt |= TAVOR_OPTPAR_SRA_MAX;
	}
	if (mod->mask & IB_QP_SQ_PSN)
		ctx->next_send_psn = cpu_to_be32(mod->attr->sq_psn);
	ctx->params1 = cpu_to_be32(word);
	return opt;
}

/* Reads and atomics need responder resources: without these they are not allowed. */
static u32 tavor_encode_access(int access, u8 depth)
{
	u32 word = 0;

	if (access & IB_ACCESS_REMOTE_WRITE)
		word |= TAVOR_QPC_RWE;
	if (depth && access & IB_ACCESS_REMOTE_READ)
		word |= TAVOR_QPC_RRE;
	if (depth && access & IB_ACCESS_REMOTE_ATOMIC)
		word |= TAVOR_QPC_RAE;
	return word;
}

/* params2 and the receive PSN: this side as responder */
static u32 tavor_encode_responder(const struct tavor_hw_qp *qp,
				  const struct tavor_qp_transition *mod,
				  struct tavor_qp_context *ctx)
{
	const struct ib_qp_attr *attr = mod->attr;
	u8 depth = mod->mask & IB_QP_MAX_DEST_RD_ATOMIC ? attr->max_dest_rd_atomic :
		   qp->attrs.resp_depth;
	int access = mod->mask & IB_QP_ACCESS_FLAGS ? attr->qp_access_flags : qp->attrs.access;
	u32 word = TAVOR_QPC_RSC | (qp->srq ? TAVOR_QPC_RIC : 0);
	u32 psn = 0, opt = 0;

	if (mod->mask & IB_QP_MAX_DEST_RD_ATOMIC) {
		if (depth)
			word |= FIELD_PREP(TAVOR_QPC_RRA_MAX, order_base_2(depth));
		opt |= TAVOR_OPTPAR_RRA_MAX;
	}
	if (mod->mask & (IB_QP_ACCESS_FLAGS | IB_QP_MAX_DEST_RD_ATOMIC)) {
		word |= tavor_encode_access(access, depth);
		opt |= TAVOR_OPTPAR_RWE | TAVOR_OPTPAR_RRE | TAVOR_OPTPAR_RAE;
	}
	if (mod->mask & IB_QP_MIN_RNR_TIMER) {
		psn |= FIELD_PREP(TAVOR_QPC_MIN_RNR, attr->min_rnr_timer);
		opt |= TAVOR_OPTPAR_MIN_RNR;
	}
	if (mod->mask & IB_QP_RQ_PSN)
		psn |= FIELD_PREP(TAVOR_QPC_PSN, attr->rq_psn);
	ctx->params2 = cpu_to_be32(word);
	ctx->rnr_next_recv_psn = cpu_to_be32(psn);
	return opt;
}

/* Fields that never change in a QP's life. */
static void tavor_encode_identity(const struct tavor_hw_qp *qp, struct tavor_qp_context *ctx)
{
	const struct tavor_dev *dev = qp->dev;
	u32 index = qp->qpn & (dev->limits.num_qps - 1);
	u64 rdb = dev->layout.rdb + (u64)index * dev->limits.rdb_per_qp * TAVOR_RDB_SIZE;

	ctx->uar_page = cpu_to_be32(qp->uar);
	ctx->local_qpn = cpu_to_be32(qp->qpn);
	ctx->pd = cpu_to_be32(qp->pd->pdn);
	ctx->wqe_lkey = cpu_to_be32(qp->lkey);
	ctx->send_cqn = cpu_to_be32(qp->send_cq->cqn);
	ctx->recv_cqn = cpu_to_be32(qp->recv_cq->cqn);
	ctx->rdb_base = cpu_to_be32(lower_32_bits(rdb));
	if (qp->srq)
		ctx->srqn = cpu_to_be32(TAVOR_QPC_SRQ_ENABLE | qp->srq->srqn);
}

/* Only a hint: kernel and user QPs from two queues. */
static u32 tavor_encode_sched_queue(const struct tavor_hw_qp *qp,
				    const struct tavor_qp_transition *mod,
				    struct tavor_qp_context *ctx)
{
	if (qp->service != TAVOR_SERVICE_RC || mod->from != IB_QPS_INIT || mod->to != IB_QPS_RTR)
		return 0;
	ctx->sched_queue = cpu_to_be32(FIELD_PREP(TAVOR_QPC_SCHED_QUEUE, qp->half.user ? 2 : 1));
	return TAVOR_OPTPAR_SCHED_QUEUE;
}

static u32 tavor_hw_qp_state(enum ib_qp_state state)
{
	static const u8 states[] = {
		[IB_QPS_RESET]	= TAVOR_QP_HW_RESET,
		[IB_QPS_INIT]	= TAVOR_QP_HW_INIT,
		[IB_QPS_RTR]	= TAVOR_QP_HW_RTR,
		[IB_QPS_RTS]	= TAVOR_QP_HW_RTS,
		[IB_QPS_SQD]	= TAVOR_QP_HW_SQD,
		[IB_QPS_SQE]	= TAVOR_QP_HW_SQE,
		[IB_QPS_ERR]	= TAVOR_QP_HW_ERR,
	};

	return states[state];
}

/**
 * tavor_qpc_encode() - encodes the QP context of a transition
 * @qp: the QP
 * @mod: attributes, checked by tavor_qp_check_attrs()
 * @ctx: context in the mailbox, all zero
 *
 * Context: Any.
 * Return: the optional-parameter mask, TAVOR_OPTPAR_*.
 */
u32 tavor_qpc_encode(const struct tavor_hw_qp *qp, const struct tavor_qp_transition *mod,
		     struct tavor_qp_context *ctx)
{
	u32 flags = FIELD_PREP(TAVOR_QPC_STATE, tavor_hw_qp_state(mod->to)) |
		    FIELD_PREP(TAVOR_QPC_SERVICE, qp->service) | TAVOR_QPC_DE;
	u32 opt;

	opt = tavor_encode_pm_state(mod, &flags);
	ctx->flags = cpu_to_be32(flags);
	ctx->mtu_msgmax = tavor_encode_mtu(qp, mod);
	tavor_encode_identity(qp, ctx);
	opt |= tavor_encode_sched_queue(qp, mod, ctx);
	opt |= tavor_encode_paths(qp, mod, ctx);
	opt |= tavor_encode_requester(qp, mod, ctx);
	opt |= tavor_encode_responder(qp, mod, ctx);
	if (mod->mask & IB_QP_DEST_QPN)
		ctx->remote_qpn = cpu_to_be32(mod->attr->dest_qp_num);
	if (mod->mask & IB_QP_QKEY) {
		ctx->qkey = cpu_to_be32(mod->attr->qkey);
		opt |= TAVOR_OPTPAR_QKEY;
	}
	return opt;
}

/**
 * tavor_qp_next_attrs() - stores the attributes that a QP will have if a transition succeeds
 * @qp: the QP
 * @mod: the modify
 *
 * Context: Any, from the QP's own requests only.
 */
void tavor_qp_next_attrs(struct tavor_hw_qp *qp, const struct tavor_qp_transition *mod)
{
	const struct ib_qp_attr *attr = mod->attr;
	struct tavor_qp_attrs *attrs = &qp->next_attrs;

	*attrs = qp->attrs;
	if (mod->to == IB_QPS_RESET)
		*attrs = (struct tavor_qp_attrs){ .port = qp->attrs.port };
	if (mod->mask & IB_QP_PORT)
		attrs->port = attr->port_num;
	if (mod->mask & IB_QP_ALT_PATH)
		attrs->alt_port = attr->alt_port_num;
	if (mod->mask & IB_QP_PKEY_INDEX)
		attrs->pkey_index = attr->pkey_index;
	if (mod->mask & IB_QP_QKEY)
		attrs->qkey = attr->qkey;
	if (mod->mask & IB_QP_MAX_DEST_RD_ATOMIC)
		attrs->resp_depth = attr->max_dest_rd_atomic;
	if (mod->mask & IB_QP_MAX_QP_RD_ATOMIC)
		attrs->req_depth = attr->max_rd_atomic;
	if (mod->mask & IB_QP_ACCESS_FLAGS)
		attrs->access = attr->qp_access_flags;
	qp->next_state = mod->to;
}
