// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Makes connections with rdma_cm, and creates, connects and destroys their queue pairs through
 * libvrbq. rdma_init_qp_attr() returns the attributes of each transition, and rdma_establish() ends
 * the handshake of the active side. The program has one thread and one loop. See
 * vrbq_rdma_cm --help.
 */
#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <infiniband/vrbq.h>
#include <rdma/rdma_cma.h>
#include "device.h"

#define REAP 32
#define TIMEOUT_MS 5000
#define TEXT "written through a queue pair that libvrbq has connected"

/**
 * struct conn - one connection
 * @id: its identifier in rdma_cm
 * @qp: its QP; NULL until it is created
 * @init_attr: attributes for the create of @qp
 * @transitions: number of outstanding transitions of @qp
 * @creating: the create of @qp is outstanding
 * @established: both sides are connected
 * @withdrawn: the client has gone before that; the server waits for another one instead
 * @failed: an operation on the connection has failed
 * @over: its destruction has started
 *
 * It is freed when @over, and no request is outstanding.
 */
struct conn {
	struct rdma_cm_id *id;
	struct ibv_qp *qp;
	struct ibv_qp_init_attr init_attr;
	int transitions;
	bool creating, established, withdrawn, failed, over;
};

static struct {
	const char *address, *port;
	bool server;
	int count;
} options = { .port = "7471", .count = 1 };

static struct {
	struct rdma_event_channel *channel;
	struct rdma_cm_id *listener;
	struct rdma_addrinfo *info;
	struct ibv_pd *pd;
	struct ibv_cq *cq;
	struct ibv_mr *mr;
	struct vrbq *vrbq;
	char buffer[2 * sizeof(TEXT)];
	int begun, ended, failed, messages;
} w;

/* Creates the objects that all connections share, when the first one determines the device. */
static void open_device(struct ibv_context *context)
{
	struct vrbq_attr attr = { .depth = 1024 };

	if (w.pd && w.pd->context != context)
		die("the connections are on different devices, which this example does not do");
	if (w.pd)
		return;
	w.pd = ibv_alloc_pd(context);
	w.cq = w.pd ? ibv_create_cq(context, 2 * options.count + 16, NULL, NULL, 0) : NULL;
	if (!w.cq)
		die("no completion queue: %s", why(errno));
	w.mr = ibv_reg_mr(w.pd, w.buffer, sizeof(w.buffer), IBV_ACCESS_LOCAL_WRITE);
	if (!w.mr)
		die("memory cannot be registered: %s", why(errno));
	w.vrbq = vrbq_create(context, &attr);
	if (!w.vrbq)
		die("vrbq_create: %s", why(errno));
}

static void submit(const struct vrbq_request *requests, int n)
{
	if (vrbq_submit(w.vrbq, requests, n) != n)
		die("vrbq_submit: %s", why(errno));
}

static void create_qp(struct conn *conn)
{
	struct vrbq_request request;

	open_device(conn->id->verbs);
	conn->init_attr = (struct ibv_qp_init_attr){
		.qp_context = conn,
		.send_cq = w.cq,
		.recv_cq = w.cq,
		.qp_type = IBV_QPT_RC,
		.sq_sig_all = 1,
		.cap = { .max_send_wr = 1, .max_recv_wr = 1, .max_send_sge = 1, .max_recv_sge = 1 },
	};
	vrbq_prep_create_qp(&request, (uintptr_t)conn, w.pd, &conn->init_attr);
	submit(&request, 1);
	conn->creating = true;
}

static struct rdma_conn_param conn_param(const struct conn *conn)
{
	return (struct rdma_conn_param){
		.responder_resources = 1,
		.initiator_depth = 1,
		.retry_count = 7,
		.rnr_retry_count = 7,
		.qp_num = conn->qp->qp_num,
	};
}

static void post_recv(struct conn *conn)
{
	struct ibv_sge sge = {
		.addr = (uintptr_t)w.buffer + sizeof(TEXT),
		.length = sizeof(TEXT),
		.lkey = w.mr->lkey,
	};
	struct ibv_recv_wr *bad, wr = {
		.wr_id = (uintptr_t)conn,
		.sg_list = &sge,
		.num_sge = 1,
	};

	if (ibv_post_recv(conn->qp, &wr, &bad))
		die("a receive cannot be posted");
}

static void post_send(struct conn *conn)
{
	struct ibv_sge sge = {
		.addr = (uintptr_t)w.buffer,
		.length = sizeof(TEXT),
		.lkey = w.mr->lkey,
	};
	struct ibv_send_wr *bad, wr = {
		.wr_id = (uintptr_t)conn,
		.sg_list = &sge,
		.num_sge = 1,
		.opcode = IBV_WR_SEND,
	};

	if (ibv_post_send(conn->qp, &wr, &bad))
		die("a send cannot be posted");
}

static void poll_cq(void);

/* The QP has been destroyed, or was never created. */
static void end(struct conn *conn)
{
	/* Not all devices remove a QP's completions from the CQ; these have a pointer to @conn. */
	poll_cq();
	if (!conn->withdrawn) {
		w.ended++;
		w.failed += conn->failed;
	}
	rdma_destroy_id(conn->id);
	free(conn);
}

static void destroy_qp(struct conn *conn)
{
	if (!conn->qp)
		end(conn);
	else if (vrbq_destroy_qp(w.vrbq, conn->qp, (uintptr_t)conn))
		die("vrbq_destroy_qp: %s", why(errno));
}

/*
 * Destroys the QP, after its create has completed; the identifier is destroyed when that has
 * completed, too.
 */
static void destroy(struct conn *conn)
{
	if (conn->over)
		return;
	conn->over = true;
	if (!conn->creating)
		destroy_qp(conn);
}

static void give_up(struct conn *conn, const char *what, int err)
{
	fprintf(stderr, "vrbq_rdma_cm: %s: %s\n", what, strerror(err));
	conn->failed = true;
	destroy(conn);
}

/*
 * The other side has gone. Until a server has accepted, it gets no event about that: the next call
 * fails.
 */
static void lost(struct conn *conn, const char *what, int err)
{
	conn->withdrawn = options.server && !conn->established;
	give_up(conn, what, err);
}

/* Submits INIT, RTR and RTS at once: requests on one QP keep their order. */
static void connect_qp(struct conn *conn)
{
	struct vrbq_request requests[3];
	struct ibv_qp_attr attr;
	int i, mask;

	for (i = 0; i < 3; i++) {
		memset(&attr, 0, sizeof(attr));
		attr.qp_state = IBV_QPS_INIT + i;
		if (rdma_init_qp_attr(conn->id, &attr, &mask)) {
			lost(conn, "rdma_init_qp_attr", errno);
			return;
		}
		vrbq_prep_modify_qp(&requests[i], (uintptr_t)conn, conn->qp, &attr, mask);
	}
	conn->transitions = 3;
	submit(requests, 3);
}

/* The QP is in RTS. */
static void connected(struct conn *conn)
{
	struct rdma_conn_param param = conn_param(conn);

	if (options.server) {
		post_recv(conn);
		if (rdma_accept(conn->id, &param))
			lost(conn, "rdma_accept", errno);
		return;
	}
	if (rdma_establish(conn->id)) {
		give_up(conn, "rdma_establish", errno);
		return;
	}
	post_send(conn);
}

static void created(struct conn *conn, const struct vrbq_completion *completion)
{
	struct rdma_conn_param param;

	conn->creating = false;
	conn->qp = completion->status ? NULL : completion->qp;
	/* Meanwhile the other side has gone. */
	if (conn->over) {
		destroy_qp(conn);
		return;
	}
	if (completion->status) {
		give_up(conn, "create_qp", completion->status);
		return;
	}
	if (options.server) {
		connect_qp(conn);
		return;
	}
	param = conn_param(conn);
	if (rdma_connect(conn->id, &param))
		give_up(conn, "rdma_connect", errno);
}

static void completed(const struct vrbq_completion *completion)
{
	struct conn *conn = (struct conn *)(uintptr_t)completion->wr_id;
	bool last = true;

	if (completion->op == VRBQ_OP_MODIFY_QP)
		last = !--conn->transitions;
	if (completion->op == VRBQ_OP_DESTROY_QP) {
		conn->failed |= completion->status != 0;
		end(conn);
	} else if (completion->op == VRBQ_OP_CREATE_QP) {
		created(conn, completion);
	} else if (completion->status) {
		give_up(conn, vrbq_op_str(completion->op), completion->status);
	} else if (last && !conn->over) {
		connected(conn);
	}
}

static void reap(void)
{
	struct vrbq_completion completions[REAP];
	int i, n = vrbq_reap(w.vrbq, completions, REAP);

	if (n < 0)
		die("vrbq_reap: %s", why(errno));
	for (i = 0; i < n; i++)
		completed(&completions[i]);
}

static struct conn *new_conn(struct rdma_cm_id *id)
{
	struct conn *conn = calloc(1, sizeof(*conn));

	if (!conn)
		die("no memory");
	conn->id = id;
	id->context = conn;
	w.begun++;
	return conn;
}

static void event(enum rdma_cm_event_type type, struct rdma_cm_id *id, int status)
{
	struct conn *conn = id->context;

	/* The listening identifier has no connection. Without its device none will come. */
	if (!conn && type != RDMA_CM_EVENT_CONNECT_REQUEST)
		die("listening has ended: %s", rdma_event_str(type));
	if (conn && conn->over)
		return;
	switch (type) {
	case RDMA_CM_EVENT_ADDR_RESOLVED:
		if (rdma_resolve_route(id, TIMEOUT_MS))
			give_up(conn, "rdma_resolve_route", errno);
		break;
	case RDMA_CM_EVENT_ROUTE_RESOLVED:
		create_qp(conn);
		break;
	case RDMA_CM_EVENT_CONNECT_REQUEST:
		create_qp(new_conn(id));
		break;
	case RDMA_CM_EVENT_CONNECT_RESPONSE:
		connect_qp(conn);
		break;
	case RDMA_CM_EVENT_ESTABLISHED:
		conn->established = true;
		break;
	case RDMA_CM_EVENT_TIMEWAIT_EXIT:
		break;
	case RDMA_CM_EVENT_DISCONNECTED:
		rdma_disconnect(id);
		destroy(conn);
		break;
	default:
		lost(conn, rdma_event_str(type), status < 0 ? -status : ECONNREFUSED);
	}
}

/* The event is acknowledged first, because rdma_destroy_id() waits for that. */
static void take_event(void)
{
	enum rdma_cm_event_type type;
	struct rdma_cm_event *cm_event;
	struct rdma_cm_id *id;
	int status;

	if (rdma_get_cm_event(w.channel, &cm_event)) {
		if (errno != EAGAIN && errno != EINTR)
			die("rdma_get_cm_event: %s", strerror(errno));
		return;
	}
	type = cm_event->event;
	id = cm_event->id;
	status = cm_event->status;
	rdma_ack_cm_event(cm_event);
	event(type, id, status);
}

/* A completed send has arrived at the server. Then the client disconnects. */
static void poll_cq(void)
{
	struct conn *conn;
	struct ibv_wc wc;

	while (w.cq && ibv_poll_cq(w.cq, 1, &wc) > 0) {
		conn = (struct conn *)(uintptr_t)wc.wr_id;
		if (wc.status == IBV_WC_WR_FLUSH_ERR)
			continue;
		if (wc.status) {
			give_up(conn, ibv_wc_status_str(wc.status), EIO);
			continue;
		}
		w.messages++;
		if (options.server && strcmp(w.buffer + sizeof(TEXT), TEXT))
			give_up(conn, "not what was sent", EIO);
		if (!options.server)
			rdma_disconnect(conn->id);
	}
}

/* The CQ is polled at intervals, so this example needs no completion channel. */
static void loop(void)
{
	struct pollfd fds[2] = { { .fd = w.channel->fd, .events = POLLIN },
				 { .fd = -1, .events = POLLIN } };

	while (w.ended < options.count) {
		fds[1].fd = w.vrbq ? vrbq_fd(w.vrbq) : -1;
		if (poll(fds, 2, 10) < 0 && errno != EINTR)
			die("poll: %s", strerror(errno));
		/* This comes first, so that a message is seen before the end of its connection. */
		poll_cq();
		if (fds[0].revents)
			take_event();
		if (w.vrbq)
			reap();
	}
}

static void resolve(void)
{
	struct rdma_addrinfo hints = { .ai_port_space = RDMA_PS_TCP };
	int ret;

	if (options.server)
		hints.ai_flags = RAI_PASSIVE;
	ret = rdma_getaddrinfo(options.address, options.port, &hints, &w.info);
	if (ret)
		die("%s, port %s: %s", options.address ? options.address : "any address",
		    options.port, gai_strerror(ret));
}

static void serve(void)
{
	if (rdma_create_id(w.channel, &w.listener, NULL, RDMA_PS_TCP) ||
	    rdma_bind_addr(w.listener, w.info->ai_src_addr))
		die("the address cannot be bound: %s", why(errno));
	if (rdma_listen(w.listener, options.count))
		die("rdma_listen: %s", why(errno));
	printf("listening\n");
	fflush(stdout);
}

static void call(void)
{
	struct rdma_cm_id *id;
	int i;

	for (i = 0; i < options.count; i++) {
		if (rdma_create_id(w.channel, &id, NULL, RDMA_PS_TCP))
			die("rdma_create_id: %s", why(errno));
		new_conn(id);
		if (rdma_resolve_addr(id, NULL, w.info->ai_dst_addr, TIMEOUT_MS))
			die("%s cannot be resolved: %s; is IPoIB up, with an address in that "
			    "network? (ip addr)",
			    options.address, strerror(errno));
	}
}

/* librdmacm tries several paths and reports the error of the last one; this one matters. */
static void open_channel(void)
{
	int err;

	w.channel = rdma_create_event_channel();
	err = errno;
	if (!w.channel && access("/dev/infiniband/rdma_cm", R_OK | W_OK) && errno == EACCES)
		die("no event channel: %s", why(EACCES));
	if (!w.channel && err == ENODEV)
		die("there is no RDMA device; is the driver loaded? (rdma link, dmesg)");
	if (!w.channel)
		die("no event channel: %s (modprobe rdma_ucm)", why(err));
	fcntl(w.channel->fd, F_SETFL, O_NONBLOCK);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	switch (key) {
	case 's':
		options.server = true;
		break;
	case 'p':
		options.port = arg;
		break;
	case 'n':
		options.count = number(arg, 1, 100, state);
		break;
	case ARGP_KEY_ARG:
		if (options.address)
			argp_error(state, "more than one address");
		options.address = arg;
		break;
	case ARGP_KEY_END:
		if (!options.server && !options.address)
			argp_error(state, "the address of a server, or --server");
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp_option arguments[] = {
	{ "server", 's', 0, 0, "Wait for connections", 0 },
	{ "port", 'p', "PORT", 0, "Service or number (default: 7471)", 0 },
	{ "count", 'n', "N", 0, "Connections (default: 1); then the program ends", 0 },
	{}
};

static const struct argp argp = {
	.options = arguments,
	.parser = parse,
	.args_doc = "[ADDRESS]",
	.doc = "Makes connections with rdma_cm; libvrbq creates and connects the queue pairs. The "
	       "client sends a message over each, and disconnects.",
};

const char *argp_program_version = "vrbq_rdma_cm " EXAMPLES_VERSION;

int main(int argc, char **argv)
{
	argp_parse(&argp, argc, argv, 0, NULL, NULL);
	memcpy(w.buffer, TEXT, sizeof(TEXT));
	open_channel();
	resolve();
	if (options.server)
		serve();
	else
		call();
	loop();
	printf("%s: %d connections, %d messages, %d failures\n",
	       w.vrbq ? vrbq_backend_str(vrbq_backend(w.vrbq)) : "no queue", w.ended, w.messages,
	       w.failed);
	vrbq_destroy(w.vrbq);
	if (w.mr)
		ibv_dereg_mr(w.mr);
	if (w.cq)
		ibv_destroy_cq(w.cq);
	if (w.pd)
		ibv_dealloc_pd(w.pd);
	if (w.listener)
		rdma_destroy_id(w.listener);
	rdma_destroy_event_channel(w.channel);
	rdma_freeaddrinfo(w.info);
	return w.failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
