// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * How fast is the model? RDMA writes, reads and sends between two QPs of one port, from the doorbell to the CQE,
 * through the real TPT, packets with ICRC, ports and CQs, in one thread and without QEMU; per second of processor
 * time.
 *
 *	bench_loopback [--seconds S] [NAME...]		names: see --list
 */
#include "client.h"

#include "../packet.h"
#include "../qp.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define QP_A 1024u
#define QP_B 1025u
#define CQ_LOG 12
#define RING 256u
#define STRIDE 64u
#define BUFFER (2u << 20)
#define LID 1

static struct {
	struct hca *h;
	u8 *wqes[2], *cqes[2];
	u32 wqe_key[2], ci[2], sq, rq;
	u8 *from, *to;
	u32 key;
} b;

static void check(const char *what, u8 status)
{
	if (!status)
		return;
	fprintf(stderr, "bench_loopback: %s: status 0x%02x\n", what, status);
	exit(1);
}

/* --- set-up ----------------------------------------------------------------------------------------------- */

static void smp(u8 method)
{
	u8 *mad = tc_in();

	mad[0] = 1;
	mad[1] = 1;
	mad[2] = 1;
	mad[3] = method;
	put16(mad + 16, 0x15);
	put32(mad + 20, 1);
	check("MAD_IFC", tc_cmd(0x24, 3, 1, tc_bus(tc_in()), tc_bus(tc_out()), NULL));
	memcpy(mad + 64, tc_out() + 64, 64);
}

/* What a subnet manager would do. */
static void port_up(void)
{
	u8 state;

	memset(tc_in(), 0, 256);
	put32(tc_in(), 4u << 12 | 3u << 8 | 8u << 4);
	put16(tc_in() + 6, 32);
	put16(tc_in() + 10, 64);
	check("INIT_IB", tc_cmd_in(0x09, 0, 1));
	check("INIT_IB", tc_cmd_in(0x09, 0, 2));
	tc_wait(50000000);
	memset(tc_in(), 0, 256);
	smp(1);
	for (state = PORT_ARMED; state <= PORT_ACTIVE; state++) {
		put16(tc_in() + 64 + 16, LID);
		put16(tc_in() + 64 + 18, LID);
		tc_in()[64 + 32] = (tc_in()[64 + 32] & 0xf0) | state;
		tc_in()[64 + 33] &= 0x0f;
		tc_in()[64 + 36] = 4 << 4;
		smp(2);
	}
	if (port_state(b.h, 1) != PORT_ACTIVE) {
		fprintf(stderr, "bench_loopback: the port does not become active\n");
		exit(1);
	}
}

static void make_qp(int i)
{
	u32 qpn = QP_A + i, rings = 2 * RING * STRIDE, j;
	u8 *c = tc_in() + 8;

	b.wqes[i] = tc_alloc(rings, 4096);
	b.wqe_key[i] = tc_mr(b.wqes[i], rings, 0, 0);
	b.cqes[i] = tc_cq(0x80 + i, CQ_LOG);
	for (j = 0; j < RING; j++)
		put32(b.wqes[i] + j * STRIDE, ((j + 1) % RING * STRIDE) | 1);
	memset(tc_in(), 0, 0x108);
	put32(c, SVC_RC << 16 | 3 << 11 | 1 << 8);
	put32(c + 0x0c, TC_UAR);
	put32(c + 0x20, 1 << 24);
	put32(c + 0x64, TC_PD);
	put32(c + 0x6c, b.wqe_key[i]);
	put32(c + 0x7c, 0x80 + i);
	put32(c + 0x90, 0xe000 | 8);
	put32(c + 0x9c, 0x80 + i);
	check("RST2INIT_QPEE", tc_cmd_in(0x19, 0, qpn));
}

static void connect_qp(int i)
{
	u32 qpn = QP_A + i;
	u8 *c = tc_in() + 8;

	memset(tc_in(), 0, 0x108);
	put32(c + 8, 4u << 29 | 31 << 24);
	put32(c + 0x14, i ? QP_A : QP_B);
	put16(c + 0x26, LID);
	put32(c + 0x90, 2 << 21);
	put32(c + 0x94, 12 << 24);
	put32(c + 0x98, 0x600000 + (qpn & 2047) * 128);
	check("INIT2RTR_QPEE", tc_cmd_in(0x1a, 0, qpn));
	memset(tc_in(), 0, 0x108);
	c[0x24] = 7 << 5;
	c[0x28] = 18 << 3;
	put32(c + 0x70, 10u << 28 | 9 << 24 | 2 << 21 | 7 << 16 | 0xe000);
	check("RTR2RTS_QPEE", tc_cmd_in(0x1b, 0, qpn));
}

static void set_up(void)
{
	b.h = tc_start("");
	if (wire_new_all())
		exit(1);
	tc_up();
	port_up();
	b.from = tc_alloc(BUFFER, 4096);
	b.to = tc_alloc(BUFFER, 4096);
	b.key = tc_mr(b.from, 2 * BUFFER, 1 << 14 | 1 << 13 | 1 << 12 | 1 << 11, 0x10000000);
	make_qp(0);
	make_qp(1);
	connect_qp(0);
	connect_qp(1);
}

/* --- driving ------------------------------------------------------------------------------------------------ */

static void post_send(u8 op, u32 len)
{
	u32 i = b.sq++ % RING, at = RING * STRIDE + i * STRIDE;
	u8 *w = b.wqes[0] + at;
	u32 n = 16;

	put64(w, 0);
	put32(w + 8, 8 | 1);
	put32(w + 12, 0);
	if (op != WQE_SEND) {
		put64(w + n, 0x10000000 + BUFFER);
		put32(w + n + 8, b.key);
		put32(w + n + 12, 0);
		n += 16;
	}
	put32(w + n, len);
	put32(w + n + 4, b.key);
	put64(w + n + 8, 0x10000000);
	qp_db_send(b.h, TC_UAR, at | op, QP_A << 8 | (n + 16) / 16);
}

static void post_recv(u32 len)
{
	u32 at = b.rq++ % RING * STRIDE;
	u8 *w = b.wqes[1] + at;

	put32(w + 16, len);
	put32(w + 20, b.key);
	put64(w + 24, 0x10000000 + BUFFER);
	qp_db_recv(b.h, TC_UAR, at | 2, QP_B << 8 | 1);
}

static u32 reap(int i)
{
	u32 mask = (1u << CQ_LOG) - 1, n = 0;

	for (;;) {
		u8 *e = b.cqes[i] + (b.ci[i] & mask) * 32;

		if (e[31] & 0x80)
			break;
		if (e[28] >= 0xfe) {
			fprintf(stderr, "bench_loopback: error CQE, syndrome 0x%02x\n", e[16]);
			exit(1);
		}
		e[31] = 0x80;
		b.ci[i]++;
		n++;
	}
	if (n)
		cq_db(b.h, TC_UAR, 1u << 24 | (0x80 + i), n - 1);
	return n;
}

/* Processor time, so that what else runs on the machine does not count. */
static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

struct bench {
	const char *name, *what;
	u8 op;
	u32 len, depth;
};

static const struct bench benches[] = {
	{ "write_small", "RDMA write of 8 bytes", WQE_WRITE, 8, 64 },
	{ "send_small", "send of 8 bytes", WQE_SEND, 8, 64 },
	{ "read_small", "RDMA read of 8 bytes", WQE_READ, 8, 64 },
	{ "write_one", "RDMA write of 8 bytes, one at a time", WQE_WRITE, 8, 1 },
	{ "write_large", "RDMA write of 1 MB", WQE_WRITE, 1 << 20, 4 },
	{ "send_large", "send of 1 MB", WQE_SEND, 1 << 20, 4 },
	{ "read_large", "RDMA read of 1 MB", WQE_READ, 1 << 20, 4 },
};

static void run(const struct bench *t, double seconds)
{
	u64 done = 0;
	u32 out = 0;
	double start = now(), took;

	do {
		for (; out < t->depth; out++) {
			if (t->op == WQE_SEND)
				post_recv(t->len);
			post_send(t->op, t->len);
		}
		loop_turn(false);
		u32 n = reap(0);

		reap(1);
		out -= n;
		done += n;
		took = now() - start;
	} while (took < seconds);
	while (out) {
		loop_turn(false);
		out -= reap(0);
		reap(1);
	}
	printf("%-12s %-40s %10.0f messages/s %8.3f GB/s\n", t->name, t->what, done / took,
	       done * (double)t->len / took / 1e9);
	fflush(stdout);
}

static bool wanted(const char *name, int argc, char **argv, int first)
{
	int i;

	for (i = first; i < argc; i++)
		if (!strcmp(argv[i], name))
			return true;
	return first >= argc;
}

int main(int argc, char **argv)
{
	double seconds = 1;
	int first = 1;
	size_t i;

	if (argc > 2 && !strcmp(argv[1], "--seconds")) {
		seconds = atof(argv[2]);
		first = 3;
	}
	if (argc == 2 && !strcmp(argv[1], "--list")) {
		for (i = 0; i < sizeof(benches) / sizeof(*benches); i++)
			puts(benches[i].name);
		return 0;
	}
	set_up();
	for (i = 0; i < sizeof(benches) / sizeof(*benches); i++)
		if (wanted(benches[i].name, argc, argv, first))
			run(&benches[i], seconds);
	if (tc_any_violation()) {
		fprintf(stderr, "bench_loopback: violations were recorded\n");
		return 1;
	}
	return 0;
}
