// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
//
// Timeout: 300
// Runs: guest --driver tavor --sm
// Runs: guest --driver mthca --sm
//
// Tests each function of libvrbq with each backend that the device has. By hand:
//   tools/testing/vm/run --driver tavor --sm -- build/guest/libvrbq/verbs

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <infiniband/vrbq.h>
#include "kselftest.h"
#include "model.h"
#include "verb_queue.h"

#define QPS 8
#define DEPTH 64
#define INIT_MASK (IBV_QP_PKEY_INDEX | IBV_QP_PORT | IBV_QP_ACCESS_FLAGS)
#define RTR_MASK                                                         \
	(IBV_QP_AV | IBV_QP_PATH_MTU | IBV_QP_DEST_QPN | IBV_QP_RQ_PSN | \
	 IBV_QP_MAX_DEST_RD_ATOMIC | IBV_QP_MIN_RNR_TIMER)
#define RTS_MASK                                                                \
	(IBV_QP_TIMEOUT | IBV_QP_RETRY_CNT | IBV_QP_RNR_RETRY | IBV_QP_SQ_PSN | \
	 IBV_QP_MAX_QP_RD_ATOMIC)
#define CONNECT_MASK (IBV_QP_STATE | INIT_MASK | RTR_MASK | RTS_MASK)

static enum vrbq_backend backend;
static struct ibv_context *context, *other;
static struct ibv_port_attr port;

/* The objects that each test begins with. */
static struct vrbq *q;
static struct ibv_pd *pd;
static struct ibv_cq *cq;
static struct ibv_qp *qps[QPS];

static struct vrbq *make_queue(uint32_t depth, uint32_t threads)
{
	struct vrbq_attr attr = { .backend = backend, .depth = depth, .max_threads = threads };

	return vrbq_create(context, &attr);
}

static struct ibv_qp_init_attr init_attr(void)
{
	return (struct ibv_qp_init_attr){
		.send_cq = cq,
		.recv_cq = cq,
		.qp_type = IBV_QPT_RC,
		.cap = { .max_send_wr = 4, .max_recv_wr = 4, .max_send_sge = 1, .max_recv_sge = 1 },
	};
}

static struct ibv_qp_attr to(enum ibv_qp_state state, const struct ibv_qp *peer)
{
	return (struct ibv_qp_attr){
		.qp_state = state,
		.path_mtu = IBV_MTU_1024,
		.dest_qp_num = peer->qp_num,
		.port_num = 1,
		.min_rnr_timer = 12,
		.timeout = 14,
		.retry_cnt = 7,
		.rnr_retry = 7,
		.max_rd_atomic = 1,
		.max_dest_rd_atomic = 1,
		.ah_attr = { .dlid = port.lid, .port_num = 1 },
	};
}

/* Returns a completion that comes within ten seconds, or one whose wr_id is 0. */
static struct vrbq_completion reap_one(struct vrbq *from)
{
	struct pollfd fd = { .fd = vrbq_fd(from), .events = POLLIN };
	struct vrbq_completion completion = {};

	while (poll(&fd, 1, 10000) == 1 && !vrbq_reap(from, &completion, 1))
		;
	return completion;
}

/* Submits a request and returns its status, or -1 if another request completed. */
static int run_one(struct vrbq *with, struct vrbq_request *request)
{
	struct vrbq_completion completion;

	request->wr_id = 77;
	if (vrbq_submit(with, request, 1) != 1)
		return errno;
	completion = reap_one(with);
	return completion.wr_id == 77 && completion.op == request->op ? completion.status : -1;
}

static bool refused(struct vrbq *with, const struct vrbq_request *request, int err)
{
	errno = 0;
	if (vrbq_submit(with, request, 1) == -1 && errno == err)
		return true;
	ksft_print_msg("%s: %s, not %s\n", vrbq_op_str(request->op), strerror(errno),
		       strerror(err));
	return false;
}

static bool connect_pair(struct vrbq *with, struct ibv_qp *one, struct ibv_qp *two)
{
	struct vrbq_request requests[2];
	struct ibv_qp_attr attr = to(IBV_QPS_RTS, two);
	int i;

	vrbq_prep_connect_qp(&requests[0], 1, one, &attr, CONNECT_MASK);
	attr = to(IBV_QPS_RTS, one);
	vrbq_prep_connect_qp(&requests[1], 2, two, &attr, CONNECT_MASK);
	if (vrbq_submit(with, requests, 2) != 2)
		return false;
	for (i = 0; i < 2; i++)
		if (reap_one(with).status)
			return false;
	return one->state == IBV_QPS_RTS && two->state == IBV_QPS_RTS;
}

static enum ibv_qp_state real_state(struct ibv_qp *qp)
{
	struct ibv_qp_init_attr init;
	struct ibv_qp_attr attr;

	return ibv_query_qp(qp, &attr, IBV_QP_STATE, &init) ? IBV_QPS_UNKNOWN : attr.qp_state;
}

static bool test_told(void)
{
	struct vrbq_info info;
	uint64_t first;

	if (vrbq_query(q, &info, sizeof(info)) || info.backend != backend || info.depth != DEPTH ||
	    info.outstanding || vrbq_backend(q) != backend)
		return false;
	/* A program with a shorter structure, and one with a longer structure. */
	first = 0x5555555555555555;
	if (vrbq_query(q, (struct vrbq_info *)&first, 4) || (uint32_t)first != backend ||
	    first >> 32 != 0x55555555)
		return false;
	return vrbq_query(q, &info, 0) == -1 && errno == EINVAL;
}

static bool test_connect(void)
{
	int i;

	for (i = 0; i < QPS; i += 2)
		if (!connect_pair(q, qps[i], qps[i + 1]))
			return false;
	return real_state(qps[0]) == IBV_QPS_RTS;
}

static bool test_order(void)
{
	static const int masks[] = { INIT_MASK, RTR_MASK, RTS_MASK };
	struct vrbq_request requests[3];
	struct ibv_qp_attr attr;
	int i;

	for (i = 0; i < 3; i++) {
		attr = to(IBV_QPS_INIT + i, qps[1]);
		vrbq_prep_modify_qp(&requests[i], 10 + i, qps[0], &attr, IBV_QP_STATE | masks[i]);
	}
	if (vrbq_submit(q, requests, 3) != 3)
		return false;
	for (i = 0; i < 3; i++) {
		struct vrbq_completion completion = reap_one(q);

		if (completion.wr_id != 10 + i || completion.status || completion.qp != qps[0] ||
		    completion.qp_state != IBV_QPS_INIT + i)
			return false;
	}
	return qps[0]->state == IBV_QPS_RTS;
}

static bool test_wrong_transition(void)
{
	struct ibv_qp_attr attr = to(IBV_QPS_RTS, qps[1]);
	const int sync = ibv_modify_qp(qps[0], &attr, IBV_QP_STATE | RTS_MASK);
	struct vrbq_request request;
	int ret;

	vrbq_prep_modify_qp(&request, 0, qps[0], &attr, IBV_QP_STATE | RTS_MASK);
	ret = run_one(q, &request);
	ksft_print_msg("RESET to RTS: %d, and by ibv_modify_qp() %d\n", ret, sync);
	return sync && ret == sync && qps[0]->state == IBV_QPS_RESET &&
	       connect_pair(q, qps[0], qps[1]);
}

static bool connect_fails_with(const struct ibv_qp_attr *attr, int mask, uint32_t step,
			       enum ibv_qp_state state)
{
	struct vrbq_completion completion;
	struct vrbq_request request;

	vrbq_prep_connect_qp(&request, 1, qps[0], attr, mask);
	if (vrbq_submit(q, &request, 1) != 1)
		return false;
	completion = reap_one(q);
	ksft_print_msg("status %d, step %u, state %u\n", completion.status, completion.step,
		       completion.qp_state);
	return completion.status == EINVAL && completion.step == step &&
	       completion.qp_state == state && qps[0]->state == state;
}

static bool connect_fails(int mask, uint32_t step, enum ibv_qp_state state)
{
	const struct ibv_qp_attr attr = to(IBV_QPS_RTS, qps[1]);

	return connect_fails_with(&attr, mask, step, state);
}

/* The kernel refuses the path of the second transition; the first one succeeds. */
static bool test_step_refused(void)
{
	struct ibv_qp_attr attr = to(IBV_QPS_RTS, qps[1]);

	attr.ah_attr.is_global = 1;
	attr.ah_attr.grh.sgid_index = 200;
	return connect_fails_with(&attr, CONNECT_MASK, 1, IBV_QPS_INIT) &&
	       real_state(qps[0]) == IBV_QPS_INIT && connect_pair(q, qps[0], qps[1]);
}

/* RTR with only some of its attributes is invalid. Without any of them the QP stops in INIT. */
static bool test_step(void)
{
	if (!connect_fails(CONNECT_MASK & ~IBV_QP_DEST_QPN, 0, IBV_QPS_RESET) ||
	    !connect_fails(CONNECT_MASK & ~RTR_MASK, 1, IBV_QPS_INIT))
		return false;
	/* A second connect goes on from there. */
	return connect_pair(q, qps[0], qps[1]);
}

static bool test_connect_to_what(void)
{
	struct ibv_qp_attr attr = to(IBV_QPS_SQD, qps[1]);
	struct vrbq_request request;
	int ret;

	vrbq_prep_connect_qp(&request, 0, qps[0], &attr, CONNECT_MASK);
	ret = run_one(q, &request);
	if (ret != EINVAL)
		return false;
	attr.qp_state = IBV_QPS_RTR;
	vrbq_prep_connect_qp(&request, 0, qps[0], &attr,
			     IBV_QP_STATE | INIT_MASK | RTR_MASK | IBV_QP_QKEY);
	ret = run_one(q, &request);
	if (ret != EINVAL)
		return false;
	vrbq_prep_connect_qp(&request, 0, qps[0], &attr, IBV_QP_STATE | INIT_MASK | RTR_MASK);
	if (run_one(q, &request) || qps[0]->state != IBV_QPS_RTR ||
	    !connect_pair(q, qps[0], qps[1]))
		return false;
	/* A QP in RTS needs no further transition. */
	attr.qp_state = IBV_QPS_RTS;
	vrbq_prep_connect_qp(&request, 0, qps[0], &attr, CONNECT_MASK);
	return run_one(q, &request) == EINVAL && qps[0]->state == IBV_QPS_RTS;
}

static bool test_query(void)
{
	struct ibv_qp_attr attr, sync = {};
	struct ibv_qp_init_attr init, sync_init;
	struct vrbq_request request;

	if (!connect_pair(q, qps[0], qps[1]))
		return false;
	memset(&attr, 0x55, sizeof(attr));
	vrbq_prep_query_qp(&request, 0, qps[0], &attr, IBV_QP_STATE, &init);
	if (run_one(q, &request) || ibv_query_qp(qps[0], &sync, IBV_QP_STATE, &sync_init))
		return false;
	if (attr.qp_state != sync.qp_state || attr.dest_qp_num != sync.dest_qp_num ||
	    attr.path_mtu != sync.path_mtu || attr.ah_attr.dlid != sync.ah_attr.dlid ||
	    attr.cap.max_send_wr != sync.cap.max_send_wr || attr.port_num != sync.port_num ||
	    attr.timeout != sync.timeout || attr.sq_psn != sync.sq_psn)
		return false;
	if (init.send_cq != cq || init.qp_type != IBV_QPT_RC ||
	    init.cap.max_recv_wr != sync_init.cap.max_recv_wr)
		return false;
	vrbq_prep_query_qp(&request, 0, qps[0], &attr, IBV_QP_STATE, NULL);
	return !run_one(q, &request);
}

/* Requests after a reset in the same submit start in RESET, and the reset does not undo them. */
static bool test_reset(void)
{
	struct ibv_qp_attr attr = to(IBV_QPS_RTS, qps[1]);
	struct vrbq_request requests[2];

	if (!connect_pair(q, qps[0], qps[1]))
		return false;
	vrbq_prep_reset_qp(&requests[0], 1, qps[0]);
	vrbq_prep_connect_qp(&requests[1], 2, qps[0], &attr, CONNECT_MASK);
	if (vrbq_submit(q, requests, 2) != 2)
		return false;
	if (reap_one(q).status || reap_one(q).status)
		return false;
	if (qps[0]->state != IBV_QPS_RTS || real_state(qps[0]) != IBV_QPS_RTS)
		return false;
	vrbq_prep_reset_qp(&requests[0], 1, qps[0]);
	return !run_one(q, requests) && qps[0]->state == IBV_QPS_RESET &&
	       real_state(qps[0]) == IBV_QPS_RESET;
}

/* ---- A QP and its CQ after a reset ---- */

#define MESSAGES 4 /* as many as the queues of a QP have room for */
#define BYTES 16

static char messages[2 * MESSAGES * BYTES];

static int post_one(struct ibv_qp *from, struct ibv_qp *to, const struct ibv_mr *mr, uint64_t wr_id)
{
	const int i = wr_id % MESSAGES;
	struct ibv_sge source = { (uintptr_t)messages + i * BYTES, BYTES, mr->lkey };
	struct ibv_sge target = { (uintptr_t)messages + (MESSAGES + i) * BYTES, BYTES, mr->lkey };
	struct ibv_recv_wr *bad_recv, recv = { .wr_id = wr_id, .sg_list = &target, .num_sge = 1 };
	struct ibv_send_wr *bad_send, send = {
		.wr_id = wr_id,
		.sg_list = &source,
		.num_sge = 1,
		.opcode = IBV_WR_SEND,
		.send_flags = IBV_SEND_SIGNALED,
	};

	return ibv_post_recv(to, &recv, &bad_recv) ?: ibv_post_send(from, &send, &bad_send);
}

/* Fills both queues; the first message is @wr_id. Returns whether all messages have arrived. */
static bool fill_queues(struct ibv_qp *from, struct ibv_qp *to, const struct ibv_mr *mr,
			uint64_t wr_id)
{
	int i, ret, tries;

	memset(messages, 0, sizeof(messages));
	memset(messages, wr_id, sizeof(messages) / 2);
	for (i = 0; i < MESSAGES; i++) {
		ret = post_one(from, to, mr, wr_id + i);
		if (ret) {
			ksft_print_msg("message %d is not posted: %s\n", i, strerror(ret));
			return false;
		}
	}
	for (tries = 0;
	     tries < 100 && memcmp(messages, messages + sizeof(messages) / 2, sizeof(messages) / 2);
	     tries++)
		usleep(100000);
	/* The completion of a send comes after its data. */
	usleep(200000);
	return tries < 100;
}

/* Polls the completions of one call of fill_queues(), and finds no other. */
static bool poll_only(const struct ibv_qp *from, const struct ibv_qp *to, uint64_t wr_id)
{
	int n = 0, wrong = 0, tries;
	struct ibv_wc wc;

	for (tries = 0; tries < 100 && n < 2 * MESSAGES; tries++) {
		while (ibv_poll_cq(cq, 1, &wc) > 0) {
			n++;
			if (wc.status || wc.wr_id < wr_id || wc.wr_id >= wr_id + MESSAGES ||
			    (wc.qp_num != from->qp_num && wc.qp_num != to->qp_num))
				wrong++;
		}
		usleep(10000);
	}
	while (ibv_poll_cq(cq, 1, &wc) > 0)
		n++;
	if (n != 2 * MESSAGES || wrong)
		ksft_print_msg("%d completions, %d of them wrong\n", n, wrong);
	return n == 2 * MESSAGES && !wrong;
}

/* @by_modify: by a modify to RESET */
static bool reset_qp(struct ibv_qp *qp, bool by_modify)
{
	struct ibv_qp_attr attr = { .qp_state = IBV_QPS_RESET };
	struct vrbq_request request;

	if (by_modify)
		vrbq_prep_modify_qp(&request, 0, qp, &attr, IBV_QP_STATE);
	else
		vrbq_prep_reset_qp(&request, 0, qp);
	return !run_one(q, &request) && qp->state == IBV_QPS_RESET;
}

/*
 * A reset discards the completions of the QP that the program has not polled, and those alone.
 * Afterwards the queues of the QP are empty: they take as many work requests as at first.
 */
static bool test_reset_cleans(void)
{
	struct ibv_mr *mr = ibv_reg_mr(pd, messages, sizeof(messages), IBV_ACCESS_LOCAL_WRITE);
	int round;
	bool good = mr && connect_pair(q, qps[2], qps[3]);

	for (round = 0; good && round < 2; round++) {
		good = connect_pair(q, qps[0], qps[1]) && fill_queues(qps[2], qps[3], mr, 40) &&
		       fill_queues(qps[0], qps[1], mr, 80) && reset_qp(qps[0], round) &&
		       reset_qp(qps[1], round) && poll_only(qps[2], qps[3], 40);
		good = good && connect_pair(q, qps[0], qps[1]) &&
		       fill_queues(qps[0], qps[1], mr, 120) && poll_only(qps[0], qps[1], 120) &&
		       reset_qp(qps[0], round) && reset_qp(qps[1], round);
	}
	return mr && !ibv_dereg_mr(mr) && good;
}

static bool test_quiesce(void)
{
	struct vrbq_request request;

	if (!connect_pair(q, qps[0], qps[1]))
		return false;
	vrbq_prep_quiesce_qp(&request, 0, qps[0]);
	if (run_one(q, &request) || qps[0]->state != IBV_QPS_RESET)
		return false;
	if (ibv_destroy_qp(qps[0]))
		return false;
	qps[0] = NULL;
	return true;
}

static bool test_create(void)
{
	char memory[4096] __attribute__((aligned(4096)));
	struct ibv_qp_init_attr init = init_attr();
	struct vrbq_completion completion;
	struct vrbq_request requests[3];
	struct ibv_cq *made_cq = NULL;
	struct ibv_qp *made = NULL;
	struct ibv_mr *mr = NULL;
	int i;

	init.cap.max_inline_data = 20;
	vrbq_prep_create_qp(&requests[0], 1, pd, &init);
	vrbq_prep_create_cq(&requests[1], 2, 100, &made_cq, NULL, 0);
	vrbq_prep_reg_mr(&requests[2], 3, pd, memory, sizeof(memory), IBV_ACCESS_LOCAL_WRITE);
	if (vrbq_submit(q, requests, 3) != 3)
		return false;
	for (i = 0; i < 3; i++) {
		completion = reap_one(q);
		if (completion.status)
			return false;
		if (completion.wr_id == 1)
			made = completion.qp;
		else if (completion.wr_id == 2)
			made_cq = completion.cq;
		else if (completion.wr_id == 3)
			mr = completion.mr;
	}
	if (!made || !made_cq || !mr || init.cap.max_inline_data < 20 || made_cq->cqe < 100 ||
	    made_cq->cq_context != &made_cq || mr->length != sizeof(memory))
		return false;
	vrbq_prep_dereg_mr(&requests[0], 0, mr);
	if (run_one(q, requests) || ibv_destroy_cq(made_cq))
		return false;
	vrbq_prep_destroy_qp(&requests[0], 0, made);
	return !run_one(q, requests);
}

static bool test_create_errors(void)
{
	struct ibv_qp_init_attr init = init_attr();
	struct vrbq_request request;

	init.cap.max_send_wr = 1 << 30;
	vrbq_prep_create_qp(&request, 0, pd, &init);
	if (run_one(q, &request) <= 0)
		return false;
	vrbq_prep_create_cq(&request, 0, 1 << 30, NULL, NULL, 0);
	if (run_one(q, &request) <= 0)
		return false;
	vrbq_prep_reg_mr(&request, 0, pd, NULL, 4096, IBV_ACCESS_LOCAL_WRITE);
	return run_one(q, &request) > 0;
}

static bool test_destroy_qp(void)
{
	struct vrbq_request request;
	int i;

	if (!connect_pair(q, qps[0], qps[1]))
		return false;
	for (i = 0; i < QPS; i++)
		if (vrbq_destroy_qp(q, qps[i], i + 1))
			return false;
	/* Until its destroy is reaped, a QP accepts no other request. */
	vrbq_prep_reset_qp(&request, 0, qps[QPS - 1]);
	if (backend == VRBQ_BACKEND_VERB_QUEUE && !refused(q, &request, ESHUTDOWN))
		return false;
	for (i = 0; i < QPS; i++) {
		struct vrbq_completion completion = reap_one(q);

		if (!completion.wr_id || completion.status ||
		    completion.qp != qps[completion.wr_id - 1])
			return false;
		qps[completion.wr_id - 1] = NULL;
	}
	return true;
}

/* A QP in RTS that is in a multicast group, or NULL */
static struct ibv_qp *make_attached(const union ibv_gid *group, uint16_t lid)
{
	struct ibv_qp_attr attr = { .qp_state = IBV_QPS_RTS, .port_num = 1, .qkey = 1 };
	struct ibv_qp_init_attr init = init_attr();
	struct vrbq_request request;
	struct ibv_qp *qp;

	init.qp_type = IBV_QPT_UD;
	qp = ibv_create_qp(pd, &init);
	if (!qp)
		return NULL;
	vrbq_prep_connect_qp(&request, 0, qp, &attr,
			     IBV_QP_STATE | IBV_QP_PKEY_INDEX | IBV_QP_PORT | IBV_QP_QKEY |
				     IBV_QP_SQ_PSN);
	if (!run_one(q, &request) && !ibv_attach_mcast(qp, group, lid))
		return qp;
	ibv_destroy_qp(qp);
	return NULL;
}

/* The destroy of a QP in a multicast group fails, and the QP can be used as before. */
static bool test_destroy_attached(void)
{
	const union ibv_gid group = { .raw = { 0xff, 0x12, [15] = 0x77 } };
	struct ibv_qp *qp = make_attached(&group, 0xc077);
	struct vrbq_request request;
	bool good;
	int ret;

	if (!qp)
		return false;
	vrbq_prep_destroy_qp(&request, 0, qp);
	ret = run_one(q, &request);
	good = ret == EBUSY && qp->state == IBV_QPS_RTS && real_state(qp) == IBV_QPS_RTS;
	ksft_print_msg("destroy: %d, state %d\n", ret, qp->state);
	vrbq_prep_quiesce_qp(&request, 0, qp);
	ret = backend == VRBQ_BACKEND_VERB_QUEUE ? run_one(q, &request) : EBUSY;
	good = good && ret == EBUSY && real_state(qp) == IBV_QPS_RTS;
	good = !ibv_detach_mcast(qp, &group, 0xc077) && good;
	vrbq_prep_destroy_qp(&request, 0, qp);
	return !run_one(q, &request) && good;
}

/* The descriptor is readable from the first completion until the last one is reaped. */
static bool test_fd(void)
{
	struct pollfd fd = { .fd = vrbq_fd(q), .events = POLLIN };
	struct vrbq_completion completion;
	struct vrbq_request request;
	int i;

	if (poll(&fd, 1, 0) || vrbq_reap(q, &completion, 1))
		return false;
	for (i = 0; i < QPS; i++) {
		vrbq_prep_reset_qp(&request, i, qps[i]);
		if (vrbq_submit(q, &request, 1) != 1)
			return false;
	}
	for (i = 0; i < QPS; i++)
		if (poll(&fd, 1, 10000) != 1 || vrbq_reap(q, &completion, 1) != 1)
			return false;
	return !poll(&fd, 1, 0) && !vrbq_reap(q, &completion, 1);
}

static bool test_full(void)
{
	struct vrbq *small = make_queue(4, 1);
	struct vrbq_request requests[6];
	int i;
	bool good;

	for (i = 0; i < 6; i++)
		vrbq_prep_reset_qp(&requests[i], i + 1, qps[i]);
	good = small && vrbq_submit(small, requests, 6) == 4 &&
	       refused(small, &requests[4], EAGAIN);
	for (i = 0; good && i < 4; i++)
		good = reap_one(small).wr_id && vrbq_submit(small, &requests[4], 1) == 1;
	return !vrbq_destroy(small) && good;
}

static bool slow(const char *latency)
{
	char request[128];

	snprintf(request, sizeof(request),
		 "{\"cmd\":\"set\",\"hca\":0,\"key\":\"latency\",\"value\":\"%s\"}", latency);
	return model_ask(request);
}

/* The first request is slow, and the others wait behind it on the same QP. */
static bool test_cancel(void)
{
	struct ibv_qp_attr attr = to(IBV_QPS_RTS, qps[1]);
	struct vrbq_completion completion;
	struct vrbq_request requests[3];
	bool good = true;
	int i, ret;

	if (!slow("200ms"))
		return false;
	vrbq_prep_connect_qp(&requests[0], 1, qps[0], &attr, CONNECT_MASK);
	vrbq_prep_reset_qp(&requests[1], 2, qps[0]);
	vrbq_prep_connect_qp(&requests[2], 3, qps[0], &attr, CONNECT_MASK);
	if (vrbq_submit(q, requests, 3) != 3)
		good = false;
	usleep(50000);
	ret = vrbq_cancel(q, 1);
	good = good && ret == -1 && errno == EALREADY;
	good = good && !vrbq_cancel(q, 2) && !vrbq_cancel(q, 3);
	good = good && vrbq_cancel(q, 4) == -1 && errno == ENOENT;
	for (i = 0; i < 3; i++) {
		completion = reap_one(q);
		if (completion.status != (completion.wr_id == 1 ? 0 : ECANCELED))
			good = false;
	}
	good = slow("10us") && good;
	return good && qps[0]->state == IBV_QPS_RTS && vrbq_cancel(q, 1) == -1 && errno == ENOENT;
}

/* Of two requests with one wr_id the last is cancelled, and then, as that is over, the other. */
static bool test_cancel_twice(void)
{
	struct ibv_qp_attr attr = to(IBV_QPS_RTS, qps[0]);
	struct vrbq_completion completion;
	struct vrbq_request requests[5];
	int i, n = 0, ret[3], err;
	bool good;

	vrbq_prep_connect_qp(&requests[0], 1, qps[0], &attr, CONNECT_MASK);
	vrbq_prep_reset_qp(&requests[1], 5, qps[0]);
	vrbq_prep_connect_qp(&requests[2], 2, qps[1], &attr, CONNECT_MASK);
	vrbq_prep_reset_qp(&requests[3], 3, qps[1]);
	vrbq_prep_connect_qp(&requests[4], 5, qps[1], &attr, CONNECT_MASK);
	good = slow("200ms") && vrbq_submit(q, requests, 5) == 5;
	for (i = 0; i < 3; i++)
		ret[i] = vrbq_cancel(q, 5);
	err = errno;
	good = slow("10us") && good && !ret[0] && !ret[1] && ret[2] == -1 && err == EALREADY;
	for (i = 0; i < 5; i++) {
		completion = reap_one(q);
		n += completion.status == (completion.wr_id == 5 ? ECANCELED : 0);
	}
	ksft_print_msg("%d, %d, %d: %s; %d are right\n", ret[0], ret[1], ret[2], strerror(err), n);
	return good && n == 5;
}

/* A request that was cancelled before it began reports the state of its QP, too. */
static bool test_cancelled_state(void)
{
	struct vrbq_completion completion;
	struct vrbq_request requests[2];
	struct ibv_qp_attr attr;
	bool good;
	int i;

	if (!connect_pair(q, qps[0], qps[1]) || !slow("200ms"))
		return false;
	attr = to(IBV_QPS_RTS, qps[1]);
	vrbq_prep_reset_qp(&requests[0], 1, qps[0]);
	vrbq_prep_connect_qp(&requests[1], 2, qps[0], &attr, CONNECT_MASK);
	good = vrbq_submit(q, requests, 2) == 2 && !vrbq_cancel(q, 2);
	good = slow("10us") && good;
	for (i = 0; i < 2; i++) {
		completion = reap_one(q);
		if (completion.wr_id == 2 &&
		    (completion.status != ECANCELED || completion.qp_state != IBV_QPS_RTS))
			good = false;
	}
	return good;
}

static bool test_bad_requests(void)
{
	struct ibv_pd *foreign = ibv_alloc_pd(other);
	struct ibv_qp_init_attr init = init_attr();
	struct vrbq_completion completion;
	struct vrbq_request request;
	bool good;

	vrbq_prep_reset_qp(&request, 1, qps[0]);
	good = vrbq_submit(q, NULL, 1) == -1 && errno == EINVAL;
	good = good && vrbq_submit(q, &request, 0) == -1 && errno == EINVAL;
	good = good && vrbq_submit(q, &request, -1) == -1 && errno == EINVAL;
	good = good && vrbq_submit(NULL, &request, 1) == -1 && errno == EINVAL;
	good = good && vrbq_fd(NULL) == -1 && errno == EINVAL;
	good = good && vrbq_reap(q, NULL, 1) == -1 && errno == EINVAL;
	good = good && vrbq_reap(q, &completion, 0) == -1 && errno == EINVAL;
	request.flags = 1;
	good = good && refused(q, &request, EINVAL);
	vrbq_prep_reset_qp(&request, 1, NULL);
	good = good && refused(q, &request, EINVAL);
	request.op = 0;
	good = good && refused(q, &request, EINVAL);
	request.op = 1000;
	good = good && refused(q, &request, EINVAL);
	vrbq_prep_create_qp(&request, 1, foreign, &init);
	good = good && refused(q, &request, EINVAL);
	vrbq_prep_create_qp(&request, 1, pd, NULL);
	good = good && refused(q, &request, EINVAL);
	vrbq_prep_query_qp(&request, 1, qps[0], NULL, IBV_QP_STATE, NULL);
	good = good && refused(q, &request, EINVAL);
	return !ibv_dealloc_pd(foreign) && good;
}

/* The first invalid request ends the submit; those before it are accepted. */
static bool test_bad_in_the_middle(void)
{
	struct vrbq_request requests[3];

	vrbq_prep_reset_qp(&requests[0], 1, qps[0]);
	vrbq_prep_reset_qp(&requests[1], 2, NULL);
	vrbq_prep_reset_qp(&requests[2], 3, qps[2]);
	if (vrbq_submit(q, requests, 3) != 1 || !refused(q, &requests[1], EINVAL))
		return false;
	return reap_one(q).wr_id == 1;
}

/*
 * Two requests of a submit have handles that are not those of QPs. The others are executed, once
 * each, and these two complete with an error.
 */
static bool test_bad_handles(void)
{
	struct ibv_qp_attr attr = to(IBV_QPS_INIT, qps[1]);
	const uint32_t handles[2] = { qps[1]->handle, qps[3]->handle };
	struct vrbq_completion completion;
	struct vrbq_request requests[QPS];
	int status[QPS], i, wrong = 0;

	for (i = 0; i < QPS; i++) {
		status[i] = -1;
		vrbq_prep_modify_qp(&requests[i], i + 1, qps[i], &attr, IBV_QP_STATE | INIT_MASK);
	}
	qps[1]->handle = 0x7fffffff;
	qps[3]->handle = cq->handle;
	if (vrbq_submit(q, requests, QPS) != QPS)
		wrong++;
	for (i = 0; i < QPS; i++) {
		completion = reap_one(q);
		if (!completion.wr_id || status[completion.wr_id - 1] != -1)
			wrong++;
		else
			status[completion.wr_id - 1] = completion.status;
	}
	qps[1]->handle = handles[0];
	qps[3]->handle = handles[1];
	for (i = 0; i < QPS; i++) {
		bool bad = i == 1 || i == 3;

		if (!!status[i] != bad ||
		    real_state(qps[i]) != (bad ? IBV_QPS_RESET : IBV_QPS_INIT))
			wrong++;
	}
	if (backend == VRBQ_BACKEND_VERB_QUEUE && (status[1] != ENOENT || status[3] != EINVAL))
		wrong++;
	ksft_print_msg("no handle: %d, a CQ's handle: %d, %d wrong\n", status[1], status[3], wrong);
	/* What has failed may be submitted again. */
	return !wrong && connect_pair(q, qps[1], qps[3]);
}

static int in_child(void)
{
	struct vrbq_completion completion;
	struct vrbq_request request;
	struct vrbq_info info;

	vrbq_prep_reset_qp(&request, 1, qps[0]);
	if (!refused(q, &request, EPERM))
		return 1;
	if (vrbq_reap(q, &completion, 1) != -1 || errno != EPERM)
		return 2;
	if (vrbq_cancel(q, 1) != -1 || errno != EPERM)
		return 3;
	if (vrbq_query(q, &info, sizeof(info)) != -1 || errno != EPERM)
		return 4;
	if (vrbq_fd(q) != -1 || errno != EPERM)
		return 5;
	return vrbq_destroy(q) != -1 || errno != EPERM ? 6 : 0;
}

static bool test_fork(void)
{
	int status;
	pid_t pid = fork();

	if (!pid)
		_exit(in_child());
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status) {
		ksft_print_msg("the child: %d\n", WEXITSTATUS(status));
		return false;
	}
	return connect_pair(q, qps[0], qps[1]);
}

/* @blocked: whether each thread except the first has all signals blocked */
static int count_threads(bool *blocked)
{
	DIR *tasks = opendir("/proc/self/task");
	unsigned long long mask;
	struct dirent *entry;
	char path[300], line[256];
	int n = 0;

	*blocked = true;
	while (tasks && (entry = readdir(tasks))) {
		FILE *file;

		if (entry->d_name[0] == '.')
			continue;
		n++;
		snprintf(path, sizeof(path), "/proc/self/task/%s/status", entry->d_name);
		file = atoi(entry->d_name) == getpid() ? NULL : fopen(path, "r");
		while (file && fgets(line, sizeof(line), file))
			if (sscanf(line, "SigBlk: %llx", &mask) == 1 &&
			    (~mask & ~(1ull << (SIGKILL - 1) | 1ull << (SIGSTOP - 1) | 3ull << 31)))
				*blocked = false;
		if (file)
			fclose(file);
	}
	if (tasks)
		closedir(tasks);
	return n;
}

/* However many requests there are, there are never more threads than the program allows. */
static bool test_threads(void)
{
	struct vrbq *few = make_queue(DEPTH, 3);
	struct vrbq_request request;
	bool blocked, other_blocked, good;
	int before, during, i;

	before = count_threads(&other_blocked);
	good = few && slow("20ms");
	for (i = 0; good && i < DEPTH; i++) {
		vrbq_prep_create_cq(&request, 1, 10, NULL, NULL, 0);
		good = vrbq_submit(few, &request, 1) == 1;
	}
	during = count_threads(&blocked);
	good = slow("10us") && good;
	/* The new objects are not reaped, so the library destroys them. */
	good = !vrbq_destroy(few) && good;
	ksft_print_msg("%d threads before, %d at work\n", before, during);
	/* With a verb queue the first thread is only created when it is needed. */
	before -= backend == VRBQ_BACKEND_THREADS;
	return good && blocked && during > before && during <= before + 3;
}

/* A new object that was not reaped would keep the PD in use. */
static bool test_destroy_unreaped(void)
{
	struct vrbq *full = make_queue(DEPTH, 0);
	struct ibv_qp_init_attr init = init_attr();
	static char memory[4096];
	struct ibv_pd *own = ibv_alloc_pd(context);
	struct vrbq_request requests[3];
	int i;

	if (!full || !own)
		return false;
	for (i = 0; i < DEPTH / 4; i++) {
		vrbq_prep_create_qp(&requests[0], 1, own, &init);
		vrbq_prep_reg_mr(&requests[1], 1, own, memory, sizeof(memory), 0);
		vrbq_prep_reset_qp(&requests[2], 1, qps[i % QPS]);
		if (vrbq_submit(full, requests, 3) != 3)
			return false;
	}
	return !vrbq_destroy(full) && !ibv_dealloc_pd(own);
}

/* A QP that was given to vrbq_destroy_qp() is gone when the queue is. */
static bool test_destroy_takes_qps(void)
{
	struct ibv_qp_init_attr init = init_attr();
	struct vrbq *one = make_queue(DEPTH, 0);
	struct ibv_pd *own = ibv_alloc_pd(context);
	struct ibv_qp *qp = own ? ibv_create_qp(own, &init) : NULL;

	if (!one || !qp || vrbq_destroy_qp(one, qp, 1))
		return false;
	return !vrbq_destroy(one) && !ibv_dealloc_pd(own);
}

/* ---- Several callers ---- */

#define CALLERS 4
#define MANY 10000

static struct {
	atomic_uint submitted, reaped, cancelled, wrong;
	atomic_uchar seen[MANY];
} flow;

static void flow_reap(void)
{
	struct vrbq_completion completions[8];
	int i, n = vrbq_reap(q, completions, 8);

	if (n < 0)
		flow.wrong++;
	for (i = 0; i < n; i++) {
		const struct vrbq_completion *c = &completions[i];

		if (c->wr_id >= MANY || flow.seen[c->wr_id]++ ||
		    (c->status && c->status != ECANCELED))
			flow.wrong++;
		flow.cancelled += c->status == ECANCELED;
		flow.reaped++;
	}
}

/* A modify to INIT or a reset, on one of the QPs */
static void flow_submit(unsigned int n)
{
	const struct ibv_qp_attr attr = to(IBV_QPS_INIT, qps[0]);
	struct vrbq_request request;

	if (n % 3)
		vrbq_prep_modify_qp(&request, n, qps[n % QPS], &attr, IBV_QP_STATE | INIT_MASK);
	else
		vrbq_prep_reset_qp(&request, n, qps[n % QPS]);
	while (vrbq_submit(q, &request, 1) != 1) {
		if (errno != EAGAIN)
			flow.wrong++;
		if (flow.wrong)
			return;
		flow_reap();
	}
}

static void flow_cancel(unsigned int n)
{
	if (vrbq_cancel(q, n) && errno != EALREADY && errno != ENOENT)
		flow.wrong++;
}

/* Submits its part of the requests, and does what others have left, too. */
static void *caller(void *arg)
{
	struct pollfd fd = { .fd = vrbq_fd(q), .events = POLLIN };
	unsigned int n;
	int idle = 0;

	while ((n = flow.submitted++) < MANY && !flow.wrong) {
		flow_submit(n);
		if (n % 5 == 0)
			flow_cancel(n);
		if (n % 2)
			flow_reap();
	}
	while (flow.reaped < MANY && !flow.wrong && idle < 200) {
		idle = poll(&fd, 1, 100) == 1 ? 0 : idle + 1;
		flow_reap();
	}
	return NULL;
}

/* Threads submit, cancel and reap: each request completes once. */
static bool test_callers(void)
{
	pthread_t threads[CALLERS];
	int i;

	memset(&flow, 0, sizeof(flow));
	for (i = 0; i < CALLERS; i++)
		if (pthread_create(&threads[i], NULL, caller, NULL))
			ksft_exit_fail_msg("no thread\n");
	for (i = 0; i < CALLERS; i++)
		pthread_join(threads[i], NULL);
	ksft_print_msg("%u of %u, %u cancelled, %u wrong\n", flow.reaped, MANY, flow.cancelled,
		       flow.wrong);
	return flow.reaped == MANY && !flow.wrong && flow.cancelled;
}

static void make_world(void)
{
	struct ibv_qp_init_attr init;
	int i;

	q = make_queue(DEPTH, 0);
	pd = ibv_alloc_pd(context);
	cq = ibv_create_cq(context, 100, NULL, NULL, 0);
	if (!q || !pd || !cq)
		ksft_exit_fail_msg("no queue, PD or CQ: %s\n", strerror(errno));
	for (i = 0; i < QPS; i++) {
		init = init_attr();
		qps[i] = ibv_create_qp(pd, &init);
		if (!qps[i])
			ksft_exit_fail_msg("no QP: %s\n", strerror(errno));
	}
}

/* Returns whether the test has left nothing behind. */
static bool end_world(void)
{
	bool good = !vrbq_destroy(q);
	int i;

	for (i = 0; i < QPS; i++)
		if (qps[i] && ibv_destroy_qp(qps[i]))
			good = false;
	return !ibv_destroy_cq(cq) && !ibv_dealloc_pd(pd) && good;
}

/* Closes the descriptors that have one of these words in their link in /proc/self/fd. */
static int close_those(const char *const *words)
{
	DIR *fds = opendir("/proc/self/fd");
	char path[300], target[300];
	struct dirent *entry;
	int n = 0, i;
	ssize_t len;

	while (fds && (entry = readdir(fds))) {
		snprintf(path, sizeof(path), "/proc/self/fd/%s", entry->d_name);
		len = readlink(path, target, sizeof(target) - 1);
		target[len > 0 ? len : 0] = 0;
		for (i = 0; words[i]; i++)
			if (strstr(target, words[i]))
				n += !close(atoi(entry->d_name));
	}
	if (fds)
		closedir(fds);
	return n;
}

static const char *const own_words[] = { "[eventpoll]", "[eventfd]", NULL };
static const char *const queue_words[] = { "[verb_queue]", NULL };

/* Returns whether each request completes once; if @fails, with EIO. */
static bool reap_closed(bool fails)
{
	struct vrbq_completion completion;
	bool seen[QPS] = {}, good = true;
	int n = 0, ret;

	while (n < QPS) {
		ret = vrbq_reap(q, &completion, 1);
		if (ret < 0)
			return false;
		if (!ret) {
			usleep(1000);
			continue;
		}
		good = good && !seen[completion.wr_id] && (!fails || completion.status == EIO);
		seen[completion.wr_id] = true;
		n++;
	}
	return good;
}

/*
 * In a child, with a context of its own: slow requests, and then descriptors are closed.
 * @words: which ones; NULL: all but the first three
 * @reap: whether the requests are reaped before the queue is destroyed
 */
static int close_under(const char *const *words, bool reap)
{
	const bool fails = backend == VRBQ_BACKEND_VERB_QUEUE && words != own_words;
	struct vrbq_request request;
	struct ibv_qp_attr attr;
	int i;

	/* It ends the child if a function neither returns nor fails. */
	alarm(60);
	context = ibv_open_device(context->device);
	make_world();
	if (!slow("300ms"))
		return 1;
	for (i = 0; i < QPS; i++) {
		attr = to(IBV_QPS_INIT, qps[0]);
		vrbq_prep_modify_qp(&request, i, qps[i], &attr, IBV_QP_STATE | INIT_MASK);
		if (vrbq_submit(q, &request, 1) != 1)
			return 2;
	}
	usleep(50000);
	if (!slow("10us"))
		return 3;
	if (!words)
		close_range(3, ~0U, 0);
	else if (!close_those(words))
		return 4;
	if (reap && !reap_closed(fails))
		return 5;
	return vrbq_destroy(q) ? 6 : 0;
}

static bool closed_under(const char *const *words)
{
	int reap, status = -1, wrong = 0;
	pid_t pid;

	for (reap = 0; reap < 2; reap++) {
		pid = fork();
		if (!pid)
			_exit(close_under(words, reap));
		if (pid < 0 || waitpid(pid, &status, 0) != pid || status) {
			ksft_print_msg("%s: 0x%x\n", reap ? "reaped" : "not reaped", status);
			wrong++;
		}
	}
	return !wrong;
}

/* Neither a reap nor the destroy of the queue waits for what can no longer come. */
static bool test_closed_queue(void)
{
	return backend == VRBQ_BACKEND_THREADS || closed_under(queue_words);
}

static bool test_closed_own(void)
{
	return closed_under(own_words);
}

static bool test_closed_all(void)
{
	return closed_under(NULL);
}

static const struct {
	bool (*run)(void);
	const char *text;
} tests[] = {
	{ test_told, "which backend it is, and what it has" },
	{ test_connect, "pairs are connected" },
	{ test_order, "requests on one QP are carried out in their order" },
	{ test_wrong_transition, "a transition that there is not fails as ibv_modify_qp() does" },
	{ test_step, "a connect that fails says where, and the QP stays there" },
	{ test_step_refused, "a connect whose path is refused comes to INIT" },
	{ test_connect_to_what, "a connect to another state, or with what it does not want" },
	{ test_query, "a query tells what ibv_query_qp() does" },
	{ test_reset, "a connect behind a reset" },
	{ test_reset_cleans,
	  "a reset discards the completions of its QP, which can be used again" },
	{ test_quiesce, "a quiesced QP is destroyed" },
	{ test_create, "a QP, a CQ and a memory region are created, and go" },
	{ test_create_errors, "what cannot be created says why" },
	{ test_destroy_qp, "QPs are destroyed" },
	{ test_destroy_attached, "a QP in a multicast group is not destroyed, and goes on" },
	{ test_fd, "the file descriptor is readable while there is something to reap" },
	{ test_full, "a full queue refuses, and takes more after a reap" },
	{ test_cancel, "what has not begun is cancelled" },
	{ test_cancel_twice, "of two requests with one wr_id both are cancelled, one by one" },
	{ test_cancelled_state, "what is cancelled tells the state of its QP" },
	{ test_bad_requests, "requests that make no sense are refused" },
	{ test_bad_in_the_middle, "requests before one that makes no sense are accepted" },
	{ test_bad_handles, "of several requests only those with a bad handle fail" },
	{ test_fork, "a child may not use the queue; the parent goes on" },
	{ test_threads, "threads are bounded and take no signals" },
	{ test_destroy_unreaped, "a queue is destroyed with requests in it, and nothing leaks" },
	{ test_callers, "threads that submit, cancel and reap: each request completes once" },
	{ test_destroy_takes_qps, "a queue that is destroyed destroys the QPs given to it" },
	{ test_closed_queue, "the verb queue is closed under the library" },
	{ test_closed_own, "the library's own descriptors are closed under it" },
	{ test_closed_all, "all descriptors are closed under the library" },
};

#define TESTS (sizeof(tests) / sizeof(tests[0]))

static bool create_refuses(const struct vrbq_attr *attr, int err)
{
	errno = 0;
	return !vrbq_create(context, attr) && errno == err;
}

static bool test_bad_queues(void)
{
	return create_refuses(NULL, EINVAL) && create_refuses(&(struct vrbq_attr){}, EINVAL) &&
	       create_refuses(&(struct vrbq_attr){ .depth = VRBQ_MAX_DEPTH + 1 }, EINVAL) &&
	       create_refuses(&(struct vrbq_attr){ .depth = 1, .comp_mask = 1 }, EINVAL) &&
	       create_refuses(&(struct vrbq_attr){ .depth = 1, .backend = 3 }, EINVAL) &&
	       create_refuses(&(struct vrbq_attr){ .depth = 1, .max_threads = 257 }, EINVAL) &&
	       !vrbq_create(NULL, &(struct vrbq_attr){ .depth = 1 }) && errno == EINVAL;
}

static bool has_verb_queue(void)
{
	struct vrbq_attr attr = { .backend = VRBQ_BACKEND_VERB_QUEUE, .depth = 1 };
	struct vrbq *one = vrbq_create(context, &attr);
	const int err = errno;

	if (!one && err != EOPNOTSUPP)
		ksft_exit_fail_msg("a verb queue: %s\n", strerror(err));
	vrbq_destroy(one);
	return one;
}

static void run_all(enum vrbq_backend with)
{
	unsigned int i;
	bool good;

	backend = with;
	for (i = 0; i < TESTS; i++) {
		make_world();
		good = tests[i].run();
		good = end_world() && good;
		ksft_test_result(good, "%s: %s\n", vrbq_backend_str(with), tests[i].text);
	}
}

/* For programs.sh: prints the errno with which a device refuses the query of verb queues. */
static int print_refusal(const char *name)
{
	struct ibv_device **list = ibv_get_device_list(NULL);
	struct vrb_queue_caps caps;
	int i;

	for (i = 0; list && list[i]; i++)
		if (!strcmp(ibv_get_device_name(list[i]), name))
			context = ibv_open_device(list[i]);
	if (!context)
		return 1;
	printf("%s\n", strerrorname_np(-vq_query(context->cmd_fd, &caps, sizeof(caps))));
	return 0;
}

int main(int argc, char **argv)
{
	struct ibv_device **list = ibv_get_device_list(NULL);
	bool both;

	if (argc > 1)
		return print_refusal(argv[1]);
	ksft_print_header();
	context = list && list[0] ? ibv_open_device(list[0]) : NULL;
	other = context ? ibv_open_device(list[0]) : NULL;
	if (!other || ibv_query_port(context, 1, &port))
		ksft_exit_fail_msg("no device\n");
	both = has_verb_queue();
	ksft_set_plan(1 + TESTS + (both ? TESTS : 1));
	ksft_test_result(test_bad_queues(), "queues that make no sense are refused\n");
	run_all(VRBQ_BACKEND_THREADS);
	if (both)
		run_all(VRBQ_BACKEND_VERB_QUEUE);
	else
		ksft_test_result_skip("verb queue: the device has none\n");
	ibv_close_device(other);
	ibv_close_device(context);
	ibv_free_device_list(list);
	ksft_finished();
}
