// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * The context of a queue pair in the layout of tavor-hw 12.3: the fields that commands read from
 * it, and its output for QUERY_QPEE.
 */
#include "qp/context.h"
#include "core/bytes.h"

/* --- reading ------------------------------------------------------------------------------ */

/*
 * Reads the primary path without port, P_Key index, timeout and RNR retry. Other transitions set
 * these, and they are zero in this context (tavor-hw 12.6).
 */
void qp_take_primary(struct qp_path *p, const u8 *c)
{
	u32 w = get32(c + 0x0c);

	p->grh = c[5] & 0x80;
	p->path_bits = c[5] & 0x7f;
	p->dlid = get16(c + 6);
	p->sgid_index = c[9] & 0x3f;
	p->static_rate = c[0x0a] & 7;
	p->hop_limit = c[0x0b];
	p->sl = bits(w, 31, 28);
	p->tclass = bits(w, 27, 20);
	p->flow_label = bits(w, 19, 0);
	memcpy(p->dgid, c + 0x10, 16);
}

/*
 * Reads the port, for RST2INIT or if its option bit is set. In other cases it is undefined: mthca
 * passes port 0 for INIT2RTR (tavor-hw 12.6).
 */
static void take_port(struct qp_path *p, const u8 *c)
{
	p->port = bits(get32(c), 25, 24);
}

static void take_pkey(struct qp_path *p, const u8 *c)
{
	p->pkey_index = bits(get32(c), 6, 0);
}

void qp_take_timeout(struct qp_path *p, const u8 *c)
{
	p->ack_timeout = c[8] >> 3;
}

void qp_take_rnr(struct qp_path *p, const u8 *c)
{
	p->rnr_retry = c[4] >> 5;
}

/*
 * The alternate path is read as a whole, unlike the primary path: no earlier transition has set a
 * part of it (tavor-hw 12.6).
 */
static void take_alternate(struct qp *qp, u32 opt, const u8 *c)
{
	if (opt & OPT_ALT_PATH) {
		qp_take_primary(&qp->alt, c + 0x40);
		take_port(&qp->alt, c + 0x40);
		take_pkey(&qp->alt, c + 0x40);
		qp_take_timeout(&qp->alt, c + 0x40);
	}
	if (opt & OPT_ALT_RNR)
		qp_take_rnr(&qp->alt, c + 0x40);
}

/*
 * Reads the rights of the remote side. Each has its own option bit, so that one can change alone.
 */
static void take_access(struct qp *qp, u32 opt, const u8 *c)
{
	u32 w = get32(c + 0x90);

	if (opt & OPT_RRE)
		qp->rre = bits(w, 15, 15);
	if (opt & OPT_RWE)
		qp->rwe = bits(w, 14, 14);
	if (opt & OPT_RAE)
		qp->rae = bits(w, 13, 13);
}

/* SRE and SAE have no option bit (tavor-hw 12.6). */
void qp_take_sra(struct qp *qp, const u8 *c)
{
	u32 w = get32(c + 0x70);

	qp->log_sra = bits(w, 23, 21);
	qp->sre = bits(w, 15, 15);
	qp->sae = bits(w, 13, 13);
}

static void take_path_options(struct qp *qp, u32 opt, const u8 *c)
{
	const u8 *primary = c + 0x20;

	if (opt & OPT_PRIMARY)
		qp_take_primary(&qp->path, primary);
	if (opt & OPT_PORT)
		take_port(&qp->path, primary);
	if (opt & OPT_PKEY)
		take_pkey(&qp->path, primary);
	if (opt & OPT_TIMEOUT)
		qp_take_timeout(&qp->path, primary);
	if (opt & OPT_RNR)
		qp_take_rnr(&qp->path, primary);
	take_alternate(qp, opt, c);
}

/* Software requests rearming, or forces a migration (IBTA 17.2.8). */
static void take_pm(struct qp *qp, u8 state)
{
	if (state == PM_MIGRATED && qp->pm_state == PM_ARMED)
		qp_migrate(qp, false);
	qp->pm_state = state;
	qp->pm_failed = false;
}

void qp_take_options(struct qp *qp, u32 opt, const u8 *c)
{
	take_path_options(qp, opt, c);
	take_access(qp, opt, c);
	if (opt & OPT_QKEY)
		qp->qkey = get32(c + 0xa8);
	if (opt & OPT_MIN_RNR)
		qp->min_rnr = bits(get32(c + 0x94), 28, 24);
	if (opt & OPT_SRA)
		qp_take_sra(qp, c);
	if (opt & OPT_RRA)
		qp->log_rra = bits(get32(c + 0x90), 23, 21);
	if (opt & OPT_RETRY)
		qp->retry = bits(get32(c + 0x70), 18, 16);
	if (opt & OPT_SCHED)
		qp->sched = bits(get32(c + 4), 3, 0);
	if (opt & OPT_PM)
		take_pm(qp, bits(get32(c), 12, 11));
}

void qp_take_new(struct qp *qp, const u8 *c)
{
	qp->service = bits(get32(c), 18, 16);
	qp->pm_state = bits(get32(c), 12, 11);
	qp->de = bits(get32(c), 8, 8);
	qp->sched = bits(get32(c + 4), 3, 0);
	qp->uar = get32(c + 0x0c) & 0xffffff;
	take_port(&qp->path, c + 0x20);
	take_pkey(&qp->path, c + 0x20);
	qp->rdd = get32(c + 0x60) & 0xffffff;
	qp->pd = get32(c + 0x64) & 0xffffff;
	qp->wqe_hi = get32(c + 0x68);
	qp->wqe_lkey = get32(c + 0x6c);
	qp->sic = bits(get32(c + 0x70), 4, 4);
	qp->ssc = bits(get32(c + 0x70), 3, 3);
	qp->scqn = get32(c + 0x7c) & 0xffffff;
	take_access(qp, OPT_ACCESS, c);
	qp->ric = bits(get32(c + 0x90), 4, 4);
	qp->rsc = bits(get32(c + 0x90), 3, 3);
	qp->rcqn = get32(c + 0x9c) & 0xffffff;
	qp->qkey = get32(c + 0xa8);
	qp->srq_en = bits(get32(c + 0xac), 24, 24);
	qp->srqn = get32(c + 0xac) & 0xffffff;
}

/* --- writing ------------------------------------------------------------------------------ */

static void path_encode(const struct qp_path *p, u8 *c)
{
	put32(c, (u32)p->port << 24 | p->pkey_index);
	c[4] = p->rnr_retry << 5;
	c[5] = (p->grh ? 0x80 : 0) | p->path_bits;
	put16(c + 6, p->dlid);
	c[8] = p->ack_timeout << 3;
	c[9] = p->sgid_index;
	c[0x0a] = p->static_rate;
	c[0x0b] = p->hop_limit;
	put32(c + 0x0c, (u32)p->sl << 28 | (u32)p->tclass << 20 | p->flow_label);
	memcpy(c + 0x10, p->dgid, 16);
}

/* Retry counters count up in the context, and down here. */
static u32 encode_params1(const struct qp *qp)
{
	u32 rnr_used = (qp->path.rnr_retry - qp->rnr_left) & 7,
	    used = (qp->retry - qp->retry_left) & 7;

	return (u32)qp->ack_freq << 28 | (u32)qp->flight << 24 | (u32)qp->log_sra << 21 |
	       (u32)qp->retry << 16 | (u32)qp->sre << 15 | (u32)qp->swe << 14 | (u32)qp->sae << 13 |
	       rnr_used << 8 | used << 5 | (u32)qp->sic << 4 | (u32)qp->ssc << 3;
}

void qp_context_encode(const struct qp *qp, u8 *c)
{
	put32(c, (u32)qp->state << 28 | (u32)qp->service << 16 | (u32)qp->pm_state << 11 |
			 (u32)qp->de << 8);
	put32(c + 0x04, qp->sched);
	put32(c + 0x08, (u32)qp->mtu << 29 | (u32)qp->log_msg << 24);
	put32(c + 0x0c, qp->uar);
	put32(c + 0x10, qp->qpn);
	put32(c + 0x14, qp->rqpn);
	path_encode(&qp->path, c + 0x20);
	path_encode(&qp->alt, c + 0x40);
	put32(c + 0x60, qp->rdd);
	put32(c + 0x64, qp->pd);
	put32(c + 0x68, qp->wqe_hi);
	put32(c + 0x6c, qp->wqe_lkey);
	put32(c + 0x70, encode_params1(qp));
	put32(c + 0x78, qp->sq_psn);
	put32(c + 0x7c, qp->scqn);
	put64(c + 0x80, (u64)qp->wqe_hi << 32 | qp->sq_next);
	put32(c + 0x88, qp->last_acked);
	put32(c + 0x8c, qp->ssn);
	put32(c + 0x90, (u32)qp->log_rra << 21 | (u32)qp->rre << 15 | (u32)qp->rwe << 14 |
				(u32)qp->rae << 13 | (u32)qp->ric << 4 | (u32)qp->rsc << 3);
	put32(c + 0x94, (u32)qp->min_rnr << 24 | qp->rq_psn);
	put32(c + 0x98, qp->rdb);
	put32(c + 0x9c, qp->rcqn);
	put64(c + 0xa0, (u64)qp->wqe_hi << 32 | qp->rq_next);
	put32(c + 0xa8, qp->qkey);
	put32(c + 0xac, (u32)qp->srq_en << 24 | qp->srqn);
	put32(c + 0xb0, qp->rmsn);
}
