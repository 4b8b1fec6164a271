// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
//
// Timeout: 300
// Level: ci
// Guest: own
// Runs: guest --driver tavor
// Kernels: 6.12 debug
// Runs: guest --driver mthca
// Level: all
//
// Tests that each asynchronous event is reported once, with its object and only to the process that
// owns it. Events of a port are reported to all processes. The model raises each event; events that
// a program can cause are caused too. The test is its own subnet manager. Where ib_mthca differs,
// the result says how. By hand:
//   tools/testing/vm/run --driver tavor -- build/guest/tavor/async_events

#include <errno.h>
#include <poll.h>
#include "kselftest.h"
#include "connect.h"
#include "model.h"
#include "process.h"
#include "umad.h"

#define PORTS 2
#define PATIENCE_MS 5000
#define QUIET_MS 300
#define FIRST_LID 0x21
#define NOBODY 0xfffffd /* a number that no object has */
#define EEC (1u << 28)	/* the number is that of an end-to-end context */
#define ACCESS (IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_WRITE)
#define NR(table) (sizeof(table) / sizeof((table)[0]))

enum kind { QP, CQ, SRQ };

/* A received event; @object has the kind that the event type implies, or is a port number. */
struct told {
	enum ibv_event_type type;
	const void *object;
};

static struct ibv_context *own, *other;
static struct ibv_pd *pd;
static struct ibv_cq *cq;
static struct ibv_srq *srq;
static struct ibv_qp *on_srq;
static struct ibv_mr *mr;
static char memory[4096] __attribute__((aligned(4096)));
static uint32_t cqn, srqn;
static int smi[PORTS];
static bool mthca;

/* ---- Received events ---- */

static const void *object_of(const struct ibv_async_event *event)
{
	switch (event->event_type) {
	case IBV_EVENT_CQ_ERR:
		return event->element.cq;
	case IBV_EVENT_SRQ_ERR:
	case IBV_EVENT_SRQ_LIMIT_REACHED:
		return event->element.srq;
	case IBV_EVENT_DEVICE_FATAL:
		return NULL;
	case IBV_EVENT_PORT_ACTIVE:
	case IBV_EVENT_PORT_ERR:
	case IBV_EVENT_LID_CHANGE:
	case IBV_EVENT_PKEY_CHANGE:
	case IBV_EVENT_SM_CHANGE:
	case IBV_EVENT_CLIENT_REREGISTER:
	case IBV_EVENT_GID_CHANGE:
		return (void *)(intptr_t)event->element.port_num;
	default:
		return event->element.qp;
	}
}

static bool next(struct ibv_context *of, struct told *told, int ms)
{
	struct pollfd pollfd = { of->async_fd, POLLIN, 0 };
	struct ibv_async_event event;

	if (poll(&pollfd, 1, ms) != 1 || ibv_get_async_event(of, &event))
		return false;
	*told = (struct told){ event.event_type, object_of(&event) };
	ibv_ack_async_event(&event);
	return true;
}

static bool hears(struct ibv_context *of, enum ibv_event_type type, const void *object)
{
	struct told told;

	if (!next(of, &told, PATIENCE_MS)) {
		ksft_print_msg("not told: %s\n", ibv_event_type_str(type));
		return false;
	}
	if (told.type != type || told.object != object)
		ksft_print_msg("%s of %p instead of %s of %p\n", ibv_event_type_str(told.type),
			       told.object, ibv_event_type_str(type), object);
	return told.type == type && told.object == object;
}

/* Checks both processes. Only the first wait takes time: events for the other arrive meanwhile. */
static bool quiet(void)
{
	struct told told;
	bool ok = true;

	while (next(own, &told, QUIET_MS) || next(other, &told, 0)) {
		ksft_print_msg("told, too: %s of %p\n", ibv_event_type_str(told.type), told.object);
		ok = false;
	}
	return ok;
}

static bool only_own(enum ibv_event_type type, const void *object)
{
	bool ok = hears(own, type, object);

	return quiet() && ok;
}

static bool everybody(enum ibv_event_type type, int port)
{
	bool ok = hears(own, type, (void *)(intptr_t)port);

	ok &= hears(other, type, (void *)(intptr_t)port);
	return quiet() && ok;
}

/* ---- Events that the model raises ---- */

static const struct raised {
	const char *name;
	int type;
	enum kind kind;
	enum ibv_event_type event;
	bool not_mthca; /* ib_mthca reports no event */
} raised[] = {
	{ "path migrated", 0x01, QP, IBV_EVENT_PATH_MIG, false },
	{ "communication established", 0x02, QP, IBV_EVENT_COMM_EST, false },
	{ "send queue drained", 0x03, QP, IBV_EVENT_SQ_DRAINED, false },
	{ "work queue error", 0x05, QP, IBV_EVENT_QP_FATAL, false },
	{ "path migration failed", 0x07, QP, IBV_EVENT_PATH_MIG_ERR, false },
	{ "invalid request", 0x10, QP, IBV_EVENT_QP_REQ_ERR, false },
	{ "access violation", 0x11, QP, IBV_EVENT_QP_ACCESS_ERR, false },
	{ "last WQE", 0x13, QP, IBV_EVENT_QP_LAST_WQE_REACHED, false },
	{ "CQ error", 0x04, CQ, IBV_EVENT_CQ_ERR, false },
	{ "SRQ error", 0x12, SRQ, IBV_EVENT_SRQ_ERR, true },
	{ "SRQ limit", 0x14, SRQ, IBV_EVENT_SRQ_LIMIT_REACHED, false },
};

static bool raise_event(int type, int subtype, uint32_t first, uint32_t third)
{
	char request[160];

	snprintf(request, sizeof(request),
		 "{\"cmd\":\"event\",\"type\":%d,\"subtype\":%d,\"data\":[%u,0,%u]}", type, subtype,
		 first, third);
	return model_ask(request);
}

static const void *object(enum kind kind)
{
	return kind == QP ? (void *)on_srq : kind == CQ ? (void *)cq : (void *)srq;
}

static uint32_t number(enum kind kind)
{
	return kind == QP ? on_srq->qp_num : kind == CQ ? cqn : srqn;
}

static void raise_one(const struct raised *r)
{
	/* Subtype 1 of a CQ event is an overrun. */
	bool ok = raise_event(r->type, 0, number(r->kind), r->kind == CQ);

	if (mthca && r->not_mthca)
		ksft_test_result(ok && quiet(), "%s: ib_mthca reports no event\n", r->name);
	else
		ksft_test_result(ok && only_own(r->event, object(r->kind)), "%s\n", r->name);
	ok = raise_event(r->type, 0, NOBODY, r->kind == CQ);
	/* Number 0 belongs to no object. */
	ok &= raise_event(r->type, 0, 0, r->kind == CQ);
	ksft_test_result(ok && quiet(), "%s, of no object\n", r->name);
}

/* The number of an object that has just been destroyed */
static void raise_gone(void)
{
	struct ibv_qp *qp = connect_make(pd, IBV_QPT_RC, cq, cq, 4);
	uint32_t qpn = qp ? qp->qp_num : 0;
	bool ok = qp && !ibv_destroy_qp(qp);
	unsigned int i;

	for (i = 0; i < NR(raised); i++)
		if (raised[i].kind == QP)
			ok &= raise_event(raised[i].type, 0, qpn, 0);
	ksft_test_result(ok && quiet(), "events of a QP that is gone\n");
}

/* The driver creates no end-to-end contexts; ib_mthca only looks at the number. */
static void raise_eec(void)
{
	bool ok = raise_event(0x02, 0, on_srq->qp_num, EEC);

	if (mthca)
		ksft_test_result(ok && only_own(IBV_EVENT_COMM_EST, on_srq),
				 "end-to-end context: ib_mthca tells the QP of that number\n");
	else
		ksft_test_result(ok && quiet(), "end-to-end context with the number of a QP\n");
	ok = raise_event(0x06, 0, on_srq->qp_num, 0);
	ksft_test_result(ok && quiet(), "end-to-end context error\n");
}

static void raise_ecc(void)
{
	const long before = process_counter(own, "ecc_errors");
	bool ok = model_ask("{\"cmd\":\"ddr_error\"}") && quiet();

	if (mthca)
		ksft_test_result(ok, "corrected error of the DDR: ib_mthca counts none\n");
	else
		ksft_test_result(ok && before >= 0 &&
					 process_counter(own, "ecc_errors") == before + 1,
				 "corrected error of the DDR: it is counted\n");
}

static void raise_port(int port, int subtype, enum ibv_event_type event)
{
	ksft_test_result(raise_event(9, subtype, 0, (uint32_t)port << 28) && everybody(event, port),
			 "port %d: %s\n", port, ibv_event_type_str(event));
}

static void raise_ports(void)
{
	int port;

	for (port = 1; port <= PORTS; port++) {
		raise_port(port, 1, IBV_EVENT_PORT_ERR);
		raise_port(port, 4, IBV_EVENT_PORT_ACTIVE);
	}
	for (port = 0; port <= 3; port += 3)
		if (mthca)
			ksft_test_result_skip("port %d: ib_mthca tells ib_core of any\n", port);
		else
			ksft_test_result(raise_event(9, 4, 0, (uint32_t)port << 28) && quiet(),
					 "port %d, which does not exist\n", port);
}

/* ---- Events that the subnet manager causes ---- */

static bool set_port(int port, int at, uint8_t value)
{
	uint8_t data[64];

	if (!umad_settable(smi[port - 1], port, data))
		return false;
	data[at] = value;
	return umad_smp(smi[port - 1], UMAD_SET, UMAD_PORT_INFO, port, data);
}

static bool port_is(int port, enum ibv_port_state state)
{
	struct ibv_port_attr attr;
	int tries;

	for (tries = 0; tries < 500; tries++, usleep(10000))
		if (!ibv_query_port(own, port, &attr) && attr.state == state)
			return true;
	ksft_print_msg("port %d: state %d instead of %d\n", port, attr.state, state);
	return false;
}

static void forget(void)
{
	struct told told;

	while (next(own, &told, QUIET_MS) || next(other, &told, 0))
		;
}

static bool have_lids(void)
{
	bool ok = true;
	int port;

	for (port = 1; port <= PORTS; port++)
		ok &= set_port(port, UMAD_LID + 1, FIRST_LID + port);
	forget();
	return ok;
}

/* Sets both ends of the cable. */
static bool activate(int port)
{
	bool ok = port_is(port, IBV_PORT_INIT) && set_port(port, UMAD_STATE, IBV_PORT_ARMED) &&
		  set_port(port, UMAD_STATE, IBV_PORT_ACTIVE);

	return ok && everybody(IBV_EVENT_PORT_ACTIVE, port);
}

/* @at: offset in the attribute; all other bytes stay */
static bool set_byte(int port, int attribute, int at, uint8_t value)
{
	uint8_t data[64] = {};

	if (attribute == UMAD_PORT_INFO)
		return set_port(port, at, value);
	if (!umad_smp(smi[port - 1], UMAD_GET, attribute, 0, data))
		return false;
	data[at] = value;
	return umad_smp(smi[port - 1], UMAD_SET, attribute, 0, data);
}

static const struct set {
	const char *name;
	int attribute, at;
	uint8_t value;
	enum ibv_event_type event;
} sets[] = {
	{ "LID", UMAD_PORT_INFO, UMAD_LID + 1, 0x31, IBV_EVENT_LID_CHANGE },
	{ "client reregistration", UMAD_PORT_INFO, UMAD_REREGISTER, 0x92,
	  IBV_EVENT_CLIENT_REREGISTER },
	{ "P_Key", UMAD_PKEY_TABLE, 3, 0x42, IBV_EVENT_PKEY_CHANGE },
};

static void set_one(const struct set *s, int port)
{
	ksft_test_result(set_byte(port, s->attribute, s->at, s->value + port) &&
				 everybody(s->event, port),
			 "port %d, %s set\n", port, s->name);
}

/* The GIDs that the events change: the index, and the changed byte. */
static const struct set_gid {
	const char *name;
	int attribute, at, gid, byte;
} gids[] = {
	{ "subnet prefix", UMAD_PORT_INFO, UMAD_PREFIX + 2, 0, 2 },
	{ "GUID", UMAD_GUID_INFO, 15, 1, 15 },
};

static bool gid_arrives(int port, const struct set_gid *s, uint8_t value)
{
	union ibv_gid gid;
	int tries;

	for (tries = 0; tries < 50; tries++, usleep(20000))
		if (!ibv_query_gid(own, port, s->gid, &gid) && gid.raw[s->byte] == value)
			return true;
	return false;
}

/* On this event ib_core reads the GIDs again. It reports no event to users of IB ports. */
static void set_gid(const struct set_gid *s, int port)
{
	const uint8_t value = 0x40 + port;
	bool ok = set_byte(port, s->attribute, s->at, value);

	if (mthca)
		ksft_test_result(ok && quiet() && !gid_arrives(port, s, value),
				 "port %d, %s set: ib_mthca does not tell ib_core\n", port,
				 s->name);
	else
		ksft_test_result(ok && gid_arrives(port, s, value) && quiet(),
				 "port %d, %s set: ib_core knows the new GID\n", port, s->name);
}

static void subnet_manager(void)
{
	unsigned int i;
	int port;

	for (port = 1; port <= PORTS; port++) {
		for (i = 0; i < NR(sets); i++)
			set_one(&sets[i], port);
		for (i = 0; i < NR(gids); i++)
			set_gid(&gids[i], port);
		/* This Set changes nothing. */
		ksft_test_result(set_port(port, UMAD_LID + 1, 0x31 + port) && quiet(),
				 "port %d, nothing new set\n", port);
	}
}

/* The cable has two ends, so both ports go down. */
static void link_goes_down(void)
{
	const void *one = (void *)1, *two = (void *)2;
	struct told first = {}, second = {};
	bool ok;

	/* The link goes down and is trained again. */
	ok = set_port(1, UMAD_STATE, IBV_PORT_DOWN) && next(own, &first, PATIENCE_MS) &&
	     next(own, &second, PATIENCE_MS);
	ok = ok && first.type == IBV_EVENT_PORT_ERR && second.type == IBV_EVENT_PORT_ERR &&
	     first.object != second.object && (first.object == one || first.object == two) &&
	     (second.object == one || second.object == two);
	ksft_test_result(ok, "a link that goes down is reported for both ports\n");
	forget();
	ksft_test_result(activate(1), "port 1 becomes active again\n");
	ksft_test_result(activate(2), "port 2 becomes active again\n");
}

/* ---- Events of the transport ---- */

struct pair {
	struct ibv_qp *from, *to;
	struct ibv_cq *cq; /* for @from's send completions */
};

static int pair_rtr(struct pair *p)
{
	struct ibv_port_attr port;

	if (ibv_query_port(own, 1, &port))
		return EIO;
	return connect_to_init(p->from)				    ?:
		       connect_to_init(p->to)			    ?:
		       connect_to(p->from, p->to->qp_num, port.lid) ?:
		       connect_to_rtr(p->to, p->from->qp_num, port.lid);
}

/* Connects two QPs; only the first one is in RTS. */
static bool pair_make(struct pair *p, int entries, struct ibv_srq *queue)
{
	struct ibv_qp_init_attr init = {
		.send_cq = cq,
		.recv_cq = cq,
		.qp_type = IBV_QPT_RC,
		.srq = queue,
		.cap = { 16, queue ? 0 : 16, 1, 1 },
	};

	p->cq = ibv_create_cq(own, entries, NULL, NULL, 0);
	p->from = p->cq ? connect_make(pd, IBV_QPT_RC, p->cq, cq, 16) : NULL;
	p->to = ibv_create_qp(pd, &init);
	return p->from && p->to && !pair_rtr(p);
}

static bool recv_one(struct ibv_qp *qp)
{
	struct ibv_recv_wr wr = {}, *bad;

	return !(qp->srq ? ibv_post_srq_recv(qp->srq, &wr, &bad) : ibv_post_recv(qp, &wr, &bad));
}

static bool send_one(struct pair *p, enum ibv_wr_opcode opcode, uint64_t address)
{
	struct ibv_sge sge = { (uintptr_t)memory, 8, mr->lkey };
	struct ibv_send_wr wr = {
		.opcode = opcode,
		.send_flags = IBV_SEND_SIGNALED,
		.sg_list = &sge,
		.num_sge = opcode != IBV_WR_SEND,
	}, *bad;

	if (opcode == IBV_WR_ATOMIC_FETCH_AND_ADD) {
		wr.wr.atomic.remote_addr = address;
		wr.wr.atomic.rkey = mr->rkey;
	} else {
		wr.wr.rdma.remote_addr = address;
		wr.wr.rdma.rkey = mr->rkey;
	}
	return !ibv_post_send(p->from, &wr, &bad);
}

static bool completes(struct pair *p, enum ibv_wc_status status)
{
	struct ibv_wc wc;
	int tries, n = 0;

	for (tries = 0; tries < 500 && !n; tries++, usleep(10000))
		n = ibv_poll_cq(p->cq, 1, &wc);
	if (n != 1)
		ksft_print_msg("no completion\n");
	else if (wc.status != status)
		ksft_print_msg("completion: %s\n", ibv_wc_status_str(wc.status));
	return n == 1 && wc.status == status;
}

static void pair_destroy(struct pair *p)
{
	if (p->from)
		ibv_destroy_qp(p->from);
	if (p->to)
		ibv_destroy_qp(p->to);
	if (p->cq)
		ibv_destroy_cq(p->cq);
}

/* The first message arrives while the receiver is still in RTR. */
static void comm_est(void)
{
	struct pair p = {};
	bool ok = pair_make(&p, 16, NULL) && recv_one(p.to) && recv_one(p.to) &&
		  send_one(&p, IBV_WR_SEND, 0) && completes(&p, IBV_WC_SUCCESS);

	ksft_test_result(ok && only_own(IBV_EVENT_COMM_EST, p.to),
			 "the first message raises an event\n");
	ok = ok && send_one(&p, IBV_WR_SEND, 0) && completes(&p, IBV_WC_SUCCESS);
	ksft_test_result(ok && quiet(), "the second message raises none\n");
	pair_destroy(&p);
}

static bool drain(struct ibv_qp *qp, int tell)
{
	struct ibv_qp_attr attr = { .qp_state = IBV_QPS_SQD, .en_sqd_async_notify = tell };

	return !ibv_modify_qp(qp, &attr, IBV_QP_STATE | (tell ? IBV_QP_EN_SQD_ASYNC_NOTIFY : 0));
}

static void sq_drained(void)
{
	struct pair told = {}, not = {};

	ksft_test_result(pair_make(&told, 16, NULL) && drain(told.from, 1) &&
				 only_own(IBV_EVENT_SQ_DRAINED, told.from),
			 "a send queue is drained\n");
	ksft_test_result(pair_make(&not, 16, NULL) && drain(not.from, 0) && quiet(),
			 "a drain without a request for its event\n");
	pair_destroy(&told);
	pair_destroy(&not);
}

/* The responder refuses a request, and gets an event for that. */
static void refused(enum ibv_wr_opcode opcode, uint64_t address, enum ibv_wc_status status,
		    enum ibv_event_type event, const char *what)
{
	struct pair p = {};
	bool ok = pair_make(&p, 16, NULL) && !connect_to_rts(p.to) &&
		  send_one(&p, opcode, address) && completes(&p, status);

	ksft_test_result(ok && only_own(event, p.to), "%s\n", what);
	pair_destroy(&p);
}

static void overrun(void)
{
	struct pair p = {};
	bool ok = pair_make(&p, 1, NULL) && !connect_to_rts(p.to);
	struct told told[2] = {};
	int i;

	for (i = 0; ok && i < 4; i++)
		ok = recv_one(p.to);
	for (i = 0; ok && i < 4; i++)
		ok = send_one(&p, IBV_WR_SEND, 0);
	ok = ok && next(own, &told[0], PATIENCE_MS) && next(own, &told[1], PATIENCE_MS) && quiet();
	i = told[0].type == IBV_EVENT_CQ_ERR ? 0 : 1;
	ksft_test_result(ok && told[i].type == IBV_EVENT_CQ_ERR && told[i].object == p.cq,
			 "a CQ is overrun\n");
	ksft_test_result(ok && told[!i].type == IBV_EVENT_QP_FATAL && told[!i].object == p.from,
			 "and its QP fails\n");
	pair_destroy(&p);
}

static bool srq_limit(struct ibv_srq *queue, uint32_t limit)
{
	struct ibv_srq_attr attr = { .srq_limit = limit };

	return !ibv_modify_srq(queue, &attr, IBV_SRQ_LIMIT);
}

static bool to_state(struct ibv_qp *qp, enum ibv_qp_state state)
{
	struct ibv_qp_attr attr = { .qp_state = state };

	return !ibv_modify_qp(qp, &attr, IBV_QP_STATE);
}

static void shared(void)
{
	struct pair p = {};
	bool ok = pair_make(&p, 16, srq) && !connect_to_rts(p.to);
	int i;

	for (i = 0; ok && i < 4; i++)
		ok = recv_one(p.to);
	ok = ok && srq_limit(srq, 3) && send_one(&p, IBV_WR_SEND, 0) &&
	     completes(&p, IBV_WC_SUCCESS);
	ksft_test_result(ok && quiet(), "an SRQ at its limit\n");
	ok = ok && send_one(&p, IBV_WR_SEND, 0) && completes(&p, IBV_WC_SUCCESS);
	ksft_test_result(ok && only_own(IBV_EVENT_SRQ_LIMIT_REACHED, srq),
			 "an SRQ below its limit\n");
	ok = ok && send_one(&p, IBV_WR_SEND, 0) && completes(&p, IBV_WC_SUCCESS);
	ksft_test_result(ok && quiet(), "the limit is reported once\n");
	ok = ok && to_state(p.to, IBV_QPS_ERR);
	ksft_test_result(ok && only_own(IBV_EVENT_QP_LAST_WQE_REACHED, p.to),
			 "a QP takes nothing more from its SRQ\n");
	pair_destroy(&p);
}

/*
 * An event of a QP's last life may be handled only after its reset. Another one comes in the next
 * life, for which its owner waits.
 */
static void old_event(void)
{
	struct pair p = {};
	bool ok = pair_make(&p, 16, srq) && to_state(p.to, IBV_QPS_ERR) &&
		  only_own(IBV_EVENT_QP_LAST_WQE_REACHED, p.to);

	ok = ok && to_state(p.to, IBV_QPS_RESET) && to_state(p.from, IBV_QPS_RESET) &&
	     raise_event(0x13, 0, p.to->qp_num & 0xffffff, 0);
	ksft_test_result(ok && only_own(IBV_EVENT_QP_LAST_WQE_REACHED, p.to),
			 "the last WQE of a life that a reset has ended\n");
	ok = ok && !pair_rtr(&p) && !connect_to_rts(p.to) && to_state(p.to, IBV_QPS_ERR);
	ksft_test_result(ok && only_own(IBV_EVENT_QP_LAST_WQE_REACHED, p.to),
			 "and that of the next life\n");
	pair_destroy(&p);
}

static void transport(void)
{
	const uint64_t odd = (uintptr_t)memory + 1, far = (uintptr_t)memory + 2 * sizeof(memory);

	comm_est();
	sq_drained();
	refused(IBV_WR_RDMA_WRITE, far, IBV_WC_REM_ACCESS_ERR, IBV_EVENT_QP_ACCESS_ERR,
		"a write beyond the memory");
	refused(IBV_WR_RDMA_READ, odd, IBV_WC_REM_ACCESS_ERR, IBV_EVENT_QP_ACCESS_ERR,
		"a read that is not allowed");
	refused(IBV_WR_ATOMIC_FETCH_AND_ADD, odd, IBV_WC_REM_INV_REQ_ERR, IBV_EVENT_QP_REQ_ERR,
		"an atomic at an odd address");
	overrun();
	shared();
	old_event();
}

/* ---- The device ---- */

static bool fatal(struct ibv_context *of)
{
	struct told told = {};

	/* QPs with an SRQ may report their last WQE before this. */
	while (next(of, &told, PATIENCE_MS) && told.type == IBV_EVENT_QP_LAST_WQE_REACHED)
		;
	return told.type == IBV_EVENT_DEVICE_FATAL;
}

static bool usable_again(void)
{
	struct ibv_context *context;
	struct ibv_pd *made = NULL;
	int tries;

	for (tries = 0; tries < 300 && !made; tries++, usleep(100000)) {
		context = process_open();
		made = context ? ibv_alloc_pd(context) : NULL;
		if (made)
			ibv_dealloc_pd(made);
		if (context)
			ibv_close_device(context);
	}
	return made;
}

static void device(void)
{
	bool ok = model_ask("{\"cmd\":\"event\",\"type\":8,\"subtype\":0,\"data\":[0,0,5,5]}");

	if (mthca) {
		ksft_test_result(ok && quiet(), "catastrophic error: ib_mthca reports no event\n");
		ksft_test_result_skip("ib_mthca has not failed\n");
		return;
	}
	ksft_test_result(ok && fatal(own) && fatal(other), "catastrophic error\n");
	ksft_test_result(usable_again(), "the device is usable again\n");
}

/* ---- The whole test ---- */

/* The sum of the hardware's object numbers of one kind: a new object's number is the difference. */
static uint64_t numbers(const char *key)
{
	static char reply[1 << 20];
	uint64_t sum = 0;
	const char *at;

	if (!model_reply("{\"cmd\":\"objects\",\"hca\":0}", reply, sizeof(reply)))
		return 0;
	for (at = strstr(reply, key); at; at = strstr(at, key)) {
		at += strlen(key);
		sum += strtoul(at, NULL, 10);
	}
	return sum;
}

static bool make_queues(void)
{
	struct ibv_srq_init_attr init = { .attr = { .max_wr = 16, .max_sge = 1 } };
	uint64_t before = numbers("\"cqn\":");

	pd = ibv_alloc_pd(own);
	cq = ibv_create_cq(own, 256, NULL, NULL, 0);
	cqn = numbers("\"cqn\":") - before;
	before = numbers("\"srqn\":");
	srq = pd ? ibv_create_srq(pd, &init) : NULL;
	srqn = numbers("\"srqn\":") - before;
	mr = pd ? ibv_reg_mr(pd, memory, sizeof(memory), ACCESS) : NULL;
	return pd && cq && cqn && srq && srqn && mr;
}

static bool ready(void)
{
	struct ibv_qp_init_attr init = { .qp_type = IBV_QPT_RC, .cap = { 4, 0, 1, 0 } };
	int port;

	own = process_open();
	other = process_open();
	if (!own || !other || !make_queues())
		return false;
	init.send_cq = cq;
	init.recv_cq = cq;
	init.srq = srq;
	on_srq = ibv_create_qp(pd, &init);
	for (port = 1; port <= PORTS; port++) {
		smi[port - 1] = umad_open_port(port);
		if (smi[port - 1] < 0)
			return false;
	}
	mthca = process_driver_is(own, "ib_mthca");
	return on_srq && have_lids();
}

int main(void)
{
	static const char *const words[] = { "BUG:", "WARNING:", "Oops", NULL };
	struct process_log log;
	unsigned int i;

	process_log_open(&log, words);
	ksft_print_header();
	if (!ready())
		ksft_exit_skip("no RDMA device with two ports and umad devices\n");
	ksft_set_plan(2 * NR(raised) + 12 + PORTS * (NR(sets) + NR(gids) + 1) + 3 + 15 + 3);
	for (i = 0; i < NR(raised); i++)
		raise_one(&raised[i]);
	raise_gone();
	raise_eec();
	raise_ecc();
	ksft_test_result(activate(1), "port 1 becomes active\n");
	ksft_test_result(activate(2), "port 2 becomes active\n");
	raise_ports();
	subnet_manager();
	link_goes_down();
	transport();
	ksft_test_result(!process_log_lines(&log), "the kernel has logged nothing\n");
	device();
	ksft_finished();
}
