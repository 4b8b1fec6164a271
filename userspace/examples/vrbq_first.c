// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * The first program of vrbq(7): connects an RC queue pair to itself, on port 1 of an InfiniBand
 * device, with one request. See vrbq_first --help.
 */
#include <argp.h>
#include <err.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <infiniband/vrbq.h>
#include "device.h"

#define PORT 1

/* attr->qp_state is IBV_QPS_RTS */
static void connect_qp(struct ibv_qp *qp, const struct ibv_qp_attr *attr)
{
	const int mask = IBV_QP_STATE | IBV_QP_PKEY_INDEX | IBV_QP_PORT | IBV_QP_ACCESS_FLAGS |
			 IBV_QP_AV | IBV_QP_PATH_MTU | IBV_QP_DEST_QPN | IBV_QP_RQ_PSN |
			 IBV_QP_MAX_DEST_RD_ATOMIC | IBV_QP_MIN_RNR_TIMER | IBV_QP_TIMEOUT |
			 IBV_QP_RETRY_CNT | IBV_QP_RNR_RETRY | IBV_QP_SQ_PSN |
			 IBV_QP_MAX_QP_RD_ATOMIC;
	const struct vrbq_attr vrbq_attr = { .depth = 256 };
	struct pollfd fd = { .events = POLLIN };
	struct vrbq_completion completion;
	struct vrbq_request request;
	struct vrbq *vrbq;

	vrbq = vrbq_create(qp->context, &vrbq_attr);
	if (!vrbq)
		err(1, "vrbq_create");
	fd.fd = vrbq_fd(vrbq);
	vrbq_prep_connect_qp(&request, 1, qp, attr, mask);
	if (vrbq_submit(vrbq, &request, 1) != 1)
		err(1, "vrbq_submit");
	if (poll(&fd, 1, -1) != 1 || vrbq_reap(vrbq, &completion, 1) != 1)
		err(1, "no completion");
	if (completion.status)
		errx(1, "connect: %s", strerror(completion.status));
	vrbq_destroy(vrbq);
}

static struct ibv_qp *create_qp(struct ibv_pd *pd, struct ibv_cq *cq)
{
	struct ibv_qp_init_attr init = {
		.send_cq = cq,
		.recv_cq = cq,
		.qp_type = IBV_QPT_RC,
		.cap = { .max_send_wr = 1, .max_recv_wr = 1, .max_send_sge = 1, .max_recv_sge = 1 },
	};

	return ibv_create_qp(pd, &init);
}

/* The attributes of all transitions from RESET to RTS */
static struct ibv_qp_attr attr_to_itself(const struct ibv_qp *qp)
{
	struct ibv_port_attr port;

	if (ibv_query_port(qp->context, PORT, &port))
		die("port %d cannot be queried", PORT);
	return (struct ibv_qp_attr){
		.qp_state = IBV_QPS_RTS,
		.path_mtu = port.active_mtu,
		.dest_qp_num = qp->qp_num,
		.port_num = PORT,
		.min_rnr_timer = 12,
		.timeout = 14,
		.retry_cnt = 7,
		.rnr_retry = 7,
		.max_rd_atomic = 1,
		.max_dest_rd_atomic = 1,
		.ah_attr = { .dlid = port.lid, .port_num = PORT },
	};
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	const char **device = state->input;

	if (key != ARGP_KEY_ARG || *device)
		return ARGP_ERR_UNKNOWN;
	*device = arg;
	return 0;
}

static const struct argp argp = {
	.parser = parse,
	.args_doc = "[DEVICE]",
	.doc = "Connects a queue pair to itself with libvrbq.",
};

const char *argp_program_version = "vrbq_first " EXAMPLES_VERSION;

int main(int argc, char **argv)
{
	struct ibv_context *context;
	const char *device = NULL;
	struct ibv_qp_attr attr;
	struct ibv_pd *pd;
	struct ibv_cq *cq;
	struct ibv_qp *qp;

	argp_parse(&argp, argc, argv, 0, NULL, &device);
	context = device_open(device);
	pd = ibv_alloc_pd(context);
	cq = pd ? ibv_create_cq(context, 2, NULL, NULL, 0) : NULL;
	qp = cq ? create_qp(pd, cq) : NULL;
	if (!qp)
		die("no queue pair: %s", why(errno));
	attr = attr_to_itself(qp);
	connect_qp(qp, &attr);
	printf("connected, state %d\n", qp->state);
	ibv_destroy_qp(qp);
	ibv_destroy_cq(cq);
	ibv_dealloc_pd(pd);
	ibv_close_device(context);
	return 0;
}
