// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * libFuzzer target: work queues and doorbells, as a process with a doorbell page can corrupt them.
 *
 * Input: a byte for the service, then records of kind, position and length, and this number of
 * bytes. A record is written over a valid WQE, or is a doorbell, a command, a period of time, or
 * some work. The link drops packets now and then.
 */
#include "qp_fakes.h"

#define REMOTE 0x400000u
#define TURNS 3000

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static struct tqp a, b;
static u32 link_count;

static int drop_some(struct packet *p, const struct headers *hd)
{
	return ++link_count % 11 ? 1 : link_count % 3 - 1 < 0 ? 2 : 0;
}

static void turns(u32 n)
{
	while (n-- && turn())
		;
}

static void good_wqes(struct tqp *q)
{
	static const u8 ops[] = { WQE_SEND,	WQE_WRITE,     WQE_READ,
				  WQE_SEND_IMM, WQE_FETCH_ADD, WQE_WRITE_IMM };
	u8 *av = mem + MEM_SIZE - (1 << 16);
	u32 i;

	memset(av, 0, 64);
	put32(av, 1 << 24 | FAKE_PD);
	put16(av + 6, FAKE_LID);
	av[0x0a] = 3 << 4;
	for (i = 0; i < RING; i++) {
		u8 op = q->service == SVC_UD ? WQE_SEND : ops[i % sizeof(ops)];
		struct twr w =
			wr_rdma(op, i * 4096, op == WQE_FETCH_ADD ? 8 : i * 37, REMOTE + i * 4096);
		u8 size;

		w.dqpn = b.qpn;
		w.qkey = 0x11111111;
		size = put_wqe(q, i, &w);
		put32(mem + q->at + sq_addr(q, i + RING - 1), sq_addr(q, i) | op);
		put32(mem + q->at + sq_addr(q, i + RING - 1) + 4, size | (i % 5 ? 0 : 0x80));
	}
}

static void start(u8 how)
{
	static const u8 services[] = { SVC_RC, SVC_UC, SVC_UD };

	fake_no_data = true;
	fake_up();
	pair(&a, &b, services[how % 3]);
	link_filter = how & 0x80 ? drop_some : NULL;
	link_count = how;
	good_wqes(&a);
	post_recv(&b, 20, REMOTE, 3000);
}

static void command(u8 n)
{
	static const u16 ops[] = { 0x1e, 0x1f, 0x20, 0x1c, 0x1d, 0x38, 0x21 };
	const struct tqp *q = n & 0x80 ? &b : &a;
	u16 op = ops[n % 7];

	mbox_clear(n & 0x40 ? 1 << 10 : 0);
	run(op, q->qpn | (op == 0x1f ? 1u << 31 : 0), op == 0x21 ? 3 : 0);
	if (op == 0x21) {
		to_init(q);
		to_rts(q, q == &a ? b.qpn : a.qpn);
	}
}

static const u8 *record(const u8 *d, const u8 *end)
{
	struct tqp *q = d[0] & 0x80 ? &b : &a;
	u32 len = d[2] < end - d - 3 ? d[2] : (u32)(end - d - 3);
	u8 arg[8] = { 0 };

	memcpy(arg, d + 3, len < 8 ? len : 8);
	switch (d[0] & 7) {
	case 0:
		memcpy(mem + q->at + sq_addr(q, d[1]), d + 3, len);
		break;
	case 1:
		memcpy(mem + q->at + rq_addr(d[1]), d + 3, len);
		break;
	case 2:
		ring_send(q, sq_addr(q, d[1]), arg[0] & 0x1f, arg[1] & 0x3f, arg[1] & 0x40);
		break;
	case 3:
		qp_db_send(&fake, FAKE_UAR, get32(arg), get32(arg + 4));
		break;
	case 4:
		qp_db_recv(&fake, FAKE_UAR, rq_addr(d[1]) | (arg[0] & 0x3f), q->qpn << 8 | arg[1]);
		break;
	case 5:
		command(d[1]);
		break;
	case 6:
		turns(d[1]);
		break;
	case 7:
		if (d[1] & 1)
			mem[MEM_SIZE - (1 << 16) + (d[1] >> 1 & 31)] = arg[0];
		else
			fake_now += (u64)d[1] << 16;
		break;
	}
	return d + 3 + len;
}

/* Runs each due timer once. */
static void timers(void)
{
	int i;

	for (i = 0; i < FAKE_TIMERS; i++) {
		struct hca_timer *t = fake_timer[i].t;

		if (!t || fake_timer[i].when > fake_now)
			continue;
		timer_cancel(t);
		t->fn(t);
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	const u8 *end = data + size;
	int i;

	if (size < 4)
		return 0;
	tap_ok = true;
	start(*data++);
	while (end - data > 3) {
		data = record(data, end);
		timers();
	}
	for (i = 0; i < 4; i++) {
		turns(TURNS);
		fake_now += 2000000;
		timers();
	}
	qp_reset_all(&fake);
	if (!tap_ok)
		abort();
	return 0;
}
