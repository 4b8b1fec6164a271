// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
//
// A process with many objects, for close.sh and reload.sh. It creates them, reports that, and ends
// as its argument says: on SIGUSR1, "exit" ends it without destroying anything, and "close" closes
// the device under the objects before it ends; "wait" waits for any signal, "members" ends it when
// the device has failed. Memory regions and queues share memory, one CQ is resized so that its
// region is younger than the CQ, and one QP is in a multicast group; with "members" all are UD and
// in groups. With "cqs" it creates and destroys CQs, one at a time.

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <infiniband/verbs.h>

#define REGIONS 40
#define CQS 40
#define SRQS 10
#define QPS 200
#define MEMBERS 1000 /* QPs in groups: detaching all of them takes the driver a while */
#define GROUP 40     /* QPs of each group; the HCA has room for more */

static char memory[65536];
static struct ibv_context *context;
static struct ibv_pd *pd;
static struct ibv_cq *cq[CQS];
static struct ibv_srq *srq[SRQS];
static struct ibv_qp *qp[MEMBERS];
static int members;

static void must(int good, const char *what)
{
	if (good)
		return;
	printf("%s: %s\n", what, strerror(errno));
	exit(1);
}

static void open_device(void)
{
	struct ibv_device **list = ibv_get_device_list(NULL);

	must(list && list[0], "no device");
	context = ibv_open_device(list[0]);
	must(!!context, "open");
	ibv_free_device_list(list);
	pd = ibv_alloc_pd(context);
	must(!!pd, "PD");
}

static struct ibv_qp *create_qp(enum ibv_qp_type type, int i)
{
	struct ibv_qp_init_attr attr = {
		.send_cq = cq[i % CQS],
		.recv_cq = cq[(i + 1) % CQS],
		.srq = type == IBV_QPT_RC && i % 2 ? srq[i % SRQS] : NULL,
		.cap = { .max_send_wr = 8, .max_recv_wr = 8, .max_send_sge = 1, .max_recv_sge = 1 },
		.qp_type = type,
	};

	return ibv_create_qp(pd, &attr);
}

// The hardware knows a QP only after its first transition.
static void to_init(struct ibv_qp *of)
{
	struct ibv_qp_attr attr = { .qp_state = IBV_QPS_INIT, .port_num = 1 };
	int mask = of->qp_type == IBV_QPT_UD ? IBV_QP_QKEY : IBV_QP_ACCESS_FLAGS;

	errno = ibv_modify_qp(of, &attr, IBV_QP_STATE | IBV_QP_PKEY_INDEX | IBV_QP_PORT | mask);
	must(!errno, "INIT");
}

static void join(struct ibv_qp *of, int i)
{
	union ibv_gid group = { .raw = { 0xff, 0x12, 0x60, 0x1b, 1, 2, 3, i / GROUP } };

	errno = ibv_attach_mcast(of, &group, 0xc001);
	must(!errno, "attach");
}

static void make_all(void)
{
	struct ibv_srq_init_attr srq_attr = { .attr = { .max_wr = 16, .max_sge = 1 } };
	int i;

	for (i = 0; i < REGIONS; i++)
		must(!!ibv_reg_mr(pd, memory, sizeof(memory), IBV_ACCESS_LOCAL_WRITE), "MR");
	for (i = 0; i < CQS; i++) {
		cq[i] = ibv_create_cq(context, 100, NULL, NULL, 0);
		must(!!cq[i], "CQ");
	}
	for (i = 0; i < SRQS; i++) {
		srq[i] = ibv_create_srq(pd, &srq_attr);
		must(!!srq[i], "SRQ");
	}
	for (i = 0; i < (members ? MEMBERS : QPS); i++) {
		qp[i] = create_qp(i && !members ? IBV_QPT_RC : IBV_QPT_UD, i);
		must(!!qp[i], "QP");
		to_init(qp[i]);
		if (!i || members)
			join(qp[i], i);
	}
	errno = ibv_resize_cq(cq[0], 1000);
	must(!errno, "resize");
}

static void cqs_come_and_go(void)
{
	struct ibv_cq *one;
	int i;

	for (i = 0; i < CQS; i++) {
		one = ibv_create_cq(context, 100, NULL, NULL, 0);
		must(one && !ibv_destroy_cq(one), "CQ");
	}
}

static void wait_for_failure(void)
{
	struct ibv_async_event event;

	do {
		must(!ibv_get_async_event(context, &event), "event");
		ibv_ack_async_event(&event);
	} while (event.event_type != IBV_EVENT_DEVICE_FATAL);
}

static void wait_for_signal(const sigset_t *set)
{
	int number;

	errno = sigwait(set, &number);
	must(!errno, "signal");
}

int main(int argc, char **argv)
{
	const char *how = argc == 2 ? argv[1] : "";
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);

	members = !strcmp(how, "members");
	open_device();
	if (!strcmp(how, "cqs")) {
		cqs_come_and_go();
		return 0;
	}
	make_all();
	printf("made\n");
	fflush(stdout);
	if (!strcmp(how, "exit")) {
		wait_for_signal(&set);
	} else if (!strcmp(how, "close")) {
		wait_for_signal(&set);
		errno = ibv_close_device(context);
		must(!errno, "close");
		printf("closed\n");
	} else if (!strcmp(how, "wait")) {
		pause();
	} else if (members) {
		wait_for_failure();
	}
	return 0;
}
