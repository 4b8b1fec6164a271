// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Work queue elements (tavor-hw 13). A process can write to them at any time, so each is copied
 * once, and only the copy is checked. Its size field limits each walk. An error is recorded against
 * the owner of the queue, and is the syndrome of an error CQE.
 */
#include "qp/qp.h"

#include <errno.h>

#define SEG 16u
#define CTRL_LEN 16u
#define UD_LEN 48u
#define RADDR_LEN 16u
#define ATOMIC_LEN 16u
#define BIND_LEN 32u

#define INLINE_BIT (1u << 31)
#define INLINE_BYTES 0x3ffu

#define FLAGS_RESERVED 0xfffffff0u /* all but C, E, S and bit 0 */
#define MLX_FLAGS_RESERVED 0xfffc80f0u
#define BIND_RIGHTS (7u << 29)

#define NDA_ADDR 0xffffffc0u
#define NDA_ONE 1u /* must be set in a receive link */
#define NDS_DBD 0x80u
#define NDS_FENCE 0x40u
#define NDS_SIZE 0x3fu

/*
 * A scatter list can end with a zero count and the invalid L_Key, which is 1, or 0x100 in mthca and
 * libmthca (tavor-hw 13.3).
 */
static bool terminator(const struct span *s)
{
	return !s->len && (s->key == 1 || s->key == 0x100);
}

static bool is_inline(const u8 *seg)
{
	return get32(seg) & INLINE_BIT;
}

/* Parses an inline segment at @off. Returns its 16-byte units, or 0 if it exceeds the WQE. */
static u32 parse_inline(struct wqe *w, u32 off, u32 end)
{
	u32 len = get32(w->raw + off) & INLINE_BYTES;
	u32 takes = (4 + len + SEG - 1) & ~(SEG - 1);

	if (off + takes > end)
		return 0;
	w->span[w->nspans++] = (struct span){ .bytes = w->raw + off + 4, .len = len };
	w->total += len;
	return takes;
}

/* Parses the data segments from @off to the end of the WQE. */
static bool parse_list(const struct hca *h, struct wqe *w, u32 off, bool inline_ok)
{
	u32 end = w->size * SEG;

	w->nspans = 0;
	w->total = 0;
	while (off + SEG <= end) {
		const u8 *seg = w->raw + off;
		struct span *s = &w->span[w->nspans];

		if (is_inline(seg)) {
			u32 takes = inline_ok ? parse_inline(w, off, end) : 0;

			if (!takes)
				return false;
			off += takes;
			continue;
		}
		*s = (struct span){ .len = get32(seg),
				    .key = get32(seg + 4),
				    .va = get64(seg + 8) };
		if (terminator(s))
			break;
		if (!s->len && opt_u64(h, "zero_is_2g"))
			s->len = 1u << 31;
		if (s->len) {
			w->nspans++;
			w->total += s->len;
		}
		off += SEG;
	}
	return true;
}

static void parse_raddr(struct wqe *w, u32 off)
{
	w->raddr = get64(w->raw + off);
	w->rkey = get32(w->raw + off + 8);
}

/* A read scatters its data, so it must not have inline segments. */
static bool parse_rdma(const struct hca *h, struct wqe *w)
{
	if (w->size * SEG < CTRL_LEN + RADDR_LEN)
		return false;
	parse_raddr(w, CTRL_LEN);
	return parse_list(h, w, CTRL_LEN + RADDR_LEN, w->opcode != WQE_READ);
}

static bool parse_atomic(const struct hca *h, struct wqe *w)
{
	u32 off = CTRL_LEN + RADDR_LEN;

	if (w->size * SEG < off + ATOMIC_LEN + SEG)
		return false;
	parse_raddr(w, CTRL_LEN);
	w->swap = get64(w->raw + off);
	w->compare = get64(w->raw + off + 8);
	return parse_list(h, w, off + ATOMIC_LEN, false);
}

/*
 * The access rights of a bind are checked when it executes, because earlier WQEs can still change
 * them.
 */
static bool parse_bind(struct wqe *w)
{
	const u8 *b = w->raw + CTRL_LEN;

	if (w->size * SEG < CTRL_LEN + BIND_LEN)
		return false;
	w->bind_flags = get32(b);
	w->bind_rkey = get32(b + 8);
	w->bind_lkey = get32(b + 12);
	w->bind_va = get64(b + 16);
	w->bind_len = get64(b + 24);
	w->nspans = 0;
	w->total = 0;
	return true;
}

static bool parse_ud(const struct hca *h, struct wqe *w)
{
	const u8 *u = w->raw + CTRL_LEN;

	if (w->size * SEG < CTRL_LEN + UD_LEN)
		return false;
	w->av_key = get32(u + 4);
	w->av_va = get64(u + 8);
	w->dqpn = get32(u + 0x20) & QPN_MASK;
	w->qkey = get32(u + 0x24);
	return parse_list(h, w, CTRL_LEN + UD_LEN, true);
}

/* The table of opcodes in tavor-hw 13.9 */
static bool opcode_allowed(u8 service, u8 opcode)
{
	switch (opcode) {
	case WQE_NOP:
	case WQE_SEND:
	case WQE_SEND_IMM:
		return true;
	case WQE_WRITE:
	case WQE_WRITE_IMM:
	case WQE_BIND:
		return service == SVC_RC || service == SVC_UC;
	case WQE_READ:
	case WQE_CMP_SWAP:
	case WQE_FETCH_ADD:
		return service == SVC_RC;
	default:
		return false;
	}
}

static bool parse_body(const struct hca *h, u8 service, struct wqe *w)
{
	switch (w->opcode) {
	case WQE_NOP:
		w->nspans = 0;
		w->total = 0;
		return true;
	case WQE_SEND:
	case WQE_SEND_IMM:
		return service == SVC_UD ? parse_ud(h, w) : parse_list(h, w, CTRL_LEN, true);
	case WQE_BIND:
		return parse_bind(w);
	case WQE_CMP_SWAP:
	case WQE_FETCH_ADD:
		return parse_atomic(h, w);
	default:
		return parse_rdma(h, w);
	}
}

/*
 * Returns whether reserved bits are set in segments without data. mlx_send() checks the flags of
 * MLX, which have another layout (tavor-hw 13.10).
 */
static bool reserved_set(u8 service, const struct wqe *w)
{
	const u8 *seg = w->raw + CTRL_LEN;

	if (service == SVC_MLX)
		return w->flags & MLX_FLAGS_RESERVED;
	if (w->flags & FLAGS_RESERVED)
		return true;
	switch (w->opcode) {
	case WQE_NOP:
		return false;
	case WQE_SEND:
	case WQE_SEND_IMM:
		return service == SVC_UD && (get32(seg) || get64(seg + 0x10) || get64(seg + 0x18) ||
					     get32(seg + 0x20) >> 24 || get64(seg + 0x28));
	case WQE_BIND:
		return (get32(seg) & ~BIND_RIGHTS) || get32(seg + 4);
	default:
		return get32(seg + 12);
	}
}

/* The address in a link is valid only with a size, which software writes last (tavor-hw 13.2). */
static void parse_ctrl(struct wqe *w)
{
	u32 nda = get32(w->raw), nds = get32(w->raw + 4);

	w->more = (nds & NDS_SIZE) && !(nds & NDS_DBD);
	w->next_addr = nda & NDA_ADDR;
	w->next_op = nda & 0x1f;
	w->next_size = nds & (NDS_SIZE | NDS_FENCE);
	w->flags = get32(w->raw + 8);
	w->imm = get32(w->raw + 12);
}

u8 wqe_fetch_send(struct qp *qp, u32 addr, u8 size, u8 opcode, struct wqe *w)
{
	u64 va = (u64)qp->wqe_hi << 32 | addr;

	w->addr = addr;
	w->size = size & NDS_SIZE;
	w->fence = size & NDS_FENCE;
	w->opcode = opcode;
	w->more = false;
	if (tpt_read(qp->h, qp->name, qp->wqe_lkey, qp->pd, va, w->raw, w->size * SEG,
		     TPT_LOCAL_READ)) {
		qp_blame(qp, RULE_WQE_FETCH,
			 "send WQE 0x%x of %u bytes not readable with L_Key 0x%x", addr,
			 w->size * SEG, qp->wqe_lkey);
		return SYN_LOCAL_PROT;
	}
	parse_ctrl(w);
	if (!opcode_allowed(qp->service, opcode)) {
		qp_blame(qp, RULE_WQE_OPCODE, "opcode 0x%x of WQE 0x%x with service type %u",
			 opcode, addr, qp->service);
		return SYN_LOCAL_QP_OP;
	}
	if (!parse_body(qp->h, qp->service, w)) {
		qp_blame(qp, RULE_WQE_FORMAT,
			 "WQE 0x%x, opcode 0x%x: %u units do not hold its segments", addr, opcode,
			 w->size);
		return SYN_LOCAL_QP_OP;
	}
	if (reserved_set(qp->service, w))
		qp_blame(qp, RULE_WQE_RESERVED, "WQE 0x%x, opcode 0x%x, flags 0x%08x", addr, opcode,
			 w->flags);
	return SYN_OK;
}

/* --- receive ------------------------------------------------------------------------------ */

/* Moves the doorbell to the WQE that the link in w->raw names, or removes it after its last WQE. */
static void recv_advance(const struct recv_source *s, struct wq_db *db, const struct wqe *w)
{
	u32 nda = get32(w->raw), nds = get32(w->raw + 4);
	bool whole = nda & NDA_ONE;

	s->fifo->wqes--;
	if (!--db->count) {
		s->fifo->head++;
		return;
	}
	if (!s->ds)
		whole = whole && (nds & NDS_SIZE);
	if (!whole) {
		blame(s->h, s->uar, RULE_WQE_RECV_LINK, s->who,
		      "receive WQE 0x%x: link 0x%08x 0x%08x, %u to go", w->addr, nda, nds,
		      db->count);
		wq_drop_first(s->fifo);
		return;
	}
	db->addr = nda & NDA_ADDR;
	db->size = nds & NDS_SIZE;
}

/*
 * A flush reads only the link, because the data segments may be invalid by then. If a WQE cannot be
 * fetched, the rest of its doorbell is dropped, because the WQE contains the link to the next one.
 */
enum take wqe_take_recv(const struct recv_source *s, struct wqe *w, bool body)
{
	struct wq_db *db = wq_first(s->fifo);
	u32 n;

	if (!db)
		return TAKE_EMPTY;
	w->addr = db->addr;
	w->size = s->ds ? s->ds : db->size & NDS_SIZE;
	n = body ? w->size * SEG : CTRL_LEN;
	if (tpt_read(s->h, s->who, s->lkey, s->pd, (u64)s->hi << 32 | w->addr, w->raw, n,
		     TPT_LOCAL_READ)) {
		blame(s->h, s->uar, RULE_WQE_FETCH, s->who,
		      "receive WQE 0x%x of %u bytes not readable with L_Key 0x%x", w->addr, n,
		      s->lkey);
		wq_drop_first(s->fifo);
		return TAKE_FETCH_FAILED;
	}
	recv_advance(s, db, w);
	w->flags = get32(w->raw + 8);
	if (body && !parse_list(s->h, w, CTRL_LEN, false)) {
		blame(s->h, s->uar, RULE_WQE_FORMAT, s->who,
		      "receive WQE 0x%x holds an inline segment", w->addr);
		return TAKE_MALFORMED;
	}
	return TAKE_OK;
}

/* --- scatter/gather ----------------------------------------------------------------------- */

void sg_seek(const struct wqe *w, struct sg_pos *pos, u64 offset)
{
	pos->span = 0;
	while (pos->span < w->nspans && offset >= w->span[pos->span].len)
		offset -= w->span[pos->span++].len;
	pos->off = pos->span < w->nspans ? offset : 0;
}

/* Returns the piece at @pos, of at most @len bytes, and advances. Returns NULL at the end. */
static const struct span *sg_next(const struct wqe *w, struct sg_pos *pos, u32 len, u32 *off,
				  u32 *n)
{
	const struct span *s;

	while (pos->span < w->nspans && pos->off >= w->span[pos->span].len) {
		pos->span++;
		pos->off = 0;
	}
	if (pos->span >= w->nspans)
		return NULL;
	s = &w->span[pos->span];
	*off = pos->off;
	*n = s->len - pos->off < len ? s->len - pos->off : len;
	pos->off += *n;
	return s;
}

/*
 * Keys are checked when their bytes are needed, as in hardware: a key may have been invalidated
 * since the WQE was fetched.
 */
int sg_gather(struct hca *h, const char *who, u32 pd, const struct wqe *w, struct sg_pos *pos,
	      u8 *buf, u32 len)
{
	while (len) {
		u32 off, n;
		const struct span *s = sg_next(w, pos, len, &off, &n);
		int err = 0;

		if (!s)
			return -EMSGSIZE;
		if (s->bytes)
			memcpy(buf, s->bytes + off, n);
		else
			err = tpt_read(h, who, s->key, pd, s->va + off, buf, n, TPT_LOCAL_READ);
		if (err)
			return err;
		buf += n;
		len -= n;
	}
	return 0;
}

int sg_scatter(struct hca *h, const char *who, u32 pd, const struct wqe *w, struct sg_pos *pos,
	       const u8 *buf, u32 len)
{
	while (len) {
		u32 off, n;
		const struct span *s = sg_next(w, pos, len, &off, &n);
		int err;

		if (!s)
			return -EMSGSIZE;
		err = tpt_write(h, who, s->key, pd, s->va + off, buf, n, TPT_LOCAL_WRITE);
		if (err)
			return err;
		buf += n;
		len -= n;
	}
	return 0;
}
