// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * A remote side that breaks the rules: packets that no requester and no responder of this model
 * sends, but another implementation or a damaged wire may. Each gets the response of the
 * specification, or is dropped.
 */
#include "qp_fakes.h"

#define REMOTE 0x400000u
#define START 0x123456u /* first PSN of both directions, as in mbox_rtr() and mbox_rts() */

static struct tqp a, b;

static int lose(struct packet *p, const struct headers *hd)
{
	return 0;
}

/* No packet of the QPs is delivered: the test is the remote side. */
static void alone(u8 service)
{
	fake_up();
	pair(&a, &b, service);
	link_filter = lose;
}

static u8 answered; /* AETH syndrome of the last ACK or NAK that was sent, 0xff: none */
static unsigned int answers;

static int listen(struct packet *p, const struct headers *hd)
{
	if ((hd->opcode & 0x1f) == OP_ACK)
		answered = hd->ext[0];
	answers++;
	return 0;
}

struct ext {
	u8 bytes[ATOMICETH_LEN];
	u32 len;
};

static struct ext reth(u64 va, u32 key, u32 len)
{
	struct ext x = { .len = RETH_LEN };

	put64(x.bytes, va);
	put32(x.bytes + 8, key);
	put32(x.bytes + 12, len);
	return x;
}

static struct ext aeth(u8 syndrome)
{
	struct ext x = { .bytes = { syndrome }, .len = AETH_LEN };

	return x;
}

static struct ext atomiceth(u64 va, u32 key)
{
	struct ext x = { .len = ATOMICETH_LEN };

	put64(x.bytes, va);
	put32(x.bytes + 8, key);
	return x;
}

static void arrives(const struct tqp *to, u8 opcode, u32 psn, struct ext x, u32 paylen)
{
	struct packet *p = packet_alloc();
	struct lrh l = { .dlid = FAKE_LID, .slid = FAKE_LID };
	struct bth bth = {
		.opcode = opcode, .pad = -paylen & 3, .pkey = 0xffff, .dqpn = to->qpn, .psn = psn
	};
	u8 *at;

	bth.ackreq = true;
	at = put_bth(put_lrh(p->data, &l), &bth);
	memcpy(at, x.bytes, x.len);
	at += x.len;
	memset(at, 0x5a, paylen + bth.pad);
	packet_seal(p, at + paylen + bth.pad);
	qp_rx(&fake, 1, p, false);
	settle();
}

static const struct ext none;

/*
 * Half of all PSNs are before the expected one and count as duplicates. The other half is after it
 * (IBTA 9.7.2).
 */
static void half_of_the_numbers_are_repeats(void)
{
	alone(SVC_RC);
	link_filter = listen;
	answered = 0xff;
	arrives(&b, OP_WRITE_ONLY, START + PSN_HALF, reth(DATA_BASE, DATA_KEY, 0), 0);
	CHECK_EQ(answered & 0x60, AETH_ACK);
	arrives(&b, OP_WRITE_ONLY, START + PSN_HALF - 1, reth(DATA_BASE, DATA_KEY, 0), 0);
	CHECK_EQ(answered, NAK_SEQUENCE);
}

/* A requester limits its unacknowledged packets (tavor-hw 12.3). */
static void the_flight_limit_is_kept(void)
{
	fake_up();
	a = tqp(0x401, SVC_RC, 1);
	to_init(&a);
	to_rtr(&a, 0x402);
	mbox_rts(&a);
	put32(ctx() + 0x70, 10u << 28 | 2 << 24 | 2 << 21 | 3 << 16 | 0xe000);
	CHECK_EQ(run(0x1b, a.qpn, 0), CMD_OK);
	link_filter = lose;
	post(&a, wr_rdma(WQE_WRITE, 0, 65536, REMOTE));
	settle();
	CHECK_EQ(link_sent, 4);
	arrives(&a, OP_ACK, START + 1, aeth(AETH_ACK), 0);
	CHECK_EQ(link_sent, 6);
}

/* --- requests that a responder refuses ---------------------------------------------------- */

static void listening(void)
{
	alone(SVC_RC);
	link_filter = listen;
	answered = 0xff;
	answers = 0;
	post_recv(&b, 8, REMOTE, 10000);
}

/*
 * Only a duplicate of an executed request gets a response (IBTA 9.7.5.1.5), and no request is
 * executed twice.
 */
static void repeats_that_ask_for_something_else(void)
{
	const u64 va = DATA_BASE + REMOTE;
	struct ext add = atomiceth(va, DATA_KEY), elsewhere = atomiceth(va + 8, DATA_KEY);
	u64 before, after;

	put64(add.bytes + 12, 3);
	listening();
	arrives(&b, OP_READ_REQUEST, START, reth(va, DATA_KEY, 8), 0);
	arrives(&b, OP_READ_REQUEST, START, reth(va, DATA_KEY, 8), 0);
	CHECK_EQ(answers, 2);
	arrives(&b, OP_READ_REQUEST, START, reth(va, DATA_KEY + 1, 8), 0);
	arrives(&b, OP_READ_REQUEST, START, reth(va + 8, DATA_KEY, 8), 0);
	arrives(&b, OP_READ_REQUEST, START, reth(va - 8, DATA_KEY, 16), 0);
	CHECK_EQ(answers, 2);
	memcpy(&before, mem + va, 8);
	arrives(&b, OP_FETCH_ADD, START + 1, add, 0);
	arrives(&b, OP_FETCH_ADD, START + 1, add, 0);
	CHECK_EQ(answers, 4);
	arrives(&b, OP_FETCH_ADD, START + 1, elsewhere, 0);
	CHECK_EQ(answers, 4);
	memcpy(&after, mem + va, 8);
	CHECK_EQ(after, before + 3);
	CHECK_EQ(query_state(&b), QP_RTS);
}

/* Checks that the NAK was sent, the QP is in error, and the receive WQEs were flushed. */
static void refused(u8 syndrome)
{
	CHECK_EQ(answered, syndrome);
	CHECK_EQ(query_state(&b), QP_ERR);
	CHECK(had_event(syndrome == NAK_ACCESS ? EV_WQ_ACCESS : EV_WQ_INVALID_REQ, b.qpn));
	expect_error(2, false, SYN_FLUSHED);
}

static void a_message_that_has_not_begun(void)
{
	listening();
	arrives(&b, OP_SEND_MIDDLE, START, none, 1024);
	refused(NAK_INVALID);
	listening();
	arrives(&b, OP_WRITE_LAST, START, none, 100);
	refused(NAK_INVALID);
}

static void a_message_within_another(void)
{
	listening();
	arrives(&b, OP_SEND_FIRST, START, none, 1024);
	arrives(&b, OP_SEND_ONLY, START + 1, none, 10);
	refused(NAK_INVALID);
	listening();
	arrives(&b, OP_SEND_FIRST, START, none, 1024);
	arrives(&b, OP_WRITE_LAST, START + 1, none, 10);
	refused(NAK_INVALID);
	listening();
	arrives(&b, OP_SEND_FIRST, START, none, 1024);
	arrives(&b, OP_READ_REQUEST, START + 1, reth(DATA_BASE, DATA_KEY, 8), 0);
	refused(NAK_INVALID);
}

static void packets_of_the_wrong_length(void)
{
	listening();
	arrives(&b, OP_SEND_FIRST, START, none, 1000); /* the length must be the MTU, 1024 */
	refused(NAK_INVALID);
	listening();
	arrives(&b, OP_SEND_ONLY, START, none, 1028);
	refused(NAK_INVALID);
	listening();
	arrives(&b, OP_WRITE_ONLY, START, reth(DATA_BASE, DATA_KEY, 12), 8);
	refused(NAK_INVALID);
	listening();
	arrives(&b, OP_WRITE_FIRST, START, reth(DATA_BASE, DATA_KEY, 1024), 1024);
	refused(NAK_INVALID);
	listening();
	arrives(&b, OP_READ_REQUEST, START, reth(DATA_BASE, DATA_KEY, 8), 4);
	refused(NAK_INVALID);
}

static void lengths_beyond_any_message(void)
{
	listening();
	arrives(&b, OP_WRITE_FIRST, START, reth(DATA_BASE, DATA_KEY, 0x80000001u), 1024);
	refused(NAK_INVALID);
	listening();
	arrives(&b, OP_READ_REQUEST, START, reth(DATA_BASE, DATA_KEY, 0x80000001u), 0);
	refused(NAK_INVALID);
}

static void atomics_that_are_none(void)
{
	listening();
	arrives(&b, OP_FETCH_ADD, START, atomiceth(DATA_BASE, DATA_KEY), 8);
	refused(NAK_INVALID);
	listening();
	arrives(&b, OP_FETCH_ADD, START, atomiceth(DATA_BASE, 0x666), 0);
	refused(NAK_ACCESS);
}

/* The key becomes invalid between two packets of a write: only the first packet is executed. */
static void memory_taken_back_under_a_write(void)
{
	listening();
	fake_key_add(0x777, 0, 4096, DATA_BASE + REMOTE, TPT_REMOTE_WRITE);
	arrives(&b, OP_WRITE_FIRST, START, reth(0, 0x777, 2000), 1024);
	CHECK_EQ(query_state(&b), QP_RTS);
	fake_keys[fake_nkeys - 1].key = 0x778;
	arrives(&b, OP_WRITE_LAST, START + 1, none, 2000 - 1024);
	refused(NAK_ACCESS);
}

static unsigned int reads_sent;

static int take_key_after_one(struct packet *p, const struct headers *hd)
{
	if ((hd->opcode & 0x1f) == OP_READ_FIRST || (hd->opcode & 0x1f) == OP_READ_MIDDLE) {
		reads_sent++;
		fake_keys[fake_nkeys - 1].key = 0x778;
	}
	return listen(p, hd);
}

static void memory_taken_back_under_a_read(void)
{
	listening();
	fake_key_add(0x777, 0, 8192, DATA_BASE, TPT_REMOTE_READ);
	link_filter = take_key_after_one;
	reads_sent = 0;
	arrives(&b, OP_READ_REQUEST, START, reth(0, 0x777, 8000), 0);
	CHECK_EQ(reads_sent, 1);
	refused(NAK_ACCESS);
}

/* --- requests that a responder does not answer -------------------------------------------- */

static void unheard(void)
{
	CHECK_EQ(answers, 0);
	CHECK_EQ(query_state(&b), QP_RTS);
	expect_nothing(2);
}

static void repetitions_of_what_never_was(void)
{
	listening();
	arrives(&b, OP_READ_REQUEST, START - 1, reth(DATA_BASE, DATA_KEY, 8), 0);
	arrives(&b, OP_FETCH_ADD, START - 1, atomiceth(DATA_BASE, DATA_KEY), 0);
	unheard();
	/* a duplicate read with a larger length */
	arrives(&b, OP_READ_REQUEST, START, reth(DATA_BASE, DATA_KEY, 8), 0);
	CHECK_EQ(answers, 1);
	arrives(&b, OP_READ_REQUEST, START, reth(DATA_BASE, DATA_KEY, 16), 0);
	arrives(&b, OP_READ_REQUEST, START, reth(DATA_BASE + 8, DATA_KEY, 8), 0);
	CHECK_EQ(answers, 1);
	arrives(&b, OP_READ_REQUEST, START, reth(DATA_BASE, DATA_KEY, 8), 0);
	CHECK_EQ(answers, 2);
}

static void another_service(void)
{
	listening();
	arrives(&b, CLASS_UC | OP_SEND_ONLY, START, none, 10);
	unheard();
}

static void no_packet_at_all(void)
{
	struct packet *p = packet_alloc();

	listening();
	memset(p->data, 0xff, 64);
	p->len = 64;
	qp_rx(&fake, 1, p, false);
	settle();
	unheard();
}

static void a_group_without_its_address(void)
{
	struct tqp everyone = { .qpn = QPN_MULTICAST };

	listening();
	fake_members[0] = b.qpn;
	arrives(&everyone, CLASS_UD | OP_SEND_ONLY, 1, (struct ext){ .len = DETH_LEN }, 8);
	unheard();
	fake_members[0] = 0;
}

static void nobody_behind_qp0(void)
{
	struct tqp qp0 = { .qpn = 0 };

	listening();
	arrives(&qp0, CLASS_UD | OP_SEND_ONLY, 1, (struct ext){ .len = DETH_LEN }, 256);
	unheard();
}

/* --- invalid responses to a requester ----------------------------------------------------- */

static void asked(struct twr w)
{
	alone(SVC_RC);
	post(&a, w);
	turn();
	turn();
}

static void bad_response(void)
{
	settle();
	expect_error(1, true, SYN_BAD_RESPONSE);
	CHECK_EQ(query_state(&a), QP_ERR);
}

static void data_nobody_asked_for(void)
{
	asked(wr(WQE_SEND, 0, 100));
	arrives(&a, OP_READ_ONLY, START, aeth(0), 100);
	bad_response();
	asked(wr(WQE_SEND, 0, 100));
	arrives(&a, OP_ATOMIC_ACK, START, (struct ext){ .len = AETH_LEN + ATOMICACKETH_LEN }, 0);
	bad_response();
}

static void data_of_the_wrong_length(void)
{
	asked(wr_rdma(WQE_READ, 0, 100, REMOTE));
	arrives(&a, OP_READ_ONLY, START, aeth(0), 96);
	bad_response();
	asked(wr_rdma(WQE_READ, 0, 3000, REMOTE));
	arrives(&a, OP_READ_FIRST, START, aeth(0), 1024);
	arrives(&a, OP_READ_LAST, START + 1, aeth(0), 1024); /* the second of three packets */
	bad_response();
}

static void a_refusal_nobody_defined(void)
{
	asked(wr(WQE_SEND, 0, 100));
	arrives(&a, OP_ACK, START, aeth(AETH_NAK | 0x1e), 0);
	bad_response();
}

/* Responses for PSNs that were never sent, with reserved syndromes, and for completed messages */
static void answers_that_mean_nothing(void)
{
	asked(wr(WQE_SEND, 0, 100));
	arrives(&a, OP_ACK, START + 1, aeth(0), 0);
	arrives(&a, OP_ACK, START - 1, aeth(AETH_NAK | 1), 0);
	arrives(&a, OP_ACK, START, aeth(0x40), 0);
	expect_nothing(1);
	CHECK_EQ(query_state(&a), QP_RTS);
	arrives(&a, OP_ACK, START, aeth(0), 0);
	expect_send(1, WQE_SEND);
	arrives(&a, OP_ACK, START, aeth(0), 0);
	arrives(&a, OP_ACK, START, aeth(AETH_RNR | 1), 0);
	expect_nothing(1);
	CHECK_EQ(query_state(&a), QP_RTS);
}

/* --- UC ----------------------------------------------------------------------------------- */

static void uc_loses_what_it_cannot_place(void)
{
	listening();
	alone(SVC_UC);
	post_recv(&b, 1, REMOTE, 10000);
	arrives(&b, CLASS_UC | OP_SEND_MIDDLE, START, none, 1024);
	arrives(&b, CLASS_UC | OP_WRITE_ONLY, START + 1, reth(DATA_BASE, DATA_KEY, 12), 8);
	expect_nothing(2);
	CHECK_EQ(query_state(&b), QP_RTS);
	arrives(&b, CLASS_UC | OP_SEND_ONLY_IMM, START + 2, (struct ext){ .len = IMMDT_LEN }, 8);
	expect_recv(2, OP_SEND_ONLY_IMM, 8);
	/* a receive WQE that is too small is an error of the receiver, and fatal */
	post_recv(&b, 1, REMOTE, 4);
	arrives(&b, CLASS_UC | OP_SEND_ONLY, START + 3, none, 8);
	expect_error(2, false, SYN_LOCAL_LENGTH);
	CHECK_EQ(query_state(&b), QP_ERR);
}

static const struct tap_test tests[] = {
	TAP(half_of_the_numbers_are_repeats),
	TAP(the_flight_limit_is_kept),
	TAP(repeats_that_ask_for_something_else),
	TAP(a_message_that_has_not_begun),
	TAP(a_message_within_another),
	TAP(packets_of_the_wrong_length),
	TAP(lengths_beyond_any_message),
	TAP(atomics_that_are_none),
	TAP(memory_taken_back_under_a_write),
	TAP(memory_taken_back_under_a_read),
	TAP(repetitions_of_what_never_was),
	TAP(another_service),
	TAP(no_packet_at_all),
	TAP(a_group_without_its_address),
	TAP(nobody_behind_qp0),
	TAP(data_nobody_asked_for),
	TAP(data_of_the_wrong_length),
	TAP(a_refusal_nobody_defined),
	TAP(answers_that_mean_nothing),
	TAP(uc_loses_what_it_cannot_place),
};

int main(int argc, char **argv)
{
	return tap_run(tests, sizeof(tests) / sizeof(*tests), argc, argv);
}
