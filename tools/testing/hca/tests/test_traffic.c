// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Traffic through the whole model, over the socket, for cases that need the real memory keys, CQs,
 * ports and clock together. Details of the transport are in test_qp_rc and similar tests.
 */
#include "tap.h"
#include "traffic.h"

#include "core/options.h"
#include "fabric/wire.h"

#include <stdlib.h>

#define VA 0x10000000u
#define HALF (1u << 20)
#define ACCESS (1 << 15 | 1 << 14 | 1 << 13 | 1 << 12 | 1 << 11)

static struct tt_qp a, b;
static u32 key;
static u8 *data;

static void make(struct tt_qp *q, u32 qpn, u8 service)
{
	*q = (struct tt_qp){ .qpn = qpn, .service = service, .uar = TC_UAR, .cq_log = 6 };
	tt_make(q);
}

static void up(u8 service)
{
	u32 i;

	tc_fresh();
	tc_up();
	tt_port_up();
	data = tc_alloc(2 * HALF, 4096);
	key = tc_mr(data, 2 * HALF, ACCESS, VA);
	for (i = 0; i < HALF; i++)
		data[i] = i * 5 + (i >> 8);
	make(&a, 1024, service);
	make(&b, 1025, service);
	tt_connect(&a, b.qpn);
	tt_connect(&b, a.qpn);
}

static void completes(struct tt_qp *q, u8 opcode)
{
	const u8 *e = tt_wait(q);

	CHECK(e);
	if (!e)
		return;
	CHECK_EQ(e[0x1c], opcode);
	if (e[0x1c] >= 0xfe)
		printf("# syndrome 0x%02x\n", e[0x10]);
}

static void fails(struct tt_qp *q, u8 syndrome)
{
	const u8 *e = tt_wait(q);

	CHECK(e && e[0x1c] >= 0xfe);
	CHECK_EQ(e ? e[0x10] : 0, syndrome);
}

static void a_megabyte_each_way(void)
{
	up(SVC_RC);
	tt_post_recv(&b, key, VA + HALF, HALF);
	tt_post(&a, WQE_SEND, key, VA, HALF, 0);
	completes(&a, WQE_SEND);
	completes(&b, OP_SEND_LAST);
	CHECK(!memcmp(data, data + HALF, HALF));
	memset(data + HALF, 0, HALF);
	tt_post(&a, WQE_WRITE, key, VA, HALF, VA + HALF);
	completes(&a, WQE_WRITE);
	CHECK(!memcmp(data, data + HALF, HALF));
	memset(data, 0, HALF / 2);
	tt_post(&a, WQE_READ, key, VA, HALF, VA + HALF);
	completes(&a, WQE_READ);
	CHECK(!memcmp(data, data + HALF, HALF));
	CHECK_EQ(tc_any_violation(), 0);
}

static void atomics_change_host_memory(void)
{
	u64 v = 40;
	u8 *w, *at;

	up(SVC_RC);
	memcpy(data + HALF, &v, 8);
	w = tt_wqe(&a);
	put64(w + 16, VA + HALF);
	put32(w + 24, key);
	put64(w + 32, 2);
	at = tt_sge(w + 48, key, VA, 8);
	tt_send(&a, WQE_FETCH_ADD, at);
	completes(&a, WQE_FETCH_ADD);
	memcpy(&v, data, 8);
	CHECK_EQ(v, 40);
	memcpy(&v, data + HALF, 8);
	CHECK_EQ(v, 42);
}

/* --- memory windows ----------------------------------------------------------------------- */

#define WINDOW 0x105u

static void post_bind(u32 rkey, u32 flags, u64 va, u64 len)
{
	u8 *w = tt_wqe(&b);

	put32(w + 16, flags);
	put32(w + 24, rkey);
	put32(w + 28, key);
	put64(w + 32, va);
	put64(w + 40, len);
	tt_send(&b, WQE_BIND, w + 48);
}

static void post_write_by(u32 rkey, u64 va)
{
	u8 *w = tt_wqe(&a);

	put64(w + 16, va);
	put32(w + 24, rkey);
	tt_send(&a, WQE_WRITE, tt_sge(w + 32, key, VA, 100));
}

static void window_up(void)
{
	up(SVC_RC);
	memset(tc_in(), 0, 64);
	put32(tc_in() + 8, WINDOW);
	put32(tc_in() + 12, TC_PD);
	CHECK_EQ(tc_cmd_in(0x0d, 0, WINDOW & 1023), 0);
}

static void a_window_opens_and_closes(void)
{
	window_up();
	post_bind(WINDOW + 1024, 1 << 30, VA + HALF, 4096);
	completes(&b, WQE_BIND);
	post_write_by(WINDOW + 1024, VA + HALF);
	completes(&a, WQE_WRITE);
	CHECK(!memcmp(data, data + HALF, 100));
	/* a region with a bound window cannot be deregistered */
	CHECK_EQ(tc_cmd(0x0f, 1, key, 0, 0, NULL), CMD_REG_BOUND);
	post_bind(WINDOW + 2048, 0, 0, 0);
	completes(&b, WQE_BIND);
	post_write_by(WINDOW + 1024, VA + HALF);
	fails(&a, SYN_REMOTE_ACCESS);
	CHECK_EQ(tt_state(&b), QP_ERR);
	CHECK_EQ(tc_any_violation(), 0);
}

static void a_window_ends_where_it_was_bound(void)
{
	window_up();
	post_bind(WINDOW + 1024, 1 << 30, VA + HALF, 4096);
	completes(&b, WQE_BIND);
	post_write_by(WINDOW + 1024, VA + HALF + 4000);
	fails(&a, SYN_REMOTE_ACCESS);
}

static void a_window_outside_its_region_is_not_bound(void)
{
	window_up();
	post_bind(WINDOW + 1024, 1 << 30, VA + 2 * HALF - 8, 4096);
	fails(&b, SYN_BIND);
	CHECK_EQ(tt_state(&b), QP_ERR);
}

/* --- CQs under traffic -------------------------------------------------------------------- */

static void resize_cq(struct tt_qp *q, u32 log)
{
	u8 *fresh = tc_alloc(32u << log, 4096), *old = q->cqes;
	u32 mask = (1u << q->cq_log) - 1, i;

	for (i = 0; i < 1u << log; i++)
		fresh[32 * i + 31] = 0x80;
	memset(tc_in(), 0, 64);
	put64(tc_in() + 4, tc_bus(fresh));
	tc_in()[0x0c] = log;
	put32(tc_in() + 0x1c, TC_KEY);
	CHECK_EQ(tc_cmd(0x2c, 1, q->cqn, tc_bus(tc_in()), 0, NULL), 0);
	/* the fixed flow of tavor-hw 11.7, as libmthca executes it */
	q->ci &= mask;
	if (!(old[mask * 32 + 31] & 0x80))
		q->ci -= mask + 1;
	for (i = q->ci; !(old[(i & mask) * 32 + 31] & 0x80); i++)
		memcpy(fresh + (i & ((1u << log) - 1)) * 32, old + (i & mask) * 32, 32);
	q->cqes = fresh;
	q->cq_log = log;
}

static void a_cq_is_resized_under_traffic(void)
{
	static const u32 logs[] = { 7, 4, 5, 8, 3, 6 };
	u32 sent = 0, done = 0, i, j;

	up(SVC_RC);
	for (i = 0; i < 60; i++) {
		/* some sends complete before the resize, some during it, some after it */
		for (j = 0; j < 1 + i % 5; j++, sent++)
			tt_post(&a, WQE_WRITE, key, VA, 3000 + j, VA + HALF);
		if (i % 3)
			tc_settle();
		resize_cq(&a, logs[i % 6]);
		for (; done < sent; done++)
			completes(&a, WQE_WRITE);
	}
	CHECK(!tt_poll(&a));
	CHECK_EQ(tc_any_violation(), 0);
}

/* --- datagrams ---------------------------------------------------------------------------- */

static u8 *post_datagram(u32 len)
{
	u8 *w = tt_wqe(&a), *av = data + HALF;

	memset(av, 0, 32);
	put32(av, 1 << 24 | TC_PD);
	put16(av + 6, TT_LID);
	av[0x0a] = 3 << 4;
	put32(w + 20, key);
	put64(w + 24, VA + HALF);
	put32(w + 16 + 0x20, b.qpn);
	put32(w + 16 + 0x24, TT_QKEY);
	/* the headers fill the slot, so the list is in the next slot */
	tt_sge(w + 64, key, VA, len);
	tt_send(&a, WQE_SEND, w + 80);
	a.sq++;
	return data + HALF + 64;
}

static void a_datagram_arrives(void)
{
	const u8 *e;

	up(SVC_UD);
	tt_post_recv(&b, key, VA + HALF + 64, 2088);
	post_datagram(2000);
	completes(&a, WQE_SEND);
	e = tt_wait(&b);
	CHECK(e && e[0x1c] == OP_SEND_ONLY && get32(e + 0x14) == 2040);
	CHECK(e && get32(e + 8) == a.qpn && get16(e + 0x0e) == TT_LID);
	CHECK(!memcmp(data + HALF + 64 + 40, data, 2000));
	CHECK_EQ(tc_any_violation(), 0);
}

/* --- errors ------------------------------------------------------------------------------- */

static void a_pulled_cable_ends_in_retry_exceeded(void)
{
	char why[OPT_WHY];

	up(SVC_RC);
	CHECK_EQ(opt_set(OPT_ALL, "unplug", "1", why), 0);
	tc_settle();
	tt_post(&a, WQE_WRITE, key, VA, 100, VA + HALF);
	fails(&a, SYN_RETRY);
	CHECK_EQ(tt_state(&a), QP_ERR);
	CHECK_EQ(opt_set(OPT_ALL, "unplug", "", why), 0);
}

static void arm_alternate_path(struct tt_qp *q)
{
	u8 *c = tc_in() + 8;

	memset(tc_in(), 0, 0x108);
	put32(tc_in(), 1 << 0 | 1 << 10 | 1 << 13); /* path, migration state, RNR retry */
	put32(c, 1 << 11);
	put32(c + 0x40, 2 << 24);
	c[0x44] = 7 << 5;
	put16(c + 0x46, TT_LID + 1);
	c[0x48] = 12 << 3;
	CHECK_EQ(tc_cmd_in(0x1c, 0, q->qpn), 0);
}

static u8 migration_state(const struct tt_qp *q)
{
	CHECK_EQ(tc_cmd_out(0x22, 0, q->qpn), 0);
	return get32(tc_out() + 8) >> 11 & 3;
}

/*
 * The cable of port 1 is pulled. Both ends migrate to port 2, and each reports it once
 * (tavor-hw 12.7, IBTA 17.2.8).
 */
static void a_connection_outlives_its_cable(void)
{
	char why[OPT_WHY];
	u32 moved = 0, i;
	const u8 *e;

	up(SVC_RC);
	tt_port_manage(2, TT_LID + 1);
	arm_alternate_path(&a);
	arm_alternate_path(&b);
	CHECK_EQ(migration_state(&a), PM_REARM);
	for (i = 0; i < 2; i++) { /* both directions, so that both sides receive the M bit */
		tt_post(i ? &b : &a, WQE_WRITE, key, VA, 100, VA + HALF);
		completes(i ? &b : &a, WQE_WRITE);
	}
	CHECK_EQ(migration_state(&a), PM_ARMED);
	CHECK_EQ(migration_state(&b), PM_ARMED);
	while (tc_eqe(TC_EQ_ASYNC))
		;
	CHECK_EQ(opt_set(OPT_ALL, "unplug", "1", why), 0);
	tt_post(&a, WQE_WRITE, key, VA, 5000, VA + HALF);
	completes(&a, WQE_WRITE);
	CHECK(!memcmp(data, data + HALF, 5000));
	CHECK_EQ(migration_state(&a), PM_MIGRATED);
	CHECK_EQ(migration_state(&b), PM_MIGRATED);
	CHECK_EQ(get32(tc_out() + 0x28) >> 24, 2);
	while ((e = tc_eqe(TC_EQ_ASYNC)))
		if (e[1] == EV_PATH_MIG)
			moved += get32(e + 4) == a.qpn ? 1 : 16;
	CHECK_EQ(moved, 17);
	tt_post(&b, WQE_READ, key, VA, 5000, VA + HALF);
	completes(&b, WQE_READ);
	CHECK_EQ(opt_set(OPT_ALL, "unplug", "", why), 0);
	CHECK_EQ(tc_any_violation(), 0);
}

static void losses_and_reordering_are_repaired(void)
{
	char why[OPT_WHY];
	u32 i;

	up(SVC_RC);
	CHECK_EQ(opt_set(OPT_ALL, "packet_fault", "drop,prob=0.02", why), 0);
	CHECK_EQ(opt_set(OPT_ALL, "packet_fault", "dup,prob=0.02", why), 0);
	CHECK_EQ(opt_set(OPT_ALL, "packet_fault", "reorder,prob=0.02", why), 0);
	for (i = 0; i < 8; i++) {
		tt_post_recv(&b, key, VA + HALF + i * 0x10000, 50000);
		tt_post(&a, WQE_SEND, key, VA + i * 0x10000, 50000, 0);
		completes(&a, WQE_SEND);
		completes(&b, OP_SEND_LAST);
		CHECK(!memcmp(data + i * 0x10000, data + HALF + i * 0x10000, 50000));
	}
	CHECK_EQ(opt_set(OPT_ALL, "packet_fault", "", why), 0);
	CHECK_EQ(tc_any_violation(), 0);
}

/*
 * The untranslated key covers all addresses. An access to memory that is not mapped is an error of
 * the driver.
 */
static void memory_that_is_not_mapped_is_a_violation(void)
{
	up(SVC_RC);
	tt_post(&a, WQE_WRITE, TC_KEY, TC_IOVA + TC_RAM, 8, VA + HALF);
	fails(&a, SYN_LOCAL_PROT);
	CHECK(tc_violations(RULE_DMA_UNMAPPED) > 0);
}

static void reset_while_everything_is_moving(void)
{
	u32 i;

	up(SVC_RC);
	for (i = 0; i < 20; i++) {
		tt_post(&a, WQE_WRITE, key, VA, HALF, VA + HALF);
		tt_post(&b, WQE_READ, key, VA, HALF, VA + HALF);
	}
	tc_reg_write(0xf0010, 1);
	tc_wait(50000000);
	up(SVC_RC);
	tt_post(&a, WQE_WRITE, key, VA, 100, VA + HALF);
	completes(&a, WQE_WRITE);
}

static bool alarm_rung;

static void ring_alarm(struct hca_timer *t)
{
	alarm_rung = true;
}

/*
 * Idle connected QPs use no processor time: in a third of a second, the loop wakes up only for
 * timers that are already obsolete.
 */
static void connected_queues_sleep(void)
{
	struct hca_timer t = { .priv = NULL };
	unsigned int turns = 0;

	up(SVC_RC);
	tt_post_recv(&b, key, VA + HALF, 1000);
	tt_post_recv(&b, key, VA + HALF, 1000);
	tt_post(&a, WQE_SEND, key, VA, 1000, 0);
	completes(&a, WQE_SEND);
	completes(&b, OP_SEND_ONLY);
	tc_wait(100000000); /* longer than any ack timeout here */
	alarm_rung = false;
	timer_setup(&t, ring_alarm);
	timer_arm(&t, 300000000);
	while (!alarm_rung && turns < 1000) {
		loop_turn(true);
		turns++;
	}
	timer_cancel(&t);
	CHECK(alarm_rung);
	CHECK(turns <= 10);
	CHECK_EQ(tc_any_violation(), 0);
}

/*
 * Senders wait for packets in flight to be freed (dispatch.c). A packet that is never freed would
 * block them for ever.
 */
static void every_packet_is_given_back(void)
{
	int i;

	up(SVC_RC);
	a.direct = true;
	for (i = 0; i < 20; i++)
		tt_post(&a, i & 1 ? WQE_READ : WQE_WRITE, key, VA, HALF, VA + HALF);
	TC_UNTIL(packets_live() > 0);
	CHECK(packets_live() > 0);
	hca_reset(tc_hca());
	TC_UNTIL(!packets_live());
	CHECK_EQ(packets_live(), 0);
}

int main(int argc, char **argv)
{
	static const struct tap_test tests[] = {
		TAP(a_megabyte_each_way),
		TAP(atomics_change_host_memory),
		TAP(a_window_opens_and_closes),
		TAP(a_window_ends_where_it_was_bound),
		TAP(a_window_outside_its_region_is_not_bound),
		TAP(a_cq_is_resized_under_traffic),
		TAP(a_datagram_arrives),
		TAP(a_pulled_cable_ends_in_retry_exceeded),
		TAP(a_connection_outlives_its_cable),
		TAP(losses_and_reordering_are_repaired),
		TAP(memory_that_is_not_mapped_is_a_violation),
		TAP(reset_while_everything_is_moving),
		TAP(connected_queues_sleep),
		TAP(every_packet_is_given_back),
	};

	/* each port has a cable of its own */
	tc_start("cable=switch");
	if (wire_new_all())
		return 1;
	return tap_run(tests, sizeof(tests) / sizeof(tests[0]), argc, argv);
}
