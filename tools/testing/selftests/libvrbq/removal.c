// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
//
// Timeout: 120
// Level: all
// Runs: guest --driver tavor
//
// The driver is unbound under a program with requests outstanding: each completes once, whatever
// carries it out, the queue says that it has ended, and is destroyed. By hand:
//   tools/testing/vm/run --driver tavor -- build/guest/libvrbq/removal

#include <errno.h>
#include <libgen.h>
#include <poll.h>
#include <infiniband/vrbq.h>
#include "kselftest.h"
#include "model.h"

#define QPS 32
#define DRIVER "/sys/bus/pci/drivers/ib_tavor/"

static struct ibv_qp *qps[QPS];
static struct ibv_context *context;
static struct ibv_pd *pd;
static struct ibv_cq *cq;
static struct vrbq *q;
static char function[64];

/* Only the command of the requests: what the driver does to go away is not to wait. */
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

	/* Bound anew, it comes after a while. */
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

/* Whether every object of the device that has gone can be destroyed. */
static bool close_all(void)
{
	bool good = !vrbq_destroy(q);
	int i;

	for (i = 0; i < QPS; i++)
		if (qps[i] && ibv_destroy_qp(qps[i]))
			good = false;
	if (ibv_destroy_cq(cq) || ibv_dealloc_pd(pd))
		good = false;
	ibv_close_device(context);
	context = NULL;
	return good;
}

/* Of each QP two: to INIT, and on every fourth a destroy, on the others a reset. */
static bool submit_all(void)
{
	struct ibv_qp_attr attr = { .qp_state = IBV_QPS_INIT, .port_num = 1 };
	struct vrbq_request requests[2];
	int i;

	for (i = 0; i < QPS; i++) {
		vrbq_prep_modify_qp(&requests[0], 2 * i, qps[i], &attr,
				    IBV_QP_STATE | IBV_QP_PKEY_INDEX | IBV_QP_PORT |
					    IBV_QP_ACCESS_FLAGS);
		if (i % 4)
			vrbq_prep_reset_qp(&requests[1], 2 * i + 1, qps[i]);
		else
			vrbq_prep_destroy_qp(&requests[1], 2 * i + 1, qps[i]);
		if (vrbq_submit(q, requests, 2) != 2)
			return false;
	}
	return true;
}

/* Each once, and then nothing. */
static bool reap_all(void)
{
	struct pollfd fd = { .fd = vrbq_fd(q), .events = POLLIN };
	struct vrbq_completion completions[8];
	int seen[2 * QPS] = {}, total = 0, errors = 0, i, n;

	while (total < 2 * QPS) {
		if (poll(&fd, 1, 30000) != 1)
			return false;
		n = vrbq_reap(q, completions, 8);
		if (n < 0)
			return false;
		for (i = 0; i < n; i++, total++) {
			errors += completions[i].status != 0;
			if (completions[i].wr_id >= 2 * QPS || seen[completions[i].wr_id]++)
				return false;
			if (completions[i].op == VRBQ_OP_DESTROY_QP && !completions[i].status)
				qps[completions[i].wr_id / 2] = NULL;
		}
	}
	ksft_print_msg("%d of %d have failed\n", errors, total);
	return errors;
}

/* A queue of the driver has ended; threads go on, and what they are asked for fails. */
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

static bool removed(enum vrbq_backend backend, bool reap)
{
	bool good = slow("1s") && submit_all();

	usleep(50000);
	good = write_file(DRIVER "unbind", function) && good;
	if (reap)
		good = reap_all() && ended(backend) && good;
	good = close_all() && good;
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
