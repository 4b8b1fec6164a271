// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
//
// Timeout: 120
// Level: ci
// Runs: guest --driver tavor
// Kernels: 6.12 debug
// Runs: guest --driver mthca
//
// Tests that a CQ is not resized to fewer entries than it has completions. The errno is EINVAL, as
// rdma-core's tests expect, but ENOMEM from ib_mthca. No completion is lost. By hand:
//   tools/testing/vm/run --driver tavor -- build/guest/tavor/resize_small

#include <errno.h>
#include "connect.h"
#include "kselftest.h"
#include "process.h"

#define LARGE 127
#define SMALL 63
#define COMPLETIONS 100

static struct ibv_cq *cq;
static struct ibv_qp *qp;

/* Fills the CQ with receives that are flushed. */
static bool ready(struct ibv_context *context)
{
	struct ibv_qp_attr error = { .qp_state = IBV_QPS_ERR };
	struct ibv_pd *pd = ibv_alloc_pd(context);
	struct ibv_recv_wr wr = {}, *bad;

	cq = ibv_create_cq(context, LARGE, NULL, NULL, 0);
	qp = pd && cq ? connect_make(pd, IBV_QPT_RC, cq, cq, COMPLETIONS) : NULL;
	if (!qp || connect_to_init(qp))
		return false;
	for (; wr.wr_id < COMPLETIONS; wr.wr_id++)
		if (ibv_post_recv(qp, &wr, &bad))
			return false;
	return !ibv_modify_qp(qp, &error, IBV_QP_STATE);
}

/* Returns how many completions come within a second, in order. */
static int completions(void)
{
	int tries, got = 0;
	struct ibv_wc wc;

	for (tries = 0; tries < 100 && got < COMPLETIONS; tries++) {
		while (ibv_poll_cq(cq, 1, &wc) == 1 && wc.wr_id == got)
			got++;
		usleep(10000);
	}
	return got;
}

int main(void)
{
	struct ibv_context *context = process_open();
	int want, ret, got;

	ksft_print_header();
	if (!context || !ready(context))
		ksft_exit_skip("no RDMA device that works\n");
	want = process_driver_is(context, "ib_mthca") ? ENOMEM : EINVAL;
	/* The hardware writes the last completion a little later. */
	usleep(500000);
	ksft_set_plan(4);
	ret = ibv_resize_cq(cq, SMALL);
	ksft_test_result(ret == want, "a resize below the completions: %s\n",
			 ret ? strerrorname_np(ret) : "success");
	ksft_test_result(cq->cqe == LARGE, "the CQ has its %d entries\n", cq->cqe);
	got = completions();
	ksft_test_result(got == COMPLETIONS, "%d completions\n", got);
	ret = ibv_resize_cq(cq, SMALL);
	ksft_test_result(!ret && cq->cqe == SMALL, "a resize of the empty CQ\n");
	ksft_finished();
}
