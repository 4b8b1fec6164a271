// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/* RC and UC: data, PSNs, acknowledgements, retries, NAKs. */
#include "qp_fakes.h"

static struct tqp a, b;

static void up(u8 service)
{
	fake_up();
	pair(&a, &b, service);
}

#define REMOTE 0x400000u

/* --- data --------------------------------------------------------------------------------- */

static void send_of_every_length_around_the_mtu(void)
{
	static const u32 lens[] = { 0, 1, 3, 4, 511, 512, 513, 1023, 1024, 1025, 5000, 100001 };
	unsigned int i;

	for (i = 0; i < sizeof(lens) / sizeof(*lens); i++) {
		up(SVC_RC);
		post_recv(&b, 1, REMOTE, 200000);
		post(&a, wr(WQE_SEND, 100, lens[i]));
		settle();
		expect_send(1, WQE_SEND);
		expect_recv(2, lens[i] <= 1024 ? OP_SEND_ONLY : OP_SEND_LAST, lens[i]);
		CHECK(same(100, REMOTE, lens[i]));
	}
	CHECK_EQ(complaints(), 0);
}

static void send_with_immediate(void)
{
	struct twr w = wr(WQE_SEND_IMM, 0, 1500);
	const struct cqe *c;

	up(SVC_RC);
	w.imm = 0xdeadbeef;
	post_recv(&b, 1, REMOTE, 2000);
	post(&a, w);
	settle();
	c = poll(2);
	CHECK(c && c->imm == 0xdeadbeef && c->opcode == OP_SEND_LAST_IMM && c->byte_cnt == 1500);
}

static void rdma_write_leaves_no_trace_but_the_data(void)
{
	up(SVC_RC);
	post(&a, wr_rdma(WQE_WRITE, 10, 70000, REMOTE));
	settle();
	expect_send(1, WQE_WRITE);
	expect_nothing(2);
	CHECK(same(10, REMOTE, 70000));
}

static void rdma_write_with_immediate_takes_a_receive(void)
{
	struct twr w = wr_rdma(WQE_WRITE_IMM, 10, 1500, REMOTE);

	up(SVC_RC);
	w.imm = 77;
	post_recv(&b, 1, 0x700000, 16);
	post(&a, w);
	settle();
	expect_send(1, WQE_WRITE_IMM);
	expect_recv(2, OP_WRITE_LAST_IMM, 1500);
	CHECK(same(10, REMOTE, 1500));
}

static void rdma_read_of_every_length(void)
{
	static const u32 lens[] = { 0, 1, 512, 513, 2000, 65536 };
	unsigned int i;

	for (i = 0; i < 6; i++) {
		up(SVC_RC);
		post(&a, wr_rdma(WQE_READ, 64, lens[i], REMOTE + 5));
		settle();
		expect_send(1, WQE_READ);
		CHECK(same(64, REMOTE + 5, lens[i]));
	}
}

static void atomics_return_the_old_value(void)
{
	struct twr w = wr_rdma(WQE_FETCH_ADD, 0, 8, REMOTE);
	u64 v = 1000, got;

	up(SVC_RC);
	memcpy(mem + DATA_BASE + REMOTE, &v, 8);
	w.swap = 5;
	post(&a, w);
	w = wr_rdma(WQE_CMP_SWAP, 8, 8, REMOTE);
	w.swap = 42;
	w.compare = 1005;
	post(&a, w);
	w.compare = 1;
	w.sge[0].va += 8;
	post(&a, w);
	settle();
	expect_send(1, WQE_FETCH_ADD);
	expect_send(1, WQE_CMP_SWAP);
	expect_send(1, WQE_CMP_SWAP);
	memcpy(&got, mem + DATA_BASE, 8);
	CHECK_EQ(got, 1000);
	memcpy(&got, mem + DATA_BASE + 8, 8);
	CHECK_EQ(got, 1005);
	memcpy(&got, mem + DATA_BASE + 16, 8);
	CHECK_EQ(got, 42);
	memcpy(&got, mem + DATA_BASE + REMOTE, 8);
	CHECK_EQ(got, 42);
}

static void gather_scatter_and_inline(void)
{
	struct twr w = { .op = WQE_SEND, .nsge = 3, .inl = 33 };
	u8 *to = mem + DATA_BASE + REMOTE;

	up(SVC_RC);
	w.sge[0] = (struct tsge){ 600, DATA_KEY, DATA_BASE + 1000 };
	w.sge[1] = (struct tsge){ 1, DATA_KEY, DATA_BASE + 5000 };
	w.sge[2] = (struct tsge){ 700, DATA_KEY, DATA_BASE + 9000 };
	post_recv(&b, 1, REMOTE, 4000);
	post(&a, w);
	settle();
	expect_recv(2, OP_SEND_LAST, 600 + 1 + 700 + 33);
	CHECK(!memcmp(to, mem + DATA_BASE + 1000, 600));
	CHECK(to[600] == mem[DATA_BASE + 5000]);
	CHECK(!memcmp(to + 601, mem + DATA_BASE + 9000, 700));
	CHECK(!memcmp(to + 1301, mem + DATA_BASE, 33));
}

/*
 * The list ends at a segment with length 0 and the invalid L_Key of mthca, or of other drivers
 * (tavor-hw 13.3).
 */
static void zero_length_segments_are_passed_over(void)
{
	static const u32 enders[] = { 1, 0x100 };
	struct twr w = { .op = WQE_SEND, .nsge = 4 };
	unsigned int i;

	for (i = 0; i < 2; i++) {
		up(SVC_RC);
		w.sge[0] = (struct tsge){ 0, DATA_KEY, DATA_BASE };
		w.sge[1] = (struct tsge){ 10, DATA_KEY, DATA_BASE };
		w.sge[2] = (struct tsge){ 0, enders[i], 0 };
		w.sge[3] = (struct tsge){ 7, 0x666, 0 };
		post_recv(&b, 1, REMOTE, 64);
		post(&a, w);
		settle();
		expect_recv(2, OP_SEND_ONLY, 10);
	}
}

/* Such a list takes all data at its first segment. A message of it is longer than any can be. */
static void zero_length_segments_can_mean_2_gb(void)
{
	struct twr w = { .op = WQE_SEND, .nsge = 2 };

	up(SVC_RC);
	fake_zero_is_2g = 1;
	post_recv(&b, 1, REMOTE, 64);
	put32(mem + b.at + rq_addr(0) + 16, 0);
	post(&a, wr(WQE_SEND, 100, 300));
	settle();
	expect_send(1, WQE_SEND);
	expect_recv(2, OP_SEND_ONLY, 300);
	CHECK(same(100, REMOTE, 300));
	w.sge[0] = (struct tsge){ 0, DATA_KEY, DATA_BASE };
	w.sge[1] = (struct tsge){ 10, DATA_KEY, DATA_BASE };
	post(&a, w);
	settle();
	expect_error(1, true, SYN_LOCAL_LENGTH);
	fake_zero_is_2g = 0;
}

static void unsignaled_work_completes_silently(void)
{
	struct twr w[3] = { wr_rdma(WQE_WRITE, 0, 8, REMOTE), wr_rdma(WQE_WRITE, 8, 8, REMOTE + 8),
			    wr_rdma(WQE_WRITE, 16, 8, REMOTE + 16) };

	up(SVC_RC);
	w[0].unsignaled = true;
	w[1].unsignaled = true;
	post_chain(&a, w, 3);
	settle();
	expect_send(1, WQE_WRITE);
	expect_nothing(1);
	CHECK(same(0, REMOTE, 24));
}

/* With RSC 0, the C bit of the receive WQE decides. */
static void receives_may_be_unsignaled(void)
{
	fake_up();
	a = tqp(0x401, SVC_RC, 1);
	b = tqp(0x402, SVC_RC, 2);
	to_init(&a);
	mbox_init(&b);
	put32(ctx() + 0x90, 0xe000);
	CHECK_EQ(run(0x19, b.qpn, 0), CMD_OK);
	to_rts(&a, b.qpn);
	to_rts(&b, a.qpn);
	post_recv(&b, 2, REMOTE, 8);
	put32(mem + b.at + rq_addr(1) + 8, 8);
	post(&a, wr(WQE_SEND, 0, 8));
	settle();
	expect_send(1, WQE_SEND);
	expect_nothing(2);
	post(&a, wr(WQE_SEND, 0, 8));
	settle();
	expect_recv(2, OP_SEND_ONLY, 8);
}

static void solicited_bit_reaches_the_receive_cqe(void)
{
	struct twr w = wr(WQE_SEND, 0, 1500);

	up(SVC_RC);
	post_recv(&b, 2, REMOTE, 2000);
	post(&a, w);
	w.solicited = true;
	post(&a, w);
	settle();
	CHECK(!fake_cq[2][0].solicited);
	CHECK(fake_cq[2][1].solicited);
}

static void many_messages_keep_their_order(void)
{
	u32 i;

	up(SVC_RC);
	for (i = 0; i < 1000; i++) {
		post_recv(&b, 1, REMOTE + i * 8, 8);
		post(&a, wr(i % 3 ? WQE_SEND : WQE_SEND, i * 8, 8));
		if (i % 7 == 0)
			settle();
	}
	settle();
	for (i = 0; i < 1000; i++)
		CHECK(poll(1) && poll(2));
	CHECK(same(0, REMOTE, 8000));
}

/* More messages than slots, and more reads than the depth: the rest waits. */
static void queue_longer_than_what_may_be_in_flight(void)
{
	struct twr w[48];
	u32 i;

	up(SVC_RC);
	for (i = 0; i < 48; i++)
		w[i] = i & 1 ? wr_rdma(WQE_READ, 100000 + i * 3000, 3000, REMOTE + i * 3000) :
			       wr_rdma(WQE_WRITE, i * 3000, 3000, REMOTE + 300000 + i * 3000);
	post_chain(&a, w, 48);
	settle();
	for (i = 0; i < 48; i++)
		expect_send(1, i & 1 ? WQE_READ : WQE_WRITE);
	for (i = 1; i < 48; i += 2)
		CHECK(same(100000 + i * 3000, REMOTE + i * 3000, 3000));
}

static u32 seen_write_before_read_end;
static bool read_done;

static int watch_fence(struct packet *p, const struct headers *hd)
{
	u8 op = hd->opcode & 0x1f;

	if (op == OP_READ_LAST)
		read_done = true;
	if (op == OP_WRITE_ONLY && !read_done)
		seen_write_before_read_end++;
	return 1;
}

static void fence_waits_for_reads(void)
{
	struct twr w[2] = { wr_rdma(WQE_READ, 0, 20000, REMOTE), wr_rdma(WQE_WRITE, 0, 8, REMOTE) };
	bool fence;

	for (fence = false;; fence = true) {
		up(SVC_RC);
		read_done = false;
		seen_write_before_read_end = 0;
		link_filter = watch_fence;
		w[1].fence = fence;
		post_chain(&a, w, 2);
		settle();
		CHECK_EQ(seen_write_before_read_end, !fence);
		if (fence)
			break;
	}
}

static u32 max_reads, cur_reads;

static int watch_reads(struct packet *p, const struct headers *hd)
{
	u8 op = hd->opcode & 0x1f;

	if (op == OP_READ_REQUEST && ++cur_reads > max_reads)
		max_reads = cur_reads;
	if (op == OP_READ_ONLY || op == OP_READ_LAST)
		cur_reads--;
	return 1;
}

static void outstanding_reads_stay_within_the_limit(void)
{
	u32 i;

	up(SVC_RC);
	max_reads = 0;
	cur_reads = 0;
	link_filter = watch_reads;
	for (i = 0; i < 20; i++)
		post(&a, wr_rdma(WQE_READ, i * 600, 600, REMOTE + i * 600));
	settle();
	CHECK_EQ(max_reads, 4);
	CHECK(same(0, REMOTE, 12000));
}

static u32 acks;

static int count_acks(struct packet *p, const struct headers *hd)
{
	acks += (hd->opcode & 0x1f) == OP_ACK;
	return 1;
}

static void acks_are_coalesced(void)
{
	struct twr w[32];
	u32 i;

	up(SVC_RC);
	acks = 0;
	link_filter = count_acks;
	for (i = 0; i < 32; i++)
		w[i] = wr_rdma(WQE_WRITE, 0, 8, REMOTE);
	post_chain(&a, w, 32);
	settle();
	CHECK(acks > 0 && acks < 32);
}

/* --- loss --------------------------------------------------------------------------------- */

static u32 lose_op, lose_times, lose_skip;

static int lose(struct packet *p, const struct headers *hd)
{
	if ((hd->opcode & 0x1f) != lose_op || !lose_times)
		return 1;
	if (lose_skip) {
		lose_skip--;
		return 1;
	}
	lose_times--;
	return 0;
}

static void lose_some(u32 op, u32 skip, u32 times)
{
	up(SVC_RC);
	lose_op = op;
	lose_skip = skip;
	lose_times = times;
	link_filter = lose;
}

static void lost_write_packet_is_repaired(void)
{
	lose_some(OP_WRITE_MIDDLE, 3, 1);
	post(&a, wr_rdma(WQE_WRITE, 0, 20000, REMOTE));
	pass(20000000);
	expect_send(1, WQE_WRITE);
	CHECK(same(0, REMOTE, 20000));
}

static void lost_last_packet_is_repaired_by_the_timer(void)
{
	lose_some(OP_SEND_ONLY, 0, 1);
	post_recv(&b, 1, REMOTE, 100);
	post(&a, wr(WQE_SEND, 0, 100));
	settle();
	expect_nothing(1);
	pass(20000000);
	expect_send(1, WQE_SEND);
	expect_recv(2, OP_SEND_ONLY, 100);
	expect_nothing(2);
}

static void lost_ack_does_not_deliver_twice(void)
{
	lose_some(OP_ACK, 0, 1);
	post_recv(&b, 2, REMOTE, 100);
	post(&a, wr(WQE_SEND, 0, 100));
	pass(20000000);
	expect_send(1, WQE_SEND);
	expect_recv(2, OP_SEND_ONLY, 100);
	expect_nothing(2);
}

static void lost_read_response_is_asked_for_again(void)
{
	u32 skip;

	for (skip = 0; skip < 5; skip++) {
		lose_some(skip ? OP_READ_MIDDLE : OP_READ_FIRST, skip, 1);
		post(&a, wr_rdma(WQE_READ, 0, 9000, REMOTE));
		post(&a, wr_rdma(WQE_READ, 9000, 9000, REMOTE + 9000));
		pass(40000000);
		expect_send(1, WQE_READ);
		expect_send(1, WQE_READ);
		CHECK(same(0, REMOTE, 18000));
	}
}

static void lost_last_read_response_is_asked_for_again(void)
{
	lose_some(OP_READ_LAST, 0, 1);
	post(&a, wr_rdma(WQE_READ, 0, 9000, REMOTE));
	pass(40000000);
	expect_send(1, WQE_READ);
	CHECK(same(0, REMOTE, 9000));
}

/* Retransmitted reads arrive together. No response may displace that of another. */
static void many_lost_reads_are_all_answered(void)
{
	u32 i;

	lose_some(OP_READ_FIRST, 0, 4);
	in_batches = true;
	for (i = 0; i < 8; i++)
		post(&a, wr_rdma(WQE_READ, i * 9000, 9000, REMOTE + i * 9000));
	pass(100000000);
	for (i = 0; i < 8; i++)
		expect_send(1, WQE_READ);
	CHECK(same(0, REMOTE, 72000));
}

static int lose_first_responses(struct packet *p, const struct headers *hd)
{
	u8 op = hd->opcode & 0x1f;

	if (!lose_times || op < OP_READ_FIRST || op > OP_ATOMIC_ACK)
		return 1;
	lose_times--;
	return 0;
}

/*
 * The timer expired before a slow responder answered: requests arrive twice, and the first
 * responses are still queued.
 */
static void requests_repeated_while_answers_wait(void)
{
	struct twr add = wr_rdma(WQE_FETCH_ADD, 0x80000, 8, REMOTE + 0x80000);
	u64 v = 0;
	u32 i, lost;

	for (lost = 0; lost < 40; lost++) {
		lose_some(0, 0, 0);
		lose_times = lost;
		in_batches = lost & 1;
		link_filter = lose_first_responses;
		v = 0;
		memcpy(mem + DATA_BASE + REMOTE + 0x80000, &v, 8);
		add.swap = 1;
		for (i = 0; i < 4; i++) {
			post(&a, wr_rdma(WQE_READ, i * 9000, 9000, REMOTE + i * 9000));
			post(&a, add);
		}
		pass(200000000);
		for (i = 0; i < 4; i++) {
			expect_send(1, WQE_READ);
			expect_send(1, WQE_FETCH_ADD);
		}
		CHECK(same(0, REMOTE, 36000));
		memcpy(&v, mem + DATA_BASE + REMOTE + 0x80000, 8);
		CHECK_EQ(v, 4);
	}
}

static void lost_atomic_response_does_not_execute_twice(void)
{
	struct twr w = wr_rdma(WQE_FETCH_ADD, 0, 8, REMOTE);
	u64 v = 7;

	lose_some(OP_ATOMIC_ACK, 0, 2);
	memcpy(mem + DATA_BASE + REMOTE, &v, 8);
	w.swap = 1;
	post(&a, w);
	pass(20000000);
	expect_send(1, WQE_FETCH_ADD);
	memcpy(&v, mem + DATA_BASE + REMOTE, 8);
	CHECK_EQ(v, 8);
	memcpy(&v, mem + DATA_BASE, 8);
	CHECK_EQ(v, 7);
}

static int duplicate_all(struct packet *p, const struct headers *hd)
{
	return 2;
}

static void duplicated_packets_change_nothing(void)
{
	u32 i;

	up(SVC_RC);
	link_filter = duplicate_all;
	post_recv(&b, 10, REMOTE, 2000);
	for (i = 0; i < 10; i++) {
		post(&a, wr(WQE_SEND, i * 2000, 2000));
		post(&a, wr_rdma(WQE_READ, 100000 + i * 2000, 2000, REMOTE + 100000 + i * 2000));
	}
	pass(100000000);
	for (i = 0; i < 10; i++) {
		expect_send(1, WQE_SEND);
		expect_send(1, WQE_READ);
		expect_recv(2, OP_SEND_LAST, 2000);
	}
	expect_nothing(2);
	CHECK(same(0, REMOTE, 20000));
	CHECK(same(100000, REMOTE + 100000, 20000));
}

static u32 rnd = 12345;

static int lossy(struct packet *p, const struct headers *hd)
{
	rnd = rnd * 1103515245 + 12345;
	return (rnd >> 16) % 100 < 5 ? 0 : (rnd >> 16) % 100 < 10 ? 2 : 1;
}

static void a_lossy_link_loses_nothing(void)
{
	u32 i;

	up(SVC_RC);
	link_filter = lossy;
	rnd = 12345;
	for (i = 0; i < 30; i++) {
		post_recv(&b, 1, REMOTE + i * 6000, 6000);
		post(&a, wr(WQE_SEND, i * 6000, 6000));
		post(&a,
		     wr_rdma(WQE_READ, 0x200000 + i * 3000, 3000, REMOTE + 0x200000 + i * 3000));
		post(&a,
		     wr_rdma(WQE_WRITE, 0x300000 + i * 3000, 3000, REMOTE + 0x100000 + i * 3000));
		pass(100000000);
	}
	for (i = 0; i < 30; i++) {
		expect_send(1, WQE_SEND);
		expect_send(1, WQE_READ);
		expect_send(1, WQE_WRITE);
		expect_recv(2, OP_SEND_LAST, 6000);
	}
	CHECK(same(0, REMOTE, 30 * 6000));
	CHECK(same(0x200000, REMOTE + 0x200000, 90000));
	CHECK(same(0x300000, REMOTE + 0x100000, 90000));
}

static int corrupt_first(struct packet *p, const struct headers *hd)
{
	if (lose_times) {
		lose_times = 0;
		p->data[30] ^= 1;
	}
	return 1;
}

static void corrupted_packet_is_dropped_and_repaired(void)
{
	up(SVC_RC);
	lose_times = 1;
	link_filter = corrupt_first;
	post(&a, wr_rdma(WQE_WRITE, 0, 100, REMOTE));
	pass(20000000);
	expect_send(1, WQE_WRITE);
	CHECK(same(0, REMOTE, 100));
}

static int lose_all(struct packet *p, const struct headers *hd)
{
	return 0;
}

static void silence_ends_in_retry_exceeded(void)
{
	up(SVC_RC);
	link_filter = lose_all;
	post(&a, wr(WQE_SEND, 0, 100));
	pass(1048576 * 4);
	expect_nothing(1);
	CHECK_EQ(query_state(&a), QP_RTS);
	pass(1048576 * 13);
	expect_error(1, true, SYN_RETRY);
	CHECK_EQ(query_state(&a), QP_ERR);
	/* the first try and the number of retries */
	CHECK_EQ(link_sent, 4);
}

static void timeout_zero_waits_for_ever(void)
{
	up(SVC_RC);
	link_filter = lose_all;
	run(0x21, a.qpn, 3);
	to_init(&a);
	to_rtr(&a, b.qpn);
	mbox_rts(&a);
	ctx()[0x28] = 0;
	CHECK_EQ(run(0x1b, a.qpn, 0), CMD_OK);
	post(&a, wr(WQE_SEND, 0, 100));
	pass(3600000000000ull);
	expect_nothing(1);
	CHECK_EQ(query_state(&a), QP_RTS);
}

/* --- RNR ---------------------------------------------------------------------------------- */

static void receiver_not_ready_is_waited_for(void)
{
	up(SVC_RC);
	post(&a, wr(WQE_SEND, 0, 1500));
	settle();
	expect_nothing(1);
	post_recv(&b, 1, REMOTE, 2000);
	settle();
	expect_nothing(1);
	pass(20000);
	expect_send(1, WQE_SEND);
	expect_recv(2, OP_SEND_LAST, 1500);
	CHECK(same(0, REMOTE, 1500));
}

static void receiver_never_ready_ends_in_rnr_retry_exceeded(void)
{
	up(SVC_RC);
	post(&a, wr(WQE_SEND, 0, 100));
	pass(55000);
	expect_nothing(1);
	pass(20000);
	expect_error(1, true, SYN_RNR_RETRY);
	CHECK_EQ(query_state(&a), QP_ERR);
	CHECK_EQ(query_state(&b), QP_RTS);
}

static void rnr_retry_seven_is_for_ever(void)
{
	up(SVC_RC);
	run(0x21, a.qpn, 3);
	to_init(&a);
	to_rtr(&a, b.qpn);
	mbox_rts(&a);
	ctx()[0x24] = 7 << 5;
	CHECK_EQ(run(0x1b, a.qpn, 0), CMD_OK);
	post(&a, wr(WQE_SEND, 0, 100));
	pass(10000000);
	expect_nothing(1);
	post_recv(&b, 1, REMOTE, 100);
	pass(20000);
	expect_send(1, WQE_SEND);
}

static void write_with_immediate_is_refused_without_a_receive(void)
{
	up(SVC_RC);
	post(&a, wr_rdma(WQE_WRITE_IMM, 0, 1500, REMOTE));
	settle();
	expect_nothing(1);
	post_recv(&b, 1, 0x700000, 8);
	pass(20000);
	expect_send(1, WQE_WRITE_IMM);
	expect_recv(2, OP_WRITE_LAST_IMM, 1500);
	CHECK(same(0, REMOTE, 1500));
}

/* --- refusals ----------------------------------------------------------------------------- */

static void refused(struct twr w, u8 syndrome, int event)
{
	post(&a, w);
	settle();
	expect_error(1, true, syndrome);
	CHECK_EQ(query_state(&a), QP_ERR);
	CHECK_EQ(query_state(&b), QP_ERR);
	CHECK(had_event(event, b.qpn));
}

static void bad_rkey_is_a_remote_access_error(void)
{
	static const u8 ops[] = { WQE_WRITE, WQE_READ };
	unsigned int i;

	for (i = 0; i < 2; i++) {
		struct twr w = wr_rdma(ops[i], 0, 100, REMOTE);

		up(SVC_RC);
		w.rkey = 0x666;
		refused(w, SYN_REMOTE_ACCESS, EV_WQ_ACCESS);
		up(SVC_RC);
		refused(wr_rdma(ops[i], 0, 100, DATA_SIZE - 50), SYN_REMOTE_ACCESS, EV_WQ_ACCESS);
	}
	CHECK_EQ(complaints(), 0);
}

static void rights_of_the_qp_are_checked(void)
{
	static const struct {
		u8 op;
		u32 bit;
	} cases[] = { { WQE_READ, 0x8000 }, { WQE_WRITE, 0x4000 }, { WQE_FETCH_ADD, 0x2000 } };
	unsigned int i;

	for (i = 0; i < 3; i++) {
		fake_up();
		a = tqp(0x401, SVC_RC, 1);
		b = tqp(0x402, SVC_RC, 2);
		to_init(&a);
		mbox_init(&b);
		put32(ctx() + 0x90, (0xe000 & ~cases[i].bit) | 8);
		CHECK_EQ(run(0x19, b.qpn, 0), CMD_OK);
		to_rts(&a, b.qpn);
		to_rts(&b, a.qpn);
		refused(wr_rdma(cases[i].op, 0, 8, REMOTE), SYN_REMOTE_ACCESS, EV_WQ_ACCESS);
	}
}

static void unaligned_atomic_is_an_invalid_request(void)
{
	up(SVC_RC);
	refused(wr_rdma(WQE_FETCH_ADD, 0, 8, REMOTE + 4), SYN_REMOTE_INVALID, EV_WQ_INVALID_REQ);
}

static void too_many_reads_are_an_invalid_request(void)
{
	u32 i;

	fake_up();
	a = tqp(0x401, SVC_RC, 1);
	b = tqp(0x402, SVC_RC, 2);
	to_init(&a);
	to_init(&b);
	to_rts(&a, b.qpn);
	mbox_rtr(&b, a.qpn);
	put32(ctx() + 0x90, 0); /* depth 1, but the requester has 4 */
	CHECK_EQ(run(0x1a, b.qpn, 0), CMD_OK);
	mbox_rts(&b);
	CHECK_EQ(run(0x1b, b.qpn, 0), CMD_OK);
	for (i = 0; i < 4; i++)
		post(&a, wr_rdma(WQE_READ, 0, 100000, REMOTE));
	pass(100000000);
	expect_send(1, WQE_READ);
	expect_error(1, true, SYN_REMOTE_INVALID);
	CHECK_EQ(query_state(&b), QP_ERR);
}

static void message_longer_than_the_receive_is_an_invalid_request(void)
{
	up(SVC_RC);
	post_recv(&b, 2, REMOTE, 1000);
	post(&a, wr(WQE_SEND, 0, 1500));
	settle();
	expect_error(1, true, SYN_REMOTE_INVALID);
	expect_error(2, false, SYN_LOCAL_LENGTH);
	expect_error(2, false, SYN_FLUSHED);
	expect_nothing(2);
	CHECK_EQ(query_state(&b), QP_ERR);
}

static void receive_into_a_bad_key_is_a_remote_operation_error(void)
{
	up(SVC_RC);
	post_recv(&b, 1, DATA_SIZE, 1000);
	post(&a, wr(WQE_SEND, 0, 100));
	settle();
	expect_error(1, true, SYN_REMOTE_OP);
	expect_error(2, false, SYN_LOCAL_PROT);
}

static void refusal_comes_after_the_read_data_before_it(void)
{
	struct twr w = wr_rdma(WQE_WRITE, 0, 8, REMOTE);

	up(SVC_RC);
	w.rkey = 0x666;
	post(&a, wr_rdma(WQE_READ, 0, 50000, REMOTE));
	post(&a, w);
	settle();
	expect_send(1, WQE_READ);
	expect_error(1, true, SYN_REMOTE_ACCESS);
}

static void local_errors_have_their_syndromes(void)
{
	struct twr w;

	up(SVC_RC);
	w = wr(WQE_SEND, 0, 100);
	w.sge[0].key = 0x666;
	post(&a, w);
	settle();
	expect_error(1, true, SYN_LOCAL_PROT);
	up(SVC_RC);
	post(&a, wr_rdma(WQE_FETCH_ADD, 0, 16, REMOTE));
	settle();
	expect_error(1, true, SYN_LOCAL_LENGTH);
	up(SVC_RC);
	w = wr_rdma(WQE_READ, 0, 100, REMOTE);
	w.sge[0].va = DATA_BASE + DATA_SIZE - 10;
	post(&a, w);
	settle();
	expect_error(1, true, SYN_LOCAL_PROT);
	CHECK_EQ(complaints(), 0);
}

static void read_without_initiator_depth_is_refused_locally(void)
{
	up(SVC_RC);
	run(0x21, a.qpn, 3);
	to_init(&a);
	to_rtr(&a, b.qpn);
	mbox_rts(&a);
	put32(ctx() + 0x70, 10u << 28 | 9 << 24 | 3 << 16 | 0x4000);
	CHECK_EQ(run(0x1b, a.qpn, 0), CMD_OK);
	post(&a, wr_rdma(WQE_READ, 0, 8, REMOTE));
	settle();
	expect_error(1, true, SYN_LOCAL_QP_OP);
}

static void earlier_work_completes_before_a_local_error_is_told(void)
{
	struct twr w[3] = { wr_rdma(WQE_READ, 0, 5000, REMOTE), wr(WQE_SEND, 0, 8),
			    wr(WQE_SEND, 0, 8) };

	up(SVC_RC);
	w[1].sge[0].key = 0x666;
	post_recv(&b, 3, REMOTE, 8);
	post_chain(&a, w, 3);
	settle();
	expect_send(1, WQE_READ);
	expect_error(1, true, SYN_LOCAL_PROT);
	expect_nothing(1);
}

static void memory_windows_bind_and_fail_to(void)
{
	struct twr w = { .op = WQE_BIND };
	u8 *at;

	up(SVC_RC);
	/* the bind segment of 13.7, because the helper has none */
	put_wqe(&a, a.sq, &w);
	at = mem + a.at + sq_addr(&a, a.sq);
	memset(at + 16, 0, 48);
	put32(at + 28, DATA_KEY);
	put64(at + 32, DATA_BASE);
	put64(at + 40, 100);
	ring_send(&a, sq_addr(&a, a.sq++), WQE_BIND, 3, true);
	settle();
	expect_send(1, WQE_BIND);
	put_wqe(&a, a.sq, &w);
	at = mem + a.at + sq_addr(&a, a.sq);
	memset(at + 16, 0, 48);
	put32(at + 28, 0x666);
	ring_send(&a, sq_addr(&a, a.sq++), WQE_BIND, 3, true);
	settle();
	expect_error(1, true, SYN_BIND);
	CHECK_EQ(query_state(&a), QP_ERR);
}

static void nop_completes_in_order(void)
{
	struct twr w[2] = { wr_rdma(WQE_READ, 0, 3000, REMOTE), { .op = WQE_NOP } };

	up(SVC_RC);
	post_chain(&a, w, 2);
	settle();
	expect_send(1, WQE_READ);
	expect_send(1, WQE_NOP);
}

/* --- checks of arriving packets ----------------------------------------------------------- */

static int spoil_pkey(struct packet *p, const struct headers *hd)
{
	put16(p->data + LRH_LEN + 2, 0x1234);
	put32(p->data + p->len - 4, icrc_compute(p->data, p->len - 4));
	return 1;
}

static void wrong_pkey_is_dropped_and_counted(void)
{
	up(SVC_RC);
	link_filter = spoil_pkey;
	post(&a, wr_rdma(WQE_WRITE, 0, 8, REMOTE));
	settle();
	CHECK_EQ(fake_pkey_violations, 1);
	expect_nothing(1);
}

/* Two limited members of a partition may not communicate (IBTA 10.9.3). */
static void two_limited_members_are_apart(void)
{
	fake_up();
	a = tqp(0x401, SVC_RC, 1);
	b = tqp(0x402, SVC_RC, 2);
	mbox_init(&a);
	put32(ctx() + 0x20, 1 << 24 | 2);
	CHECK_EQ(run(0x19, a.qpn, 0), CMD_OK);
	mbox_init(&b);
	put32(ctx() + 0x20, 1 << 24 | 2);
	CHECK_EQ(run(0x19, b.qpn, 0), CMD_OK);
	to_rts(&a, b.qpn);
	to_rts(&b, a.qpn);
	post(&a, wr_rdma(WQE_WRITE, 0, 8, REMOTE));
	settle();
	CHECK_EQ(fake_pkey_violations, 1);
	expect_nothing(1);
	fake_pkeys[2] |= 0x8000;
	pass(10000000);
	expect_send(1, WQE_WRITE);
	fake_pkeys[2] &= 0x7fff;
}

static void first_packet_in_rtr_establishes_communication(void)
{
	fake_up();
	a = tqp(0x401, SVC_RC, 1);
	b = tqp(0x402, SVC_RC, 2);
	to_init(&a);
	to_init(&b);
	to_rts(&a, b.qpn);
	to_rtr(&b, a.qpn);
	post_recv(&b, 2, REMOTE, 8);
	post(&a, wr(WQE_SEND, 0, 8));
	post(&a, wr(WQE_SEND, 0, 8));
	settle();
	expect_send(1, WQE_SEND);
	expect_recv(2, OP_SEND_ONLY, 8);
	CHECK(had_event(EV_COMM_EST, b.qpn));
	CHECK_EQ(fake_nevents, 1);
}

static void psn_wraps(void)
{
	u32 i;

	fake_up();
	a = tqp(0x401, SVC_RC, 1);
	b = tqp(0x402, SVC_RC, 2);
	to_init(&a);
	to_init(&b);
	to_rtr(&a, b.qpn);
	mbox_rts(&a);
	put32(ctx() + 0x78, 0xfffffe);
	CHECK_EQ(run(0x1b, a.qpn, 0), CMD_OK);
	mbox_rtr(&b, a.qpn);
	put32(ctx() + 0x94, 0xfffffe);
	CHECK_EQ(run(0x1a, b.qpn, 0), CMD_OK);
	for (i = 0; i < 4; i++)
		post(&a, wr_rdma(i & 1 ? WQE_READ : WQE_WRITE, 0, 2000, REMOTE));
	settle();
	for (i = 0; i < 4; i++)
		expect_send(1, i & 1 ? WQE_READ : WQE_WRITE);
}

/* --- UC ----------------------------------------------------------------------------------- */

static void uc_sends_and_writes(void)
{
	up(SVC_UC);
	post_recv(&b, 1, REMOTE, 5000);
	post(&a, wr(WQE_SEND, 0, 5000));
	post(&a, wr_rdma(WQE_WRITE, 0, 3000, REMOTE + 10000));
	settle();
	expect_send(1, WQE_SEND);
	expect_send(1, WQE_WRITE);
	expect_recv(2, OP_SEND_LAST, 5000);
	CHECK(same(0, REMOTE, 5000));
	CHECK(same(0, REMOTE + 10000, 3000));
}

static void uc_message_with_a_hole_is_lost_and_the_next_is_not(void)
{
	lose_some(OP_SEND_MIDDLE, 0, 1);
	fake_up();
	pair(&a, &b, SVC_UC);
	link_filter = lose;
	post_recv(&b, 1, REMOTE, 5000);
	post(&a, wr(WQE_SEND, 0, 5000));
	post(&a, wr(WQE_SEND, 10000, 4000));
	settle();
	expect_send(1, WQE_SEND);
	expect_send(1, WQE_SEND);
	expect_recv(2, OP_SEND_LAST, 4000);
	expect_nothing(2);
	CHECK(same(10000, REMOTE, 4000));
}

static void uc_write_to_a_bad_key_is_dropped(void)
{
	struct twr w = wr_rdma(WQE_WRITE, 0, 3000, REMOTE);

	up(SVC_UC);
	w.rkey = 0x666;
	post(&a, w);
	settle();
	expect_send(1, WQE_WRITE);
	CHECK_EQ(query_state(&b), QP_RTS);
}

static void uc_has_no_read(void)
{
	up(SVC_UC);
	post(&a, wr_rdma(WQE_READ, 0, 8, REMOTE));
	settle();
	expect_error(1, true, SYN_LOCAL_QP_OP);
	CHECK_EQ(query_state(&a), QP_SQE);
	CHECK_EQ(fake_faults[RULE_WQE_OPCODE], 1);
}

static const struct tap_test tests[] = {
	TAP(send_of_every_length_around_the_mtu),
	TAP(send_with_immediate),
	TAP(rdma_write_leaves_no_trace_but_the_data),
	TAP(rdma_write_with_immediate_takes_a_receive),
	TAP(rdma_read_of_every_length),
	TAP(atomics_return_the_old_value),
	TAP(gather_scatter_and_inline),
	TAP(zero_length_segments_are_passed_over),
	TAP(zero_length_segments_can_mean_2_gb),
	TAP(unsignaled_work_completes_silently),
	TAP(receives_may_be_unsignaled),
	TAP(solicited_bit_reaches_the_receive_cqe),
	TAP(many_messages_keep_their_order),
	TAP(queue_longer_than_what_may_be_in_flight),
	TAP(fence_waits_for_reads),
	TAP(outstanding_reads_stay_within_the_limit),
	TAP(acks_are_coalesced),
	TAP(lost_write_packet_is_repaired),
	TAP(lost_last_packet_is_repaired_by_the_timer),
	TAP(lost_ack_does_not_deliver_twice),
	TAP(lost_read_response_is_asked_for_again),
	TAP(lost_last_read_response_is_asked_for_again),
	TAP(many_lost_reads_are_all_answered),
	TAP(requests_repeated_while_answers_wait),
	TAP(lost_atomic_response_does_not_execute_twice),
	TAP(duplicated_packets_change_nothing),
	TAP(a_lossy_link_loses_nothing),
	TAP(corrupted_packet_is_dropped_and_repaired),
	TAP(silence_ends_in_retry_exceeded),
	TAP(timeout_zero_waits_for_ever),
	TAP(receiver_not_ready_is_waited_for),
	TAP(receiver_never_ready_ends_in_rnr_retry_exceeded),
	TAP(rnr_retry_seven_is_for_ever),
	TAP(write_with_immediate_is_refused_without_a_receive),
	TAP(bad_rkey_is_a_remote_access_error),
	TAP(rights_of_the_qp_are_checked),
	TAP(unaligned_atomic_is_an_invalid_request),
	TAP(too_many_reads_are_an_invalid_request),
	TAP(message_longer_than_the_receive_is_an_invalid_request),
	TAP(receive_into_a_bad_key_is_a_remote_operation_error),
	TAP(refusal_comes_after_the_read_data_before_it),
	TAP(local_errors_have_their_syndromes),
	TAP(read_without_initiator_depth_is_refused_locally),
	TAP(earlier_work_completes_before_a_local_error_is_told),
	TAP(memory_windows_bind_and_fail_to),
	TAP(nop_completes_in_order),
	TAP(wrong_pkey_is_dropped_and_counted),
	TAP(two_limited_members_are_apart),
	TAP(first_packet_in_rtr_establishes_communication),
	TAP(psn_wraps),
	TAP(uc_sends_and_writes),
	TAP(uc_message_with_a_hole_is_lost_and_the_next_is_not),
	TAP(uc_write_to_a_bad_key_is_dropped),
	TAP(uc_has_no_read),
};

int main(int argc, char **argv)
{
	return tap_run(tests, sizeof(tests) / sizeof(*tests), argc, argv);
}
