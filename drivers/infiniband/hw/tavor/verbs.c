// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * ib_device_ops of CQs, SRQs, QPs, address handles, multicast and MADs.
 */
#include "tavor_av.h"
#include "tavor_cq.h"
#include "tavor_mad.h"
#include "tavor_qp.h"
#include "tavor_srq.h"

const struct ib_device_ops tavor_verbs_ops = {
	.attach_mcast = tavor_attach_mcast,
	.create_ah = tavor_create_ah,
	.create_cq = tavor_create_cq,
	.create_qp = tavor_create_qp,
	.create_srq = tavor_create_srq,
	.destroy_ah = tavor_destroy_ah,
	.destroy_cq = tavor_destroy_cq,
	.destroy_qp = tavor_destroy_qp,
	.destroy_srq = tavor_destroy_srq,
	.detach_mcast = tavor_detach_mcast,
	.modify_qp = tavor_modify_qp,
	.modify_srq = tavor_modify_srq,
	.poll_cq = tavor_poll_cq,
	.post_recv = tavor_post_recv,
	.post_send = tavor_post_send,
	.post_srq_recv = tavor_post_srq_recv,
	.process_mad = tavor_process_mad,
	.query_ah = tavor_query_ah,
	.query_qp = tavor_query_qp,
	.query_srq = tavor_query_srq,
	.req_notify_cq = tavor_req_notify_cq,
	TAVOR_RESIZE_CQ_OP(tavor_resize_user_cq),

	INIT_RDMA_OBJ_SIZE(ib_ah, tavor_ah, ib),
	INIT_RDMA_OBJ_SIZE(ib_cq, tavor_cq, ib),
	INIT_RDMA_OBJ_SIZE(ib_qp, tavor_qp, ib),
	INIT_RDMA_OBJ_SIZE(ib_srq, tavor_srq, ib),
};
