// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
//
// Parts of the load of mixed_load.sh. "regions ROUNDS" registers and deregisters memory. "resize
// ROUNDS" resizes a CQ under RDMA writes of a QP that is connected to itself. They print how much
// they have done, and fail if a verb does. "hold NUMBER" creates so many QPs and memory regions,
// and keeps them until a signal ends it.

#include <time.h>
#include "connect.h"
#include "process.h"

#define NR(table) (int)(sizeof(table) / sizeof((table)[0]))
#define SIZE (1 << 20)
#define REGIONS 8
#define BURST 16
#define PATIENCE 20 /* seconds */

static struct ibv_context *context;
static struct ibv_pd *pd;
static char *memory;

static void must(bool good, const char *what)
{
	if (good)
		return;
	printf("%s: %s\n", what, strerror(errno));
	exit(1);
}

static void begin(void)
{
	context = process_open();
	must(context, "open");
	pd = ibv_alloc_pd(context);
	must(pd, "PD");
	memory = process_memory(SIZE);
	must(memory, "memory");
}

static void end(void)
{
	errno = ibv_dealloc_pd(pd);
	must(!errno, "PD's end");
	errno = ibv_close_device(context);
	must(!errno, "close");
}

/* ---- regions ---- */

/* Regions of all sizes overlap, and their order changes from round to round. */
static void register_all(struct ibv_mr **mr, int round)
{
	int i;

	for (i = 0; i < REGIONS; i++) {
		size_t size = (size_t)PROCESS_PAGE << (round + i) % REGIONS;

		mr[i] = ibv_reg_mr(pd, memory + i, size,
				   IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_WRITE);
		must(mr[i], "registration");
	}
}

static void deregister_all(struct ibv_mr **mr, int round)
{
	int i;

	for (i = 0; i < REGIONS; i++) {
		errno = ibv_dereg_mr(mr[(i + round) % REGIONS]);
		must(!errno, "deregistration");
	}
}

static void regions(int rounds)
{
	struct ibv_mr *mr[REGIONS];
	int round;

	begin();
	for (round = 0; round < rounds; round++) {
		register_all(mr, round);
		deregister_all(mr, round);
	}
	end();
	printf("%d regions\n", rounds * REGIONS);
}

/* ---- resize ---- */

static const int sizes[] = { 100, 4000, 1000, 40, 10000, 300 };

static struct ibv_cq *cq;
static struct ibv_mr *mr;
static struct ibv_qp *qp;

static void connect_to_itself(void)
{
	struct ibv_port_attr port;

	errno = ibv_query_port(context, 1, &port);
	must(!errno, "port");
	errno = connect_to_init(qp);
	must(!errno, "INIT");
	errno = connect_to(qp, qp->qp_num, port.lid);
	must(!errno, "RTS");
}

static void make_queue(void)
{
	mr = ibv_reg_mr(pd, memory, SIZE, IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_WRITE);
	must(mr, "region");
	cq = ibv_create_cq(context, sizes[0], NULL, NULL, 0);
	must(cq, "CQ");
	qp = connect_make(pd, IBV_QPT_RC, cq, cq, BURST);
	must(qp, "QP");
	connect_to_itself();
}

static void destroy_queue(void)
{
	errno = ibv_destroy_qp(qp);
	must(!errno, "QP's end");
	errno = ibv_destroy_cq(cq);
	must(!errno, "CQ's end");
	errno = ibv_dereg_mr(mr);
	must(!errno, "region's end");
}

static void post_burst(uint64_t id)
{
	struct ibv_sge sge = { (uintptr_t)memory, 512, mr->lkey };
	struct ibv_send_wr wr = {
		.sg_list = &sge,
		.num_sge = 1,
		.opcode = IBV_WR_RDMA_WRITE,
		.wr.rdma = { (uintptr_t)memory + SIZE / 2, mr->rkey },
	};
	struct ibv_send_wr *bad;
	int i;

	for (i = 0; i < BURST; i++) {
		wr.wr_id = id + i;
		errno = ibv_post_send(qp, &wr, &bad);
		must(!errno, "post");
	}
}

/* Half of the burst stays in the CQ's buffer for the resize, if it has completed by then. */
static void poll_some(uint64_t id, int n)
{
	time_t until = time(NULL) + PATIENCE;
	struct ibv_wc wc;
	int i, got;

	for (i = 0; i < n; i++) {
		while (!(got = ibv_poll_cq(cq, 1, &wc)) && time(NULL) < until)
			usleep(100);
		errno = got ? EIO : ETIMEDOUT;
		must(got == 1, "poll");
		must(wc.status == IBV_WC_SUCCESS, ibv_wc_status_str(wc.status));
		must(wc.wr_id == id + i, "order of the completions");
	}
}

static void resize_to(int entries)
{
	errno = ibv_resize_cq(cq, entries);
	must(!errno, "resize");
	must(cq->cqe >= entries, "size");
}

static void resize(int rounds)
{
	uint64_t id = 0;
	int round;

	begin();
	make_queue();
	for (round = 1; round <= rounds; round++, id += BURST) {
		post_burst(id);
		poll_some(id, BURST / 2);
		resize_to(sizes[round % NR(sizes)]);
		poll_some(id + BURST / 2, BURST / 2);
	}
	destroy_queue();
	end();
	printf("%d resizes, %llu writes\n", rounds, (unsigned long long)id);
}

/* ---- hold ---- */

static void hold(int number)
{
	int i;

	begin();
	cq = ibv_create_cq(context, 16, NULL, NULL, 0);
	must(cq, "CQ");
	for (i = 0; i < number; i++) {
		mr = ibv_reg_mr(pd, memory, PROCESS_PAGE, IBV_ACCESS_LOCAL_WRITE);
		must(mr, "region");
		qp = connect_make(pd, IBV_QPT_RC, cq, cq, 1);
		must(qp, "QP");
		errno = connect_to_init(qp);
		must(!errno, "INIT");
	}
	printf("holding\n");
	fflush(stdout);
	pause();
}

int main(int argc, char **argv)
{
	int number = argc == 3 ? atoi(argv[2]) : 0;

	if (number <= 0)
		return 2;
	if (!strcmp(argv[1], "regions"))
		regions(number);
	else if (!strcmp(argv[1], "resize"))
		resize(number);
	else if (!strcmp(argv[1], "hold"))
		hold(number);
	else
		return 2;
	return 0;
}
