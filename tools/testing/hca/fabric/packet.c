// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/* Packets: the free list, and the headers from LRH to ICRC. */
#include "fabric/packet.h"

#include <stdio.h>
#include <stdlib.h>

#define FREE_MAX 4096u

/*
 * A packet is allocated for a few turns of the loop only, so packets are reused. The list is
 * limited: otherwise the model would keep the memory of a burst for ever.
 */
static struct packet *free_list;
static u32 free_len;
static u32 live;

struct packet *packet_alloc(void)
{
	struct packet *p = free_list;

	if (p) {
		free_list = p->next;
		free_len--;
	} else {
		p = malloc(sizeof(*p) + PACKET_ROOM);
		if (!p) {
			fprintf(stderr, "tavor-hca: out of memory for packets\n");
			exit(1);
		}
	}
	p->next = NULL;
	p->len = 0;
	p->hops = 0;
	live++;
	return p;
}

void packet_put(struct packet *p)
{
	live--;
	if (free_len >= FREE_MAX) {
		free(p);
		return;
	}
	p->next = free_list;
	free_list = p;
	free_len++;
}

struct packet *packet_copy(const struct packet *pkt)
{
	struct packet *copy = packet_alloc();

	copy->len = pkt->len;
	copy->hops = pkt->hops;
	memcpy(copy->data, pkt->data, pkt->len);
	return copy;
}

u32 packets_live(void)
{
	return live;
}

/*
 * The size of the extended headers after the BTH, by the low five bits of the opcode (IBTA 9.2.1).
 * UC has a subset of the opcodes, with the same headers.
 */
static const signed char connected_ext[32] = {
	[OP_SEND_FIRST] = 0,
	[OP_SEND_MIDDLE] = 0,
	[OP_SEND_LAST] = 0,
	[OP_SEND_LAST_IMM] = IMMDT_LEN,
	[OP_SEND_ONLY] = 0,
	[OP_SEND_ONLY_IMM] = IMMDT_LEN,
	[OP_WRITE_FIRST] = RETH_LEN,
	[OP_WRITE_MIDDLE] = 0,
	[OP_WRITE_LAST] = 0,
	[OP_WRITE_LAST_IMM] = IMMDT_LEN,
	[OP_WRITE_ONLY] = RETH_LEN,
	[OP_WRITE_ONLY_IMM] = RETH_LEN + IMMDT_LEN,
	[OP_READ_REQUEST] = RETH_LEN,
	[OP_READ_FIRST] = AETH_LEN,
	[OP_READ_MIDDLE] = 0,
	[OP_READ_LAST] = AETH_LEN,
	[OP_READ_ONLY] = AETH_LEN,
	[OP_ACK] = AETH_LEN,
	[OP_ATOMIC_ACK] = AETH_LEN + ATOMICACKETH_LEN,
	[OP_CMP_SWAP] = ATOMICETH_LEN,
	[OP_FETCH_ADD] = ATOMICETH_LEN,
};

/*
 * Returns -1 for undefined opcodes, and for RD and the raw services, which the model does not have.
 */
int bth_ext_len(u8 opcode)
{
	u8 op = opcode & 0x1f;

	switch (opcode & 0xe0) {
	case CLASS_RC:
		return op <= OP_FETCH_ADD ? connected_ext[op] : -1;
	case CLASS_UC:
		return op <= OP_WRITE_ONLY_IMM ? connected_ext[op] : -1;
	case CLASS_UD:
		if (op == OP_SEND_ONLY)
			return DETH_LEN;
		return op == OP_SEND_ONLY_IMM ? (int)(DETH_LEN + IMMDT_LEN) : -1;
	default:
		return -1;
	}
}

static void parse_bth(const u8 *bth, struct headers *hd)
{
	hd->opcode = bth[0];
	hd->se = bth[1] & 0x80;
	hd->mig = bth[1] & 0x40;
	hd->pkey = get16(bth + 2);
	hd->dqpn = get32(bth + 4) & QPN_MASK;
	hd->ackreq = bth[8] & 0x80;
	hd->psn = get32(bth + 8) & PSN_MASK;
}

/*
 * Packets of this process are well-formed. But those of a remote cable come from another process,
 * and a fault may have damaged any packet. So each length is checked before its bytes are read.
 */
const char *packet_parse(const struct packet *p, struct headers *hd)
{
	const u8 *at = p->data;
	u32 need = LRH_LEN + BTH_LEN + ICRC_LEN;
	u8 lnh = at[1] & 3;
	int ext;

	if (p->len < need || p->len > PACKET_ROOM)
		return "length out of range";
	if ((get16(at + 4) & 0x7ffu) * 4 != p->len)
		return "LRH length disagrees";
	if (lnh != LNH_LOCAL && lnh != LNH_GLOBAL)
		return "raw packet";
	hd->vl = at[0] >> 4;
	hd->sl = at[1] >> 4;
	hd->dlid = get16(at + 2);
	hd->slid = get16(at + 6);
	hd->grh = NULL;
	at += LRH_LEN;
	if (lnh == LNH_GLOBAL) {
		need += GRH_LEN;
		if (p->len < need)
			return "GRH cut short";
		if (at[6] != 0x1b || at[0] >> 4 != 6)
			return "not an IBA GRH";
		hd->grh = at;
		at += GRH_LEN;
	}
	parse_bth(at, hd);
	ext = bth_ext_len(hd->opcode);
	if (ext < 0)
		return "unknown opcode";
	/* the pad count is included, so that a payload shorter than its padding is refused */
	need += ext + (at[1] >> 4 & 3);
	if (p->len < need)
		return "headers cut short";
	hd->ext = at + BTH_LEN;
	hd->payload = hd->ext + ext;
	hd->paylen = p->len - need;
	return NULL;
}

bool packet_icrc_ok(const struct packet *p)
{
	u32 n = p->len - ICRC_LEN;

	return get32(p->data + n) == icrc_compute(p->data, n);
}

u8 *put_lrh(u8 *at, const struct lrh *l)
{
	at[0] = l->vl << 4;
	at[1] = l->sl << 4 | (l->grh ? LNH_GLOBAL : LNH_LOCAL);
	put16(at + 2, l->dlid);
	put16(at + 4, 0);
	put16(at + 6, l->slid);
	return at + LRH_LEN;
}

u8 *put_grh(u8 *at, const struct grh *g)
{
	put32(at, 6u << 28 | (u32)g->tclass << 20 | (g->flow_label & 0xfffff));
	put16(at + 4, 0);
	at[6] = 0x1b;
	at[7] = g->hop_limit;
	memcpy(at + 8, g->sgid, 16);
	memcpy(at + 24, g->dgid, 16);
	return at + GRH_LEN;
}

u8 *put_bth(u8 *at, const struct bth *b)
{
	at[0] = b->opcode;
	at[1] = (b->se ? 0x80 : 0) | (b->mig ? 0x40 : 0) | b->pad << 4;
	put16(at + 2, b->pkey);
	put32(at + 4, b->dqpn & QPN_MASK);
	put32(at + 8, (b->ackreq ? 1u << 31 : 0) | (b->psn & PSN_MASK));
	return at + BTH_LEN;
}

/*
 * The lengths are set last, when the end of the payload is known. The LRH counts words through the
 * ICRC, the GRH counts the bytes after itself (IBTA 7.7, 8.3).
 */
void packet_seal(struct packet *p, u8 *end)
{
	u32 n = end - p->data;

	put16(p->data + 4, (n + ICRC_LEN) / 4);
	if ((p->data[1] & 3) == LNH_GLOBAL)
		put16(p->data + LRH_LEN + 4, n + ICRC_LEN - LRH_LEN - GRH_LEN);
	put32(end, icrc_compute(p->data, n));
	p->len = n + ICRC_LEN;
}
