// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Queues in error. Flushing follows the simplest form of tavor-hw 11.4: each chain of send WQEs
 * that has not completed gets one CQE with db_cnt 0, and so does each receive WQE. With the option
 * "flush_count" an error CQE stands for all that is posted behind its WQE.
 */
#include "qp/qp.h"

/*
 * A chain that already has an error CQE gets no other. The next chain gets one CQE, for its first
 * WQE.
 */
static bool flush_chain(struct qp *qp)
{
	if (!sq_peek(qp))
		return false;
	if (!qp_chain_flushed(qp, qp->cur.chain))
		qp_flush_chain(qp, qp->cur.chain, qp->cur.addr, qp->cur.size & 0x3f, SYN_FLUSHED);
	qp->cur.active = false;
	return true;
}

static void flush_rx(struct qp *qp)
{
	u16 behind = qp->srq ? 0 : qp_counted(qp, qp->rq.wqes);

	qp_cqe_counted(qp, false, qp->rx.addr | qp->rx.size, SYN_FLUSHED, behind);
	while (behind && wq_first(&qp->rq))
		wq_drop_first(&qp->rq);
}

/*
 * Flushes the receive WQE of an incomplete message, then each posted WQE. WQEs of an SRQ are not
 * flushed.
 */
static bool flush_recv(struct qp *qp)
{
	struct recv_source s = qp_recv_source(qp);

	if (qp->rx_active) {
		qp->rx_active = false;
		flush_rx(qp);
		return true;
	}
	if (qp->srq)
		return false;
	switch (wqe_take_recv(&s, &qp->rx, false)) {
	case TAKE_EMPTY:
		return false;
	case TAKE_OK:
		flush_rx(qp);
		return true;
	default:
		return true;
	}
}

/* Reports that a QP with an SRQ has completed its last WQE (tavor-hw 15.3). */
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
