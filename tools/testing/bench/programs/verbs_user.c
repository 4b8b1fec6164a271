// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * A process's verbs that execute commands: runs the intervals of verbs/cases.h as often as the
 * argument says, on port 1 of the first device, which must be active.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <infiniband/verbs.h>

#include "../count/marker.h"
#define CASES_BASE 64 /* the ids below are the kernel module's */
#include "../verbs/cases.h"

#define PORT 1
#define CQE 63

static struct ibv_context *context;
static struct ibv_pd *pd;
static struct ibv_cq *cq;
static struct ibv_port_attr port;
static uint8_t page[4096] __attribute__((aligned(4096)));

static void check(int bad, const char *what)
{
	if (!bad)
		return;
	fprintf(stderr, "verbs_user: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void measure_device(void)
{
	struct ibv_context *another;
	int bad;

	count_begin(OPEN);
	another = ibv_open_device(context->device);
	count_end(OPEN);
	check(!another, "ibv_open_device");
	count_begin(CLOSE);
	bad = ibv_close_device(another);
	count_end(CLOSE);
	check(bad, "ibv_close_device");
}

static void measure_pd(void)
{
	struct ibv_pd *another;
	int bad;

	count_begin(ALLOC_PD);
	another = ibv_alloc_pd(context);
	count_end(ALLOC_PD);
	check(!another, "ibv_alloc_pd");
	count_begin(DEALLOC_PD);
	bad = ibv_dealloc_pd(another);
	count_end(DEALLOC_PD);
	check(bad, "ibv_dealloc_pd");
}

static void measure_ah(void)
{
	struct ibv_ah_attr attr = { .dlid = port.lid, .port_num = PORT };
	struct ibv_ah *ah;
	int bad;

	count_begin(CREATE_AH);
	ah = ibv_create_ah(pd, &attr);
	count_end(CREATE_AH);
	check(!ah, "ibv_create_ah");
	count_begin(DESTROY_AH);
	bad = ibv_destroy_ah(ah);
	count_end(DESTROY_AH);
	check(bad, "ibv_destroy_ah");
}

static void measure_cq(void)
{
	struct ibv_cq *another;
	int bad;

	count_begin(CREATE_CQ);
	another = ibv_create_cq(context, CQE, NULL, NULL, 0);
	count_end(CREATE_CQ);
	check(!another, "ibv_create_cq");
	count_begin(RESIZE_CQ);
	bad = ibv_resize_cq(another, 4 * CQE);
	count_end(RESIZE_CQ);
	check(bad, "ibv_resize_cq");
	count_begin(DESTROY_CQ);
	bad = ibv_destroy_cq(another);
	count_end(DESTROY_CQ);
	check(bad, "ibv_destroy_cq");
}

static void measure_srq(void)
{
	struct ibv_srq_init_attr init = { .attr = { .max_wr = 16, .max_sge = 1 } };
	struct ibv_srq_attr attr = { .srq_limit = 4 };
	struct ibv_srq *srq;
	int bad;

	count_begin(CREATE_SRQ);
	srq = ibv_create_srq(pd, &init);
	count_end(CREATE_SRQ);
	check(!srq, "ibv_create_srq");
	count_begin(MODIFY_SRQ);
	bad = ibv_modify_srq(srq, &attr, IBV_SRQ_LIMIT);
	count_end(MODIFY_SRQ);
	check(bad, "ibv_modify_srq");
	count_begin(QUERY_SRQ);
	bad = ibv_query_srq(srq, &attr);
	count_end(QUERY_SRQ);
	check(bad, "ibv_query_srq");
	count_begin(DESTROY_SRQ);
	bad = ibv_destroy_srq(srq);
	count_end(DESTROY_SRQ);
	check(bad, "ibv_destroy_srq");
}

static struct ibv_qp *create_qp(enum ibv_qp_type type)
{
	struct ibv_qp_init_attr attr = {
		.qp_type = type,
		.send_cq = cq,
		.recv_cq = cq,
		.cap = { 16, 16, 1, 1, 0 },
	};

	return ibv_create_qp(pd, &attr);
}

static int to_init(struct ibv_qp *qp)
{
	struct ibv_qp_attr attr = {
		.qp_state = IBV_QPS_INIT,
		.port_num = PORT,
		.qp_access_flags = IBV_ACCESS_REMOTE_WRITE,
	};

	return ibv_modify_qp(qp, &attr,
			     IBV_QP_STATE | IBV_QP_PKEY_INDEX | IBV_QP_PORT | IBV_QP_ACCESS_FLAGS);
}

static int to_rtr(struct ibv_qp *qp)
{
	struct ibv_qp_attr attr = {
		.qp_state = IBV_QPS_RTR,
		.path_mtu = IBV_MTU_1024,
		.dest_qp_num = qp->qp_num,
		.max_dest_rd_atomic = 1,
		.min_rnr_timer = 12,
		.ah_attr = { .dlid = port.lid, .port_num = PORT },
	};

	return ibv_modify_qp(qp, &attr,
			     IBV_QP_STATE | IBV_QP_AV | IBV_QP_PATH_MTU | IBV_QP_DEST_QPN |
				     IBV_QP_RQ_PSN | IBV_QP_MAX_DEST_RD_ATOMIC |
				     IBV_QP_MIN_RNR_TIMER);
}

static int to_rts(struct ibv_qp *qp)
{
	struct ibv_qp_attr attr = {
		.qp_state = IBV_QPS_RTS,
		.timeout = 18,
		.retry_cnt = 7,
		.rnr_retry = 7,
		.max_rd_atomic = 1,
	};

	return ibv_modify_qp(qp, &attr,
			     IBV_QP_STATE | IBV_QP_TIMEOUT | IBV_QP_RETRY_CNT | IBV_QP_RNR_RETRY |
				     IBV_QP_SQ_PSN | IBV_QP_MAX_QP_RD_ATOMIC);
}

static int to(struct ibv_qp *qp, enum ibv_qp_state state)
{
	struct ibv_qp_attr attr = { .qp_state = state };

	return ibv_modify_qp(qp, &attr, IBV_QP_STATE);
}

static void measure_states(struct ibv_qp *qp)
{
	struct ibv_qp_init_attr init;
	struct ibv_qp_attr attr;
	int bad;

	count_begin(TO_INIT);
	bad = to_init(qp);
	count_end(TO_INIT);
	check(bad, "to INIT");
	count_begin(TO_RTR);
	bad = to_rtr(qp);
	count_end(TO_RTR);
	check(bad, "to RTR");
	count_begin(TO_RTS);
	bad = to_rts(qp);
	count_end(TO_RTS);
	check(bad, "to RTS");
	count_begin(QUERY_QP);
	bad = ibv_query_qp(qp, &attr, IBV_QP_STATE, &init);
	count_end(QUERY_QP);
	check(bad, "ibv_query_qp");
	count_begin(TO_SQD);
	bad = to(qp, IBV_QPS_SQD);
	count_end(TO_SQD);
	check(bad, "to SQD");
	count_begin(FROM_SQD);
	bad = to(qp, IBV_QPS_RTS);
	count_end(FROM_SQD);
	check(bad, "SQD to RTS");
	count_begin(TO_ERR);
	bad = to(qp, IBV_QPS_ERR);
	count_end(TO_ERR);
	check(bad, "to ERR");
	count_begin(TO_RESET);
	bad = to(qp, IBV_QPS_RESET);
	count_end(TO_RESET);
	check(bad, "to RESET");
}

static void measure_qp(void)
{
	struct ibv_qp *qp;
	int bad;

	count_begin(CREATE_QP);
	qp = create_qp(IBV_QPT_RC);
	count_end(CREATE_QP);
	check(!qp, "ibv_create_qp");
	measure_states(qp);
	count_begin(DESTROY_QP);
	bad = ibv_destroy_qp(qp);
	count_end(DESTROY_QP);
	check(bad, "ibv_destroy_qp");
}

static void measure_mcast(void)
{
	union ibv_gid gid = { .raw = { 0xff, 0x12, 0x40, 0x1b, 0xff, 0xff, [15] = 7 } };
	struct ibv_qp_attr attr = { .qp_state = IBV_QPS_INIT, .port_num = PORT, .qkey = 1 };
	struct ibv_qp *qp = create_qp(IBV_QPT_UD);
	int bad;

	check(!qp, "ibv_create_qp, UD");
	check(ibv_modify_qp(qp, &attr,
			    IBV_QP_STATE | IBV_QP_PKEY_INDEX | IBV_QP_PORT | IBV_QP_QKEY),
	      "UD to INIT");
	count_begin(ATTACH);
	bad = ibv_attach_mcast(qp, &gid, 0xc007);
	count_end(ATTACH);
	check(bad, "ibv_attach_mcast");
	count_begin(DETACH);
	bad = ibv_detach_mcast(qp, &gid, 0xc007);
	count_end(DETACH);
	check(bad, "ibv_detach_mcast");
	check(ibv_destroy_qp(qp), "ibv_destroy_qp");
}

static void measure_mr(void)
{
	struct ibv_mr *mr;
	int bad;

	count_begin(REG_MR);
	mr = ibv_reg_mr(pd, page, sizeof(page), IBV_ACCESS_LOCAL_WRITE);
	count_end(REG_MR);
	check(!mr, "ibv_reg_mr");
	count_begin(DEREG_MR);
	bad = ibv_dereg_mr(mr);
	count_end(DEREG_MR);
	check(bad, "ibv_dereg_mr");
}

static void measure_port(void)
{
	struct ibv_port_attr attr;
	__be16 pkey;
	int bad;

	count_begin(QUERY_PORT);
	bad = ibv_query_port(context, PORT, &attr);
	count_end(QUERY_PORT);
	check(bad, "ibv_query_port");
	count_begin(QUERY_PKEY);
	bad = ibv_query_pkey(context, PORT, 0, &pkey);
	count_end(QUERY_PKEY);
	check(bad, "ibv_query_pkey");
}

int main(int argc, char **argv)
{
	struct ibv_device **list = ibv_get_device_list(NULL);
	int times = argc > 1 ? atoi(argv[1]) : 21;

	check(!list || !list[0], "ibv_get_device_list");
	context = ibv_open_device(list[0]);
	check(!context, "ibv_open_device");
	pd = ibv_alloc_pd(context);
	check(!pd, "ibv_alloc_pd");
	cq = ibv_create_cq(context, CQE, NULL, NULL, 0);
	check(!cq, "ibv_create_cq");
	check(ibv_query_port(context, PORT, &port), "ibv_query_port");
	memset(page, 1, sizeof(page));
	while (times--) {
		measure_device();
		measure_pd();
		measure_ah();
		measure_cq();
		measure_srq();
		measure_qp();
		measure_mcast();
		measure_mr();
		measure_port();
	}
	return 0;
}
