// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/* The commands INIT_IB, CLOSE_IB and SET_IB. */
#include "core/bytes.h"
#include "device/cmd.h"
#include "fabric/port.h"

/* Device limits, as in QUERY_DEV_LIM (tavor-hw 6.5) */
#define LIMIT_MTU 4
#define LIMIT_WIDTH 3
#define LIMIT_VLS 8

static struct ibport *cmd_port(struct hca *h, const struct cmd *c, const char *what)
{
	struct ibport *p = hca_port(h, c->in_mod);

	if (!p)
		violation(h, RULE_PORT_NUMBER, what, "port %u of %u", c->in_mod, hca_port_count(h));
	return p;
}

static u8 init_ib_check(struct hca *h, const struct cmd *c)
{
	u32 flags = get32(c->in);
	u32 mtu = bits(flags, 15, 12), width = bits(flags, 11, 8), vls = bits(flags, 7, 4);
	u32 gids = get16(c->in + 6), pkeys = get16(c->in + 10);

	if (flags & 0xfff8000f) {
		violation(h, RULE_INIT_IB_RESERVED, "INIT_IB", "dword 0 is 0x%08x", flags);
		return CMD_BAD_PARAM;
	}
	if (!mtu || (width != 1 && width != 3) || !vls || (vls & (vls - 1)) || !gids || !pkeys) {
		violation(h, RULE_INIT_IB_VALUE, "INIT_IB",
			  "MTU %u width %u VLs %u GIDs %u P_Keys %u", mtu, width, vls, gids, pkeys);
		return CMD_BAD_PARAM;
	}
	if (mtu > LIMIT_MTU || width > LIMIT_WIDTH || vls > LIMIT_VLS || gids > PORT_GIDS ||
	    pkeys > 1u << opt_u64(h, "log_pkeys")) {
		violation(h, RULE_INIT_IB_LIMIT, "INIT_IB",
			  "MTU %u width %u VLs %u GIDs %u P_Keys %u", mtu, width, vls, gids, pkeys);
		return CMD_EXCEED_LIM;
	}
	return CMD_OK;
}

/* Node GUID, system-image GUID and number of P_Keys must be the same for both ports of the node. */
static bool init_ib_agrees(const struct ibport *p, const u8 *in)
{
	const struct ibport *other = hca_port(p->node->h, 3 - p->num);
	u32 flags = get32(in);

	if (!other || !other->powered)
		return true;
	if ((flags & (1u << 17)) && get64(in + 0x18) != p->node->node_guid)
		return false;
	if ((flags & (1u << 18)) && get64(in + 0x20) != p->node->sys_guid)
		return false;
	return get16(in + 10) == p->node->num_pkeys;
}

/* mthca passes no GUIDs, so those that were set at start stay. */
static void init_ib_apply(struct ibport *p, const u8 *in)
{
	static const u8 vl_code[] = { [1] = 1, [2] = 2, [4] = 3, [8] = 4 };
	u32 flags = get32(in);

	p->mtu_cap = bits(flags, 15, 12);
	p->neighbor_mtu = p->mtu_cap;
	p->width_cap = bits(flags, 11, 8);
	p->width_enabled = p->width_cap;
	p->vl_cap = vl_code[bits(flags, 7, 4)];
	p->op_vls = p->vl_cap;
	p->node->num_pkeys = get16(in + 10);
	if (flags & (1u << 16))
		ibport_set_guid(p, 0, get64(in + 0x10));
	if (flags & (1u << 17))
		p->node->node_guid = get64(in + 0x18);
	if (flags & (1u << 18))
		p->node->sys_guid = get64(in + 0x20);
}

/* The link comes up only now. INIT_IB on an open port is legal, and does not restart the link. */
static u8 run_init_ib(struct hca *h, struct cmd *c)
{
	struct ibport *p = cmd_port(h, c, "INIT_IB");
	u8 status;

	if (!p)
		return CMD_BAD_PARAM;
	status = init_ib_check(h, c);
	if (status)
		return status;
	if (!init_ib_agrees(p, c->in)) {
		violation(h, RULE_INIT_IB_MISMATCH, "INIT_IB",
			  "port %u differs from the other port", p->num);
		return CMD_BAD_PARAM;
	}
	init_ib_apply(p, c->in);
	p->powered = true;
	wire_update(p);
	return CMD_OK;
}

/*
 * CLOSE_IB on a closed port is legal, too (tavor-hw 8.2). The settings of the subnet manager stay
 * until the next reset.
 */
static u8 run_close_ib(struct hca *h, struct cmd *c)
{
	struct ibport *p = cmd_port(h, c, "CLOSE_IB");

	if (!p)
		return CMD_BAD_PARAM;
	p->powered = false;
	wire_update(p);
	return CMD_OK;
}

/* The system-image GUID is only used with its flag: mthca leaves old bytes there (tavor-hw 6.8). */
static u8 run_set_ib(struct hca *h, struct cmd *c)
{
	struct ibport *p = cmd_port(h, c, "SET_IB");
	u32 flags = get32(c->in), mask = get32(c->in + 4);

	if (!p)
		return CMD_BAD_PARAM;
	if (flags & ~((1u << 18) | 1u)) {
		violation(h, RULE_SET_IB_RESERVED, "SET_IB", "dword 0 is 0x%08x", flags);
		return CMD_BAD_PARAM;
	}
	if (flags & (1u << 18))
		p->node->sys_guid = get64(c->in + 8);
	if (flags & 1)
		p->qkey_violations = 0;
	if (mask != p->cap_mask) {
		p->cap_mask = mask;
		trap_cap_mask(p, false);
	}
	return CMD_OK;
}

/* MAD_IFC is in mad_ifc.c. */
const struct cmd_desc port_cmds[] = {
	{ 0x09, "INIT_IB", 0x28, 0, CMD_NEEDS_INIT_HCA, 'A', run_init_ib, NULL, 1, ~0u },
	{ 0x0a, "CLOSE_IB", 0, 0, CMD_NEEDS_INIT_HCA, 'A', run_close_ib, NULL, 1, ~0u },
	{ 0x0c, "SET_IB", 0x10, 0, CMD_NEEDS_INIT_HCA, 'B', run_set_ib, NULL, 1, ~0u },
	{ 0x24, "MAD_IFC", 0x168, MAD_SIZE, CMD_NEEDS_INIT_HCA, 'C', mad_ifc, mad_ifc_in_size,
	  0xffff, ~0u },
	{ 0 },
};
