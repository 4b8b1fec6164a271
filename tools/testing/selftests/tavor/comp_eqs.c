// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Makes all CQs that the device has room for, all for the first completion vector, arms them, and
 * overruns them, while no interrupt arrives and nothing is read. Each CQ writes one event for its
 * completion and one for its error. The event queues must have room for all of them, and for not
 * many more. comp_eqs.sh selects the number of CQs.
 *
 * With the argument "overflow" the HCA writes each of these events twice, so the event queues
 * overflow. Then the device must fail and come back by itself: eq_overflow.sh.
 */
#include <errno.h>
#include <poll.h>
#include "kselftest.h"
#include "connect.h"
#include "model.h"
#include "process.h"

#define MAX_CQS 4096
#define SENDS 3 /* the first one completes, and fills the smallest CQ */
#define OF_CQ 2 /* events */
#define TRIES 20
#define PATIENCE_MS 20000
#define RECOVERY_S 60
#define MSIX 0x80 /* of the first vector */

struct queues {
	long entries, outstanding, lost;
};

static struct ibv_context *context;
static struct ibv_pd *pd;
static struct ibv_port_attr port;
static struct ibv_cq *spare, *cqs[MAX_CQS];
static struct ibv_qp *qps[MAX_CQS];
static int n;

/* Returns the value of @key in the object of a JSON list that begins at @at. */
static long number_of(const char *at, const char *key)
{
	const char *end = strchr(at, '}');

	at = strstr(at, key);
	return at && at < end ? atol(at + strlen(key)) : 0;
}

/* Adds up all event queues for completions. The driver creates these first, one for each vector. */
static struct queues ask(void)
{
	static char reply[1 << 16];
	struct queues sum = {};
	const char *at;
	int i;

	if (!model_reply("{\"cmd\":\"objects\",\"hca\":0,\"kind\":\"eqs\"}", reply, sizeof(reply)))
		return sum;
	at = strstr(reply, "\"eqs\":[");
	for (i = 0; at && i < context->num_comp_vectors && (at = strchr(at, '{')); i++, at++) {
		sum.entries += number_of(at, "\"entries\":");
		sum.outstanding += number_of(at, "\"outstanding\":");
		sum.lost += number_of(at, "\"lost\":");
	}
	return sum;
}

static bool interrupts(const char *lost)
{
	char request[128];

	snprintf(request, sizeof(request),
		 "{\"cmd\":\"set\",\"hca\":0,\"key\":\"lose_msix\",\"value\":\"%s\"}", lost);
	return model_ask(request);
}

/* All QPs have receives in another CQ. */
static bool make_all(void)
{
	for (n = 0; n < MAX_CQS; n++) {
		cqs[n] = ibv_create_cq(context, 1, NULL, NULL, 0);
		if (!cqs[n])
			return errno == ENOMEM;
		qps[n] = connect_make(pd, IBV_QPT_RC, cqs[n], spare, SENDS + 1);
		if (!qps[n] || connect_to_init(qps[n]) ||
		    connect_to(qps[n], qps[n]->qp_num, port.lid))
			return false;
	}
	return false;
}

static bool overrun_all(void)
{
	struct ibv_send_wr wr = { .opcode = IBV_WR_RDMA_WRITE }, *bad;
	int i, k;

	for (i = 0; i < n; i++) {
		if (ibv_req_notify_cq(cqs[i], 0))
			return false;
		for (k = 0; k < SENDS; k++)
			if (ibv_post_send(qps[i], &wr, &bad))
				return false;
	}
	return true;
}

static struct queues filled(void)
{
	struct queues now = {};
	int tries;

	for (tries = 0; tries < TRIES && now.outstanding + now.lost < OF_CQ * n; tries++) {
		sleep(1);
		now = ask();
	}
	return now;
}

static bool destroy_all(void)
{
	bool good = true;
	int i;

	for (i = 0; i < n; i++)
		good &= !ibv_destroy_qp(qps[i]) && !ibv_destroy_cq(cqs[i]);
	return good;
}

/* The test of the sizes. */
static void fits(void)
{
	struct ibv_device_attr limits;
	struct queues now;
	bool good;

	ksft_set_plan(6);
	ibv_query_device(context, &limits);
	good = make_all();
	ksft_test_result(good && n > limits.max_cq / 2, "%d of %d CQs, then there is no room\n", n,
			 limits.max_cq);
	ksft_test_result(interrupts("1") && overrun_all(), "all are armed and overrun\n");
	now = filled();
	/* CQs of the kernel may have written some, too. */
	ksft_test_result(now.outstanding >= OF_CQ * n, "%ld events of %d CQs are unread\n",
			 now.outstanding, n);
	ksft_test_result(!now.lost, "%ld are lost\n", now.lost);
	ksft_test_result(now.entries >= OF_CQ * limits.max_cq &&
				 now.entries <=
					 2 * OF_CQ * limits.max_cq + 64 * context->num_comp_vectors,
			 "the queues have %ld entries for %d CQs\n", now.entries, limits.max_cq);
	ksft_test_result(interrupts("0") && destroy_all() && !ibv_query_port(context, 1, &port),
			 "all are destroyed, and the device works\n");
}

/* The interrupt that was lost of the queues of asynchronous events and of errors. */
static bool interrupt(void)
{
	char request[128];

	snprintf(request, sizeof(request), "{\"cmd\":\"interrupt\",\"hca\":0,\"intr\":%d}",
		 MSIX + context->num_comp_vectors);
	return model_ask(request);
}

/* Returns whether a context is told that the device has failed. */
static bool is_told(struct ibv_context *of)
{
	struct pollfd pollfd = { of->async_fd, POLLIN, 0 };
	struct ibv_async_event event;
	bool fatal = false;

	while (!fatal && poll(&pollfd, 1, PATIENCE_MS) == 1 && !ibv_get_async_event(of, &event)) {
		fatal = event.event_type == IBV_EVENT_DEVICE_FATAL;
		ibv_ack_async_event(&event);
	}
	return fatal;
}

static struct ibv_context *open_again(void)
{
	struct ibv_context *again = NULL;
	int seconds;

	for (seconds = 0; seconds < RECOVERY_S && !again; seconds++) {
		sleep(1);
		again = process_open();
	}
	return again;
}

/* Returns whether a process gets a completion and its event. Needs no link. */
static bool works(struct ibv_context *of)
{
	struct ibv_comp_channel *channel = ibv_create_comp_channel(of);
	struct ibv_cq *cq = channel ? ibv_create_cq(of, 16, NULL, channel, 0) : NULL;
	struct pollfd pollfd = { channel ? channel->fd : -1, POLLIN, 0 };
	struct ibv_qp_attr error = { .qp_state = IBV_QPS_ERR };
	struct ibv_recv_wr recv = {}, *bad;
	struct ibv_wc wc;
	struct ibv_qp *qp;

	qp = cq ? connect_make(ibv_alloc_pd(of), IBV_QPT_RC, cq, cq, 4) : NULL;
	return qp && !connect_to_init(qp) && !ibv_req_notify_cq(cq, 0) &&
	       !ibv_post_recv(qp, &recv, &bad) && !ibv_modify_qp(qp, &error, IBV_QP_STATE) &&
	       poll(&pollfd, 1, PATIENCE_MS) == 1 && ibv_poll_cq(cq, 1, &wc) == 1 &&
	       wc.status == IBV_WC_WR_FLUSH_ERR;
}

static void overflows(struct ibv_context *other)
{
	struct ibv_context *again;

	ksft_set_plan(6);
	ksft_test_result(make_all() && model_fault("dup,on=eqe,op=0") &&
				 model_fault("dup,on=eqe,op=4") && interrupts("1") && overrun_all(),
			 "%d CQs whose events are written twice are armed and overrun\n", n);
	ksft_test_result(filled().lost > 0, "%ld events are lost\n", ask().lost);
	ksft_test_result(interrupts("0") && model_fault(NULL) && interrupt() && is_told(context),
			 "the owner of the CQs gets the fatal event\n");
	ksft_test_result(is_told(other), "another process gets the fatal event\n");
	ksft_test_result(destroy_all(), "all are destroyed\n");
	again = open_again();
	ksft_test_result(again && works(again), "the device is back and works\n");
}

int main(int argc, char **argv)
{
	struct ibv_context *other = process_open();
	struct ibv_device_attr limits;

	ksft_print_header();
	context = process_open();
	pd = context ? ibv_alloc_pd(context) : NULL;
	spare = pd ? ibv_create_cq(context, 16, NULL, NULL, 0) : NULL;
	if (!other || !spare || ibv_query_port(context, 1, &port) || !port.lid)
		ksft_exit_skip("no RDMA device with a LID\n");
	if (ibv_query_device(context, &limits) || limits.max_cq > MAX_CQS)
		ksft_exit_skip("%d CQs are more than this test is for\n", limits.max_cq);
	if (argc > 1 && !strcmp(argv[1], "overflow"))
		overflows(other);
	else
		fits();
	ksft_finished();
}
