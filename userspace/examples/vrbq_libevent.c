// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Creates queue pairs, moves them to INIT and destroys them, in an event loop of libevent in which
 * a timer continues to run. libvrbq's file descriptor is one more event of the loop. See
 * vrbq_libevent --help.
 */
#include <argp.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <event2/event.h>
#include <infiniband/vrbq.h>
#include "device.h"

#define REAP 32
#define TICK_MS 10

static struct {
	const char *device;
	int count;
} options = { .count = 32 };

static struct {
	struct event_base *base;
	struct ibv_context *context;
	struct ibv_pd *pd;
	struct ibv_cq *cq;
	struct vrbq *vrbq;
	struct ibv_qp_init_attr *attrs;
	int begun, gone, failed, ticks;
} w;

/* Creates the next QP, unless all have been created. */
static void begin(void)
{
	struct ibv_qp_init_attr *attr = &w.attrs[w.begun];
	struct vrbq_request request;

	if (w.begun == options.count)
		return;
	*attr = (struct ibv_qp_init_attr){
		.send_cq = w.cq,
		.recv_cq = w.cq,
		.qp_type = IBV_QPT_RC,
		.cap = { .max_send_wr = 1, .max_recv_wr = 1, .max_send_sge = 1, .max_recv_sge = 1 },
	};
	vrbq_prep_create_qp(&request, w.begun, w.pd, attr);
	if (vrbq_submit(w.vrbq, &request, 1) != 1)
		die("vrbq_submit: %s", why(errno));
	w.begun++;
}

static void init_qp(uint64_t wr_id, struct ibv_qp *qp)
{
	struct ibv_qp_attr attr = { .qp_state = IBV_QPS_INIT, .port_num = 1 };
	struct vrbq_request request;

	vrbq_prep_modify_qp(&request, wr_id, qp, &attr,
			    IBV_QP_STATE | IBV_QP_PKEY_INDEX | IBV_QP_PORT | IBV_QP_ACCESS_FLAGS);
	if (vrbq_submit(w.vrbq, &request, 1) != 1)
		die("vrbq_submit: %s", why(errno));
}

static void failure(const struct vrbq_completion *completion)
{
	fprintf(stderr, "vrbq_libevent: %s: %s\n", vrbq_op_str(completion->op),
		why(completion->status));
	w.failed++;
}

/* Each completion starts the next request on its QP: create, modify, destroy. */
static void completed(const struct vrbq_completion *completion)
{
	if (completion->status)
		failure(completion);
	if (completion->status && completion->op != VRBQ_OP_MODIFY_QP) {
		w.gone++;
		begin();
	} else if (completion->op == VRBQ_OP_CREATE_QP) {
		init_qp(completion->wr_id, completion->qp);
	} else if (completion->op == VRBQ_OP_MODIFY_QP) {
		if (vrbq_destroy_qp(w.vrbq, completion->qp, completion->wr_id))
			die("vrbq_destroy_qp: %s", why(errno));
	} else {
		w.gone++;
		begin();
	}
}

static void readable(evutil_socket_t fd, short what, void *arg)
{
	struct vrbq_completion completions[REAP];
	struct vrbq *vrbq = arg;
	int i, n = vrbq_reap(vrbq, completions, REAP);

	(void)fd;
	(void)what;
	if (n < 0) /* EIO: the device is gone, and fd stays readable */
		die("vrbq_reap: %s", why(errno));
	for (i = 0; i < n; i++)
		completed(&completions[i]);
	if (w.gone == options.count)
		event_base_loopbreak(w.base);
}

static struct event *watch(struct event_base *base, struct vrbq *vrbq)
{
	struct event *event;

	event = event_new(base, vrbq_fd(vrbq), EV_READ | EV_PERSIST, readable, vrbq);
	if (!event || event_add(event, NULL))
		die("libevent takes no event");
	return event;
}

static void tick(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	w.ticks++;
}

static void open_all(void)
{
	struct vrbq_attr attr = { .depth = VRBQ_MAX_DEPTH };

	w.context = device_open(options.device);
	w.attrs = calloc(options.count, sizeof(*w.attrs));
	w.pd = ibv_alloc_pd(w.context);
	w.cq = w.pd ? ibv_create_cq(w.context, 16, NULL, NULL, 0) : NULL;
	if (!w.cq || !w.attrs)
		die("no completion queue: %s", why(errno));
	w.vrbq = vrbq_create(w.context, &attr);
	if (!w.vrbq)
		die("vrbq_create: %s", why(errno));
	w.base = event_base_new();
	if (!w.base)
		die("libevent cannot start");
}

static void run(void)
{
	const struct timeval interval = { .tv_usec = TICK_MS * 1000 };
	struct event *completion, *timer;
	int i;

	completion = watch(w.base, w.vrbq);
	timer = event_new(w.base, -1, EV_PERSIST, tick, NULL);
	if (!timer || event_add(timer, &interval))
		die("libevent takes no event");
	for (i = 0; i < 64 && i < options.count; i++)
		begin();
	event_base_dispatch(w.base);
	event_free(completion);
	event_free(timer);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	switch (key) {
	case 'd':
		options.device = arg;
		break;
	case 'n':
		options.count = number(arg, 1, 1000000, state);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp_option arguments[] = {
	{ "device", 'd', "NAME", 0, "RDMA device (default: the first one)", 0 },
	{ "count", 'n', "N", 0, "Queue pairs (default: 32), 64 at a time", 0 },
	{}
};

static const struct argp argp = {
	.options = arguments,
	.parser = parse,
	.doc = "Creates queue pairs, moves them to INIT and destroys them, in an event loop of "
	       "libevent in which a timer continues to run.",
};

const char *argp_program_version = "vrbq_libevent " EXAMPLES_VERSION;

int main(int argc, char **argv)
{
	argp_parse(&argp, argc, argv, 0, NULL, NULL);
	open_all();
	run();
	printf("%s: %d queue pairs made and destroyed, %d failures, while the timer ticked %d times\n",
	       vrbq_backend_str(vrbq_backend(w.vrbq)), w.gone, w.failed, w.ticks);
	vrbq_destroy(w.vrbq);
	ibv_destroy_cq(w.cq);
	ibv_dealloc_pd(w.pd);
	ibv_close_device(w.context);
	event_base_free(w.base);
	libevent_global_shutdown();
	free(w.attrs);
	return w.failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
