// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
//
// Runs: guest --driver tavor --sm
// Kernels: 6.12 debug
// Level: ci
// Timeout: 120
//
// Tests verb queues through their ABI: each operation, refused requests and their errno, and
// requests whose QP, queue, context or process ends. It also tests that one process cannot delay
// the commands of another one. By hand:
//   tools/testing/vm/run --driver tavor --sm -- build/guest/tavor/verb_queue

#include <fcntl.h>
#include <signal.h>
#include <pthread.h>
#include <linux/capability.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include "kselftest.h"
#include "connect.h"
#include "model.h"
#include "process.h"
#include "verb_queue.h"

#define NR(table) (sizeof(table) / sizeof((table)[0]))
#define SLOW "RST2INIT_QPEE=300ms"
#define BIG 4096

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

#define INIT_MASK (IBV_QP_STATE | IBV_QP_PKEY_INDEX | IBV_QP_PORT)
#define RTR_MASK (IBV_QP_AV | IBV_QP_PATH_MTU | IBV_QP_DEST_QPN | IBV_QP_RQ_PSN)
#define RTR_RC_MASK (IBV_QP_MAX_DEST_RD_ATOMIC | IBV_QP_MIN_RNR_TIMER)
#define RTS_RC_MASK (IBV_QP_TIMEOUT | IBV_QP_RETRY_CNT | IBV_QP_RNR_RETRY | IBV_QP_MAX_QP_RD_ATOMIC)

static int connect_mask(enum ibv_qp_type type)
{
	const int own = type == IBV_QPT_UD ? IBV_QP_QKEY : IBV_QP_ACCESS_FLAGS;
	int mask = INIT_MASK | own | IBV_QP_SQ_PSN;

	if (type != IBV_QPT_UD)
		mask |= RTR_MASK;
	if (type == IBV_QPT_RC)
		mask |= RTR_RC_MASK | RTS_RC_MASK;
	return mask;
}

static const struct ibv_qp_attr good = {
	.qp_state = IBV_QPS_RTS,
	.port_num = 1,
	.qkey = 1,
	.qp_access_flags = IBV_ACCESS_REMOTE_WRITE,
	.path_mtu = IBV_MTU_1024,
	.dest_qp_num = 0x111111,
	.rq_psn = 0x123,
	.sq_psn = 0x456,
	.min_rnr_timer = 12,
	.timeout = 14,
	.retry_cnt = 7,
	.rnr_retry = 7,
	.max_rd_atomic = 1,
	.max_dest_rd_atomic = 1,
	.ah_attr = { .dlid = 1, .port_num = 1 },
};

static void to_uverbs_ah(struct ib_uverbs_ah_attr *to, const struct ibv_ah_attr *from)
{
	memcpy(to->grh.dgid, from->grh.dgid.raw, 16);
	to->grh.flow_label = from->grh.flow_label;
	to->grh.sgid_index = from->grh.sgid_index;
	to->grh.hop_limit = from->grh.hop_limit;
	to->grh.traffic_class = from->grh.traffic_class;
	to->dlid = from->dlid;
	to->sl = from->sl;
	to->src_path_bits = from->src_path_bits;
	to->static_rate = from->static_rate;
	to->is_global = from->is_global;
	to->port_num = from->port_num;
}

static struct vrb_queue_request request(uint64_t user_data, uint32_t op,
					const struct ibv_qp_attr *from, int mask)
{
	struct vrb_queue_request r = { .user_data = user_data, .op = op };

	if (!from)
		return r;
	r.attr.qp_attr_mask = mask;
	r.attr.qp_state = from->qp_state;
	r.attr.cur_qp_state = from->cur_qp_state;
	r.attr.path_mtu = from->path_mtu;
	r.attr.path_mig_state = from->path_mig_state;
	r.attr.qkey = from->qkey;
	r.attr.rq_psn = from->rq_psn;
	r.attr.sq_psn = from->sq_psn;
	r.attr.dest_qp_num = from->dest_qp_num;
	r.attr.qp_access_flags = from->qp_access_flags;
	r.attr.pkey_index = from->pkey_index;
	r.attr.alt_pkey_index = from->alt_pkey_index;
	r.attr.en_sqd_async_notify = from->en_sqd_async_notify;
	r.attr.max_rd_atomic = from->max_rd_atomic;
	r.attr.max_dest_rd_atomic = from->max_dest_rd_atomic;
	r.attr.min_rnr_timer = from->min_rnr_timer;
	r.attr.port_num = from->port_num;
	r.attr.timeout = from->timeout;
	r.attr.retry_cnt = from->retry_cnt;
	r.attr.rnr_retry = from->rnr_retry;
	r.attr.alt_port_num = from->alt_port_num;
	r.attr.alt_timeout = from->alt_timeout;
	to_uverbs_ah(&r.attr.ah_attr, &from->ah_attr);
	to_uverbs_ah(&r.attr.alt_ah_attr, &from->alt_ah_attr);
	return r;
}

static struct vrb_queue_request to_init(uint64_t user_data)
{
	struct ibv_qp_attr attr = good;

	attr.qp_state = IBV_QPS_INIT;
	return request(user_data, VRB_QUEUE_OP_MODIFY, &attr, INIT_MASK | IBV_QP_ACCESS_FLAGS);
}

/* Submits a request and waits for its completion; returns -1 if none came. */
static int one(int fd, struct ibv_qp *qp, struct vrb_queue_request r,
	       struct vrb_queue_completion *c)
{
	int ret = vq_submit(context->cmd_fd, fd, &r, &qp->handle, 1);

	memset(c, 0xff, sizeof(*c));
	if (ret != 1 || vq_reap(fd, c, 1) != 1) {
		ksft_print_msg("submit: %d\n", ret);
		return -1;
	}
	return c->user_data == r.user_data && c->op == r.op && c->qp_num == qp->qp_num ?
		       (int)c->status :
		       -1;
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
}

/* ---- Operations ---- */

static void test_modify(int fd)
{
	struct vrb_queue_completion c;
	struct ibv_qp *qp = make(IBV_QPT_RC);
	struct ibv_qp_attr attr;
	struct ibv_qp_init_attr init;
	int ret = one(fd, qp, to_init(7), &c);

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
	struct ibv_qp_attr attr = good;
	int refused, ret;

	connect_to_init(qp);
	attr.qp_state = IBV_QPS_INIT;
	attr.port_num = 2;
	attr.pkey_index = 9999;
	refused = one(fd, qp,
		      request(1, VRB_QUEUE_OP_MODIFY, &attr, INIT_MASK | IBV_QP_ACCESS_FLAGS), &c);
	attr = good;
	attr.qp_state = IBV_QPS_RTR;
	ret = one(fd, qp,
		  request(2, VRB_QUEUE_OP_MODIFY, &attr, IBV_QP_STATE | RTR_MASK | RTR_RC_MASK),
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
	struct vrb_queue_request r[3] = { to_init(1), to_init(2), to_init(3) };
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

/* The modify is a valid transition when it is submitted, but no longer when its turn comes. */
static void test_no_transition_any_more(int fd)
{
	struct ibv_qp_attr attr = good;
	struct vrb_queue_request r[2] = { {}, to_init(2) };
	struct ibv_qp *qp = make(IBV_QPT_RC);
	uint32_t handles[2] = { qp->handle, qp->handle };
	int ret, after;

	connect_to_init(qp);
	slow("INIT2RTR_QPEE=300ms");
	attr.qp_state = IBV_QPS_RTR;
	r[0] = request(1, VRB_QUEUE_OP_MODIFY, &attr, IBV_QP_STATE | RTR_MASK | RTR_RC_MASK);
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
	struct vrb_queue_request r[2] = { to_init(1), to_init(2) };
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
	struct ibv_qp_attr attr = good;
	int ret, mask = connect_mask(IBV_QPT_RC), port;

	attr.ah_attr.is_global = 1;
	attr.ah_attr.grh.sgid_index = 200;
	ret = one(fd, qp, request(1, VRB_QUEUE_OP_CONNECT, &attr, mask), &c);
	port = core_port(qp);
	RESULT(ret == EINVAL && c.step == 1 && c.qp_state == IBV_QPS_INIT && port == 1,
	       "connect: a path that is refused: %d, step %u, state %u, port %d\n", ret, c.step,
	       c.qp_state, port);
	attr.port_num = 2;
	ret = one(fd, qp, request(2, VRB_QUEUE_OP_CONNECT, &attr, mask), &c);
	port = core_port(qp);
	RESULT(ret == EINVAL && c.qp_state == IBV_QPS_INIT && port == 1,
	       "connect: another port than the QP's: %d, state %u, port %d\n", ret, c.qp_state,
	       port);
	attr = good;
	attr.pkey_index = 1;
	ret = one(fd, qp, request(3, VRB_QUEUE_OP_CONNECT, &attr, mask), &c);
	RESULT(ret == EINVAL && c.qp_state == IBV_QPS_INIT,
	       "connect: another P_Key than the QP's: %d, state %u\n", ret, c.qp_state);
	/* As with ibv_modify_qp(), a PSN has 24 bits, and bits above those have no effect. */
	attr = good;
	attr.rq_psn |= 1 << 24;
	ret = one(fd, qp, request(4, VRB_QUEUE_OP_CONNECT, &attr, mask), &c);
	RESULT(!ret && c.qp_state == IBV_QPS_RTS, "connect: then with what is right: %d\n", ret);
	ret = one(fd, qp, request(5, VRB_QUEUE_OP_CONNECT, &good, mask), &c);
	RESULT(ret == EINVAL && c.qp_state == IBV_QPS_RTS, "connect: from RTS: %d\n", ret);
	ibv_destroy_qp(qp);
}

static void test_connect(int fd, enum ibv_qp_type type, const char *name)
{
	struct vrb_queue_completion c;
	struct ibv_qp *qp = make(type);
	int mask = connect_mask(type), ret;

	ret = one(fd, qp, request(1, VRB_QUEUE_OP_CONNECT, &good, mask), &c);
	RESULT(!ret && c.qp_state == IBV_QPS_RTS, "connect: %s to RTS: %d, step %u\n", name, ret,
	       c.step);
	ret = one(fd, qp, request(2, VRB_QUEUE_OP_RESET, NULL, 0), &c);
	RESULT(!ret && c.qp_state == IBV_QPS_RESET, "reset: %s: %d\n", name, ret);
	ret = one(fd, qp, request(3, VRB_QUEUE_OP_CONNECT, &good, mask & ~IBV_QP_SQ_PSN), &c);
	RESULT(ret == EINVAL && c.qp_state != IBV_QPS_RTS,
	       "connect: %s without its PSN: %d, state %u\n", name, ret, c.qp_state);
	ibv_destroy_qp(qp);
}

static void test_connect_partly(int fd)
{
	struct vrb_queue_completion c;
	struct ibv_qp *qp = make(IBV_QPT_RC);
	struct ibv_qp_attr attr = good;
	int ret;

	attr.qp_state = IBV_QPS_RTR;
	connect_to_init(qp);
	ret = one(fd, qp,
		  request(1, VRB_QUEUE_OP_CONNECT, &attr, IBV_QP_STATE | RTR_MASK | RTR_RC_MASK),
		  &c);
	RESULT(!ret && c.qp_state == IBV_QPS_RTR, "connect: from INIT to RTR: %d\n", ret);
	ret = one(fd, qp, request(2, VRB_QUEUE_OP_RESET, NULL, 0), &c);
	ret = one(fd, qp,
		  request(3, VRB_QUEUE_OP_CONNECT, &attr, IBV_QP_STATE | RTR_MASK | RTR_RC_MASK),
		  &c);
	RESULT(ret == EINVAL && c.step == 0 && c.qp_state == IBV_QPS_RESET,
	       "connect: from RESET without what INIT takes: %d, step %u\n", ret, c.step);
	attr.dest_qp_num = 0x1000000;
	attr.qp_state = IBV_QPS_RTS;
	ret = one(fd, qp, request(4, VRB_QUEUE_OP_CONNECT, &attr, connect_mask(IBV_QPT_RC)), &c);
	RESULT(ret == EINVAL && c.step == 1 && c.qp_state == IBV_QPS_INIT,
	       "connect: a QPN out of range: %d, step %u, state %u\n", ret, c.step, c.qp_state);
	ibv_destroy_qp(qp);
}

static void test_query_qp(int fd)
{
	struct vrb_queue_completion c;
	struct ibv_qp *qp = make(IBV_QPT_RC);
	int ret;

	one(fd, qp, request(1, VRB_QUEUE_OP_CONNECT, &good, connect_mask(IBV_QPT_RC)), &c);
	ret = one(fd, qp, request(2, VRB_QUEUE_OP_QUERY, NULL, 0), &c);
	RESULT(!ret && c.attr.qp_state == IBV_QPS_RTS && c.attr.dest_qp_num == good.dest_qp_num &&
		       c.attr.sq_psn == good.sq_psn && c.attr.rq_psn == good.rq_psn &&
		       c.attr.ah_attr.dlid == 1 && c.attr.timeout == 14 && c.attr.max_send_wr >= 4,
	       "query: what was set: %d\n", ret);
	ibv_destroy_qp(qp);
}

/* Submits several requests on one QP in one call; they complete in order. */
static void test_order(int fd)
{
	struct vrb_queue_request r[4] = {
		to_init(1),
		request(2, VRB_QUEUE_OP_CONNECT, &good, connect_mask(IBV_QPT_RC)),
		request(3, VRB_QUEUE_OP_QUERY, NULL, 0),
		request(4, VRB_QUEUE_OP_RESET, NULL, 0),
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

/* ---- One table, for verb queues and ibv_modify_qp() ---- */

static const struct {
	const char *what;
	enum ibv_qp_type type;
	enum ibv_qp_state from;
	enum ibv_qp_state to;
	int mask;  /* added to the attributes of the transition; negative: removed */
	int field; /* which value is invalid: see spoil() */
} doors[] = {
	{ "to INIT", IBV_QPT_RC, IBV_QPS_RESET, IBV_QPS_INIT, 0, 0 },
	{ "to INIT, no port", IBV_QPT_RC, IBV_QPS_RESET, IBV_QPS_INIT, -IBV_QP_PORT, 0 },
	{ "to INIT, port 3", IBV_QPT_RC, IBV_QPS_RESET, IBV_QPS_INIT, 0, 1 },
	{ "to INIT, port 0", IBV_QPT_RC, IBV_QPS_RESET, IBV_QPS_INIT, 0, 2 },
	{ "to INIT, P_Key index", IBV_QPT_RC, IBV_QPS_RESET, IBV_QPS_INIT, 0, 3 },
	{ "to INIT, access", IBV_QPT_RC, IBV_QPS_RESET, IBV_QPS_INIT, 0, 4 },
	{ "to INIT with a Q_Key", IBV_QPT_RC, IBV_QPS_RESET, IBV_QPS_INIT, IBV_QP_QKEY, 0 },
	{ "a rate limit", IBV_QPT_RC, IBV_QPS_RESET, IBV_QPS_INIT, IBV_QP_RATE_LIMIT, 0 },
	{ "to RTR", IBV_QPT_RC, IBV_QPS_INIT, IBV_QPS_RTR, 0, 0 },
	{ "to RTR, no MTU", IBV_QPT_RC, IBV_QPS_INIT, IBV_QPS_RTR, -IBV_QP_PATH_MTU, 0 },
	{ "to RTR, MTU", IBV_QPT_RC, IBV_QPS_INIT, IBV_QPS_RTR, 0, 5 },
	{ "to RTR, path's port 2", IBV_QPT_RC, IBV_QPS_INIT, IBV_QPS_RTR, 0, 6 },
	{ "to RTR, path's port 0", IBV_QPT_RC, IBV_QPS_INIT, IBV_QPS_RTR, 0, 7 },
	{ "to RTR, GID index", IBV_QPT_RC, IBV_QPS_INIT, IBV_QPS_RTR, 0, 8 },
	{ "to RTR with a GRH", IBV_QPT_RC, IBV_QPS_INIT, IBV_QPS_RTR, 0, 9 },
	{ "to RTR, SL", IBV_QPT_RC, IBV_QPS_INIT, IBV_QPS_RTR, 0, 10 },
	{ "to RTR, alternate port", IBV_QPT_RC, IBV_QPS_INIT, IBV_QPS_RTR, IBV_QP_ALT_PATH, 11 },
	{ "to RTR, RNR timer", IBV_QPT_RC, IBV_QPS_INIT, IBV_QPS_RTR, 0, 12 },
	{ "to RTS from INIT", IBV_QPT_RC, IBV_QPS_INIT, IBV_QPS_RTS, 0, 0 },
	{ "to a state there is not", IBV_QPT_RC, IBV_QPS_INIT, IBV_QPS_UNKNOWN, 0, 0 },
	{ "current state", IBV_QPT_RC, IBV_QPS_INIT, IBV_QPS_RTR, IBV_QP_CUR_STATE, 13 },
	{ "UD to INIT", IBV_QPT_UD, IBV_QPS_RESET, IBV_QPS_INIT, 0, 0 },
	{ "UD to RTR", IBV_QPT_UD, IBV_QPS_INIT, IBV_QPS_RTR, 0, 0 },
	{ "UD to RTR with a path", IBV_QPT_UD, IBV_QPS_INIT, IBV_QPS_RTR, IBV_QP_AV, 0 },
	{ "to ERR", IBV_QPT_RC, IBV_QPS_RESET, IBV_QPS_ERR, 0, 0 },
	{ "to RESET", IBV_QPT_RC, IBV_QPS_INIT, IBV_QPS_RESET, 0, 0 },
	{ "RESET to RESET", IBV_QPT_RC, IBV_QPS_RESET, IBV_QPS_RESET, 0, 0 },
	{ "RESET to RESET, port", IBV_QPT_RC, IBV_QPS_RESET, IBV_QPS_RESET, IBV_QP_PORT, 0 },
	{ "RESET to RESET, port 3", IBV_QPT_RC, IBV_QPS_RESET, IBV_QPS_RESET, IBV_QP_PORT, 1 },
};

static void spoil(struct ibv_qp_attr *attr, int field)
{
	attr->port_num = field == 1 ? 3 : field == 2 ? 0 : attr->port_num;
	attr->pkey_index = field == 3 ? 9999 : attr->pkey_index;
	attr->qp_access_flags = field == 4 ? 0x80 : attr->qp_access_flags;
	attr->path_mtu = field == 5 ? 7 : attr->path_mtu;
	attr->ah_attr.port_num = field == 6 ? 2 : field == 7 ? 0 : attr->ah_attr.port_num;
	attr->ah_attr.is_global = field == 8 || field == 9;
	attr->ah_attr.grh.sgid_index = field == 8 ? 200 : 0;
	attr->ah_attr.grh.dgid.raw[0] = 0xfe;
	attr->ah_attr.grh.dgid.raw[1] = 0x80;
	attr->ah_attr.sl = field == 10 ? 16 : 0;
	attr->alt_port_num = field == 11 ? 9 : 1;
	attr->min_rnr_timer = field == 12 ? 32 : attr->min_rnr_timer;
	attr->cur_qp_state = field == 13 ? 9 : 0;
}

static int door_mask(enum ibv_qp_type type, enum ibv_qp_state to)
{
	const int own = type == IBV_QPT_UD ? IBV_QP_QKEY : IBV_QP_ACCESS_FLAGS;

	switch (to) {
	case IBV_QPS_INIT:
		return INIT_MASK | own;
	case IBV_QPS_RTR:
		return IBV_QP_STATE | (type == IBV_QPT_RC ? RTR_MASK | RTR_RC_MASK : 0);
	case IBV_QPS_RTS:
		return IBV_QP_STATE | IBV_QP_SQ_PSN | (type == IBV_QPT_RC ? RTS_RC_MASK : 0);
	default:
		return IBV_QP_STATE;
	}
}

/* Executes the command itself, because the library refuses some of the requests. */
static int sync_modify(struct ibv_qp *qp, const struct ib_uverbs_qp_attr *from)
{
	struct {
		struct ib_uverbs_cmd_hdr hdr;
		struct ib_uverbs_modify_qp core;
	} command = {
		.hdr = { IB_USER_VERBS_CMD_MODIFY_QP, sizeof(command) / 4, 0 },
		.core = {
			.qp_handle = qp->handle,
			.attr_mask = from->qp_attr_mask,
			.qkey = from->qkey,
			.rq_psn = from->rq_psn,
			.sq_psn = from->sq_psn,
			.dest_qp_num = from->dest_qp_num,
			.qp_access_flags = from->qp_access_flags,
			.pkey_index = from->pkey_index,
			.alt_pkey_index = from->alt_pkey_index,
			.qp_state = from->qp_state,
			.cur_qp_state = from->cur_qp_state,
			.path_mtu = from->path_mtu,
			.path_mig_state = from->path_mig_state,
			.max_rd_atomic = from->max_rd_atomic,
			.max_dest_rd_atomic = from->max_dest_rd_atomic,
			.min_rnr_timer = from->min_rnr_timer,
			.port_num = from->port_num,
			.timeout = from->timeout,
			.retry_cnt = from->retry_cnt,
			.rnr_retry = from->rnr_retry,
			.alt_port_num = from->alt_port_num,
			.alt_timeout = from->alt_timeout,
		},
	};
	struct ib_uverbs_qp_dest *dest = &command.core.dest;

	memcpy(dest->dgid, from->ah_attr.grh.dgid, 16);
	dest->dlid = from->ah_attr.dlid;
	dest->sl = from->ah_attr.sl;
	dest->is_global = from->ah_attr.is_global;
	dest->sgid_index = from->ah_attr.grh.sgid_index;
	dest->port_num = from->ah_attr.port_num;
	command.core.alt_dest = *dest;
	return write(context->cmd_fd, &command, sizeof(command)) == sizeof(command) ? 0 : errno;
}

static void test_doors(int fd)
{
	struct vrb_queue_completion c;
	struct vrb_queue_request r;
	struct ibv_qp_attr attr;
	struct ibv_qp *a, *b;
	unsigned int i, wrong = 0, refused = 0;
	int mask, sync, async;

	for (i = 0; i < NR(doors); i++) {
		attr = good;
		spoil(&attr, doors[i].field);
		attr.qp_state = doors[i].to;
		mask = door_mask(doors[i].type, doors[i].to);
		mask = doors[i].mask < 0 ? mask & ~-doors[i].mask : mask | doors[i].mask;
		r = request(i, VRB_QUEUE_OP_MODIFY, &attr, mask);
		r.attr.alt_ah_attr = r.attr.ah_attr;
		a = make(doors[i].type);
		b = make(doors[i].type);
		if (doors[i].from == IBV_QPS_INIT) {
			connect_to_init(a);
			connect_to_init(b);
		}
		sync = sync_modify(a, &r.attr);
		async = one(fd, b, r, &c);
		if (sync != async)
			ksft_print_msg("%s: %d, by a queue %d\n", doors[i].what, sync, async);
		wrong += sync != async;
		refused += !!sync;
		ibv_destroy_qp(a);
		ibv_destroy_qp(b);
	}
	RESULT(!wrong, "both doors: %zu transitions have the same errno\n", NR(doors));
	RESULT(refused > NR(doors) / 2 && refused < NR(doors) - 5, "both doors: %u are refused\n",
	       refused);
}

/* Drops CAP_NET_RAW, and keeps all others. */
static int drop_privilege(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data))
		return -1;
	data[0].effective &= ~(1U << CAP_NET_RAW);
	data[0].permitted &= ~(1U << CAP_NET_RAW);
	return syscall(SYS_capset, &header, data);
}

/* uverbs refuses calls of a process whose credentials have changed since it opened the device. */
static int open_anew(void)
{
	context = process_open();
	pd = context ? ibv_alloc_pd(context) : NULL;
	cq = pd ? ibv_create_cq(context, 1024, NULL, NULL, 0) : NULL;
	return cq ? vq_create(context->cmd_fd, BIG) : -1;
}

static int qkey_of_others(struct vrb_queue_request r)
{
	struct vrb_queue_completion c;
	struct ibv_qp *a, *b;
	int fd, sync, async;

	if (drop_privilege())
		return 9;
	fd = open_anew();
	a = make(IBV_QPT_UD);
	b = make(IBV_QPT_UD);
	sync = sync_modify(a, &r.attr);
	async = one(fd, b, r, &c);
	if (sync == EPERM && async == EPERM)
		return 0;
	ksft_print_msg("%d, by a queue %d\n", sync, async);
	return 1;
}

/* A privileged Q_Key, by verb queue and by ibv_modify_qp(). */
static void test_qkey(int fd)
{
	struct ibv_qp *b = make(IBV_QPT_UD);
	struct vrb_queue_completion c;
	struct vrb_queue_request r;
	struct ibv_qp_attr attr = good;
	int status, async;
	pid_t child;

	attr.qkey = 0x80000001;
	attr.qp_state = IBV_QPS_INIT;
	r = request(1, VRB_QUEUE_OP_MODIFY, &attr, INIT_MASK | IBV_QP_QKEY);
	child = fork();
	if (!child)
		_exit(qkey_of_others(r));
	waitpid(child, &status, 0);
	RESULT(WIFEXITED(status) && !WEXITSTATUS(status),
	       "both doors: a Q_Key for the privileged: status 0x%x\n", status);
	async = one(fd, b, r, &c);
	RESULT(!async, "both doors: from a privileged process it is accepted: %d\n", async);
	ibv_destroy_qp(b);
}

/* ---- Refused requests ---- */

static void test_bad_requests(int fd)
{
	struct ibv_qp *qp = make(IBV_QPT_RC);
	struct vrb_queue_completion c;
	struct vrb_queue_request r = to_init(1);
	int ret;

	r.op = 0;
	ret = one(fd, qp, r, &c);
	r.op = 6;
	RESULT(ret == EOPNOTSUPP && one(fd, qp, r, &c) == EOPNOTSUPP,
	       "refused: unknown operations: %d\n", ret);
	r = to_init(1);
	r.flags = 1;
	ret = one(fd, qp, r, &c);
	RESULT(ret == EINVAL, "refused: flags: %d\n", ret);
	r = to_init(1);
	r.attr.reserved[4] = 1;
	ret = one(fd, qp, r, &c);
	RESULT(ret == EINVAL, "refused: reserved: %d\n", ret);
	r = request(1, VRB_QUEUE_OP_RESET, &good, IBV_QP_STATE);
	ret = one(fd, qp, r, &c);
	RESULT(ret == EINVAL, "refused: attributes of a reset: %d\n", ret);
	ibv_destroy_qp(qp);
}

static void test_bad_handles(int fd)
{
	struct ibv_qp *qp = make(IBV_QPT_RC);
	struct vrb_queue_request r[3] = { to_init(1), to_init(2), to_init(3) };
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
	struct vrb_queue_request r = to_init(1);
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
	} longer[2] = { { .r = to_init(1) }, { .r = request(2, VRB_QUEUE_OP_QUERY, NULL, 0) } };
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
	struct vrb_queue_request init = to_init(1);
	struct ibv_qp *qp = make(IBV_QPT_RC);
	struct vq_call call = {};
	int ret;

	vq_attr_fd(&call, VRB_ATTR_QUEUE_SUBMIT_FD, fd);
	vq_attr(&call, VRB_ATTR_QUEUE_SUBMIT_REQUESTS, &init, sizeof(init));
	vq_attr_in(&call, VRB_ATTR_QUEUE_SUBMIT_QPS, &qp->handle, sizeof(qp->handle));
	vq_attr(&call, VRB_ATTR_QUEUE_SUBMIT_ACCEPTED, (void *)8, sizeof(uint32_t));
	ret = vq_do(context->cmd_fd, VRB_METHOD_QUEUE_SUBMIT, &call);
	RESULT(ret == -EFAULT && !vq_poll(fd, 100),
	       "no place for the answer: nothing is accepted: %d\n", ret);
	ibv_destroy_qp(qp);
}

/* ---- The queue ---- */

static void test_full(void)
{
	int fd = vq_create(context->cmd_fd, 4), a, b, c, d, i;
	struct ibv_qp *qp[6];

	for (i = 0; i < 6; i++)
		qp[i] = make(IBV_QPT_RC);
	a = many(fd, qp, 6, to_init(0));
	b = many(fd, qp, 1, to_init(0));
	RESULT(a == 4 && b == -EAGAIN, "full: 4 of 6, then %d\n", b);
	usleep(100000);
	c = many(fd, qp, 1, to_init(0));
	d = vq_reap(fd, done, 1);
	a = many(fd, qp + 4, 2, to_init(4));
	RESULT(c == -EAGAIN && d == 1 && a == 1, "full: until a completion is read: %d, %d, %d\n",
	       c, d, a);
	a = vq_reap(fd, done, 4);
	RESULT(a == 4 && !vq_poll(fd, 0), "full: each completes once: %d\n", a);
	for (i = 0; i < 6; i++)
		ibv_destroy_qp(qp[i]);
	close(fd);
}

static void test_read(int fd)
{
	struct ibv_qp *qp[3] = { make(IBV_QPT_RC), make(IBV_QPT_RC), make(IBV_QPT_RC) };
	int flags = fcntl(fd, F_GETFL), i, fault;
	ssize_t none, small, ret;

	fcntl(fd, F_SETFL, flags | O_NONBLOCK);
	none = read(fd, done, sizeof(done)) < 0 ? errno : 0;
	small = read(fd, done, sizeof(done[0]) - 1) < 0 ? errno : 0;
	RESULT(none == EAGAIN && small == EINVAL && !vq_poll(fd, 0),
	       "read: nothing there, no room: %zd, %zd\n", none, small);
	fcntl(fd, F_SETFL, flags);
	many(fd, qp, 3, to_init(0));
	usleep(200000);
	fault = syscall(SYS_read, fd, 8, sizeof(done)) < 0 ? errno : 0;
	ret = read(fd, done, 2 * sizeof(done[0]) + 5);
	RESULT(fault == EFAULT && ret == 2 * sizeof(done[0]) && vq_poll(fd, 0) == POLLIN,
	       "read: a fault loses nothing, whole ones only: %zd\n", ret);
	RESULT(read(fd, done, sizeof(done)) == sizeof(done[0]) && !vq_poll(fd, 0),
	       "read: the rest\n");
	for (i = 0; i < 3; i++)
		ibv_destroy_qp(qp[i]);
}

static void test_cancel(void)
{
	int fd = vq_create(context->cmd_fd, BIG), ret, a, b, c, i, n = 0, cancelled = 0;
	struct vrb_queue_request r[2] = { to_init(1), request(2, VRB_QUEUE_OP_QUERY, NULL, 0) };
	struct ibv_qp *qp = make(IBV_QPT_RC), *more[200];
	uint32_t handles[2] = { qp->handle, qp->handle };

	slow(SLOW);
	vq_submit(context->cmd_fd, fd, r, handles, 2);
	usleep(50000);
	a = vq_cancel(context->cmd_fd, fd, 1);
	b = vq_cancel(context->cmd_fd, fd, 2);
	c = vq_cancel(context->cmd_fd, fd, 3);
	RESULT(a == -EALREADY && !b && c == -ENOENT,
	       "cancel: one issued, one queued, none: %d, %d, %d\n", a, b, c);
	ret = vq_reap(fd, done, 2);
	for (i = 0; i < ret; i++)
		n += done[i].status == (done[i].user_data == 2 ? ECANCELED : 0);
	RESULT(n == 2, "cancel: as expected: %d of %d\n", n, ret);
	/* More requests than the queue passes to the engine at a time. */
	for (i = 0; i < 200; i++)
		more[i] = make(IBV_QPT_RC);
	ret = many(fd, more, 200, to_init(0));
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

static void test_destroy_qp(void)
{
	int fd = vq_create(context->cmd_fd, BIG), ret, i, failed = 0, cancelled = 0, other = 0;
	struct ibv_qp *qp[200];

	for (i = 0; i < 200; i++)
		qp[i] = make(IBV_QPT_RC);
	slow("RST2INIT_QPEE=1s");
	ret = many(fd, qp, 200, to_init(0));
	ret = ret == 200 ? many(fd, qp, 200, request(200, VRB_QUEUE_OP_QUERY, NULL, 0)) : ret;
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

static void test_close(void)
{
	int fd = vq_create(context->cmd_fd, BIG), ret, i, failed = 0;
	struct vrb_queue_completion c;
	struct ibv_qp *qp[200];

	for (i = 0; i < 200; i++)
		qp[i] = make(IBV_QPT_RC);
	slow("RST2INIT_QPEE=50ms");
	ret = many(fd, qp, 200, to_init(0));
	close(fd);
	slow("");
	fd = vq_create(context->cmd_fd, 1);
	for (i = 0; i < 200; i++) {
		failed += !!one(fd, qp[i], request(1, VRB_QUEUE_OP_RESET, NULL, 0), &c);
		failed += !!ibv_destroy_qp(qp[i]);
	}
	RESULT(ret == 200 && !failed, "close: with 200 requests, and the QPs go on: %d\n", failed);
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
				request(i, VRB_QUEUE_OP_CONNECT, &good, connect_mask(IBV_QPT_RC)),
				&c);
	for (i = 0; i < 3; i++)
		failed += !!one(fd, qp[i], request(i, VRB_QUEUE_OP_QUIESCE, NULL, 0), &c) ||
			  c.qp_state != IBV_QPS_RESET;
	RESULT(!failed && executed("ERR2RST_QPEE") - resets == 2 &&
		       executed("HW2SW_MPT") - mpts == 3,
	       "quiesce: resets unless it was in RESET, and three regions: %d failed\n", failed);
	ret = one(fd, qp[0], to_init(1), &c);
	i = one(fd, qp[0], request(2, VRB_QUEUE_OP_RESET, NULL, 0), &c);
	RESULT(ret == ESHUTDOWN && i == ESHUTDOWN && connect_to_init(qp[0]) == ESHUTDOWN,
	       "quiesce: is the last request of a QP: %d, %d\n", ret, i);
	ret = ibv_modify_qp(qp[0], &attr, IBV_QP_STATE);
	RESULT(!ret, "quiesce: the library's own reset: %d\n", ret);
	ret = commands_of_destroys(qp, 3);
	RESULT(!ret, "quiesce: destroys after it issue %d commands\n", ret);
	qp[0] = make(IBV_QPT_RC);
	ret = commands_of_destroys(qp, 1);
	RESULT(ret > 0, "quiesce: without it, %d\n", ret);
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
	struct vrb_queue_request r = to_init(1);
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

/* A child of fork() reads the completions of its parent's requests. */
static void test_fork(int fd)
{
	struct ibv_qp *qp = make(IBV_QPT_RC);
	struct vrb_queue_request r = to_init(1);
	int status, ret = vq_submit(context->cmd_fd, fd, &r, &qp->handle, 1);
	pid_t child = fork();

	if (!child)
		_exit(vq_reap(fd, done, 1) == 1 && !done[0].status ? 0 : 1);
	waitpid(child, &status, 0);
	RESULT(ret == 1 && !status, "fork: the child reads: %d\n", status);
	ibv_destroy_qp(qp);
}

/* A process with many queued requests, in several queues; it reports when they are queued. */
static void flood(int ready, int queues, int each)
{
	static struct ibv_qp *qp[VRB_QUEUE_MAX_BATCH];
	struct vrb_queue_request r = request(0, VRB_QUEUE_OP_RESET, NULL, 0);
	int i, n, fd[64];

	open_anew();
	for (i = 0; i < VRB_QUEUE_MAX_BATCH; i++)
		qp[i] = make(IBV_QPT_RC);
	for (i = 0; i < queues; i++) {
		fd[i] = vq_create(context->cmd_fd, BIG);
		for (n = 0; n < each; n += VRB_QUEUE_MAX_BATCH)
			many(fd[i], qp, VRB_QUEUE_MAX_BATCH, n & 256 ? r : to_init(n));
	}
	if (write(ready, "x", 1) == 1)
		pause();
}

static pid_t start_flood(int queues, int each)
{
	int pipes[2];
	pid_t child;
	char c;

	if (pipe(pipes))
		return -1;
	child = fork();
	if (!child) {
		flood(pipes[1], queues, each);
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
	pid_t child;
	int ret;

	slow("RST2INIT_QPEE=20ms");
	child = start_flood(3, 3072);
	ret = stop(child, SIGKILL);
	slow("");
	RESULT(ret == SIGKILL && engine_settles("objects", " QP ", engine_count("objects", " QP ")),
	       "killed with 9000 requests queued: signal %d\n", ret);
	RESULT(engine_settles("vrbs", " queued ", 0), "killed: no request is left\n");
}

/* A program with queued requests executes another one: the queue ends with the old program. */
static void test_exec(void)
{
	const int objects = engine_rests("objects", ":");
	pid_t child;
	int status;

	slow("RST2INIT_QPEE=20ms");
	child = fork();
	if (!child) {
		static struct ibv_qp *qp[100];
		int fd = open_anew(), i;

		for (i = 0; i < 100; i++)
			qp[i] = make(IBV_QPT_RC);
		if (many(fd, qp, 100, to_init(0)) != 100)
			_exit(1);
		execl("/bin/sh", "sh", "-c", "! ls -l /proc/$$/fd | grep verb_queue", NULL);
		_exit(2);
	}
	waitpid(child, &status, 0);
	slow("");
	RESULT(!status && engine_settles("vrbs", " queued ", 0) &&
		       engine_settles("objects", ":", objects),
	       "exec: the queue is not the new program's: status 0x%x\n", status);
}

/* uverbs destroys in LIFO order: once the queue is destroyed first, once the QPs. */
static void test_exits(void)
{
	int order, status, wrong = 0;
	pid_t child;

	slow("RST2INIT_QPEE=20ms");
	for (order = 0; order < 2; order++) {
		child = fork();
		if (!child) {
			struct ibv_qp *qp[100];
			int fd = open_anew(), i;

			for (i = 0; i < 100; i++)
				qp[i] = make(IBV_QPT_RC);
			fd = order ? fd : vq_create(context->cmd_fd, BIG);
			_exit(many(fd, qp, 100, to_init(0)) == 100 ? 0 : 1);
		}
		waitpid(child, &status, 0);
		wrong += !!status;
	}
	slow("");
	RESULT(!wrong && engine_settles("vrbs", " queued ", 0), "exit: queue or QPs first\n");
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
static void test_fair(void)
{
	struct ibv_qp *qp = make(IBV_QPT_RC);
	int ret, queued, before;
	pid_t child;

	slow("RST2INIT_QPEE=uniform:100ms:900ms,ERR2RST_QPEE=uniform:100ms:900ms");
	child = start_flood(4, 2560);
	queued = engine_count("vrbs", " queued ");
	trace_write("trace", "");
	trace_write("events/ib_vrb/vrb_queue/enable", "1");
	trace_write("events/ib_vrb/vrb_issue/enable", "1");
	ret = connect_to_init(qp);
	trace_write("events/ib_vrb/enable", "0");
	before = issued_before(qp);
	RESULT(child > 0 && !ret && before >= 0 && before < 3,
	       "fair: another process's command among 10^4 (%d in the engine): %d before it\n",
	       queued, before);
	stop(child, SIGKILL);
	slow("");
	RESULT(engine_settles("vrbs", " queued ", 0), "fair: all is over\n");
	ibv_destroy_qp(qp);
}

/* Submits thousands of requests, all of which complete. */
static void test_many(void)
{
	static struct ibv_qp *qp[VRB_QUEUE_MAX_BATCH];
	struct vrb_queue_request r = request(0, VRB_QUEUE_OP_RESET, NULL, 0);
	int fd[4], i, n, accepted = 0, got = 0, ret, bad = 0;

	for (i = 0; i < VRB_QUEUE_MAX_BATCH; i++)
		qp[i] = make(IBV_QPT_RC);
	for (i = 0; i < 4; i++) {
		fd[i] = vq_create(context->cmd_fd, BIG);
		for (n = 0; n < BIG; n += VRB_QUEUE_MAX_BATCH)
			accepted +=
				many(fd[i], qp, VRB_QUEUE_MAX_BATCH, i || n & 256 ? r : to_init(n));
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
 */
static int hold(void)
{
	static struct ibv_qp *qp[VRB_QUEUE_MAX_BATCH];
	int fd = open_anew(), i, ret, good = 0, lost = 0, other = 0;

	for (i = 0; i < VRB_QUEUE_MAX_BATCH; i++)
		qp[i] = make(IBV_QPT_RC);
	ret = many(fd, qp, VRB_QUEUE_MAX_BATCH, to_init(0));
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

int main(int argc, char **argv)
{
	struct ibv_srq_init_attr srq_init = { .attr = { .max_wr = 16, .max_sge = 1 } };
	int fd;

	if (argc > 1)
		return hold();
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
	test_no_transition_any_more(fd);
	test_port_of_destroyed(fd);
	test_connect_refused(fd);
	test_connect(fd, IBV_QPT_RC, "RC");
	test_connect(fd, IBV_QPT_UC, "UC");
	test_connect(fd, IBV_QPT_UD, "UD");
	test_connect_partly(fd);
	test_query_qp(fd);
	test_order(fd);
	test_doors(fd);
	test_qkey(fd);
	test_bad_requests(fd);
	test_bad_handles(fd);
	test_bad_files(fd);
	test_sizes(fd);
	test_no_answer(fd);
	test_full();
	test_read(fd);
	test_cancel();
	test_destroy_qp();
	test_close();
	test_quiesce(fd);
	test_context_first();
	test_reader_sleeps();
	test_dup(fd);
	test_passed();
	test_fork(fd);
	test_exec();
	test_exits();
	test_killed();
	test_fair();
	test_many();
	set("engines", "4");
	ksft_set_plan(ksft_test_num());
	ksft_finished();
}
