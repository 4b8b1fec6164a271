// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Each rule of rules_qp.def is broken over the socket: as a violation if the kernel's driver is at
 * fault, or as a user fault if a process with a doorbell page can cause it alone. A correct driver
 * breaks none.
 */
#include "fabric/wire.h"
#include "rules.h"
#include "traffic.h"

#include <stdlib.h>

#define VA 0x10000000u
#define BUFFER (1u << 20)
#define ACCESS (1 << 14 | 1 << 13 | 1 << 12 | 1 << 11)
#define SRQN 0x14u

static struct tt_qp a, b;
static u32 key;
static u8 *srq_wqes;
static u32 srq_key;

/* Runs through the UAR page of the driver, and through that of a process. */
#define BOTH(rule, what)                                  \
	do {                                              \
		covered[RULE_##rule] = 1;                 \
		up(TC_UAR);                               \
		what;                                     \
		CHECK(tc_violations(RULE_##rule) > 0);    \
		CHECK_EQ(tc_user_faults(RULE_##rule), 0); \
		up(TC_USER_UAR);                          \
		what;                                     \
		CHECK(tc_user_faults(RULE_##rule) > 0);   \
		CHECK_EQ(tc_violations(RULE_##rule), 0);  \
	} while (0)

static void make(struct tt_qp *q, u32 qpn, u8 service, u32 uar)
{
	*q = (struct tt_qp){ .qpn = qpn, .service = service, .uar = uar, .cq_log = 6 };
	tt_make(q);
}

/* Discards the side effects of the test before, such as a CQ that overflows by a flush. */
static void forget(void)
{
	int rule;

	for (rule = 0; rule < RULE_COUNT; rule++) {
		tc_violations(rule);
		tc_user_faults(rule);
	}
}

static void device_up(void)
{
	tc_fresh();
	forget();
	tc_up();
	tt_port_up();
	key = tc_mr(tc_alloc(BUFFER, 4096), BUFFER, ACCESS, VA);
	CHECK_EQ(tc_any_violation(), 0);
}

static void up(u32 uar)
{
	device_up();
	make(&a, 1024, SVC_RC, uar);
	make(&b, 1025, SVC_RC, uar);
	tt_connect(&a, b.qpn);
	tt_connect(&b, a.qpn);
}

static void up_datagram(u32 uar)
{
	device_up();
	make(&a, 1024, SVC_UD, uar);
	tt_connect(&a, 0);
}

static bool error_cqe(struct tt_qp *q, u8 syndrome)
{
	const u8 *e = tt_wait(q);

	return e && e[0x1c] >= 0xfe && e[0x10] == syndrome;
}

/* --- a correct driver --------------------------------------------------------------------- */

static void a_good_driver_trips_nothing(void)
{
	const u8 *e;
	u32 i;

	up(TC_UAR);
	for (i = 0; i < 20; i++) {
		tt_post_recv(&b, key, VA + 0x80000, 4096);
		tt_post(&a, WQE_SEND, key, VA, 4096, 0);
		tt_post(&a, WQE_READ, key, VA + 0x10000, 100, VA + 0x80000);
		e = tt_wait(&a);
		CHECK(e && e[0x1c] == WQE_SEND);
		e = tt_wait(&a);
		CHECK(e && e[0x1c] == WQE_READ);
		e = tt_wait(&b);
		CHECK(e && e[0x1c] == OP_SEND_LAST);
	}
	CHECK_EQ(tc_cmd(0x1e, 0, a.qpn, 0, 0, NULL), 0);
	tt_post(&a, WQE_WRITE, key, VA, 0, VA);
	CHECK(error_cqe(&a, SYN_FLUSHED));
	CHECK_EQ(tc_cmd(0x21, 3, a.qpn, 0, 0, NULL), 0);
	CHECK_EQ(tc_cmd(0x21, 3, b.qpn, 0, 0, NULL), 0);
	CHECK_EQ(tc_any_violation(), 0);
}

/* --- doorbells ---------------------------------------------------------------------------- */

static void qp_db_none(void)
{
	BOTH(QP_DB_NONE, tc_db(a.uar, 0x10, WQE_SEND, 1030 << 8 | 2));
	up(TC_UAR);
	tc_db(TC_UAR, 0x18, 0, SRQN << 8 | 1);
	TRIPPED(QP_DB_NONE);
}

/* A doorbell on a UAR page that is not in the context: the owner of the page is at fault. */
static void qp_db_uar(void)
{
	covered[RULE_QP_DB_UAR] = 1;
	up(TC_UAR);
	tc_db(TC_USER_UAR, 0x10, WQE_SEND, a.qpn << 8 | 2);
	CHECK(tc_user_faults(RULE_QP_DB_UAR) > 0);
	up(TC_USER_UAR);
	tc_db(TC_UAR, 0x10, WQE_SEND, a.qpn << 8 | 2);
	TRIPPED(QP_DB_UAR);
}

static void qp_db_format(void)
{
	BOTH(QP_DB_FORMAT, tt_ring_send(&a, tt_sq_addr(0), WQE_SEND, 0));
}

static void overflow(void)
{
	u32 i;

	for (i = 0; i <= WQ_LIMIT / 256; i++)
		tc_db(a.uar, 0x18, 2, a.qpn << 8);
}

static void wq_overflow(void)
{
	BOTH(WQ_OVERFLOW, overflow());
}

/* --- WQEs --------------------------------------------------------------------------------- */

static void far_away(void)
{
	tt_ring_send(&a, 0x100000, WQE_SEND, 2);
	CHECK(error_cqe(&a, SYN_LOCAL_PROT));
}

static void wqe_fetch(void)
{
	BOTH(WQE_FETCH, far_away());
}

static void odd_opcode(void)
{
	tt_post(&a, 0x1f, key, VA, 8, VA);
	CHECK(error_cqe(&a, SYN_LOCAL_QP_OP));
}

static void wqe_opcode(void)
{
	BOTH(WQE_OPCODE, odd_opcode());
}

static void no_segments(void)
{
	tt_wqe(&a);
	tt_ring_send(&a, tt_sq_addr(0), WQE_WRITE, 1);
	CHECK(error_cqe(&a, SYN_LOCAL_QP_OP));
}

static void wqe_format(void)
{
	BOTH(WQE_FORMAT, no_segments());
}

static void send_doorbell_with_odd_bits(void)
{
	tc_db(a.uar, 0x10, tt_sq_addr(0) | WQE_NOP, a.qpn << 8 | 0x40 | 2);
}

static void db_reserved(void)
{
	BOTH(DB_RESERVED, send_doorbell_with_odd_bits());
}

static void flags_that_mean_nothing(void)
{
	u8 *w = tt_wqe(&a);

	put32(w + 8, get32(w + 8) | 1 << 6);
	tt_ring_send(&a, tt_sq_addr(0), WQE_NOP, 1);
	tt_wait(&a);
}

static void odd_remote_address(void)
{
	u8 *w = tt_wqe(&a);

	put32(w + 28, 1);
	tt_ring_send(&a, tt_sq_addr(0), WQE_WRITE, 2);
	tt_wait(&a);
}

static void wqe_reserved(void)
{
	BOTH(WQE_RESERVED, flags_that_mean_nothing());
	BOTH(WQE_RESERVED, odd_remote_address());
}

static void ring_of_one(void)
{
	u8 *w = tt_wqe(&a);

	put32(w, tt_sq_addr(0) | WQE_NOP);
	put32(w + 4, 1);
	put32(w + 8, 1);
	tt_ring_send(&a, tt_sq_addr(0), WQE_NOP, 1);
	CHECK(error_cqe(&a, SYN_LOCAL_QP_OP));
}

static void wqe_chain(void)
{
	BOTH(WQE_CHAIN, ring_of_one());
}

static void bad_link(void)
{
	put32(b.wqes, TT_STRIDE);
	tt_sge(b.wqes + 16, key, VA, 64);
	tc_db(b.uar, 0x18, 2, b.qpn << 8 | 2);
	tt_post(&a, WQE_SEND, key, VA, 8, 0);
	CHECK(tt_wait(&a));
}

static void wqe_recv_link(void)
{
	BOTH(WQE_RECV_LINK, bad_link());
}

static void crooked_av(void)
{
	u8 *w;

	w = tt_wqe(&a);
	put32(w + 16 + 4, key);
	put64(w + 16 + 8, VA + 8);
	tt_send(&a, WQE_SEND, w + 64);
	CHECK(error_cqe(&a, SYN_LOCAL_QP_OP));
}

static void wqe_av(void)
{
	covered[RULE_WQE_AV] = 1;
	up_datagram(TC_UAR);
	crooked_av();
	CHECK(tc_violations(RULE_WQE_AV) > 0);
	up_datagram(TC_USER_UAR);
	crooked_av();
	CHECK(tc_user_faults(RULE_WQE_AV) > 0);
	CHECK_EQ(tc_violations(RULE_WQE_AV), 0);
}

static void wqe_mlx(void)
{
	u8 *w;

	device_up();
	CHECK_EQ(tc_cmd(0x23, 0, 1030, 0, 0, NULL), 0);
	make(&a, 1030, SVC_MLX, TC_UAR);
	tt_connect(&a, 0);
	w = tt_wqe(&a);
	put32(w + 8, 8);
	tt_send(&a, WQE_SEND, tt_sge(w + 16, key, VA, 12));
	CHECK(error_cqe(&a, SYN_LOCAL_LENGTH));
	TRIPPED(WQE_MLX);
}

/* --- commands ----------------------------------------------------------------------------- */

static void qp_cmd_modifier(void)
{
	up(TC_UAR);
	CHECK_EQ(tc_cmd(0x1e, 0, 1u << 24 | a.qpn, 0, 0, NULL), CMD_BAD_PARAM);
	TRIPPED(QP_CMD_MODIFIER);
	CHECK_EQ(tt_state(&a), QP_RTS);
}

/* Creates a QP with a changed context. */
static u8 new_qp(u32 qpn, u32 at, u32 value)
{
	struct tt_qp q = a;

	q.qpn = qpn;
	tt_init_mailbox(&q);
	if (at)
		put32(tc_in() + 8 + at, value);
	return tc_cmd_in(0x19, 0, qpn);
}

static void qp_ctx_param(void)
{
	up(TC_UAR);
	CHECK_EQ(new_qp(1030, 0x20, 3 << 24), CMD_BAD_PARAM);
	TRIPPED(QP_CTX_PARAM);
}

static void qp_ctx_rdb(void)
{
	device_up();
	make(&a, 1024, SVC_RC, TC_UAR);
	tt_rtr_mailbox(&a, 1025);
	put32(tc_in() + 8 + 0x98, 0xffffff00);
	CHECK_EQ(tc_cmd_in(0x1a, 0, a.qpn), CMD_BAD_PARAM);
	TRIPPED(QP_CTX_RDB);
}

static void qp_ctx_cq(void)
{
	up(TC_UAR);
	CHECK_EQ(new_qp(1030, 0x7c, 0xf0), CMD_BAD_RES_STATE);
	TRIPPED(QP_CTX_CQ);
}

static void qp_ctx_srq(void)
{
	up(TC_UAR);
	CHECK_EQ(new_qp(1030, 0xac, 1 << 24 | SRQN), CMD_BAD_RES_STATE);
	TRIPPED(QP_CTX_SRQ);
}

static void qp_busy(void)
{
	up(TC_UAR);
	/* the same index, because there are 2048 QPs */
	CHECK_EQ(new_qp(a.qpn + 2048, 0, 0), CMD_BAD_RESOURCE);
	TRIPPED(QP_BUSY);
}

static u8 make_srq(u32 units)
{
	srq_wqes = tc_alloc(4096, 4096);
	srq_key = tc_mr(srq_wqes, 4096, 0, 0);
	memset(tc_in(), 0, 0x20);
	put32(tc_in() + 4, units);
	put32(tc_in() + 8, TC_PD);
	put32(tc_in() + 12, srq_key);
	put32(tc_in() + 16, TC_UAR);
	return tc_cmd_in(0x35, 0, SRQN);
}

static void srq_db_size(void)
{
	up(TC_UAR);
	CHECK_EQ(make_srq(4), 0);
	CHECK_EQ(new_qp(1030, 0xac, 1 << 24 | SRQN), 0);
	tc_db(TC_UAR, 0x18, 2, 1030 << 8 | 1);
	TRIPPED(SRQ_DB_SIZE);
}

static void srq_ctx_param(void)
{
	up(TC_UAR);
	CHECK_EQ(make_srq(1), CMD_BAD_PARAM);
	TRIPPED(SRQ_CTX_PARAM);
}

static void srq_busy(void)
{
	up(TC_UAR);
	CHECK_EQ(make_srq(4), 0);
	CHECK_EQ(new_qp(1030, 0xac, 1 << 24 | SRQN), 0);
	CHECK_EQ(tc_cmd_out(0x36, 0, SRQN), CMD_RESOURCE_BUSY);
	TRIPPED(SRQ_BUSY);
}

static void every_rule_has_a_test(void)
{
	static const u16 rules[] = {
#define RULE(id, name, text, right) RULE_##id,
#include "qp/rules_qp.def"
#undef RULE
	};

	all_tripped(rules, sizeof(rules) / sizeof(rules[0]));
}

int main(int argc, char **argv)
{
	static const struct tap_test tests[] = {
		TAP(a_good_driver_trips_nothing),
		TAP(qp_db_none),
		TAP(qp_db_uar),
		TAP(qp_db_format),
		TAP(wq_overflow),
		TAP(wqe_fetch),
		TAP(wqe_opcode),
		TAP(wqe_format),
		TAP(db_reserved),
		TAP(wqe_reserved),
		TAP(wqe_chain),
		TAP(wqe_recv_link),
		TAP(wqe_av),
		TAP(wqe_mlx),
		TAP(qp_cmd_modifier),
		TAP(qp_ctx_param),
		TAP(qp_ctx_rdb),
		TAP(qp_ctx_cq),
		TAP(qp_ctx_srq),
		TAP(qp_busy),
		TAP(srq_db_size),
		TAP(srq_ctx_param),
		TAP(srq_busy),
		TAP(every_rule_has_a_test),
	};

	tc_start("");
	if (wire_new_all())
		return 1;
	return tap_run_judged(tests, sizeof(tests) / sizeof(tests[0]), argc, argv);
}
