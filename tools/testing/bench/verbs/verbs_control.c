// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * A kernel client's verbs that execute commands, with any driver: loading the module executes the
 * intervals of cases.h on port 1 of the first device, which must be active.
 */
#include <linux/module.h>
#include <linux/slab.h>
#include <rdma/ib_verbs.h>
#include <rdma/vrb_compat.h>

#include "../count/marker.h"
#define CASES_BASE 0
#include "cases.h"

MODULE_DESCRIPTION("What verbs cost that execute commands, on whatever driver");
MODULE_LICENSE("Dual BSD/GPL");

#define PORT 1
#define CQE 63

static int times = 21;
module_param(times, int, 0444);
MODULE_PARM_DESC(times, "rounds");

struct bed {
	struct ib_device *device;
	struct ib_pd *pd;
	struct ib_cq *cq;
	u32 lid;
};

static void no_event(struct ib_cq *cq, void *context)
{
}

static struct ib_cq *create_cq(struct bed *bed)
{
	struct ib_cq_init_attr attr = { .cqe = CQE };

	return ib_create_cq(bed->device, no_event, NULL, NULL, &attr);
}

static struct ib_qp *create_qp(struct bed *bed, enum ib_qp_type type)
{
	struct ib_qp_init_attr attr = {
		.qp_type = type,
		.sq_sig_type = IB_SIGNAL_REQ_WR,
		.send_cq = bed->cq,
		.recv_cq = bed->cq,
		.cap = {
			.max_send_wr = 16, .max_recv_wr = 16,
			.max_send_sge = 1, .max_recv_sge = 1,
		},
	};

	return ib_create_qp(bed->pd, &attr);
}

static int measure_pd(struct bed *bed)
{
	struct ib_pd *pd;

	count_begin(ALLOC_PD);
	pd = ib_alloc_pd(bed->device, 0);
	count_end(ALLOC_PD);
	if (IS_ERR(pd))
		return PTR_ERR(pd);
	count_begin(DEALLOC_PD);
	ib_dealloc_pd(pd);
	count_end(DEALLOC_PD);

	count_begin(ALLOC_PD_KEY);
	pd = ib_alloc_pd(bed->device, IB_PD_UNSAFE_GLOBAL_RKEY);
	count_end(ALLOC_PD_KEY);
	if (IS_ERR(pd))
		return PTR_ERR(pd);
	count_begin(DEALLOC_PD_KEY);
	ib_dealloc_pd(pd);
	count_end(DEALLOC_PD_KEY);
	return 0;
}

static int measure_ah(struct bed *bed)
{
	struct rdma_ah_attr attr = { .type = RDMA_AH_ATTR_TYPE_IB };
	struct ib_ah *ah;

	rdma_ah_set_dlid(&attr, bed->lid);
	rdma_ah_set_port_num(&attr, PORT);
	count_begin(CREATE_AH);
	ah = rdma_create_ah(bed->pd, &attr, RDMA_CREATE_AH_SLEEPABLE);
	count_end(CREATE_AH);
	if (IS_ERR(ah))
		return PTR_ERR(ah);
	count_begin(DESTROY_AH);
	rdma_destroy_ah(ah, RDMA_DESTROY_AH_SLEEPABLE);
	count_end(DESTROY_AH);
	return 0;
}

static int resize(struct ib_cq *cq)
{
	/* Newer kernels resize the CQs of processes only. */
#ifdef VRB_HAS_RESIZE_USER_CQ
	return 0;
#else
	int ret;

	count_begin(RESIZE_CQ);
	ret = ib_resize_cq(cq, 4 * CQE);
	count_end(RESIZE_CQ);
	return ret;
#endif
}

static int measure_cq(struct bed *bed)
{
	struct ib_cq *cq;
	int ret;

	count_begin(CREATE_CQ);
	cq = create_cq(bed);
	count_end(CREATE_CQ);
	if (IS_ERR(cq))
		return PTR_ERR(cq);
	ret = resize(cq);
	count_begin(DESTROY_CQ);
	ib_destroy_cq(cq);
	count_end(DESTROY_CQ);
	return ret;
}

static int measure_srq(struct bed *bed)
{
	struct ib_srq_init_attr init = {
		.srq_type = IB_SRQT_BASIC,
		.attr = { .max_wr = 16, .max_sge = 1 },
	};
	struct ib_srq_attr attr = { .srq_limit = 4 };
	struct ib_srq *srq;
	int ret;

	count_begin(CREATE_SRQ);
	srq = ib_create_srq(bed->pd, &init);
	count_end(CREATE_SRQ);
	if (IS_ERR(srq))
		return PTR_ERR(srq);
	count_begin(MODIFY_SRQ);
	ret = ib_modify_srq(srq, &attr, IB_SRQ_LIMIT);
	count_end(MODIFY_SRQ);
	count_begin(QUERY_SRQ);
	ret = ret ?: ib_query_srq(srq, &attr);
	count_end(QUERY_SRQ);
	count_begin(DESTROY_SRQ);
	ib_destroy_srq(srq);
	count_end(DESTROY_SRQ);
	return ret;
}

static int to_init(struct ib_qp *qp)
{
	struct ib_qp_attr attr = {
		.qp_state = IB_QPS_INIT, .port_num = PORT,
		.qp_access_flags = IB_ACCESS_REMOTE_WRITE,
	};

	return ib_modify_qp(qp, &attr, IB_QP_STATE | IB_QP_PKEY_INDEX | IB_QP_PORT |
			    IB_QP_ACCESS_FLAGS);
}

static int to_rtr(struct bed *bed, struct ib_qp *qp)
{
	struct ib_qp_attr attr = {
		.qp_state = IB_QPS_RTR, .path_mtu = IB_MTU_1024, .dest_qp_num = qp->qp_num,
		.max_dest_rd_atomic = 1, .min_rnr_timer = 12,
		.ah_attr.type = RDMA_AH_ATTR_TYPE_IB,
	};

	rdma_ah_set_dlid(&attr.ah_attr, bed->lid);
	rdma_ah_set_port_num(&attr.ah_attr, PORT);
	return ib_modify_qp(qp, &attr, IB_QP_STATE | IB_QP_AV | IB_QP_PATH_MTU | IB_QP_DEST_QPN |
			    IB_QP_RQ_PSN | IB_QP_MAX_DEST_RD_ATOMIC | IB_QP_MIN_RNR_TIMER);
}

static int to_rts(struct ib_qp *qp)
{
	struct ib_qp_attr attr = {
		.qp_state = IB_QPS_RTS, .timeout = 18, .retry_cnt = 7, .rnr_retry = 7,
		.max_rd_atomic = 1,
	};

	return ib_modify_qp(qp, &attr, IB_QP_STATE | IB_QP_TIMEOUT | IB_QP_RETRY_CNT |
			    IB_QP_RNR_RETRY | IB_QP_SQ_PSN | IB_QP_MAX_QP_RD_ATOMIC);
}

static int to(struct ib_qp *qp, enum ib_qp_state state)
{
	struct ib_qp_attr attr = { .qp_state = state };

	return ib_modify_qp(qp, &attr, IB_QP_STATE);
}

/* The send queue is drained, and continues. */
static int measure_drain(struct ib_qp *qp)
{
	int ret;

	count_begin(TO_SQD);
	ret = to(qp, IB_QPS_SQD);
	count_end(TO_SQD);
	count_begin(FROM_SQD);
	ret = ret ?: to(qp, IB_QPS_RTS);
	count_end(FROM_SQD);
	return ret;
}

static int measure_states(struct bed *bed, struct ib_qp *qp)
{
	struct ib_qp_init_attr init;
	struct ib_qp_attr attr;
	int ret;

	count_begin(TO_INIT);
	ret = to_init(qp);
	count_end(TO_INIT);
	count_begin(TO_RTR);
	ret = ret ?: to_rtr(bed, qp);
	count_end(TO_RTR);
	count_begin(TO_RTS);
	ret = ret ?: to_rts(qp);
	count_end(TO_RTS);
	count_begin(QUERY_QP);
	ret = ret ?: ib_query_qp(qp, &attr, IB_QP_STATE, &init);
	count_end(QUERY_QP);
	ret = ret ?: measure_drain(qp);
	count_begin(TO_ERR);
	ret = ret ?: to(qp, IB_QPS_ERR);
	count_end(TO_ERR);
	count_begin(TO_RESET);
	ret = ret ?: to(qp, IB_QPS_RESET);
	count_end(TO_RESET);
	return ret;
}

static int measure_qp(struct bed *bed)
{
	struct ib_qp *qp;
	int ret;

	count_begin(CREATE_QP);
	qp = create_qp(bed, IB_QPT_RC);
	count_end(CREATE_QP);
	if (IS_ERR(qp))
		return PTR_ERR(qp);
	ret = measure_states(bed, qp);
	count_begin(DESTROY_QP);
	ib_destroy_qp(qp);
	count_end(DESTROY_QP);
	return ret;
}

static int measure_mcast(struct bed *bed)
{
	union ib_gid gid = { .raw = { 0xff, 0x12, 0x40, 0x1b, 0xff, 0xff, [15] = 7 } };
	struct ib_qp_attr attr = { .qp_state = IB_QPS_INIT, .port_num = PORT, .qkey = 1 };
	struct ib_qp *qp = create_qp(bed, IB_QPT_UD);
	int ret;

	if (IS_ERR(qp))
		return PTR_ERR(qp);
	ret = ib_modify_qp(qp, &attr, IB_QP_STATE | IB_QP_PKEY_INDEX | IB_QP_PORT | IB_QP_QKEY);
	count_begin(ATTACH);
	ret = ret ?: ib_attach_mcast(qp, &gid, 0xc007);
	count_end(ATTACH);
	count_begin(DETACH);
	ret = ret ?: ib_detach_mcast(qp, &gid, 0xc007);
	count_end(DETACH);
	ib_destroy_qp(qp);
	return ret;
}

static int measure_port(struct bed *bed)
{
	struct ib_port_modify modify = {};
	struct ib_port_attr port;
	u16 pkey;
	int ret;

	count_begin(QUERY_PORT);
	ret = ib_query_port(bed->device, PORT, &port);
	count_end(QUERY_PORT);
	count_begin(QUERY_PKEY);
	ret = ret ?: ib_query_pkey(bed->device, PORT, 0, &pkey);
	count_end(QUERY_PKEY);
	count_begin(MODIFY_PORT);
	ret = ret ?: ib_modify_port(bed->device, PORT, 0, &modify);
	count_end(MODIFY_PORT);
	return ret;
}

static int measure(struct bed *bed)
{
	int i, ret = 0;

	for (i = 0; i < times && !ret; i++) {
		ret = measure_pd(bed);
		ret = ret ?: measure_ah(bed);
		ret = ret ?: measure_cq(bed);
		ret = ret ?: measure_srq(bed);
		ret = ret ?: measure_qp(bed);
		ret = ret ?: measure_mcast(bed);
		ret = ret ?: measure_port(bed);
	}
	return ret;
}

static int result = -ENODEV;

static int with_objects(struct bed *bed)
{
	struct ib_port_attr port;
	int ret;

	ret = ib_query_port(bed->device, PORT, &port);
	if (ret)
		return ret;
	bed->lid = port.lid;
	bed->cq = create_cq(bed);
	if (IS_ERR(bed->cq))
		return PTR_ERR(bed->cq);
	ret = measure(bed);
	ib_destroy_cq(bed->cq);
	return ret;
}

static int on_device(struct ib_device *device)
{
	struct bed bed = { .device = device };

	if (result != -ENODEV)
		return -EOPNOTSUPP;
	bed.pd = ib_alloc_pd(device, 0);
	if (IS_ERR(bed.pd)) {
		result = PTR_ERR(bed.pd);
		return -EOPNOTSUPP;
	}
	result = with_objects(&bed);
	ib_dealloc_pd(bed.pd);
	return -EOPNOTSUPP;	/* there is nothing to remove later */
}

static struct ib_client client = { .name = "verbs_control", .add = on_device };

static int __init verbs_control_init(void)
{
	int ret = ib_register_client(&client);

	if (ret)
		return ret;
	ib_unregister_client(&client);
	return result;
}

static void __exit verbs_control_exit(void)
{
}

module_init(verbs_control_init);
module_exit(verbs_control_exit);
