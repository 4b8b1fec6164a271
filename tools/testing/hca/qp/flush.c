// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Queues in error. Flushing follows tavor-hw 11.4 in its simplest form: every chain of send WQEs,
 * and every receive WQE, that has not completed gets one CQE with db_cnt 0.
 */
#include "qp/qp.h"

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
	struct recv_source s = qp_recv_source(qp);

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

/* A QP that is attached to an SRQ has completed its last WQE (tavor-hw 15.3). */
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
