// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/* MAD_IFC and the subnet management agent: every attribute, its limits, and the M_Key. */
#include "fabric_fakes.h"

#define STATUS(code) ((code) << 2)
#define BAD_VERSION STATUS(1)
#define BAD_METHOD STATUS(2)
#define BAD_ATTR STATUS(3)
#define BAD_VALUE STATUS(7)
#define DROPPED (0xff00 + CMD_BAD_PKT)

#define NODE_DESC 0x10
#define NODE_INFO 0x11
#define SWITCH_INFO 0x12
#define GUID_INFO 0x14
#define PORT_INFO 0x15
#define PKEY_TABLE 0x16
#define SL2VL 0x17
#define VLARB 0x18
#define SM_INFO 0x20
#define LED_INFO 0x31

static u8 *out = mad_out + MAD_DATA;

static struct hca *fresh(void)
{
	memset(mad_in, 0, sizeof(mad_in));
	return fabric_up(1, "self");
}

/* Makes the PortInfo of port 1 of @h the data of the next Set, with valid LIDs. */
static u8 *portinfo_for_set(struct hca *h)
{
	u8 *d;

	CHECK_EQ(smp(h, 1, T_GET, PORT_INFO, 1), 0);
	d = data_from_reply();
	put16(d + 16, 5);
	put16(d + 18, 1);
	d[32] &= 0xf0;
	d[33] &= 0x0f;
	return d;
}

/* --- MAD_IFC itself --- */

static void mad_ifc_refuses_undefined_modifier(void)
{
	struct hca *h = fresh();

	mad_fill(T_CLASS_LID, T_GET, NODE_INFO, 0);
	CHECK_EQ(mad_send(h, 1, 8), CMD_BAD_OP);
	CHECK_EQ(fake_violations[RULE_MAD_IFC_MODIFIER], 1);
}

static void mad_ifc_refuses_bad_port(void)
{
	struct hca *h = fresh();

	mad_fill(T_CLASS_LID, T_GET, NODE_INFO, 0);
	CHECK_EQ(mad_send(h, 3, 0), CMD_BAD_PARAM);
	CHECK_EQ(mad_send(h, 0, 0), CMD_BAD_PARAM);
	CHECK_EQ(fake_violations[RULE_MAD_IFC_PORT], 2);
}

static void mad_ifc_reads_less_without_extension(void)
{
	struct cmd c = { .op_mod = 3 };

	CHECK_EQ(mad_ifc_in_size(&c), 256);
	c.op_mod = 4;
	CHECK_EQ(mad_ifc_in_size(&c), 0x168);
}

static void reply_echoes_header(void)
{
	struct hca *h = fresh();

	mad_fill(0x81, T_GET, NODE_INFO, 0);
	mad_in[MAD_HOP_PTR] = 1;
	CHECK_EQ(mad_send(h, 1, 3), CMD_OK);
	CHECK_EQ(mad_out[MAD_METHOD], 0x81);
	CHECK_EQ(mad_out[MAD_CLASS], 0x81);
	CHECK_EQ(mad_out[MAD_HOP_PTR], 1);
	CHECK_EQ(get64(mad_out + MAD_TID), 0x1234);
	CHECK_EQ(mad_status(), 0);
}

static void bad_versions_are_answered(void)
{
	struct hca *h = fresh();

	mad_fill(T_CLASS_LID, T_GET, NODE_INFO, 0);
	mad_in[MAD_CLASS_VERSION] = 2;
	CHECK_EQ(mad_send(h, 1, 3), CMD_OK);
	CHECK_EQ(mad_status(), BAD_VERSION);
	mad_in[MAD_CLASS_VERSION] = 1;
	mad_in[MAD_BASE_VERSION] = 9;
	CHECK_EQ(mad_send(h, 1, 3), CMD_OK);
	CHECK_EQ(mad_status(), BAD_VERSION);
}

static void bad_methods_are_answered(void)
{
	struct hca *h = fresh();

	CHECK_EQ(smp(h, 1, 0x03, NODE_INFO, 0), BAD_METHOD);
	CHECK_EQ(smp(h, 1, 0x15, NODE_INFO, 0), BAD_METHOD);
}

static void responses_and_traps_are_dropped(void)
{
	struct hca *h = fresh();

	CHECK_EQ(smp(h, 1, 0x81, NODE_INFO, 0), DROPPED);
	CHECK_EQ(smp(h, 1, 0x05, 0x02, 0), DROPPED);
}

static void unknown_attributes_are_answered(void)
{
	struct hca *h = fresh();

	CHECK_EQ(smp(h, 1, T_GET, SM_INFO, 0), BAD_ATTR);
	CHECK_EQ(smp(h, 1, T_GET, SWITCH_INFO, 0), BAD_ATTR);
	CHECK_EQ(smp(h, 1, T_GET, 0x02, 0), BAD_ATTR);
	CHECK_EQ(smp(h, 1, T_GET, 0xff10, 0), BAD_ATTR);
}

static void vendor_classes_are_unsupported(void)
{
	struct hca *h = fresh();
	u8 class;

	for (class = 0x09; class <= 0x0a; class ++) {
		mad_fill(class, T_GET, 0x50, 0);
		CHECK_EQ(mad_send(h, 1, 4), CMD_OK);
		CHECK_EQ(mad_status(), BAD_ATTR);
		CHECK_EQ(mad_out[MAD_METHOD], 0x81);
	}
}

/* --- the node --- */

static void node_info(void)
{
	struct hca *h = fresh();

	CHECK_EQ(smp(h, 2, T_GET, NODE_INFO, 0), 0);
	CHECK_EQ(out[0], 1);
	CHECK_EQ(out[1], 1);
	CHECK_EQ(out[2], 1);
	CHECK_EQ(out[3], 2);
	CHECK_EQ(get64(out + 20), get64(out + 12) + 2);
	CHECK_EQ(get16(out + 28), 64);
	CHECK_EQ(get16(out + 30), 0x5a44);
	CHECK_EQ(out[36], 2);
	CHECK_EQ(get32(out + 36) & 0xffffff, 0x0002c9);
}

static void node_info_is_read_only(void)
{
	CHECK_EQ(smp(fresh(), 1, T_SET, NODE_INFO, 0), BAD_ATTR);
}

static void node_info_refuses_modifier(void)
{
	CHECK_EQ(smp(fresh(), 1, T_GET, NODE_INFO, 1), BAD_VALUE);
}

static void node_desc_can_be_set(void)
{
	struct hca *h = fresh();

	memset(mad_in, 0, sizeof(mad_in));
	strcpy((char *)mad_in + MAD_DATA, "front rack");
	CHECK_EQ(smp(h, 1, T_SET, NODE_DESC, 0), 0);
	CHECK_EQ(smp(h, 2, T_GET, NODE_DESC, 0), 0);
	CHECK(!strcmp((char *)out, "front rack"));
	CHECK_EQ(smp(h, 1, T_GET, NODE_DESC, 1), BAD_VALUE);
	CHECK_EQ(smp(h, 1, T_SET, NODE_DESC, 1), BAD_VALUE);
}

static void led_info(void)
{
	struct hca *h = fresh();

	memset(mad_in, 0, sizeof(mad_in));
	mad_in[MAD_DATA] = 0x80;
	CHECK_EQ(smp(h, 1, T_SET, LED_INFO, 0), 0);
	CHECK_EQ(smp(h, 1, T_GET, LED_INFO, 0), 0);
	CHECK_EQ(out[0], 0x80);
}

/* --- tables --- */

static void guid_info_has_32_entries(void)
{
	struct hca *h = fresh();
	u64 own;

	CHECK_EQ(smp(h, 1, T_GET, GUID_INFO, 0), 0);
	own = get64(out);
	CHECK(own);
	put64(data_from_reply(), 0x99);
	put64(mad_in + MAD_DATA + 8, 0xabcd);
	CHECK_EQ(smp(h, 1, T_SET, GUID_INFO, 0), 0);
	CHECK_EQ(get64(out), own); /* the first GUID is fixed */
	CHECK_EQ(get64(out + 8), 0xabcd);
	CHECK_EQ(get64(port_gid(h, 1, 1) + 8), 0xabcd);
	CHECK_EQ(smp(h, 1, T_GET, GUID_INFO, 3), 0);
	CHECK_EQ(smp(h, 1, T_GET, GUID_INFO, 4), BAD_VALUE);
	CHECK_EQ(smp(h, 1, T_SET, GUID_INFO, 4), BAD_VALUE);
}

static void pkey_table_has_64_entries(void)
{
	struct hca *h = fresh();

	CHECK_EQ(smp(h, 1, T_GET, PKEY_TABLE, 0), 0);
	CHECK_EQ(get16(out), 0xffff);
	CHECK_EQ(get16(out + 2), 0);
	put16(data_from_reply() + 62, 0x8001);
	CHECK_EQ(smp(h, 1, T_SET, PKEY_TABLE, 1), 0);
	CHECK_EQ(port_pkey(h, 1, 63), 0x8001);
	CHECK_EQ(port_pkey(h, 2, 63), 0);
	CHECK_EQ(smp(h, 1, T_GET, PKEY_TABLE, 2), BAD_VALUE);
	CHECK_EQ(smp(h, 1, T_SET, PKEY_TABLE, 2), BAD_VALUE);
	/* an HCA ignores the port in the modifier, as for a switch */
	CHECK_EQ(smp(h, 1, T_GET, PKEY_TABLE, 1u << 16 | 1), 0);
	CHECK_EQ(get16(out + 62), 0x8001);
	CHECK_EQ(smp(h, 1, T_GET, PKEY_TABLE, 2u << 16 | 1), 0);
	CHECK_EQ(get16(out + 62), 0x8001);
	CHECK_EQ(smp(h, 1, T_GET, PKEY_TABLE, 1u << 16 | 2), BAD_VALUE);
}

static void sl2vl_mapping(void)
{
	struct hca *h = fresh();
	u8 *d = mad_in + MAD_DATA;

	memset(mad_in, 0, sizeof(mad_in));
	d[0] = 0x01;
	d[7] = 0x67;
	CHECK_EQ(smp(h, 1, T_SET, SL2VL, 0), 0);
	CHECK_EQ(port_sl2vl(h, 1, 1), 1);
	CHECK_EQ(port_sl2vl(h, 1, 14), 6);
	CHECK_EQ(port_sl2vl(h, 1, 15), 7);
	CHECK_EQ(smp(h, 1, T_GET, SL2VL, 0x0101), 0); /* an HCA ignores the modifier */
	CHECK_EQ(out[7], 0x67);
}

static void vl_arbitration_tables(void)
{
	struct hca *h = fresh();

	memset(mad_in, 0, sizeof(mad_in));
	mad_in[MAD_DATA] = 0xf3;
	mad_in[MAD_DATA + 1] = 9;
	CHECK_EQ(smp(h, 1, T_SET, VLARB, 3u << 16), 0);
	CHECK_EQ(out[0], 3);
	CHECK_EQ(out[1], 9);
	CHECK_EQ(smp(h, 1, T_GET, VLARB, 1u << 16), 0);
	CHECK_EQ(out[1], 1);
	CHECK_EQ(smp(h, 1, T_GET, VLARB, 0), BAD_VALUE);
	CHECK_EQ(smp(h, 1, T_GET, VLARB, 2u << 16), BAD_VALUE);
	CHECK_EQ(smp(h, 1, T_SET, VLARB, 5u << 16), BAD_VALUE);
}

/* --- PortInfo --- */

static void portinfo_of_either_port(void)
{
	struct hca *h = fresh();

	CHECK_EQ(smp(h, 1, T_GET, PORT_INFO, 0), 0);
	CHECK_EQ(out[28], 1);
	CHECK_EQ(smp(h, 1, T_GET, PORT_INFO, 2), 0);
	CHECK_EQ(out[28], 1); /* the port of arrival */
	CHECK_EQ(smp(h, 1, T_GET, PORT_INFO, 3), BAD_VALUE);
	CHECK_EQ(smp(h, 1, T_SET, PORT_INFO, 3), BAD_VALUE);
}

static void portinfo_of_an_unused_port(void)
{
	struct hca *h = fresh();

	CHECK_EQ(smp(h, 1, T_GET, PORT_INFO, 1), 0);
	CHECK_EQ(get64(out + 8), 0xfe80000000000000ULL);
	CHECK_EQ(get32(out + 20), 0x02400a68);
	CHECK_EQ(out[29], 3);
	CHECK_EQ(out[30], 3);
	CHECK_EQ(out[32], 0x11);   /* SDR, down */
	CHECK_EQ(out[33] >> 4, 2); /* polling */
	CHECK_EQ(out[37] >> 4, 4); /* VL0-7 */
	CHECK_EQ(out[41] & 15, 4); /* 2048 */
	CHECK_EQ(out[50], 32);
}

static void portinfo_of_a_link(void)
{
	struct hca *h = fabric_active();

	CHECK_EQ(smp(h, 1, T_GET, PORT_INFO, 1), 0);
	CHECK_EQ(out[31], 2);
	CHECK_EQ(out[32] & 15, PORT_ACTIVE);
	CHECK_EQ(out[33] >> 4, 5);
	CHECK_EQ(out[35] >> 4, 1);
	CHECK_EQ(get16(out + 16), 1);
}

static void portinfo_set_takes_what_a_manager_sets(void)
{
	struct hca *h = fresh();
	u8 *d = portinfo_for_set(h);

	put64(d + 8, 0xfec0000000000000ULL);
	d[34] = 3;
	d[36] = 0x25;
	d[43] = 0x20;
	d[51] = 0x80 | 17;
	CHECK_EQ(smp(h, 1, T_SET, PORT_INFO, 1), 0);
	CHECK_EQ(out[51], 0x80 | 17); /* the reply repeats the request to reregister */
	CHECK_EQ(port_lid(h, 1), 5);
	CHECK_EQ(port_lmc(h, 1), 3);
	CHECK_EQ(port_mtu(h, 1), 2);
	CHECK_EQ(get64(port_gid(h, 1, 5)), 0xfec0000000000000ULL);
	CHECK_EQ(smp(h, 1, T_GET, PORT_INFO, 1), 0);
	CHECK_EQ(out[51], 17);
	CHECK_EQ(out[36], 0x25);
	CHECK_EQ(out[43] >> 4, 2);
}

static void portinfo_read_only_fields_stay(void)
{
	struct hca *h = fresh();
	u8 *d = portinfo_for_set(h);

	put32(d + 20, 0xffffffff);
	d[30] = 0x0f;
	d[41] = 5;
	d[50] = 200;
	CHECK_EQ(smp(h, 1, T_SET, PORT_INFO, 1), 0);
	CHECK_EQ(get32(out + 20), 0x02400a68);
	CHECK_EQ(out[30], 3);
	CHECK_EQ(out[41], 4);
	CHECK_EQ(out[50], 32);
}

static void portinfo_refuses(unsigned int offset, u8 mask, u8 value)
{
	struct hca *h = fresh();
	u8 *d = portinfo_for_set(h);

	d[offset] = (d[offset] & ~mask) | value;
	CHECK_EQ(smp(h, 1, T_SET, PORT_INFO, 1), BAD_VALUE);
	CHECK_EQ(port_lid(h, 1), 0); /* the Set had no effect */
}

static void portinfo_refuses_lid_0(void)
{
	portinfo_refuses(17, 0xff, 0);
}

static void portinfo_refuses_multicast_lid(void)
{
	portinfo_refuses(16, 0xff, 0xc0);
}

static void portinfo_refuses_multicast_sm_lid(void)
{
	portinfo_refuses(18, 0xff, 0xff);
}

static void portinfo_refuses_width(void)
{
	portinfo_refuses(29, 0xff, 4);
}

static void portinfo_refuses_speed(void)
{
	portinfo_refuses(35, 0x0f, 2);
}

static void portinfo_refuses_down_default(void)
{
	portinfo_refuses(33, 0x0f, 3);
}

static void portinfo_refuses_mtu_0(void)
{
	portinfo_refuses(36, 0xf0, 0);
}

static void portinfo_refuses_mtu_beyond_cap(void)
{
	portinfo_refuses(36, 0xf0, 0x50);
}

static void portinfo_refuses_vls_beyond_cap(void)
{
	portinfo_refuses(43, 0xf0, 0x50);
}

static void portinfo_refuses_state_init(void)
{
	portinfo_refuses(32, 0x0f, PORT_INIT);
}

static void portinfo_refuses_armed_when_down(void)
{
	portinfo_refuses(32, 0x0f, PORT_ARMED);
}

static void portinfo_refuses_active_when_down(void)
{
	portinfo_refuses(32, 0x0f, PORT_ACTIVE);
}

static void portinfo_refuses_phys_training(void)
{
	portinfo_refuses(33, 0xf0, 0x40);
}

/* Sets the states of port 1. Returns the MAD status. */
static u16 set_states(struct hca *h, u8 state, u8 phys)
{
	u8 *d = portinfo_for_set(h);

	put16(d + 16, 1);
	d[32] |= state;
	d[33] |= phys << 4;
	return smp(h, 1, T_SET, PORT_INFO, 1);
}

static void states_go_init_armed_active(void)
{
	struct hca *h = fresh();

	init_ib(h, 1);
	init_ib(h, 2);
	settle();
	CHECK_EQ(set_states(h, PORT_ACTIVE, 0), BAD_VALUE);
	CHECK_EQ(set_states(h, PORT_ARMED, 0), 0);
	CHECK_EQ(port_state(h, 1), PORT_ARMED);
	CHECK_EQ(set_states(h, PORT_ARMED, 0), 0);
	CHECK_EQ(set_states(h, PORT_ACTIVE, 0), 0);
	CHECK_EQ(port_state(h, 1), PORT_ACTIVE);
	CHECK_EQ(set_states(h, PORT_ACTIVE, 0), 0);
	CHECK_EQ(set_states(h, PORT_ARMED, 0), BAD_VALUE);
	CHECK_EQ(port_state(h, 1), PORT_ACTIVE);
	CHECK_EQ(set_states(h, 0, 0), 0);
	CHECK_EQ(port_state(h, 1), PORT_ACTIVE);
}

static void bounce_now(struct hca *h)
{
	CHECK(timer_armed(&hca_port(h, 1)->bounce_timer));
	timer_arm(&hca_port(h, 1)->bounce_timer, 0);
	settle();
}

static void state_down_retrains(void)
{
	struct hca *h = fabric_active();

	CHECK_EQ(set_states(h, PORT_DOWN, 0), 0);
	CHECK_EQ(out[32] & 15, PORT_ACTIVE); /* the reply comes before the change */
	bounce_now(h);
	CHECK_EQ(port_state(h, 1), PORT_INIT);
	CHECK_EQ(port_state(h, 2), PORT_INIT);
	CHECK_EQ(port_lid(h, 1), 1); /* the LID stays */
}

static void disabled_port_stays_down(void)
{
	struct hca *h = fabric_active();

	CHECK_EQ(set_states(h, PORT_DOWN, PHYS_DISABLED), 0);
	settle();
	CHECK_EQ(port_state(h, 1), PORT_DOWN);
	CHECK_EQ(smp(h, 1, T_GET, PORT_INFO, 1), 0);
	CHECK_EQ(out[33] >> 4, PHYS_DISABLED);
	CHECK_EQ(smp(h, 2, T_GET, PORT_INFO, 2), 0);
	CHECK_EQ(out[33] >> 4, PHYS_POLLING);
	CHECK_EQ(set_states(h, 0, PHYS_POLLING), 0);
	settle();
	CHECK_EQ(port_state(h, 1), PORT_INIT);
}

static void phys_state_only_with_down(void)
{
	struct hca *h = fabric_active();

	CHECK_EQ(set_states(h, PORT_ACTIVE, PHYS_POLLING), BAD_VALUE);
	CHECK_EQ(port_state(h, 1), PORT_ACTIVE);
}

static void sleeping_default_keeps_the_link_down(void)
{
	struct hca *h = fabric_active();
	u8 *d = portinfo_for_set(h);

	put16(d + 16, 1);
	d[33] = PHYS_SLEEP;
	d[32] |= PORT_DOWN;
	CHECK_EQ(smp(h, 1, T_SET, PORT_INFO, 1), 0);
	bounce_now(h);
	CHECK_EQ(port_state(h, 1), PORT_DOWN);
}

static void width_enabled_counts_at_next_training(void)
{
	struct hca *h = fabric_active();
	u8 *d = portinfo_for_set(h);

	put16(d + 16, 1);
	d[29] = 1;
	CHECK_EQ(smp(h, 1, T_SET, PORT_INFO, 1), 0);
	CHECK_EQ(out[29], 1);
	CHECK_EQ(out[31], 2);
	CHECK_EQ(set_states(h, PORT_DOWN, 0), 0);
	bounce_now(h);
	CHECK_EQ(smp(h, 2, T_GET, PORT_INFO, 2), 0);
	CHECK_EQ(out[31], 1);
	d = portinfo_for_set(h);
	d[29] = 0xff;
	CHECK_EQ(smp(h, 1, T_SET, PORT_INFO, 1), 0);
	CHECK_EQ(out[29], 3);
}

/* Port 1 supports only one lane, port 2 only four. */
static void disjoint_widths(struct hca *h)
{
	u8 *d = portinfo_for_set(h);

	d[29] = 1;
	CHECK_EQ(smp(h, 1, T_SET, PORT_INFO, 1), 0);
	CHECK_EQ(smp(h, 2, T_GET, PORT_INFO, 2), 0);
	d = data_from_reply();
	put16(d + 16, 6);
	put16(d + 18, 1);
	d[29] = 2;
	d[32] &= 0xf0;
	d[33] &= 0x0f;
	CHECK_EQ(smp(h, 2, T_SET, PORT_INFO, 2), 0);
}

static void no_common_width_no_link(void)
{
	struct hca *h = fresh();

	disjoint_widths(h);
	hca_port(h, 1)->powered = true;
	hca_port(h, 2)->powered = true;
	wire_update(hca_port(h, 1));
	settle();
	CHECK_EQ(port_state(h, 1), PORT_DOWN);
}

static void no_common_width_any_more_when_trained(void)
{
	struct hca *h = fresh();

	init_ib(h, 1);
	init_ib(h, 2);
	CHECK_EQ(hca_port(h, 1)->phys, PHYS_TRAINING);
	disjoint_widths(h);
	settle();
	CHECK_EQ(port_state(h, 1), PORT_DOWN);
	CHECK_EQ(hca_port(h, 1)->phys, PHYS_POLLING);
	CHECK_EQ(hca_port(h, 2)->phys, PHYS_POLLING);
}

static void violation_counters_can_only_be_cleared(void)
{
	struct hca *h = fresh();
	u8 *d;

	port_count_pkey_violation(h, 1);
	port_count_pkey_violation(h, 1);
	port_count_qkey_violation(h, 1);
	d = portinfo_for_set(h);
	CHECK_EQ(get16(d + 46), 2);
	CHECK_EQ(get16(d + 48), 1);
	put16(d + 46, 77);
	put16(d + 48, 78);
	CHECK_EQ(smp(h, 1, T_SET, PORT_INFO, 1), 0);
	CHECK_EQ(get16(out + 46), 2);
	CHECK_EQ(get16(out + 48), 1);
	d = portinfo_for_set(h);
	put16(d + 46, 0);
	put16(d + 48, 0);
	CHECK_EQ(smp(h, 1, T_SET, PORT_INFO, 1), 0);
	CHECK_EQ(get16(out + 46), 0);
	CHECK_EQ(get16(out + 48), 0);
}

/* --- M_Key --- */

#define KEY 0x1122334455667788ULL

static struct hca *with_mkey(u8 protect, u16 lease)
{
	struct hca *h = fresh();
	u8 *d = portinfo_for_set(h);

	put64(d, KEY);
	d[34] = protect << 6;
	put16(d + 26, lease);
	CHECK_EQ(smp(h, 1, T_SET, PORT_INFO, 1), 0);
	memset(mad_in, 0, sizeof(mad_in));
	return h;
}

static u16 smp_with_key(struct hca *h, u64 key, u8 method, u16 attr, u32 mod)
{
	put64(mad_in + MAD_MKEY, key);
	return smp(h, 1, method, attr, mod);
}

static void mkey_admits_its_owner(void)
{
	struct hca *h = with_mkey(2, 0);

	CHECK_EQ(smp_with_key(h, KEY, T_GET, PORT_INFO, 1), 0);
	CHECK_EQ(get64(out), KEY);
	data_from_reply();
	mad_in[MAD_DATA + 32] &= 0xf0;
	mad_in[MAD_DATA + 33] &= 0x0f;
	CHECK_EQ(smp_with_key(h, KEY, T_SET, PORT_INFO, 1), 0);
}

static void mkey_protect_0_shows_the_key_but_no_set(void)
{
	struct hca *h = with_mkey(0, 0);

	CHECK_EQ(smp_with_key(h, 1, T_GET, PORT_INFO, 1), 0);
	CHECK_EQ(get64(out), KEY);
	CHECK_EQ(smp_with_key(h, 1, T_SET, PORT_INFO, 1), DROPPED);
}

static void mkey_protect_1_hides_the_key(void)
{
	struct hca *h = with_mkey(1, 0);

	CHECK_EQ(smp_with_key(h, 1, T_GET, PORT_INFO, 1), 0);
	CHECK_EQ(get64(out), 0);
	CHECK_EQ(smp_with_key(h, KEY, T_GET, PORT_INFO, 1), 0);
	CHECK_EQ(get64(out), KEY);
}

static void mkey_protect_2_refuses_get(void)
{
	struct hca *h = with_mkey(2, 0);

	CHECK_EQ(smp_with_key(h, 1, T_GET, NODE_INFO, 0), DROPPED);
	CHECK_EQ(smp_with_key(h, KEY, T_GET, PORT_INFO, 1), 0);
	CHECK_EQ(get16(out + 44), 1);
}

static void mkey_protects_port_from_the_other_port(void)
{
	struct hca *h = with_mkey(0, 0);

	CHECK_EQ(smp(h, 2, T_GET, PORT_INFO, 1), 0);
	CHECK_EQ(smp(h, 2, T_SET, PORT_INFO, 1), DROPPED);
}

static void mkey_violations_are_counted_and_stop_at_the_top(void)
{
	struct hca *h = with_mkey(0, 0);

	CHECK_EQ(smp_with_key(h, 1, T_SET, PORT_INFO, 1), DROPPED);
	CHECK_EQ(hca_port(h, 1)->mkey_violations, 1);
	hca_port(h, 1)->mkey_violations = 0xffff;
	CHECK_EQ(smp_with_key(h, 1, T_SET, PORT_INFO, 1), DROPPED);
	CHECK_EQ(hca_port(h, 1)->mkey_violations, 0xffff);
}

static void mkey_can_be_ignored_by_the_modifier(void)
{
	struct hca *h = with_mkey(2, 0);

	mad_fill(T_CLASS_LID, T_GET, PORT_INFO, 1);
	CHECK_EQ(mad_send(h, 1, 1), CMD_OK);
	CHECK_EQ(mad_status(), 0);
	CHECK_EQ(get64(out), KEY);
}

static void mkey_protects_against_repress(void)
{
	struct hca *h = with_mkey(2, 0);

	CHECK_EQ(smp_with_key(h, 1, 0x07, 0x02, 0), DROPPED);
}

static void mkey_lease_runs_from_violation_to_right_key(void)
{
	struct hca *h = with_mkey(2, 15);
	struct ibport *p = hca_port(h, 1);

	CHECK(!timer_armed(&p->lease_timer));
	CHECK_EQ(smp_with_key(h, 1, T_GET, NODE_INFO, 0), DROPPED);
	CHECK(timer_armed(&p->lease_timer));
	CHECK_EQ(smp_with_key(h, KEY, T_GET, NODE_INFO, 0), 0);
	CHECK(!timer_armed(&p->lease_timer));
	CHECK_EQ(smp_with_key(h, 1, T_GET, NODE_INFO, 0), DROPPED);
	timer_arm(&p->lease_timer, 0);
	settle();
	CHECK_EQ(smp_with_key(h, 1, T_GET, NODE_INFO, 0), 0);
}

static void repress_has_no_reply(void)
{
	struct hca *h = fresh();
	static struct cmd c;

	mad_fill(T_CLASS_LID, 0x07, 0x02, 0);
	memset(&c, 0, sizeof(c));
	memcpy(c.in, mad_in, 256);
	c.in_mod = 1;
	CHECK_EQ(run_cmd(h, port_cmds, 0x24, &c), CMD_OK);
	CHECK(c.no_out);
}

static const struct tap_test tests[] = {
	TAP(mad_ifc_refuses_undefined_modifier),
	TAP(mad_ifc_refuses_bad_port),
	TAP(mad_ifc_reads_less_without_extension),
	TAP(reply_echoes_header),
	TAP(bad_versions_are_answered),
	TAP(bad_methods_are_answered),
	TAP(responses_and_traps_are_dropped),
	TAP(unknown_attributes_are_answered),
	TAP(vendor_classes_are_unsupported),
	TAP(node_info),
	TAP(node_info_is_read_only),
	TAP(node_info_refuses_modifier),
	TAP(node_desc_can_be_set),
	TAP(led_info),
	TAP(guid_info_has_32_entries),
	TAP(pkey_table_has_64_entries),
	TAP(sl2vl_mapping),
	TAP(vl_arbitration_tables),
	TAP(portinfo_of_either_port),
	TAP(portinfo_of_an_unused_port),
	TAP(portinfo_of_a_link),
	TAP(portinfo_set_takes_what_a_manager_sets),
	TAP(portinfo_read_only_fields_stay),
	TAP(portinfo_refuses_lid_0),
	TAP(portinfo_refuses_multicast_lid),
	TAP(portinfo_refuses_multicast_sm_lid),
	TAP(portinfo_refuses_width),
	TAP(portinfo_refuses_speed),
	TAP(portinfo_refuses_down_default),
	TAP(portinfo_refuses_mtu_0),
	TAP(portinfo_refuses_mtu_beyond_cap),
	TAP(portinfo_refuses_vls_beyond_cap),
	TAP(portinfo_refuses_state_init),
	TAP(portinfo_refuses_armed_when_down),
	TAP(portinfo_refuses_active_when_down),
	TAP(portinfo_refuses_phys_training),
	TAP(states_go_init_armed_active),
	TAP(state_down_retrains),
	TAP(disabled_port_stays_down),
	TAP(phys_state_only_with_down),
	TAP(sleeping_default_keeps_the_link_down),
	TAP(width_enabled_counts_at_next_training),
	TAP(no_common_width_no_link),
	TAP(no_common_width_any_more_when_trained),
	TAP(violation_counters_can_only_be_cleared),
	TAP(mkey_admits_its_owner),
	TAP(mkey_protect_0_shows_the_key_but_no_set),
	TAP(mkey_protect_1_hides_the_key),
	TAP(mkey_protect_2_refuses_get),
	TAP(mkey_protects_port_from_the_other_port),
	TAP(mkey_violations_are_counted_and_stop_at_the_top),
	TAP(mkey_can_be_ignored_by_the_modifier),
	TAP(mkey_protects_against_repress),
	TAP(mkey_lease_runs_from_violation_to_right_key),
	TAP(repress_has_no_reply),
};

int main(int argc, char **argv)
{
	return tap_run(tests, sizeof(tests) / sizeof(tests[0]), argc, argv);
}
