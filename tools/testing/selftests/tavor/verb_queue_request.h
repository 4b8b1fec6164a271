/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * Requests for verb queues, for the tests of their ABI.
 */
#ifndef SELFTESTS_TAVOR_VERB_QUEUE_REQUEST_H
#define SELFTESTS_TAVOR_VERB_QUEUE_REQUEST_H

#include <stdio.h>
#include "verb_queue.h"

#define VQ_INIT_MASK (IBV_QP_STATE | IBV_QP_PKEY_INDEX | IBV_QP_PORT)
#define VQ_RTR_MASK (IBV_QP_AV | IBV_QP_PATH_MTU | IBV_QP_DEST_QPN | IBV_QP_RQ_PSN)
#define VQ_RTR_RC_MASK (IBV_QP_MAX_DEST_RD_ATOMIC | IBV_QP_MIN_RNR_TIMER)
#define VQ_RTS_RC_MASK \
	(IBV_QP_TIMEOUT | IBV_QP_RETRY_CNT | IBV_QP_RNR_RETRY | IBV_QP_MAX_QP_RD_ATOMIC)

/* The attributes of all transitions from RESET to RTS */
static inline int vq_connect_mask(enum ibv_qp_type type)
{
	const int own = type == IBV_QPT_UD ? IBV_QP_QKEY : IBV_QP_ACCESS_FLAGS;
	int mask = VQ_INIT_MASK | own | IBV_QP_SQ_PSN;

	if (type != IBV_QPT_UD)
		mask |= VQ_RTR_MASK;
	if (type == IBV_QPT_RC)
		mask |= VQ_RTR_RC_MASK | VQ_RTS_RC_MASK;
	return mask;
}

/* Attributes that all transitions to RTS accept */
static const struct ibv_qp_attr vq_good = {
	.qp_state = IBV_QPS_RTS,
	.port_num = 1,
	.qkey = 1,
	.qp_access_flags = IBV_ACCESS_REMOTE_WRITE,
	.path_mtu = IBV_MTU_1024,
	.dest_qp_num = 0x111111,
	.rq_psn = 0x123,
	.sq_psn = 0x456,
	.min_rnr_timer = 12,
	.timeout = 14,
	.retry_cnt = 7,
	.rnr_retry = 7,
	.max_rd_atomic = 1,
	.max_dest_rd_atomic = 1,
	.ah_attr = { .dlid = 1, .port_num = 1 },
};

static inline void vq_to_uverbs_ah(struct ib_uverbs_ah_attr *to, const struct ibv_ah_attr *from)
{
	memcpy(to->grh.dgid, from->grh.dgid.raw, 16);
	to->grh.flow_label = from->grh.flow_label;
	to->grh.sgid_index = from->grh.sgid_index;
	to->grh.hop_limit = from->grh.hop_limit;
	to->grh.traffic_class = from->grh.traffic_class;
	to->dlid = from->dlid;
	to->sl = from->sl;
	to->src_path_bits = from->src_path_bits;
	to->static_rate = from->static_rate;
	to->is_global = from->is_global;
	to->port_num = from->port_num;
}

static inline struct vrb_queue_request vq_request(uint64_t user_data, uint32_t op,
						  const struct ibv_qp_attr *from, int mask)
{
	struct vrb_queue_request r = { .user_data = user_data, .op = op };

	if (!from)
		return r;
	r.attr.qp_attr_mask = mask;
	r.attr.qp_state = from->qp_state;
	r.attr.cur_qp_state = from->cur_qp_state;
	r.attr.path_mtu = from->path_mtu;
	r.attr.path_mig_state = from->path_mig_state;
	r.attr.qkey = from->qkey;
	r.attr.rq_psn = from->rq_psn;
	r.attr.sq_psn = from->sq_psn;
	r.attr.dest_qp_num = from->dest_qp_num;
	r.attr.qp_access_flags = from->qp_access_flags;
	r.attr.pkey_index = from->pkey_index;
	r.attr.alt_pkey_index = from->alt_pkey_index;
	r.attr.en_sqd_async_notify = from->en_sqd_async_notify;
	r.attr.max_rd_atomic = from->max_rd_atomic;
	r.attr.max_dest_rd_atomic = from->max_dest_rd_atomic;
	r.attr.min_rnr_timer = from->min_rnr_timer;
	r.attr.port_num = from->port_num;
	r.attr.timeout = from->timeout;
	r.attr.retry_cnt = from->retry_cnt;
	r.attr.rnr_retry = from->rnr_retry;
	r.attr.alt_port_num = from->alt_port_num;
	r.attr.alt_timeout = from->alt_timeout;
	vq_to_uverbs_ah(&r.attr.ah_attr, &from->ah_attr);
	vq_to_uverbs_ah(&r.attr.alt_ah_attr, &from->alt_ah_attr);
	return r;
}

static inline struct vrb_queue_request vq_to_init(uint64_t user_data)
{
	struct ibv_qp_attr attr = vq_good;

	attr.qp_state = IBV_QPS_INIT;
	return vq_request(user_data, VRB_QUEUE_OP_MODIFY, &attr,
			  VQ_INIT_MASK | IBV_QP_ACCESS_FLAGS);
}

/* Submits a request and waits for its completion. Returns its status, or -1 if none came. */
static inline int vq_one(int cmd_fd, int fd, const struct ibv_qp *qp, struct vrb_queue_request r,
			 struct vrb_queue_completion *c)
{
	int ret = vq_submit(cmd_fd, fd, &r, &qp->handle, 1);

	memset(c, 0xff, sizeof(*c));
	if (ret != 1 || vq_reap(fd, c, 1) != 1) {
		printf("# submit: %d\n", ret);
		return -1;
	}
	return c->user_data == r.user_data && c->op == r.op && c->qp_num == qp->qp_num ?
		       (int)c->status :
		       -1;
}

#endif /* SELFTESTS_TAVOR_VERB_QUEUE_REQUEST_H */
