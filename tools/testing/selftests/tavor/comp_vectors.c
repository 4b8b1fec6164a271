// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
//
// Timeout: 300
// Level: ci
// Runs: guest --driver tavor --sm
// Kernels: 6.12 debug
// Runs: guest --driver mthca --sm
//
// Tests that there are as many completion vectors as processors, each with its own event queue and
// interrupt. A CQ uses the vector that its create selects, and keeps it when it is resized.
// ib_mthca has one vector. By hand:
//   tools/testing/vm/run --driver tavor --sm -- build/guest/tavor/comp_vectors

#include <errno.h>
#include <poll.h>
#include "kselftest.h"
#include "connect.h"
#include "model.h"
#include "process.h"

#define EVENTS 20
#define PATIENCE_MS 5000
#define LINE 4096
#define VECTORS 16

static struct ibv_context *context;
static struct ibv_pd *pd;
static struct ibv_port_attr port;
static bool mthca;

/* A QP that is connected to itself, and its CQ on one vector. */
struct loop {
	struct ibv_comp_channel *channel;
	struct ibv_cq *cq;
	struct ibv_qp *qp;
};

static bool loop_make(struct loop *loop, int vector)
{
	loop->channel = ibv_create_comp_channel(context);
	loop->cq = ibv_create_cq(context, 16, loop, loop->channel, vector);
	loop->qp = loop->cq ? connect_make(pd, IBV_QPT_RC, loop->cq, loop->cq, 4) : NULL;
	return loop->qp && !connect_to_init(loop->qp) &&
	       !connect_to(loop->qp, loop->qp->qp_num, port.lid);
}

static void loop_destroy(struct loop *loop)
{
	if (loop->qp)
		ibv_destroy_qp(loop->qp);
	if (loop->cq)
		ibv_destroy_cq(loop->cq);
	if (loop->channel)
		ibv_destroy_comp_channel(loop->channel);
}

static bool loop_event(struct loop *loop)
{
	struct ibv_send_wr wr = { .opcode = IBV_WR_RDMA_WRITE }, *bad;
	struct pollfd pollfd = { loop->channel->fd, POLLIN, 0 };
	struct ibv_cq *cq = NULL;
	struct ibv_wc wc = {};
	void *cookie = NULL;

	if (ibv_req_notify_cq(loop->cq, 0) || ibv_post_send(loop->qp, &wr, &bad) ||
	    poll(&pollfd, 1, PATIENCE_MS) != 1 || ibv_get_cq_event(loop->channel, &cq, &cookie))
		return false;
	ibv_ack_cq_events(cq, 1);
	return cq == loop->cq && cookie == loop && ibv_poll_cq(loop->cq, 1, &wc) == 1 && !wc.status;
}

static bool loop_events(struct loop *loop)
{
	int i;

	for (i = 0; i < EVENTS; i++)
		if (!loop_event(loop))
			return false;
	return true;
}

/* Returns the interrupts of the vector on all processors, or -1 if it has none of its own. */
static long interrupts(int vector)
{
	FILE *file = fopen("/proc/interrupts", "r");
	char line[LINE], name[32], *at, *end;
	long n, sum = -1;

	snprintf(name, sizeof(name), "ib_tavor-comp%d@", vector);
	while (file && fgets(line, sizeof(line), file)) {
		at = strchr(line, ':');
		if (!at || !strstr(line, name))
			continue;
		for (sum = 0, at++; n = strtol(at, &end, 10), end != at; at = end)
			sum += n;
	}
	if (file)
		fclose(file);
	return sum;
}

/* Returns a mask of the event queues that the hardware's CQs use: one bit for each vector. */
static uint64_t event_queues(void)
{
	static char reply[1 << 20];
	uint64_t queues = 0;
	const char *at;

	if (!model_reply("{\"cmd\":\"objects\",\"hca\":0}", reply, sizeof(reply)))
		return 0;
	at = strstr(reply, "\"cqs\":[");
	while (at && (at = strstr(at, "\"eqn\":"))) {
		at += strlen("\"eqn\":");
		queues |= 1ULL << (strtoul(at, NULL, 10) & 63);
	}
	return queues;
}

/* Of all vectors only this one has had the new interrupts. */
static bool only_its(int vector, const long *before)
{
	bool ok = true;
	long more;
	int i;

	for (i = 0; i < context->num_comp_vectors; i++) {
		more = interrupts(i) - before[i];
		/* Other CQs may cause a few interrupts. */
		if (before[i] < 0 || (i == vector ? more < EVENTS / 2 : more >= EVENTS / 2)) {
			ksft_print_msg("vector %d: %ld interrupts, %ld before\n", i, more,
				       before[i]);
			ok = false;
		}
	}
	return ok;
}

static void vector(int number, const char *when, struct loop *loop)
{
	long before[VECTORS];
	bool ok;
	int i;

	for (i = 0; i < context->num_comp_vectors; i++)
		before[i] = interrupts(i);
	ok = loop_events(loop);
	ksft_test_result(ok, "vector %d%s: the CQ has its events\n", number, when);
	if (mthca)
		ksft_test_result_skip("ib_mthca has one interrupt for all completions\n");
	else
		ksft_test_result(ok && only_its(number, before),
				 "vector %d%s: the interrupts are its own\n", number, when);
}

static void each_vector(void)
{
	struct loop loop[VECTORS] = {};
	int i, n = context->num_comp_vectors;
	bool ok = true;

	for (i = 0; i < n; i++)
		ok &= loop_make(&loop[i], i);
	ksft_test_result(ok, "%d CQs, one on each vector\n", n);
	ksft_test_result(ok && __builtin_popcountll(event_queues()) >= n,
			 "they report to as many event queues\n");
	for (i = 0; i < n; i++)
		vector(i, "", &loop[i]);
	ok &= !ibv_resize_cq(loop[n - 1].cq, 100);
	ksft_test_result(ok, "the last CQ is resized\n");
	vector(n - 1, ", resized", &loop[n - 1]);
	for (i = 0; i < n; i++)
		loop_destroy(&loop[i]);
}

static void refused(int vector, const char *what)
{
	struct ibv_cq *cq;

	errno = 0;
	cq = ibv_create_cq(context, 16, NULL, NULL, vector);
	ksft_test_result(!cq && errno == EINVAL, "%s: EINVAL\n", what);
	if (cq)
		ibv_destroy_cq(cq);
}

int main(void)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	int n;

	ksft_print_header();
	context = process_open();
	pd = context ? ibv_alloc_pd(context) : NULL;
	if (!pd || ibv_query_port(context, 1, &port) || !port.lid)
		ksft_exit_skip("no RDMA device with a LID\n");
	mthca = process_driver_is(context, "ib_mthca");
	n = context->num_comp_vectors;
	if (n > VECTORS)
		ksft_exit_skip("%d vectors are more than this test is for\n", n);
	ksft_set_plan(1 + 2 + 2 * n + 3 + 3);
	if (mthca)
		ksft_test_result(n == 1, "ib_mthca has one vector: %d\n", n);
	else
		ksft_test_result(n == processors, "as many vectors as processors: %d of %ld\n", n,
				 processors);
	each_vector();
	refused(n, "a vector too many");
	refused(-1, "vector -1");
	refused(0x7fffffff, "a vector far too large");
	ksft_finished();
}
