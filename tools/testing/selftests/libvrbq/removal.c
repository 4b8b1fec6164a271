// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
//
// Timeout: 120
// Level: all
// Runs: guest --driver tavor
//
// Tests an unbind of the driver while a program has requests outstanding in libvrbq. Each request
// completes once, with each backend, and the queue reports its end and can be destroyed. By hand:
//   tools/testing/vm/run --driver tavor -- build/guest/libvrbq/removal

#include <errno.h>
#include <libgen.h>
#include <pthread.h>
#include <poll.h>
#include <infiniband/vrbq.h>
#include "kselftest.h"
#include "model.h"

#define QPS 32
#define ROUNDS 64
#define NR(table) (sizeof(table) / sizeof((table)[0]))
#define DRIVER "/sys/bus/pci/drivers/ib_tavor/"

static struct ibv_qp *qps[QPS];
static struct ibv_context *context;
static struct ibv_pd *pd;
static struct ibv_cq *cq;
static struct vrbq *q;
static char function[64];

/* Slows down only the command of the requests, so that the unbind itself is not delayed. */
static bool slow(const char *latency)
{
	char request[128];

	snprintf(
		request, sizeof(request),
		"{\"cmd\":\"set\",\"hca\":0,\"key\":\"latency_op\",\"value\":\"RST2INIT_QPEE=%s\"}",
		latency);
	return model_ask(request);
}

static bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);
	bool good = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return good;
}

static bool find_function(struct ibv_device *device)
{
	char path[512], target[512];
	ssize_t n;

	snprintf(path, sizeof(path), "%s/device", device->ibdev_path);
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return false;
	target[n] = 0;
	snprintf(function, sizeof(function), "%s", basename(target));
	return true;
}

static bool open_all(enum vrbq_backend backend)
{
	struct vrbq_attr attr = { .backend = backend, .depth = 2 * QPS };
	struct ibv_qp_init_attr init = {
		.qp_type = IBV_QPT_RC,
		.cap = { .max_send_wr = 1, .max_recv_wr = 1, .max_send_sge = 1, .max_recv_sge = 1 },
	};
	struct ibv_device **list = NULL;
	int i, tries;

	/* After a bind it takes a while until the device appears. */
	for (tries = 0; tries < 100 && !context; tries++) {
		list = ibv_get_device_list(NULL);
		if (list && list[0] && find_function(list[0]))
			context = ibv_open_device(list[0]);
		if (list)
			ibv_free_device_list(list);
		if (!context)
			usleep(100000);
	}
	if (!context)
		return false;
	q = vrbq_create(context, &attr);
	pd = ibv_alloc_pd(context);
	cq = ibv_create_cq(context, 16, NULL, NULL, 0);
	init.send_cq = cq;
	init.recv_cq = cq;
	for (i = 0; pd && cq && i < QPS; i++)
		qps[i] = ibv_create_qp(pd, &init);
	return q && pd && cq && qps[QPS - 1];
}

/*
 * Returns whether every object of the removed device can be destroyed. Objects whose destroy was
 * submitted, but not reaped, are already gone.
 */
static bool close_all(bool reaped)
{
	bool good = !vrbq_destroy(q);
	int i;

	for (i = 0; i < QPS; i++)
		if (qps[i] && (reaped || i % 4) && ibv_destroy_qp(qps[i]))
			good = false;
	if (ibv_destroy_cq(cq) || ibv_dealloc_pd(pd))
		good = false;
	ibv_close_device(context);
	context = NULL;
	return good;
}

/*
 * Submits two requests for a QP: to INIT, and a destroy on every fourth QP, a reset on the others.
 * Returns how many were accepted.
 */
static int submit_two(int i, int round)
{
	struct ibv_qp_attr attr = { .qp_state = IBV_QPS_INIT, .port_num = 1 };
	const int first = (round * QPS + i) * 2;
	struct vrbq_request requests[2];

	vrbq_prep_modify_qp(&requests[0], first, qps[i], &attr,
			    IBV_QP_STATE | IBV_QP_PKEY_INDEX | IBV_QP_PORT | IBV_QP_ACCESS_FLAGS);
	if (i % 4)
		vrbq_prep_reset_qp(&requests[1], first + 1, qps[i]);
	else
		vrbq_prep_destroy_qp(&requests[1], first + 1, qps[i]);
	return vrbq_submit(q, requests, 2);
}

static bool submit_all(void)
{
	bool good = true;
	int i;

	for (i = 0; i < QPS; i++)
		good &= submit_two(i, 0) == 2;
	return good;
}

static struct {
	bool seen[2 * QPS * ROUNDS];
	int submitted, completed, failed;
	bool good;
} flow;

/* Each successful request is followed by the next ones, until the first that fails. */
static void follow(const struct vrbq_completion *c)
{
	const int round = c->wr_id / (2 * QPS), i = c->wr_id % (2 * QPS) / 2;
	int n;

	flow.completed++;
	flow.failed += c->status != 0;
	if (c->wr_id >= NR(flow.seen) || flow.seen[c->wr_id]) {
		flow.good = false;
		return;
	}
	flow.seen[c->wr_id] = true;
	if (c->op == VRBQ_OP_DESTROY_QP && !c->status)
		qps[i] = NULL;
	if (c->op != VRBQ_OP_RESET_QP || flow.failed || round + 1 == ROUNDS)
		return;
	/* If none is accepted, the queue has just ended, and its requests fail. */
	n = submit_two(i, round + 1);
	flow.submitted += n > 0 ? n : 0;
}

/* Each request completes once, and the last ones fail, however long the unbind takes. */
static bool reap_all(void)
{
	struct pollfd fd = { .fd = vrbq_fd(q), .events = POLLIN };
	struct vrbq_completion completions[8];
	int i, n;

	memset(&flow, 0, sizeof(flow));
	flow.good = true;
	flow.submitted = 2 * QPS;
	while (flow.completed < flow.submitted) {
		if (poll(&fd, 1, 60000) != 1)
			return false;
		n = vrbq_reap(q, completions, 8);
		if (n < 0)
			return false;
		for (i = 0; i < n; i++)
			follow(&completions[i]);
	}
	ksft_print_msg("%d of %d have failed\n", flow.failed, flow.completed);
	return flow.good && flow.failed;
}

/* The driver's queue has ended. Threads go on, and their requests fail. */
static bool ended(enum vrbq_backend backend)
{
	struct vrbq_completion completion;
	struct vrbq_request request;
	struct pollfd fd = { .fd = vrbq_fd(q), .events = POLLIN };

	vrbq_prep_reset_qp(&request, 1, qps[1]);
	if (backend == VRBQ_BACKEND_VERB_QUEUE)
		return poll(&fd, 1, 1000) == 1 && vrbq_reap(q, &completion, 1) == -1 &&
		       errno == EIO && vrbq_submit(q, &request, 1) == -1 && errno == EIO;
	return vrbq_submit(q, &request, 1) == 1 && poll(&fd, 1, 10000) == 1 &&
	       vrbq_reap(q, &completion, 1) == 1 && completion.status;
}

static void *unbind(void *arg)
{
	return (void *)(long)write_file(DRIVER "unbind", function);
}

static bool removed(enum vrbq_backend backend, bool reap)
{
	bool good = slow("1s") && submit_all();
	pthread_t thread;
	void *unbound;

	usleep(50000);
	if (pthread_create(&thread, NULL, unbind, NULL))
		return false;
	if (reap)
		good = reap_all() && good;
	pthread_join(thread, &unbound);
	if (reap)
		good = ended(backend) && good;
	good = close_all(reap) && unbound && good;
	good = write_file(DRIVER "bind", function) && good;
	return slow("10us") && good;
}

static void run(enum vrbq_backend backend)
{
	static const char *const texts[] = { "the queue is destroyed at once",
					     "each request completes, and the queue ends" };
	int reap;

	for (reap = 1; reap >= 0; reap--) {
		if (!open_all(backend))
			ksft_exit_fail_msg("no device, or no queue: %s\n", strerror(errno));
		ksft_test_result(removed(backend, reap), "%s: unbound: %s\n",
				 vrbq_backend_str(backend), texts[reap]);
	}
}

int main(void)
{
	ksft_print_header();
	ksft_set_plan(4);
	run(VRBQ_BACKEND_THREADS);
	run(VRBQ_BACKEND_VERB_QUEUE);
	ksft_finished();
}
