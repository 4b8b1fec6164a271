// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
//
// Attaches queue pairs to multicast groups and detaches them, in random order, on a group table so
// small that chains are long (mcast_random.sh). Now and then it sends to each group: exactly the
// attached queue pairs must receive the message. The argument is the seed, which is printed.

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "kselftest.h"
#include <infiniband/verbs.h>

#define QPS 5
#define GROUPS 96
#define MANY 400 /* more than the table has room for */
#define OPERATIONS 500
#define LISTENS 3 /* how often it sends to all groups */
#define QKEY 0x1234
#define RECVS 64
#define SIZE 128 /* 40 of them for the GRH */

static struct ibv_context *context;
static struct ibv_pd *pd;
static struct ibv_cq *send_cq, *recv_cq;
static struct ibv_mr *mr;
static struct ibv_qp *qp[QPS];
static char memory[SIZE];
static bool attached[QPS][MANY];
static unsigned int state;

/* The same numbers on every machine. */
static unsigned int pick(unsigned int n)
{
	state = state * 1103515245 + 12345;
	return (state >> 16) % n;
}

static union ibv_gid group_gid(int group)
{
	union ibv_gid gid = { .raw = { 0xff, 0x12, 0x60, 0x1b } };

	gid.raw[12] = group * 7;
	gid.raw[14] = group >> 8;
	gid.raw[15] = group;
	return gid;
}

static int post_recv(struct ibv_qp *to)
{
	struct ibv_sge sge = { (uintptr_t)memory, SIZE, mr->lkey };
	struct ibv_recv_wr wr = { .sg_list = &sge, .num_sge = 1 }, *bad;

	return ibv_post_recv(to, &wr, &bad);
}

static int qp_ready(struct ibv_qp *q)
{
	struct ibv_qp_attr attr = { .qp_state = IBV_QPS_INIT, .port_num = 1, .qkey = QKEY };
	int ret, i;

	ret = ibv_modify_qp(q, &attr, IBV_QP_STATE | IBV_QP_PKEY_INDEX | IBV_QP_PORT | IBV_QP_QKEY);
	attr.qp_state = IBV_QPS_RTR;
	ret = ret ? ret : ibv_modify_qp(q, &attr, IBV_QP_STATE);
	attr.qp_state = IBV_QPS_RTS;
	ret = ret ? ret : ibv_modify_qp(q, &attr, IBV_QP_STATE | IBV_QP_SQ_PSN);
	for (i = 0; !ret && i < RECVS; i++)
		ret = post_recv(q);
	return ret;
}

static bool set_up(void)
{
	struct ibv_device **list = ibv_get_device_list(NULL);
	struct ibv_qp_init_attr attr = {
		.cap = { 4, RECVS, 1, 1, 0 },
		.qp_type = IBV_QPT_UD,
	};
	int i;

	context = list && list[0] ? ibv_open_device(list[0]) : NULL;
	pd = context ? ibv_alloc_pd(context) : NULL;
	mr = pd ? ibv_reg_mr(pd, memory, SIZE, IBV_ACCESS_LOCAL_WRITE) : NULL;
	send_cq = mr ? ibv_create_cq(context, 16, NULL, NULL, 0) : NULL;
	recv_cq = send_cq ? ibv_create_cq(context, QPS * RECVS, NULL, NULL, 0) : NULL;
	attr.send_cq = send_cq;
	attr.recv_cq = recv_cq;
	for (i = 0; recv_cq && i < QPS; i++) {
		qp[i] = ibv_create_qp(pd, &attr);
		if (!qp[i] || qp_ready(qp[i]))
			return false;
	}
	return recv_cq;
}

static bool one_completion(struct ibv_cq *cq, struct ibv_wc *wc)
{
	int tries, n = 0;

	for (tries = 0; tries < 5000 && !(n = ibv_poll_cq(cq, 1, wc)); tries++)
		usleep(1000);
	return n == 1 && wc->status == IBV_WC_SUCCESS;
}

static int send_to(int group)
{
	struct ibv_ah_attr attr = {
		.grh = { .dgid = group_gid(group), .hop_limit = 1 },
		.dlid = 0xc001 + group,
		.is_global = 1,
		.port_num = 1,
	};
	struct ibv_sge sge = { (uintptr_t)memory, 8, mr->lkey };
	struct ibv_send_wr wr = {
		.sg_list = &sge,
		.num_sge = 1,
		.opcode = IBV_WR_SEND_WITH_IMM,
		.send_flags = IBV_SEND_SIGNALED,
		.imm_data = group,
		.wr.ud = { .ah = ibv_create_ah(pd, &attr),
			   .remote_qpn = 0xffffff,
			   .remote_qkey = QKEY },
	};
	struct ibv_send_wr *bad;
	struct ibv_wc wc;
	int ret;

	if (!wr.wr.ud.ah)
		return errno;
	ret = ibv_post_send(qp[0], &wr, &bad);
	if (!ret && !one_completion(send_cq, &wc))
		ret = EIO;
	ibv_destroy_ah(wr.wr.ud.ah);
	return ret;
}

static int qp_index(unsigned int number)
{
	int i;

	for (i = 0; i < QPS && qp[i]->qp_num != number; i++)
		;
	return i;
}

/* Each QP in the group receives the message once; no other QP receives it. */
static bool heard_by_its_members(int group)
{
	bool heard[QPS] = {};
	struct ibv_wc wc;
	int i, n = 0;

	for (i = 0; i < QPS; i++)
		n += attached[i][group];
	if (send_to(group))
		return false;
	while (n--) {
		if (!one_completion(recv_cq, &wc) || wc.imm_data != (unsigned int)group)
			return false;
		i = qp_index(wc.qp_num);
		if (i == QPS || heard[i] || !attached[i][group] || post_recv(qp[i]))
			return false;
		heard[i] = true;
	}
	return !ibv_poll_cq(recv_cq, 1, &wc);
}

static bool all_heard(void)
{
	int group;

	for (group = 0; group < GROUPS; group++) {
		if (heard_by_its_members(group))
			continue;
		ksft_print_msg("group %d is not heard by just its members\n", group);
		return false;
	}
	return true;
}

static int change(int i, int group)
{
	union ibv_gid gid = group_gid(group);
	int ret = attached[i][group] ? ibv_detach_mcast(qp[i], &gid, 0xc001 + group) :
				       ibv_attach_mcast(qp[i], &gid, 0xc001 + group);

	if (!ret)
		attached[i][group] = !attached[i][group];
	return ret;
}

static bool random_changes(int n)
{
	int i, group, ret;

	while (n--) {
		i = pick(QPS);
		group = pick(GROUPS);
		ret = change(i, group);
		if (!ret)
			continue;
		ksft_print_msg("%s of QP %d, group %d: %s\n",
			       attached[i][group] ? "detach" : "attach", i, group, strerror(ret));
		return false;
	}
	return true;
}

/* Detaches in random order, too. */
static bool detach_all(void)
{
	int start = pick(QPS * MANY), n, at;

	for (n = 0; n < QPS * MANY; n++) {
		at = (start + n * 7) % (QPS * MANY);
		if (attached[at % QPS][at / QPS] && change(at % QPS, at / QPS))
			return false;
	}
	return true;
}

/* Returns -1 if the table never gets full. */
static int groups_until_full(void)
{
	int group, ret;

	for (group = 0; group < MANY; group++) {
		ret = change(0, group);
		if (ret)
			return ret == ENOMEM ? group : -1;
	}
	return -1;
}

int main(int argc, char **argv)
{
	int listen, full;

	state = argc > 1 ? strtoul(argv[1], NULL, 0) : 1;
	ksft_print_header();
	ksft_print_msg("seed %u\n", state);
	if (!set_up())
		ksft_exit_fail_msg("no objects: %s\n", strerror(errno));
	ksft_set_plan(2 * LISTENS + 6);
	for (listen = 0; listen < LISTENS; listen++) {
		ksft_test_result(random_changes(OPERATIONS / LISTENS), "random changes %d\n",
				 listen);
		ksft_test_result(all_heard(), "only members receive after changes %d\n", listen);
	}
	ksft_test_result(detach_all(), "all detached\n");
	ksft_test_result(all_heard(), "nobody receives after that\n");
	full = groups_until_full();
	ksft_test_result(full > GROUPS, "a full table says so: ENOMEM after %d groups\n", full);
	ksft_test_result(all_heard(), "only the members receive with a full table\n");
	ksft_test_result(detach_all(), "a full table becomes empty\n");
	ksft_test_result(groups_until_full() == full && detach_all(),
			 "it has as much room again\n");
	ksft_finished();
}
