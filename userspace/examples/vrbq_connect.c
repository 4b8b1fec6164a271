// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Connects many pairs of RC queue pairs of one device, from one thread, with libvrbq. For
 * comparison it can also call ibv_modify_qp() for one transition after the other. See
 * vrbq_connect --help.
 */
#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <infiniband/vrbq.h>
#include "device.h"

#define RTR_MASK                                                         \
	(IBV_QP_AV | IBV_QP_PATH_MTU | IBV_QP_DEST_QPN | IBV_QP_RQ_PSN | \
	 IBV_QP_MAX_DEST_RD_ATOMIC | IBV_QP_MIN_RNR_TIMER)
#define RTS_MASK                                                                \
	(IBV_QP_TIMEOUT | IBV_QP_RETRY_CNT | IBV_QP_RNR_RETRY | IBV_QP_SQ_PSN | \
	 IBV_QP_MAX_QP_RD_ATOMIC)
#define INIT_MASK (IBV_QP_PKEY_INDEX | IBV_QP_PORT | IBV_QP_ACCESS_FLAGS)
#define BATCH 256
#define BYTES 64

enum mode { MODE_ANY, MODE_THREADS, MODE_VERB_QUEUE, MODE_SYNC };

static struct {
	const char *device;
	enum mode mode;
	int pairs, port, gid_index, threads;
	bool check, json;
} options = { .pairs = 64, .port = 1, .gid_index = -1 };

static struct {
	struct ibv_context *context;
	struct ibv_port_attr port;
	union ibv_gid gid;
	struct ibv_pd *pd;
	struct ibv_cq *cq;
	struct ibv_mr *mr;
	struct ibv_qp **qps;
	struct vrbq *vrbq;
	char *buffer;
	int nr;
} w;

/* The failures and the duration of one phase */
struct phase {
	const char *name;
	int done, failed, first;
	double seconds;
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void count(struct phase *phase, int status)
{
	phase->done++;
	if (!status)
		return;
	if (!phase->failed++)
		phase->first = status;
}

/* The attributes of all transitions from RESET to RTS */
static struct ibv_qp_attr attr_of(int i)
{
	struct ibv_qp_attr attr = {
		.qp_state = IBV_QPS_RTS,
		.path_mtu = w.port.active_mtu,
		.dest_qp_num = w.qps[i ^ 1]->qp_num,
		.rq_psn = 100 + (i ^ 1),
		.sq_psn = 100 + i,
		.qp_access_flags = IBV_ACCESS_REMOTE_WRITE,
		.port_num = options.port,
		.min_rnr_timer = 12,
		.timeout = 14,
		.retry_cnt = 7,
		.rnr_retry = 7,
		.max_rd_atomic = 1,
		.max_dest_rd_atomic = 1,
		.ah_attr = { .dlid = w.port.lid, .port_num = options.port },
	};

	if (options.gid_index >= 0) {
		attr.ah_attr.is_global = 1;
		attr.ah_attr.grh.dgid = w.gid;
		attr.ah_attr.grh.sgid_index = options.gid_index;
		attr.ah_attr.grh.hop_limit = 64;
	}
	return attr;
}

static int connect_sync(int i)
{
	struct ibv_qp_attr attr = attr_of(i);
	int ret;

	attr.qp_state = IBV_QPS_INIT;
	ret = ibv_modify_qp(w.qps[i], &attr, IBV_QP_STATE | INIT_MASK);
	attr.qp_state = IBV_QPS_RTR;
	if (!ret)
		ret = ibv_modify_qp(w.qps[i], &attr, IBV_QP_STATE | RTR_MASK);
	attr.qp_state = IBV_QPS_RTS;
	return ret ? ret : ibv_modify_qp(w.qps[i], &attr, IBV_QP_STATE | RTS_MASK);
}

static void prep_connect(struct vrbq_request *request, int i)
{
	struct ibv_qp_attr attr = attr_of(i);

	vrbq_prep_connect_qp(request, i, w.qps[i], &attr,
			     IBV_QP_STATE | INIT_MASK | RTR_MASK | RTS_MASK);
}

static void prep_destroy(struct vrbq_request *request, int i)
{
	vrbq_prep_destroy_qp(request, i, w.qps[i]);
}

/* Submits requests as long as the queue has room. Returns the number of accepted requests. */
static int submit_some(int next, void (*prep)(struct vrbq_request *request, int i))
{
	struct vrbq_request requests[BATCH];
	int i, n = w.nr - next < BATCH ? w.nr - next : BATCH;

	for (i = 0; i < n; i++)
		prep(&requests[i], next + i);
	if (!n)
		return 0;
	n = vrbq_submit(w.vrbq, requests, n);
	if (n >= 0)
		return n;
	if (errno != EAGAIN)
		die("vrbq_submit: %s", strerror(errno));
	return 0;
}

static void run_requests(struct phase *phase, void (*prep)(struct vrbq_request *request, int i))
{
	struct pollfd fd = { .fd = vrbq_fd(w.vrbq), .events = POLLIN };
	struct vrbq_completion completions[BATCH];
	int next = 0, i, n;

	while (phase->done < w.nr) {
		next += submit_some(next, prep);
		if (poll(&fd, 1, -1) < 0 && errno != EINTR)
			die("poll: %s", strerror(errno));
		n = vrbq_reap(w.vrbq, completions, BATCH);
		if (n < 0)
			die("vrbq_reap: %s", strerror(errno));
		for (i = 0; i < n; i++) {
			count(phase, completions[i].status);
			if (completions[i].op == VRBQ_OP_DESTROY_QP && !completions[i].status)
				w.qps[completions[i].wr_id] = NULL;
		}
	}
}

static void connect_all(struct phase *phase)
{
	double begin = now();
	int i;

	if (options.mode != MODE_SYNC)
		run_requests(phase, prep_connect);
	for (i = 0; options.mode == MODE_SYNC && i < w.nr; i++)
		count(phase, connect_sync(i));
	phase->seconds = now() - begin;
}

static void destroy_all(struct phase *phase)
{
	double begin = now();
	int i;

	if (options.mode != MODE_SYNC)
		run_requests(phase, prep_destroy);
	for (i = 0; options.mode == MODE_SYNC && i < w.nr; i++)
		count(phase, ibv_destroy_qp(w.qps[i]));
	phase->seconds = now() - begin;
}

/* One QP of a pair writes to the memory of the other. Returns 0 or an errno. */
static int write_one(int i)
{
	struct ibv_sge sge = {
		.addr = (uintptr_t)w.buffer,
		.length = BYTES,
		.lkey = w.mr->lkey,
	};
	struct ibv_send_wr *bad, wr = {
		.wr_id = i,
		.sg_list = &sge,
		.num_sge = 1,
		.opcode = IBV_WR_RDMA_WRITE,
		.send_flags = IBV_SEND_SIGNALED,
		.wr.rdma.remote_addr = (uintptr_t)w.buffer + BYTES,
		.wr.rdma.rkey = w.mr->rkey,
	};
	const double end = now() + 10;
	struct ibv_wc wc;
	int n = 0;

	memset(w.buffer, i + 1, BYTES);
	if (ibv_post_send(w.qps[i], &wr, &bad))
		return EIO;
	while (!n && now() < end)
		n = ibv_poll_cq(w.cq, 1, &wc);
	if (n != 1 || wc.wr_id != (uint64_t)i || wc.status)
		return EIO;
	return memcmp(w.buffer, w.buffer + BYTES, BYTES) ? EIO : 0;
}

static void write_all(struct phase *phase)
{
	double begin = now();
	int i;

	for (i = 0; i < w.nr; i++)
		count(phase, write_one(i));
	phase->seconds = now() - begin;
}

static void make_objects(void)
{
	struct ibv_qp_init_attr init = {
		.qp_type = IBV_QPT_RC,
		.cap = { .max_send_wr = 1, .max_recv_wr = 1, .max_send_sge = 1, .max_recv_sge = 1 },
	};
	int i;

	w.nr = 2 * options.pairs;
	w.qps = calloc(w.nr, sizeof(*w.qps));
	w.buffer = calloc(2, BYTES);
	if (!w.qps || !w.buffer)
		die("no memory");
	w.pd = ibv_alloc_pd(w.context);
	w.cq = w.pd ? ibv_create_cq(w.context, 16, NULL, NULL, 0) : NULL;
	if (!w.cq)
		die("a completion queue cannot be created: %s", why(errno));
	w.mr = ibv_reg_mr(w.pd, w.buffer, 2 * BYTES,
			  IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_WRITE);
	if (!w.mr)
		die("memory cannot be registered: %s", why(errno));
	init.send_cq = w.cq;
	init.recv_cq = w.cq;
	for (i = 0; i < w.nr; i++) {
		errno = 0;
		w.qps[i] = ibv_create_qp(w.pd, &init);
		if (!w.qps[i])
			die("queue pair %d of %d cannot be created: %s", i + 1, w.nr, why(errno));
	}
}

static void open_port(void)
{
	if (ibv_query_port(w.context, options.port, &w.port))
		die("%s has no port %d", ibv_get_device_name(w.context->device), options.port);
	if (w.port.state != IBV_PORT_ACTIVE)
		die("port %d of %s is not active; for InfiniBand a subnet manager has to run "
		    "(ibv_devinfo shows the state)",
		    options.port, ibv_get_device_name(w.context->device));
	if (w.port.link_layer == IBV_LINK_LAYER_ETHERNET && options.gid_index < 0)
		options.gid_index = 0;
	if (options.gid_index >= 0 &&
	    ibv_query_gid(w.context, options.port, options.gid_index, &w.gid))
		die("port %d has no GID %d", options.port, options.gid_index);
}

static void open_queue(void)
{
	static const enum vrbq_backend backends[] = {
		[MODE_ANY] = VRBQ_BACKEND_ANY,
		[MODE_THREADS] = VRBQ_BACKEND_THREADS,
		[MODE_VERB_QUEUE] = VRBQ_BACKEND_VERB_QUEUE,
	};
	struct vrbq_attr attr = { .depth = 1024, .max_threads = options.threads };

	if (options.mode == MODE_SYNC)
		return;
	attr.backend = backends[options.mode];
	w.vrbq = vrbq_create(w.context, &attr);
	if (!w.vrbq && errno == EOPNOTSUPP)
		die("%s has no verb queue; say --mode=threads, or nothing",
		    ibv_get_device_name(w.context->device));
	if (!w.vrbq && errno == EPROTO)
		die("the driver of %s is older than libvrbq: install both of one version and load "
		    "the driver again, or say --mode=threads",
		    ibv_get_device_name(w.context->device));
	if (!w.vrbq)
		die("vrbq_create: %s", why(errno));
}

static void show(const struct phase *phase)
{
	const char *how =
		options.mode == MODE_SYNC ? "sync" : vrbq_backend_str(vrbq_backend(w.vrbq));

	if (options.check) {
		printf("%s: %d of %d\n", phase->name, phase->done - phase->failed, w.nr);
	} else if (options.json) {
		printf("{\"phase\":\"%s\",\"how\":\"%s\",\"qps\":%d,\"failed\":%d,"
		       "\"seconds\":%.6f}\n",
		       phase->name, how, w.nr, phase->failed, phase->seconds);
	} else {
		printf("%-8s %s: %d queue pairs in %.3f s, %.0f a second\n", phase->name, how, w.nr,
		       phase->seconds, w.nr / phase->seconds);
	}
	if (phase->failed)
		fprintf(stderr, "vrbq_connect: %s: %d failed, the first: %s\n", phase->name,
			phase->failed, strerror(phase->first));
}

static bool run_phase(const char *name, void (*run)(struct phase *phase))
{
	struct phase phase = { .name = name };

	run(&phase);
	show(&phase);
	return !phase.failed;
}

static enum mode mode_of(const char *arg, struct argp_state *state)
{
	static const char *const names[] = { "any", "threads", "queue", "sync" };
	unsigned int i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!strcmp(arg, names[i]))
			return i;
	}
	argp_error(state, "'%s' is none of any, threads, queue, sync", arg);
	return MODE_ANY;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	switch (key) {
	case 'd':
		options.device = arg;
		break;
	case 'n':
		options.pairs = number(arg, 1, 100000, state);
		break;
	case 'p':
		options.port = number(arg, 1, 255, state);
		break;
	case 'g':
		options.gid_index = number(arg, 0, 255, state);
		break;
	case 't':
		options.threads = number(arg, 1, VRBQ_MAX_THREADS, state);
		break;
	case 'm':
		options.mode = mode_of(arg, state);
		break;
	case 'c':
		options.check = true;
		break;
	case 'j':
		options.json = true;
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp_option arguments[] = {
	{ "device", 'd', "NAME", 0, "RDMA device (default: the first one)", 0 },
	{ "pairs", 'n', "N", 0, "Pairs of queue pairs (default: 64)", 0 },
	{ "port", 'p', "N", 0, "Port (default: 1)", 0 },
	{ "gid-index", 'g', "N", 0, "GID (default on Ethernet: 0)", 0 },
	{ "mode", 'm', "MODE", 0,
	  "any (default), threads or queue: which backend of libvrbq; sync: without libvrbq", 0 },
	{ "threads", 't', "N", 0, "Maximum number of threads of the threads backend", 0 },
	{ "check", 'c', 0, 0, "Print results without times: the same with each mode", 0 },
	{ "json", 'j', 0, 0, "Print one JSON object for each phase", 0 },
	{}
};

static const struct argp argp = {
	.options = arguments,
	.parser = parse,
	.doc = "Connects pairs of RC queue pairs of one device in loopback, writes over each, and "
	       "destroys them.",
};

const char *argp_program_version = "vrbq_connect " EXAMPLES_VERSION;

int main(int argc, char **argv)
{
	bool ok;

	argp_parse(&argp, argc, argv, 0, NULL, NULL);
	w.context = device_open(options.device);
	open_port();
	make_objects();
	open_queue();
	ok = run_phase("connect", connect_all);
	ok = ok && run_phase("write", write_all);
	ok = run_phase("destroy", destroy_all) && ok;
	vrbq_destroy(w.vrbq);
	ibv_dereg_mr(w.mr);
	ibv_destroy_cq(w.cq);
	ibv_dealloc_pd(w.pd);
	ibv_close_device(w.context);
	free(w.qps);
	free(w.buffer);
	return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
