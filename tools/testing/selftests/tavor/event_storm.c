// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
//
// Timeout: 600
// Level: ci
// Runs: guest --driver tavor --sm
// Kernels: 6.12 debug
// Runs: guest --driver mthca --sm --hca waive=eq-overflow
// Level: all
//
// Tests that no asynchronous event is lost when a process causes very many at once. It overruns its
// CQ, so that each QP on it fails. All events arrive, and so do those of other processes. The test
// runs with as many QPs as the first event queue has room for, and with more than it has entries.
// ib_mthca has one event queue of 256 entries for all this, and loses what does not fit. By hand:
//   tools/testing/vm/run --driver tavor --sm -- build/guest/tavor/event_storm [QPS]

#include <errno.h>
#include <poll.h>
#include "kselftest.h"
#include "connect.h"
#include "model.h"
#include "process.h"

/* The first event queue has 8192 entries, so the second storm does not fit. */
static const int storms[] = { 600, 9000 };

struct storm {
	struct ibv_context *context;
	struct ibv_qp *from, *to;
};

static bool ready(struct storm *storm, int qps)
{
	struct ibv_port_attr port;
	struct ibv_cq *small, *large;
	struct ibv_pd *pd;
	int i;

	storm->context = process_open();
	if (!storm->context || ibv_query_port(storm->context, 1, &port))
		return false;
	pd = ibv_alloc_pd(storm->context);
	small = ibv_create_cq(storm->context, 1, NULL, NULL, 0);
	large = ibv_create_cq(storm->context, 100, NULL, NULL, 0);
	storm->from = connect_make(pd, IBV_QPT_RC, small, large, 16);
	storm->to = connect_make(pd, IBV_QPT_RC, large, large, 16);
	if (!storm->from || !storm->to || connect_to_init(storm->from) ||
	    connect_to_init(storm->to) || connect_to(storm->from, storm->to->qp_num, port.lid) ||
	    connect_to(storm->to, storm->from->qp_num, port.lid))
		return false;
	for (i = 0; i < qps; i++) {
		struct ibv_qp *qp = connect_make(pd, IBV_QPT_UD, small, small, 1);

		if (!qp || connect_to_init(qp))
			return false;
	}
	return true;
}

static bool overrun(const struct storm *storm)
{
	struct ibv_send_wr send = { .opcode = IBV_WR_SEND, .send_flags = IBV_SEND_SIGNALED }, *bad;
	struct ibv_recv_wr recv = {}, *bad_recv;
	int i;

	for (i = 0; i < 4; i++)
		if (ibv_post_recv(storm->to, &recv, &bad_recv))
			return false;
	for (i = 0; i < 4; i++)
		if (ibv_post_send(storm->from, &send, &bad))
			return false;
	return true;
}

/* Counts events by type until none has come for a second. */
static void count_events(struct ibv_context *of, int count[32])
{
	struct pollfd pollfd = { of->async_fd, POLLIN, 0 };
	struct ibv_async_event event;

	while (poll(&pollfd, 1, 1000) == 1 && !ibv_get_async_event(of, &event)) {
		if (event.event_type < 32)
			count[event.event_type]++;
		ibv_ack_async_event(&event);
	}
}

static void test(int qps)
{
	struct ibv_context *other = process_open();
	int own[32] = {}, others[32] = {};
	struct storm storm = {};

	ksft_test_result(other && ready(&storm, qps) && overrun(&storm),
			 "%d QPs on a CQ of two entries that is overrun\n", qps + 1);
	count_events(storm.context, own);
	ksft_test_result(own[IBV_EVENT_CQ_ERR] == 1, "the CQ's event: %d\n", own[IBV_EVENT_CQ_ERR]);
	if (process_driver_is(storm.context, "ib_mthca"))
		ksft_test_result(own[IBV_EVENT_QP_FATAL] < qps + 1,
				 "ib_mthca loses events of the QPs: %d of %d arrive\n",
				 own[IBV_EVENT_QP_FATAL], qps + 1);
	else
		ksft_test_result(own[IBV_EVENT_QP_FATAL] == qps + 1, "the QPs' events: %d of %d\n",
				 own[IBV_EVENT_QP_FATAL], qps + 1);
	/* Another process still gets events of the port. */
	model_ask("{\"cmd\":\"event\",\"type\":9,\"subtype\":4,\"data\":[0,0,268435456]}");
	count_events(other, others);
	ksft_test_result(others[IBV_EVENT_PORT_ACTIVE] == 1 && !others[IBV_EVENT_DEVICE_FATAL],
			 "another process has its event: %d\n", others[IBV_EVENT_PORT_ACTIVE]);
	/* The kernel destroys the remaining objects. */
	ibv_close_device(other);
	close(storm.context->cmd_fd);
}

int main(int argc, char **argv)
{
	struct ibv_context *context = process_open();
	unsigned int i;

	ksft_print_header();
	if (!context)
		ksft_exit_skip("no RDMA device that works\n");
	ibv_close_device(context);
	ksft_set_plan(argc > 1 ? 4 : 4 * sizeof(storms) / sizeof(storms[0]));
	if (argc > 1)
		test(atoi(argv[1]));
	for (i = 0; argc == 1 && i < sizeof(storms) / sizeof(storms[0]); i++)
		test(storms[i]);
	ksft_finished();
}
