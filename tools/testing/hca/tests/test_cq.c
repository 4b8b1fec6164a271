// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/* Completion queues: entries, arming, doorbells, overflow, resize (tavor-hw 11). */
#include "client.h"
#include "tap.h"

#include "core/options.h"
#include "device/cmd.h"
#include "device/queues.h"
#include "qp/qp.h"

#define CQN 0x81

static u8 *cq;
static u32 entries, consumed;

static void up(u32 log)
{
	tc_fresh();
	tc_up();
	cq = tc_cq(CQN, log);
	entries = 1u << log;
	consumed = 0;
	tc_any_violation();
}

static int post(u32 wqe, bool solicited)
{
	struct cqe cqe = { .qpn = 0x404, .opcode = 0x0a, .send = true, .wqe = wqe };

	return cq_post(tc_hca(), CQN, &cqe, solicited);
}

static const u8 *poll(void)
{
	static u8 copy[32];
	u8 *e = cq + 32 * (consumed & (entries - 1));

	if (e[31] & 0x80)
		return NULL;
	memcpy(copy, e, 32);
	e[31] = 0x80;
	consumed++;
	tc_db(TC_UAR, 0x20, 1u << 24 | CQN, 0);
	return copy;
}

static void arm(void)
{
	tc_db(TC_UAR, 0x20, 2u << 24 | CQN, 0xffffffff);
}

static void arm_solicited(void)
{
	tc_db(TC_UAR, 0x20, 3u << 24 | CQN, 0xffffffff);
}

static void disarm(void)
{
	tc_db(TC_UAR, 0x28, 3u << 24 | TC_EQ_COMP, CQN);
}

static bool notified(void)
{
	const u8 *e = tc_eqe(TC_EQ_COMP);

	return e && e[1] == 0 && get32(e + 4) == CQN;
}

static void entry_layout(void)
{
	struct cqe cqe = { .qpn = 0x123456,
			   .rqpn = 0x654321,
			   .sl = 5,
			   .grh_path = 0x83,
			   .rlid = 0x1234,
			   .imm = 0xdeadbeef,
			   .byte_cnt = 77,
			   .wqe = 0x12345644,
			   .opcode = 0x05 };
	const u8 *e;

	up(4);
	CHECK_EQ(cq_post(tc_hca(), CQN, &cqe, false), 0);
	e = poll();
	CHECK(e);
	CHECK_EQ(get32(e), 0x123456);
	CHECK_EQ(get32(e + 4), 0);
	CHECK_EQ(get32(e + 8), 0x654321);
	CHECK_EQ(e[0x0c], 0x50);
	CHECK_EQ(e[0x0d], 0x83);
	CHECK_EQ(get16(e + 0x0e), 0x1234);
	CHECK_EQ(get32(e + 0x10), 0xdeadbeef);
	CHECK_EQ(get32(e + 0x14), 77);
	CHECK_EQ(get32(e + 0x18), 0x12345644);
	CHECK_EQ(e[0x1c], 0x05);
	CHECK_EQ(e[0x1d], 0);
	CHECK_EQ(e[0x1f], 0);
}

static void error_entry_layout(void)
{
	struct cqe cqe = { .qpn = 0x404,
			   .error = true,
			   .send = true,
			   .syndrome = 0x12,
			   .vendor_err = 0x34,
			   .db_cnt = 0x5678,
			   .wqe = 0x40 | 4,
			   .opcode = 0x0a };
	const u8 *e;

	up(4);
	CHECK_EQ(cq_post(tc_hca(), CQN, &cqe, false), 0);
	e = poll();
	CHECK(e);
	CHECK_EQ(get32(e + 0x10), 0x12345678);
	CHECK_EQ(e[0x1c], 0xff);
	CHECK_EQ(e[0x1d], 0x80);
	cqe.send = false;
	CHECK_EQ(cq_post(tc_hca(), CQN, &cqe, false), 0);
	e = poll();
	CHECK(e && e[0x1c] == 0xfe && e[0x1d] == 0);
}

static void disarmed_is_silent(void)
{
	up(4);
	post(0, false);
	CHECK(!notified());
}

static void armed_notifies_once(void)
{
	up(4);
	arm();
	post(0, false);
	post(0, false);
	CHECK(notified());
	CHECK(!notified());
}

static void arm_with_entries_waiting_notifies(void)
{
	up(4);
	post(0, false);
	arm();
	CHECK(notified());
}

static void arm_after_consuming_all_waits(void)
{
	up(4);
	post(0, false);
	CHECK(poll());
	arm();
	CHECK(!notified());
	post(0, false);
	CHECK(notified());
}

/* The parameter can be the index of the last consumed CQE, in place of the index in the HCA. */
static void arm_compares_with_the_index_given(void)
{
	up(4);
	post(0, false);
	post(0, false);
	tc_db(TC_UAR, 0x20, 2u << 24 | CQN, 1);
	CHECK(!notified());
	up(4);
	post(0, false);
	post(0, false);
	tc_db(TC_UAR, 0x20, 2u << 24 | CQN, 0);
	CHECK(notified());
}

static void fired_stays_fired_until_disarmed(void)
{
	up(4);
	arm();
	post(0, false);
	CHECK(notified());
	CHECK(poll());
	arm();
	post(0, false);
	CHECK(!notified());
	disarm();
	CHECK(poll());
	arm();
	post(0, false);
	CHECK(notified());
}

static void solicited_only(void)
{
	struct cqe bad = { .qpn = 0x404, .error = true, .syndrome = 5 };

	up(4);
	arm_solicited();
	post(0, false);
	CHECK(!notified());
	post(0, true);
	CHECK(notified());
	disarm();
	CHECK(poll());
	CHECK(poll());
	arm_solicited();
	CHECK(!notified());
	/* an error CQE counts as solicited */
	cq_post(tc_hca(), CQN, &bad, false);
	CHECK(notified());
}

static void solicited_waiting_notifies(void)
{
	up(4);
	post(0, false);
	arm_solicited();
	CHECK(!notified());
	post(0, true);
	CHECK(notified());
	disarm();
	arm_solicited();
	CHECK(notified());
}

static void notify_after_several(void)
{
	up(4);
	tc_db(TC_UAR, 0x20, 5u << 24 | CQN, 3);
	post(0, false);
	post(0, false);
	CHECK(!notified());
	post(0, false);
	CHECK(notified());
}

static void wraps_around(void)
{
	u32 i;

	up(2);
	for (i = 0; i < 20; i++) {
		const u8 *e;

		CHECK_EQ(post(i << 6, false), 0);
		e = poll();
		CHECK(e && get32(e + 0x18) == i << 6);
	}
	CHECK_EQ(tc_any_violation(), 0);
}

static void set_ci(void)
{
	up(3);
	post(0, false);
	post(0, false);
	post(0, false);
	tc_db(TC_UAR, 0x20, 4u << 24 | CQN, 2);
	CHECK_EQ(tc_cmd_out(0x18, 0, CQN), 0);
	CHECK_EQ(get32(tc_out() + 0x28), 2);
	CHECK_EQ(get32(tc_out() + 0x2c), 3);
	CHECK_EQ(tc_any_violation(), 0);
}

static void user_overflow_is_a_user_fault(void)
{
	struct cqe cqe = { .qpn = 0x404 };
	int i;

	tc_fresh();
	tc_up();
	tc_cq_mailbox(tc_in(), CQN, 2, TC_USER_UAR);
	CHECK_EQ(tc_cmd_in(0x16, 0, CQN), 0);
	for (i = 0; i < 4; i++)
		cq_post(tc_hca(), CQN, &cqe, false);
	CHECK_EQ(tc_any_violation(), 0);
	CHECK_EQ(tc_user_faults(RULE_CQ_OVERFLOW), 1);
}

/* --- resize ----------------------------------------------------------------------------------- */

static u8 resize(u8 op_mod, u32 log, u8 **fresh, u64 *imm)
{
	u8 *buf = tc_alloc(32u << log, 4096);
	u32 i;

	for (i = 0; i < 1u << log; i++)
		buf[32 * i + 31] = 0x80;
	memset(tc_in(), 0, 64);
	put64(tc_in() + 4, tc_bus(buf));
	tc_in()[0x0c] = log;
	put32(tc_in() + 0x1c, TC_KEY);
	*fresh = buf;
	return tc_cmd(0x2c, op_mod, CQN, tc_bus(tc_in()), 0, imm);
}

/* Copies CQEs like software in the fixed flow of tavor-hw 11.7. */
static void copy_over(u8 *fresh, u32 fresh_entries)
{
	u32 c = consumed & (entries - 1), i;

	if (fresh_entries > entries && !(cq[32 * (entries - 1) + 31] & 0x80))
		c -= entries;
	for (i = c;; i++) {
		u8 *e = cq + 32 * (i & (entries - 1));

		if (e[31] & 0x80)
			break;
		memcpy(fresh + 32 * (i & (fresh_entries - 1)), e, 32);
		e[31] = 0x80;
	}
	consumed = c;
	cq = fresh;
	entries = fresh_entries;
}

static void resize_case(u32 from, u32 to, u32 used, u32 waiting)
{
	u8 *fresh;
	u32 i;

	up(from);
	for (i = 0; i < used; i++) {
		post(i << 6, false);
		CHECK(poll());
	}
	for (i = used; i < used + waiting; i++)
		post(i << 6, false);
	CHECK_EQ(resize(1, to, &fresh, NULL), 0);
	copy_over(fresh, 1u << to);
	post((used + waiting) << 6, false);
	for (i = used; i < used + waiting + 1; i++) {
		const u8 *e = poll();

		CHECK(e && get32(e + 0x18) == i << 6);
	}
	CHECK(!poll());
	CHECK_EQ(tc_any_violation(), 0);
}

/*
 * The key of the buffer is invalid: the CQ has status 0xA, an event has syndrome 2, and no CQE is
 * written any more (tavor-hw 11.1, 10.3).
 */
static void unwritable_buffer_fails_the_queue(void)
{
	struct cqe cqe = { .qpn = 0x404, .opcode = 0x0a, .send = true };
	const u8 *e;
	u8 *buf;
	u32 key;

	tc_fresh();
	tc_up();
	buf = tc_cq_mailbox(tc_in(), 0x81, 4, TC_USER_UAR);
	key = tc_mr(buf, 4096, 1 << 11, 0);
	tc_cq_mailbox(tc_in(), 0x81, 4, TC_USER_UAR);
	put64(tc_in() + 4, 0);
	put32(tc_in() + 0x1c, key);
	CHECK_EQ(tc_cmd_in(0x16, 0, 0x81), 0);
	CHECK_EQ(cq_post(tc_hca(), 0x81, &cqe, false), 0);
	CHECK_EQ(buf[31] & 0x80, 0);
	CHECK_EQ(tc_cmd(0x0f, 1, key, 0, 0, NULL), 0);
	CHECK(cq_post(tc_hca(), 0x81, &cqe, false) < 0);
	CHECK(cq_post(tc_hca(), 0x81, &cqe, false) < 0);
	CHECK(tc_user_faults(RULE_CQ_BUFFER) > 0);
	CHECK(buf[32 + 31] & 0x80 || !buf[32 + 31]);
	e = tc_eqe(TC_EQ_ASYNC);
	CHECK(e && e[1] == EV_CQ_ERR && get32(e + 4) == 0x81 && e[15] == 2);
	CHECK(!tc_eqe(TC_EQ_ASYNC));
	CHECK_EQ(tc_cmd_out(0x18, 0, 0x81), 0);
	CHECK_EQ(tc_out()[0] >> 4, 0xa);
	CHECK_EQ(tc_any_violation(), 0);
}

/* With bit 17 of the context, new CQEs overwrite old ones (tavor-hw 11.1). */
static void overrun_may_be_ignored(void)
{
	struct cqe cqe = { .qpn = 0x404, .opcode = 0x0a, .send = true };
	u8 *buf;
	int i;

	tc_fresh();
	tc_up();
	buf = tc_cq_mailbox(tc_in(), 0x81, 4, TC_UAR);
	put32(tc_in(), get32(tc_in()) | 1 << 17);
	CHECK_EQ(tc_cmd_in(0x16, 0, 0x81), 0);
	for (i = 0; i < 40; i++) {
		cqe.byte_cnt = i;
		CHECK_EQ(cq_post(tc_hca(), 0x81, &cqe, false), 0);
	}
	CHECK_EQ(get32(buf + 32 * (39 % 16) + 0x14), 39);
	CHECK_EQ(get32(buf + 32 * (40 % 16) + 0x14), 24);
	CHECK_EQ(tc_cmd_out(0x18, 0, 0x81), 0);
	CHECK_EQ(get32(tc_out()) >> 28, 0);
	CHECK(get32(tc_out()) & 1 << 17);
	CHECK(!tc_eqe(TC_EQ_ASYNC));
	CHECK_EQ(tc_any_violation(), 0);
}

static void resize_grows_without_loss(void)
{
	resize_case(2, 4, 0, 3);
	resize_case(2, 4, 2, 3);
	resize_case(2, 5, 7, 1);
	resize_case(3, 4, 15, 0);
}

static void resize_shrinks_without_loss(void)
{
	resize_case(4, 2, 0, 2);
	resize_case(4, 3, 9, 5);
	resize_case(5, 3, 30, 4);
}

static void resize_refuses_too_small(void)
{
	u8 *fresh;
	int i;

	up(4);
	for (i = 0; i < 6; i++)
		post(0, false);
	CHECK_EQ(resize(1, 2, &fresh, NULL), CMD_BAD_SIZE);
	CHECK_EQ(resize(1, 18, &fresh, NULL), CMD_EXCEED_LIM);
	tc_violations(RULE_CQ_FIELD);
	/* the old CQEs are unchanged */
	for (i = 0; i < 6; i++)
		CHECK(poll());
	CHECK_EQ(tc_any_violation(), 0);
}

static void resize_legacy_returns_the_index(void)
{
	u8 *fresh;
	u64 imm;
	int i;

	up(3);
	for (i = 0; i < 5; i++)
		post(i << 6, false);
	CHECK(poll());
	CHECK(poll());
	CHECK_EQ(resize(0, 4, &fresh, &imm), 0);
	CHECK_EQ(imm >> 32, 3);
	post(9 << 6, false);
	CHECK_EQ(fresh[31] & 0x80, 0x80);
	CHECK_EQ(get32(fresh + 32 * 3 + 0x18), 9 << 6);
}

/* --- faults ----------------------------------------------------------------------------------- */

static void fault(const char *spec)
{
	char why[OPT_WHY];

	CHECK_EQ(opt_set(hca_number(tc_hca()), "fault", spec, why), 0);
}

static void faults_keep_order(void)
{
	struct cqe failed = { .qpn = 0x404, .opcode = 0x0a, .send = true, .error = true };

	up(4);
	fault("delay,on=cqe,count=1,time=1s");
	post(0x40, false);
	post(0x80, false);
	CHECK(!poll());
	TC_UNTIL(!(cq[32 + 31] & 0x80));
	CHECK(get32(cq + 0x18) == 0x40 && get32(cq + 32 + 0x18) == 0x80);
	CHECK(poll());
	CHECK(poll());
	fault("");
	fault("drop,on=cqe,num=0x81,count=1");
	post(0xc0, false);
	CHECK(!poll());
	fault("drop,on=cqe,op=0xff"); /* error CQEs of any opcode */
	post(0xc0, false);
	CHECK(poll());
	CHECK_EQ(cq_post(tc_hca(), CQN, &failed, false), 0);
	CHECK(!poll());
	fault("");
	fault("dup,on=cqe,count=1");
	post(0x100, false);
	CHECK(poll());
	CHECK(poll());
	CHECK(!poll());
	fault("");
}

static void destroyed_while_held_back(void)
{
	up(4);
	fault("delay,on=cqe,count=1,time=1s");
	post(0x40, false);
	CHECK_EQ(tc_cmd_out(0x17, 0, CQN), 0);
	tc_wait(1200000000);
	CHECK(!poll());
	fault("");
}

int main(int argc, char **argv)
{
	static const struct tap_test tests[] = {
		TAP(entry_layout),
		TAP(error_entry_layout),
		TAP(disarmed_is_silent),
		TAP(armed_notifies_once),
		TAP(arm_with_entries_waiting_notifies),
		TAP(arm_after_consuming_all_waits),
		TAP(arm_compares_with_the_index_given),
		TAP(fired_stays_fired_until_disarmed),
		TAP(solicited_only),
		TAP(solicited_waiting_notifies),
		TAP(notify_after_several),
		TAP(wraps_around),
		TAP(set_ci),
		TAP(user_overflow_is_a_user_fault),
		TAP(unwritable_buffer_fails_the_queue),
		TAP(overrun_may_be_ignored),
		TAP(resize_grows_without_loss),
		TAP(resize_shrinks_without_loss),
		TAP(resize_refuses_too_small),
		TAP(resize_legacy_returns_the_index),
		TAP(faults_keep_order),
		TAP(destroyed_while_held_back),
	};

	tc_start("");
	return tap_run(tests, sizeof(tests) / sizeof(tests[0]), argc, argv);
}
