// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * connect_user THREADS TOTAL: connections made by threads of a process, which wait for each verb: a
 * queue pair is created, connected to itself, and destroyed. Each thread has opened the device
 * itself, since libmthca destroys one queue pair of a context at a time. Prints the number of
 * connections and the nanoseconds.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <infiniband/verbs.h>

#define THREADS_MAX 256

struct user {
	pthread_t thread;
	struct ibv_pd *pd;
	struct ibv_cq *cq;
	struct ibv_port_attr port;
};

static int left;

static void check(int bad, const char *what)
{
	if (!bad)
		return;
	fprintf(stderr, "connect_user: %s: %s\n", what, strerror(errno));
	exit(1);
}

static unsigned long long now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

static void user_open(struct user *user, struct ibv_device *device)
{
	struct ibv_context *context = ibv_open_device(device);

	check(!context, "ibv_open_device");
	user->pd = ibv_alloc_pd(context);
	user->cq = ibv_create_cq(context, 63, NULL, NULL, 0);
	check(!user->pd || !user->cq || ibv_query_port(context, 1, &user->port), "objects");
}

static void life(const struct user *user)
{
	struct ibv_qp_init_attr init = { .qp_type = IBV_QPT_RC,
					 .send_cq = user->cq,
					 .recv_cq = user->cq,
					 .cap = { 4, 4, 1, 1, 0 } };
	struct ibv_qp *qp = ibv_create_qp(user->pd, &init);
	struct ibv_qp_attr attr = {
		.qp_state = IBV_QPS_INIT,
		.port_num = 1,
		.path_mtu = IBV_MTU_1024,
		.min_rnr_timer = 12,
		.timeout = 18,
		.retry_cnt = 7,
		.rnr_retry = 7,
		.ah_attr = { .dlid = user->port.lid, .port_num = 1 },
	};

	check(!qp, "ibv_create_qp");
	attr.dest_qp_num = qp->qp_num;
	check(ibv_modify_qp(qp, &attr,
			    IBV_QP_STATE | IBV_QP_PKEY_INDEX | IBV_QP_PORT | IBV_QP_ACCESS_FLAGS),
	      "INIT");
	attr.qp_state = IBV_QPS_RTR;
	check(ibv_modify_qp(qp, &attr,
			    IBV_QP_STATE | IBV_QP_AV | IBV_QP_PATH_MTU | IBV_QP_DEST_QPN |
				    IBV_QP_RQ_PSN | IBV_QP_MAX_DEST_RD_ATOMIC |
				    IBV_QP_MIN_RNR_TIMER),
	      "RTR");
	attr.qp_state = IBV_QPS_RTS;
	check(ibv_modify_qp(qp, &attr,
			    IBV_QP_STATE | IBV_QP_TIMEOUT | IBV_QP_RETRY_CNT | IBV_QP_RNR_RETRY |
				    IBV_QP_SQ_PSN | IBV_QP_MAX_QP_RD_ATOMIC),
	      "RTS");
	check(ibv_destroy_qp(qp), "ibv_destroy_qp");
}

static void *thread(void *arg)
{
	while (__atomic_sub_fetch(&left, 1, __ATOMIC_SEQ_CST) >= 0)
		life(arg);
	return NULL;
}

int main(int argc, char **argv)
{
	struct ibv_device **list = ibv_get_device_list(NULL);
	static struct user users[THREADS_MAX];
	unsigned long long began;
	int count = argc == 3 ? atoi(argv[1]) : 0, total = argc == 3 ? atoi(argv[2]) : 0;

	check(count < 1 || count > THREADS_MAX || total < 1, "arguments");
	check(!list || !list[0], "ibv_get_device_list");
	for (int i = 0; i < count; i++)
		user_open(&users[i], list[0]);
	left = total;
	began = now_ns();
	for (int i = 0; i < count; i++)
		check(pthread_create(&users[i].thread, NULL, thread, &users[i]), "pthread_create");
	for (int i = 0; i < count; i++)
		pthread_join(users[i].thread, NULL);
	printf("connect_user: %d times in %llu ns\n", total, now_ns() - began);
	return 0;
}
