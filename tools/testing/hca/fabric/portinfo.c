// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/* The attribute PortInfo (IBTA 14.2.5.6): Get, and the checks and effects of Set. */
#include <string.h>

#include "core/bytes.h"
#include "fabric/port.h"

/* Byte offsets. PI_A_B is a byte with A in the high nibble and B in the low nibble. */
enum {
	PI_MKEY = 0,
	PI_GID_PREFIX = 8,
	PI_LID = 16,
	PI_SM_LID = 18,
	PI_CAP_MASK = 20,
	PI_MKEY_LEASE = 26,
	PI_LOCAL_PORT = 28,
	PI_WIDTH_ENABLED = 29,
	PI_WIDTH_SUPPORTED = 30,
	PI_WIDTH_ACTIVE = 31,
	PI_SPEED_STATE = 32,
	PI_PHYS_DOWN_DEFAULT = 33,
	PI_PROTECT_LMC = 34,
	PI_SPEED_ACTIVE_ENABLED = 35,
	PI_MTU_SM_SL = 36,
	PI_VL_CAP_INIT_TYPE = 37,
	PI_VL_HIGH_LIMIT = 38,
	PI_VLARB_HIGH_CAP = 39,
	PI_VLARB_LOW_CAP = 40,
	PI_MTU_CAP = 41,
	PI_HOQ = 42,
	PI_OP_VLS_ENFORCE = 43,
	PI_MKEY_VIOLATIONS = 44,
	PI_PKEY_VIOLATIONS = 46,
	PI_QKEY_VIOLATIONS = 48,
	PI_GUID_CAP = 50,
	PI_REREG_TIMEOUT = 51,
	PI_RESP_TIME = 52,
	PI_ERROR_THRESHOLDS = 53,
};

enum { SET_NOP = 0 };

static bool is_switch(const struct ibport *p)
{
	return p->node->type == NODE_SWITCH;
}

/* Ports with a LID of their own: a port of an HCA, or the management port of a switch. */
static bool has_lid(const struct ibport *p)
{
	return !is_switch(p) || p->num == 0;
}

static void get_managed(const struct ibport *p, u8 *d, bool show_mkey)
{
	put64(d + PI_MKEY, show_mkey ? p->mkey : 0);
	put64(d + PI_GID_PREFIX, p->gid_prefix);
	put16(d + PI_LID, p->lid);
	put16(d + PI_SM_LID, p->sm_lid);
	put32(d + PI_CAP_MASK, p->cap_mask);
	put16(d + PI_MKEY_LEASE, p->mkey_lease);
	d[PI_PROTECT_LMC] = p->mkey_protect << 6 | p->lmc;
	put16(d + PI_MKEY_VIOLATIONS, p->mkey_violations);
	d[PI_GUID_CAP] = is_switch(p) ? 1 : PORT_GIDS;
	d[PI_REREG_TIMEOUT] = p->subnet_timeout;
	d[PI_RESP_TIME] = 16;
}

static void get_link(const struct ibport *p, u8 *d)
{
	d[PI_WIDTH_ENABLED] = p->width_enabled;
	d[PI_WIDTH_SUPPORTED] = p->width_cap;
	d[PI_WIDTH_ACTIVE] = p->width_active;
	d[PI_SPEED_STATE] = p->speed_cap << 4 | p->state;
	d[PI_PHYS_DOWN_DEFAULT] = p->phys << 4 | p->down_default;
	d[PI_SPEED_ACTIVE_ENABLED] = p->speed_active << 4 | p->speed_enabled;
	d[PI_MTU_SM_SL] = p->neighbor_mtu << 4 | p->sm_sl;
	d[PI_VL_CAP_INIT_TYPE] = p->vl_cap << 4 | p->init_type;
	d[PI_VL_HIGH_LIMIT] = p->vl_high_limit;
	d[PI_VLARB_HIGH_CAP] = PORT_VLARB;
	d[PI_VLARB_LOW_CAP] = PORT_VLARB;
	d[PI_MTU_CAP] = p->mtu_cap;
	d[PI_HOQ] = p->hoq_life;
	d[PI_OP_VLS_ENFORCE] = p->op_vls << 4 | p->part_enforce;
	put16(d + PI_PKEY_VIOLATIONS, p->pkey_violations);
	put16(d + PI_QKEY_VIOLATIONS, p->qkey_violations);
	d[PI_ERROR_THRESHOLDS] = p->error_thresholds;
}

u16 portinfo_get(struct smp *s)
{
	struct ibport *p = ibport_target(s->port, s->mod);

	if (!p)
		return MAD_BAD_VALUE;
	s->data[PI_LOCAL_PORT] = s->port->num;
	get_link(p, s->data);
	if (has_lid(p))
		get_managed(p, s->data, s->mkey_ok);
	return MAD_OK;
}

static bool lid_ok(u16 lid)
{
	return lid && lid < LID_MULTICAST;
}

/* 0 changes nothing, all ones enable all supported values, other values must be supported. */
static bool enable_ok(u8 value, u8 all, u8 supported)
{
	return value == all || !(value & ~supported);
}

/*
 * Down is possible from each state, Armed from Init, Active from Armed. The current state changes
 * nothing. A physical state may come only with Down or without a change of the state.
 */
static bool states_ok(const struct ibport *p, const u8 *d)
{
	u8 state = d[PI_SPEED_STATE] & 15, phys = d[PI_PHYS_DOWN_DEFAULT] >> 4;

	if (phys > PHYS_DISABLED || (phys && state != SET_NOP && state != PORT_DOWN))
		return false;
	switch (state) {
	case SET_NOP:
	case PORT_DOWN:
		return true;
	case PORT_ARMED:
		return p->state == PORT_INIT || p->state == PORT_ARMED;
	case PORT_ACTIVE:
		return p->state == PORT_ARMED || p->state == PORT_ACTIVE;
	default:
		return false;
	}
}

/* The MTU must be supported by both ends. Only this end is checked here. */
static bool link_ok(const struct ibport *p, const u8 *d)
{
	u8 mtu = d[PI_MTU_SM_SL] >> 4;

	return enable_ok(d[PI_WIDTH_ENABLED], 0xff, p->width_cap) &&
	       enable_ok(d[PI_SPEED_ACTIVE_ENABLED] & 15, 15, p->speed_cap) &&
	       (d[PI_PHYS_DOWN_DEFAULT] & 15) <= PHYS_POLLING && mtu <= p->mtu_cap &&
	       d[PI_OP_VLS_ENFORCE] >> 4 <= p->vl_cap;
}

/* The management port of a switch has no link, so its link is not checked. */
static bool set_ok(const struct ibport *p, const u8 *d)
{
	if (has_lid(p) && (!lid_ok(get16(d + PI_LID)) || !lid_ok(get16(d + PI_SM_LID))))
		return false;
	if (is_switch(p) && p->num == 0)
		return !(d[PI_PROTECT_LMC] & 7);
	if (!is_switch(p) && !(d[PI_MTU_SM_SL] >> 4))
		return false;
	return states_ok(p, d) && link_ok(p, d);
}

/* Sets the fields of the node in its subnet: LIDs, M_Key, GID prefix, LMC. */
static void set_managed(struct ibport *p, const u8 *d)
{
	p->mkey = get64(d + PI_MKEY);
	ibport_set_prefix(p, get64(d + PI_GID_PREFIX));
	p->lid = get16(d + PI_LID);
	p->sm_lid = get16(d + PI_SM_LID);
	p->mkey_lease = get16(d + PI_MKEY_LEASE);
	p->mkey_protect = d[PI_PROTECT_LMC] >> 6;
	p->lmc = d[PI_PROTECT_LMC] & 7;
	p->sm_sl = d[PI_MTU_SM_SL] & 15;
	p->subnet_timeout = d[PI_REREG_TIMEOUT] & 31;
	if (!get16(d + PI_MKEY_VIOLATIONS))
		p->mkey_violations = 0;
}

static void set_link_values(struct ibport *p, const u8 *d)
{
	if (d[PI_PHYS_DOWN_DEFAULT] & 15)
		p->down_default = d[PI_PHYS_DOWN_DEFAULT] & 15;
	if (d[PI_MTU_SM_SL] >> 4)
		p->neighbor_mtu = d[PI_MTU_SM_SL] >> 4;
	if (d[PI_OP_VLS_ENFORCE] >> 4)
		p->op_vls = d[PI_OP_VLS_ENFORCE] >> 4;
	if (is_switch(p))
		p->part_enforce = d[PI_OP_VLS_ENFORCE] & 15;
	p->vl_high_limit = d[PI_VL_HIGH_LIMIT];
	p->init_type = d[PI_VL_CAP_INIT_TYPE] & 15;
	p->hoq_life = d[PI_HOQ];
	p->error_thresholds = d[PI_ERROR_THRESHOLDS];
	/* a subnet manager can only clear the counters */
	if (!get16(d + PI_PKEY_VIOLATIONS))
		p->pkey_violations = 0;
	if (!get16(d + PI_QKEY_VIOLATIONS))
		p->qkey_violations = 0;
}

/* New widths and speeds are used when the link trains the next time. */
static void set_enabled(struct ibport *p, const u8 *d)
{
	u8 width = d[PI_WIDTH_ENABLED], speed = d[PI_SPEED_ACTIVE_ENABLED] & 15;

	if (width)
		p->width_enabled = width == 0xff ? p->width_cap : width;
	if (speed)
		p->speed_enabled = speed == 15 ? p->speed_cap : speed;
}

static void set_states(struct ibport *p, const u8 *d)
{
	u8 state = d[PI_SPEED_STATE] & 15, phys = d[PI_PHYS_DOWN_DEFAULT] >> 4;

	if (state == PORT_ARMED || state == PORT_ACTIVE)
		ibport_set_state(p, state);
	if (phys) {
		p->phys = phys;
		wire_update(p);
	} else if (state == PORT_DOWN) {
		wire_bounce(p);
	}
}

/* A Set with one bad value changes nothing. */
u16 portinfo_set(struct smp *s)
{
	struct ibport *p = ibport_target(s->port, s->mod);

	if (!p || !set_ok(p, s->data))
		return MAD_BAD_VALUE;
	if (has_lid(p))
		set_managed(p, s->data);
	if (is_switch(p) && p->num == 0)
		return MAD_OK;
	set_link_values(p, s->data);
	set_enabled(p, s->data);
	set_states(p, s->data);
	return MAD_OK;
}
