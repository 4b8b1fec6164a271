/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * Functions that connect QPs, for tests of something else.
 */
#ifndef SELFTESTS_TAVOR_CONNECT_H
#define SELFTESTS_TAVOR_CONNECT_H

#include <infiniband/verbs.h>

static inline struct ibv_qp *connect_make(struct ibv_pd *pd, enum ibv_qp_type type,
					  struct ibv_cq *send_cq, struct ibv_cq *recv_cq, int depth)
{
	struct ibv_qp_init_attr init = {
		.send_cq = send_cq,
		.recv_cq = recv_cq,
		.qp_type = type,
		.sq_sig_all = 1,
		.cap = {
			.max_send_wr = depth,
			.max_recv_wr = depth,
			.max_send_sge = 1,
			.max_recv_sge = 1,
		},
	};

	return ibv_create_qp(pd, &init);
}

static inline int connect_to_init(struct ibv_qp *qp)
{
	struct ibv_qp_attr attr = {
		.qp_state = IBV_QPS_INIT,
		.port_num = 1,
		.qkey = 1,
		.qp_access_flags = IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_WRITE,
	};
	const int own = qp->qp_type == IBV_QPT_UD ? IBV_QP_QKEY : IBV_QP_ACCESS_FLAGS;

	return ibv_modify_qp(qp, &attr, IBV_QP_STATE | IBV_QP_PKEY_INDEX | IBV_QP_PORT | own);
}

/* Moves an RC or UC QP from INIT to RTR, on the first port. Returns 0 or an errno. */
static inline int connect_to_rtr(struct ibv_qp *qp, uint32_t qpn, uint16_t lid)
{
	struct ibv_qp_attr attr = {
		.qp_state = IBV_QPS_RTR,
		.path_mtu = IBV_MTU_1024,
		.dest_qp_num = qpn,
		.min_rnr_timer = 12,
		.max_dest_rd_atomic = 1,
		.ah_attr = { .dlid = lid, .port_num = 1 },
	};
	const int rc = IBV_QP_MAX_DEST_RD_ATOMIC | IBV_QP_MIN_RNR_TIMER;

	return ibv_modify_qp(qp, &attr,
			     IBV_QP_STATE | IBV_QP_AV | IBV_QP_PATH_MTU | IBV_QP_DEST_QPN |
				     IBV_QP_RQ_PSN | (qp->qp_type == IBV_QPT_RC ? rc : 0));
}

/* Moves an RC or UC QP from RTR to RTS. Returns 0 or an errno. */
static inline int connect_to_rts(struct ibv_qp *qp)
{
	struct ibv_qp_attr attr = {
		.qp_state = IBV_QPS_RTS,
		.timeout = 14,
		.retry_cnt = 7,
		.rnr_retry = 7,
		.max_rd_atomic = 1,
	};
	const int rc =
		IBV_QP_TIMEOUT | IBV_QP_RETRY_CNT | IBV_QP_RNR_RETRY | IBV_QP_MAX_QP_RD_ATOMIC;

	return ibv_modify_qp(qp, &attr,
			     IBV_QP_STATE | IBV_QP_SQ_PSN | (qp->qp_type == IBV_QPT_RC ? rc : 0));
}

/* Moves an RC or UC QP from INIT to RTS. Returns 0 or an errno. */
static inline int connect_to(struct ibv_qp *qp, uint32_t qpn, uint16_t lid)
{
	return connect_to_rtr(qp, qpn, lid) ?: connect_to_rts(qp);
}

#endif /* SELFTESTS_TAVOR_CONNECT_H */
