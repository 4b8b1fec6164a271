// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * storm_user mr|cq|mcast THREADS TOTAL: threads of a process that register and deregister a page,
 * create and destroy a completion queue, or attach a queue pair of their own to a multicast group
 * of their own and detach it. Prints the number of times and the nanoseconds. With TOTAL 0 it only
 * creates what the threads need.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <infiniband/verbs.h>

#define THREADS_MAX 256

static struct ibv_context *context;
static struct ibv_pd *pd;
static struct ibv_cq *cq;
static struct ibv_qp *qps[THREADS_MAX];
static char page[4096] __attribute__((aligned(4096)));
static void (*once)(int number);
static int left;

static void check(int bad, const char *what)
{
	if (!bad)
		return;
	fprintf(stderr, "storm_user: %s: %s\n", what, strerror(errno));
	exit(1);
}

static unsigned long long now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

static void register_page(int number)
{
	struct ibv_mr *mr = ibv_reg_mr(pd, page, sizeof(page), IBV_ACCESS_LOCAL_WRITE);

	check(!mr, "ibv_reg_mr");
	check(ibv_dereg_mr(mr), "ibv_dereg_mr");
}

static void create_cq(int number)
{
	struct ibv_cq *another = ibv_create_cq(context, 63, NULL, NULL, 0);

	check(!another, "ibv_create_cq");
	check(ibv_destroy_cq(another), "ibv_destroy_cq");
}

static void join(int number)
{
	union ibv_gid gid = { .raw = { 0xff, 0x12, 0x40, 0x1b, 0xff, 0xff, [15] = number } };

	check(ibv_attach_mcast(qps[number], &gid, 0xc007), "ibv_attach_mcast");
	check(ibv_detach_mcast(qps[number], &gid, 0xc007), "ibv_detach_mcast");
}

static void create_qps(int count)
{
	struct ibv_qp_init_attr init = {
		.qp_type = IBV_QPT_UD, .send_cq = cq, .recv_cq = cq, .cap = { 4, 4, 1, 1, 0 }
	};
	struct ibv_qp_attr attr = { .qp_state = IBV_QPS_INIT, .port_num = 1, .qkey = 1 };

	for (int i = 0; i < count; i++) {
		qps[i] = ibv_create_qp(pd, &init);
		check(!qps[i], "ibv_create_qp");
		check(ibv_modify_qp(qps[i], &attr,
				    IBV_QP_STATE | IBV_QP_PKEY_INDEX | IBV_QP_PORT | IBV_QP_QKEY),
		      "INIT");
	}
}

static void *thread(void *arg)
{
	while (__atomic_sub_fetch(&left, 1, __ATOMIC_SEQ_CST) >= 0)
		once((long)arg);
	return NULL;
}

static void prepare(const char *what, int count)
{
	struct ibv_device **list = ibv_get_device_list(NULL);

	check(!list || !list[0], "ibv_get_device_list");
	context = ibv_open_device(list[0]);
	check(!context, "ibv_open_device");
	pd = ibv_alloc_pd(context);
	cq = ibv_create_cq(context, 63, NULL, NULL, 0);
	check(!pd || !cq, "objects");
	memset(page, 1, sizeof(page));
	if (!strcmp(what, "mr"))
		once = register_page;
	if (!strcmp(what, "cq"))
		once = create_cq;
	if (!strcmp(what, "mcast")) {
		once = join;
		create_qps(count);
	}
	check(!once, "arguments");
}

int main(int argc, char **argv)
{
	pthread_t threads[THREADS_MAX];
	unsigned long long began;
	int count = argc == 4 ? atoi(argv[2]) : 0, total = argc == 4 ? atoi(argv[3]) : -1;

	check(count < 1 || count > THREADS_MAX || total < 0, "arguments");
	prepare(argv[1], count);
	left = total;
	began = now_ns();
	for (long i = 0; i < count; i++)
		check(pthread_create(&threads[i], NULL, thread, (void *)i), "pthread_create");
	for (int i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	printf("storm_user: %d times in %llu ns\n", total, now_ns() - began);
	return 0;
}
