// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * The send side of connected services (IBTA vol. 1, 9.7.3 to 9.7.7 for RC, 9.8 for UC).
 *
 * A started message has a slot with its PSNs. Messages complete in order, at the head of the ring
 * of slots. @una is the oldest unacknowledged PSN. After any loss the requester sends again from
 * @una, and fetches the WQEs again, as hardware does. A read continues from its first missing
 * response.
 */
#include "qp/qp.h"

#define TIMEOUT_UNIT 4096u /* ns; multiplied by 2^n */
#define MESSAGE_MAX (1ull << 31)
#define RNR_INFINITE 7u

static bool is_response_op(u8 opcode)
{
	return opcode == WQE_READ || opcode == WQE_CMP_SWAP || opcode == WQE_FETCH_ADD;
}

static struct sq_slot *slot_at(struct requester *r, u32 i)
{
	return &r->slot[i & (SQ_SLOTS - 1)];
}

/* The maximum number of unacknowledged packets: the flight limit of tavor-hw 12.3. */
static u32 window(const struct qp *qp)
{
	return 1u << qp->flight;
}

/* --- time --------------------------------------------------------------------------------- */

static u64 ack_timeout(const struct qp *qp)
{
	return qp->path.ack_timeout ? (u64)TIMEOUT_UNIT << qp->path.ack_timeout : 0;
}

static void deadline_set(struct qp *qp)
{
	struct requester *r = qp->req;
	u64 t = ack_timeout(qp);

	r->deadline = t ? now_ns() + t : 0;
	r->overtime = false;
	/* an armed timer may fire early, so that not every packet moves it */
	if (t && !timer_armed(&qp->timer))
		timer_arm(&qp->timer, t);
}

/* Converts an RNR NAK timer code. The table is in units of 10 us. */
static u64 rnr_delay(u8 code)
{
	static const u32 delay[32] = { 65536, 1,    2,	  3,	 4,	6,     8,     12,
				       16,    24,   32,	  48,	 64,	96,    128,   192,
				       256,   384,  512,  768,	 1024,	1536,  2048,  3072,
				       4096,  6144, 8192, 12288, 16384, 24576, 32768, 49152 };

	return delay[code & 0x1f] * 10000ull;
}

/* --- completion --------------------------------------------------------------------------- */

/*
 * @s must be the head, so all earlier messages have completed. Its error CQE also covers the rest
 * of its chain (tavor-hw 11.4), so the flush must skip the rest.
 */
static void slot_fail(struct qp *qp, struct sq_slot *s, u8 syndrome)
{
	qp->req->head++;
	qp_flush_chain(qp, s->chain, s->addr, s->size, syndrome);
	qp_send_error(qp);
}

/* The event is reported only if bit 31 of RTS2SQD_QPEE's modifier was set (tavor-hw 12.7). */
static void drained(struct qp *qp)
{
	qp->state = QP_SQD;
	if (qp->sqd_event)
		eq_qp_event(qp->h, EV_SQ_DRAINED, qp->qpn);
}

void requester_drain(struct qp *qp)
{
	if (qp->state == QP_DRAINING && (!qp->req || qp->req->head == qp->req->tail))
		drained(qp);
}

/* Completes finished messages at the head of the ring. */
static void retire(struct qp *qp)
{
	struct requester *r = qp->req;

	while (r->head != r->tail) {
		struct sq_slot *s = slot_at(r, r->head);

		if (s->err) {
			slot_fail(qp, s, s->err);
			return;
		}
		if (!s->done)
			break;
		if (r->tx == r->head++) {
			r->tx = r->head;
			r->tx_pkt = 0;
		}
		if ((s->flags & WQE_FLAG_CQE) || qp->ssc)
			if (!qp_cqe_send(qp, s->addr, s->size, s->opcode, s->len))
				return;
	}
	requester_drain(qp);
}

/*
 * Writes one flush CQE for each chain that has started. The others are flushed from the doorbell
 * list.
 */
void requester_flush_slots(struct qp *qp)
{
	struct requester *r = qp->req;

	for (; r->head != r->tail; r->head++) {
		struct sq_slot *s = slot_at(r, r->head);

		if (!qp_chain_flushed(qp, s->chain))
			qp_flush_chain(qp, s->chain, s->addr, s->size, SYN_FLUSHED);
	}
	r->tx = r->head;
	r->tx_pkt = 0;
	r->tx_loaded = 0;
	r->rd_loaded = 0;
	r->reads = 0;
	r->halted = false;
	r->rnr_wait = false;
	r->deadline = 0;
}

/* A new send PSN was set, so no packet is outstanding. */
void requester_reset(struct qp *qp)
{
	struct requester *r = qp->req;

	if (!r)
		return;
	r->una = qp->sq_psn;
	r->snd_max = qp->sq_psn;
	qp->retry_left = qp->retry;
	qp->rnr_left = qp->path.rnr_retry;
}

/* --- starting a message ------------------------------------------------------------------- */

/*
 * Opcode and fence of the next WQE are in the link to it (tavor-hw 13.1), so it need not be fetched
 * to find out whether it must wait.
 */
static bool may_start(struct qp *qp)
{
	struct requester *r = qp->req;

	if (!qp_sends(qp) || r->halted || r->tail - r->head == SQ_SLOTS || !sq_peek(qp))
		return false;
	if ((qp->cur.size & 0x40) && r->reads)
		return false;
	return !is_response_op(qp->cur.op) || r->reads < 1u << qp->log_sra;
}

/*
 * Checks the rights of the send queue (tavor-hw 12.3: SRE, SWE, SAE) and the length of the message.
 */
static u8 permitted(const struct qp *qp, const struct wqe *w)
{
	bool ok = true;

	switch (w->opcode) {
	case WQE_WRITE:
	case WQE_WRITE_IMM:
		ok = qp->swe;
		break;
	case WQE_READ:
		ok = qp->sre;
		break;
	case WQE_CMP_SWAP:
	case WQE_FETCH_ADD:
		ok = qp->sae;
		if (ok && w->total != 8)
			return SYN_LOCAL_LENGTH;
		break;
	}
	if (!ok)
		return SYN_LOCAL_QP_OP;
	return w->total > MESSAGE_MAX ? SYN_LOCAL_LENGTH : SYN_OK;
}

/* A WQE that sends no packet completes at once. Returns the syndrome. */
static u8 execute_local(struct qp *qp, struct sq_slot *s, const struct wqe *w)
{
	s->done = true;
	if (w->opcode == WQE_NOP)
		return SYN_OK;
	return tpt_bind(qp->h, qp->pd, w->bind_flags, w->bind_rkey, w->bind_lkey, w->bind_va,
			w->bind_len);
}

/* A read uses one PSN for each response packet. An empty message uses one PSN. */
static void assign_psns(struct qp *qp, struct sq_slot *s)
{
	u32 mtu = mtu_bytes(qp->mtu);

	s->npsn = is_response_op(s->opcode) && s->opcode != WQE_READ ? 1 : (s->len + mtu - 1) / mtu;
	if (!s->npsn)
		s->npsn = 1;
	s->psn = qp->sq_psn;
	qp->sq_psn = psn_add(qp->sq_psn, s->npsn);
	qp->ssn = (qp->ssn + 1) & 0xffffff;
	if (is_response_op(s->opcode))
		qp->req->reads++;
}

static void start(struct qp *qp)
{
	struct requester *r = qp->req;
	struct wqe *w = &r->wqe;
	struct sq_slot *s = slot_at(r, r->tail);
	u32 chain = qp->cur.chain;
	u8 err = sq_fetch(qp, w);

	*s = (struct sq_slot){
		.addr = w->addr, .size = w->size, .opcode = w->opcode, .chain = chain
	};
	if (!err) {
		s->raddr = w->raddr;
		s->rkey = w->rkey;
		s->imm = w->imm;
		s->flags = w->flags & 0xff;
		s->len = w->total;
		err = permitted(qp, w);
	}
	if (!err && (w->opcode == WQE_NOP || w->opcode == WQE_BIND))
		err = execute_local(qp, s, w);
	else if (!err)
		assign_psns(qp, s);
	s->err = err;
	r->halted = err;
	r->tail++;
	r->tx_loaded = r->tail; /* index of the slot plus one */
	r->tx_pos = (struct sg_pos){ 0 };
	r->tx_pkt = 0;
	if (!s->npsn)
		r->tx = r->tail;
}

/* --- sending a packet --------------------------------------------------------------------- */

/* An error found while sending is reported in order, after all earlier messages have completed. */
static void slot_spoilt(struct qp *qp, struct sq_slot *s, u8 syndrome)
{
	struct requester *r = qp->req;

	s->err = syndrome;
	r->halted = true;
	r->tx = r->tail;
	retire(qp);
}

/* Fetches the WQE of slot @i again. Returns false if it differs from the started message. */
static bool reload(struct qp *qp, u32 i, struct wqe *w)
{
	struct sq_slot *s = slot_at(qp->req, i);
	u8 err = wqe_fetch_send(qp, s->addr, s->size, s->opcode, w);

	return !err && w->total == s->len;
}

/*
 * Hardware keeps no WQE either: for a retransmission the WQE is fetched again, and the position in
 * its data is found again.
 */
static bool tx_load(struct qp *qp, struct sq_slot *s)
{
	struct requester *r = qp->req;

	if (r->tx_loaded == r->tx + 1)
		return true;
	if (!reload(qp, r->tx, &r->wqe)) {
		slot_spoilt(qp, s, SYN_LOCAL_QP_OP);
		return false;
	}
	r->tx_loaded = r->tx + 1;
	sg_seek(&r->wqe, &r->tx_pos, (u64)r->tx_pkt * mtu_bytes(qp->mtu));
	return true;
}

/*
 * Opcodes of sends and writes have the same order: first, middle, last, last + imm, only, only +
 * imm.
 */
static u8 message_opcode(const struct sq_slot *s, bool first, bool last)
{
	bool write = s->opcode == WQE_WRITE || s->opcode == WQE_WRITE_IMM;
	bool imm = s->opcode == WQE_WRITE_IMM || s->opcode == WQE_SEND_IMM;
	u8 base = write ? OP_WRITE_FIRST : OP_SEND_FIRST;

	if (first && last)
		return base + (imm ? 5 : 4);
	if (first)
		return base;
	if (last)
		return base + (imm ? 3 : 2);
	return base + 1;
}

static u8 *put_reth(u8 *at, u64 va, u32 key, u32 len)
{
	put64(at, va);
	put32(at + 8, key);
	put32(at + 12, len);
	return at + RETH_LEN;
}

static u8 *put_atomiceth(u8 *at, const struct sq_slot *s, const struct wqe *w)
{
	put64(at, s->raddr);
	put32(at + 8, s->rkey);
	put64(at + 12, w->swap);
	put64(at + 20, w->compare);
	return at + ATOMICETH_LEN;
}

static struct bth connected_bth(const struct qp *qp, u8 op, u32 psn)
{
	return (struct bth){
		.opcode = op | (qp->service == SVC_UC ? CLASS_UC : CLASS_RC),
		.mig = qp->pm_state == PM_MIGRATED,
		.pkey = port_pkey(qp->h, qp->path.port, qp->path.pkey_index),
		.dqpn = qp->rqpn,
		.psn = psn,
	};
}

/* An ACK is requested twice in a window, so that it arrives before the window is full. */
static bool ack_wanted(const struct qp *qp, u32 psn)
{
	u32 half = window(qp) / 2;

	return !half || !((psn_ahead(psn, qp->req->una) + 1) & (half - 1));
}

/* Builds one packet of a send or write. Returns its end, or NULL if the data could not be read. */
static u8 *build_segment(struct qp *qp, struct sq_slot *s, u8 *at)
{
	struct requester *r = qp->req;
	u32 mtu = mtu_bytes(qp->mtu), psn = psn_add(s->psn, r->tx_pkt);
	bool first = !r->tx_pkt, last = r->tx_pkt + 1 == s->npsn;
	u64 off = (u64)r->tx_pkt * mtu;
	u32 len = last ? s->len - off : mtu;
	struct bth b = connected_bth(qp, message_opcode(s, first, last), psn);
	u8 op = b.opcode & 0x1f;

	b.se = last && (s->flags & WQE_FLAG_SOLICITED);
	b.pad = -len & 3;
	b.ackreq = qp->service == SVC_RC && (last || ack_wanted(qp, psn));
	at = put_bth(at, &b);
	if (op == OP_WRITE_FIRST || op == OP_WRITE_ONLY || op == OP_WRITE_ONLY_IMM)
		at = put_reth(at, s->raddr, s->rkey, s->len);
	if (last && (s->opcode == WQE_SEND_IMM || s->opcode == WQE_WRITE_IMM)) {
		put32(at, s->imm);
		at += IMMDT_LEN;
	}
	if (sg_gather(qp->h, qp->name, qp->pd, &r->wqe, &r->tx_pos, at, len))
		return NULL;
	memset(at + len, 0, b.pad);
	return at + len + b.pad;
}

static u8 *build_request(struct qp *qp, struct sq_slot *s, u8 *at)
{
	u64 off = (u64)s->got * mtu_bytes(qp->mtu);
	struct bth b = connected_bth(qp, OP_READ_REQUEST, psn_add(s->psn, s->got));

	b.ackreq = true;
	if (s->opcode == WQE_READ)
		return put_reth(put_bth(at, &b), s->raddr + off, s->rkey, s->len - off);
	b.opcode = s->opcode == WQE_CMP_SWAP ? OP_CMP_SWAP : OP_FETCH_ADD;
	return put_atomiceth(put_bth(at, &b), s, &qp->req->wqe);
}

/* Returns whether the packets of @s from @psn on fit into the window. */
static bool window_open(const struct qp *qp, const struct sq_slot *s, u32 psn)
{
	u32 ahead = psn_ahead(psn, qp->req->una);

	if (qp->service == SVC_UC || !ahead)
		return true;
	return ahead < window(qp) && ahead + (is_response_op(s->opcode) ? s->npsn : 1) < PSN_HALF;
}

/*
 * Is called after a packet was sent; @end is the next PSN. On UC a message completes when its last
 * packet was sent.
 */
static void sent(struct qp *qp, struct sq_slot *s, u32 end)
{
	struct requester *r = qp->req;

	if (psn_ahead(end, r->una) > psn_ahead(r->snd_max, r->una))
		r->snd_max = end;
	if (!is_response_op(s->opcode) && ++r->tx_pkt < s->npsn)
		return;
	r->tx++;
	r->tx_pkt = 0;
	if (qp->service == SVC_UC) {
		s->done = true;
		retire(qp);
	}
}

/* Sends one packet of slot[tx]. Returns false if nothing can be sent now. */
static bool send_one(struct qp *qp)
{
	struct requester *r = qp->req;
	struct sq_slot *s = slot_at(r, r->tx);
	bool request = is_response_op(s->opcode);
	u32 psn = psn_add(s->psn, request ? s->got : r->tx_pkt);
	struct packet *p;
	u8 *end;

	if (!window_open(qp, s, psn) || !tx_load(qp, s))
		return false;
	p = packet_alloc();
	end = qp_put_path(qp, p->data, &qp->path);
	end = request ? build_request(qp, s, end) : build_segment(qp, s, end);
	if (!end) {
		packet_put(p);
		slot_spoilt(qp, s, SYN_LOCAL_PROT);
		return false;
	}
	packet_seal(p, end);
	port_tx(qp->h, qp->path.port, p);
	if (qp->service == SVC_RC && !r->deadline)
		deadline_set(qp);
	sent(qp, s, request ? psn_add(s->psn, s->npsn) : psn_add(psn, 1));
	return true;
}

bool requester_run(struct qp *qp, int *budget)
{
	struct requester *r = qp->req;

	while (*budget > 0) {
		if ((qp->state != QP_RTS && qp->state != QP_DRAINING) || r->rnr_wait)
			return false;
		/* a retransmission skips messages without packets */
		while (r->tx != r->tail && !slot_at(r, r->tx)->npsn)
			r->tx++;
		if (r->tx == r->tail) {
			if (!may_start(qp))
				return false;
			start(qp);
			retire(qp);
		} else if (slot_at(r, r->tx)->err || !send_one(qp)) {
			return false;
		}
		(*budget)--;
	}
	return true;
}

/* --- retransmission ----------------------------------------------------------------------- */

/* Go-back-N: a read continues at its first missing response, all else from the oldest PSN. */
static void rewind_to_una(struct qp *qp)
{
	struct requester *r = qp->req;
	struct sq_slot *s = slot_at(r, r->head);

	if (r->head == r->tail)
		return;
	r->tx = r->head;
	r->tx_pkt = is_response_op(s->opcode) ? 0 : psn_ahead(r->una, s->psn);
	r->tx_loaded = 0;
	r->rewound = true;
	r->deadline = 0;
	qp_kick(qp);
}

/*
 * Retransmits from the oldest PSN. After the last retry it migrates to the alternate path, or
 * fails.
 */
static void try_again(struct qp *qp)
{
	struct requester *r = qp->req;

	if (r->head == r->tail)
		return;
	if (!qp->retry_left) {
		if (qp->pm_state != PM_ARMED) {
			count(qp->h, "retry_exceeded");
			slot_fail(qp, slot_at(r, r->head), SYN_RETRY);
			return;
		}
		qp_migrate(qp, true);
		qp->retry_left = qp->retry;
	} else {
		qp->retry_left--;
	}
	rewind_to_una(qp);
}

void requester_timer(struct qp *qp)
{
	struct requester *r = qp->req;
	u64 now;

	if (qp->state == QP_ERR || qp->state == QP_SQE)
		return;
	if (r->rnr_wait) {
		r->rnr_wait = false;
		rewind_to_una(qp);
		return;
	}
	if (!r->deadline)
		return;
	now = now_ns();
	if (now < r->deadline) {
		timer_arm(&qp->timer, r->deadline - now);
		return;
	}
	/*
	 * A real timer expires between one and four times its nominal value (IBTA 9.7.6). A second,
	 * shorter period lets packets be received that are already here if this process was late.
	 */
	if (!r->overtime) {
		r->overtime = true;
		timer_arm(&qp->timer, ack_timeout(qp) / 2 + 1);
		return;
	}
	count(qp->h, "ack_timeout");
	r->deadline = 0;
	try_again(qp);
}

/* --- responses ---------------------------------------------------------------------------- */

static void progress(struct qp *qp, u32 una)
{
	struct requester *r = qp->req;

	r->una = una;
	qp->last_acked = psn_add(una, PSN_MASK);
	qp->retry_left = qp->retry;
	qp->rnr_left = qp->path.rnr_retry;
	r->rewound = false;
	if (una == r->snd_max)
		r->deadline = 0;
	else
		deadline_set(qp);
	/* packets that were acknowledged since are not sent again */
	if (r->tx == r->head && r->tx != r->tail) {
		struct sq_slot *s = slot_at(r, r->head);
		u32 acked = psn_ahead(una, s->psn);

		if (!is_response_op(s->opcode) && acked > r->tx_pkt && acked <= s->npsn) {
			r->tx_pkt = acked;
			r->tx_loaded = 0;
		}
	}
	qp_kick(qp);
}

/*
 * Handles an ACK up to @psn. Returns false if an earlier read or atomic response is missing, which
 * is an implied NAK.
 */
static bool ack_through(struct qp *qp, u32 psn)
{
	struct requester *r = qp->req;
	u32 una = r->una;
	bool whole = true;

	for (;;) {
		struct sq_slot *s = slot_at(r, r->head);
		u32 n = psn_ahead(psn, s->psn);

		if (r->head == r->tail || n >= PSN_HALF || !s->npsn)
			break;
		if (is_response_op(s->opcode)) {
			whole = false;
			break;
		}
		una = psn_add(s->psn, n + 1 < s->npsn ? n + 1 : s->npsn);
		if (n + 1 < s->npsn)
			break;
		s->done = true;
		retire(qp);
		if (qp->state != QP_RTS && qp->state != QP_DRAINING && qp->state != QP_SQD)
			return true;
	}
	if (una != r->una)
		progress(qp, una);
	return whole;
}

/*
 * Handles a response that came instead of a missing one. More of them follow, so only the first one
 * causes a retransmission until there is progress. If the retransmission is lost, too, the timer
 * expires.
 */
static void implied_nak(struct qp *qp)
{
	count(qp->h, "implied_nak");
	if (!qp->req->rewound)
		try_again(qp);
}

/*
 * Completes all messages before the one that @psn belongs to, and returns its slot. Returns NULL if
 * a response is missing, @psn is out of range, or the QP has failed.
 */
static struct sq_slot *reach(struct qp *qp, u32 psn)
{
	struct requester *r = qp->req;
	struct sq_slot *s;

	if (psn != r->una && !ack_through(qp, psn_add(psn, PSN_MASK))) {
		implied_nak(qp);
		return NULL;
	}
	s = slot_at(r, r->head);
	if (qp->state == QP_ERR || r->head == r->tail || psn_ahead(psn, s->psn) >= s->npsn)
		return NULL;
	return s;
}

/* The receiver has no WQE: waits for the time in its RNR NAK, then retransmits. */
static void rx_rnr(struct qp *qp, u32 psn, u8 timer)
{
	struct requester *r = qp->req;
	struct sq_slot *s;

	if (r->rnr_wait)
		return;
	s = reach(qp, psn);
	if (!s)
		return;
	count(qp->h, "rnr_nak_received");
	if (!qp->rnr_left) {
		slot_fail(qp, s, SYN_RNR_RETRY);
		return;
	}
	if (qp->path.rnr_retry != RNR_INFINITE)
		qp->rnr_left--;
	r->rnr_wait = true;
	r->deadline = 0;
	timer_arm(&qp->timer, rnr_delay(timer));
}

static void rx_nak(struct qp *qp, u32 psn, u8 syndrome)
{
	static const u8 syndromes[] = {
		[1] = SYN_REMOTE_INVALID, [2] = SYN_REMOTE_ACCESS, [3] = SYN_REMOTE_OP
	};
	struct sq_slot *s = reach(qp, psn);
	u8 code = syndrome & 0x1f;

	if (!s)
		return;
	if (syndrome == NAK_SEQUENCE) {
		count(qp->h, "sequence_nak_received");
		try_again(qp);
	} else {
		slot_fail(qp, s, code < sizeof(syndromes) ? syndromes[code] : SYN_BAD_RESPONSE);
	}
}

static void rx_ack(struct qp *qp, const struct headers *hd)
{
	u8 syndrome = hd->ext[0];

	switch (syndrome & 0x60) {
	case AETH_ACK:
		if (!ack_through(qp, hd->psn))
			implied_nak(qp);
		break;
	case AETH_RNR:
		rx_rnr(qp, hd->psn, syndrome & 0x1f);
		break;
	case AETH_NAK:
		rx_nak(qp, hd->psn, syndrome);
		break;
	default:
		count(qp->h, "reserved_syndrome");
	}
}

/*
 * Returns the WQE that receives the response of the head. It is often the one that was sent last.
 */
static struct wqe *response_wqe(struct qp *qp)
{
	struct requester *r = qp->req;
	struct sq_slot *s = slot_at(r, r->head);
	struct wqe *w = r->tx_loaded == r->head + 1 ? &r->wqe : &r->rd;

	if (w == &r->rd && r->rd_loaded != r->head + 1) {
		if (!reload(qp, r->head, w))
			return NULL;
		r->rd_loaded = r->head + 1;
		sg_seek(w, &r->rd_pos, (u64)s->got * mtu_bytes(qp->mtu));
	} else if (!s->got) {
		r->rd_pos = (struct sg_pos){ 0 };
	}
	return w;
}

/* Scatters response data to the WQE. Returns 0 or the syndrome. */
static u8 scatter_response(struct qp *qp, const u8 *data, u32 len)
{
	struct wqe *w = len ? response_wqe(qp) : NULL;

	if (!len)
		return SYN_OK;
	if (!w)
		return SYN_LOCAL_QP_OP;
	if (sg_scatter(qp->h, qp->name, qp->pd, w, &qp->req->rd_pos, data, len))
		return SYN_LOCAL_PROT;
	return SYN_OK;
}

static void response_done(struct qp *qp, struct sq_slot *s, u32 psn)
{
	if (++s->got == s->npsn) {
		qp->req->reads--;
		s->done = true;
		retire(qp);
		if (qp->state == QP_ERR)
			return;
	}
	progress(qp, psn_add(psn, 1));
}

static void rx_read(struct qp *qp, const struct headers *hd)
{
	u32 mtu = mtu_bytes(qp->mtu);
	u8 op = hd->opcode & 0x1f;
	struct sq_slot *s = reach(qp, hd->psn);
	bool last;
	u32 len;
	u8 err;

	if (!s)
		return;
	last = s->got + 1 == s->npsn;
	len = last ? s->len - (u64)s->got * mtu : mtu;
	/* after a retransmitted request, a FIRST can come in the middle of the message */
	if (s->opcode != WQE_READ || last != (op == OP_READ_LAST || op == OP_READ_ONLY) ||
	    hd->paylen != len)
		err = SYN_BAD_RESPONSE;
	else
		err = scatter_response(qp, hd->payload, len);
	if (err)
		slot_fail(qp, s, err);
	else
		response_done(qp, s, hd->psn);
}

/* Operands are big-endian in packets, and in host order in memory (tavor-hw 13.9). */
static void rx_atomic(struct qp *qp, const struct headers *hd)
{
	struct sq_slot *s = reach(qp, hd->psn);
	u64 old = get64(hd->ext + AETH_LEN);
	u8 err;

	if (!s)
		return;
	old = hca_profile(qp->h)->host_big_endian ? htobe64(old) : htole64(old);
	if (s->opcode != WQE_CMP_SWAP && s->opcode != WQE_FETCH_ADD)
		err = SYN_BAD_RESPONSE;
	else
		err = scatter_response(qp, (const u8 *)&old, sizeof(old));
	if (err)
		slot_fail(qp, s, err);
	else
		response_done(qp, s, hd->psn);
}

void requester_rx(struct qp *qp, const struct headers *hd)
{
	struct requester *r = qp->req;

	if (qp->state != QP_RTS && qp->state != QP_DRAINING)
		return;
	if (psn_ahead(hd->psn, r->una) >= psn_ahead(r->snd_max, r->una)) {
		count(qp->h, "stale_response");
		return;
	}
	switch (hd->opcode & 0x1f) {
	case OP_ACK:
		rx_ack(qp, hd);
		break;
	case OP_ATOMIC_ACK:
		rx_atomic(qp, hd);
		break;
	default:
		rx_read(qp, hd);
	}
}
