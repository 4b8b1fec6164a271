// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Measures the speed of the model: RDMA writes, reads and sends between two QPs of one port, from
 * the doorbell to the CQE, with the real TPT, packets with ICRC, ports and CQs. It runs in one
 * thread, without QEMU, and reports operations per second of processor time.
 *
 *	bench_loopback [--seconds S] [NAME...]		names: see --list
 */
#include "fabric/wire.h"
#include "traffic.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define BUFFER (2u << 20)
#define VA 0x10000000u

static struct tt_qp a = { .qpn = 1024, .service = SVC_RC, .uar = TC_UAR, .direct = true };
static struct tt_qp b = { .qpn = 1025, .service = SVC_RC, .uar = TC_UAR, .direct = true };
static u32 key;

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

#define BENCHES (sizeof(benches) / sizeof(*benches))

static void set_up(void)
{
	tc_start("");
	if (wire_new_all())
		exit(1);
	tc_up();
	tt_port_up();
	key = tc_mr(tc_alloc(2 * BUFFER, 4096), 2 * BUFFER, 1 << 14 | 1 << 13 | 1 << 12 | 1 << 11,
		    VA);
	tt_make(&a);
	tt_make(&b);
	tt_connect(&a, b.qpn);
	tt_connect(&b, a.qpn);
}

static u32 reap(struct tt_qp *q)
{
	const u8 *e;
	u32 n = 0;

	while ((e = tt_poll(q))) {
		if (e[28] >= 0xfe) {
			fprintf(stderr, "bench_loopback: error CQE, syndrome 0x%02x\n", e[16]);
			exit(1);
		}
		n++;
	}
	return n;
}

/* The time is processor time, so that other programs on the machine have little effect. */
static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static u32 turn(void)
{
	loop_turn(false);
	reap(&b);
	return reap(&a);
}

static void run(const struct bench *t, double seconds)
{
	double start = now(), took;
	u64 done = 0;
	u32 out = 0, n;

	do {
		for (; out < t->depth; out++) {
			if (t->op == WQE_SEND)
				tt_post_recv(&b, key, VA + BUFFER, t->len);
			tt_post(&a, t->op, key, VA, t->len, VA + BUFFER);
		}
		n = turn();
		out -= n;
		done += n;
		took = now() - start;
	} while (took < seconds);
	while (out)
		out -= turn();
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
		for (i = 0; i < BENCHES; i++)
			puts(benches[i].name);
		return 0;
	}
	set_up();
	for (i = 0; i < BENCHES; i++)
		if (wanted(benches[i].name, argc, argv, first))
			run(&benches[i], seconds);
	if (tc_any_violation()) {
		fprintf(stderr, "bench_loopback: violations were recorded\n");
		return 1;
	}
	return 0;
}
