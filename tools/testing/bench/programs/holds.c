// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Creates the numbers of queue pairs (in RTS), completion queues and memory regions in its
 * arguments, prints "ready", and keeps them until it is killed, to measure the cost of a process's
 * exit.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <infiniband/verbs.h>

#include "to_itself.h"

static struct ibv_pd *pd;
static struct ibv_port_attr port;
static char page[4096] __attribute__((aligned(4096)));

static void check(int bad, const char *what)
{
	if (!bad)
		return;
	fprintf(stderr, "holds: %s: %s\n", what, strerror(errno));
	exit(1);
}

int main(int argc, char **argv)
{
	struct ibv_device **list = ibv_get_device_list(NULL);
	struct ibv_context *context;
	struct ibv_cq *cq;
	int i;

	check(argc != 4, "arguments");
	check(!list || !list[0], "ibv_get_device_list");
	context = ibv_open_device(list[0]);
	check(!context, "ibv_open_device");
	pd = ibv_alloc_pd(context);
	check(!pd, "ibv_alloc_pd");
	check(ibv_query_port(context, 1, &port), "ibv_query_port");
	cq = ibv_create_cq(context, 63, NULL, NULL, 0);
	check(!cq, "ibv_create_cq");
	for (i = 0; i < atoi(argv[1]); i++) {
		struct ibv_qp_init_attr attr = {
			.qp_type = IBV_QPT_RC,
			.send_cq = cq,
			.recv_cq = cq,
			.cap = { 4, 4, 1, 1, 0 },
		};
		struct ibv_qp *qp = ibv_create_qp(pd, &attr);

		check(!qp, "ibv_create_qp");
		check(connect_to_itself(qp, port.lid), "connecting");
	}
	for (i = 1; i < atoi(argv[2]); i++)
		check(!ibv_create_cq(context, 63, NULL, NULL, 0), "ibv_create_cq");
	for (i = 0; i < atoi(argv[3]); i++)
		check(!ibv_reg_mr(pd, page, sizeof(page), IBV_ACCESS_LOCAL_WRITE), "ibv_reg_mr");
	puts("ready");
	fflush(stdout);
	pause();
	return 0;
}
