// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
//
// Makes the second HCA write to the memory of the first one without end, and ignores errors, for
// tests in which the first HCA fails or is removed. With an argument the first HCA writes to the
// second one. SIGTERM ends the program.

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include "connect.h"
#include "process.h"

#define SIZE 65536
#define DEPTH 60
#define MESSAGE 512

struct end {
	struct ibv_context *context;
	struct ibv_pd *pd;
	struct ibv_cq *cq;
	struct ibv_mr *mr;
	struct ibv_qp *qp;
	struct ibv_port_attr port;
};

static volatile sig_atomic_t told;

static void tell(int signal)
{
	told = signal;
}

static bool make(struct end *end, struct ibv_device *device, void *memory)
{
	end->context = ibv_open_device(device);
	if (!end->context || ibv_query_port(end->context, 1, &end->port))
		return false;
	end->pd = ibv_alloc_pd(end->context);
	end->cq = ibv_create_cq(end->context, 2 * DEPTH, NULL, NULL, 0);
	end->mr =
		ibv_reg_mr(end->pd, memory, SIZE, IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_WRITE);
	end->qp = connect_make(end->pd, IBV_QPT_UC, end->cq, end->cq, DEPTH);
	return end->mr && end->qp && !connect_to_init(end->qp);
}

static int send_one(const struct end *from, const struct end *to, char *memory)
{
	struct ibv_sge sge = { (uintptr_t)memory + SIZE / 2, MESSAGE, from->mr->lkey };
	struct ibv_send_wr wr = {
		.sg_list = &sge,
		.num_sge = 1,
		.opcode = IBV_WR_RDMA_WRITE,
		.send_flags = IBV_SEND_SIGNALED,
		.wr.rdma = { (uintptr_t)memory, to->mr->rkey },
	};
	struct ibv_send_wr *bad;

	return ibv_post_send(from->qp, &wr, &bad);
}

static void pour(const struct end *from, const struct end *to, char *memory)
{
	struct ibv_wc wc[DEPTH];
	long sent = 0, done = 0;
	int n;

	while (!told) {
		for (; sent - done < DEPTH; sent++)
			if (send_one(from, to, memory))
				return;
		n = ibv_poll_cq(from->cq, DEPTH, wc);
		if (n < 0)
			return;
		done += n;
	}
	printf("%ld messages\n", done);
}

int main(int argc, char **argv)
{
	struct ibv_device **list = ibv_get_device_list(NULL);
	char *memory = process_memory(SIZE);
	struct end to = {}, from = {};
	const int second = argc > 1;

	signal(SIGTERM, tell);
	if (!list || !list[0] || !list[1] || !memory || !make(&to, list[second], memory) ||
	    !make(&from, list[!second], memory) ||
	    connect_to(to.qp, from.qp->qp_num, from.port.lid) ||
	    connect_to(from.qp, to.qp->qp_num, to.port.lid)) {
		printf("two HCAs that are connected are needed\n");
		return 1;
	}
	printf("pouring into %s\n", ibv_get_device_name(list[second]));
	fflush(stdout);
	pour(&from, &to, memory);
	return 0;
}
