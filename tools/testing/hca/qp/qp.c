// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/* Queue pairs: the table, their states, their completions and their paths. */
#include "qp/qp.h"

#include <stdio.h>
#include <stdlib.h>

static void *need(void *p)
{
	if (!p) {
		fprintf(stderr, "tavor-hca: out of memory for queue pairs\n");
		exit(1);
	}
	return p;
}

/* --- table -------------------------------------------------------------------------------- */

/*
 * INIT_HCA sets the number of QPs. The table is allocated at the first use, and most of its pages
 * are never touched.
 */
static void table_make(struct qp_part *part)
{
	const struct hca_profile *p = hca_profile(part->h);

	part->mask = (1u << p->log_qps) - 1;
	part->table = need(calloc(part->mask + 1ul, sizeof(*part->table)));
}

/*
 * The driver chooses the high bits of a QPN, so that it does not reuse a number soon
 * (tavor-hw 12.1).
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
	qp->work.fn = part->work;
	timer_setup(&qp->timer, part->timer);
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
 * Allocates the state that the service needs: a datagram queue, for example, has no retransmission.
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
	key_use(qp->h, qp->wqe_lkey, 1);
	if (qp->srq)
		srq_use(qp->srq, 1);
	return true;
}

/*
 * Is also called while work is scheduled, a timer runs, or packets are in flight. Packets that
 * arrive later find no QP.
 */
void qp_destroy(struct qp *qp)
{
	struct qp_part *part = qp_part(qp->h);

	work_cancel(&qp->work);
	timer_cancel(&qp->timer);
	if (qp->req || qp->ud) {
		key_use(qp->h, qp->wqe_lkey, -1);
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
		part->all->srq = NULL; /* the SRQs may already be gone */
		qp_destroy(part->all);
	}
	free(part->table);
	part->table = NULL;
	key_use_reset(h);
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

/*
 * The counter answers at once for nearly all keys. The queue that uses a key is only searched for a
 * report.
 */
bool qp_uses_mpt(struct hca *h, u32 key, u32 *uar)
{
	const struct qp *qp;

	if (!key_use_count(h, key))
		return false;
	for (qp = qp_part(h)->all; qp; qp = qp->next)
		if (!qp->stub && key_use_same(h, qp->wqe_lkey, key)) {
			*uar = qp->uar;
			return true;
		}
	return srq_uses_mpt(h, key, uar);
}

/* Called when a CQ is destroyed, which is rare, so this checks all QPs. */
bool qp_uses_cq(struct hca *h, u32 cqn)
{
	const struct qp *qp;

	for (qp = qp_part(h)->all; qp; qp = qp->next)
		if (qp->scqn == cqn || qp->rcqn == cqn)
			return true;
	return false;
}

/* --- states ------------------------------------------------------------------------------- */

void qp_kick(struct qp *qp)
{
	work_schedule(&qp->work);
}

bool qp_receives(const struct qp *qp)
{
	return qp->state >= QP_RTR && qp->state != QP_ERR;
}

/* The QP's work flushes the queues, not this function, because the caller may be using them. */
void qp_to_error(struct qp *qp)
{
	if (qp->state == QP_ERR)
		return;
	qp->state = QP_ERR;
	timer_cancel(&qp->timer);
	qp_kick(qp);
}

/* Reports one event: consequences of the error can fail, too, and call this again. */
void qp_fatal(struct qp *qp, enum hca_event ev)
{
	if (qp->state == QP_ERR)
		return;
	qp_to_error(qp);
	eq_qp_event(qp->h, ev, qp->qpn);
}

/*
 * For an unreliable service only the send queue stops. Its receive queue is independent
 * (IBTA 10.3.1).
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

/* The next QP is read before the call, because an error can remove the QP from the list. */
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

/* If the CQ accepts no more CQEs, its QPs move to error (tavor-hw 11.6). */
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
 * With RSC each receive WQE gets a CQE. Otherwise the bit in the WQE decides; but a WQE of an SRQ
 * always gets one, because software frees the WQE by it (tavor-hw 11.4).
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

void qp_cqe_counted(struct qp *qp, bool send, u32 wqe, u8 syndrome, u16 db_cnt)
{
	struct cqe cqe = {
		.qpn = qp->qpn,
		.wqe = wqe,
		.send = send,
		.error = true,
		.syndrome = syndrome,
		.db_cnt = db_cnt,
	};

	post(qp, send ? qp->scqn : qp->rcqn, &cqe, true);
}

void qp_cqe_error(struct qp *qp, bool send, u32 addr, u8 size, u8 syndrome)
{
	qp_cqe_counted(qp, send, addr | size, syndrome, 0);
}

u16 qp_counted(const struct qp *qp, u32 behind)
{
	if (!opt_u64(qp->h, "flush_count"))
		return 0;
	return behind < UINT16_MAX ? behind : UINT16_MAX;
}

bool qp_chain_flushed(const struct qp *qp, u32 chain)
{
	return (int32_t)(chain - qp->flushed) <= 0;
}

void qp_flush_chain(struct qp *qp, u32 chain, u32 addr, u8 size, u8 syndrome)
{
	u16 behind = qp_counted(qp, qp->chains - chain + qp->sq.tail - qp->sq.head);

	qp->flushed = chain + behind;
	qp_cqe_counted(qp, true, addr | size, syndrome, behind);
}

/* --- paths -------------------------------------------------------------------------------- */

/* The P_Keys must be of one partition, and not both of limited members (IBTA 10.9.3). */
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

void qp_migrate(struct qp *qp, bool tell)
{
	struct qp_path old = qp->path;

	qp->path = qp->alt;
	qp->alt = old;
	qp->pm_state = PM_MIGRATED;
	if (tell)
		eq_qp_event(qp->h, EV_PATH_MIG, qp->qpn);
}
