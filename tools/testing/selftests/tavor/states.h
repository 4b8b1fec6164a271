/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * Functions that bring a QP to any state, with the attributes vq_good.
 */
#ifndef SELFTESTS_TAVOR_STATES_H
#define SELFTESTS_TAVOR_STATES_H

#include <errno.h>
#include <unistd.h>
#include "verb_queue_request.h"

/* The attributes that a transition to @to needs, with the state */
static inline int state_needs(enum ibv_qp_type type, enum ibv_qp_state to)
{
	const int own = type == IBV_QPT_UD ? IBV_QP_QKEY : IBV_QP_ACCESS_FLAGS;
	int mask = IBV_QP_STATE;

	if (to == IBV_QPS_INIT)
		mask |= VQ_INIT_MASK | own;
	if (to == IBV_QPS_RTR && type != IBV_QPT_UD)
		mask |= VQ_RTR_MASK | (type == IBV_QPT_RC ? VQ_RTR_RC_MASK : 0);
	if (to == IBV_QPS_RTS)
		mask |= IBV_QP_SQ_PSN | (type == IBV_QPT_RC ? VQ_RTS_RC_MASK : 0);
	return mask;
}

/* Makes one transition. Returns 0 or an errno, like all functions here. */
static inline int state_advance(struct ibv_qp *qp, enum ibv_qp_state to)
{
	struct ibv_qp_attr attr = vq_good;

	attr.qp_state = to;
	return ibv_modify_qp(qp, &attr, state_needs(qp->qp_type, to));
}

/*
 * A send from memory that is not registered moves a UC or UD QP to SQE. Its CQ must be empty.
 * @ah: the destination of a UD QP
 */
static inline int state_fail_send(struct ibv_qp *qp, struct ibv_ah *ah)
{
	struct ibv_sge sge = { .addr = 4096, .length = 8, .lkey = 0xffffff };
	struct ibv_send_wr *bad, wr = {
		.sg_list = &sge,
		.num_sge = 1,
		.opcode = IBV_WR_SEND,
		.send_flags = IBV_SEND_SIGNALED,
	};
	int ret, n = 0, tries;
	struct ibv_wc wc;

	if (qp->qp_type == IBV_QPT_UD) {
		wr.wr.ud.ah = ah;
		wr.wr.ud.remote_qpn = 0x111111;
	}
	ret = ibv_post_send(qp, &wr, &bad);
	for (tries = 0; !ret && !n && tries < 500; tries++) {
		n = ibv_poll_cq(qp->send_cq, 1, &wc);
		usleep(10000);
	}
	return ret ?: n == 1 && wc.status ? 0 : ETIME;
}

/* Moves a new QP to a state. @ah: see state_fail_send() */
static inline int state_bring(struct ibv_qp *qp, enum ibv_qp_state state, struct ibv_ah *ah)
{
	const enum ibv_qp_state last = state < IBV_QPS_SQD ? state : IBV_QPS_RTS;
	enum ibv_qp_state at;
	int ret = 0;

	if (state == IBV_QPS_ERR)
		return state_advance(qp, IBV_QPS_INIT) ?: state_advance(qp, IBV_QPS_ERR);
	for (at = IBV_QPS_INIT; !ret && at <= last; at++)
		ret = state_advance(qp, at);
	if (!ret && state == IBV_QPS_SQD)
		ret = state_advance(qp, IBV_QPS_SQD);
	if (!ret && state == IBV_QPS_SQE)
		ret = state_fail_send(qp, ah);
	return ret;
}

#endif /* SELFTESTS_TAVOR_STATES_H */
