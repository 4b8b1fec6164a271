// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
//
// Runs: guest --driver tavor
// Kernels: 6.12 debug
// Level: ci
// Timeout: 300
//
// Tests that a port gets another GID while requests that name the old one wait in a verb queue. The
// requests are executed or cancelled, and the old GID goes with the last one that uses it. By hand:
//   tools/testing/vm/run --driver tavor -- build/guest/tavor/verb_queue_gid

#include "kselftest.h"
#include "connect.h"
#include "model.h"
#include "process.h"
#include "umad.h"
#include "verb_queue_request.h"

#define QPS 4
#define PREFIX 2000

static struct ibv_context *context;
static struct ibv_pd *pd;
static struct ibv_cq *cq;

static bool set(const char *key, const char *value)
{
	char request[128];

	snprintf(request, sizeof(request),
		 "{\"cmd\":\"set\",\"hca\":0,\"key\":\"%s\",\"value\":\"%s\"}", key, value);
	return model_ask(request);
}

#define TRACING "/sys/kernel/tracing/"

static bool trace_write(const char *file, const char *text)
{
	int fd = open(file, O_WRONLY | O_APPEND);
	bool good = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	close(fd);
	return good;
}

/* From now on, the kernel's trace has a line for each GID that nobody holds any more. */
static bool watch_gids(void)
{
	return trace_write(TRACING "kprobe_events", "p:gid_goes free_gid_work\n") &&
	       trace_write(TRACING "events/kprobes/gid_goes/enable", "1");
}

static void watch_gids_no_longer(void)
{
	trace_write(TRACING "events/kprobes/gid_goes/enable", "0");
	trace_write(TRACING "kprobe_events", "-:gid_goes\n");
}

static int gids_gone(void)
{
	FILE *trace = fopen(TRACING "trace", "r");
	char line[512];
	int n = 0;

	while (trace && fgets(line, sizeof(line), trace))
		n += !!strstr(line, "gid_goes:");
	if (trace)
		fclose(trace);
	return n;
}

/* Sets the subnet prefix of the first port, and its LID, as a subnet manager does. */
static bool set_prefix(int fd, uint16_t prefix)
{
	uint8_t data[64];

	if (!umad_settable(fd, 1, data))
		return false;
	data[UMAD_PREFIX] = prefix >> 8;
	data[UMAD_PREFIX + 1] = prefix;
	data[UMAD_LID] = 0;
	data[UMAD_LID + 1] = 1;
	return umad_smp(fd, UMAD_SET, UMAD_PORT_INFO, 1, data);
}

/* The attributes of all transitions; the path has the first GID of the port. */
static struct ibv_qp_attr global(enum ibv_qp_state state)
{
	struct ibv_qp_attr attr = vq_good;

	attr.qp_state = state;
	attr.ah_attr.is_global = 1;
	attr.ah_attr.grh.hop_limit = 1;
	attr.ah_attr.grh.dgid.raw[0] = 0xfe;
	attr.ah_attr.grh.dgid.raw[1] = 0x80;
	return attr;
}

/*
 * On each QP a slow request, and one that names the GID and waits for the first: a modify, a
 * connect, a modify that is cancelled, and a connect whose QP is destroyed.
 */
static int submit(int fd, struct ibv_qp **qp)
{
	const struct ibv_qp_attr rtr = global(IBV_QPS_RTR), rts = global(IBV_QPS_RTS);
	struct vrb_queue_request r[2 * QPS];
	uint32_t handles[2 * QPS];
	int i;

	for (i = 0; i < QPS; i++) {
		r[2 * i] = vq_to_init(2 * i);
		if (i % 2)
			r[2 * i + 1] = vq_request(2 * i + 1, VRB_QUEUE_OP_CONNECT, &rts,
						  vq_connect_mask(IBV_QPT_RC));
		else
			r[2 * i + 1] = vq_request(2 * i + 1, VRB_QUEUE_OP_MODIFY, &rtr,
						  IBV_QP_STATE | VQ_RTR_MASK | VQ_RTR_RC_MASK);
		handles[2 * i] = qp[i]->handle;
		handles[2 * i + 1] = qp[i]->handle;
	}
	return vq_submit(context->cmd_fd, fd, r, handles, 2 * QPS);
}

/* Returns how many requests have completed with another status than the expected one. */
static int count_wrong(int fd)
{
	static const uint32_t expected[2 * QPS] = { [5] = ECANCELED, [7] = ECANCELED };
	struct vrb_queue_completion done[2 * QPS];
	int i, n = vq_reap(fd, done, 2 * QPS), wrong = 2 * QPS - n;

	for (i = 0; i < n; i++) {
		if (done[i].user_data < 2 * QPS && done[i].status == expected[done[i].user_data])
			continue;
		ksft_print_msg("request %llu: %u\n", done[i].user_data, done[i].status);
		wrong++;
	}
	return wrong;
}

static bool uses_first_gid(struct ibv_qp *qp, enum ibv_qp_state state)
{
	struct ibv_qp_init_attr init;
	struct ibv_qp_attr attr;

	return !ibv_query_qp(qp, &attr, IBV_QP_STATE | IBV_QP_AV, &init) &&
	       attr.qp_state == state && attr.ah_attr.is_global && !attr.ah_attr.grh.sgid_index;
}

int main(void)
{
	int umad = umad_open(), fd, i, ret, wrong, held, gone, tries;
	struct ibv_qp *qp[QPS];
	bool arrived, watched;

	ksft_print_header();
	context = process_open();
	if (!context || umad < 0 || !process_driver_is(context, "ib_tavor"))
		ksft_exit_skip("no device of ib_tavor with a umad device\n");
	ksft_set_plan(5);
	pd = ibv_alloc_pd(context);
	cq = ibv_create_cq(context, 64, NULL, NULL, 0);
	fd = vq_create(context->cmd_fd, 2 * QPS);
	for (i = 0; i < QPS; i++)
		qp[i] = connect_make(pd, IBV_QPT_RC, cq, cq, 1);
	watched = watch_gids();
	/* Enough engines to execute MADs meanwhile */
	set("engines", "64");
	set("latency_op", "RST2INIT_QPEE=5s");
	ret = submit(fd, qp);
	arrived = set_prefix(umad, PREFIX) && umad_prefix_arrives(context, PREFIX);
	ksft_test_result(ret == 2 * QPS && arrived && !vq_poll(fd, 0),
			 "a GID goes while %d requests wait or are executed\n", ret);
	ret = vq_cancel(context->cmd_fd, fd, 5);
	ret = ret ?: ibv_destroy_qp(qp[3]);
	set("latency_op", "");
	wrong = count_wrong(fd);
	ksft_test_result(!ret && !wrong, "they complete, or are cancelled: %d, %d wrong\n", ret,
			 wrong);
	ksft_test_result(uses_first_gid(qp[0], IBV_QPS_RTR) && uses_first_gid(qp[1], IBV_QPS_RTS),
			 "the QPs have the index of the GID\n");
	held = !gids_gone();
	for (i = 0; i < 3; i++)
		ret += ibv_destroy_qp(qp[i]);
	for (tries = 0; !(gone = gids_gone()) && tries < 100; tries++)
		usleep(100000);
	if (watched)
		ksft_test_result(held && gone == 1,
				 "the old GID goes with the last QP that uses it: %d\n", gone);
	else
		ksft_test_result_skip("the kernel has no probe for the end of a GID\n");
	watch_gids_no_longer();
	close(fd);
	ret += ibv_destroy_cq(cq) + ibv_dealloc_pd(pd);
	set("engines", "4");
	arrived = set_prefix(umad, PREFIX + 1) && umad_prefix_arrives(context, PREFIX + 1);
	ksft_test_result(!ret && arrived, "nothing is left, and the next GID comes: %d\n", ret);
	ksft_finished();
}
