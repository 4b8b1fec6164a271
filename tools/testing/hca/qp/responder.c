// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * The receive side of connected services (IBTA vol. 1, 9.7.4 to 9.7.8 for RC, 9.8 for UC).
 *
 * Requests are executed as they arrive. The QP's work sends the responses in PSN order: first read
 * data and atomic results, then one ACK for all requests since, or a NAK.
 */
#include "qp/qp.h"

#define MESSAGE_MAX (1u << 31)

/* The result of a request: EXEC_OK, or the AETH syndrome of a NAK. */
enum { EXEC_OK = 0, EXEC_RNR = AETH_RNR };

static u32 depth(const struct qp *qp)
{
	return 1u << qp->log_rra;
}

/*
 * The maximum number of queued responses. It is small, so that most of the array stays untouched.
 */
static u32 ring(const struct qp *qp)
{
	return 2 * depth(qp);
}

/* --- sending ------------------------------------------------------------------------------ */

/*
 * Returns end-to-end credits: the number of receive WQEs as a code of the AETH. The requester of
 * this model ignores them: an RNR NAK has the same effect, and no driver reads them.
 */
static u8 credits(const struct qp *qp)
{
	static const u16 steps[] = {
		1,    2,    3,	  4,	6,    8,    12,	   16,	  24,	 32,
		48,   64,   96,	  128,	192,  256,  384,   512,	  768,	 1024,
		1536, 2048, 3072, 4096, 6144, 8192, 12288, 16384, 24576, 32768
	};
	u8 code = 0;

	if (qp->ric || qp->srq)
		return CREDITS_INVALID;
	while (code < sizeof(steps) / sizeof(*steps) && qp->rq.wqes >= steps[code])
		code++;
	return code;
}

static u8 *put_aeth(u8 *at, u8 syndrome, u32 msn)
{
	put32(at, (u32)syndrome << 24 | (msn & 0xffffff));
	return at + AETH_LEN;
}

static u8 *response_head(struct qp *qp, struct packet *p, u8 opcode, u32 psn, u8 pad)
{
	struct bth b = {
		.opcode = opcode | CLASS_RC,
		.mig = qp->pm_state == PM_MIGRATED,
		.pad = pad,
		.pkey = port_pkey(qp->h, qp->path.port, qp->path.pkey_index),
		.dqpn = qp->rqpn,
		.psn = psn,
	};

	return put_bth(qp_put_path(qp, p->data, &qp->path), &b);
}

static void response_send(struct qp *qp, struct packet *p, u8 *end)
{
	packet_seal(p, end);
	port_tx(qp->h, qp->path.port, p);
}

/* Acknowledges all requests up to @ack_psn. It is sent after a batch, to save ACKs. */
static void send_ack(struct qp *qp)
{
	struct responder *r = qp->resp;
	struct packet *p = packet_alloc();
	u8 *at = response_head(qp, p, OP_ACK, r->ack_psn, 0);

	r->ack_due = false;
	response_send(qp, p, put_aeth(at, r->ack_syndrome, qp->rmsn));
}

static void send_atomic(struct qp *qp, struct resp *a)
{
	struct packet *p = packet_alloc();
	u8 *at = response_head(qp, p, OP_ATOMIC_ACK, a->psn, 0);

	at = put_aeth(at, AETH_ACK | credits(qp), a->msn);
	put64(at, a->result);
	response_send(qp, p, at + ATOMICACKETH_LEN);
	qp->resp->resp_head++;
}

static void ack_later(struct qp *qp, u8 syndrome, u32 psn)
{
	struct responder *r = qp->resp;

	r->ack_due = true;
	r->ack_syndrome = syndrome;
	r->ack_psn = psn;
	qp_kick(qp);
}

/* Sends a fatal NAK for the request at @psn. The QP moves to error after it. */
static void refuse(struct qp *qp, u8 syndrome, u32 psn, enum hca_event ev)
{
	qp->resp->fatal = true;
	qp->resp->fatal_event = ev;
	ack_later(qp, syndrome, psn);
}

static u8 read_opcode(const struct resp *a, bool last)
{
	if (a->started)
		return last ? OP_READ_LAST : OP_READ_MIDDLE;
	return last ? OP_READ_ONLY : OP_READ_FIRST;
}

/* Sends one packet of read data. */
static void send_read(struct qp *qp, struct resp *a)
{
	u32 mtu = mtu_bytes(qp->mtu);
	u32 len = a->len < mtu ? a->len : mtu;
	u8 op = read_opcode(a, len == a->len), pad = -len & 3;
	struct packet *p = packet_alloc();
	u8 *at = response_head(qp, p, op, a->psn, pad);

	if (op != OP_READ_MIDDLE)
		at = put_aeth(at, AETH_ACK | credits(qp), a->msn);
	if (len && tpt_read(qp->h, qp->name, a->key, qp->pd, a->va, at, len, TPT_REMOTE_READ)) {
		packet_put(p);
		qp->resp->resp_head = qp->resp->resp_tail;
		refuse(qp, NAK_ACCESS, a->psn, EV_WQ_ACCESS);
		return;
	}
	memset(at + len, 0, pad);
	response_send(qp, p, at + len + pad);
	a->va += len;
	a->len -= len;
	a->psn = psn_add(a->psn, 1);
	a->started = true;
	if (!a->len)
		qp->resp->resp_head++;
}

bool responder_run(struct qp *qp, int *budget)
{
	struct responder *r = qp->resp;

	while (r->resp_head != r->resp_tail) {
		struct resp *a = &r->resp[r->resp_head % ring(qp)];

		if ((*budget)-- <= 0)
			return true;
		if (a->atomic)
			send_atomic(qp, a);
		else
			send_read(qp, a);
	}
	if (r->ack_due)
		send_ack(qp);
	if (r->fatal) {
		r->fatal = false;
		if (r->fatal_event)
			qp_fatal(qp, r->fatal_event);
		else
			qp_to_error(qp);
	}
	return false;
}

/* --- sends and writes --------------------------------------------------------------------- */

struct request {
	const struct headers *hd;
	bool first, last, write, imm;
	u32 immdt;
};

/* Returns false if the packet is neither a send nor a write. */
static bool decode(struct request *q, const struct headers *hd)
{
	u8 op = hd->opcode & 0x1f;

	if (op > OP_WRITE_ONLY_IMM)
		return false;
	*q = (struct request){ .hd = hd, .write = op >= OP_WRITE_FIRST };
	switch (q->write ? op - OP_WRITE_FIRST : op) {
	case OP_SEND_FIRST:
		q->first = true;
		break;
	case OP_SEND_MIDDLE:
		break;
	case OP_SEND_LAST_IMM:
		q->imm = true;
		q->last = true;
		break;
	case OP_SEND_LAST:
		q->last = true;
		break;
	case OP_SEND_ONLY_IMM:
		q->imm = true;
		q->first = true;
		q->last = true;
		break;
	case OP_SEND_ONLY:
		q->first = true;
		q->last = true;
		break;
	}
	if (q->imm)
		q->immdt = get32(hd->payload - IMMDT_LEN);
	return true;
}

/* Checks the opcode against the message in progress, and the length of the packet. */
static bool in_sequence(const struct qp *qp, const struct request *q)
{
	u8 op = qp->resp->op;
	u32 mtu = mtu_bytes(qp->mtu), len = q->hd->paylen;

	if (q->first != (op == RECV_NONE))
		return false;
	if (!q->first && q->write != (op == RECV_WRITE))
		return false;
	if (!q->last)
		return len == mtu;
	return len <= mtu && (q->first || len);
}

/* Takes the receive WQE for a message. UC reuses the WQE of a message that it has dropped. */
static u8 want_recv(struct qp *qp)
{
	if (qp->rx_active) {
		qp->rx_len = 0;
		qp->rx_pos = (struct sg_pos){ 0 };
		return EXEC_OK;
	}
	switch (qp_take_recv(qp)) {
	case TAKE_OK:
		return EXEC_OK;
	case TAKE_EMPTY:
		return EXEC_RNR | qp->min_rnr;
	default:
		qp->resp->told = true;
		return NAK_OPERATION;
	}
}

static void complete_recv(struct qp *qp, const struct request *q, u32 len)
{
	struct cqe cqe = { .opcode = q->hd->opcode & 0x1f, .imm = q->immdt, .byte_cnt = len };

	qp_cqe_recv(qp, &cqe, q->hd->se);
}

static u8 exec_send(struct qp *qp, const struct request *q)
{
	u8 err = q->first ? want_recv(qp) : EXEC_OK;

	if (err)
		return err;
	err = qp_scatter(qp, q->hd->payload, q->hd->paylen);
	if (err) {
		qp->rx_active = false;
		qp->resp->told = true;
		qp_cqe_error(qp, false, qp->rx.addr, qp->rx.size, err);
		return err == SYN_LOCAL_LENGTH ? NAK_INVALID : NAK_OPERATION;
	}
	if (q->last)
		complete_recv(qp, q, qp->rx_len);
	return EXEC_OK;
}

/*
 * Checks the whole range at the first packet, because only this one contains the R_Key. Each store
 * checks its part again, because the key may be invalid by then.
 */
static u8 begin_write(struct qp *qp, const struct request *q)
{
	struct responder *r = qp->resp;
	const u8 *reth = q->hd->ext;
	u32 len = get32(reth + 12);

	r->w_va = get64(reth);
	r->w_key = get32(reth + 8);
	r->w_left = len;
	r->w_total = len;
	if (!qp->rwe)
		return NAK_ACCESS;
	if (len > MESSAGE_MAX)
		return NAK_INVALID;
	if (len && tpt_check(qp->h, r->w_key, qp->pd, r->w_va, len, TPT_REMOTE_WRITE))
		return NAK_ACCESS;
	return EXEC_OK;
}

static u8 exec_write(struct qp *qp, const struct request *q)
{
	struct responder *r = qp->resp;
	u32 len = q->hd->paylen;
	u8 err = q->first ? begin_write(qp, q) : EXEC_OK;

	if (err)
		return err;
	if (q->last ? len != r->w_left : len >= r->w_left)
		return NAK_INVALID;
	if (q->imm) {
		err = want_recv(qp);
		if (err)
			return err;
	}
	if (len && tpt_write(qp->h, qp->name, r->w_key, qp->pd, r->w_va, q->hd->payload, len,
			     TPT_REMOTE_WRITE))
		return NAK_ACCESS;
	r->w_va += len;
	r->w_left -= len;
	if (q->imm)
		complete_recv(qp, q, r->w_total);
	return EXEC_OK;
}

/* Executes one packet of a send or write. On an error, the state of the message does not change. */
static u8 exec_message(struct qp *qp, const struct request *q)
{
	struct responder *r = qp->resp;
	u8 err;

	if (!in_sequence(qp, q))
		return NAK_INVALID;
	err = q->write ? exec_write(qp, q) : exec_send(qp, q);
	if (err)
		return err;
	if (q->last) {
		r->op = RECV_NONE;
		qp->rmsn = (qp->rmsn + 1) & 0xffffff;
	} else {
		r->op = q->write ? RECV_WRITE : RECV_SEND;
	}
	return EXEC_OK;
}

/* --- reads and atomics -------------------------------------------------------------------- */

/* Returns the number of packets, and so of PSNs, of read data. */
static u32 packets(const struct qp *qp, u64 len)
{
	u32 mtu = mtu_bytes(qp->mtu);

	return len ? (len + mtu - 1) / mtu : 1;
}

static void respond_later(struct qp *qp, const struct resp *a)
{
	struct responder *r = qp->resp;

	/* more than a requester with this depth can request, including retransmissions */
	if (r->resp_tail - r->resp_head == ring(qp)) {
		count(qp->h, "response_dropped");
		return;
	}
	r->resp[r->resp_tail++ % ring(qp)] = *a;
	/* the response also acknowledges all earlier requests */
	if ((r->ack_syndrome & 0x60) == AETH_ACK)
		r->ack_due = false;
	qp_kick(qp);
}

/*
 * Stores an entry as in the RDB of hardware. It has the depth of the context, and the oldest entry
 * is replaced.
 */
static void remember(struct qp *qp, const struct rdb *e)
{
	struct responder *r = qp->resp;

	r->rdb[r->rdb_next++ % depth(qp)] = *e;
}

/*
 * Read data is fetched when it is sent, not now. So it can contain data of a later write, which
 * IBTA allows.
 */
static u8 exec_read(struct qp *qp, const struct headers *hd, u32 *npsn)
{
	struct responder *r = qp->resp;
	u32 len = get32(hd->ext + 12);
	struct rdb e = { .psn = hd->psn,
			 .valid = true,
			 .va = get64(hd->ext),
			 .key = get32(hd->ext + 8),
			 .len = len };
	struct resp a = { .va = e.va, .len = len, .psn = hd->psn, .key = e.key };

	if (r->op != RECV_NONE || hd->paylen || len > MESSAGE_MAX)
		return NAK_INVALID;
	if (!qp->rre)
		return NAK_ACCESS;
	if (r->resp_tail - r->resp_head >= depth(qp))
		return NAK_INVALID;
	if (len && tpt_check(qp->h, e.key, qp->pd, e.va, len, TPT_REMOTE_READ))
		return NAK_ACCESS;
	e.npsn = packets(qp, len);
	qp->rmsn = (qp->rmsn + 1) & 0xffffff;
	a.msn = qp->rmsn;
	remember(qp, &e);
	respond_later(qp, &a);
	*npsn = e.npsn;
	return EXEC_OK;
}

struct atomic_args {
	u64 swap, compare;
};

static u64 op_cmp_swap(u64 old, const void *arg)
{
	const struct atomic_args *a = arg;

	return old == a->compare ? a->swap : old;
}

static u64 op_fetch_add(u64 old, const void *arg)
{
	const struct atomic_args *a = arg;

	return old + a->swap;
}

static u8 exec_atomic(struct qp *qp, const struct headers *hd)
{
	struct responder *r = qp->resp;
	struct atomic_args args = { .swap = get64(hd->ext + 12), .compare = get64(hd->ext + 20) };
	struct rdb e = {
		.psn = hd->psn, .npsn = 1, .atomic = true, .valid = true, .va = get64(hd->ext)
	};
	struct resp a = { .psn = hd->psn, .atomic = true };
	bool swap = (hd->opcode & 0x1f) == OP_CMP_SWAP;

	if (r->op != RECV_NONE || hd->paylen || (e.va & 7))
		return NAK_INVALID;
	if (!qp->rae)
		return NAK_ACCESS;
	if (r->resp_tail - r->resp_head >= depth(qp))
		return NAK_INVALID;
	if (tpt_atomic(qp->h, qp->name, get32(hd->ext + 8), qp->pd, e.va,
		       swap ? op_cmp_swap : op_fetch_add, &args, &e.result))
		return NAK_ACCESS;
	qp->rmsn = (qp->rmsn + 1) & 0xffffff;
	a.result = e.result;
	a.msn = qp->rmsn;
	remember(qp, &e);
	respond_later(qp, &a);
	return EXEC_OK;
}

/* --- RC: PSN checks ----------------------------------------------------------------------- */

/* Finds the entry of an executed request. Only these may be repeated. */
static struct rdb *find_rdb(struct qp *qp, u32 psn, bool atomic)
{
	u32 i;

	for (i = 0; i < depth(qp); i++) {
		struct rdb *e = &qp->resp->rdb[i];

		if (e->valid && e->atomic == atomic && psn_ahead(psn, e->psn) < e->npsn)
			return e;
	}
	return NULL;
}

/*
 * The requester repeats everything from @psn on, so queued responses from @psn on are dropped.
 * Returns true if an earlier response covers @psn, so that no other is needed.
 */
static bool take_back(struct qp *qp, u32 psn)
{
	struct responder *r = qp->resp;
	const struct resp *last;

	while (r->resp_tail != r->resp_head) {
		last = &r->resp[(r->resp_tail - 1) % ring(qp)];
		if (psn_ahead(last->psn, psn) >= PSN_HALF)
			return !last->atomic && psn_ahead(psn, last->psn) < packets(qp, last->len);
		r->resp_tail--;
	}
	return false;
}

static void repeat_read(struct qp *qp, const struct headers *hd)
{
	const struct rdb *e = find_rdb(qp, hd->psn, false);
	u64 va = get64(hd->ext), len = get32(hd->ext + 12);
	struct resp a = {
		.va = va, .len = len, .psn = hd->psn, .key = get32(hd->ext + 8), .msn = qp->rmsn
	};

	if (!e || a.key != e->key || va < e->va || va - e->va > e->len ||
	    len > e->len - (va - e->va))
		count(qp->h, "duplicate_read_dropped");
	else if (!take_back(qp, hd->psn))
		respond_later(qp, &a);
}

static void repeat_atomic(struct qp *qp, const struct headers *hd)
{
	const struct rdb *e = find_rdb(qp, hd->psn, true);
	struct resp a = { .psn = hd->psn, .atomic = true, .msn = qp->rmsn };

	if (!e || e->va != get64(hd->ext)) {
		count(qp->h, "duplicate_atomic_dropped");
		return;
	}
	a.result = e->result;
	if (!take_back(qp, hd->psn))
		respond_later(qp, &a);
}

/* Duplicate sends and writes are not executed. Only their ACK was lost, so it is sent again. */
static void duplicate(struct qp *qp, const struct headers *hd)
{
	struct responder *r = qp->resp;
	u8 op = hd->opcode & 0x1f;

	count(qp->h, "duplicate_request");
	if (op == OP_READ_REQUEST)
		repeat_read(qp, hd);
	else if (op == OP_CMP_SWAP || op == OP_FETCH_ADD)
		repeat_atomic(qp, hd);
	else if (!r->ack_due)
		ack_later(qp, AETH_ACK | credits(qp), psn_add(qp->rq_psn, PSN_MASK));
}

static u8 execute(struct qp *qp, const struct headers *hd, u32 *npsn)
{
	struct request q;

	if (decode(&q, hd))
		return exec_message(qp, &q);
	switch (hd->opcode & 0x1f) {
	case OP_READ_REQUEST:
		return exec_read(qp, hd, npsn);
	case OP_CMP_SWAP:
	case OP_FETCH_ADD:
		return exec_atomic(qp, hd);
	default:
		return NAK_INVALID;
	}
}

/* Returns the event of a NAK. An error in a receive CQE has no event (tavor-hw 10.3, 11.3). */
static enum hca_event refusal_event(const struct qp *qp, u8 syndrome)
{
	if (qp->resp->told)
		return 0;
	return syndrome == NAK_ACCESS ? EV_WQ_ACCESS : EV_WQ_INVALID_REQ;
}

/* A NAK that is still queued is dropped: the requester has already sent the expected packet. */
static void executed(struct qp *qp, const struct headers *hd, u32 npsn)
{
	struct responder *r = qp->resp;

	qp->rq_psn = psn_add(qp->rq_psn, npsn);
	if (r->ack_due && (r->ack_syndrome & 0x60) != AETH_ACK)
		r->ack_due = false;
	if (hd->ackreq && (hd->opcode & 0x1f) <= OP_WRITE_ONLY_IMM)
		ack_later(qp, AETH_ACK | credits(qp), hd->psn);
}

static void expected(struct qp *qp, const struct headers *hd)
{
	struct responder *r = qp->resp;
	u32 npsn = 1;
	u8 err;

	r->told = false;
	err = execute(qp, hd, &npsn);
	r->nak_sent = false;
	if (qp->state == QP_ERR)
		return;
	if (err == EXEC_OK) {
		executed(qp, hd, npsn);
	} else if ((err & 0x60) == AETH_RNR) {
		count(qp->h, "rnr_nak_sent");
		r->nak_sent = true;
		ack_later(qp, err, hd->psn);
	} else {
		count(qp->h, "request_refused");
		refuse(qp, err, hd->psn, refusal_event(qp, err));
	}
}

void responder_rx(struct qp *qp, const struct headers *hd)
{
	struct responder *r = qp->resp;
	u32 ahead = psn_ahead(hd->psn, qp->rq_psn);

	if (r->fatal)
		return;
	if (!ahead) {
		expected(qp, hd);
	} else if (ahead >= PSN_HALF) {
		duplicate(qp, hd);
	} else if (!r->nak_sent) {
		count(qp->h, "sequence_nak_sent");
		r->nak_sent = true;
		ack_later(qp, NAK_SEQUENCE, qp->rq_psn);
	}
}

/* --- UC ----------------------------------------------------------------------------------- */

void uc_rx(struct qp *qp, const struct headers *hd)
{
	struct responder *r = qp->resp;
	struct request q;
	u8 err;

	if (!decode(&q, hd))
		return;
	if (hd->psn != qp->rq_psn)
		r->skip = true;
	qp->rq_psn = psn_add(hd->psn, 1);
	/* a message without one of its packets is dropped; the next one uses its receive WQE */
	if (q.first) {
		r->skip = false;
		r->op = RECV_NONE;
	}
	if (r->skip) {
		count(qp->h, "uc_dropped");
		return;
	}
	r->told = false;
	err = exec_message(qp, &q);
	if (!err)
		return;
	count(qp->h, "uc_dropped");
	r->skip = true;
	if (r->told)
		qp_to_error(qp);
}
