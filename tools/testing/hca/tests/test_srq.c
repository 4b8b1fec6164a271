// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/* Shared receive queues: commands, posting, limit and last-WQE events. */
#include "qp_fakes.h"

#define REMOTE 0x400000u
#define SRQN 0x20u
#define SLOT 128u

static struct tqp a, b;
static u32 srq_mem, posted;

static void mbox_srq(u32 pd, u32 ds)
{
	mbox_clear(0);
	put32(the_cmd.in + 4, ds);
	put32(the_cmd.in + 8, pd);
	put32(the_cmd.in + 12, 0x1000 + 0x40);
	put32(the_cmd.in + 16, FAKE_UAR);
}

/* Creates the ring of tavor-hw 15.2: slot i links to i + 1, and unused entries end the list. */
static void srq_make(void)
{
	u32 i;

	srq_mem = 0x40 * BUF_SIZE;
	fake_key_add(0x1000 + 0x40, 0, BUF_SIZE, srq_mem, 0);
	memset(mem + srq_mem, 0, BUF_SIZE);
	for (i = 0; i < RING; i++) {
		u8 *w = mem + srq_mem + i * SLOT;

		put32(w, i == RING - 1 ? 0 : (i + 1) * SLOT | 1);
		put32(w + 20, 0x100);
		put32(w + 36, 1);
	}
	posted = 0;
	mbox_srq(FAKE_PD, SLOT / 16);
	CHECK_EQ(run(0x35, SRQN, 0), CMD_OK);
}

static void attach(struct tqp *q, u8 service, u32 qpn, u32 cqn)
{
	*q = tqp(qpn, service, cqn);
	mbox_init(q);
	put32(ctx() + 0xac, 1 << 24 | SRQN);
	put32(ctx() + 0x90, 0xe000 | 1 << 4 | 1 << 3);
	CHECK_EQ(run(0x19, q->qpn, 0), CMD_OK);
}

/* Connects the QPs: a sends, b receives from the SRQ. */
static void up(void)
{
	fake_up();
	srq_make();
	a = tqp(0x401, SVC_RC, 1);
	to_init(&a);
	attach(&b, SVC_RC, 0x402, 2);
	to_rts(&a, b.qpn);
	to_rts(&b, a.qpn);
}

static void srq_post(u32 n, u32 off, u32 len)
{
	u32 i, first = posted;

	for (i = 0; i < n; i++, posted++) {
		u8 *w = mem + srq_mem + posted * SLOT;

		put32(w + 4, 0x80);
		put32(w + 16, len);
		put32(w + 20, DATA_KEY);
		put64(w + 24, DATA_BASE + off + i * len);
	}
	qp_db_recv(&fake, FAKE_UAR, first * SLOT, SRQN << 8 | n);
}

static u16 query_count(void)
{
	CHECK_EQ(run(0x37, SRQN, 0), CMD_OK);
	return get16(the_cmd.out + 22);
}

static void receives_come_from_the_shared_queue(void)
{
	const struct cqe *c;
	u32 i;

	up();
	srq_post(4, REMOTE, 2000);
	CHECK_EQ(query_count(), 4);
	for (i = 0; i < 3; i++)
		post(&a, wr(WQE_SEND, i * 2000, 2000));
	settle();
	for (i = 0; i < 3; i++) {
		expect_send(1, WQE_SEND);
		c = poll(2);
		CHECK(c && !c->error && c->qpn == b.qpn);
		CHECK_EQ(c ? c->wqe & ~0x3fu : 0, i * SLOT);
	}
	CHECK(same(0, REMOTE, 6000));
	CHECK_EQ(query_count(), 1);
	CHECK_EQ(get32(the_cmd.out + 4), 3 * SLOT | SLOT / 16);
	CHECK_EQ(complaints(), 0);
}

static void empty_shared_queue_is_not_ready(void)
{
	up();
	post(&a, wr(WQE_SEND, 0, 8));
	settle();
	expect_nothing(1);
	srq_post(1, REMOTE, 8);
	pass(20000);
	expect_send(1, WQE_SEND);
	expect_recv(2, OP_SEND_ONLY, 8);
}

static void limit_event_comes_once(void)
{
	u32 i;

	up();
	srq_post(6, REMOTE, 8);
	the_cmd.in_param = 4;
	CHECK_EQ(run(0x40, SRQN, 0), CMD_OK);
	CHECK_EQ(run(0x37, SRQN, 0), CMD_OK);
	CHECK_EQ(get16(the_cmd.out + 20), 4);
	for (i = 0; i < 2; i++)
		post(&a, wr(WQE_SEND, 0, 8));
	settle();
	CHECK(!had_event(EV_SRQ_LIMIT, SRQN));
	post(&a, wr(WQE_SEND, 0, 8));
	settle();
	CHECK(had_event(EV_SRQ_LIMIT, SRQN));
	CHECK_EQ(fake_nevents, 1);
	post(&a, wr(WQE_SEND, 0, 8));
	settle();
	CHECK_EQ(fake_nevents, 1);
	CHECK_EQ(run(0x37, SRQN, 0), CMD_OK);
	CHECK_EQ(get16(the_cmd.out + 20), 0);
	the_cmd.in_param = 0x10000;
	CHECK_EQ(run(0x40, SRQN, 0), CMD_BAD_PARAM);
}

static void error_leaves_the_queue_to_others_and_tells_the_last_wqe(void)
{
	up();
	srq_post(4, REMOTE, 100000);
	post(&a, wr(WQE_SEND, 0, 100000));
	turn();
	turn();
	turn();
	turn();
	CHECK_EQ(run(0x1e, b.qpn, 0), CMD_OK);
	CHECK(!had_event(EV_LAST_WQE, b.qpn));
	settle();
	expect_error(2, false, SYN_FLUSHED);
	expect_nothing(2);
	CHECK(had_event(EV_LAST_WQE, b.qpn));
	CHECK_EQ(fake_nevents, 1);
	CHECK_EQ(query_count(), 3);
	/* reported once: a WQE that is posted later is flushed without another event */
	post(&b, wr(WQE_SEND, 0, 8));
	settle();
	expect_error(2, true, SYN_FLUSHED);
	CHECK_EQ(fake_nevents, 1);
}

static void datagrams_take_from_it_too(void)
{
	struct twr w = wr(WQE_SEND, 0, 100);
	u8 *av = mem + MEM_SIZE - (1 << 16);
	struct tqp u;

	fake_up();
	srq_make();
	attach(&u, SVC_UD, 0x405, 3);
	to_rts(&u, 0);
	srq_post(1, REMOTE, 200);
	memset(av, 0, 32);
	put32(av, 1 << 24 | FAKE_PD);
	put16(av + 6, FAKE_LID);
	av[0x0a] = 3 << 4;
	w.dqpn = u.qpn;
	w.qkey = 0x11111111;
	post(&u, w);
	settle();
	expect_send(3, WQE_SEND);
	expect_recv(3, OP_SEND_ONLY, 140);
}

static void unreadable_wqe_fails_the_shared_queue(void)
{
	up();
	qp_db_recv(&fake, FAKE_UAR, BUF_SIZE, SRQN << 8 | 1);
	post(&a, wr(WQE_SEND, 0, 8));
	settle();
	CHECK(had_event(EV_SRQ_CATAS, SRQN));
	CHECK_EQ(fake_faults[RULE_WQE_FETCH], 1);
	CHECK_EQ(run(0x37, SRQN, 0), CMD_OK);
	CHECK_EQ(get32(the_cmd.out + 8) >> 28, 1);
}

static void commands_are_checked(void)
{
	up();
	mbox_srq(FAKE_PD, 8);
	CHECK_EQ(run(0x35, SRQN, 0), CMD_BAD_RES_STATE);
	CHECK_EQ(run(0x35, 3, 0), CMD_BAD_RESOURCE);
	CHECK_EQ(run(0x35, 0x100, 0), CMD_BAD_INDEX);
	CHECK_EQ(run(0x35, SRQN + 1, 1), CMD_BAD_OP);
	mbox_srq(FAKE_PD, 1);
	CHECK_EQ(run(0x35, SRQN + 1, 0), CMD_BAD_PARAM);
	CHECK_EQ(fake_violations[RULE_SRQ_CTX_PARAM], 1);
	CHECK_EQ(run(0x36, SRQN + 1, 0), CMD_BAD_RES_STATE);
	CHECK_EQ(run(0x37, SRQN + 1, 0), CMD_BAD_RES_STATE);
	CHECK_EQ(run(0x40, SRQN + 1, 0), CMD_BAD_RES_STATE);
	CHECK_EQ(run(0x37, SRQN, 1), CMD_BAD_OP);
}

static void busy_srq_stays(void)
{
	u32 uar = 0;

	up();
	CHECK(qp_uses_mpt(&fake, 0x1040, &uar));
	CHECK_EQ(run(0x36, SRQN, 0), CMD_RESOURCE_BUSY);
	CHECK_EQ(fake_violations[RULE_SRQ_BUSY], 1);
	CHECK_EQ(run(0x21, b.qpn, 3), CMD_OK);
	CHECK_EQ(run(0x36, SRQN, 0), CMD_OK);
	CHECK_EQ(get32(the_cmd.out + 8) >> 28, 0xf);
	CHECK(!qp_uses_mpt(&fake, 0x1040, &uar));
}

static void pd_of_qp_and_srq_must_agree(void)
{
	fake_up();
	srq_make();
	CHECK_EQ(run(0x36, SRQN, 0), CMD_OK);
	mbox_srq(FAKE_PD + 1, 8);
	CHECK_EQ(run(0x35, SRQN, 0), CMD_OK);
	b = tqp(0x402, SVC_RC, 2);
	mbox_init(&b);
	put32(ctx() + 0xac, 1 << 24 | SRQN);
	CHECK_EQ(run(0x19, b.qpn, 0), CMD_BAD_PARAM);
	CHECK_EQ(fake_violations[RULE_QP_CTX_SRQ], 1);
	CHECK_EQ(run(0x36, SRQN, 0), CMD_OK);
}

static void doorbells_are_checked(void)
{
	u32 i;

	up();
	qp_db_recv(&fake, FAKE_UAR + 1, 0, SRQN << 8 | 1);
	CHECK_EQ(fake_faults[RULE_QP_DB_UAR], 1);
	qp_db_recv(&fake, 1, 0, SRQN << 8 | 1); /* UAR page 1 is valid for all */
	CHECK_EQ(fake_faults[RULE_QP_DB_UAR], 1);
	qp_db_recv(&fake, FAKE_UAR, 2, b.qpn << 8 | 1);
	CHECK_EQ(fake_faults[RULE_SRQ_DB_SIZE], 1);
	for (i = 0; i < WQ_LIMIT / 256; i++)
		qp_db_recv(&fake, FAKE_UAR, 0, SRQN << 8);
	qp_db_recv(&fake, FAKE_UAR, 0, SRQN << 8 | 1);
	CHECK_EQ(fake_faults[RULE_WQ_OVERFLOW], 1);
	CHECK(had_event(EV_SRQ_CATAS, SRQN));
}

static const struct tap_test tests[] = {
	TAP(receives_come_from_the_shared_queue),
	TAP(empty_shared_queue_is_not_ready),
	TAP(limit_event_comes_once),
	TAP(error_leaves_the_queue_to_others_and_tells_the_last_wqe),
	TAP(datagrams_take_from_it_too),
	TAP(unreadable_wqe_fails_the_shared_queue),
	TAP(commands_are_checked),
	TAP(busy_srq_stays),
	TAP(pd_of_qp_and_srq_must_agree),
	TAP(doorbells_are_checked),
};

int main(int argc, char **argv)
{
	return tap_run(tests, sizeof(tests) / sizeof(*tests), argc, argv);
}
