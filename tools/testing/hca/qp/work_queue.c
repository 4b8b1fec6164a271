// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/* The walk of a QP through its work queues, and the source of its receive WQEs. */
#include "qp/qp.h"

/* --- send queue walk ---------------------------------------------------------------------- */

/* Chains run in the order of their doorbells (tavor-hw 14). */
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
 * Follows the link that was read with the WQE. Within a chain a link is complete before the
 * doorbell. WQEs appended later have their own doorbell, so the walk ends before them.
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

struct recv_source qp_recv_source(struct qp *qp)
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
 * Takes a WQE from the SRQ if there is one. A malformed WQE is also taken: its CQE returns it to
 * software.
 */
enum take qp_take_recv(struct qp *qp)
{
	struct recv_source s = qp_recv_source(qp);
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
 * The length is checked before the protection: a message that is too long is an error of the
 * sender, a bad key is one of the receiver.
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
