// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/* The queue pairs of the small driver, see traffic.h. */
#include "traffic.h"

#include <stdio.h>
#include <stdlib.h>

static void must(const char *what, u8 status)
{
	if (!status)
		return;
	fprintf(stderr, "%s: status 0x%02x\n", what, status);
	exit(1);
}

/* --- port --------------------------------------------------------------------------------- */

/* Sends PortInfo for a port. The reply is the input of the next call. */
static void portinfo(u32 port, u8 method)
{
	u8 *mad = tc_in();

	mad[0] = 1;
	mad[1] = 1;
	mad[2] = 1;
	mad[3] = method;
	put16(mad + 16, 0x15);
	put32(mad + 20, port);
	must("MAD_IFC", tc_cmd(0x24, 3, port, tc_bus(tc_in()), tc_bus(tc_out()), NULL));
	memcpy(mad + 64, tc_out() + 64, 64);
}

static void init_ib(u32 port)
{
	memset(tc_in(), 0, 256);
	put32(tc_in(), 4u << 12 | 3u << 8 | 8u << 4);
	put16(tc_in() + 6, 32);
	put16(tc_in() + 10, 64);
	must("INIT_IB", tc_cmd_in(0x09, 0, port));
}

void tt_port_manage(u32 port, u16 lid)
{
	u8 *pi = tc_in() + 64, state;
	int i;

	for (i = 0; i < 100 && port_state(tc_hca(), port) < PORT_INIT; i++)
		tc_wait(1000000);
	memset(tc_in(), 0, 256);
	portinfo(port, 1);
	for (state = PORT_ARMED; state <= PORT_ACTIVE; state++) {
		put16(pi + 16, lid);
		put16(pi + 18, TT_LID);
		pi[32] = (pi[32] & 0xf0) | state;
		pi[33] &= 0x0f;
		pi[36] = 4 << 4;
		portinfo(port, 2);
	}
	if (port_state(tc_hca(), port) != PORT_ACTIVE) {
		fprintf(stderr, "port %u does not become active\n", port);
		exit(1);
	}
}

void tt_port_up(void)
{
	init_ib(1);
	init_ib(2);
	tt_port_manage(1, TT_LID);
}

/* --- contexts ----------------------------------------------------------------------------- */

void tt_init_mailbox(const struct tt_qp *q)
{
	u8 *c = tc_in() + 8;

	memset(tc_in(), 0, 0x108);
	put32(c, (u32)q->service << 16 | 3 << 11 | 1 << 8);
	put32(c + 0x0c, q->uar);
	put32(c + 0x20, q->port << 24);
	put32(c + 0x64, TC_PD);
	put32(c + 0x6c, q->key);
	put32(c + 0x7c, q->cqn);
	put32(c + 0x90, 0xe000 | 1 << 3 | (q->srqn ? 1 << 4 : 0));
	put32(c + 0x9c, q->cqn);
	put32(c + 0xa8, TT_QKEY);
	put32(c + 0xac, q->srqn ? 1 << 24 | q->srqn : 0);
}

void tt_make(struct tt_qp *q)
{
	u32 i, bytes = 2 * TT_RING * TT_STRIDE;

	q->port = q->port ? q->port : 1;
	q->cq_log = q->cq_log ? q->cq_log : TT_CQ_LOG;
	q->cqn = 0x80 | (q->qpn & 0x7f);
	q->cqes = tc_cq(q->cqn, q->cq_log);
	q->wqes = tc_alloc(bytes, 4096);
	q->key = tc_mr(q->wqes, bytes, 0, 0);
	for (i = 0; i < TT_RING; i++)
		put32(q->wqes + i * TT_STRIDE, ((i + 1) % TT_RING * TT_STRIDE) | 1);
	tt_init_mailbox(q);
	must("RST2INIT_QPEE", tc_cmd_in(0x19, 0, q->qpn));
}

void tt_rtr_mailbox(const struct tt_qp *q, u32 remote)
{
	bool datagram = q->service == SVC_UD || q->service == SVC_MLX;
	u8 *c = tc_in() + 8;

	memset(tc_in(), 0, 0x108);
	put32(c + 8, 4u << 29 | (datagram ? 11 : 31) << 24);
	put32(c + 0x14, remote);
	put16(c + 0x26, TT_LID);
	put32(c + 0x90, 2 << 21 | (q->srqn ? 1 << 4 : 0));
	put32(c + 0x94, 12 << 24);
	put32(c + 0x98, 0x600000 + (q->qpn & 2047) * 128);
}

void tt_rts_mailbox(const struct tt_qp *q)
{
	u8 *c = tc_in() + 8;

	memset(tc_in(), 0, 0x108);
	c[0x24] = 7 << 5;
	c[0x28] = 12 << 3;
	put32(c + 0x70, 10u << 28 | 9 << 24 | 2 << 21 | 3 << 16 | 0xe000);
}

void tt_connect(struct tt_qp *q, u32 remote)
{
	tt_rtr_mailbox(q, remote);
	must("INIT2RTR_QPEE", tc_cmd_in(0x1a, 0, q->qpn));
	tt_rts_mailbox(q);
	must("RTR2RTS_QPEE", tc_cmd_in(0x1b, 0, q->qpn));
}

u8 tt_state(const struct tt_qp *q)
{
	must("QUERY_QPEE", tc_cmd_out(0x22, 0, q->qpn));
	return tc_out()[8] >> 4;
}

/* --- queues ------------------------------------------------------------------------------- */

u32 tt_sq_addr(u32 i)
{
	return TT_SQ + i % TT_RING * TT_STRIDE;
}

u8 *tt_wqe(struct tt_qp *q)
{
	u8 *w = q->wqes + tt_sq_addr(q->sq);

	memset(w, 0, TT_STRIDE);
	put32(w + 8, 8 | 1);
	return w;
}

u8 *tt_sge(u8 *at, u32 key, u64 va, u32 len)
{
	put32(at, len);
	put32(at + 4, key);
	put64(at + 8, va);
	return at + 16;
}

void tt_ring_send(struct tt_qp *q, u32 addr, u8 op, u8 size)
{
	if (q->direct)
		qp_db_send(tc_hca(), q->uar, addr | op, q->qpn << 8 | size);
	else
		tc_db(q->uar, 0x10, addr | op, q->qpn << 8 | size);
}

void tt_send(struct tt_qp *q, u8 op, const u8 *end)
{
	u32 addr = tt_sq_addr(q->sq++);

	tt_ring_send(q, addr, op, (end - (q->wqes + addr)) / 16);
}

void tt_post(struct tt_qp *q, u8 op, u32 key, u64 va, u32 len, u64 remote)
{
	u8 *w = tt_wqe(q), *at = w + 16;

	if (op != WQE_SEND) {
		put64(at, remote);
		put32(at + 8, key);
		at += 16;
	}
	tt_send(q, op, tt_sge(at, key, va, len));
}

void tt_post_recv(struct tt_qp *q, u32 key, u64 va, u32 len)
{
	u32 addr = q->rq++ % TT_RING * TT_STRIDE;

	tt_sge(q->wqes + addr + 16, key, va, len);
	if (q->direct)
		qp_db_recv(tc_hca(), q->uar, addr | 2, q->qpn << 8 | 1);
	else
		tc_db(q->uar, 0x18, addr | 2, q->qpn << 8 | 1);
}

const u8 *tt_poll(struct tt_qp *q)
{
	u8 *e = q->cqes + (q->ci & ((1u << q->cq_log) - 1)) * 32;

	if (e[31] & 0x80)
		return NULL;
	e[31] = 0x80;
	q->ci++;
	if (q->direct)
		cq_db(tc_hca(), q->uar, 1u << 24 | q->cqn, 0);
	else
		tc_db(TC_UAR, 0x20, 1u << 24 | q->cqn, 0);
	return e;
}

const u8 *tt_wait(struct tt_qp *q)
{
	u64 end = now_ns() + 10000000000;
	const u8 *e;

	do {
		e = tt_poll(q);
		if (!e)
			tc_wait(100000);
	} while (!e && now_ns() < end);
	return e;
}
