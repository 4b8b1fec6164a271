// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * The events that run a queue pair: a turn of the loop, its timer, doorbells, and packets. This
 * file selects the function of its service. A QP works from the event loop, a few packets in each
 * turn.
 */
#include "qp/qp.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* --- work and time ------------------------------------------------------------------------ */

static void qp_work(struct hca_work *w)
{
	struct qp *qp = container_of(w, struct qp, work);
	int budget = QP_BUDGET;
	bool more = false;

	if (qp->stub || hca_dead(qp->h))
		return;
	/* a link has limited credits: sending waits until packets are freed, receiving does not */
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
	/* an error in the calls above has scheduled the work itself */
	if (more)
		qp_kick(qp);
}

/* UD and MLX queues wait for nothing, so they use no timer. */
static void qp_timer(struct hca_timer *t)
{
	struct qp *qp = container_of(t, struct qp, timer);

	if (qp->req && !hca_dead(qp->h))
		requester_timer(qp);
}

/* --- doorbells ---------------------------------------------------------------------------- */

/*
 * Returns the QP that a doorbell names, or NULL; the reason is then recorded. UAR page 1 is valid
 * for every context (tavor-hw 14).
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
		eq_misbehaved_uar(h, uar);
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
 * Only the doorbell describes the first WQE of a chain. The link to it may not be written yet
 * (tavor-hw 13.2).
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

	/* an SRQ and a QP can have the same number; size 0 means an SRQ (tavor-hw 14) */
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

/* Until the migration, packets may arrive by either path (IBTA 17.2.8). */
static bool on_port(const struct qp *qp, int port)
{
	if (qp->path.port == port)
		return true;
	return qp->service <= SVC_UC && qp->pm_state != PM_MIGRATED && qp->alt.port == port;
}

/* Checks a unicast packet for an ordinary QP: state, service and P_Key. */
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

/*
 * Handles path migration by the M bit of a packet (IBTA 17.2.8). Returns false to drop the packet.
 */
static bool migration_rx(struct qp *qp, int port, const struct headers *hd)
{
	/* without an alternate path it must not be armed: a migration would leave no port */
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
 * Reports the first packet to a passive side, which may have lost the last message of the
 * connection setup (tavor-hw 12.7).
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

/* In the model, QP0 and QP1 are one QP for each port (tavor-hw 12.8). Only QP0 uses VL15. */
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
 * Packets of the firmware have never been on a wire, so their ICRC is not checked. All others are
 * checked, also those that were looped back.
 */
void qp_rx(struct hca *h, int port, struct packet *p, bool from_fw)
{
	struct headers hd;
	struct mcast_arg m = { .hd = &hd, .port = port };
	const char *why = packet_parse(p, &hd);

	if (why) {
		/* counted and not logged: the remote side decides how many there are */
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

/* --- start -------------------------------------------------------------------------------- */

int qp_new(struct hca *h)
{
	struct qp_part *part = calloc(1, sizeof(*part));

	if (!part)
		return -1;
	part->h = h;
	part->work = qp_work;
	part->timer = qp_timer;
	hca_set_part(h, PART_QP, part);
	return 0;
}
