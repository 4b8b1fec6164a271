// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
//
// Timeout: 300
// Guest: own
// Level: ci
// Runs: guest --driver tavor --sm
//
// Tests that a process that sleeps until its CQ has a completion is woken when the device fails,
// because the HCA completes nothing any more. One CQ is armed for its next completion, another one
// is not armed. By hand:
//   tools/testing/vm/run --driver tavor --sm -- build/guest/tavor/failed_cq

#include <errno.h>
#include <pthread.h>
#include <time.h>
#include "kselftest.h"
#include "model.h"
#include "process.h"

#define CQS 2
#define PATIENCE_S 20
#define ASLEEP_US 500000 /* much longer than a thread needs to begin to wait */

struct waiter {
	struct ibv_comp_channel *channel;
	struct ibv_cq *cq;
	pthread_t thread;
	bool woken;
};

static struct ibv_context *ctx;
static struct waiter waiters[CQS];

/* The function of a thread; it returns NULL unless it gets an event of its own CQ. */
static void *waits(void *arg)
{
	struct waiter *waiter = arg;
	struct ibv_cq *cq = NULL;
	void *context = NULL;
	int ret = ibv_get_cq_event(waiter->channel, &cq, &context);

	__atomic_store_n(&waiter->woken, true, __ATOMIC_RELEASE);
	return !ret && cq == waiter->cq && context == waiter ? waiter : NULL;
}

static bool is_woken(struct waiter *waiter)
{
	return __atomic_load_n(&waiter->woken, __ATOMIC_ACQUIRE);
}

static bool begin(struct waiter *waiter, bool armed)
{
	waiter->channel = ibv_create_comp_channel(ctx);
	waiter->cq = waiter->channel ? ibv_create_cq(ctx, 16, waiter, waiter->channel, 0) : NULL;
	return waiter->cq && !(armed && ibv_req_notify_cq(waiter->cq, 0)) &&
	       !pthread_create(&waiter->thread, NULL, waits, waiter);
}

static bool ends(struct waiter *waiter)
{
	struct timespec until;
	void *ret = NULL;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += PATIENCE_S;
	if (pthread_timedjoin_np(waiter->thread, &ret, &until) || !ret)
		return false;
	ibv_ack_cq_events(waiter->cq, 1);
	return !ibv_destroy_cq(waiter->cq) && !ibv_destroy_comp_channel(waiter->channel);
}

int main(void)
{
	ksft_print_header();
	if (access(MODEL_CONTROL, F_OK))
		ksft_exit_skip("no model to ask\n");
	ksft_set_plan(4);
	/* The device must stay failed. */
	if (system("echo 0 >/sys/module/ib_tavor/parameters/recoveries"))
		ksft_exit_fail_msg("recoveries cannot be switched off\n");
	ctx = process_open();
	if (!ctx || !begin(&waiters[0], true) || !begin(&waiters[1], false))
		ksft_exit_fail_msg("no CQ to wait for\n");
	usleep(ASLEEP_US);
	ksft_test_result(!is_woken(&waiters[0]) && !is_woken(&waiters[1]),
			 "threads sleep until their CQs have a completion\n");
	ksft_test_result(model_ask("{\"cmd\":\"event\",\"hca\":0,\"type\":8,\"subtype\":0,"
				   "\"data\":[0,0,5,5]}"),
			 "the device fails\n");
	ksft_test_result(ends(&waiters[0]), "the one with an armed CQ is woken\n");
	ksft_test_result(ends(&waiters[1]), "and the one with a CQ that is not armed\n");
	ksft_finished();
}
