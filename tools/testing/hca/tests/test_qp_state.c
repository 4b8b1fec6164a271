// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Queue pairs: transitions and their fields, refused commands, flushing, draining, migration,
 * doorbells.
 */
#include "qp_fakes.h"

#define REMOTE 0x400000u

static struct tqp a, b;

static void up(u8 service)
{
	fake_up();
	pair(&a, &b, service);
}

static const u8 *queried(const struct tqp *q)
{
	run(0x22, q->qpn, 0);
	return the_cmd.out + 8;
}

/* --- commands ----------------------------------------------------------------------------- */

static void query_returns_what_was_given(void)
{
	const u8 *c;

	fake_up();
	a = tqp(0x401, SVC_RC, 1);
	mbox_init(&a);
	put32(ctx() + 0x20, 2 << 24 | 5);
	CHECK_EQ(run(0x19, a.qpn, 0), CMD_OK);
	mbox_rtr(&a, 0x777);
	ctx()[0x25] = 0x80 | 3;
	ctx()[0x29] = 4;
	ctx()[0x2a] = 2;
	ctx()[0x2b] = 64;
	put32(ctx() + 0x2c, 5u << 28 | 6 << 20 | 7);
	memset(ctx() + 0x30, 0x42, 16);
	CHECK_EQ(run(0x1a, a.qpn, 0), CMD_OK);
	mbox_rts(&a);
	CHECK_EQ(run(0x1b, a.qpn, 0), CMD_OK);
	c = queried(&a);
	CHECK_EQ(get32(c), 3u << 28 | 3 << 11 | 1 << 8);
	CHECK_EQ(get32(c + 8), 3u << 29 | 31 << 24);
	CHECK_EQ(get32(c + 0x0c), FAKE_UAR);
	CHECK_EQ(get32(c + 0x10), 0x401);
	CHECK_EQ(get32(c + 0x14), 0x777);
	CHECK_EQ(get32(c + 0x20), 2 << 24 | 5);
	CHECK_EQ(get32(c + 0x24), 6u << 29 | 0x83 << 16 | FAKE_LID);
	CHECK_EQ(get32(c + 0x28), T_TIMEOUT << 27 | 4 << 16 | 2 << 8 | 64);
	CHECK_EQ(get32(c + 0x2c), 5u << 28 | 6 << 20 | 7);
	CHECK_EQ(c[0x3f], 0x42);
	CHECK_EQ(get32(c + 0x64), FAKE_PD);
	CHECK_EQ(get32(c + 0x6c), a.lkey);
	CHECK_EQ(get32(c + 0x70), 10u << 28 | 9 << 24 | 2 << 21 | 3 << 16 | 0xe000);
	CHECK_EQ(get32(c + 0x78), 0x123456);
	CHECK_EQ(get32(c + 0x7c), 1);
	CHECK_EQ(get32(c + 0x90), 2 << 21 | 0xe000 | 8);
	CHECK_EQ(get32(c + 0x94), 1 << 24 | 0x123456);
	CHECK_EQ(get32(c + 0x98), 0x1000);
	CHECK_EQ(get32(c + 0x9c), 1);
	CHECK_EQ(get32(c + 0xa8), 0x11111111);
}

/* The output has numbers that only hardware knows (tavor-hw 12.3). */
static void query_shows_how_far_it_has_got(void)
{
	const u8 *c;
	int i;

	up(SVC_RC);
	for (i = 0; i < 3; i++)
		post(&a, wr_rdma(WQE_WRITE, 0, 8, REMOTE));
	settle();
	c = queried(&a);
	CHECK_EQ(get32(c + 0x78), 0x123456 + 3);
	CHECK_EQ(get32(c + 0x88), 0x123456 + 2);
	CHECK_EQ(get32(c + 0x8c), 3);
	c = queried(&b);
	CHECK_EQ(get32(c + 0x94) & 0xffffff, 0x123456 + 3);
	CHECK_EQ(get32(c + 0xb0), 3);
}

/* A context of zeros without option bits changes nothing (tavor-hw 12.6). */
static void unnamed_fields_are_left_alone(void)
{
	u8 before[0x100];

	up(SVC_RC);
	memcpy(before, queried(&a), sizeof(before));
	mbox_clear(0);
	CHECK_EQ(run(0x1c, a.qpn, 0), CMD_OK);
	CHECK(!memcmp(before, queried(&a), sizeof(before)));
	/* with all bits set, RTS2RTS still reads only its own fields */
	mbox_clear(0x1ffff & ~(1u << 0 | 1u << 10));
	CHECK_EQ(run(0x1c, a.qpn, 0), CMD_OK);
	CHECK_EQ(get32(queried(&a) + 0x20), 1 << 24);
	CHECK_EQ(get16(the_cmd.out + 8 + 0x26), FAKE_LID);
	CHECK_EQ(get32(the_cmd.out + 8 + 0x70), get32(before + 0x70));
	CHECK_EQ(get32(the_cmd.out + 8 + 0x90), 2 << 21 | 8);
	CHECK_EQ(get32(the_cmd.out + 8 + 0x78), 0x123456);
}

/* The path that mthca passes for INIT2RTR has no port and no P_Key index. */
static void init2rtr_keeps_port_and_pkey_index(void)
{
	fake_up();
	a = tqp(0x401, SVC_RC, 1);
	mbox_init(&a);
	put32(ctx() + 0x20, 2 << 24 | 1);
	CHECK_EQ(run(0x19, a.qpn, 0), CMD_OK);
	to_rtr(&a, 0x402);
	CHECK_EQ(get32(queried(&a) + 0x20), 2 << 24 | 1);
	to_init(&(struct tqp){ .qpn = 0x403, .lkey = 0x1000, .scqn = 1, .rcqn = 1 });
}

static void init2init_changes_port_and_pkey(void)
{
	fake_up();
	a = tqp(0x401, SVC_UD, 1);
	to_init(&a);
	mbox_clear(1 << 4 | 1 << 11 | 1 << 5);
	put32(ctx() + 0x20, 2 << 24 | 2);
	put32(ctx() + 0xa8, 0x77);
	CHECK_EQ(run(0x2d, a.qpn, 0), CMD_OK);
	CHECK_EQ(get32(queried(&a) + 0x20), 2 << 24 | 2);
	CHECK_EQ(get32(the_cmd.out + 8 + 0xa8), 0x77);
}

static void a_command_in_the_wrong_state_is_refused(void)
{
	static const struct {
		u16 op;
		u8 allowed; /* mask of states */
	} cmds[] = { { 0x19, 1 << QP_RESET }, { 0x1a, 1 << QP_INIT }, { 0x1b, 1 << QP_RTR },
		     { 0x1c, 1 << QP_RTS },   { 0x1d, 1 << QP_SQE },  { 0x1f, 1 << QP_RTS },
		     { 0x20, 1 << QP_SQD },   { 0x2d, 1 << QP_INIT }, { 0x38, 1 << QP_SQD } };
	unsigned int i, s;

	for (s = 0; s <= QP_ERR; s++) {
		fake_up();
		a = tqp(0x401, SVC_UD, 1);
		if (s != QP_RESET)
			to_init(&a);
		if (s != QP_RESET && s != QP_INIT)
			to_rtr(&a, 0);
		if (s > QP_RTR) {
			mbox_rts(&a);
			run(0x1b, a.qpn, 0);
		}
		if (s == QP_SQE) {
			post(&a, wr(WQE_READ, 0, 8));
			settle();
		} else if (s == QP_SQD) {
			run(0x1f, a.qpn, 0);
		} else if (s == QP_ERR) {
			run(0x1e, a.qpn, 0);
		}
		CHECK_EQ(query_state(&a), s);
		for (i = 0; i < sizeof(cmds) / sizeof(*cmds); i++) {
			if (cmds[i].allowed & 1 << s)
				continue;
			mbox_clear(0);
			CHECK_EQ(run(cmds[i].op, a.qpn, 0), CMD_BAD_QPEE_STATE);
			CHECK_EQ(query_state(&a), s);
		}
		CHECK_EQ(run(0x21, a.qpn, 1), s == QP_ERR ? CMD_OK : CMD_BAD_QPEE_STATE);
	}
}

static void numbers_are_checked(void)
{
	up(SVC_RC);
	CHECK_EQ(run(0x22, 0x3ff, 0), CMD_BAD_RESOURCE);
	/* same index, other high bits */
	CHECK_EQ(run(0x22, 0x1401, 0), CMD_BAD_RESOURCE);
	CHECK_EQ(run(0x1e, 0x1401, 0), CMD_BAD_RESOURCE);
	CHECK_EQ(run(0x21, 0x1401, 3), CMD_BAD_RESOURCE);
	CHECK_EQ(run(0x1c, 0x1401, 0), CMD_BAD_RESOURCE);
	a.qpn = 0x1401;
	mbox_init(&a);
	CHECK_EQ(run(0x19, 0x1401, 0), CMD_BAD_RESOURCE);
	CHECK_EQ(fake_violations[RULE_QP_BUSY], 1);
	CHECK_EQ(run(0x22, 1 << 24 | 0x402, 0), CMD_BAD_PARAM);
	CHECK_EQ(run(0x1e, 1u << 31 | 0x402, 0), CMD_BAD_PARAM);
	CHECK_EQ(fake_violations[RULE_QP_CMD_MODIFIER], 2);
	CHECK_EQ(run(0x1c, 0x402, 1), CMD_BAD_OP);
	CHECK_EQ(run(0x22, 0x402, 1), CMD_BAD_OP);
	CHECK_EQ(run(0x21, 0x402, 4), CMD_BAD_OP);
}

static void refuse_init(const char *what, u32 at, u32 value, u8 status, int rule)
{
	fake_up();
	a = tqp(0x401, SVC_RC, 1);
	mbox_init(&a);
	put32(ctx() + at, value);
	if (run(0x19, a.qpn, 0) != status || fake_violations[rule] != 1) {
		printf("# %s: not refused as it should be\n", what);
		tap_ok = false;
	}
	CHECK_EQ(query_state(&a), QP_RESET);
}

static void a_bad_context_is_refused_at_rst2init(void)
{
	refuse_init("service type", 0, 2 << 16, CMD_BAD_PARAM, RULE_QP_CTX_PARAM);
	refuse_init("port 0", 0x20, 0, CMD_BAD_PARAM, RULE_QP_CTX_PARAM);
	refuse_init("port 3", 0x20, 3 << 24, CMD_BAD_PARAM, RULE_QP_CTX_PARAM);
	refuse_init("P_Key index", 0x20, 1 << 24 | 64, CMD_BAD_PARAM, RULE_QP_CTX_PARAM);
	refuse_init("send CQ", 0x7c, 99, CMD_BAD_RES_STATE, RULE_QP_CTX_CQ);
	refuse_init("receive CQ", 0x9c, 99, CMD_BAD_RES_STATE, RULE_QP_CTX_CQ);
	refuse_init("SRQ", 0xac, 1 << 24 | 20, CMD_BAD_RES_STATE, RULE_QP_CTX_SRQ);
}

static void refuse_rtr(const char *what, u8 service, u32 at, u32 value, int rule)
{
	fake_up();
	a = tqp(0x401, service, 1);
	to_init(&a);
	mbox_rtr(&a, 0);
	put32(ctx() + at, value);
	if (run(0x1a, a.qpn, 0) != CMD_BAD_PARAM || fake_violations[rule] != 1) {
		printf("# %s: not refused as it should be\n", what);
		tap_ok = false;
	}
	CHECK_EQ(query_state(&a), QP_INIT);
}

static void a_bad_context_is_refused_at_init2rtr(void)
{
	refuse_rtr("MTU 0", SVC_RC, 8, 31 << 24, RULE_QP_CTX_PARAM);
	refuse_rtr("MTU 4096", SVC_RC, 8, 5u << 29 | 31 << 24, RULE_QP_CTX_PARAM);
	refuse_rtr("UD message size", SVC_UD, 8, 4u << 29 | 31 << 24, RULE_QP_CTX_PARAM);
	refuse_rtr("RDB alignment", SVC_RC, 0x98, 0x1010, RULE_QP_CTX_RDB);
	refuse_rtr("RDB outside the DDR", SVC_RC, 0x98, 0xfffff000, RULE_QP_CTX_RDB);
	refuse_rtr("RDB in the MPT table", SVC_RC, 0x98, 0x80000, RULE_QP_CTX_RDB);
	refuse_rtr("RDB into the MPT table", SVC_RC, 0x98, 0x7ffa0, RULE_QP_CTX_RDB);
}

static void err2rst_has_four_forms(void)
{
	u8 mod;

	for (mod = 0; mod < 4; mod++) {
		up(SVC_RC);
		CHECK_EQ(run(0x1e, a.qpn, 0), CMD_OK);
		settle();
		CHECK_EQ(run(0x21, a.qpn, mod), CMD_OK);
		CHECK_EQ(the_cmd.no_out, mod & 1);
		if (!(mod & 1))
			CHECK_EQ(get32(the_cmd.out + 8 + 0x10), a.qpn);
		CHECK_EQ(query_state(&a), QP_RESET);
		CHECK_EQ(run(0x21, a.qpn, mod), mod & 2 ? CMD_OK : CMD_BAD_QPEE_STATE);
	}
}

static void reset_makes_no_cqes(void)
{
	up(SVC_RC);
	post_recv(&a, 5, REMOTE, 8);
	post(&a, wr(WQE_SEND, 0, 8));
	CHECK_EQ(run(0x1e, a.qpn, 0), CMD_OK);
	CHECK_EQ(run(0x21, a.qpn, 3), CMD_OK);
	settle();
	expect_nothing(1);
	CHECK_EQ(complaints(), 0);
}

static void reset_with_packets_and_timers_in_flight(void)
{
	up(SVC_RC);
	post(&a, wr_rdma(WQE_READ, 0, 100000, REMOTE));
	turn();
	turn();
	CHECK_EQ(run(0x21, b.qpn, 3), CMD_OK);
	turn();
	CHECK_EQ(run(0x21, a.qpn, 3), CMD_OK);
	pass(1000000000);
	expect_nothing(1);
}

static void error_state_out_of_reset_has_no_context(void)
{
	fake_up();
	a = tqp(0x401, SVC_RC, 1);
	CHECK_EQ(run(0x1e, a.qpn, 0), CMD_OK);
	CHECK_EQ(query_state(&a), QP_ERR);
	ring_send(&a, 0, WQE_SEND, 2, false);
	settle();
	expect_nothing(1);
	CHECK_EQ(complaints(), 0);
	CHECK_EQ(run(0x21, a.qpn, 3), CMD_OK);
}

static void keys_of_queues_are_known(void)
{
	u32 uar = 0;

	up(SVC_RC);
	CHECK(qp_uses_mpt(&fake, a.lkey, &uar));
	CHECK_EQ(uar, FAKE_UAR);
	CHECK(qp_uses_mpt(&fake, a.lkey + (1 << 14), &uar));
	CHECK(!qp_uses_mpt(&fake, 0x3333, &uar));
	run(0x21, a.qpn, 3);
	CHECK(!qp_uses_mpt(&fake, a.lkey, &uar));
}

/* --- flushing ----------------------------------------------------------------------------- */

/*
 * Each WQE must be reported once: @chains chains of @per WQEs, of which the first @done complete.
 */
static void flush_walk(u32 chains, u32 per, u32 done, u32 bad)
{
	struct twr w[16];
	u32 c, i, n = 0, reported = 0;

	up(SVC_RC);
	post_recv(&b, 60, REMOTE, 64);
	for (c = 0; c < chains; c++) {
		for (i = 0; i < per; i++, n++) {
			w[i] = wr(WQE_SEND, 0, 8);
			if (n == bad)
				w[i].sge[0].key = 0x666;
		}
		post_chain(&a, w, per);
	}
	settle();
	for (i = 0; i < done; i++)
		expect_send(1, WQE_SEND);
	for (;;) {
		const struct cqe *e = poll(1);

		if (!e)
			break;
		CHECK(e->error && e->send);
		/* with flush_count there is one CQE, which counts the later doorbells */
		CHECK_EQ(e->db_cnt, fake_flush_count ? chains - 1 - bad / per : 0);
		CHECK(!fake_flush_count || !reported);
		CHECK_EQ(e->syndrome, reported ? SYN_FLUSHED : SYN_LOCAL_PROT);
		CHECK_EQ(e->wqe & ~0x3fu, sq_addr(&a, done + reported));
		reported += walk_flush(&a, e);
	}
	CHECK_EQ(done + reported, n);
}

static void errors_anywhere(void)
{
	u32 chains, per, bad;

	for (chains = 1; chains < 5; chains++)
		for (per = 1; per < 5; per++)
			for (bad = 0; bad < chains * per; bad++)
				flush_walk(chains, per, bad, bad);
}

static void an_error_anywhere_reports_each_wqe_once(void)
{
	errors_anywhere();
}

static void an_error_can_count_the_doorbells_behind_it(void)
{
	fake_flush_count = 1;
	errors_anywhere();
	fake_flush_count = 0;
}

/* Moves a QP with two chains of sends and 40 receives to the error state; nobody gets the sends. */
static void flush_a(void)
{
	struct twr w[3] = { wr(WQE_SEND, 0, 8), wr(WQE_SEND, 0, 8), wr(WQE_SEND, 0, 8) };

	fake_up();
	pair(&a, &b, SVC_RC);
	link_filter = NULL;
	post_recv(&a, 40, REMOTE, 8);
	post_chain(&a, w, 3);
	post_chain(&a, w, 2);
	CHECK_EQ(run(0x1e, a.qpn, 0), CMD_OK);
	settle();
}

static void to_error_flushes_what_is_posted(void)
{
	u32 i;

	flush_a();
	/* sends and receives are flushed alternately, but each queue in order */
	for (i = 0; i < 2 + 40; i++)
		CHECK(poll(1));
	expect_nothing(1);
}

static void a_flush_can_count_the_doorbells(void)
{
	struct twr w[2] = { wr(WQE_SEND, 0, 8), wr(WQE_SEND, 0, 8) };
	const struct cqe *c;

	fake_flush_count = 1;
	flush_a();
	c = expect_error(1, true, SYN_FLUSHED);
	CHECK(c && c->db_cnt == 1 && walk_flush(&a, c) == 5);
	c = expect_error(1, false, SYN_FLUSHED);
	CHECK(c && c->db_cnt == 39 && (c->wqe & ~0x3fu) == rq_addr(0));
	expect_nothing(1);
	/* what is posted later has a CQE of its own */
	post_chain(&a, w, 2);
	post_recv(&a, 1, 0, 0);
	settle();
	c = expect_error(1, true, SYN_FLUSHED);
	CHECK(c && !c->db_cnt && walk_flush(&a, c) == 2);
	c = expect_error(1, false, SYN_FLUSHED);
	CHECK(c && !c->db_cnt);
	expect_nothing(1);
	fake_flush_count = 0;
}

static void posting_to_a_queue_in_error_flushes(void)
{
	struct twr drain = { .op = WQE_WRITE };
	struct twr w[3] = { wr(WQE_SEND, 0, 8), wr(WQE_SEND, 0, 8), wr(WQE_SEND, 0, 8) };

	up(SVC_RC);
	CHECK_EQ(run(0x1e, a.qpn, 0), CMD_OK);
	settle();
	expect_nothing(1);
	post(&a, drain);
	settle();
	CHECK_EQ(walk_flush(&a, expect_error(1, true, SYN_FLUSHED)), 1);
	post_chain(&a, w, 3);
	settle();
	CHECK_EQ(walk_flush(&a, expect_error(1, true, SYN_FLUSHED)), 3);
	post_recv(&a, 1, 0, 0);
	settle();
	expect_error(1, false, SYN_FLUSHED);
	expect_nothing(1);
	CHECK_EQ(complaints(), 0);
}

static void a_half_received_message_is_flushed_first(void)
{
	const struct cqe *c;

	up(SVC_RC);
	post_recv(&b, 2, REMOTE, 100000);
	post(&a, wr(WQE_SEND, 0, 100000));
	turn();
	turn();
	turn();
	turn();
	CHECK_EQ(run(0x1e, b.qpn, 0), CMD_OK);
	settle();
	c = expect_error(2, false, SYN_FLUSHED);
	CHECK(c && (c->wqe & ~0x3fu) == rq_addr(0));
	c = expect_error(2, false, SYN_FLUSHED);
	CHECK(c && (c->wqe & ~0x3fu) == rq_addr(1));
	expect_nothing(2);
}

static void a_dead_cq_takes_its_qps_to_error(void)
{
	up(SVC_RC);
	fake_cq_bad = 1;
	post(&a, wr_rdma(WQE_WRITE, 0, 8, REMOTE));
	settle();
	CHECK(had_event(EV_WQ_CATAS, a.qpn));
	CHECK_EQ(query_state(&a), QP_ERR);
	up(SVC_RC);
	qp_cq_error(&fake, 2);
	CHECK(had_event(EV_WQ_CATAS, b.qpn));
	CHECK_EQ(query_state(&b), QP_ERR);
	CHECK_EQ(query_state(&a), QP_RTS);
}

/* --- SQD ---------------------------------------------------------------------------------- */

static void sqd_finishes_what_has_begun_and_holds_the_rest(void)
{
	up(SVC_RC);
	post(&a, wr_rdma(WQE_WRITE, 0, 100000, REMOTE));
	turn();
	CHECK_EQ(run(0x1f, 1u << 31 | a.qpn, 0), CMD_OK);
	CHECK_EQ(query_state(&a), QP_DRAINING);
	mbox_clear(0);
	CHECK_EQ(run(0x38, a.qpn, 0), CMD_BAD_QPEE_STATE);
	post(&a, wr_rdma(WQE_WRITE, 0, 8, REMOTE));
	settle();
	CHECK(had_event(EV_SQ_DRAINED, a.qpn));
	CHECK_EQ(query_state(&a), QP_SQD);
	expect_send(1, WQE_WRITE);
	expect_nothing(1);
	mbox_clear(0);
	CHECK_EQ(run(0x20, a.qpn, 0), CMD_OK);
	settle();
	expect_send(1, WQE_WRITE);
}

static void sqd_of_an_idle_queue_is_at_once_and_silent_unless_asked(void)
{
	up(SVC_RC);
	CHECK_EQ(run(0x1f, a.qpn, 0), CMD_OK);
	CHECK_EQ(query_state(&a), QP_SQD);
	CHECK_EQ(fake_nevents, 0);
	CHECK_EQ(run(0x1f, 1u << 31 | b.qpn, 0), CMD_OK);
	CHECK(had_event(EV_SQ_DRAINED, b.qpn));
}

static void sqd2sqd_changes_path_and_retries(void)
{
	up(SVC_RC);
	CHECK_EQ(run(0x1f, a.qpn, 0), CMD_OK);
	mbox_clear(1 << 4 | 1 << 7 | 1 << 12 | 1 << 14 | 1 << 15);
	put32(ctx() + 0x20, 1);
	ctx()[0x24] = 3 << 5;
	put16(ctx() + 0x26, 0x55);
	ctx()[0x28] = 9 << 3;
	put32(ctx() + 0x70, 7 << 16);
	CHECK_EQ(run(0x38, a.qpn, 0), CMD_OK);
	CHECK_EQ(get32(queried(&a) + 0x20), 1 << 24 | 1);
	CHECK_EQ(get32(the_cmd.out + 8 + 0x24), 3u << 29 | 0x55);
	CHECK_EQ(the_cmd.out[8 + 0x28], 9 << 3);
	CHECK_EQ(bits(get32(the_cmd.out + 8 + 0x70), 18, 16), 7);
	mbox_clear(1 << 4);
	put32(ctx() + 0x20, 100);
	CHECK_EQ(run(0x38, a.qpn, 0), CMD_BAD_PARAM);
	CHECK_EQ(get32(queried(&a) + 0x20), 1 << 24 | 1);
}

/* --- path migration ----------------------------------------------------------------------- */

static int cut_port_lid;

static int cut(struct packet *p, const struct headers *hd)
{
	return hd->dlid == cut_port_lid ? 0 : 1;
}

static void rearm(const struct tqp *q, u16 lid)
{
	mbox_clear(1 << 0 | 1 << 10);
	put32(ctx(), 1 << 11);
	put32(ctx() + 0x40, 1 << 24);
	put16(ctx() + 0x46, lid);
	ctx()[0x48] = T_TIMEOUT << 3;
	CHECK_EQ(run(0x1c, q->qpn, 0), CMD_OK);
}

static u8 pm_of(const struct tqp *q)
{
	return bits(get32(queried(q)), 12, 11);
}

static void both_sides_arm_and_migrate(void)
{
	up(SVC_RC);
	rearm(&a, FAKE_LID + 1);
	rearm(&b, FAKE_LID + 1);
	CHECK_EQ(pm_of(&a), PM_REARM);
	post(&a, wr_rdma(WQE_WRITE, 0, 8, REMOTE));
	settle();
	CHECK_EQ(pm_of(&a), PM_ARMED);
	CHECK_EQ(pm_of(&b), PM_ARMED);
	cut_port_lid = FAKE_LID;
	link_filter = cut;
	post(&a, wr_rdma(WQE_WRITE, 0, 8, REMOTE));
	pass(100000000);
	expect_send(1, WQE_WRITE);
	expect_send(1, WQE_WRITE);
	CHECK_EQ(pm_of(&a), PM_MIGRATED);
	CHECK_EQ(pm_of(&b), PM_MIGRATED);
	CHECK_EQ(get16(queried(&a) + 0x26), FAKE_LID + 1);
	CHECK(had_event(EV_PATH_MIG, a.qpn));
	CHECK(had_event(EV_PATH_MIG, b.qpn));
}

static void software_may_force_migration(void)
{
	up(SVC_RC);
	rearm(&a, FAKE_LID + 1);
	rearm(&b, FAKE_LID + 1);
	post(&a, wr_rdma(WQE_WRITE, 0, 8, REMOTE));
	settle();
	mbox_clear(1 << 10);
	put32(ctx(), 3 << 11);
	CHECK_EQ(run(0x1c, a.qpn, 0), CMD_OK);
	CHECK_EQ(get16(queried(&a) + 0x26), FAKE_LID + 1);
	post(&a, wr_rdma(WQE_WRITE, 0, 8, REMOTE));
	settle();
	CHECK_EQ(pm_of(&b), PM_MIGRATED);
	CHECK(had_event(EV_PATH_MIG, b.qpn));
}

static void alternate_path_must_make_sense(void)
{
	up(SVC_RC);
	mbox_clear(1 << 0);
	put32(ctx() + 0x40, 3 << 24);
	CHECK_EQ(run(0x1c, a.qpn, 0), CMD_BAD_PARAM);
	CHECK_EQ(fake_violations[RULE_QP_CTX_PARAM], 1);
}

static int lose(struct packet *p, const struct headers *hd)
{
	return 0;
}

static void rearm_without_a_path(const struct tqp *q)
{
	mbox_clear(1 << 10);
	put32(ctx(), 1 << 11);
	CHECK_EQ(run(0x1c, q->qpn, 0), CMD_OK);
}

/* A process can request path migration without an alternate path: no migration is then possible. */
static void nothing_to_migrate_to(void)
{
	up(SVC_RC);
	rearm_without_a_path(&a);
	rearm_without_a_path(&b);
	post(&a, wr_rdma(WQE_WRITE, 0, 8, REMOTE));
	settle();
	expect_send(1, WQE_WRITE);
	CHECK_EQ(pm_of(&a), PM_REARM);
	CHECK_EQ(pm_of(&b), PM_REARM);
	link_filter = lose;
	post(&a, wr_rdma(WQE_WRITE, 0, 8, REMOTE));
	pass(1000000000);
	expect_error(1, true, SYN_RETRY);
	CHECK(!had_event(EV_PATH_MIG, a.qpn));
	CHECK_EQ(queried(&a)[0x20], 1);
}

static void rearm_on(const struct tqp *q, u8 port, u8 pkey_index)
{
	mbox_clear(1 << 0 | 1 << 10);
	put32(ctx(), 1 << 11);
	put32(ctx() + 0x40, (u32)port << 24 | pkey_index);
	CHECK_EQ(run(0x1c, q->qpn, 0), CMD_OK);
}

/* Delivers a write of no bytes, with or without the M bit of a sender that has migrated. */
static void arrives_with(const struct tqp *q, u32 psn, bool mig)
{
	struct packet *p = packet_alloc();
	struct lrh l = { .dlid = FAKE_LID, .slid = FAKE_LID };
	struct bth bth = {
		.opcode = OP_WRITE_ONLY, .pkey = 0xffff, .dqpn = q->qpn, .psn = psn, .mig = mig
	};
	u8 *at = put_bth(put_lrh(p->data, &l), &bth);

	memset(at, 0, RETH_LEN);
	packet_seal(p, at + RETH_LEN);
	qp_rx(&fake, 1, p, false);
	settle();
}

/* This side cannot follow the migration: its alternate P_Key does not match the remote side's. */
static void migration_that_fails_is_told(void)
{
	up(SVC_RC);
	rearm(&a, FAKE_LID + 1);
	rearm_on(&b, 2, 2);
	post(&a, wr_rdma(WQE_WRITE, 0, 8, REMOTE));
	settle();
	CHECK_EQ(pm_of(&b), PM_ARMED);
	cut_port_lid = FAKE_LID;
	link_filter = cut;
	post(&a, wr_rdma(WQE_WRITE, 0, 8, REMOTE));
	pass(100000000);
	CHECK_EQ(events(EV_PATH_MIG_FAILED, b.qpn), 1); /* reported once, not per packet */
	CHECK_EQ(pm_of(&b), PM_ARMED);
	rearm_on(&b, 2, 2);
	CHECK_EQ(run(0x1e, a.qpn, 0), CMD_OK);
	link_filter = NULL;
	arrives_with(&b, 0x123457, false);
	CHECK_EQ(pm_of(&b), PM_ARMED);
	arrives_with(&b, 0x123458, true);
	CHECK_EQ(events(EV_PATH_MIG_FAILED, b.qpn), 2); /* reported again for another path */
}

/* --- doorbells ---------------------------------------------------------------------------- */

static void doorbells_of_nobody(void)
{
	up(SVC_RC);
	qp_db_send(&fake, FAKE_UAR, 10, 0x777 << 8 | 2);
	qp_db_recv(&fake, FAKE_UAR, 2, 0x777 << 8 | 1);
	qp_db_recv(&fake, FAKE_UAR, 0, 0x20 << 8 | 1);
	CHECK_EQ(fake_faults[RULE_QP_DB_NONE], 3);
}

static void doorbells_through_the_wrong_page(void)
{
	up(SVC_RC);
	qp_db_send(&fake, FAKE_UAR + 1, 10, a.qpn << 8 | 2);
	qp_db_recv(&fake, FAKE_UAR + 1, 2, a.qpn << 8 | 1);
	CHECK_EQ(fake_faults[RULE_QP_DB_UAR], 2);
	CHECK_EQ(events(EV_LOCAL_CATAS, FAKE_UAR + 1), 2);
	settle();
	expect_nothing(1);
	/* UAR page 1 is valid for all */
	qp_db_recv(&fake, 1, 2, a.qpn << 8 | 1);
	CHECK_EQ(fake_faults[RULE_QP_DB_UAR], 2);
}

static void send_doorbell_of_size_zero(void)
{
	up(SVC_RC);
	ring_send(&a, sq_addr(&a, 0), WQE_SEND, 0, true);
	CHECK_EQ(fake_faults[RULE_QP_DB_FORMAT], 1);
}

static void work_queues_overflow(void)
{
	u32 i;

	up(SVC_RC);
	run(0x21, a.qpn, 3);
	to_init(&a);
	for (i = 0; i < WQ_LIMIT; i++)
		ring_send(&a, sq_addr(&a, 0), WQE_SEND, 2, false);
	CHECK_EQ(complaints(), 0);
	ring_send(&a, sq_addr(&a, 0), WQE_SEND, 2, false);
	CHECK_EQ(fake_faults[RULE_WQ_OVERFLOW], 1);
	CHECK(had_event(EV_WQ_CATAS, a.qpn));
	up(SVC_RC);
	for (i = 0; i < WQ_LIMIT / 256; i++)
		qp_db_recv(&fake, FAKE_UAR, 2, a.qpn << 8);
	CHECK_EQ(complaints(), 0);
	qp_db_recv(&fake, FAKE_UAR, 2, a.qpn << 8 | 1);
	CHECK_EQ(fake_faults[RULE_WQ_OVERFLOW], 1);
}

static void work_posted_early_waits_for_rts(void)
{
	fake_up();
	a = tqp(0x401, SVC_RC, 1);
	b = tqp(0x402, SVC_RC, 2);
	to_init(&a);
	to_init(&b);
	to_rts(&b, a.qpn);
	post_recv(&a, 1, REMOTE + 1000, 8);
	post(&a, wr_rdma(WQE_WRITE, 0, 8, REMOTE));
	settle();
	to_rtr(&a, b.qpn);
	post(&b, wr(WQE_SEND, 0, 8));
	settle();
	expect_recv(1, OP_SEND_ONLY, 8);
	expect_nothing(1);
	mbox_rts(&a);
	CHECK_EQ(run(0x1b, a.qpn, 0), CMD_OK);
	settle();
	expect_send(1, WQE_WRITE);
}

/* --- malformed WQEs ----------------------------------------------------------------------- */

static void wqe_out_of_reach(void)
{
	up(SVC_RC);
	ring_send(&a, BUF_SIZE, WQE_SEND, 2, false);
	settle();
	expect_error(1, true, SYN_LOCAL_PROT);
	CHECK_EQ(fake_faults[RULE_WQE_FETCH], 1);
	qp_db_recv(&fake, FAKE_UAR, BUF_SIZE | 2, b.qpn << 8 | 1);
	run(0x21, a.qpn, 3);
	to_init(&a);
	to_rts(&a, b.qpn);
	post(&a, wr(WQE_SEND, 0, 8));
	settle();
	expect_error(2, false, SYN_LOCAL_PROT);
	expect_error(1, true, SYN_REMOTE_OP);
	CHECK_EQ(fake_faults[RULE_WQE_FETCH], 2);
}

static void wqe_with_an_unknown_opcode(void)
{
	up(SVC_RC);
	post(&a, wr(0x1f, 0, 8));
	settle();
	expect_error(1, true, SYN_LOCAL_QP_OP);
	CHECK_EQ(fake_faults[RULE_WQE_OPCODE], 1);
}

static void wqe_too_small_for_its_segments(void)
{
	static const u8 ops[] = { WQE_WRITE, WQE_READ, WQE_CMP_SWAP, WQE_BIND };
	u32 i;

	for (i = 0; i < 4; i++) {
		up(SVC_RC);
		put_wqe(&a, 0, &(struct twr){ .op = WQE_SEND });
		ring_send(&a, sq_addr(&a, 0), ops[i], 1, false);
		settle();
		expect_error(1, true, SYN_LOCAL_QP_OP);
		CHECK_EQ(fake_faults[RULE_WQE_FORMAT], 1);
	}
}

static void inline_data_longer_than_the_wqe(void)
{
	struct twr w = wr(WQE_SEND, 0, 8);

	up(SVC_RC);
	post(&a, w);
	put32(mem + a.at + sq_addr(&a, 0) + 16, 1u << 31 | 13);
	settle();
	expect_error(1, true, SYN_LOCAL_QP_OP);
	CHECK_EQ(fake_faults[RULE_WQE_FORMAT], 1);
}

static void inline_data_in_a_receive(void)
{
	up(SVC_RC);
	post_recv(&b, 1, REMOTE, 8);
	put32(mem + b.at + rq_addr(0) + 16, 1u << 31 | 4);
	post(&a, wr(WQE_SEND, 0, 4));
	settle();
	expect_error(2, false, SYN_LOCAL_QP_OP);
	CHECK_EQ(fake_faults[RULE_WQE_FORMAT], 1);
}

static void chain_that_never_ends(void)
{
	struct twr w = { .op = WQE_NOP, .unsignaled = true };
	u8 size;

	up(SVC_RC);
	size = put_wqe(&a, 0, &w);
	put32(mem + a.at + sq_addr(&a, 0), sq_addr(&a, 0) | WQE_NOP);
	put32(mem + a.at + sq_addr(&a, 0) + 4, size);
	ring_send(&a, sq_addr(&a, 0), WQE_NOP, size, false);
	settle();
	expect_error(1, true, SYN_LOCAL_QP_OP);
	CHECK_EQ(fake_faults[RULE_WQE_CHAIN], 1);
}

static void receive_link_that_leads_nowhere(void)
{
	up(SVC_RC);
	post_recv(&b, 2, REMOTE, 8);
	put32(mem + b.at + rq_addr(0) + 4, 0);
	post(&a, wr(WQE_SEND, 0, 8));
	settle();
	expect_recv(2, OP_SEND_ONLY, 8);
	CHECK_EQ(fake_faults[RULE_WQE_RECV_LINK], 1);
	up(SVC_RC);
	post_recv(&b, 2, REMOTE, 8);
	put32(mem + b.at + rq_addr(0), rq_addr(1));
	post(&a, wr(WQE_SEND, 0, 8));
	settle();
	CHECK_EQ(fake_faults[RULE_WQE_RECV_LINK], 1);
}

/* A process changes a WQE while its message is being sent. */
static void wqe_changed_while_it_is_being_sent(void)
{
	u32 i;

	up(SVC_RC);
	post(&a, wr_rdma(WQE_READ, 0, 100000, REMOTE));
	for (i = 0; i < 6; i++)
		turn();
	post(&a, wr_rdma(WQE_READ, 0, 8, REMOTE));
	put32(mem + a.at + sq_addr(&a, 0) + 32, 3);
	settle();
	expect_error(1, true, SYN_LOCAL_QP_OP);
}

static const struct tap_test tests[] = {
	TAP(query_returns_what_was_given),
	TAP(query_shows_how_far_it_has_got),
	TAP(unnamed_fields_are_left_alone),
	TAP(init2rtr_keeps_port_and_pkey_index),
	TAP(init2init_changes_port_and_pkey),
	TAP(a_command_in_the_wrong_state_is_refused),
	TAP(numbers_are_checked),
	TAP(a_bad_context_is_refused_at_rst2init),
	TAP(a_bad_context_is_refused_at_init2rtr),
	TAP(err2rst_has_four_forms),
	TAP(reset_makes_no_cqes),
	TAP(reset_with_packets_and_timers_in_flight),
	TAP(error_state_out_of_reset_has_no_context),
	TAP(keys_of_queues_are_known),
	TAP(an_error_anywhere_reports_each_wqe_once),
	TAP(an_error_can_count_the_doorbells_behind_it),
	TAP(to_error_flushes_what_is_posted),
	TAP(a_flush_can_count_the_doorbells),
	TAP(posting_to_a_queue_in_error_flushes),
	TAP(a_half_received_message_is_flushed_first),
	TAP(a_dead_cq_takes_its_qps_to_error),
	TAP(sqd_finishes_what_has_begun_and_holds_the_rest),
	TAP(sqd_of_an_idle_queue_is_at_once_and_silent_unless_asked),
	TAP(sqd2sqd_changes_path_and_retries),
	TAP(both_sides_arm_and_migrate),
	TAP(software_may_force_migration),
	TAP(alternate_path_must_make_sense),
	TAP(nothing_to_migrate_to),
	TAP(migration_that_fails_is_told),
	TAP(doorbells_of_nobody),
	TAP(doorbells_through_the_wrong_page),
	TAP(send_doorbell_of_size_zero),
	TAP(work_queues_overflow),
	TAP(work_posted_early_waits_for_rts),
	TAP(wqe_out_of_reach),
	TAP(wqe_with_an_unknown_opcode),
	TAP(wqe_too_small_for_its_segments),
	TAP(inline_data_longer_than_the_wqe),
	TAP(inline_data_in_a_receive),
	TAP(chain_that_never_ends),
	TAP(receive_link_that_leads_nowhere),
	TAP(wqe_changed_while_it_is_being_sent),
};

int main(int argc, char **argv)
{
	return tap_run(tests, sizeof(tests) / sizeof(*tests), argc, argv);
}
