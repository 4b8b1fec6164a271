// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/* Traps: their causes, their contents, and that a repressed trap stops. */
#include "fabric_fakes.h"

#define KEY 0x1122334455667788ULL

static u8 *last_trap(void)
{
	return fake_rx[(fake_rxs - 1) % FAKE_RX].data + 28;
}

static unsigned int traps(void)
{
	unsigned int i, n = 0;

	for (i = 0; i < fake_rxs && i < FAKE_RX; i++)
		n += fake_rx[i].from_fw;
	return n;
}

static u16 trap_number(void)
{
	return get16(last_trap() + MAD_DATA + 4);
}

static u8 *details(void)
{
	return last_trap() + MAD_DATA + 10;
}

static void set_caps(struct hca *h, u32 mask)
{
	struct cmd c = { .in_mod = 1 };

	put32(c.in + 4, mask);
	CHECK_EQ(run_cmd(h, port_cmds, 0x0c, &c), CMD_OK);
	settle();
}

/* The capability mask has a bit of its own that enables notices of changes (IBTA 14.2.5.6). */
static void capability_change_without_the_notice(void)
{
	struct hca *h = fabric_active();

	set_caps(h, 0x02010a68);
	CHECK_EQ(traps(), 0);
	CHECK_EQ(hca_port(h, 1)->cap_mask, 0x02010a68);
}

static void repeat(struct hca *h)
{
	timer_arm(&hca_port(h, 1)->trap_timer, 0);
	settle();
}

static void capability_change_raises_144(void)
{
	struct hca *h = fabric_active();
	const u8 *lrh;

	set_caps(h, 0x02410a6a);
	CHECK_EQ(traps(), 1);
	lrh = fake_rx[0].data;
	CHECK_EQ(fake_rx[0].port, 1);
	CHECK_EQ(get16(lrh + 6), 0); /* source LID 0: from the firmware */
	CHECK_EQ(get16(lrh + 2), 1);
	CHECK_EQ(lrh[0] >> 4, 15);
	CHECK_EQ(last_trap()[MAD_METHOD], 5);
	CHECK_EQ(get16(last_trap() + MAD_ATTR), 2);
	CHECK_EQ(trap_number(), 144);
	CHECK_EQ(last_trap()[MAD_DATA], 0x84);
	CHECK_EQ(get16(last_trap() + MAD_DATA + 6), 1);
	CHECK_EQ(get16(details() + 2), 1);
	CHECK_EQ(get32(details() + 6), 0x02410a6a);
}

static void trap_packet_is_well_formed(void)
{
	struct hca *h = fabric_active();
	struct packet *p;
	struct headers hd;

	set_caps(h, 0x02410a6a);
	p = packet_alloc();
	p->len = fake_rx[0].len;
	memcpy(p->data, fake_rx[0].data, p->len);
	CHECK(packet_parse(p, &hd) == NULL);
	CHECK(packet_icrc_ok(p));
	CHECK_EQ(hd.paylen, 256);
	CHECK_EQ(hd.dqpn, 0);
	packet_put(p);
}

static void same_capabilities_raise_nothing(void)
{
	struct hca *h = fabric_active();

	set_caps(h, 0x02400a68);
	CHECK_EQ(traps(), 0);
}

/* The firmware sends traps. If it hangs, no trap is sent, and none is repeated. */
static void hanging_firmware_sends_none(void)
{
	struct hca *h = fabric_active();

	set_caps(h, 0x02410a6a);
	CHECK_EQ(traps(), 1);
	fake_is_hung = true;
	repeat(h);
	CHECK_EQ(traps(), 1);
	fake_is_hung = false;
	repeat(h);
	CHECK_EQ(traps(), 2);
}

static void no_trap_before_active(void)
{
	struct hca *h = fabric_up(1, "self");

	init_ib(h, 1);
	init_ib(h, 2);
	settle();
	set_caps(h, 0x02410a6a);
	CHECK_EQ(traps(), 0);
}

static void no_trap_without_the_capability(void)
{
	struct hca *h = fabric_active();

	hca_port(h, 1)->cap_mask &= ~CAP_TRAP;
	port_count_qkey_violation(h, 1);
	settle();
	CHECK_EQ(traps(), 0);
}

static void trap_repeats_until_repressed(void)
{
	struct hca *h = fabric_active();
	u64 tid;

	set_caps(h, 0x02410a6a);
	repeat(h);
	repeat(h);
	CHECK_EQ(traps(), 3);
	tid = get64(last_trap() + MAD_TID);
	CHECK_EQ(get64(fake_rx[0].data + 28 + MAD_TID), tid);
	mad_fill(T_CLASS_LID, 0x07, 0x02, 0);
	put64(mad_in + MAD_TID, tid + 1);
	CHECK_EQ(mad_send(h, 1, 4), CMD_OK);
	repeat(h);
	CHECK_EQ(traps(), 4); /* a repress of another trap */
	put64(mad_in + MAD_TID, tid);
	CHECK_EQ(mad_send(h, 1, 4), CMD_OK);
	repeat(h);
	repeat(h);
	CHECK_EQ(traps(), 4);
	CHECK(!timer_armed(&hca_port(h, 1)->trap_timer));
}

static void repeated_cause_makes_no_second_trap(void)
{
	struct hca *h = fabric_active();

	set_caps(h, 0x02410a6a);
	set_caps(h, 0x02400a6a);
	set_caps(h, 0x02400a68);
	CHECK_EQ(traps(), 1);
	repeat(h);
	CHECK_EQ(traps(), 2);
	CHECK_EQ(get32(details() + 6), 0x02400a68); /* the newest contents are sent */
}

static void trap_ends_with_the_link(void)
{
	struct hca *h = fabric_active();

	set_caps(h, 0x02410a6a);
	close_ib(h, 1);
	CHECK(!timer_armed(&hca_port(h, 1)->trap_timer));
}

static void bad_mkey_raises_256(void)
{
	struct hca *h = fabric_active();

	hca_port(h, 1)->mkey = KEY;
	hca_port(h, 1)->mkey_protect = 2;
	mad_fill(CLASS_SUBN_DIRECTED, T_GET, 0x15, 0x01020304);
	put64(mad_in + MAD_MKEY, 0x55);
	put16(mad_in + MAD_DR_SLID, 0xffff);
	mad_in[MAD_HOP_CNT] = 2;
	mad_in[MAD_RETURN_PATH + 1] = 7;
	CHECK_EQ(mad_send(h, 1, 4), CMD_BAD_PKT);
	settle();
	CHECK_EQ(traps(), 1);
	CHECK_EQ(trap_number(), 256);
	CHECK_EQ(get16(details() + 2), 7);
	CHECK_EQ(get16(details() + 4), 0xffff);
	CHECK_EQ(details()[6], 1);
	CHECK_EQ(get16(details() + 8), 0x15);
	CHECK_EQ(get32(details() + 10), 0x01020304);
	CHECK_EQ(get64(details() + 14), 0x55);
	CHECK_EQ(details()[23], 0x80 | 2);
	CHECK_EQ(details()[24], 7);
}

/* Without the extended mailbox the sender is unknown, so no trap is sent. */
static void bad_mkey_without_source_raises_nothing(void)
{
	struct hca *h = fabric_active();

	hca_port(h, 1)->mkey = KEY;
	hca_port(h, 1)->mkey_protect = 2;
	mad_fill(T_CLASS_LID, T_GET, 0x15, 1);
	CHECK_EQ(mad_send(h, 1, 0), CMD_BAD_PKT);
	settle();
	CHECK_EQ(traps(), 0);
}

static void bad_pkey_raises_257(void)
{
	struct hca *h = fabric_active();

	fake_key_violation = 'p';
	port_tx(h, 2, ud_packet(0, 1, 2, 0x123, 16));
	settle();
	CHECK_EQ(hca_port(h, 1)->pkey_violations, 1 + traps());
	CHECK_EQ(traps(), 1);
	CHECK_EQ(trap_number(), 257);
	CHECK_EQ(get16(details() + 2), 2);
	CHECK_EQ(get16(details() + 4), 1);
	CHECK_EQ(get32(details() + 6), 0xffff);
	CHECK_EQ(get32(details() + 10), 0x77);
	CHECK_EQ(get32(details() + 14), 0x123);
}

static void bad_qkey_raises_258(void)
{
	struct hca *h = fabric_active();

	fake_key_violation = 'q';
	port_tx(h, 2, ud_packet(0, 1, 2, 0x123, 16));
	settle();
	CHECK_EQ(traps(), 1);
	CHECK_EQ(trap_number(), 258);
	CHECK_EQ(get32(details() + 6), 0x11111111);
}

static void new_description_raises_144(void)
{
	struct hca *h = fabric_active();

	memset(mad_in, 0, sizeof(mad_in));
	CHECK_EQ(smp(h, 1, T_SET, 0x10, 0), 0);
	settle();
	CHECK_EQ(traps(), 1);
	CHECK_EQ(trap_number(), 144);
	CHECK_EQ(details()[11] & 1, 1);
}

static const struct tap_test tests[] = {
	TAP(capability_change_raises_144),
	TAP(capability_change_without_the_notice),
	TAP(trap_packet_is_well_formed),
	TAP(same_capabilities_raise_nothing),
	TAP(hanging_firmware_sends_none),
	TAP(no_trap_before_active),
	TAP(no_trap_without_the_capability),
	TAP(trap_repeats_until_repressed),
	TAP(repeated_cause_makes_no_second_trap),
	TAP(trap_ends_with_the_link),
	TAP(bad_mkey_raises_256),
	TAP(bad_mkey_without_source_raises_nothing),
	TAP(bad_pkey_raises_257),
	TAP(bad_qkey_raises_258),
	TAP(new_description_raises_144),
};

int main(int argc, char **argv)
{
	return tap_run(tests, sizeof(tests) / sizeof(tests[0]), argc, argv);
}
