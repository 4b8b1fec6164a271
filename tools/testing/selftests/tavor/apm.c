// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
//
// Timeout: 300
// Level: ci
// Runs: guest --driver tavor --sm
// Kernels: 6.12 debug
// Runs: guest --driver mthca --sm
//
// Tests automatic path migration: when packets of the primary path are lost, messages continue on
// the alternate path of each QP. Events, queries and messages agree about it. A migration can also
// be requested. If there is no path to migrate to, the connection fails. By hand:
//   tools/testing/vm/run --driver tavor --sm -- build/guest/tavor/apm

#include <errno.h>
#include <poll.h>
#include "kselftest.h"
#include "connect.h"
#include "model.h"
#include "process.h"

#define MESSAGES 100
#define DEPTH 16
#define PATIENCE_MS 10000
#define QUIET_MS 300
#define TIMEOUT 12 /* 17 ms */

static struct ibv_context *context;
static struct ibv_pd *pd;
static struct ibv_mr *mr;
static uint64_t memory[512] __attribute__((aligned(4096)));
static uint16_t lid[3];

/* One QP sends from port 1, the other from port 2; after a migration it is the other way round. */
struct pair {
	struct ibv_cq *cq;
	struct ibv_qp *from, *to;
};

/* ---- QPs ---- */

static int to_init(struct ibv_qp *qp, int port)
{
	struct ibv_qp_attr attr = {
		.qp_state = IBV_QPS_INIT,
		.port_num = port,
		.qp_access_flags = IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_WRITE,
	};

	return ibv_modify_qp(qp, &attr,
			     IBV_QP_STATE | IBV_QP_PKEY_INDEX | IBV_QP_PORT | IBV_QP_ACCESS_FLAGS);
}

static int to_rtr(struct ibv_qp *qp, int port, uint32_t qpn)
{
	struct ibv_qp_attr attr = {
		.qp_state = IBV_QPS_RTR,
		.path_mtu = IBV_MTU_1024,
		.dest_qp_num = qpn,
		.min_rnr_timer = 12,
		.max_dest_rd_atomic = 1,
		.ah_attr = { .dlid = lid[3 - port], .port_num = port },
	};
	const int rc = IBV_QP_MAX_DEST_RD_ATOMIC | IBV_QP_MIN_RNR_TIMER;

	return ibv_modify_qp(qp, &attr,
			     IBV_QP_STATE | IBV_QP_AV | IBV_QP_PATH_MTU | IBV_QP_DEST_QPN |
				     IBV_QP_RQ_PSN | (qp->qp_type == IBV_QPT_RC ? rc : 0));
}

static int to_rts(struct ibv_qp *qp)
{
	struct ibv_qp_attr attr = {
		.qp_state = IBV_QPS_RTS,
		.timeout = TIMEOUT,
		.retry_cnt = 3,
		.rnr_retry = 7,
		.max_rd_atomic = 1,
	};
	const int rc =
		IBV_QP_TIMEOUT | IBV_QP_RETRY_CNT | IBV_QP_RNR_RETRY | IBV_QP_MAX_QP_RD_ATOMIC;

	return ibv_modify_qp(qp, &attr,
			     IBV_QP_STATE | IBV_QP_SQ_PSN | (qp->qp_type == IBV_QPT_RC ? rc : 0));
}

static bool up(struct pair *p, enum ibv_qp_type type)
{
	p->cq = ibv_create_cq(context, 4 * DEPTH, NULL, NULL, 0);
	p->from = p->cq ? connect_make(pd, type, p->cq, p->cq, DEPTH) : NULL;
	p->to = p->cq ? connect_make(pd, type, p->cq, p->cq, DEPTH) : NULL;
	return p->from && p->to && !to_init(p->from, 1) && !to_init(p->to, 2) &&
	       !to_rtr(p->from, 1, p->to->qp_num) && !to_rtr(p->to, 2, p->from->qp_num) &&
	       !to_rts(p->from) && !to_rts(p->to);
}

static void down(struct pair *p)
{
	model_ask("{\"cmd\":\"set\",\"hca\":0,\"key\":\"packet_fault\",\"value\":\"\"}");
	if (p->from)
		ibv_destroy_qp(p->from);
	if (p->to)
		ibv_destroy_qp(p->to);
	if (p->cq)
		ibv_destroy_cq(p->cq);
}

static int rearm_by(struct ibv_qp *qp, int port, uint16_t dlid, int pkey_index)
{
	struct ibv_qp_attr attr = {
		.qp_state = IBV_QPS_RTS,
		.path_mig_state = IBV_MIG_REARM,
		.alt_ah_attr = { .dlid = dlid, .port_num = port },
		.alt_port_num = port,
		.alt_pkey_index = pkey_index,
		.alt_timeout = TIMEOUT,
	};

	return ibv_modify_qp(qp, &attr, IBV_QP_STATE | IBV_QP_ALT_PATH | IBV_QP_PATH_MIG_STATE);
}

/* Rearms with an alternate path from this port to the other one. */
static int rearm(struct ibv_qp *qp, int port)
{
	return rearm_by(qp, port, lid[3 - port], 0);
}

static int set_state(struct ibv_qp *qp, enum ibv_mig_state state)
{
	struct ibv_qp_attr attr = { .qp_state = IBV_QPS_RTS, .path_mig_state = state };

	return ibv_modify_qp(qp, &attr, IBV_QP_STATE | IBV_QP_PATH_MIG_STATE);
}

/* The primary path is from this port, the alternate path from the other one. */
static bool is(struct ibv_qp *qp, enum ibv_mig_state state, int port)
{
	const int mask = IBV_QP_PATH_MIG_STATE | IBV_QP_AV | IBV_QP_ALT_PATH | IBV_QP_PORT;
	struct ibv_qp_init_attr init;
	struct ibv_qp_attr attr = {};
	bool ok = !ibv_query_qp(qp, &attr, mask, &init) && attr.path_mig_state == state &&
		  attr.port_num == port && attr.ah_attr.port_num == port &&
		  attr.ah_attr.dlid == lid[3 - port] && attr.alt_port_num == 3 - port &&
		  attr.alt_ah_attr.dlid == lid[port];

	if (!ok)
		ksft_print_msg("state %d, port %u, LID %u, alternate port %u, LID %u\n",
			       attr.path_mig_state, attr.port_num, attr.ah_attr.dlid,
			       attr.alt_port_num, attr.alt_ah_attr.dlid);
	return ok;
}

/* ---- Messages and events ---- */

static bool write_one(struct pair *p, uint64_t id)
{
	struct ibv_sge sge = { (uintptr_t)&memory[0], 8, mr->lkey };
	struct ibv_send_wr wr = {
		.wr_id = id,
		.opcode = IBV_WR_RDMA_WRITE,
		.send_flags = IBV_SEND_SIGNALED,
		.sg_list = &sge,
		.num_sge = 1,
		.wr.rdma = { (uintptr_t)&memory[1], mr->rkey },
	}, *bad;

	return !ibv_post_send(p->from, &wr, &bad);
}

static int poll_one(struct pair *p, struct ibv_wc *wc)
{
	int tries, n = 0;

	for (tries = 0; tries < PATIENCE_MS && !n; tries++) {
		n = ibv_poll_cq(p->cq, 1, wc);
		if (!n)
			usleep(1000);
	}
	return n;
}

static bool writes(struct pair *p, enum ibv_wc_status status)
{
	struct ibv_wc wc = {};

	memory[0]++;
	if (!write_one(p, 1) || poll_one(p, &wc) != 1 || wc.status != status) {
		ksft_print_msg("a write: %s\n", ibv_wc_status_str(wc.status));
		return false;
	}
	/* A completion of a UC QP only says that the message has been sent. */
	usleep(p->from->qp_type == IBV_QPT_UC ? 100000 : 0);
	return status || memory[1] == memory[0];
}

static bool hears(struct ibv_qp *qp, enum ibv_event_type type)
{
	struct pollfd pollfd = { context->async_fd, POLLIN, 0 };
	struct ibv_async_event event;
	bool ok;

	if (poll(&pollfd, 1, PATIENCE_MS) != 1 || ibv_get_async_event(context, &event)) {
		ksft_print_msg("not told: %s\n", ibv_event_type_str(type));
		return false;
	}
	ok = event.event_type == type && event.element.qp == qp;
	if (!ok)
		ksft_print_msg("told: %s\n", ibv_event_type_str(event.event_type));
	ibv_ack_async_event(&event);
	return ok;
}

static bool quiet(void)
{
	struct pollfd pollfd = { context->async_fd, POLLIN, 0 };
	struct ibv_async_event event;
	bool ok = true;

	while (poll(&pollfd, 1, QUIET_MS) == 1 && !ibv_get_async_event(context, &event)) {
		ksft_print_msg("told, too: %s\n", ibv_event_type_str(event.event_type));
		ibv_ack_async_event(&event);
		ok = false;
	}
	return ok;
}

/* The two events can come in either order. */
static bool both_hear(struct pair *p)
{
	struct pollfd pollfd = { context->async_fd, POLLIN, 0 };
	struct ibv_async_event event;
	bool from = false, to = false, ok = true;

	while (ok && !(from && to)) {
		ok = poll(&pollfd, 1, PATIENCE_MS) == 1 && !ibv_get_async_event(context, &event);
		if (!ok)
			break;
		ok = event.event_type == IBV_EVENT_PATH_MIG;
		from |= event.element.qp == p->from;
		to |= event.element.qp == p->to;
		ibv_ack_async_event(&event);
	}
	if (!ok)
		ksft_print_msg("told: %s%s\n", from ? "the first, " : "", to ? "the second" : "");
	return ok && quiet();
}

/* Drops the packets that are for this QP and leave from this port. */
static bool lose(struct ibv_qp *qp, int port)
{
	char request[160];

	snprintf(request, sizeof(request),
		 "{\"cmd\":\"set\",\"hca\":0,\"key\":\"packet_fault\","
		 "\"value\":\"drop,port=%d,qp=%u\"}",
		 port, qp->qp_num);
	return model_ask(request);
}

static bool armed(struct pair *p, int port)
{
	return !rearm(p->from, 3 - port) && !rearm(p->to, port) && writes(p, IBV_WC_SUCCESS) &&
	       quiet();
}

static void swap_ends(struct pair *p)
{
	struct ibv_qp *from = p->from;

	p->from = p->to;
	p->to = from;
}

/* ---- Tests ---- */

static void a_path_is_lost(void)
{
	struct pair p = {};
	bool ok = up(&p, IBV_QPT_RC) && !rearm(p.from, 2) && !rearm(p.to, 1);

	ksft_test_result(ok && is(p.from, IBV_MIG_REARM, 1) && is(p.to, IBV_MIG_REARM, 2),
			 "alternate paths are loaded\n");
	ksft_test_result(ok && writes(&p, IBV_WC_SUCCESS) && is(p.from, IBV_MIG_ARMED, 1) &&
				 is(p.to, IBV_MIG_ARMED, 2),
			 "a message arms both QPs\n");
	ok = ok && quiet() && lose(p.to, 1);
	ksft_test_result(ok && writes(&p, IBV_WC_SUCCESS), "a message whose path is lost\n");
	ksft_test_result(ok && both_hear(&p), "both QPs get one event\n");
	ksft_test_result(ok && is(p.from, IBV_MIG_MIGRATED, 2) && is(p.to, IBV_MIG_MIGRATED, 1),
			 "both have the other path\n");
	ksft_test_result(ok && writes(&p, IBV_WC_SUCCESS) && quiet(), "messages go on by it\n");
	ok = ok && model_ask("{\"cmd\":\"set\",\"hca\":0,\"key\":\"packet_fault\",\"value\":\"\"}");
	ksft_test_result(ok && armed(&p, 2) && is(p.from, IBV_MIG_ARMED, 2), "armed once more\n");
	ksft_test_result(ok && lose(p.to, 2) && writes(&p, IBV_WC_SUCCESS) && both_hear(&p) &&
				 is(p.from, IBV_MIG_MIGRATED, 1) && is(p.to, IBV_MIG_MIGRATED, 2),
			 "and back\n");
	/* The alternate path is no longer armed. */
	ksft_test_result(ok && lose(p.to, 1) && writes(&p, IBV_WC_RETRY_EXC_ERR) && quiet(),
			 "without another path it is an error, and no event\n");
	down(&p);
}

/* The send queue is full all the time. */
static void many_messages(void)
{
	int sent = 0, done = 0, failed = 0;
	struct pair p = {};
	bool ok = up(&p, IBV_QPT_RC) && armed(&p, 1);
	struct ibv_wc wc;

	while (ok && done < MESSAGES) {
		while (sent < MESSAGES && sent - done < DEPTH && write_one(&p, sent))
			sent++;
		if (done == MESSAGES / 2)
			lose(p.to, 1);
		ok = poll_one(&p, &wc) == 1;
		failed += !ok || wc.status || wc.wr_id != done;
		done++;
	}
	ksft_test_result(ok && !failed && both_hear(&p) && is(p.from, IBV_MIG_MIGRATED, 2),
			 "a path is lost under many messages: %d of %d failed\n", failed, done);
	down(&p);
}

static void by_request(enum ibv_qp_type type, const char *name)
{
	struct pair p = {};
	bool ok = up(&p, type) && armed(&p, 1);

	/* A UC QP gets no acknowledgements, so the sender is never armed by its own messages. */
	if (type == IBV_QPT_UC) {
		ksft_test_result(ok && is(p.from, IBV_MIG_REARM, 1) && is(p.to, IBV_MIG_ARMED, 2),
				 "%s: messages arm their receiver\n", name);
		swap_ends(&p);
		ok = ok && writes(&p, IBV_WC_SUCCESS) && is(p.to, IBV_MIG_ARMED, 1);
		swap_ends(&p);
	}
	ok = ok && !set_state(p.from, IBV_MIG_MIGRATED);
	ksft_test_result(ok && is(p.from, IBV_MIG_MIGRATED, 2) && is(p.to, IBV_MIG_ARMED, 2) &&
				 quiet(),
			 "%s: a requested migration is no event for the requester\n", name);
	ksft_test_result(ok && writes(&p, IBV_WC_SUCCESS) && hears(p.to, IBV_EVENT_PATH_MIG) &&
				 quiet() && is(p.to, IBV_MIG_MIGRATED, 1),
			 "%s: the other QP follows, and gets an event\n", name);
	ksft_test_result(ok && writes(&p, IBV_WC_SUCCESS) && quiet(), "%s: messages go on\n", name);
	down(&p);
}

/* Without an alternate path a rearmed QP never becomes armed. */
static void nowhere_to_go(void)
{
	struct pair p = {};
	bool ok = up(&p, IBV_QPT_RC) && !set_state(p.from, IBV_MIG_REARM) &&
		  !set_state(p.to, IBV_MIG_REARM) && writes(&p, IBV_WC_SUCCESS);

	ksft_test_result(ok && lose(p.to, 1) && writes(&p, IBV_WC_RETRY_EXC_ERR) && quiet(),
			 "rearmed without a path: an error, and no event\n");
	down(&p);
}

/* The alternate path of one QP is not the path to which its partner has migrated. */
static void one_cannot_follow(void)
{
	struct pair p = {};
	bool ok = up(&p, IBV_QPT_RC) && !rearm_by(p.from, 2, lid[2], 0) && !rearm(p.to, 1) &&
		  writes(&p, IBV_WC_SUCCESS) && quiet() && !set_state(p.from, IBV_MIG_MIGRATED) &&
		  writes(&p, IBV_WC_RETRY_EXC_ERR);

	ksft_test_result(ok && hears(p.to, IBV_EVENT_PATH_MIG_ERR) && quiet() &&
				 is(p.to, IBV_MIG_ARMED, 2),
			 "one cannot follow: it gets one event, and does not migrate\n");
	down(&p);
}

/* Each invalid modify is refused, and the old values stay. */
static void refused(void)
{
	struct pair p = {};
	bool ok = up(&p, IBV_QPT_RC) && !rearm(p.from, 2);

	ksft_test_result(ok && rearm_by(p.from, 3, lid[1], 0) == EINVAL &&
				 is(p.from, IBV_MIG_REARM, 1),
			 "a path on a port that does not exist\n");
	ksft_test_result(ok && rearm_by(p.from, 2, lid[1], 64) == EINVAL &&
				 is(p.from, IBV_MIG_REARM, 1),
			 "a path with a P_Key beyond the table\n");
	down(&p);
}

static bool ready(void)
{
	struct ibv_port_attr port;
	int i;

	context = process_open();
	pd = context ? ibv_alloc_pd(context) : NULL;
	mr = pd ? ibv_reg_mr(pd, memory, sizeof(memory),
			     IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_WRITE) :
		  NULL;
	for (i = 1; mr && i <= 2; i++) {
		if (ibv_query_port(context, i, &port) || port.state != IBV_PORT_ACTIVE)
			return false;
		lid[i] = port.lid;
	}
	return mr;
}

int main(void)
{
	struct ibv_device_attr attr;

	ksft_print_header();
	if (!ready())
		ksft_exit_skip("no RDMA device with two active ports\n");
	ksft_set_plan(1 + 9 + 1 + 3 + 4 + 1 + 1 + 2);
	ksft_test_result(!ibv_query_device(context, &attr) &&
				 attr.device_cap_flags & IBV_DEVICE_AUTO_PATH_MIG,
			 "the device says that it can\n");
	a_path_is_lost();
	many_messages();
	by_request(IBV_QPT_RC, "RC");
	by_request(IBV_QPT_UC, "UC");
	nowhere_to_go();
	one_cannot_follow();
	refused();
	ksft_finished();
}
