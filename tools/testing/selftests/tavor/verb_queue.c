// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
//
// Runs: guest --driver tavor --sm
// Kernels: 6.12 debug
// Level: ci
// Timeout: 300
//
// Tests verb queues through their ABI: each operation, refused requests and their errno, and
// requests whose QP, queue, context or process ends. It also tests that one process cannot delay
// the commands of another one. By hand:
//   tools/testing/vm/run --driver tavor --sm -- build/guest/tavor/verb_queue

#include <fcntl.h>
#include <signal.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include "kselftest.h"
#include "connect.h"
#include "model.h"
#include "process.h"
#include "raw.h"
#include "verb_queue_request.h"

#define NR(table) (sizeof(table) / sizeof((table)[0]))
#define SLOW "RST2INIT_QPEE=300ms"
#define BIG 4096
#define TURNS 200 /* more than three times the share of a queue */

static struct ibv_context *context;
static struct ibv_pd *pd;
static struct ibv_cq *cq;
static struct ibv_srq *srq;
static struct vrb_queue_completion done[BIG];

#define RESULT(condition, ...) ksft_test_result(condition, __VA_ARGS__)

static bool set(const char *key, const char *value)
{
	char request[128];

	snprintf(request, sizeof(request),
		 "{\"cmd\":\"set\",\"hca\":0,\"key\":\"%s\",\"value\":\"%s\"}", key, value);
	return model_ask(request);
}

static bool slow(const char *ops)
{
	return set("latency_op", ops);
}

/* Returns how many commands of one kind, or of all kinds, the model has executed. */
static unsigned long executed(const char *name)
{
	static char reply[65536];
	char key[64];
	const char *at;

	if (!model_reply("{\"cmd\":\"stats\",\"hca\":0,\"history\":false}", reply, sizeof(reply)))
		return -1;
	if (!name)
		return model_sum(reply, "executed");
	at = strstr(reply, "\"executed\":{");
	snprintf(key, sizeof(key), "\"%s\":", name);
	at = at ? strstr(at, key) : NULL;
	return at ? strtoul(at + strlen(key), NULL, 0) : 0;
}

static struct ibv_qp *make(enum ibv_qp_type type)
{
	return connect_make(pd, type, cq, cq, 4);
}

/* ---- Requests ---- */

static int one(int fd, const struct ibv_qp *qp, struct vrb_queue_request r,
	       struct vrb_queue_completion *c)
{
	return vq_one(context->cmd_fd, fd, qp, r, c);
}

/* Submits @n requests of the same kind, for @n QPs. */
static int many(int fd, struct ibv_qp **qp, int n, struct vrb_queue_request r)
{
	struct vrb_queue_request requests[VRB_QUEUE_MAX_BATCH];
	uint32_t handles[VRB_QUEUE_MAX_BATCH];
	int i;

	for (i = 0; i < n; i++) {
		requests[i] = r;
		requests[i].user_data += i;
		handles[i] = qp[i]->handle;
	}
	return vq_submit(context->cmd_fd, fd, requests, handles, n);
}

/* ---- Query ---- */

static void test_query(void)
{
	struct vrb_queue_caps caps = {};
	struct {
		struct vrb_queue_caps caps;
		uint64_t more;
	} longer = { .more = ~0ULL };
	struct {
		uint32_t revision, canary;
	} shorter = { .canary = 42 };
	int ret = vq_query(context->cmd_fd, &caps, sizeof(caps));

	RESULT(!ret && caps.revision == VRB_ABI_REVISION && caps.max_depth == 4096 &&
		       caps.max_batch == 256 && caps.ops == 0x3e &&
		       caps.request_size == sizeof(struct vrb_queue_request) &&
		       caps.completion_size == sizeof(struct vrb_queue_completion) && caps.slots,
	       "query: operations 0x%llx, %u slots\n", caps.ops, caps.slots);
	ret = vq_query(context->cmd_fd, &shorter, sizeof(shorter.revision));
	RESULT(!ret && shorter.revision == VRB_ABI_REVISION && shorter.canary == 42,
	       "query: an older program gets the beginning\n");
	ret = vq_query(context->cmd_fd, &longer, sizeof(longer));
	RESULT(!ret && longer.caps.slots == caps.slots && !longer.more,
	       "query: a newer program gets 0 for what is not known\n");
}

/* A newer program's attributes, with a member that this kernel does not know. */
static int create_longer(uint64_t more)
{
	const struct {
		struct vrb_queue_attr attr;
		uint64_t more;
	} longer = {
		.attr = { .depth = 1, .completion_size = sizeof(struct vrb_queue_completion) },
		.more = more,
	};
	struct vq_call call = {};
	int ret;

	vq_attr_fd(&call, VRB_ATTR_QUEUE_CREATE_FD, 0);
	vq_attr(&call, VRB_ATTR_QUEUE_CREATE_ATTR, &longer, sizeof(longer));
	ret = vq_do(context->cmd_fd, VRB_METHOD_QUEUE_CREATE, &call);
	return ret ?: (int)call.attr[0].data_s64;
}

static void test_create(void)
{
	const uint32_t size = sizeof(struct vrb_queue_completion);
	const struct vrb_queue_attr bad[] = {
		{ 0, size, 0, 0 },     { 4097, size, 0, 0 }, { 1, size - 8, 0, 0 },
		{ 1, size + 8, 0, 0 }, { 1, size, 1, 0 },    { 1, size, 0, 1 },
	};
	int fd = vq_create(context->cmd_fd, 4096), wrong = 0;
	unsigned int i;

	RESULT(fd >= 0 && fcntl(fd, F_GETFD) == FD_CLOEXEC, "create: 4096, close-on-exec: %d\n",
	       fd);
	close(fd);
	for (i = 0; i < NR(bad); i++)
		wrong += vq_create_with(context->cmd_fd, &bad[i]) != -EINVAL;
	RESULT(!wrong, "create: invalid depths, sizes and flags: EINVAL\n");
	wrong = create_longer(0);
	fd = create_longer(1);
	RESULT(wrong >= 0 && fd == -EOPNOTSUPP,
	       "create: longer attributes, with 0 and with 1 at the end: %d, %d\n", wrong, fd);
	close(wrong);
}

/* ---- Operations ---- */

static void test_modify(int fd)
{
	struct vrb_queue_completion c;
	struct ibv_qp *qp = make(IBV_QPT_RC);
	struct ibv_qp_attr attr;
	struct ibv_qp_init_attr init;
	int ret = one(fd, qp, vq_to_init(7), &c);

	ibv_query_qp(qp, &attr, 0, &init);
	RESULT(!ret && c.qp_state == IBV_QPS_INIT && attr.qp_state == IBV_QPS_INIT,
	       "modify: to INIT: %d\n", ret);
	ibv_destroy_qp(qp);
}

/* ib_core uses the port of a path as the port of the QP. */
static void test_refused_port(int fd)
{
	struct vrb_queue_completion c;
	struct ibv_qp *qp = make(IBV_QPT_RC);
	struct ibv_qp_attr attr = vq_good;
	int refused, ret;

	connect_to_init(qp);
	attr.qp_state = IBV_QPS_INIT;
	attr.port_num = 2;
	attr.pkey_index = 9999;
	refused = one(fd, qp,
		      vq_request(1, VRB_QUEUE_OP_MODIFY, &attr, VQ_INIT_MASK | IBV_QP_ACCESS_FLAGS),
		      &c);
	attr = vq_good;
	attr.qp_state = IBV_QPS_RTR;
	ret = one(fd, qp,
		  vq_request(2, VRB_QUEUE_OP_MODIFY, &attr,
			     IBV_QP_STATE | VQ_RTR_MASK | VQ_RTR_RC_MASK),
		  &c);
	RESULT(refused == EINVAL && !ret,
	       "modify: a port that is refused with a P_Key index changes nothing: %d, then %d\n",
	       refused, ret);
	ibv_destroy_qp(qp);
}

/*
 * Returns the port of a QP in ib_core's records, 0 if it has none, or -1 if ib_core does not list
 * the QP. The listing queries the QP, so it comes after its other requests.
 */
static int core_port(const struct ibv_qp *qp)
{
	FILE *list = popen("rdma resource show qp", "r");
	char line[512], number[32];
	int port = -1;

	snprintf(number, sizeof(number), " lqpn %u ", qp->qp_num);
	while (list && fgets(line, sizeof(line), list)) {
		if (!strstr(line, number))
			continue;
		port = 0;
		sscanf(line, "link %*[^/]/%d", &port);
	}
	if (list)
		pclose(list);
	return port;
}

/* One request for the second port is cancelled, and one fails: the QP keeps the first port. */
static void test_port_not_taken(int fd)
{
	struct vrb_queue_request r[3] = { vq_to_init(1), vq_to_init(2), vq_to_init(3) };
	struct ibv_qp *qp = make(IBV_QPT_RC);
	uint32_t handles[3] = { qp->handle, qp->handle, qp->handle };
	int none = core_port(qp), ret, cancel, after, i, wrong = 0;

	connect_to_init(qp);
	slow("INIT2INIT_QPEE=300ms");
	r[1].attr.port_num = 2;
	r[2].attr.port_num = 2;
	r[2].attr.qp_attr_mask |= IBV_QP_CUR_STATE;
	r[2].attr.cur_qp_state = IBV_QPS_RTS;
	ret = vq_submit(context->cmd_fd, fd, r, handles, 3);
	cancel = vq_cancel(context->cmd_fd, fd, 2);
	ret = ret == 3 ? vq_reap(fd, done, 3) : ret;
	slow("");
	for (i = 0; i < ret; i++)
		wrong += done[i].status != (done[i].user_data == 1 ? 0 :
					    done[i].user_data == 2 ? ECANCELED :
								     EINVAL);
	after = core_port(qp);
	RESULT(ret == 3 && !cancel && !wrong && none == 0 && after == 1,
	       "port: a cancelled request, and one that fails: %d wrong, port %d\n", wrong, after);
	ret = connect_to_rtr(qp, 1, 1);
	RESULT(!ret, "port: the path is at the QP's own: %d\n", ret);
	ibv_destroy_qp(qp);
}

static void *init_again(void *qp)
{
	return (void *)(long)connect_to_init(qp);
}

/*
 * A call that was executed first, but returns later than a request was accepted, records its own
 * port. When the request succeeds, the recorded port is that of the request.
 */
static void test_port_settles(int fd)
{
	struct vrb_queue_request r = vq_to_init(1);
	struct ibv_qp *qp = make(IBV_QPT_RC);
	struct ibv_qp_attr attr = vq_good;
	struct vrb_queue_completion c;
	int ret, first, port, other;
	pthread_t thread;
	void *sync;

	connect_to_init(qp);
	slow("INIT2INIT_QPEE=500ms");
	pthread_create(&thread, NULL, init_again, qp);
	first = engine_settles("slots", " MODIFY_QP ", 1);
	r.attr.port_num = 2;
	ret = one(fd, qp, r, &c);
	pthread_join(thread, &sync);
	slow("");
	port = core_port(qp);
	RESULT(first && !sync && !ret && port == 2,
	       "port: of a request that succeeds after a call: %d, port %d\n", ret, port);
	other = connect_to_rtr(qp, 1, 1);
	attr.qp_state = IBV_QPS_RTR;
	attr.ah_attr.port_num = 2;
	ret = ibv_modify_qp(qp, &attr, IBV_QP_STATE | VQ_RTR_MASK | VQ_RTR_RC_MASK);
	RESULT(other == EINVAL && !ret, "port: a path is only accepted at this port: %d, %d\n",
	       other, ret);
	ibv_destroy_qp(qp);
}

static void test_port_of_connect(int fd)
{
	struct ibv_qp *qp = make(IBV_QPT_RC);
	struct ibv_qp_attr attr = vq_good;
	struct vrb_queue_completion c;
	int ret, port, after;

	attr.port_num = 2;
	attr.ah_attr.port_num = 2;
	ret = one(fd, qp, vq_request(1, VRB_QUEUE_OP_CONNECT, &attr, vq_connect_mask(IBV_QPT_RC)),
		  &c);
	port = core_port(qp);
	RESULT(!ret && port == 2, "port: of a connect: %d, port %d\n", ret, port);
	ret = one(fd, qp, vq_request(2, VRB_QUEUE_OP_RESET, NULL, 0), &c);
	ret = ret   ?:
		      one(fd, qp,
			  vq_request(3, VRB_QUEUE_OP_CONNECT, &vq_good,
				     vq_connect_mask(IBV_QPT_RC)),
			  &c);
	after = core_port(qp);
	RESULT(!ret && after == 1, "port: of a connect after a reset: %d, port %d\n", ret, after);
	ibv_destroy_qp(qp);
}

/*
 * When a request ends, ib_core's records have the port of the last outstanding one. ib_core accepts
 * the path of a later one only at this port.
 */
static void test_port_of_the_last(int fd)
{
	struct vrb_queue_request r[4] = { vq_to_init(1), vq_to_init(2), vq_to_init(3) };
	struct ibv_qp *qp = make(IBV_QPT_RC);
	uint32_t handles[4] = { qp->handle, qp->handle, qp->handle, qp->handle };
	struct ibv_qp_attr attr = vq_good;
	int ret, cancel, i, wrong = 0;

	connect_to_init(qp);
	slow("INIT2INIT_QPEE=2s");
	r[0].attr.port_num = 2;
	r[2].attr.port_num = 2;
	attr.qp_state = IBV_QPS_RTR;
	r[3] = vq_request(4, VRB_QUEUE_OP_MODIFY, &attr,
			  IBV_QP_STATE | VQ_RTR_MASK | VQ_RTR_RC_MASK);
	ret = vq_submit(context->cmd_fd, fd, r, handles, 3);
	cancel = vq_cancel(context->cmd_fd, fd, 3);
	ret += vq_submit(context->cmd_fd, fd, r + 3, handles, 1);
	ret = ret == 4 ? vq_reap(fd, done, 4) : ret;
	slow("");
	for (i = 0; i < ret; i++)
		wrong += done[i].status != (done[i].user_data == 3 ? ECANCELED : 0);
	RESULT(ret == 4 && !cancel && !wrong,
	       "port: that of the last outstanding request: %d wrong\n", wrong);
	ibv_destroy_qp(qp);
}

/* The modify is a valid transition when it is submitted, but no longer when its turn comes. */
static void test_no_transition_any_more(int fd)
{
	struct ibv_qp_attr attr = vq_good;
	struct vrb_queue_request r[2] = { {}, vq_to_init(2) };
	struct ibv_qp *qp = make(IBV_QPT_RC);
	uint32_t handles[2] = { qp->handle, qp->handle };
	int ret, after;

	connect_to_init(qp);
	slow("INIT2RTR_QPEE=300ms");
	attr.qp_state = IBV_QPS_RTR;
	r[0] = vq_request(1, VRB_QUEUE_OP_MODIFY, &attr,
			  IBV_QP_STATE | VQ_RTR_MASK | VQ_RTR_RC_MASK);
	r[1].attr.port_num = 2;
	ret = vq_submit(context->cmd_fd, fd, r, handles, 2);
	ret = ret == 2 ? vq_reap(fd, done, 2) : ret;
	slow("");
	after = core_port(qp);
	RESULT(ret == 2 && !done[0].status && done[1].status == EINVAL &&
		       done[1].qp_state == IBV_QPS_RTR && after == 1,
	       "port: a modify that is no longer a transition: %u, state %u, port %d\n",
	       done[1].status, done[1].qp_state, after);
	ibv_destroy_qp(qp);
}

/* ib_core's QP is destroyed while its request is outstanding. Then the request fails. */
static void test_port_of_destroyed(int fd)
{
	struct vrb_queue_request r[2] = { vq_to_init(1), vq_to_init(2) };
	struct ibv_qp *qp = make(IBV_QPT_RC);
	uint32_t handles[2] = { qp->handle, qp->handle };
	int ret, destroyed, i, cancelled = 0;

	slow(SLOW);
	ret = vq_submit(context->cmd_fd, fd, r, handles, 2);
	destroyed = ibv_destroy_qp(qp);
	ret = ret == 2 ? vq_reap(fd, done, 2) : ret;
	slow("");
	for (i = 0; i < ret; i++)
		cancelled += done[i].user_data == 2 && done[i].status == ECANCELED;
	RESULT(ret == 2 && !destroyed && cancelled, "port: of a QP that is destroyed: %d\n", ret);
}

/* As three calls of ibv_modify_qp(): ib_core's records match the QP after a failure. */
static void test_connect_refused(int fd)
{
	struct vrb_queue_completion c;
	struct ibv_qp *qp = make(IBV_QPT_RC);
	struct ibv_qp_attr attr = vq_good;
	int ret, mask = vq_connect_mask(IBV_QPT_RC), port;

	attr.ah_attr.is_global = 1;
	attr.ah_attr.grh.sgid_index = 200;
	ret = one(fd, qp, vq_request(1, VRB_QUEUE_OP_CONNECT, &attr, mask), &c);
	port = core_port(qp);
	RESULT(ret == EINVAL && c.step == 1 && c.qp_state == IBV_QPS_INIT && port == 1,
	       "connect: a path that is refused: %d, step %u, state %u, port %d\n", ret, c.step,
	       c.qp_state, port);
	attr.port_num = 2;
	ret = one(fd, qp, vq_request(2, VRB_QUEUE_OP_CONNECT, &attr, mask), &c);
	port = core_port(qp);
	RESULT(ret == EINVAL && c.qp_state == IBV_QPS_INIT && port == 1,
	       "connect: another port than the QP's: %d, state %u, port %d\n", ret, c.qp_state,
	       port);
	attr = vq_good;
	attr.pkey_index = 1;
	ret = one(fd, qp, vq_request(3, VRB_QUEUE_OP_CONNECT, &attr, mask), &c);
	RESULT(ret == EINVAL && c.qp_state == IBV_QPS_INIT,
	       "connect: another P_Key than the QP's: %d, state %u\n", ret, c.qp_state);
	/* As with ibv_modify_qp(), a PSN has 24 bits, and bits above those have no effect. */
	attr = vq_good;
	attr.rq_psn |= 1 << 24;
	ret = one(fd, qp, vq_request(4, VRB_QUEUE_OP_CONNECT, &attr, mask), &c);
	RESULT(!ret && c.qp_state == IBV_QPS_RTS, "connect: afterwards with valid attributes: %d\n",
	       ret);
	ret = one(fd, qp, vq_request(5, VRB_QUEUE_OP_CONNECT, &vq_good, mask), &c);
	RESULT(ret == EINVAL && c.qp_state == IBV_QPS_RTS, "connect: from RTS: %d\n", ret);
	ibv_destroy_qp(qp);
}

static void test_connect(int fd, enum ibv_qp_type type, const char *name)
{
	struct vrb_queue_completion c;
	struct ibv_qp *qp = make(type);
	int mask = vq_connect_mask(type), ret;

	ret = one(fd, qp, vq_request(1, VRB_QUEUE_OP_CONNECT, &vq_good, mask), &c);
	RESULT(!ret && c.qp_state == IBV_QPS_RTS, "connect: %s to RTS: %d, step %u\n", name, ret,
	       c.step);
	ret = one(fd, qp, vq_request(2, VRB_QUEUE_OP_RESET, NULL, 0), &c);
	RESULT(!ret && c.qp_state == IBV_QPS_RESET, "reset: %s: %d\n", name, ret);
	ret = one(fd, qp, vq_request(3, VRB_QUEUE_OP_CONNECT, &vq_good, mask & ~IBV_QP_SQ_PSN), &c);
	RESULT(ret == EINVAL && c.qp_state != IBV_QPS_RTS,
	       "connect: %s without its PSN: %d, state %u\n", name, ret, c.qp_state);
	ibv_destroy_qp(qp);
}

static void test_connect_partly(int fd)
{
	struct vrb_queue_completion c;
	struct ibv_qp *qp = make(IBV_QPT_RC);
	struct ibv_qp_attr attr = vq_good;
	int ret;

	attr.qp_state = IBV_QPS_RTR;
	connect_to_init(qp);
	ret = one(fd, qp,
		  vq_request(1, VRB_QUEUE_OP_CONNECT, &attr,
			     IBV_QP_STATE | VQ_RTR_MASK | VQ_RTR_RC_MASK),
		  &c);
	RESULT(!ret && c.qp_state == IBV_QPS_RTR, "connect: from INIT to RTR: %d\n", ret);
	ret = one(fd, qp, vq_request(2, VRB_QUEUE_OP_RESET, NULL, 0), &c);
	ret = one(fd, qp,
		  vq_request(3, VRB_QUEUE_OP_CONNECT, &attr,
			     IBV_QP_STATE | VQ_RTR_MASK | VQ_RTR_RC_MASK),
		  &c);
	RESULT(ret == EINVAL && c.step == 0 && c.qp_state == IBV_QPS_RESET,
	       "connect: from RESET without what INIT takes: %d, step %u\n", ret, c.step);
	ret = one(fd, qp,
		  vq_request(4, VRB_QUEUE_OP_CONNECT, &vq_good,
			     vq_connect_mask(IBV_QPT_RC) & ~IBV_QP_DEST_QPN),
		  &c);
	RESULT(ret == EINVAL && c.step == 0 && c.qp_state == IBV_QPS_RESET,
	       "connect: with only some attributes of RTR: %d, step %u, state %u\n", ret, c.step,
	       c.qp_state);
	attr.dest_qp_num = 0x1000000;
	attr.qp_state = IBV_QPS_RTS;
	ret = one(fd, qp, vq_request(5, VRB_QUEUE_OP_CONNECT, &attr, vq_connect_mask(IBV_QPT_RC)),
		  &c);
	RESULT(ret == EINVAL && c.step == 1 && c.qp_state == IBV_QPS_INIT,
	       "connect: a QPN out of range: %d, step %u, state %u\n", ret, c.step, c.qp_state);
	ibv_destroy_qp(qp);
}

static void test_query_qp(int fd)
{
	struct vrb_queue_completion c;
	struct ibv_qp *qp = make(IBV_QPT_RC);
	int ret;

	one(fd, qp, vq_request(1, VRB_QUEUE_OP_CONNECT, &vq_good, vq_connect_mask(IBV_QPT_RC)), &c);
	ret = one(fd, qp, vq_request(2, VRB_QUEUE_OP_QUERY, NULL, 0), &c);
	RESULT(!ret && c.attr.qp_state == IBV_QPS_RTS &&
		       c.attr.dest_qp_num == vq_good.dest_qp_num &&
		       c.attr.sq_psn == vq_good.sq_psn && c.attr.rq_psn == vq_good.rq_psn &&
		       c.attr.ah_attr.dlid == 1 && c.attr.timeout == 14 && c.attr.max_send_wr >= 4,
	       "query: returns what was set: %d\n", ret);
	ibv_destroy_qp(qp);
}

/* Submits several requests on one QP in one call; they complete in order. */
static void test_order(int fd)
{
	struct vrb_queue_request r[4] = {
		vq_to_init(1),
		vq_request(2, VRB_QUEUE_OP_CONNECT, &vq_good, vq_connect_mask(IBV_QPT_RC)),
		vq_request(3, VRB_QUEUE_OP_QUERY, NULL, 0),
		vq_request(4, VRB_QUEUE_OP_RESET, NULL, 0),
	};
	static const uint32_t states[4] = { IBV_QPS_INIT, IBV_QPS_RTS, IBV_QPS_RTS, IBV_QPS_RESET };
	struct ibv_qp *qp = make(IBV_QPT_RC);
	uint32_t handles[4] = { qp->handle, qp->handle, qp->handle, qp->handle };
	int got, i, good_ones = 0;

	got = vq_submit(context->cmd_fd, fd, r, handles, 4);
	got = got == 4 ? vq_reap(fd, done, 4) : got;
	for (i = 0; i < got; i++)
		good_ones += done[i].user_data == i + 1 && !done[i].status &&
			     done[i].qp_state == states[i];
	RESULT(good_ones == 4, "order: four requests on one QP: %d of %d\n", good_ones, got);
	ibv_destroy_qp(qp);
}

/* uverbs refuses calls of a process whose credentials have changed since it opened the device. */
static int open_with(uint32_t depth)
{
	context = process_open();
	pd = context ? ibv_alloc_pd(context) : NULL;
	cq = pd ? ibv_create_cq(context, 1024, NULL, NULL, 0) : NULL;
	return cq ? vq_create(context->cmd_fd, depth) : -1;
}

static int open_anew(void)
{
	return open_with(BIG);
}

/* ---- Refused requests ---- */

/* Each byte that is reserved in the attributes, whether or not the mask has the path it is in. */
static void test_reserved(int fd)
{
#define AT(member) offsetof(struct ib_uverbs_qp_attr, member)
	static const size_t bytes[] = {
		AT(reserved[0]),	  AT(reserved[1]),	    AT(reserved[2]),
		AT(reserved[3]),	  AT(reserved[4]),	    AT(ah_attr.reserved),
		AT(ah_attr.grh.reserved), AT(alt_ah_attr.reserved), AT(alt_ah_attr.grh.reserved),
	};
#undef AT
	struct ibv_qp *qp = make(IBV_QPT_RC);
	struct vrb_queue_completion c;
	struct vrb_queue_request r;
	int i, ret, wrong = 0;

	for (i = 0; i < NR(bytes); i++) {
		r = vq_to_init(1);
		((uint8_t *)&r.attr)[bytes[i]] = 1;
		ret = one(fd, qp, r, &c);
		if (ret != EINVAL || c.qp_state != IBV_QPS_RESET) {
			ksft_print_msg("reserved byte %zu: %d\n", bytes[i], ret);
			wrong++;
		}
	}
	RESULT(!wrong, "refused: each reserved byte: %d are not\n", wrong);
	ibv_destroy_qp(qp);
}

static void test_bad_requests(int fd)
{
	struct ibv_qp *qp = make(IBV_QPT_RC);
	struct vrb_queue_completion c;
	struct vrb_queue_request r = vq_to_init(1);
	int ret;

	r.op = 0;
	ret = one(fd, qp, r, &c);
	r.op = 6;
	RESULT(ret == EOPNOTSUPP && one(fd, qp, r, &c) == EOPNOTSUPP,
	       "refused: unknown operations: %d\n", ret);
	r = vq_to_init(1);
	r.flags = 1;
	ret = one(fd, qp, r, &c);
	RESULT(ret == EINVAL, "refused: flags: %d\n", ret);
	r = vq_request(1, VRB_QUEUE_OP_RESET, &vq_good, IBV_QP_STATE);
	ret = one(fd, qp, r, &c);
	RESULT(ret == EINVAL, "refused: attributes of a reset: %d\n", ret);
	ibv_destroy_qp(qp);
}

static void test_bad_handles(int fd)
{
	struct ibv_qp *qp = make(IBV_QPT_RC);
	struct vrb_queue_request r[3] = { vq_to_init(1), vq_to_init(2), vq_to_init(3) };
	uint32_t handles[3] = { qp->handle, 0x7fffffff, qp->handle };
	int none, other;

	none = vq_submit(context->cmd_fd, fd, r, handles, 3);
	handles[1] = cq->handle;
	other = vq_submit(context->cmd_fd, fd, r, handles, 3);
	RESULT(none == -ENOENT && other == -EINVAL, "refused: no handle, and a CQ's: %d, %d\n",
	       none, other);
	RESULT(!vq_poll(fd, 100), "refused: nothing of such a call is accepted\n");
	ibv_destroy_qp(qp);
}

static void test_bad_files(int fd)
{
	struct ibv_context *other = process_open();
	struct ibv_qp *qp = make(IBV_QPT_RC);
	struct vrb_queue_request r = vq_to_init(1);
	int theirs = vq_create(other->cmd_fd, 1), a, b, c, pipes[2];

	if (pipe(pipes))
		pipes[0] = -1;
	a = vq_submit(context->cmd_fd, theirs, &r, &qp->handle, 1);
	b = vq_submit(context->cmd_fd, pipes[0], &r, &qp->handle, 1);
	c = vq_submit(context->cmd_fd, -1, &r, &qp->handle, 1);
	RESULT(theirs >= 0 && a == -EBADF && b == -EBADF && c == -EBADF,
	       "refused: another context's queue, a pipe, nothing: %d, %d, %d\n", a, b, c);
	a = vq_cancel(context->cmd_fd, theirs, 1);
	RESULT(a == -EBADF, "refused: a cancel in another context's: %d\n", a);
	close(pipes[0]);
	close(pipes[1]);
	close(theirs);
	ibv_close_device(other);
	ibv_destroy_qp(qp);
}

static void test_sizes(int fd)
{
	struct {
		struct vrb_queue_request r;
		uint64_t more;
	} longer[2] = { { .r = vq_to_init(1) },
			{ .r = vq_request(2, VRB_QUEUE_OP_QUERY, NULL, 0) } };
	struct ibv_qp *qp = make(IBV_QPT_RC);
	uint32_t handles[257] = { qp->handle, qp->handle };
	static struct vrb_queue_request batch[257];
	int a, b, c, d;

	a = vq_submit_sized(context->cmd_fd, fd, longer, sizeof(longer), handles, 2);
	a = a == 2 ? vq_reap(fd, done, 2) : a;
	RESULT(a == 2 && !done[0].status && done[1].attr.qp_state == IBV_QPS_INIT,
	       "sizes: longer requests of a newer program: %d\n", a);
	longer[1].more = 1;
	a = vq_submit_sized(context->cmd_fd, fd, longer, sizeof(longer), handles, 2);
	b = vq_submit_sized(context->cmd_fd, fd, longer, sizeof(longer) - 8, handles, 2);
	c = vq_submit_sized(context->cmd_fd, fd, longer, sizeof(longer[0].r), handles, 2);
	d = vq_submit(context->cmd_fd, fd, batch, handles, 257);
	RESULT(a == -EOPNOTSUPP && b == -EINVAL && c < 0 && d < 0 && !vq_poll(fd, 100),
	       "sizes: unknown, uneven, short, too many: %d, %d, %d, %d\n", a, b, c, d);
	ibv_destroy_qp(qp);
}

static void test_no_answer(int fd)
{
	struct vrb_queue_request init = vq_to_init(1);
	struct ibv_qp *qp = make(IBV_QPT_RC);
	struct vq_call call = {};
	int ret;

	vq_attr_fd(&call, VRB_ATTR_QUEUE_SUBMIT_FD, fd);
	vq_attr(&call, VRB_ATTR_QUEUE_SUBMIT_REQUESTS, &init, sizeof(init));
	vq_attr_in(&call, VRB_ATTR_QUEUE_SUBMIT_QPS, &qp->handle, sizeof(qp->handle));
	vq_attr(&call, VRB_ATTR_QUEUE_SUBMIT_ACCEPTED, (void *)8, sizeof(uint32_t));
	ret = vq_do(context->cmd_fd, VRB_METHOD_QUEUE_SUBMIT, &call);
	RESULT(ret == -EFAULT && !vq_poll(fd, 100), "unwritable answer: nothing is accepted: %d\n",
	       ret);
	ibv_destroy_qp(qp);
}

/* ---- The queue ---- */

static void test_full(void)
{
	int fd = vq_create(context->cmd_fd, 4), a, b, c, d, i;
	struct ibv_qp *qp[6];

	for (i = 0; i < 6; i++)
		qp[i] = make(IBV_QPT_RC);
	a = many(fd, qp, 6, vq_to_init(0));
	b = many(fd, qp, 1, vq_to_init(0));
	RESULT(a == 4 && b == -EAGAIN, "full: 4 of 6 requests are accepted, then none: %d\n", b);
	usleep(100000);
	c = many(fd, qp, 1, vq_to_init(0));
	d = vq_reap(fd, done, 1);
	a = many(fd, qp + 4, 2, vq_to_init(4));
	RESULT(c == -EAGAIN && d == 1 && a == 1,
	       "full: accepts again when a completion is read: %d, %d, %d\n", c, d, a);
	a = vq_reap(fd, done, 4);
	RESULT(a == 4 && !vq_poll(fd, 0), "full: each completes once: %d\n", a);
	for (i = 0; i < 6; i++)
		ibv_destroy_qp(qp[i]);
	close(fd);
}

static void test_read(int fd)
{
	struct ibv_qp *qp[3] = { make(IBV_QPT_RC), make(IBV_QPT_RC), make(IBV_QPT_RC) };
	int flags = fcntl(fd, F_GETFL), i, fault, tries = 0;
	const unsigned long before = executed("RST2INIT_QPEE");
	ssize_t none, small, ret;

	fcntl(fd, F_SETFL, flags | O_NONBLOCK);
	none = read(fd, done, sizeof(done)) < 0 ? errno : 0;
	small = read(fd, done, sizeof(done[0]) - 1) < 0 ? errno : 0;
	RESULT(none == EAGAIN && small == EINVAL && !vq_poll(fd, 0),
	       "read: no completion, too small a buffer: %zd, %zd\n", none, small);
	fcntl(fd, F_SETFL, flags);
	many(fd, qp, 3, vq_to_init(0));
	while (executed("RST2INIT_QPEE") < before + 3 && tries++ < 100)
		usleep(100000);
	engine_settles("slots", " MODIFY_QP ", 0);
	usleep(200000);
	fault = syscall(SYS_read, fd, 8, sizeof(done)) < 0 ? errno : 0;
	ret = read(fd, done, 2 * sizeof(done[0]) + 5);
	RESULT(fault == EFAULT && ret == 2 * sizeof(done[0]) && vq_poll(fd, 0) == POLLIN,
	       "read: returns whole completions only, also after a fault: %zd\n", ret);
	RESULT(read(fd, done, sizeof(done)) == sizeof(done[0]) && !vq_poll(fd, 0),
	       "read: the remaining completions\n");
	for (i = 0; i < 3; i++)
		ibv_destroy_qp(qp[i]);
}

static void test_cancel(void)
{
	int fd = vq_create(context->cmd_fd, BIG), ret, a, b, c, i, n = 0, cancelled = 0;
	struct vrb_queue_request r[2] = { vq_to_init(1),
					  vq_request(2, VRB_QUEUE_OP_QUERY, NULL, 0) };
	struct ibv_qp *qp = make(IBV_QPT_RC), *more[200];
	uint32_t handles[2] = { qp->handle, qp->handle };

	slow("RST2INIT_QPEE=3s");
	vq_submit(context->cmd_fd, fd, r, handles, 2);
	engine_settles("slots", " MODIFY_QP ", 1);
	a = vq_cancel(context->cmd_fd, fd, 1);
	b = vq_cancel(context->cmd_fd, fd, 2);
	c = vq_cancel(context->cmd_fd, fd, 3);
	RESULT(a == -EALREADY && !b && c == -ENOENT,
	       "cancel: one issued, one queued, none: %d, %d, %d\n", a, b, c);
	ret = vq_reap(fd, done, 2);
	for (i = 0; i < ret; i++)
		n += done[i].status == (done[i].user_data == 2 ? ECANCELED : 0);
	RESULT(n == 2, "cancel: expected results of both: %d of %d\n", n, ret);
	/* More requests than the queue passes to the engine at a time. */
	for (i = 0; i < 200; i++)
		more[i] = make(IBV_QPT_RC);
	ret = many(fd, more, 200, vq_to_init(0));
	for (i = 199, n = 0; i >= 0; i--)
		n += !vq_cancel(context->cmd_fd, fd, i);
	ret = vq_reap(fd, done, ret);
	for (i = 0; i < ret; i++)
		cancelled += done[i].status == ECANCELED;
	RESULT(ret == 200 && cancelled == n && n > 100,
	       "cancel: %d of 200, completed as cancelled: %d\n", n, cancelled);
	slow("");
	for (i = 0; i < 200; i++)
		ibv_destroy_qp(more[i]);
	ibv_destroy_qp(qp);
	close(fd);
}

/* Of two requests with the same user_data, the one submitted last is cancelled. */
static void test_cancel_same_name(int fd)
{
	struct vrb_queue_request r[3] = { vq_to_init(1), vq_request(7, VRB_QUEUE_OP_QUERY, NULL, 0),
					  vq_request(7, VRB_QUEUE_OP_RESET, NULL, 0) };
	struct ibv_qp *qp = make(IBV_QPT_RC);
	uint32_t handles[3] = { qp->handle, qp->handle, qp->handle };
	int ret, cancel, i, wrong = 0;

	slow("RST2INIT_QPEE=2s");
	ret = vq_submit(context->cmd_fd, fd, r, handles, 3);
	cancel = vq_cancel(context->cmd_fd, fd, 7);
	slow("");
	ret = ret == 3 ? vq_reap(fd, done, 3) : ret;
	for (i = 0; i < ret; i++)
		wrong += done[i].status != (done[i].op == VRB_QUEUE_OP_RESET ? ECANCELED : 0);
	RESULT(ret == 3 && !cancel && !wrong, "cancel: the last one with this name: %d, %d wrong\n",
	       cancel, wrong);
	ibv_destroy_qp(qp);
}

static void test_destroy_qp(void)
{
	int fd = vq_create(context->cmd_fd, BIG), ret, i, failed = 0, cancelled = 0, other = 0;
	struct ibv_qp *qp[200];

	for (i = 0; i < 200; i++)
		qp[i] = make(IBV_QPT_RC);
	slow("RST2INIT_QPEE=1s");
	ret = many(fd, qp, 200, vq_to_init(0));
	ret = ret == 200 ? many(fd, qp, 200, vq_request(200, VRB_QUEUE_OP_QUERY, NULL, 0)) : ret;
	for (i = 199; i >= 0; i--)
		failed += !!ibv_destroy_qp(qp[i]);
	RESULT(ret == 200 && !failed, "destroy of a QP: with requests queued: %d fail\n", failed);
	ret = vq_reap(fd, done, 400);
	for (i = 0; i < ret; i++) {
		cancelled += done[i].status == ECANCELED;
		other += done[i].status && done[i].status != ECANCELED;
	}
	/* On a slow machine some have been executed before the first destroy. */
	RESULT(ret == 400 && cancelled >= 100 && !other,
	       "destroy of a QP: %d complete, %d cancelled, %d other\n", ret, cancelled, other);
	slow("");
	close(fd);
}

/* The engine has all requests on one QP. A close cancels those that have not been issued. */
static void test_close_one_qp(void)
{
	int fd = vq_create(context->cmd_fd, BIG), i, accepted = 0;
	unsigned long before = executed("RST2INIT_QPEE"), after;
	struct ibv_qp *qp = make(IBV_QPT_RC);
	struct vrb_queue_request r;
	bool issued;

	slow("RST2INIT_QPEE=2s");
	for (i = 0; i < 40; i++) {
		r = i & 1 ? vq_request(i, VRB_QUEUE_OP_RESET, NULL, 0) : vq_to_init(i);
		accepted += vq_submit(context->cmd_fd, fd, &r, &qp->handle, 1) == 1;
	}
	issued = engine_settles("slots", " MODIFY_QP ", 1);
	close(fd);
	after = executed("RST2INIT_QPEE");
	slow("");
	/* On a slow machine some have been executed before the close. */
	RESULT(accepted == 40 && issued && after > before && after < before + 10,
	       "close: of 20 on one QP %lu are executed\n", after - before);
	ibv_destroy_qp(qp);
}

/* A close cancels what waits, so not all are executed, and waits for what has been issued. */
static void test_close(void)
{
	int fd = vq_create(context->cmd_fd, BIG), ret, i, failed = 0, issued;
	unsigned long before = executed("RST2INIT_QPEE"), after;
	struct vrb_queue_completion c;
	struct ibv_qp *qp[200];

	for (i = 0; i < 200; i++)
		qp[i] = make(IBV_QPT_RC);
	slow("RST2INIT_QPEE=300ms");
	ret = many(fd, qp, 200, vq_to_init(0));
	close(fd);
	issued = engine_count("slots", " MODIFY_QP ");
	after = executed("RST2INIT_QPEE");
	slow("");
	RESULT(after > before && after < before + 100 && !issued,
	       "close: %lu of 200 are executed, and %d are in progress afterwards\n",
	       after - before, issued);
	fd = vq_create(context->cmd_fd, 1);
	for (i = 0; i < 200; i++) {
		failed += !!one(fd, qp[i], vq_request(1, VRB_QUEUE_OP_RESET, NULL, 0), &c);
		failed += !!ibv_destroy_qp(qp[i]);
	}
	RESULT(ret == 200 && !failed, "close: with 200 requests queued, the QPs can be used: %d\n",
	       failed);
	close(fd);
}

/* ---- Quiesce ---- */

/* Nobody waits for the deregistrations that the library makes after it has destroyed a QP. */
static bool deregistered(void)
{
	return engine_settles("slots", "DEREG_MR", 0);
}

static int commands_of_destroys(struct ibv_qp **qp, int n)
{
	int i, failed = !deregistered();
	unsigned long before = executed(NULL);

	for (i = 0; i < n; i++)
		failed += !!ibv_destroy_qp(qp[i]);
	failed += !deregistered();
	return failed ? -failed : (int)(executed(NULL) - before);
}

/* Returns how many requests on a quiesced QP have another result than that documented. */
static int after_quiesce(int fd, const struct ibv_qp *qp)
{
	const struct ibv_qp_attr to_reset = { .qp_state = IBV_QPS_RESET };
	const struct {
		struct vrb_queue_request r;
		int status;
	} all[] = {
		{ vq_to_init(1), ESHUTDOWN },
		{ vq_request(2, VRB_QUEUE_OP_CONNECT, &vq_good, vq_connect_mask(IBV_QPT_RC)),
		  ESHUTDOWN },
		{ vq_request(3, VRB_QUEUE_OP_RESET, NULL, 0), ESHUTDOWN },
		{ vq_request(4, VRB_QUEUE_OP_QUIESCE, NULL, 0), ESHUTDOWN },
		{ vq_request(5, VRB_QUEUE_OP_QUERY, NULL, 0), 0 },
		{ vq_request(6, VRB_QUEUE_OP_MODIFY, &to_reset, IBV_QP_STATE), 0 },
	};
	struct vrb_queue_completion c;
	int i, ret, wrong = 0;

	for (i = 0; i < NR(all); i++) {
		ret = one(fd, qp, all[i].r, &c);
		if (ret != all[i].status || c.qp_state != IBV_QPS_RESET) {
			ksft_print_msg("request %d: %d, state %u\n", i + 1, ret, c.qp_state);
			wrong++;
		}
	}
	return wrong;
}

static void test_quiesce(int fd)
{
	struct ibv_qp_init_attr init = {
		.send_cq = cq,
		.recv_cq = cq,
		.srq = srq,
		.qp_type = IBV_QPT_RC,
		.cap = { .max_send_wr = 4, .max_send_sge = 1 },
	};
	struct vrb_queue_completion c;
	struct ibv_qp *qp[3] = { make(IBV_QPT_RC), ibv_create_qp(pd, &init), make(IBV_QPT_UD) };
	int i, ret, failed = !deregistered();
	unsigned long resets = executed("ERR2RST_QPEE"), mpts = executed("HW2SW_MPT");
	struct ibv_qp_attr attr = { .qp_state = IBV_QPS_RESET };

	for (i = 0; i < 2; i++)
		failed += !!one(fd, qp[i],
				vq_request(i, VRB_QUEUE_OP_CONNECT, &vq_good,
					   vq_connect_mask(IBV_QPT_RC)),
				&c);
	for (i = 0; i < 3; i++)
		failed += !!one(fd, qp[i], vq_request(i, VRB_QUEUE_OP_QUIESCE, NULL, 0), &c) ||
			  c.qp_state != IBV_QPS_RESET;
	RESULT(!failed && executed("ERR2RST_QPEE") - resets == 2 &&
		       executed("HW2SW_MPT") - mpts == 3,
	       "quiesce: resets unless it was in RESET, and three regions: %d failed\n", failed);
	ret = after_quiesce(fd, qp[0]);
	RESULT(!ret && connect_to_init(qp[0]) == ESHUTDOWN,
	       "quiesce: only a query and a reset succeed after it: %d wrong\n", ret);
	ret = ibv_modify_qp(qp[0], &attr, IBV_QP_STATE);
	RESULT(!ret, "quiesce: the library's own reset: %d\n", ret);
	ret = commands_of_destroys(qp, 3);
	RESULT(!ret, "quiesce: destroys after it issue %d commands\n", ret);
	qp[0] = make(IBV_QPT_RC);
	ret = commands_of_destroys(qp, 1);
	RESULT(ret > 0, "quiesce: destroys without it issue commands: %d\n", ret);
}

#define BUSY "RST2INIT_QPEE=8s,ERR2RST_QPEE=8s"
#define QUIET 70 /* more than the regions that may be deregistered without a wait */

/* Slow commands in all slots: those of processes, and the one for teardown. */
static bool occupy(int fd[2], struct ibv_qp **qp, int slots)
{
	const struct vrb_queue_request reset = vq_request(0, VRB_QUEUE_OP_RESET, NULL, 0);
	bool good;

	good = slow(BUSY) && many(fd[0], qp, slots, vq_to_init(0)) == slots &&
	       engine_settles("slots", " MODIFY_QP ", slots);
	good = good && many(fd[1], qp + slots, 1, reset) == 1 &&
	       engine_settles("slots", " RESET_QP ", 1);
	return good;
}

static unsigned long ended(void)
{
	return executed("RST2INIT_QPEE") + executed("ERR2RST_QPEE");
}

/*
 * What libraries call after a reset or a quiesce has no command, and does not wait for a slot:
 * while it runs, none of the slow commands ends.
 */
static void test_no_slot_needed(void)
{
	struct ibv_qp *qp[VRB_QUEUE_MAX_BATCH], *rests = make(IBV_QPT_RC), *quiet[QUIET];
	int fd[2] = { vq_create(context->cmd_fd, BIG), vq_create(context->cmd_fd, 1) }, i, ret;
	struct ibv_qp_attr attr = { .qp_state = IBV_QPS_RESET };
	struct vrb_queue_completion c;
	struct vrb_queue_caps caps = {};
	unsigned long before;
	bool good;

	vq_query(context->cmd_fd, &caps, sizeof(caps));
	for (i = 0; i < caps.slots + 1; i++)
		qp[i] = make(IBV_QPT_RC);
	good = !connect_to_init(qp[caps.slots]);
	for (i = 0; i < QUIET; i++) {
		quiet[i] = make(IBV_QPT_RC);
		good = good && !connect_to_init(quiet[i]) &&
		       !one(fd[1], quiet[i], vq_request(1, VRB_QUEUE_OP_QUIESCE, NULL, 0), &c);
	}
	good = good && occupy(fd, qp, caps.slots);
	before = ended();
	ret = ibv_modify_qp(rests, &attr, IBV_QP_STATE);
	RESULT(good && !ret && ended() == before,
	       "no slot is needed: a reset of a QP in RESET: %d\n", ret);
	for (i = 0; i < QUIET; i++)
		ret += ibv_destroy_qp(quiet[i]);
	RESULT(good && !ret && ended() == before,
	       "no slot is needed: the destroys of %d quiesced QPs: %d\n", QUIET, ret);
	slow("");
	ret = vq_reap(fd[0], done, caps.slots);
	ret += vq_reap(fd[1], done, 1);
	RESULT(ret == caps.slots + 1, "no slot is needed: %d others complete\n", ret);
	for (i = 0; i < caps.slots + 1; i++)
		ibv_destroy_qp(qp[i]);
	ibv_destroy_qp(rests);
	close(fd[0]);
	close(fd[1]);
}

#define WAITING 150 /* more than twice the requests in one hold of the driver's lock */

/*
 * All slots of processes are in use. A modify to RESET or ERR has the slot for teardown. The
 * destroy of a QP cancels all its requests that wait in a queue.
 */
static void test_no_slot_left(void)
{
	struct ibv_qp *qp[VRB_QUEUE_MAX_BATCH], *ends = make(IBV_QPT_RC), *waits = make(IBV_QPT_RC);
	struct ibv_qp_attr attr = { .qp_state = IBV_QPS_ERR };
	int fd[2] = { vq_create(context->cmd_fd, BIG), vq_create(context->cmd_fd, 1) }, i, ret;
	struct ibv_qp *same[WAITING];
	struct vrb_queue_completion c;
	struct vrb_queue_caps caps = {};
	unsigned long before;
	bool good;

	vq_query(context->cmd_fd, &caps, sizeof(caps));
	for (i = 0; i < caps.slots; i++)
		qp[i] = make(IBV_QPT_RC);
	for (i = 0; i < WAITING; i++)
		same[i] = waits;
	good = !connect_to_init(ends) && slow("RST2INIT_QPEE=8s") &&
	       many(fd[0], qp, caps.slots, vq_to_init(0)) == caps.slots &&
	       engine_settles("slots", " MODIFY_QP ", caps.slots);
	before = executed("RST2INIT_QPEE");
	ret = one(fd[1], ends, vq_request(1, VRB_QUEUE_OP_MODIFY, &attr, IBV_QP_STATE), &c);
	attr.qp_state = IBV_QPS_RESET;
	ret = ret ?: one(fd[1], ends, vq_request(2, VRB_QUEUE_OP_MODIFY, &attr, IBV_QP_STATE), &c);
	RESULT(good && !ret && executed("RST2INIT_QPEE") == before,
	       "no slot left: a modify to ERR and to RESET: %d\n", ret);
	ret = many(fd[0], same, WAITING, vq_request(0, VRB_QUEUE_OP_QUERY, NULL, 0));
	good = ret == WAITING && !ibv_destroy_qp(waits);
	ret = vq_reap(fd[0], done, WAITING);
	for (i = 0; i < ret; i++)
		good = good && done[i].status == ECANCELED;
	RESULT(good && ret == WAITING && executed("RST2INIT_QPEE") == before,
	       "no slot left: the requests of a QP that is destroyed: %d\n", ret);
	slow("");
	vq_reap(fd[0], done, caps.slots);
	for (i = 0; i < caps.slots; i++)
		ibv_destroy_qp(qp[i]);
	ibv_destroy_qp(ends);
	close(fd[0]);
	close(fd[1]);
}

static int make_in(uint32_t lkey, struct ibv_qp *qp)
{
	const struct raw_qp_in in = {
		.pd = pd->handle,
		.send_cq = cq->handle,
		.recv_cq = cq->handle,
		.lkey = lkey,
		.send_wr = 4,
		.recv_wr = 4,
		.send_sge = 1,
		.recv_sge = 1,
		.type = IBV_QPT_RC,
	};
	struct raw_qp raw;
	int ret = raw_create_qp(context->cmd_fd, &in, &raw);

	*qp = (struct ibv_qp){ .handle = raw.handle, .qp_num = raw.qpn };
	return ret;
}

static int quiesce(int fd, struct ibv_qp *qp)
{
	struct vrb_queue_completion c;

	return one(fd, qp, vq_request(1, VRB_QUEUE_OP_QUIESCE, NULL, 0), &c);
}

/* The rings of several QPs are in one region. The quiesce of the only one left invalidates it. */
static void test_quiesce_shared(int fd)
{
	void *buffer = process_memory(4 * PROCESS_PAGE);
	struct vrb_queue_completion c;
	struct ibv_qp qp[3], more;
	int i, failed, ret;
	unsigned long mpts;
	struct raw_mr mr;

	failed = raw_reg_mr(context->cmd_fd, pd->handle, buffer, 4 * PROCESS_PAGE, 0,
			    IBV_ACCESS_LOCAL_WRITE, &mr);
	for (i = 0; !failed && i < 2; i++) {
		failed = make_in(mr.lkey, &qp[i]);
		failed = failed ?:
				  one(fd, &qp[i],
				      vq_request(1, VRB_QUEUE_OP_CONNECT, &vq_good,
						 vq_connect_mask(IBV_QPT_RC)),
				      &c);
	}
	failed = failed || !deregistered();
	mpts = executed("HW2SW_MPT");
	failed = failed ?: quiesce(fd, &qp[0]);
	ret = one(fd, &qp[1], vq_request(2, VRB_QUEUE_OP_QUERY, NULL, 0), &c);
	RESULT(!failed && executed("HW2SW_MPT") == mpts && !ret && c.qp_state == IBV_QPS_RTS,
	       "quiesce: a region that another QP uses remains: %d, %d\n", failed, ret);
	ret = make_in(mr.lkey, &qp[2]);
	failed = quiesce(fd, &qp[1]);
	RESULT(!ret && !failed && executed("HW2SW_MPT") == mpts,
	       "quiesce: such a region accepts a new QP: %d, %d\n", ret, failed);
	failed = raw_destroy_qp(context->cmd_fd, qp[0].handle);
	failed = failed ?: raw_destroy_qp(context->cmd_fd, qp[1].handle);
	failed = failed ?: quiesce(fd, &qp[2]);
	ret = make_in(mr.lkey, &more);
	RESULT(!failed && executed("HW2SW_MPT") == mpts + 1 && ret == -EINVAL,
	       "quiesce: of the last QP in a region: %d, then a new QP: %d\n", failed, ret);
	failed = raw_destroy_qp(context->cmd_fd, qp[2].handle);
	failed = failed ?: raw_dereg_mr(context->cmd_fd, mr.handle);
	RESULT(!failed && deregistered() && executed("HW2SW_MPT") == mpts + 1,
	       "quiesce: the region is deregistered without a command: %d\n", failed);
	munmap(buffer, 4 * PROCESS_PAGE);
}

/* ---- Files and processes ---- */

static void test_context_first(void)
{
	struct ibv_context *other = process_open();
	int fd = vq_create(other->cmd_fd, 4), ret;
	short events;

	ibv_close_device(other);
	events = vq_poll(fd, 1000);
	ret = read(fd, done, sizeof(done)) < 0 ? errno : 0;
	RESULT(ret == EIO && events & POLLHUP && events & POLLIN,
	       "context closed first: %d, events 0x%x\n", ret, events);
	close(fd);
}

/*
 * Opens the device anew, and queues 100 requests.
 * @order: bit 0: the queue is created after the QPs, so uverbs destroys it first; bit 1: the
 * queue's descriptor is lower than that of the context, so it is closed first
 * Returns the queue, or a negative number.
 */
static int busy_queue(int order)
{
	static struct ibv_qp *qp[100];
	int low = open("/dev/null", O_RDONLY | O_CLOEXEC), fd = open_anew(), i;

	for (i = 0; i < 100; i++)
		qp[i] = make(IBV_QPT_RC);
	if (order & 1) {
		close(fd);
		fd = vq_create(context->cmd_fd, BIG);
	}
	if (order & 2) {
		low = dup3(fd, low, O_CLOEXEC);
		close(fd);
		fd = low;
		if (fd > context->cmd_fd)
			return -1;
	}
	return many(fd, qp, 100, vq_to_init(0)) == 100 ? fd : -1;
}

static int closes_context(void)
{
	int fd = busy_queue(0), ret;
	short events;

	if (fd < 0)
		return 1;
	ibv_close_device(context);
	events = vq_poll(fd, 1000);
	ret = read(fd, done, sizeof(done)) < 0 ? errno : 0;
	if (ret == EIO && events & POLLHUP && !engine_count("vrbs", " queued "))
		return 0;
	ksft_print_msg("read: %d, events 0x%x\n", ret, events);
	return 2;
}

static void test_context_first_busy(void)
{
	const int objects = engine_rests("objects", ":");
	pid_t child;
	int status;

	slow("RST2INIT_QPEE=100ms");
	child = fork();
	if (!child)
		_exit(closes_context());
	waitpid(child, &status, 0);
	slow("");
	RESULT(!status && engine_settles("objects", ":", objects),
	       "context closed first: with requests outstanding: status 0x%x\n", status);
}

/* A thread that sleeps in read() meanwhile */
static void *reader(void *fd)
{
	struct vrb_queue_completion c;

	return (void *)(long)(read(*(int *)fd, &c, sizeof(c)) < 0 ? errno : 0);
}

static void test_reader_sleeps(void)
{
	struct ibv_context *other = process_open();
	int fd = vq_create(other->cmd_fd, 4);
	pthread_t thread;
	void *ret;

	pthread_create(&thread, NULL, reader, &fd);
	usleep(50000);
	ibv_close_device(other);
	pthread_join(thread, &ret);
	RESULT((long)ret == EIO, "context closed under a reader: %ld\n", (long)ret);
	close(fd);
}

static void test_dup(int fd)
{
	struct ibv_qp *qp = make(IBV_QPT_RC);
	struct vrb_queue_request r = vq_to_init(1);
	int copy = dup(fd), ret;

	ret = vq_submit(context->cmd_fd, copy, &r, &qp->handle, 1);
	ret = ret == 1 ? vq_reap(fd, done, 1) : ret;
	close(copy);
	RESULT(ret == 1 && !done[0].status, "dup: %d\n", ret);
	ibv_destroy_qp(qp);
}

static int pass(int to, int fd)
{
	char byte = 0, room[CMSG_SPACE(sizeof(int))] = {};
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = room,
			      .msg_controllen = sizeof(room) };
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	if (fd < 0) {
		if (recvmsg(to, &msg, 0) < 0)
			return -1;
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(fd));
		return fd;
	}
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
	return sendmsg(to, &msg, 0);
}

/* The queue is passed to another process, which reads while the first one is gone. */
static void test_passed(void)
{
	int pair[2], fd, ret;
	short events;
	pid_t child;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		return;
	child = fork();
	if (!child) {
		struct ibv_context *own = process_open();

		fd = vq_create(own->cmd_fd, 4);
		pass(pair[1], fd);
		_exit(0);
	}
	fd = pass(pair[0], -1);
	waitpid(child, NULL, 0);
	events = vq_poll(fd, 5000);
	ret = read(fd, done, sizeof(done)) < 0 ? errno : 0;
	RESULT(fd >= 0 && ret == EIO && events & POLLHUP,
	       "passed on, and its process ends: %d, events 0x%x\n", ret, events);
	close(fd);
	close(pair[0]);
	close(pair[1]);
}

static int receives(int socket)
{
	struct ibv_context *own = process_open();
	struct vrb_queue_request r = vq_to_init(2);
	int fd = pass(socket, -1), ret;

	if (!own || vq_submit(own->cmd_fd, fd, &r, &(uint32_t){ 0 }, 1) != -EBADF)
		return 1;
	ret = vq_reap(fd, done, 2);
	return ret == 2 && !done[0].status && !done[1].status ? 0 : 2;
}

/* The process that receives the queue reads completions, but cannot submit with its own context. */
static void test_passed_busy(int fd)
{
	struct ibv_qp *qp[2] = { make(IBV_QPT_RC), make(IBV_QPT_RC) };
	int pair[2], status, ret;
	pid_t child;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		return;
	child = fork();
	if (!child) {
		close(fd);
		_exit(receives(pair[1]));
	}
	pass(pair[0], fd);
	ret = many(fd, qp, 2, vq_to_init(1));
	waitpid(child, &status, 0);
	RESULT(ret == 2 && !status && !vq_poll(fd, 0), "passed on: the other reads: status 0x%x\n",
	       status);
	close(pair[0]);
	close(pair[1]);
	ibv_destroy_qp(qp[0]);
	ibv_destroy_qp(qp[1]);
}

/* A child of fork() reads the completions of its parent's requests. */
static void test_fork(int fd)
{
	struct ibv_qp *qp = make(IBV_QPT_RC);
	struct vrb_queue_request r = vq_to_init(1);
	int status, ret = vq_submit(context->cmd_fd, fd, &r, &qp->handle, 1);
	pid_t child = fork();

	if (!child)
		_exit(vq_reap(fd, done, 1) == 1 && !done[0].status ? 0 : 1);
	waitpid(child, &status, 0);
	RESULT(ret == 1 && !status, "fork: the child reads: %d\n", status);
	ibv_destroy_qp(qp);
}

/* Each flood is a process with many queued requests; it reports when they are queued. */
static void flood_queues(int ready, int queues, int each)
{
	static struct ibv_qp *qp[VRB_QUEUE_MAX_BATCH];
	struct vrb_queue_request r = vq_request(0, VRB_QUEUE_OP_RESET, NULL, 0);
	int i, n, fd[64];

	open_anew();
	for (i = 0; i < VRB_QUEUE_MAX_BATCH; i++)
		qp[i] = make(IBV_QPT_RC);
	for (i = 0; i < queues; i++) {
		fd[i] = vq_create(context->cmd_fd, BIG);
		for (n = 0; n < each; n += VRB_QUEUE_MAX_BATCH)
			many(fd[i], qp, VRB_QUEUE_MAX_BATCH, n & 256 ? r : vq_to_init(n));
	}
	if (write(ready, "x", 1) == 1)
		pause();
}

#define FEW 8 /* QPs of one of many contexts */

/* Opens the device many times, and creates a queue and a few QPs in each context. */
static void flood_contexts(int ready, int contexts, int each)
{
	static struct {
		struct ibv_context *context;
		struct ibv_qp *qp[FEW];
		int fd;
	} all[256];
	struct vrb_queue_request r = vq_request(0, VRB_QUEUE_OP_RESET, NULL, 0);
	int i, n, accepted = 0;

	for (i = 0; i < contexts && i < NR(all); i++) {
		all[i].fd = open_with(each);
		all[i].context = context;
		for (n = 0; cq && n < FEW; n++)
			all[i].qp[n] = make(IBV_QPT_RC);
	}
	for (i = 0; i < contexts && i < NR(all); i++) {
		context = all[i].context;
		for (n = 0; context && n < each; n += FEW)
			accepted += many(all[i].fd, all[i].qp, FEW, n & FEW ? r : vq_to_init(n));
	}
	if (accepted == contexts * each && write(ready, "x", 1) == 1)
		pause();
}

static pid_t start_flood(void (*flood)(int ready, int places, int each), int places, int each)
{
	int pipes[2];
	pid_t child;
	char c;

	if (pipe(pipes))
		return -1;
	child = fork();
	if (!child) {
		flood(pipes[1], places, each);
		_exit(1);
	}
	close(pipes[1]);
	if (read(pipes[0], &c, 1) != 1)
		child = -1;
	close(pipes[0]);
	return child;
}

static int stop(pid_t child, int signal)
{
	int status = 0;

	kill(child, signal);
	waitpid(child, &status, 0);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void test_killed(void)
{
	const int objects = engine_rests("objects", ":");
	pid_t child;
	int ret;

	slow("RST2INIT_QPEE=20ms");
	child = start_flood(flood_queues, 3, 3072);
	ret = stop(child, SIGKILL);
	slow("");
	RESULT(ret == SIGKILL && engine_settles("objects", ":", objects),
	       "killed with 9000 requests queued: signal %d\n", ret);
	RESULT(engine_settles("vrbs", " queued ", 0), "killed: no request is left\n");
}

/* Runs @end in a process with queued requests, once in each order. Returns how many went wrong. */
static int in_each_order(int (*end)(int fd, int ready), int signal)
{
	int order, pipes[2], status, wrong = 0;
	pid_t child;
	char c;

	for (order = 0; order < 4; order++) {
		if (pipe(pipes))
			return -1;
		child = fork();
		if (!child)
			_exit(end(busy_queue(order), pipes[1]));
		close(pipes[1]);
		if (signal && read(pipes[0], &c, 1) == 1)
			kill(child, signal);
		waitpid(child, &status, 0);
		close(pipes[0]);
		if (status != signal) {
			ksft_print_msg("order %d: status 0x%x\n", order, status);
			wrong++;
		}
	}
	return wrong;
}

static int end_by_exec(int fd, int ready)
{
	close(ready);
	if (fd < 0)
		return 1;
	execl("/bin/sh", "sh", "-c", "! ls -l /proc/$$/fd | grep verb_queue", NULL);
	return 2;
}

static int end_by_exit(int fd, int ready)
{
	return fd < 0;
}

/* It is killed while it sleeps in read(). */
static int end_by_signal(int fd, int ready)
{
	if (fd < 0 || write(ready, "x", 1) != 1)
		return 1;
	while (read(fd, done, sizeof(done[0])) > 0)
		;
	return 2;
}

/* In each order of queue and QPs, and of queue and context, nothing remains. */
static void test_ends(void)
{
	const int objects = engine_rests("objects", ":");
	int wrong;

	slow("RST2INIT_QPEE=20ms");
	wrong = in_each_order(end_by_exit, 0);
	RESULT(!wrong && engine_settles("objects", ":", objects), "exit: in each order: %d wrong\n",
	       wrong);
	wrong = in_each_order(end_by_exec, 0);
	RESULT(!wrong && engine_settles("objects", ":", objects),
	       "exec: the queue is not the new program's: %d wrong\n", wrong);
	wrong = in_each_order(end_by_signal, SIGKILL);
	RESULT(!wrong && engine_settles("objects", ":", objects),
	       "SIGKILL: in each order, in read(): %d wrong\n", wrong);
	slow("");
	RESULT(engine_settles("vrbs", " queued ", 0), "ends: no request is left\n");
}

/* ---- Fairness ---- */

#define TRACING "/sys/kernel/tracing/"

static bool trace_write(const char *file, const char *text)
{
	char path[256];
	int fd;
	bool good;

	snprintf(path, sizeof(path), TRACING "%s", file);
	fd = open(path, O_WRONLY | O_TRUNC);
	good = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	close(fd);
	return good;
}

/* Returns how many requests were issued between the queueing and the issue of the QP's, or -1. */
static int issued_before(struct ibv_qp *qp)
{
	FILE *trace = fopen(TRACING "trace", "r");
	char line[1024], name[32];
	bool queued = false;
	int n = 0;

	snprintf(name, sizeof(name), " QP %#x ", qp->qp_num);
	while (trace && fgets(line, sizeof(line), trace)) {
		if (strstr(line, "vrb_queue:") && strstr(line, name))
			queued = true;
		if (!queued || !strstr(line, "vrb_issue:"))
			continue;
		if (strstr(line, name))
			break;
		n++;
	}
	if (!trace || feof(trace))
		n = -1;
	if (trace)
		fclose(trace);
	return n;
}

/* The slow commands end one after the other. The next free slot goes to the new process. */
static void test_fair(void (*flood)(int ready, int places, int each), int places, int each,
		      const char *text)
{
	struct ibv_qp *qp = make(IBV_QPT_RC);
	int ret, queued, before;
	pid_t child;

	slow("RST2INIT_QPEE=uniform:100ms:900ms,ERR2RST_QPEE=uniform:100ms:900ms");
	child = start_flood(flood, places, each);
	queued = engine_count("vrbs", " queued ");
	trace_write("trace", "");
	trace_write("events/ib_vrb/vrb_queue/enable", "1");
	trace_write("events/ib_vrb/vrb_issue/enable", "1");
	ret = connect_to_init(qp);
	trace_write("events/ib_vrb/enable", "0");
	before = issued_before(qp);
	RESULT(child > 0 && !ret && before >= 0 && before < 3,
	       "fair: another process's command among 10^4 %s (%d in the engine): %d before it\n",
	       text, queued, before);
	slow("");
	stop(child, SIGKILL);
	RESULT(engine_settles("vrbs", " queued ", 0), "fair: no request is left\n");
	ibv_destroy_qp(qp);
}

/*
 * However many contexts the other process has, it gets one share of the slots. It has more contexts
 * than there are slots, so if each context had a share, this process's would be the last.
 */
static void test_fair_contexts(void)
{
	struct vrb_queue_caps caps = {};

	vq_query(context->cmd_fd, &caps, sizeof(caps));
	test_fair(flood_contexts, 2 * caps.slots, 80, "of many contexts");
}

/*
 * Queues of one process take turns: before a request of a small queue, at most one share of the
 * requests of each other queue is issued.
 */
static void test_turns(void)
{
	static struct ibv_qp *qp[3][TURNS];
	struct ibv_qp *small = make(IBV_QPT_RC);
	int fd[3], i, n, before, ret, accepted = 0, bad = 0, own = vq_create(context->cmd_fd, 1);
	struct vrb_queue_completion c;
	struct vrb_queue_caps caps = {};

	vq_query(context->cmd_fd, &caps, sizeof(caps));
	slow("RST2INIT_QPEE=uniform:100ms:500ms");
	for (i = 0; i < 3; i++) {
		for (n = 0; n < TURNS; n++)
			qp[i][n] = make(IBV_QPT_RC);
		fd[i] = vq_create(context->cmd_fd, BIG);
	}
	for (i = 0; i < 3; i++)
		accepted += many(fd[i], qp[i], TURNS, vq_to_init(0));
	trace_write("trace", "");
	trace_write("events/ib_vrb/vrb_queue/enable", "1");
	trace_write("events/ib_vrb/vrb_issue/enable", "1");
	ret = one(own, small, vq_to_init(1), &c);
	trace_write("events/ib_vrb/enable", "0");
	before = issued_before(small);
	RESULT(!ret && accepted == 3 * TURNS && before > 0 && before <= 3 * (int)caps.slots,
	       "turns: a small queue's request is behind %d of %d of others, %u in a turn\n",
	       before, accepted, caps.slots);
	slow("");
	for (i = 0; i < 3; i++) {
		ret = vq_reap(fd[i], done, TURNS);
		bad += ret != TURNS;
		for (n = 0; n < ret; n++)
			bad += !!done[n].status;
		close(fd[i]);
		for (n = 0; n < TURNS; n++)
			ibv_destroy_qp(qp[i][n]);
	}
	RESULT(!bad, "turns: the others complete, too: %d bad\n", bad);
	ibv_destroy_qp(small);
	close(own);
}

/* Submits thousands of requests, all of which complete. */
static void test_many(void)
{
	static struct ibv_qp *qp[VRB_QUEUE_MAX_BATCH];
	struct vrb_queue_request r = vq_request(0, VRB_QUEUE_OP_RESET, NULL, 0);
	int fd[4], i, n, accepted = 0, got = 0, ret, bad = 0;

	for (i = 0; i < VRB_QUEUE_MAX_BATCH; i++)
		qp[i] = make(IBV_QPT_RC);
	for (i = 0; i < 4; i++) {
		fd[i] = vq_create(context->cmd_fd, BIG);
		for (n = 0; n < BIG; n += VRB_QUEUE_MAX_BATCH)
			accepted += many(fd[i], qp, VRB_QUEUE_MAX_BATCH,
					 i || n & 256 ? r : vq_to_init(n));
	}
	for (i = 0; i < 4; i++) {
		ret = vq_reap(fd[i], done, BIG);
		for (n = 0; n < ret; n++)
			bad += done[n].status && done[n].status != EINVAL;
		got += ret;
		close(fd[i]);
	}
	RESULT(accepted == 4 * BIG && got == accepted && !bad, "many: %d of %d, %d bad\n", got,
	       accepted, bad);
	for (i = 0; i < VRB_QUEUE_MAX_BATCH; i++)
		ibv_destroy_qp(qp[i]);
}

/*
 * For verb_queue_life.sh: a process with queued requests while its device goes away. It reports
 * what it has read, and keeps the queue open until it is told to end.
 * @late: the queue is created after the QPs, so uverbs destroys it first
 */
static int hold(bool late)
{
	static struct ibv_qp *qp[VRB_QUEUE_MAX_BATCH];
	int fd = open_anew(), i, ret, good = 0, lost = 0, other = 0;

	for (i = 0; i < VRB_QUEUE_MAX_BATCH; i++)
		qp[i] = make(IBV_QPT_RC);
	if (late) {
		close(fd);
		fd = vq_create(context->cmd_fd, BIG);
	}
	ret = many(fd, qp, VRB_QUEUE_MAX_BATCH, vq_to_init(0));
	printf("%d requests\nholding\n", ret);
	fflush(stdout);
	while ((ret = vq_reap(fd, done, 1)) == 1) {
		good += !done[0].status;
		lost += done[0].status == EIO;
		other += done[0].status && done[0].status != EIO;
	}
	printf("completions: other %d, lost %s, good %s\n", other, lost ? "some" : "none",
	       good ? "some" : "none");
	printf("read: %s, poll: %s\n", strerror(ret < 0 ? -ret : 0),
	       vq_poll(fd, 1000) & POLLHUP ? "HUP" : "none");
	printf("over\n");
	fflush(stdout);
	pause();
	return 0;
}

/* ---- For verb_queue_answer.sh: modules hold a call, or make copies fail ---- */

#define HOLD "/sys/module/hold_calls/parameters/"

struct unmapping {
	int fd, ret;
	struct ibv_qp *qp;
	uint32_t *accepted;
};

static void *submit_to(void *arg)
{
	struct vrb_queue_request init = vq_to_init(1);
	struct unmapping *unmapping = arg;
	struct vq_call call = {};

	vq_attr_fd(&call, VRB_ATTR_QUEUE_SUBMIT_FD, unmapping->fd);
	vq_attr(&call, VRB_ATTR_QUEUE_SUBMIT_REQUESTS, &init, sizeof(init));
	vq_attr_in(&call, VRB_ATTR_QUEUE_SUBMIT_QPS, &unmapping->qp->handle,
		   sizeof(unmapping->qp->handle));
	vq_attr(&call, VRB_ATTR_QUEUE_SUBMIT_ACCEPTED, unmapping->accepted, sizeof(uint32_t));
	unmapping->ret = vq_do(context->cmd_fd, VRB_METHOD_QUEUE_SUBMIT, &call);
	return NULL;
}

static bool is_held(void)
{
	int fd = open(HOLD "held", O_RDONLY);
	bool held;
	char c;

	held = read(fd, &c, 1) == 1 && c == 'Y';
	close(fd);
	return held;
}

static bool becomes_held(void)
{
	int tries;

	for (tries = 0; tries < 2000; tries++) {
		if (is_held())
			return true;
		usleep(10000);
	}
	return false;
}

static void hold_no_longer(void)
{
	int fd = open(HOLD "go_on", O_WRONLY);

	if (write(fd, "Y", 1) != 1)
		perror(HOLD "go_on");
	close(fd);
}

/* A thread unmaps the place of the result after the kernel has written it for the first time. */
static int unmapped(void)
{
	struct unmapping unmapping = { .fd = open_anew() };
	pthread_t thread;
	bool held;
	int got;

	unmapping.qp = make(IBV_QPT_RC);
	unmapping.accepted = process_memory(PROCESS_PAGE);
	pthread_create(&thread, NULL, submit_to, &unmapping);
	held = becomes_held();
	munmap(unmapping.accepted, PROCESS_PAGE);
	hold_no_longer();
	pthread_join(thread, NULL);
	got = vq_reap(unmapping.fd, done, 1);
	printf("submit: %d, completions: %d, %s\n", unmapping.ret, got,
	       held ? "held" : "never held");
	return 0;
}

struct held {
	int fd, ret;
	struct ibv_qp *qp;
};

static void *submit_held(void *arg)
{
	struct vrb_queue_request init = vq_to_init(1);
	struct held *held = arg;

	held->ret = vq_submit(context->cmd_fd, held->fd, &init, &held->qp->handle, 1);
	return NULL;
}

/* A thread is held inside a submit, and another destroys the QP. */
static int destroy_busy(void)
{
	struct held held = { .fd = open_anew() };
	pthread_t thread;
	int early, got;

	held.qp = make(IBV_QPT_RC);
	pthread_create(&thread, NULL, submit_held, &held);
	if (!becomes_held())
		printf("never held\n");
	early = ibv_destroy_qp(held.qp);
	printf("destroy during the submit: %s\n", strerror(early));
	fflush(stdout);
	hold_no_longer();
	pthread_join(thread, NULL);
	got = vq_reap(held.fd, done, 1);
	printf("submit: %d, completions: %d, status %u\n", held.ret, got, done[0].status);
	printf("destroy afterwards: %s\n", strerror(early ? ibv_destroy_qp(held.qp) : 0));
	return 0;
}

static void *destroy_held(void *arg)
{
	struct held *held = arg;

	held->ret = ibv_destroy_qp(held->qp);
	return NULL;
}

/* A thread is held inside the destroy of a QP, and another submits a request on it. */
static int submit_busy(void)
{
	struct held held = { .fd = open_anew() };
	struct vrb_queue_request init = vq_to_init(1);
	pthread_t thread;
	uint32_t handle;
	int ret, events;

	held.qp = make(IBV_QPT_RC);
	handle = held.qp->handle;
	pthread_create(&thread, NULL, destroy_held, &held);
	if (!becomes_held())
		printf("never held\n");
	ret = vq_submit(context->cmd_fd, held.fd, &init, &handle, 1);
	events = vq_poll(held.fd, 0);
	printf("submit during the destroy: %s, %s\n", strerror(ret < 0 ? -ret : 0),
	       events ? "with a completion" : "no completion");
	fflush(stdout);
	hold_no_longer();
	pthread_join(thread, NULL);
	printf("destroy: %s\n", strerror(held.ret));
	return 0;
}

/* Prints the result of each of two reads of one completion. The kernel's copies fail at first. */
static int faulty(void)
{
	int fd = open_anew(), i;
	struct vrb_queue_request init = vq_to_init(1);
	struct ibv_qp *qp = make(IBV_QPT_RC);
	ssize_t ret;

	fcntl(fd, F_SETFL, O_NONBLOCK);
	if (vq_submit(context->cmd_fd, fd, &init, &qp->handle, 1) != 1 || !vq_poll(fd, 20000))
		return 1;
	for (i = 0; i < 2; i++) {
		ret = read(fd, done, sizeof(done));
		if (ret == sizeof(done[0]) && done[0].user_data == 1 && !done[0].status)
			printf("read: the completion\n");
		else
			printf("read: %s\n", ret < 0 ? strerror(errno) : "something else");
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct ibv_srq_init_attr srq_init = { .attr = { .max_wr = 16, .max_sge = 1 } };
	int fd;

	if (argc > 1 && !strcmp(argv[1], "unmapped"))
		return unmapped();
	if (argc > 1 && !strcmp(argv[1], "destroy-busy"))
		return destroy_busy();
	if (argc > 1 && !strcmp(argv[1], "submit-busy"))
		return submit_busy();
	if (argc > 1 && !strcmp(argv[1], "faulty"))
		return faulty();
	if (argc > 1)
		return hold(!strcmp(argv[1], "hold-late"));
	ksft_print_header();
	context = process_open();
	if (!context || !process_driver_is(context, "ib_tavor"))
		ksft_exit_skip("no device of ib_tavor\n");
	pd = ibv_alloc_pd(context);
	cq = ibv_create_cq(context, 4096, NULL, NULL, 0);
	srq = pd ? ibv_create_srq(pd, &srq_init) : NULL;
	fd = vq_create(context->cmd_fd, 64);
	if (!cq || !srq || fd < 0)
		ksft_exit_fail_msg("no objects: %d\n", fd);
	set("engines", "64");
	test_query();
	test_create();
	test_modify(fd);
	test_refused_port(fd);
	test_port_not_taken(fd);
	test_port_settles(fd);
	test_port_of_connect(fd);
	test_port_of_the_last(fd);
	test_no_transition_any_more(fd);
	test_port_of_destroyed(fd);
	test_connect_refused(fd);
	test_connect(fd, IBV_QPT_RC, "RC");
	test_connect(fd, IBV_QPT_UC, "UC");
	test_connect(fd, IBV_QPT_UD, "UD");
	test_connect_partly(fd);
	test_query_qp(fd);
	test_order(fd);
	test_bad_requests(fd);
	test_reserved(fd);
	test_bad_handles(fd);
	test_bad_files(fd);
	test_sizes(fd);
	test_no_answer(fd);
	test_full();
	test_read(fd);
	test_cancel();
	test_cancel_same_name(fd);
	test_destroy_qp();
	test_close();
	test_close_one_qp();
	test_quiesce(fd);
	test_quiesce_shared(fd);
	test_no_slot_needed();
	test_no_slot_left();
	test_context_first();
	test_context_first_busy();
	test_reader_sleeps();
	test_dup(fd);
	test_passed();
	test_passed_busy(fd);
	test_fork(fd);
	test_ends();
	test_killed();
	test_fair(flood_queues, 4, 2560, "in four queues");
	test_fair_contexts();
	test_turns();
	test_many();
	set("engines", "4");
	ksft_set_plan(ksft_test_num());
	ksft_finished();
}
