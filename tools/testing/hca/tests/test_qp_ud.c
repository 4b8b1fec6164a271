// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/* Datagrams: UD with address vectors and multicast, and the special QPs. */
#include "qp_fakes.h"

#define REMOTE 0x400000u
#define QKEY 0x11111111u

static struct tqp a, b;

static u8 *av_at(u32 n)
{
	return mem + MEM_SIZE - (1 << 16) + n * 32;
}

/* Writes address vector @n, for the own LID on port 1. */
static u8 *av_make(u32 n, bool grh)
{
	u8 *av = av_at(n);

	memset(av, 0, 32);
	put32(av, 1 << 24 | FAKE_PD);
	av[5] = grh ? 0x80 : 0;
	put16(av + 6, FAKE_LID);
	av[0x0a] = 3 << 4;
	av[0x0b] = 7;
	put32(av + 0x0c, 2u << 28 | 0x33 << 20 | 0x12345);
	memcpy(av + 0x10, fake_gids[0][0], 16);
	return av;
}

static void up(void)
{
	u32 i;

	fake_up();
	for (i = 0; i < 32; i++) {
		memset(fake_gids[0][i], 0x10 + i, 16);
		memset(fake_gids[1][i], 0x80 + i, 16);
	}
	a = tqp(0x401, SVC_UD, 1);
	b = tqp(0x402, SVC_UD, 2);
	to_init(&a);
	to_init(&b);
	to_rts(&a, 0);
	to_rts(&b, 0);
	av_make(0, false);
	av_make(1, true);
}

static struct twr datagram(u32 off, u32 len, u32 av)
{
	struct twr w = wr(WQE_SEND, off, len);

	w.av = av * 32;
	w.dqpn = b.qpn;
	w.qkey = QKEY;
	return w;
}

static void datagram_arrives_after_forty_bytes(void)
{
	const struct cqe *c;

	up();
	memset(mem + DATA_BASE + REMOTE, 0xee, 200);
	post_recv(&b, 1, REMOTE, 2048 + 40);
	post(&a, datagram(0, 100, 0));
	settle();
	expect_send(1, WQE_SEND);
	c = poll(2);
	CHECK(c && !c->error);
	if (!c)
		return;
	CHECK_EQ(c->opcode, OP_SEND_ONLY);
	CHECK_EQ(c->byte_cnt, 140);
	CHECK_EQ(c->rqpn, a.qpn);
	CHECK_EQ(c->rlid, FAKE_LID);
	CHECK_EQ(c->sl, 2);
	CHECK_EQ(c->grh_path, 0);
	CHECK(same(0, REMOTE + 40, 100));
	CHECK_EQ(mem[DATA_BASE + REMOTE], 0xee);
	CHECK_EQ(complaints(), 0);
}

static void grh_fills_the_forty_bytes(void)
{
	const struct cqe *c;
	const u8 *grh = mem + DATA_BASE + REMOTE;

	up();
	post_recv(&b, 1, REMOTE, 2048 + 40);
	av_at(1)[9] = 3;
	post(&a, datagram(0, 2048, 1));
	settle();
	c = poll(2);
	CHECK(c && c->grh_path == 0x80 && c->byte_cnt == 2088);
	CHECK_EQ(get32(grh), 6u << 28 | 0x33 << 20 | 0x12345);
	CHECK_EQ(grh[7], 7);
	CHECK(!memcmp(grh + 8, fake_gids[0][3], 16));
	CHECK(!memcmp(grh + 24, fake_gids[0][0], 16));
	CHECK(same(0, REMOTE + 40, 2048));
}

static void immediate_and_inline(void)
{
	struct twr w = datagram(0, 0, 0);
	const struct cqe *c;

	up();
	w = datagram(0, 0, 0);
	w.op = WQE_SEND_IMM;
	w.imm = 0xabcd1234;
	w.inl = 60;
	post_recv(&b, 1, REMOTE, 500);
	post(&a, w);
	settle();
	c = poll(2);
	CHECK(c && c->imm == 0xabcd1234 && c->opcode == OP_SEND_ONLY_IMM && c->byte_cnt == 100);
	CHECK(same(0, REMOTE + 40, 60));
}

static void qkey_is_checked_and_its_top_bit_means_our_own(void)
{
	struct twr w;

	up();
	post_recv(&b, 1, REMOTE, 500);
	w = datagram(0, 10, 0);
	w.qkey = 0x22;
	post(&a, w);
	settle();
	expect_send(1, WQE_SEND);
	expect_nothing(2);
	CHECK_EQ(fake_qkey_violations, 1);
	w.qkey = 1u << 31 | 0x22;
	post(&a, w);
	settle();
	expect_recv(2, OP_SEND_ONLY, 50);
}

static void without_a_receive_it_is_dropped(void)
{
	up();
	post(&a, datagram(0, 10, 0));
	settle();
	expect_send(1, WQE_SEND);
	expect_nothing(2);
	CHECK_EQ(query_state(&b), QP_RTS);
}

static void receive_that_is_too_small_is_an_error(void)
{
	up();
	post_recv(&b, 1, REMOTE, 49);
	post(&a, datagram(0, 10, 0));
	settle();
	expect_error(2, false, SYN_LOCAL_LENGTH);
	CHECK_EQ(query_state(&b), QP_ERR);
}

/* A completion error stops only the send queue, and later WQEs are flushed. */
static void send_error(struct twr bad, u8 syndrome, int rule)
{
	struct twr w[3];

	up();
	bad.dqpn = b.qpn;
	w[0] = datagram(0, 10, 0);
	w[1] = bad;
	w[2] = w[0];
	post_recv(&b, 4, REMOTE, 100);
	post_chain(&a, w, 3);
	post_chain(&a, w, 1);
	settle();
	expect_send(1, WQE_SEND);
	CHECK_EQ(walk_flush(&a, expect_error(1, true, syndrome)), 2);
	expect_error(1, true, SYN_FLUSHED);
	expect_nothing(1);
	CHECK_EQ(query_state(&a), QP_SQE);
	if (rule >= 0)
		CHECK_EQ(fake_faults[rule], 1);
}

static void datagram_longer_than_the_address_vector_allows(void)
{
	send_error(datagram(0, 2049, 0), SYN_LOCAL_LENGTH, -1);
	av_make(5, false)[0x0a] = 0; /* 256 bytes */
	send_error(datagram(0, 257, 5), SYN_LOCAL_LENGTH, -1);
	up();
	post_recv(&b, 1, REMOTE, 300);
	post(&a, datagram(0, 256, 5));
	settle();
	expect_recv(2, OP_SEND_ONLY, 296);
}

static void datagram_from_a_bad_key(void)
{
	struct twr w = datagram(0, 10, 0);

	w.sge[0].key = 0x666;
	send_error(w, SYN_LOCAL_PROT, -1);
}

static void unaligned_address_vector(void)
{
	struct twr w = datagram(0, 10, 0);

	w.av = 16;
	send_error(w, SYN_LOCAL_QP_OP, RULE_WQE_AV);
}

static void address_vector_out_of_reach(void)
{
	struct twr w = datagram(0, 10, 0);

	w.av = 1 << 16;
	send_error(w, SYN_LOCAL_PROT, RULE_WQE_AV);
}

static void address_vector_of_another_port(void)
{
	put32(av_make(5, false), 2 << 24 | FAKE_PD);
	fake_profile.udav_port_check = true;
	send_error(datagram(0, 10, 5), SYN_LOCAL_QP_OP, RULE_WQE_AV);
	fake_profile.udav_port_check = false;
	put32(av_make(5, false), 3 << 24 | FAKE_PD);
	send_error(datagram(0, 10, 5), SYN_LOCAL_QP_OP, RULE_WQE_AV);
	fake_ports_opt = 1;
	put32(av_make(5, false), 2 << 24 | FAKE_PD);
	send_error(datagram(0, 10, 5), SYN_LOCAL_QP_OP, RULE_WQE_AV);
	fake_ports_opt = 2;
}

static void source_gid_of_another_port(void)
{
	av_make(5, true)[9] = 32;
	send_error(datagram(0, 10, 5), SYN_LOCAL_QP_OP, RULE_WQE_AV);
}

static void sq_error_is_left_by_sqerr2rts(void)
{
	struct twr w = datagram(0, 10, 0);

	w.sge[0].key = 0x666;
	send_error(w, SYN_LOCAL_PROT, -1);
	fake_seen[2] = fake_cqes[2];
	mbox_clear(1 << 5);
	put32(ctx() + 0xa8, QKEY + 1);
	CHECK_EQ(run(0x1d, a.qpn, 0), CMD_OK);
	CHECK_EQ(query_state(&a), QP_RTS);
	CHECK_EQ(get32(the_cmd.out + 8 + 0xa8), QKEY + 1);
	post(&a, datagram(0, 10, 0));
	settle();
	expect_send(1, WQE_SEND);
	expect_recv(2, OP_SEND_ONLY, 50);
}

/*
 * The flush at the exit from SQE can find the CQ full: the QP then moves to error and not to RTS.
 */
static void sqerr2rts_with_a_full_cq(void)
{
	struct twr bad;

	up();
	bad = datagram(0, 10, 0);
	bad.dqpn = b.qpn;
	bad.op = WQE_READ;
	post(&a, bad);
	post(&a, datagram(0, 10, 0));
	turn();
	expect_error(1, true, SYN_LOCAL_QP_OP);
	CHECK_EQ(query_state(&a), QP_SQE);
	fake_cq_bad = 1;
	mbox_clear(0);
	CHECK_EQ(run(0x1d, a.qpn, 0), CMD_BAD_QPEE_STATE);
	CHECK_EQ(query_state(&a), QP_ERR);
	CHECK(had_event(EV_WQ_CATAS, a.qpn));
}

static void connected_opcodes_are_refused(void)
{
	struct twr w;

	up();
	w = datagram(0, 10, 0);
	w.op = WQE_WRITE;
	send_error(w, SYN_LOCAL_QP_OP, RULE_WQE_OPCODE);
}

static void multicast_reaches_every_member_and_the_sender(void)
{
	struct twr w;

	up();
	put16(av_make(2, true) + 6, 0xc001);
	memset(av_at(2) + 0x10, 0xff, 16);
	fake_members[0] = a.qpn;
	fake_members[1] = 0x4ff; /* the member has left the group */
	fake_members[2] = b.qpn;
	post_recv(&a, 1, REMOTE, 100);
	post_recv(&b, 1, REMOTE + 1000, 100);
	w = datagram(0, 50, 2);
	w.dqpn = QPN_MULTICAST;
	post(&a, w);
	settle();
	expect_send(1, WQE_SEND);
	expect_recv(1, OP_SEND_ONLY, 90);
	expect_recv(2, OP_SEND_ONLY, 90);
	CHECK(same(0, REMOTE + 40, 50));
	CHECK(same(0, REMOTE + 1040, 50));
}

/*
 * The number of packets in flight is limited, whatever the number of a guest's QPs, and even if no
 * QP receives them.
 */
static void a_link_that_is_full_makes_senders_wait(void)
{
	struct packet *p, *all = NULL;
	int i;

	up();
	post_recv(&b, 1, REMOTE, 100);
	for (i = 0; i <= (int)IN_FLIGHT_MAX; i++) {
		p = packet_alloc();
		p->next = all;
		all = p;
	}
	post(&a, datagram(0, 50, 0));
	for (i = 0; i < 100; i++)
		turn();
	CHECK_EQ(link_sent, 0);
	while ((p = all)) {
		all = p->next;
		packet_put(p);
	}
	settle();
	expect_send(1, WQE_SEND);
	expect_recv(2, OP_SEND_ONLY, 90);
}

/*
 * Reports the low bits of a unicast LID of the port. A multicast LID has no such bits
 * (tavor-hw 11.2).
 */
static void path_bits_are_those_of_a_unicast_lid(void)
{
	struct twr w;
	const struct cqe *c;

	up();
	fake_lmc = 2;
	put16(av_at(0) + 6, FAKE_LID | 3);
	post_recv(&b, 2, REMOTE, 100);
	post(&a, datagram(0, 50, 0));
	settle();
	c = poll(2);
	CHECK(c && c->grh_path == 3);
	put16(av_make(2, true) + 6, 0xc003);
	fake_members[0] = b.qpn;
	w = datagram(0, 50, 2);
	w.dqpn = QPN_MULTICAST;
	post(&a, w);
	settle();
	c = poll(2);
	CHECK(c && c->grh_path == 0x80);
	fake_lmc = 0;
}

/* --- special QPs -------------------------------------------------------------------------- */

#define QP0 0x410u
#define QP1 0x412u

static struct tqp s0, s1;

static void special_up(void)
{
	fake_up();
	CHECK_EQ(run(0x23, QP0, 0), CMD_OK);
	CHECK_EQ(run(0x23, QP1, 1), CMD_OK);
	s0 = tqp(QP0, SVC_MLX, 1);
	s1 = tqp(QP1, SVC_MLX, 2);
	to_init(&s0);
	mbox_init(&s1);
	put32(ctx() + 0xa8, 0x80010000);
	CHECK_EQ(run(0x19, s1.qpn, 0), CMD_OK);
	to_rts(&s0, 0);
	to_rts(&s1, 0);
}

struct mad {
	u32 qpn;
	u16 pkey, slid, dlid;
	u32 flags, qkey;
	u8 lrh_vl;
	bool inl, grh;
	u32 cut; /* the length in the LRH is too short by this many words */
};

/* The headers of MLX WQEs are at the start of the data region. */
static u32 mad_headers(const struct mad *m)
{
	struct lrh l = {
		.vl = m->lrh_vl,
		.sl = 1,
		.dlid = m->dlid,
		.slid = m->slid,
		.grh = m->grh,
	};
	struct grh g = { .sgid = fake_gids[0][0], .dgid = fake_gids[0][1], .hop_limit = 1 };
	struct bth b_ = {
		.opcode = CLASS_UD | OP_SEND_ONLY, .pkey = m->pkey, .dqpn = m->qpn, .psn = 5
	};
	u8 *start = mem + DATA_BASE, *at = put_lrh(start, &l);
	u32 n;

	if (m->grh)
		at = put_grh(at, &g);
	at = put_bth(at, &b_);
	put32(at, m->qkey);
	put32(at + 4, m->qpn);
	n = at + 8 - start;
	put16(start + 4, (n + 256 + 4) / 4 - m->cut);
	if (m->grh)
		put16(start + 12, n - 48 + 256 + 4);
	return n;
}

static void post_mad(struct tqp *q, const struct mad *m)
{
	u32 n = mad_headers(m), at = 16;
	u8 *w = mem + q->at + sq_addr(q, q->sq);

	memset(w, 0, SQ_STRIDE);
	put32(w + 8, 8 | m->flags);
	put16(w + 12, m->dlid);
	if (m->inl) {
		put32(w + at, 1u << 31 | n);
		memcpy(w + at + 4, mem + DATA_BASE, n);
		at += (4 + n + 15) & ~15u;
	} else {
		put32(w + at, n);
		put32(w + at + 4, DATA_KEY);
		put64(w + at + 8, DATA_BASE);
		at += 16;
	}
	put32(w + at, 256);
	put32(w + at + 4, DATA_KEY);
	put64(w + at + 8, DATA_BASE + 1000);
	at += 16;
	put32(w + at, 1u << 31 | 4);
	at += 16;
	ring_send(q, sq_addr(q, q->sq++), WQE_SEND, at / 16, false);
}

static struct mad smp(void)
{
	return (struct mad){ .pkey = 0xffff, .dlid = FAKE_LID, .flags = 1 << 17 | 1 << 8 };
}

static struct mad gmp(void)
{
	return (struct mad){
		.qpn = 1, .pkey = 0x0001, .dlid = FAKE_LID, .qkey = 0x80010000, .flags = 1 << 8
	};
}

static void smp_goes_around(void)
{
	struct mad m = smp();
	const struct cqe *c;

	special_up();
	post_recv(&s0, 1, REMOTE, 296);
	post_mad(&s0, &m);
	settle();
	expect_send(1, WQE_SEND);
	c = poll(1);
	CHECK(c && !c->error && !c->send && c->byte_cnt == 296 && c->qpn == QP0);
	CHECK(c && c->rlid == FAKE_LID && c->rqpn == 0);
	CHECK(same(1000, REMOTE + 40, 256));
	CHECK_EQ(complaints(), 0);
}

static void headers_may_be_inline(void)
{
	struct mad m = smp();

	special_up();
	m.inl = true;
	m.grh = true;
	post_recv(&s0, 1, REMOTE, 296);
	post_mad(&s0, &m);
	settle();
	expect_send(1, WQE_SEND);
	expect_recv(1, OP_SEND_ONLY, 296);
	CHECK(same(1000, REMOTE + 40, 256));
}

/*
 * Any static rate is accepted and ignored, because the wire of the model has no rate. libmthca
 * writes the number of the verbs (tavor-hw 18.3).
 */
static void any_static_rate_will_do(void)
{
	static const u8 rates[] = { 0, 1, 2, 3, 7, 10 };
	struct mad m = smp();
	unsigned int i;

	for (i = 0; i < sizeof(rates); i++) {
		up();
		av_at(0)[0x0a] |= rates[i];
		post_recv(&b, 1, REMOTE, 2048 + 40);
		post(&a, datagram(0, 100, 0));
		settle();
		expect_send(1, WQE_SEND);
		expect_recv(2, OP_SEND_ONLY, 140);
	}
	special_up();
	m.flags |= 7 << 12;
	post_mad(&s0, &m);
	settle();
	CHECK_EQ(link_sent, 1);
	CHECK_EQ(complaints(), 0);
}

static void gmp_reports_the_pkey_index_as_send_with_immediate(void)
{
	struct mad m = gmp();
	const struct cqe *c;

	special_up();
	m.pkey = 0x0001; /* entry 1 is 0x8001 */
	post_recv(&s1, 1, REMOTE, 296);
	post_mad(&s1, &m);
	settle();
	expect_send(2, WQE_SEND);
	c = poll(2);
	CHECK(c && c->opcode == OP_SEND_ONLY_IMM && c->imm == 1u << 16 && c->rqpn == 1);
}

static void gmp_with_a_wrong_key_is_dropped(void)
{
	struct mad m = gmp();

	special_up();
	post_recv(&s1, 1, REMOTE, 296);
	m.pkey = 0x0777;
	post_mad(&s1, &m);
	settle();
	m = gmp();
	m.qkey = 1;
	post_mad(&s1, &m);
	settle();
	expect_send(2, WQE_SEND);
	expect_send(2, WQE_SEND);
	expect_nothing(2);
	CHECK_EQ(fake_pkey_violations, 1);
	CHECK_EQ(fake_qkey_violations, 1);
}

static u8 seen_vl;
static u16 seen_slid;

static int watch_lrh(struct packet *p, const struct headers *hd)
{
	seen_vl = hd->vl;
	seen_slid = hd->slid;
	return 1;
}

static void hardware_fills_in_vl_and_source_lid(void)
{
	struct mad m = smp();

	special_up();
	link_filter = watch_lrh;
	post_mad(&s0, &m);
	settle();
	CHECK_EQ(seen_vl, 15);
	CHECK_EQ(seen_slid, FAKE_LID);
	m.flags |= 1 << 16;
	m.slid = 0xffff;
	post_mad(&s0, &m);
	settle();
	CHECK_EQ(seen_slid, 0xffff);
	m = gmp();
	post_mad(&s1, &m);
	settle();
	CHECK_EQ(seen_vl, 1); /* the VL of SL 1 */
}

static void smp_must_come_on_vl15(void)
{
	struct mad m = smp();

	special_up();
	m.flags = 1 << 8;
	post_recv(&s0, 1, REMOTE, 296);
	post_mad(&s0, &m);
	settle();
	expect_send(1, WQE_SEND);
	expect_nothing(1);
}

static void bad_mlx(struct mad m)
{
	special_up();
	post_mad(&s0, &m);
	settle();
	expect_error(1, true, SYN_LOCAL_QP_OP);
	CHECK_EQ(fake_faults[RULE_WQE_MLX], 1);
	CHECK_EQ(query_state(&s0), QP_SQE);
}

static void mlx_headers_are_judged(void)
{
	struct mad m = smp();

	m.flags |= 1;
	bad_mlx(m);
	m = smp();
	m.cut = 1;
	bad_mlx(m);
}

static void mlx_dlid_must_agree(void)
{
	struct mad m = smp();
	u8 *w;

	special_up();
	post_mad(&s0, &m);
	w = mem + s0.at + sq_addr(&s0, s0.sq - 1);
	put16(w + 12, 0x99);
	settle();
	expect_error(1, true, SYN_LOCAL_QP_OP);
	CHECK_EQ(fake_faults[RULE_WQE_MLX], 1);
}

static void mlx_packet_of_no_size(void)
{
	struct twr w = wr(WQE_SEND, 0, 8);

	special_up();
	post(&s0, w);
	settle();
	expect_error(1, true, SYN_LOCAL_LENGTH);
	CHECK_EQ(fake_faults[RULE_WQE_MLX], 1);
}

static void traps_of_the_firmware_come_with_source_lid_0(void)
{
	struct mad m = smp();
	struct packet *p = packet_alloc();
	const struct cqe *c;
	u32 n;

	special_up();
	m.lrh_vl = 15;
	n = mad_headers(&m);
	memcpy(p->data, mem + DATA_BASE, n);
	packet_seal(p, p->data + n + 256);
	post_recv(&s0, 1, REMOTE, 296);
	qp_rx(&fake, 1, p, true);
	settle();
	c = poll(1);
	CHECK(c && c->rlid == 0 && c->byte_cnt == 296);
}

static void special_qps_may_not_be_reconfigured_in_use(void)
{
	special_up();
	CHECK_EQ(run(0x23, 0, 0), CMD_RESOURCE_BUSY);
	CHECK_EQ(fake_violations[RULE_QP_BUSY], 1);
	CHECK_EQ(run(0x21, QP0, 3), CMD_OK);
	CHECK_EQ(run(0x23, 0, 0), CMD_OK);
	CHECK_EQ(run(0x23, 0, 0), CMD_OK);
	CHECK_EQ(run(0x23, 0x421, 0), CMD_BAD_PARAM);
	CHECK_EQ(run(0x23, 0x20, 0), CMD_BAD_RESOURCE);
	CHECK_EQ(run(0x23, 0x420, 2), CMD_BAD_OP);
}

static void service_must_fit_the_number(void)
{
	struct tqp q;

	special_up();
	q = tqp(QP0 + 1, SVC_UD, 1);
	mbox_init(&q);
	CHECK_EQ(run(0x19, q.qpn, 0), CMD_BAD_PARAM);
	q.service = SVC_MLX;
	mbox_init(&q); /* on port 1, but QP0 + 1 is for port 2 */
	CHECK_EQ(run(0x19, q.qpn, 0), CMD_BAD_PARAM);
	q = tqp(0x430, SVC_MLX, 1);
	mbox_init(&q);
	CHECK_EQ(run(0x19, q.qpn, 0), CMD_BAD_PARAM);
	CHECK_EQ(fake_violations[RULE_QP_CTX_PARAM], 3);
}

static const struct tap_test tests[] = {
	TAP(datagram_arrives_after_forty_bytes),
	TAP(grh_fills_the_forty_bytes),
	TAP(immediate_and_inline),
	TAP(qkey_is_checked_and_its_top_bit_means_our_own),
	TAP(without_a_receive_it_is_dropped),
	TAP(receive_that_is_too_small_is_an_error),
	TAP(datagram_longer_than_the_address_vector_allows),
	TAP(datagram_from_a_bad_key),
	TAP(unaligned_address_vector),
	TAP(address_vector_out_of_reach),
	TAP(address_vector_of_another_port),
	TAP(source_gid_of_another_port),
	TAP(sq_error_is_left_by_sqerr2rts),
	TAP(sqerr2rts_with_a_full_cq),
	TAP(connected_opcodes_are_refused),
	TAP(multicast_reaches_every_member_and_the_sender),
	TAP(path_bits_are_those_of_a_unicast_lid),
	TAP(a_link_that_is_full_makes_senders_wait),
	TAP(smp_goes_around),
	TAP(headers_may_be_inline),
	TAP(any_static_rate_will_do),
	TAP(gmp_reports_the_pkey_index_as_send_with_immediate),
	TAP(gmp_with_a_wrong_key_is_dropped),
	TAP(hardware_fills_in_vl_and_source_lid),
	TAP(smp_must_come_on_vl15),
	TAP(mlx_headers_are_judged),
	TAP(mlx_dlid_must_agree),
	TAP(mlx_packet_of_no_size),
	TAP(traps_of_the_firmware_come_with_source_lid_0),
	TAP(special_qps_may_not_be_reconfigured_in_use),
	TAP(service_must_fit_the_number),
};

int main(int argc, char **argv)
{
	return tap_run(tests, sizeof(tests) / sizeof(*tests), argc, argv);
}
