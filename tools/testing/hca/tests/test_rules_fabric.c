// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Each rule of rules_fabric.def is broken over the socket, and correct commands break none. The
 * last test fails if a rule has no test here.
 */
#include "fabric/wire.h"
#include "rules.h"
#include "traffic.h"

#include <stdlib.h>

#define GOOD_PORT (4 << 12 | 3 << 8 | 8 << 4)

/* Checks that only this rule was broken. */
#define ONLY(rule)                               \
	do {                                     \
		TRIPPED(rule);                   \
		CHECK_EQ(tc_any_violation(), 0); \
	} while (0)

static void up(void)
{
	tc_fresh();
	tc_up();
	memset(tc_in(), 0, 4096);
	tc_any_violation();
}

static u8 init_ib(u32 port, u32 flags, u32 pkeys)
{
	memset(tc_in(), 0, 0x100);
	put32(tc_in(), flags);
	put32(tc_in() + 4, 32);
	put32(tc_in() + 8, pkeys);
	return tc_cmd_in(0x09, 0, port);
}

static u8 set_ib(u32 flags)
{
	memset(tc_in(), 0, 0x40);
	put32(tc_in(), flags);
	put32(tc_in() + 4, 0x02400a68);
	return tc_cmd_in(0x0c, 0, 1);
}

static u8 run_mad_ifc(u8 op_mod, u32 port)
{
	memset(tc_in(), 0, 0x400);
	memcpy(tc_in(), "\1\1\1\1", 4);
	put16(tc_in() + 16, 0x11); /* Get(NodeInfo) */
	return tc_cmd(0x24, op_mod, port, tc_bus(tc_in()), tc_bus(tc_out()), NULL);
}

/* Returns an empty entry for a group. The caller may change it before write_mgm(). */
static u8 *mgm(void)
{
	memset(tc_in(), 0, 0x100);
	tc_in()[0x10] = 0xff;
	tc_in()[0x1f] = 7;
	return tc_in();
}

static u8 write_mgm(u32 index)
{
	return tc_cmd_in(0x26, 0, index);
}

static void a_good_driver_trips_nothing(void)
{
	up();
	CHECK_EQ(init_ib(1, GOOD_PORT, 64), 0);
	CHECK_EQ(init_ib(2, GOOD_PORT, 64), 0);
	CHECK_EQ(set_ib(1), 0);
	CHECK_EQ(run_mad_ifc(3, 1), 0);
	put32(mgm() + 0x20, 1u << 31 | 0x404);
	CHECK_EQ(write_mgm(3), 0);
	CHECK_EQ(tc_cmd_out(0x25, 0, 3), 0);
	CHECK_EQ(tc_cmd(0x0a, 0, 2, 0, 0, NULL), 0);
	CHECK_EQ(tc_any_violation(), 0);
}

static void port_number(void)
{
	up();
	CHECK_EQ(init_ib(3, GOOD_PORT, 64), CMD_BAD_PARAM);
	ONLY(PORT_NUMBER);
	CHECK_EQ(tc_cmd(0x0a, 0, 0, 0, 0, NULL), CMD_BAD_PARAM);
	ONLY(PORT_NUMBER);
}

static void init_ib_reserved(void)
{
	up();
	CHECK_EQ(init_ib(1, GOOD_PORT | 1, 64), CMD_BAD_PARAM);
	ONLY(INIT_IB_RESERVED);
}

static void init_ib_value(void)
{
	up();
	CHECK_EQ(init_ib(1, 3 << 8 | 8 << 4, 64), CMD_BAD_PARAM); /* MTU 0 */
	ONLY(INIT_IB_VALUE);
	CHECK_EQ(init_ib(1, 4 << 12 | 2 << 8 | 8 << 4, 64), CMD_BAD_PARAM); /* width code 2 */
	ONLY(INIT_IB_VALUE);
	CHECK_EQ(init_ib(1, 4 << 12 | 3 << 8 | 3 << 4, 64), CMD_BAD_PARAM); /* 3 VLs */
	ONLY(INIT_IB_VALUE);
}

static void init_ib_limit(void)
{
	up();
	CHECK_EQ(init_ib(1, 5 << 12 | 3 << 8 | 8 << 4, 64), CMD_EXCEED_LIM);
	ONLY(INIT_IB_LIMIT);
	CHECK_EQ(init_ib(1, GOOD_PORT, 65), CMD_EXCEED_LIM);
	ONLY(INIT_IB_LIMIT);
}

static void init_ib_mismatch(void)
{
	up();
	CHECK_EQ(init_ib(1, GOOD_PORT, 64), 0);
	CHECK_EQ(init_ib(2, GOOD_PORT, 32), CMD_BAD_PARAM);
	ONLY(INIT_IB_MISMATCH);
}

static void set_ib_reserved(void)
{
	up();
	CHECK_EQ(set_ib(2), CMD_BAD_PARAM);
	ONLY(SET_IB_RESERVED);
}

static void mad_ifc_port(void)
{
	up();
	CHECK_EQ(run_mad_ifc(3, 3), CMD_BAD_PARAM);
	ONLY(MAD_IFC_PORT);
}

static void mad_ifc_modifier(void)
{
	up();
	CHECK_EQ(run_mad_ifc(8, 1), CMD_BAD_OP);
	ONLY(MAD_IFC_MODIFIER);
}

/* The table has 64 entries, 32 of them in the hash table. */
static void mgm_index(void)
{
	up();
	mgm();
	CHECK_EQ(write_mgm(64), CMD_BAD_INDEX);
	ONLY(MGM_INDEX);
	CHECK_EQ(tc_cmd_out(0x25, 0, 64), CMD_BAD_INDEX);
	ONLY(MGM_INDEX);
	put32(mgm(), 64 << 6);
	CHECK_EQ(write_mgm(3), CMD_BAD_INDEX);
	ONLY(MGM_INDEX);
}

static void mgm_reserved(void)
{
	up();
	put32(mgm() + 4, 1);
	CHECK_EQ(write_mgm(3), CMD_BAD_PARAM);
	ONLY(MGM_RESERVED);
	put32(mgm() + 0x20, 1u << 31 | 1 << 24 | 0x404);
	CHECK_EQ(write_mgm(3), CMD_BAD_PARAM);
	ONLY(MGM_RESERVED);
}

static void mgm_gid(void)
{
	up();
	mgm()[0x10] = 0xfe;
	CHECK_EQ(write_mgm(3), CMD_BAD_PARAM);
	ONLY(MGM_GID);
	memset(tc_in(), 0, 16);
	CHECK_EQ(tc_cmd_in(0x27, 0, 0), CMD_BAD_PARAM);
	ONLY(MGM_GID);
}

static void mgm_packed(void)
{
	up();
	put32(mgm() + 0x24, 1u << 31 | 0x404);
	CHECK_EQ(write_mgm(3), CMD_BAD_PARAM);
	ONLY(MGM_PACKED);
}

static void mgm_chain(void)
{
	up();
	put32(mgm(), 5 << 6);
	CHECK_EQ(write_mgm(3), CMD_BAD_PARAM);
	ONLY(MGM_CHAIN);
	put32(mgm(), 40 << 6);
	CHECK_EQ(write_mgm(40), CMD_BAD_PARAM);
	ONLY(MGM_CHAIN);
}

static void every_rule_has_a_test(void)
{
	static const u16 rules[] = {
#define RULE(id, name, text, right) RULE_##id,
#include "fabric/rules_fabric.def"
#undef RULE
	};

	all_tripped(rules, sizeof(rules) / sizeof(rules[0]));
}

int main(int argc, char **argv)
{
	static const struct tap_test tests[] = {
		TAP(a_good_driver_trips_nothing),
		TAP(port_number),
		TAP(init_ib_reserved),
		TAP(init_ib_value),
		TAP(init_ib_limit),
		TAP(init_ib_mismatch),
		TAP(set_ib_reserved),
		TAP(mad_ifc_port),
		TAP(mad_ifc_modifier),
		TAP(mgm_index),
		TAP(mgm_reserved),
		TAP(mgm_gid),
		TAP(mgm_packed),
		TAP(mgm_chain),
		TAP(every_rule_has_a_test),
	};

	tc_start("");
	if (wire_new_all())
		return 1;
	return tap_run_judged(tests, sizeof(tests) / sizeof(tests[0]), argc, argv);
}
