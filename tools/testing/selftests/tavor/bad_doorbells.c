// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
//
// Timeout: 600
// Guest: own
// Level: ci
// Runs: guest --driver tavor --sm --hca uar_event=1 --hca waive=eq-overflow
//
// Tests that a process that rings doorbells of another one's objects through its own page, as fast
// as it can, harms nobody, on an HCA that reports each of them as a catastrophic error of a UAR
// page. The device does not fail, and another process gets its events. The same holds if nothing is
// read from the event queues meanwhile, because no interrupt arrives. Then the queue that is only
// for such errors overflows. By hand:
//   tools/testing/vm/run --driver tavor --sm --hca uar_event=1 --hca waive=eq-overflow
//	-- build/guest/tavor/bad_doorbells [NUMBER]

#include <endian.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include "kselftest.h"
#include "connect.h"
#include "model.h"
#include "process.h"

#define RINGERS 2
#define DOORBELLS 100000
#define SEND 0x10 /* offset in the page */
#define PATIENCE_MS 5000

static struct ibv_context *own, *other;
static struct ibv_qp *qp;
static volatile uint64_t *doorbell;
static long count;

static bool ready(void)
{
	struct ibv_pd *pd;
	struct ibv_cq *cq;
	char *page;

	own = process_open();
	other = process_open();
	pd = other ? ibv_alloc_pd(other) : NULL;
	cq = pd ? ibv_create_cq(other, 16, NULL, NULL, 0) : NULL;
	qp = cq ? connect_make(pd, IBV_QPT_RC, cq, cq, 4) : NULL;
	if (!own || !qp || connect_to_init(qp))
		return false;
	page = mmap(NULL, PROCESS_PAGE, PROT_WRITE, MAP_SHARED, own->cmd_fd, 0);
	doorbell = page == MAP_FAILED ? NULL : (void *)(page + SEND);
	return doorbell;
}

static void *rings(void *arg)
{
	long i;

	for (i = 0; i < count / RINGERS; i++)
		*doorbell = htobe64((uint64_t)qp->qp_num << 8 | 1);
	return arg;
}

static void ring_all(void)
{
	pthread_t thread[RINGERS];
	int i;

	for (i = 0; i < RINGERS; i++)
		pthread_create(&thread[i], NULL, rings, NULL);
	for (i = 0; i < RINGERS; i++)
		pthread_join(thread[i], NULL);
}

static bool set(const char *key, const char *value)
{
	char request[128];

	snprintf(request, sizeof(request),
		 "{\"cmd\":\"set\",\"hca\":0,\"key\":\"%s\",\"value\":\"%s\"}", key, value);
	return model_ask(request);
}

/* Returns whether a context gets the event of a port, and none before that. */
static bool has_port_event(struct ibv_context *context)
{
	struct pollfd pollfd = { context->async_fd, POLLIN, 0 };
	struct ibv_async_event event;
	enum ibv_event_type type;

	if (!model_ask("{\"cmd\":\"event\",\"type\":9,\"subtype\":4,\"data\":[0,0,268435456]}") ||
	    poll(&pollfd, 1, PATIENCE_MS) != 1 || ibv_get_async_event(context, &event))
		return false;
	type = event.event_type;
	ibv_ack_async_event(&event);
	ksft_print_msg("event: %s\n", ibv_event_type_str(type));
	return type == IBV_EVENT_PORT_ACTIVE;
}

static bool commands_work(void)
{
	struct ibv_pd *pd = ibv_alloc_pd(other);

	return pd && !ibv_dealloc_pd(pd);
}

static void unharmed(const char *when)
{
	ksft_test_result(has_port_event(other),
			 "%s: another process has its event, and no failure\n", when);
	ksft_test_result(commands_work(), "%s: commands work\n", when);
}

/* Returns how many event queues have lost events. */
static int overflowed(void)
{
	static char reply[1 << 20];
	const char *at, *end;
	int n = 0;

	if (!model_reply("{\"cmd\":\"objects\",\"hca\":0,\"kind\":\"eqs\"}", reply, sizeof(reply)))
		return -1;
	at = strstr(reply, "\"eqs\":[");
	end = at ? strchr(at, ']') : NULL;
	while (at && (at = strstr(at, "\"lost\":")) && at < end) {
		at += strlen("\"lost\":");
		n += atol(at) > 0;
	}
	return n;
}

int main(int argc, char **argv)
{
	static const char *const words[] = { "ib_tavor", "ib_vrb", NULL };
	struct process_log log;

	process_log_open(&log, words);
	count = argc > 1 ? atol(argv[1]) : DOORBELLS;
	ksft_print_header();
	if (access(MODEL_CONTROL, F_OK))
		ksft_exit_skip("no model to ask\n");
	if (!ready())
		ksft_exit_fail_msg("no QP and no page of doorbells\n");
	ksft_set_plan(7);
	ring_all();
	ksft_test_result(process_counter(own, "uar_errors") > 0, "the driver counts %ld of %ld\n",
			 process_counter(own, "uar_errors"), count);
	unharmed("interrupts arrive");
	ksft_test_result(set("lose_msix", "1"), "no interrupt arrives\n");
	ring_all();
	ksft_test_result(overflowed() == 1, "one event queue has overflowed: %d\n", overflowed());
	set("lose_msix", "0");
	unharmed("no interrupt");
	process_log_lines(&log);
	ksft_finished();
}
