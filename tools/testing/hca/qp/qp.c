// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Queue pairs: the table, states, doorbells, dispatch of packets, and the flush of queues in error.
 *
 * A QP does its work from the event loop, a few packets a turn. Flushing follows section 11.4 in
 * its simplest form: every chain of send WQEs, and every receive WQE, that has not completed gets
 * one CQE with db_cnt 0.
 */
#include "qp/qp.h"

#include <stdio.h>
#include <stdlib.h>

static void qp_work(struct hca_work *w);
static void qp_timer(struct hca_timer *t);

static void *need(void *p)
{
	if (!p) {
		fprintf(stderr, "tavor-hca: out of memory for queue pairs\n");
		exit(1);
	}
	return p;
}

/* --- table -------------------------------------------------------------------------------- */

int qp_new(struct hca *h)
{
	struct qp_part *part = calloc(1, sizeof(*part));

	if (!part)
		return -1;
	part->h = h;
	hca_set_part(h, PART_QP, part);
	return 0;
}

/*
 * INIT_HCA says how many; the tables follow at first use, and most of their pages are never
 * touched.
 */
static void table_make(struct qp_part *part)
{
	const struct hca_profile *p = hca_profile(part->h);

	part->mask = (1u << p->log_qps) - 1;
	part->table = need(calloc(part->mask + 1ul, sizeof(*part->table)));
	part->mpt_mask = (1u << p->log_mpts) - 1;
	part->mpt_use = need(calloc(part->mpt_mask + 1ul, sizeof(*part->mpt_use)));
}

/*
 * The high bits of a QPN are the driver's to count with, so that a number comes back late (12.1).
 */
struct qp *qp_at_index(struct hca *h, u32 qpn)
{
	struct qp_part *part = qp_part(h);

	return part->table ? part->table[qpn & part->mask] : NULL;
}

struct qp *qp_lookup(struct hca *h, u32 qpn)
{
	struct qp *qp = qp_at_index(h, qpn);

	return qp && qp->qpn == qpn ? qp : NULL;
}

struct qp *qp_create(struct hca *h, u32 qpn)
{
	struct qp_part *part = qp_part(h);
	struct qp *qp = need(calloc(1, sizeof(*qp)));

	if (!part->table)
		table_make(part);
	qp->h = h;
	qp->qpn = qpn;
	qp->work.fn = qp_work;
	timer_setup(&qp->timer, qp_timer);
	snprintf(qp->name, sizeof(qp->name), "QP 0x%06x", qpn);
	qp->next = part->all;
	qp->at = &part->all;
	if (qp->next)
		qp->next->at = &qp->next;
	part->all = qp;
	part->live++;
	part->table[qpn & part->mask] = qp;
	return qp;
}

/*
 * Only now is the service known, and with it what has to be kept: a datagram queue needs no
 * retransmission.
 */
bool qp_setup(struct qp *qp)
{
	switch (qp->service) {
	case SVC_RC:
	case SVC_UC:
		qp->req = need(calloc(1, sizeof(*qp->req)));
		qp->resp = need(calloc(1, sizeof(*qp->resp)));
		break;
	case SVC_UD:
	case SVC_MLX:
		qp->ud = need(calloc(1, sizeof(*qp->ud)));
		break;
	default:
		return false;
	}
	qp_mpt_use(qp->h, qp->wqe_lkey, 1);
	if (qp->srq)
		srq_use(qp->srq, 1);
	return true;
}

/*
 * Also with work scheduled, packets under way and timers running: those that still come find no QP.
 */
void qp_destroy(struct qp *qp)
{
	struct qp_part *part = qp_part(qp->h);

	work_cancel(&qp->work);
	timer_cancel(&qp->timer);
	if (qp->req || qp->ud) {
		qp_mpt_use(qp->h, qp->wqe_lkey, -1);
		if (qp->srq)
			srq_use(qp->srq, -1);
	}
	part->table[qp->qpn & part->mask] = NULL;
	part->live--;
	*qp->at = qp->next;
	if (qp->next)
		qp->next->at = qp->at;
	wq_free(&qp->sq);
	wq_free(&qp->rq);
	free(qp->req);
	free(qp->resp);
	free(qp->ud);
	free(qp);
}

void qp_reset_all(struct hca *h)
{
	struct qp_part *part = qp_part(h);

	while (part->all) {
		part->all->srq = NULL; /* SRQs may be gone already */
		qp_destroy(part->all);
	}
	free(part->table);
	free(part->mpt_use);
	part->table = NULL;
	part->mpt_use = NULL;
	part->special[0] = 0;
	part->special[1] = 0;
}

int qp_special(struct hca *h, u32 qpn, int *port)
{
	const struct qp_part *part = qp_part(h);
	int i;

	for (i = 0; i < 2; i++) {
		if (part->special[i] && (qpn == part->special[i] || qpn == part->special[i] + 1)) {
			*port = 1 + (int)(qpn - part->special[i]);
			return i;
		}
	}
	return -1;
}

void qp_mpt_use(struct hca *h, u32 key, int delta)
{
	struct qp_part *part = qp_part(h);

	if (!part->table)
		table_make(part);
	part->mpt_use[key & part->mpt_mask] += delta;
}

/* The count makes the answer quick for nearly all keys; whose queue it is, is asked when it is too late. */
bool qp_uses_mpt(struct hca *h, u32 key, u32 *uar)
{
	const struct qp_part *part = qp_part(h);
	const struct qp *qp;

	if (!part->mpt_use || !part->mpt_use[key & part->mpt_mask])
		return false;
	for (qp = part->all; qp; qp = qp->next)
		if (!qp->stub && !((qp->wqe_lkey ^ key) & part->mpt_mask)) {
			*uar = qp->uar;
			return true;
		}
	return srq_uses_mpt(h, key, part->mpt_mask, uar);
}

/* Asked when a CQ is destroyed, which is seldom, so all are looked at. */
bool qp_uses_cq(struct hca *h, u32 cqn)
{
	const struct qp *qp;

	for (qp = qp_part(h)->all; qp; qp = qp->next)
		if (qp->scqn == cqn || qp->rcqn == cqn)
			return true;
	return false;
}

/* --- states ------------------------------------------------------------------------------- */

void qp_blame(struct qp *qp, enum hca_rule rule, const char *fmt, ...)
{
	char text[200];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	blame(qp->h, qp->uar, rule, qp->name, "%s", text);
}

void qp_kick(struct qp *qp)
{
	work_schedule(&qp->work);
}

bool qp_receives(const struct qp *qp)
{
	return qp->state >= QP_RTR && qp->state != QP_ERR;
}

/*
 * The flush comes from the QP's work, not from here: the caller may be in the middle of its queues.
 */
void qp_to_error(struct qp *qp)
{
	if (qp->state == QP_ERR)
		return;
	qp->state = QP_ERR;
	timer_cancel(&qp->timer);
	qp_kick(qp);
}

/* Once: what the error brings about may well fail again, and come here again. */
void qp_fatal(struct qp *qp, enum hca_event ev)
{
	if (qp->state == QP_ERR)
		return;
	qp_to_error(qp);
	eq_qp_event(qp->h, ev, qp->qpn);
}

/*
 * Unreliable services lose the send queue only: what they receive has nothing to do with it (IBTA
 * 10.3.1).
 */
void qp_send_error(struct qp *qp)
{
	if (qp->service == SVC_RC || qp->state == QP_ERR) {
		qp_to_error(qp);
		return;
	}
	qp->state = QP_SQE;
	qp_kick(qp);
}

/* Fetched before the call: an error may take the QP out of the list. */
void qp_cq_error(struct hca *h, u32 cqn)
{
	struct qp *qp, *next;

	for (qp = qp_part(h)->all; qp; qp = next) {
		next = qp->next;
		if (!qp->stub && (qp->scqn == cqn || qp->rcqn == cqn))
			qp_fatal(qp, EV_WQ_CATAS);
	}
}

/* --- CQEs --------------------------------------------------------------------------------- */

/* A CQ that takes no more entries takes its QPs with it (11.6). */
static bool post(struct qp *qp, u32 cqn, const struct cqe *cqe, bool solicited)
{
	if (!cq_post(qp->h, cqn, cqe, solicited))
		return true;
	qp_fatal(qp, EV_WQ_CATAS);
	return false;
}

bool qp_cqe_send(struct qp *qp, u32 addr, u8 size, u8 opcode, u32 byte_cnt)
{
	struct cqe cqe = {
		.qpn = qp->qpn,
		.wqe = addr | size,
		.opcode = opcode,
		.byte_cnt = byte_cnt,
		.send = true,
	};

	return post(qp, qp->scqn, &cqe, false);
}

/*
 * RSC makes each receive complete; without it the WQE's own bit decides, but an SRQ's always
 * completes, since that is how software gets it back (11.4).
 */
bool qp_cqe_recv(struct qp *qp, const struct cqe *fill, bool solicited)
{
	struct cqe cqe = *fill;

	cqe.qpn = qp->qpn;
	cqe.wqe = qp->rx.addr | qp->rx.size;
	qp->rx_active = false;
	if (!qp->rsc && !qp->srq && !(qp->rx.flags & WQE_FLAG_CQE))
		return true;
	return post(qp, qp->rcqn, &cqe, solicited);
}

/* db_cnt is 0: the CQE stands for its chain alone (11.4). */
void qp_cqe_error(struct qp *qp, bool send, u32 addr, u8 size, u8 syndrome)
{
	struct cqe cqe = {
		.qpn = qp->qpn,
		.wqe = addr | size,
		.send = send,
		.error = true,
		.syndrome = syndrome,
	};

	post(qp, send ? qp->scqn : qp->rcqn, &cqe, true);
}

/* --- send queue walk ---------------------------------------------------------------------- */

/* Chains run in the order of their doorbells (section 14). */
bool sq_peek(struct qp *qp)
{
	struct sq_cursor *c = &qp->cur;
	struct wq_db *db;

	if (c->active)
		return true;
	db = wq_first(&qp->sq);
	if (!db)
		return false;
	*c = (struct sq_cursor){ .active = true,
				 .op = db->op,
				 .size = db->size,
				 .addr = db->addr,
				 .chain = ++qp->chains };
	wq_drop_first(&qp->sq);
	return true;
}

/*
 * The link is read with the WQE: within a chain it was complete before the doorbell rang, and what
 * software appends later has a doorbell of its own, which ends the walk here.
 */
u8 sq_fetch(struct qp *qp, struct wqe *w)
{
	struct sq_cursor *c = &qp->cur;
	u8 err = wqe_fetch_send(qp, c->addr, c->size, c->op, w);

	c->active = w->more;
	c->addr = w->next_addr;
	c->op = w->next_op;
	c->size = w->next_size;
	qp->sq_next = c->addr;
	if (++c->walked > WQ_LIMIT && !err) {
		qp_blame(qp, RULE_WQE_CHAIN, "chain still goes on at WQE 0x%x after %u WQEs",
			 w->addr, WQ_LIMIT);
		err = SYN_LOCAL_QP_OP;
	}
	return err;
}

/* --- receive WQEs ------------------------------------------------------------------------- */

static struct recv_source own_queue(struct qp *qp)
{
	return (struct recv_source){
		.h = qp->h,
		.who = qp->name,
		.fifo = &qp->rq,
		.uar = qp->uar,
		.pd = qp->pd,
		.lkey = qp->wqe_lkey,
		.hi = qp->wqe_hi,
	};
}

/*
 * From the SRQ if there is one. A WQE that cannot be used has been taken all the same: its CQE
 * returns it.
 */
enum take qp_take_recv(struct qp *qp)
{
	struct recv_source s = own_queue(qp);
	enum take t = qp->srq ? srq_take(qp->srq, &qp->rx) : wqe_take_recv(&s, &qp->rx, true);

	qp->rq_next = wq_first(&qp->rq) ? wq_first(&qp->rq)->addr : 0;
	switch (t) {
	case TAKE_OK:
		qp->rx_active = true;
		qp->rx_len = 0;
		qp->rx_pos = (struct sg_pos){ 0 };
		break;
	case TAKE_EMPTY:
		break;
	case TAKE_FETCH_FAILED:
		if (qp->srq)
			srq_fail(qp->srq);
		qp_cqe_error(qp, false, qp->rx.addr, qp->rx.size, SYN_LOCAL_PROT);
		break;
	case TAKE_MALFORMED:
		qp_cqe_error(qp, false, qp->rx.addr, qp->rx.size, SYN_LOCAL_QP_OP);
		break;
	}
	return t;
}

/*
 * Length before protection: a message that does not fit is the sender's error, a bad key the
 * receiver's.
 */
u8 qp_scatter(struct qp *qp, const u8 *data, u32 len)
{
	if (qp->rx_len + len > qp->rx.total)
		return SYN_LOCAL_LENGTH;
	if (sg_scatter(qp->h, qp->name, qp->pd, &qp->rx, &qp->rx_pos, data, len))
		return SYN_LOCAL_PROT;
	qp->rx_len += len;
	return SYN_OK;
}

/* --- flush -------------------------------------------------------------------------------- */

/*
 * What an earlier error CQE has covered goes silently, the next chain with one CQE for its first
 * WQE.
 */
static bool flush_chain(struct qp *qp)
{
	if (!sq_peek(qp))
		return false;
	if (qp->cur.chain != qp->flushed)
		qp_cqe_error(qp, true, qp->cur.addr, qp->cur.size & 0x3f, SYN_FLUSHED);
	qp->flushed = qp->cur.chain;
	qp->cur.active = false;
	return true;
}

/*
 * First the WQE of a message that broke off, then one CQE for each that was posted; none for an
 * SRQ's.
 */
static bool flush_recv(struct qp *qp)
{
	struct recv_source s = own_queue(qp);

	if (qp->rx_active) {
		qp->rx_active = false;
		qp_cqe_error(qp, false, qp->rx.addr, qp->rx.size, SYN_FLUSHED);
		return true;
	}
	if (qp->srq)
		return false;
	switch (wqe_take_recv(&s, &qp->rx, false)) {
	case TAKE_EMPTY:
		return false;
	case TAKE_OK:
		qp_cqe_error(qp, false, qp->rx.addr, qp->rx.size, SYN_FLUSHED);
		return true;
	default:
		return true;
	}
}

/* One QP attached to an SRQ has given back its last WQE (15.3). */
static void flush_done(struct qp *qp)
{
	if (!qp->srq || qp->lwqe_done)
		return;
	qp->lwqe_done = true;
	eq_qp_event(qp->h, EV_LAST_WQE, qp->qpn);
}

bool qp_flush(struct qp *qp, int *budget)
{
	bool receive = qp->state == QP_ERR;

	if (qp->req)
		requester_flush_slots(qp);
	while (*budget > 0) {
		bool sent = flush_chain(qp);
		bool recv = receive && flush_recv(qp);

		if (!sent && !recv) {
			if (receive)
				flush_done(qp);
			return false;
		}
		*budget -= sent + recv;
	}
	return true;
}

/* --- work and time ------------------------------------------------------------------------ */

static void qp_work(struct hca_work *w)
{
	struct qp *qp = container_of(w, struct qp, work);
	int budget = QP_BUDGET;
	bool more = false;

	if (qp->stub || hca_dead(qp->h))
		return;
	/* a link has credits for so much and no more; whoever receives does not come through here */
	if (packets_live() > IN_FLIGHT_MAX) {
		qp_kick(qp);
		return;
	}
	if (qp->resp && qp_receives(qp))
		more = responder_run(qp, &budget);
	if (qp->state == QP_ERR || qp->state == QP_SQE)
		more |= qp_flush(qp, &budget);
	else if (qp->req)
		more |= requester_run(qp, &budget);
	else
		more |= ud_run(qp, &budget);
	/* what the run above did may have put the queue in error: then that has scheduled us */
	if (more)
		qp_kick(qp);
}

/* Datagram services have nothing to wait for. */
static void qp_timer(struct hca_timer *t)
{
	struct qp *qp = container_of(t, struct qp, timer);

	if (qp->req && !hca_dead(qp->h))
		requester_timer(qp);
}

/* --- doorbells ---------------------------------------------------------------------------- */

/*
 * The QP a doorbell names, or NULL with the reason recorded. Page 1 may ring for any context
 * (section 14).
 */
static struct qp *db_qp(struct hca *h, u32 uar, u32 qpn, const char *which)
{
	struct qp *qp = qp_lookup(h, qpn);
	char name[32];

	if (!qp) {
		snprintf(name, sizeof(name), "QP 0x%06x", qpn);
		blame(h, uar, RULE_QP_DB_NONE, name, "%s doorbell through UAR page %u", which, uar);
		return NULL;
	}
	if (qp->stub)
		return NULL;
	if (uar != qp->uar && uar != 1) {
		blame(h, uar, RULE_QP_DB_UAR, qp->name,
		      "%s doorbell through UAR page %u, context names %u", which, uar, qp->uar);
		return NULL;
	}
	return qp;
}

static void db_push(struct qp *qp, struct wq_fifo *f, struct wq_db db, const char *which)
{
	if (!db.size || !(db.size & 0x3f)) {
		qp_blame(qp, RULE_QP_DB_FORMAT, "%s doorbell for WQE 0x%x with size 0", which,
			 db.addr);
		return;
	}
	if (!wq_push(f, db)) {
		qp_blame(qp, RULE_WQ_OVERFLOW, "%s doorbell for WQE 0x%x on top of %u WQEs", which,
			 db.addr, f->wqes);
		qp_fatal(qp, EV_WQ_CATAS);
		return;
	}
	if (f == &qp->sq || qp->state == QP_ERR)
		qp_kick(qp);
}

/*
 * The doorbell is all there is to know about the first WQE; the link that says the same may not be
 * written yet (13.2).
 */
void qp_db_send(struct hca *h, u32 uar, u32 hi, u32 lo)
{
	struct qp *qp = db_qp(h, uar, lo >> 8, "send");
	struct wq_db db = {
		.addr = hi & 0xffffffc0u,
		.op = hi & 0x1f,
		.size = (lo & 0x3f) | (hi & 0x20 ? 0x40 : 0),
	};

	if (!qp)
		return;
	if (lo & 0xc0)
		qp_blame(qp, RULE_DB_RESERVED, "send doorbell 0x%08x%08x", hi, lo);
	db_push(qp, &qp->sq, db, "send");
}

void qp_db_recv(struct hca *h, u32 uar, u32 hi, u32 lo)
{
	u16 count = lo & 0xff ? lo & 0xff : 256;
	struct wq_db db = { .addr = hi & 0xffffffc0u, .count = count, .size = hi & 0x3f };
	struct qp *qp;

	/* an SRQ and a QP may have the same number: an SRQ's doorbell has size 0 (section 14) */
	if (!db.size) {
		srq_db(h, uar, lo >> 8, db.addr, count);
		return;
	}
	qp = db_qp(h, uar, lo >> 8, "receive");
	if (!qp)
		return;
	if (qp->srq) {
		qp_blame(qp, RULE_SRQ_DB_SIZE, "receive doorbell for a QP with an SRQ");
		return;
	}
	db_push(qp, &qp->rq, db, "receive");
}

/* --- packets ------------------------------------------------------------------------------ */

/* Same partition, and not both limited members (IBTA 10.9.3). */
bool pkey_match(u16 a, u16 b)
{
	return (a & 0x7fff) && !((a ^ b) & 0x7fff) && ((a | b) & 0x8000);
}

u8 *qp_put_path(struct qp *qp, u8 *at, const struct qp_path *path)
{
	struct lrh l = {
		.vl = port_sl2vl(qp->h, path->port, path->sl),
		.sl = path->sl,
		.dlid = path->dlid,
		.slid = port_lid(qp->h, path->port) |
			(path->path_bits & ((1u << port_lmc(qp->h, path->port)) - 1)),
		.grh = path->grh,
	};
	struct grh g = { .tclass = path->tclass,
			 .hop_limit = path->hop_limit,
			 .flow_label = path->flow_label };
	static const u8 nobody[16];

	at = put_lrh(at, &l);
	if (!path->grh)
		return at;
	g.sgid = port_gid(qp->h, path->port, path->sgid_index);
	if (!g.sgid)
		g.sgid = nobody;
	g.dgid = path->dgid;
	return put_grh(at, &g);
}

/* While a path can still be migrated to, packets may come by either (IBTA 17.2.8). */
static bool on_port(const struct qp *qp, int port)
{
	if (qp->path.port == port)
		return true;
	return qp->service <= SVC_UC && qp->pm_state != PM_MIGRATED && qp->alt.port == port;
}

/* Unicast to an ordinary QP: state, service and P_Key. */
static bool admits(struct qp *qp, int port, const struct headers *hd)
{
	static const u8 class_of[] = {
		[SVC_RC] = CLASS_RC, [SVC_UC] = CLASS_UC, [SVC_RD] = CLASS_RD, [SVC_UD] = CLASS_UD
	};
	u8 index = port == qp->path.port ? qp->path.pkey_index : qp->alt.pkey_index;

	if (qp->stub || !qp_receives(qp) || !on_port(qp, port)) {
		count(qp->h, "rx_qp_state");
		return false;
	}
	if (qp->service > SVC_UD || (hd->opcode & 0xe0) != class_of[qp->service]) {
		count(qp->h, "rx_service");
		return false;
	}
	if (!pkey_match(hd->pkey, port_pkey(qp->h, port, index))) {
		count(qp->h, "rx_pkey");
		port_count_pkey_violation(qp->h, port);
		return false;
	}
	return true;
}

void qp_migrate(struct qp *qp, bool tell)
{
	struct qp_path old = qp->path;

	qp->path = qp->alt;
	qp->alt = old;
	qp->pm_state = PM_MIGRATED;
	if (tell)
		eq_qp_event(qp->h, EV_PATH_MIG, qp->qpn);
}

/* Path migration as the M bit of the other side moves it (IBTA 17.2.8). False: drop the packet. */
static bool migration_rx(struct qp *qp, int port, const struct headers *hd)
{
	/* armed without a path to go to, the first loss would send packets out of no port at all */
	if (qp->pm_state == PM_REARM && !hd->mig && qp->alt.port)
		qp->pm_state = PM_ARMED;
	if (qp->pm_state != PM_ARMED || !hd->mig)
		return true;
	if (qp->alt.port == port &&
	    pkey_match(hd->pkey, port_pkey(qp->h, port, qp->alt.pkey_index))) {
		qp_migrate(qp, true);
		return true;
	}
	if (!qp->pm_failed)
		eq_qp_event(qp->h, EV_PATH_MIG_FAILED, qp->qpn);
	qp->pm_failed = true;
	return false;
}

/*
 * For a passive side whose last message of the connection set-up was lost: the first packet says
 * the same (12.7).
 */
static void communication_established(struct qp *qp)
{
	if (!qp->comm_est)
		return;
	qp->comm_est = false;
	eq_qp_event(qp->h, EV_COMM_EST, qp->qpn);
}

static void rx_ordinary(struct hca *h, int port, u32 qpn, const struct headers *hd)
{
	struct qp *qp = qp_lookup(h, qpn);
	u8 op = hd->opcode & 0x1f;

	if (!qp) {
		count(h, "rx_no_qp");
		return;
	}
	if (!admits(qp, port, hd))
		return;
	if (qp->service != SVC_UD && !migration_rx(qp, port, hd))
		return;
	switch (qp->service) {
	case SVC_UD:
		ud_rx(qp, port, hd);
		return;
	case SVC_UC:
		communication_established(qp);
		uc_rx(qp, hd);
		return;
	default:
		communication_established(qp);
		if (op >= OP_READ_FIRST && op <= OP_ATOMIC_ACK)
			requester_rx(qp, hd);
		else
			responder_rx(qp, hd);
	}
}

/* QP0 and QP1 on the wire are one QP for each port here (12.8); VL15 is for QP0 alone. */
static void rx_special(struct hca *h, int port, const struct headers *hd)
{
	u32 base = qp_part(h)->special[hd->dqpn];
	struct qp *qp = base ? qp_lookup(h, base + (u32)port - 1) : NULL;

	if (!qp || qp->stub || !qp_receives(qp)) {
		count(h, "rx_special_state");
		return;
	}
	if ((hd->opcode & 0xe0) != CLASS_UD || (hd->vl == VL_MANAGEMENT) != (hd->dqpn == 0)) {
		count(h, "rx_special_vl");
		return;
	}
	if (hd->dqpn == 1 && mlx_pkey_index(h, port, hd->pkey) < 0) {
		count(h, "rx_pkey");
		port_count_pkey_violation(h, port);
		return;
	}
	ud_rx(qp, port, hd);
}

struct mcast_arg {
	const struct headers *hd;
	int port;
};

static void rx_member(struct hca *h, u32 qpn, void *arg)
{
	struct mcast_arg *m = arg;

	rx_ordinary(h, m->port, qpn, m->hd);
}

/*
 * The firmware's own packets never were on a wire. All others are judged as if they had been, also
 * those that were looped back.
 */
void qp_rx(struct hca *h, int port, struct packet *p, bool from_fw)
{
	struct headers hd;
	struct mcast_arg m = { .hd = &hd, .port = port };
	const char *why = packet_parse(p, &hd);

	if (why) {
		/* the other side decides how many there are, so they are not all in the log */
		count(h, "rx_malformed");
		count(h, why);
	} else if (!from_fw && !packet_icrc_ok(p)) {
		count(h, "rx_icrc");
	} else if (hd.dqpn == QPN_MULTICAST) {
		if (hd.grh && (hd.opcode & 0xe0) == CLASS_UD)
			mcast_for_each(h, hd.grh + 24, rx_member, &m);
		else
			count(h, "rx_mcast_no_grh");
	} else if (hd.dqpn <= 1) {
		rx_special(h, port, &hd);
	} else {
		rx_ordinary(h, port, hd.dqpn, &hd);
	}
	packet_put(p);
}
