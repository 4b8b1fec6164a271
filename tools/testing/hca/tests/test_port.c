// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/* INIT_IB, CLOSE_IB, SET_IB, the state of links and the port change events. */
#include "fabric_fakes.h"

static u8 init_ib_with(struct hca *h, unsigned int port, u32 flags, u16 gids, u16 pkeys)
{
	struct cmd c = { .in_mod = port };

	put32(c.in, flags);
	put16(c.in + 6, gids);
	put16(c.in + 10, pkeys);
	put64(c.in + 0x10, 0x1111);
	put64(c.in + 0x18, 0x2222);
	put64(c.in + 0x20, 0x3333);
	return run_cmd(h, port_cmds, 0x09, &c);
}

#define GOOD_FLAGS (4u << 12 | 3u << 8 | 8u << 4)

static void link_is_down_until_init_ib(void)
{
	struct hca *h = fabric_up(1, "self");

	CHECK_EQ(port_state(h, 1), PORT_DOWN);
	CHECK_EQ(init_ib(h, 1), CMD_OK);
	settle();
	CHECK_EQ(port_state(h, 1), PORT_DOWN);
	CHECK_EQ(init_ib(h, 2), CMD_OK);
	settle();
	CHECK_EQ(port_state(h, 1), PORT_INIT);
	CHECK_EQ(port_state(h, 2), PORT_INIT);
	CHECK_EQ(fake_events, 0);
}

static void init_ib_may_be_repeated(void)
{
	struct hca *h = fabric_active();

	CHECK_EQ(init_ib(h, 1), CMD_OK);
	settle();
	CHECK_EQ(port_state(h, 1), PORT_ACTIVE);
}

static void init_ib_sets_guids_when_flagged(void)
{
	struct hca *h = fabric_up(1, "none");
	u64 before;

	before = get64(port_gid(h, 1, 0) + 8);
	CHECK_EQ(init_ib_with(h, 1, GOOD_FLAGS, 32, 64), CMD_OK);
	CHECK_EQ(get64(port_gid(h, 1, 0) + 8), before);
	CHECK_EQ(init_ib_with(h, 1, GOOD_FLAGS | 7u << 16, 32, 64), CMD_OK);
	CHECK_EQ(get64(port_gid(h, 1, 0) + 8), 0x1111);
	CHECK_EQ(smp(h, 1, T_GET, 0x11, 0), 0);
	CHECK_EQ(get64(mad_out + 64 + 4), 0x3333);
	CHECK_EQ(get64(mad_out + 64 + 12), 0x2222);
}

static void init_ib_refuses_bad_port(void)
{
	struct hca *h = fabric_up(1, "none");

	CHECK_EQ(init_ib(h, 0), CMD_BAD_PARAM);
	CHECK_EQ(init_ib(h, 3), CMD_BAD_PARAM);
	CHECK_EQ(close_ib(h, 3), CMD_BAD_PARAM);
	CHECK_EQ(fake_violations[RULE_PORT_NUMBER], 3);
}

static void init_ib_refuses_second_port_of_single_port_hca(void)
{
	struct hca *h = fabric_up(1, "none");

	fake_ports = 1;
	ibnode_free(h->part[PART_PORT]);
	h->part[PART_PORT] = NULL;
	CHECK_EQ(port_new(h), 0);
	CHECK_EQ(init_ib(h, 1), CMD_OK);
	CHECK_EQ(init_ib(h, 2), CMD_BAD_PARAM);
}

static void init_ib_refuses_reserved_bits(void)
{
	struct hca *h = fabric_up(1, "none");

	CHECK_EQ(init_ib_with(h, 1, GOOD_FLAGS | 1, 32, 64), CMD_BAD_PARAM);
	CHECK_EQ(init_ib_with(h, 1, GOOD_FLAGS | 1u << 19, 32, 64), CMD_BAD_PARAM);
	CHECK_EQ(fake_violations[RULE_INIT_IB_RESERVED], 2);
}

static void init_ib_refuses_nonsense(void)
{
	struct hca *h = fabric_up(1, "none");

	CHECK_EQ(init_ib_with(h, 1, 0u << 12 | 3u << 8 | 8u << 4, 32, 64), CMD_BAD_PARAM);
	CHECK_EQ(init_ib_with(h, 1, 4u << 12 | 2u << 8 | 8u << 4, 32, 64), CMD_BAD_PARAM);
	CHECK_EQ(init_ib_with(h, 1, 4u << 12 | 3u << 8 | 3u << 4, 32, 64), CMD_BAD_PARAM);
	CHECK_EQ(init_ib_with(h, 1, GOOD_FLAGS, 0, 64), CMD_BAD_PARAM);
	CHECK_EQ(init_ib_with(h, 1, GOOD_FLAGS, 32, 0), CMD_BAD_PARAM);
	CHECK_EQ(fake_violations[RULE_INIT_IB_VALUE], 5);
}

static void init_ib_refuses_more_than_the_device_has(void)
{
	struct hca *h = fabric_up(1, "none");

	CHECK_EQ(init_ib_with(h, 1, 5u << 12 | 3u << 8 | 8u << 4, 32, 64), CMD_EXCEED_LIM);
	CHECK_EQ(init_ib_with(h, 1, GOOD_FLAGS, 64, 64), CMD_EXCEED_LIM);
	CHECK_EQ(init_ib_with(h, 1, GOOD_FLAGS, 32, 128), CMD_EXCEED_LIM);
	CHECK_EQ(fake_violations[RULE_INIT_IB_LIMIT], 3);
}

static void init_ib_of_both_ports_must_agree(void)
{
	struct hca *h = fabric_up(1, "none");

	CHECK_EQ(init_ib_with(h, 1, GOOD_FLAGS, 32, 64), CMD_OK);
	CHECK_EQ(init_ib_with(h, 2, GOOD_FLAGS, 32, 32), CMD_BAD_PARAM);
	CHECK_EQ(init_ib_with(h, 2, GOOD_FLAGS | 1u << 17, 32, 64), CMD_BAD_PARAM);
	CHECK_EQ(init_ib_with(h, 2, GOOD_FLAGS | 1u << 18, 32, 64), CMD_BAD_PARAM);
	CHECK_EQ(fake_violations[RULE_INIT_IB_MISMATCH], 3);
	CHECK_EQ(init_ib_with(h, 2, GOOD_FLAGS, 32, 64), CMD_OK);
}

static void init_ib_caps_show_in_portinfo(void)
{
	struct hca *h = fabric_up(1, "none");

	CHECK_EQ(init_ib_with(h, 1, 3u << 12 | 1u << 8 | 2u << 4, 32, 64), CMD_OK);
	CHECK_EQ(smp(h, 1, T_GET, 0x15, 1), 0);
	CHECK_EQ(mad_out[64 + 30], 1);
	CHECK_EQ(mad_out[64 + 37] >> 4, 2);
	CHECK_EQ(mad_out[64 + 41] & 15, 3);
}

static void close_ib_takes_link_down_without_own_event(void)
{
	struct hca *h = fabric_active();

	fake_events = 0;
	CHECK_EQ(close_ib(h, 1), CMD_OK);
	settle();
	CHECK_EQ(port_state(h, 1), PORT_DOWN);
	CHECK_EQ(port_state(h, 2), PORT_DOWN);
	CHECK_EQ(fake_events, 1); /* the event of port 2 */
	CHECK_EQ(fake_event[0].data[2], 2u << 28);
	CHECK_EQ(fake_event[0].subtype, 1);
	CHECK_EQ(close_ib(h, 1), CMD_OK); /* again: legal */
}

static void active_and_down_make_events(void)
{
	struct hca *h = fabric_active();

	CHECK_EQ(fake_events, 2);
	CHECK_EQ(fake_event[0].type, EV_PORT_CHANGE);
	CHECK_EQ(fake_event[0].subtype, 4);
	CHECK_EQ(fake_event[0].data[2], 1u << 28);
	CHECK_EQ(fake_event[1].data[2], 2u << 28);
	fake_events = 0;
	fake_unplug = "1";
	wire_option_changed(OPT_ALL, "unplug", NULL);
	settle();
	CHECK_EQ(port_state(h, 1), PORT_DOWN);
	CHECK_EQ(fake_events, 2);
	CHECK_EQ(fake_event[0].subtype, 1);
}

static void set_ib_capability_mask(void)
{
	struct hca *h = fabric_up(1, "none");
	struct cmd c = { .in_mod = 1 };

	put32(c.in + 4, 0x02410a6a);
	put64(c.in + 8, 0x7777);
	CHECK_EQ(run_cmd(h, port_cmds, 0x0c, &c), CMD_OK);
	CHECK_EQ(smp(h, 1, T_GET, 0x15, 1), 0);
	CHECK_EQ(get32(mad_out + 64 + 20), 0x02410a6a);
	CHECK_EQ(smp(h, 1, T_GET, 0x11, 0), 0);
	CHECK(get64(mad_out + 64 + 4) != 0x7777);
	put32(c.in, 1u << 18);
	CHECK_EQ(run_cmd(h, port_cmds, 0x0c, &c), CMD_OK);
	CHECK_EQ(smp(h, 1, T_GET, 0x11, 0), 0);
	CHECK_EQ(get64(mad_out + 64 + 4), 0x7777);
}

static void set_ib_clears_qkey_violations(void)
{
	struct hca *h = fabric_up(1, "none");
	struct cmd c = { .in_mod = 1 };

	port_count_qkey_violation(h, 1);
	CHECK_EQ(smp(h, 1, T_GET, 0x15, 1), 0);
	CHECK_EQ(get16(mad_out + 64 + 48), 1);
	put32(c.in, 1);
	CHECK_EQ(run_cmd(h, port_cmds, 0x0c, &c), CMD_OK);
	CHECK_EQ(smp(h, 1, T_GET, 0x15, 1), 0);
	CHECK_EQ(get16(mad_out + 64 + 48), 0);
}

static void set_ib_refuses_reserved_bits_and_bad_port(void)
{
	struct hca *h = fabric_up(1, "none");
	struct cmd c = { .in_mod = 1 };

	put32(c.in, 2);
	CHECK_EQ(run_cmd(h, port_cmds, 0x0c, &c), CMD_BAD_PARAM);
	CHECK_EQ(fake_violations[RULE_SET_IB_RESERVED], 1);
	c.in_mod = 9;
	CHECK_EQ(run_cmd(h, port_cmds, 0x0c, &c), CMD_BAD_PARAM);
	CHECK_EQ(fake_violations[RULE_PORT_NUMBER], 1);
}

static void reset_forgets_everything(void)
{
	struct hca *h = fabric_active();

	port_reset_all(h);
	settle();
	CHECK_EQ(port_state(h, 1), PORT_DOWN);
	CHECK_EQ(port_lid(h, 1), 0);
	CHECK_EQ(port_pkey(h, 1, 0), 0xffff);
	CHECK_EQ(port_lmc(h, 1), 0);
}

static void pkey_and_gid_lookups_know_their_range(void)
{
	struct hca *h = fabric_up(1, "none");

	CHECK_EQ(port_pkey_count(h), 64);
	CHECK_EQ(port_pkey(h, 1, 64), 0);
	CHECK_EQ(port_gid_count(h), 32);
	CHECK(port_gid(h, 1, 31) != NULL);
	CHECK(port_gid(h, 1, 32) == NULL);
	CHECK_EQ(get64(port_gid(h, 1, 0)), 0xfe80000000000000ULL);
}

static const struct tap_test tests[] = {
	TAP(link_is_down_until_init_ib),
	TAP(init_ib_may_be_repeated),
	TAP(init_ib_sets_guids_when_flagged),
	TAP(init_ib_refuses_bad_port),
	TAP(init_ib_refuses_second_port_of_single_port_hca),
	TAP(init_ib_refuses_reserved_bits),
	TAP(init_ib_refuses_nonsense),
	TAP(init_ib_refuses_more_than_the_device_has),
	TAP(init_ib_of_both_ports_must_agree),
	TAP(init_ib_caps_show_in_portinfo),
	TAP(close_ib_takes_link_down_without_own_event),
	TAP(active_and_down_make_events),
	TAP(set_ib_capability_mask),
	TAP(set_ib_clears_qkey_violations),
	TAP(set_ib_refuses_reserved_bits_and_bad_port),
	TAP(reset_forgets_everything),
	TAP(pkey_and_gid_lookups_know_their_range),
};

int main(int argc, char **argv)
{
	return tap_run(tests, sizeof(tests) / sizeof(tests[0]), argc, argv);
}
