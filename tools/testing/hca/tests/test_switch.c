// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/* A switch: directed routes through it, its tables, and forwarding. */
#include "fabric_fakes.h"

#include <unistd.h>

#define BAD_ATTR (3 << 2)
#define BAD_VALUE (7 << 2)
#define REPLY (LRH_LEN + BTH_LEN + DETH_LEN)

static struct ibnode *sw;

/* HCA 0 port 1 - switch port 1, port 2 - port 2, HCA 1 port 1 - port 3; links trained. */
static struct hca *switched(void)
{
	struct hca *h = fabric_up(2, "0.1-s0.1,0.2-s0.2,1.1-s0.3");

	sw = switch_node(0);
	init_ib(h, 1);
	init_ib(h, 2);
	init_ib(&fake_hca[1], 1);
	settle();
	fake_rxs = 0;
	return h;
}

/* Sends a directed-route SMP from HCA 0 port 1 through @hops ports, with the data in mad_in. */
static void send_directed(struct hca *h, u8 method, u16 attr, u32 mod, u8 hops, const u8 *path)
{
	struct packet *p = ud_packet(15, 0xffff, 0xffff, 0, 256);
	u8 data[64], i;

	memcpy(data, mad_in + MAD_DATA, 64);
	mad_fill(CLASS_SUBN_DIRECTED, method, attr, mod);
	memcpy(mad_in + MAD_DATA, data, 64);
	mad_in[MAD_HOP_CNT] = hops;
	mad_in[MAD_HOP_PTR] = 1; /* as the host's SMI sets it */
	put16(mad_in + MAD_DR_SLID, 0xffff);
	put16(mad_in + MAD_DR_DLID, 0xffff);
	for (i = 1; i <= hops && i < 64; i++)
		mad_in[MAD_INITIAL_PATH + i] = path[i - 1];
	put32(p->data + LRH_LEN + BTH_LEN, 0); /* no Q_Key, QP0 */
	put32(p->data + LRH_LEN + BTH_LEN + 4, 0);
	memcpy(p->data + REPLY, mad_in, 256);
	put32(p->data + p->len - 4, icrc_compute(p->data, p->len - 4));
	port_tx(h, 1, p);
	settle();
	if (fake_rxs)
		memcpy(mad_out, fake_rx[fake_rxs - 1].data + REPLY, 256);
}

/* Sends an SMP to the switch itself, which is one hop. */
static u16 ask_switch(struct hca *h, u8 method, u16 attr, u32 mod)
{
	static const u8 path[] = { 1 };

	fake_rxs = 0;
	memset(mad_out, 0, sizeof(mad_out));
	send_directed(h, method, attr, mod, 1, path);
	CHECK_EQ(fake_rxs, 1);
	CHECK_EQ(mad_out[MAD_METHOD], 0x81);
	return mad_status() & 0x7fff;
}

static void bring_active(struct hca *h, unsigned int port, struct ibport *sp, u16 lid)
{
	port_bring(h, port, lid, PORT_ACTIVE);
	ibport_set_state(sp, PORT_ARMED);
	ibport_set_state(sp, PORT_ACTIVE);
}

static struct hca *routed(void)
{
	struct hca *h = switched();

	bring_active(h, 1, &sw->port[1], 1);
	bring_active(h, 2, &sw->port[2], 2);
	bring_active(&fake_hca[1], 1, &sw->port[3], 3);
	memset(mad_in, 0, sizeof(mad_in));
	memset(mad_in + MAD_DATA, 0xff, 64);
	mad_in[MAD_DATA + 1] = 1;
	mad_in[MAD_DATA + 2] = 2;
	mad_in[MAD_DATA + 3] = 3;
	mad_in[MAD_DATA + 9] = 0;
	CHECK_EQ(ask_switch(h, T_SET, 0x19, 0), 0);
	CHECK_EQ(ask_switch(h, T_GET, 0x12, 0), 0);
	put16(data_from_reply() + 6, 9);
	CHECK_EQ(ask_switch(h, T_SET, 0x12, 0), 0);
	sw->port[0].lid = 9;
	fake_rxs = 0;
	return h;
}

static void node_info_by_directed_route(void)
{
	struct hca *h = switched();

	memset(mad_in, 0, sizeof(mad_in));
	CHECK_EQ(ask_switch(h, T_GET, 0x11, 0), 0);
	CHECK_EQ(mad_out[MAD_DATA + 2], 2);
	CHECK_EQ(mad_out[MAD_DATA + 3], 8);
	CHECK_EQ(mad_out[MAD_DATA + 36], 1); /* the port of arrival is 1 */
	CHECK(get16(mad_out + MAD_STATUS) & 0x8000);
	CHECK_EQ(mad_out[MAD_HOP_PTR], 1);
	CHECK_EQ(mad_out[MAD_RETURN_PATH + 1], 1);
	CHECK_EQ(fake_rx[0].hca, 0);
	CHECK_EQ(fake_rx[0].port, 1);
}

static void replies_have_good_crcs(void)
{
	struct hca *h = switched();
	struct packet *p;

	memset(mad_in, 0, sizeof(mad_in));
	CHECK_EQ(ask_switch(h, T_GET, 0x10, 0), 0);
	p = packet_alloc();
	p->len = fake_rx[0].len;
	memcpy(p->data, fake_rx[0].data, p->len);
	CHECK(packet_icrc_ok(p));
	packet_put(p);
}

static void directed_route_goes_through(void)
{
	static const u8 path[] = { 1, 3 };
	struct hca *h = switched();

	memset(mad_in, 0, sizeof(mad_in));
	send_directed(h, T_GET, 0x11, 0, 2, path);
	CHECK_EQ(fake_rxs, 1);
	CHECK_EQ(fake_rx[0].hca, 1);
	CHECK_EQ(mad_out[MAD_HOP_PTR], 2);
	CHECK_EQ(mad_out[MAD_RETURN_PATH + 1], 1);
}

/* The reply of HCA 1's host returns by the directed route. */
static void directed_route_comes_back(void)
{
	struct hca *h = switched();
	struct packet *p = ud_packet(15, 0xffff, 0xffff, 0, 256);
	u8 *mad = p->data + REPLY;

	(void)h;
	mad_fill(CLASS_SUBN_DIRECTED, 0x81, 0x11, 0);
	put16(mad_in + MAD_STATUS, 0x8000);
	mad_in[MAD_HOP_CNT] = 2;
	mad_in[MAD_HOP_PTR] = 2;
	mad_in[MAD_RETURN_PATH + 1] = 1;
	mad_in[MAD_RETURN_PATH + 2] = 1;
	put16(mad_in + MAD_DR_SLID, 0xffff);
	put16(mad_in + MAD_DR_DLID, 0xffff);
	memcpy(mad, mad_in, 256);
	put32(p->data + p->len - 4, icrc_compute(p->data, p->len - 4));
	port_tx(&fake_hca[1], 1, p);
	settle();
	CHECK_EQ(fake_rxs, 1);
	CHECK_EQ(fake_rx[0].hca, 0);
	CHECK_EQ(fake_rx[0].data[REPLY + MAD_HOP_PTR], 1);
}

static void bad_hops_are_dropped(void)
{
	static const u8 path[256] = { 1, 99, 3, 3 };
	struct hca *h = switched();

	memset(mad_in, 0, sizeof(mad_in));
	send_directed(h, T_GET, 0x11, 0, 2, path);   /* no such port */
	send_directed(h, T_GET, 0x11, 0, 200, path); /* more hops than the path has entries */
	CHECK_EQ(fake_rxs, 0);
}

static void broken_mads_are_dropped(void)
{
	struct hca *h = switched();
	struct packet *p = ud_packet(15, 0xffff, 0xffff, 0, 256);

	p->data[40] ^= 1; /* ICRC */
	port_tx(h, 1, p);
	port_tx(h, 1, ud_packet(15, 0xffff, 0xffff, 0, 128)); /* too short for a MAD */
	settle();
	CHECK_EQ(fake_rxs, 0);
}

/*
 * An SMP goes by LID to the switch, then one hop, and back: infiniband-diags use such a route
 * behind a switch.
 */
static void combined_route_goes_both_ways(void)
{
	struct hca *h = routed();
	struct packet *p = ud_packet(15, 9, 1, 0, 256);

	mad_fill(CLASS_SUBN_DIRECTED, T_GET, 0x11, 0);
	mad_in[MAD_HOP_CNT] = 1;
	put16(mad_in + MAD_DR_SLID, 1);
	put16(mad_in + MAD_DR_DLID, 0xffff);
	mad_in[MAD_INITIAL_PATH + 1] = 3;
	memcpy(p->data + REPLY, mad_in, 256);
	put32(p->data + p->len - 4, icrc_compute(p->data, p->len - 4));
	port_tx(h, 1, p);
	settle();
	CHECK_EQ(fake_rxs, 1);
	CHECK_EQ(fake_rx[0].hca, 1);
	CHECK_EQ(get16(fake_rx[0].data + 2), 0xffff);
	CHECK_EQ(fake_rx[0].data[REPLY + MAD_HOP_PTR], 1);
	p = ud_packet(15, 0xffff, 0xffff, 0, 256);
	mad_in[MAD_METHOD] = 0x81;
	put16(mad_in + MAD_STATUS, 0x8000);
	mad_in[MAD_HOP_PTR] = 1;
	memcpy(p->data + REPLY, mad_in, 256);
	put32(p->data + p->len - 4, icrc_compute(p->data, p->len - 4));
	port_tx(&fake_hca[1], 1, p);
	settle();
	CHECK_EQ(fake_rxs, 2);
	CHECK_EQ(fake_rx[1].hca, 0);
	CHECK_EQ(get16(fake_rx[1].data + 2), 1);
	CHECK_EQ(get16(fake_rx[1].data + 6), 9);
	CHECK_EQ(fake_rx[1].data[REPLY + MAD_HOP_PTR], 0);
}

static void combined_route_may_end_at_the_switch(void)
{
	struct hca *h = routed();
	struct packet *p = ud_packet(15, 9, 1, 0, 256);

	mad_fill(CLASS_SUBN_DIRECTED, T_GET, 0x11, 0);
	put16(mad_in + MAD_DR_SLID, 1);
	put16(mad_in + MAD_DR_DLID, 0xffff);
	memcpy(p->data + REPLY, mad_in, 256);
	put32(p->data + p->len - 4, icrc_compute(p->data, p->len - 4));
	port_tx(h, 1, p);
	settle();
	CHECK_EQ(fake_rxs, 1);
	CHECK_EQ(fake_rx[0].hca, 0);
	CHECK_EQ(fake_rx[0].data[REPLY + MAD_METHOD], 0x81);
	CHECK_EQ(get16(fake_rx[0].data + 2), 1);
}

static void switch_info(void)
{
	struct hca *h = switched();

	memset(mad_in, 0, sizeof(mad_in));
	CHECK_EQ(ask_switch(h, T_GET, 0x12, 0), 0);
	CHECK_EQ(get16(mad_out + MAD_DATA), 0xc000);
	CHECK(mad_out[MAD_DATA + 11] & 4); /* links came up */
	data_from_reply();
	CHECK_EQ(ask_switch(h, T_SET, 0x12, 0), 0);
	CHECK(!(mad_out[MAD_DATA + 11] & 4));
	CHECK_EQ(ask_switch(h, T_GET, 0x12, 1), BAD_VALUE);
	put16(mad_in + MAD_DATA + 6, 0xc000);
	CHECK_EQ(ask_switch(h, T_SET, 0x12, 0), BAD_VALUE);
}

static void forwarding_tables_and_their_ends(void)
{
	struct hca *h = switched();

	memset(mad_in, 0, sizeof(mad_in));
	mad_in[MAD_DATA + 5] = 7;
	CHECK_EQ(ask_switch(h, T_SET, 0x19, 767), 0);
	CHECK_EQ(ask_switch(h, T_GET, 0x19, 767), 0);
	CHECK_EQ(mad_out[MAD_DATA + 5], 7);
	CHECK_EQ(ask_switch(h, T_GET, 0x19, 768), BAD_VALUE);
	CHECK_EQ(ask_switch(h, T_SET, 0x19, 768), BAD_VALUE);
	put16(mad_in + MAD_DATA + 4, 0x000e);
	CHECK_EQ(ask_switch(h, T_SET, 0x1b, 31), 0);
	CHECK_EQ(ask_switch(h, T_GET, 0x1b, 31), 0);
	CHECK_EQ(get16(mad_out + MAD_DATA + 4), 0x000e);
	CHECK_EQ(ask_switch(h, T_GET, 0x1b, 32), BAD_VALUE);
	CHECK_EQ(ask_switch(h, T_SET, 0x1b, 1u << 28), BAD_VALUE); /* ports 16.. of 8 */
}

static void switch_has_no_hca_attributes(void)
{
	struct hca *h = switched();

	memset(mad_in, 0, sizeof(mad_in));
	CHECK_EQ(ask_switch(h, T_GET, 0x31, 0), BAD_ATTR);
	CHECK_EQ(ask_switch(h, T_GET, 0x20, 0), BAD_ATTR);
}

static void ports_are_set_one_by_one(void)
{
	struct hca *h = switched();

	memset(mad_in, 0, sizeof(mad_in));
	CHECK_EQ(ask_switch(h, T_GET, 0x15, 3), 0);
	CHECK_EQ(mad_out[MAD_DATA + 32] & 15, PORT_INIT);
	data_from_reply();
	mad_in[MAD_DATA + 32] = (mad_in[MAD_DATA + 32] & 0xf0) | PORT_ARMED;
	mad_in[MAD_DATA + 33] &= 0x0f;
	CHECK_EQ(ask_switch(h, T_SET, 0x15, 3), 0);
	CHECK_EQ(sw->port[3].state, PORT_ARMED);
	CHECK_EQ(ask_switch(h, T_GET, 0x15, 9), BAD_VALUE);
	CHECK_EQ(ask_switch(h, T_GET, 0x15, 0), 0);
	CHECK_EQ(mad_out[MAD_DATA + 32] & 15, PORT_ACTIVE);
}

static void disabling_a_port_drops_the_far_end(void)
{
	struct hca *h = switched();

	memset(mad_in, 0, sizeof(mad_in));
	CHECK_EQ(ask_switch(h, T_GET, 0x15, 3), 0);
	data_from_reply();
	mad_in[MAD_DATA + 32] = (mad_in[MAD_DATA + 32] & 0xf0) | PORT_DOWN;
	mad_in[MAD_DATA + 33] = PHYS_DISABLED << 4 | 2;
	CHECK_EQ(ask_switch(h, T_SET, 0x15, 3), 0);
	settle();
	CHECK_EQ(port_state(&fake_hca[1], 1), PORT_DOWN);
}

static void unicast_follows_the_table(void)
{
	struct hca *h = routed();

	port_tx(h, 1, ud_packet(0, 3, 1, 5, 64));
	port_tx(h, 1, ud_packet(0, 2, 1, 5, 64));
	port_tx(h, 1, ud_packet(0, 8, 1, 5, 64));  /* no table entry */
	port_tx(h, 1, ud_packet(0, 60, 1, 5, 64)); /* above the top of the table */
	settle();
	CHECK_EQ(fake_rxs, 2);
	CHECK_EQ(fake_rx[0].hca + fake_rx[1].hca, 1);
	CHECK_EQ(sw->port[1].counter[CNT_RCV_RELAY], 2);
	CHECK_EQ(sw->port[3].counter[CNT_XMIT_PKTS], 1);
	/* never back to the port of arrival */
	arrivals_add(&sw->port[3], ud_packet(0, 3, 1, 5, 64));
	settle();
	CHECK_EQ(fake_rxs, 2);
	CHECK_EQ(sw->port[3].counter[CNT_RCV_RELAY], 1);
}

static void multicast_goes_to_the_members_only(void)
{
	struct hca *h = routed();

	memset(mad_in, 0, sizeof(mad_in));
	put16(mad_in + MAD_DATA + 2, 1u << 1 | 1u << 3); /* LID 0xc001: ports 1 and 3 */
	CHECK_EQ(ask_switch(h, T_SET, 0x1b, 0), 0);
	fake_rxs = 0;
	port_tx(&fake_hca[1], 1, ud_packet(0, 0xc001, 3, 0xffffff, 64));
	settle();
	CHECK_EQ(fake_rxs, 2); /* its own copy, and HCA 0 port 1 */
	fake_rxs = 0;
	port_tx(h, 2, ud_packet(0, 0xc002, 2, 0xffffff, 64));
	settle();
	CHECK_EQ(fake_rxs, 1); /* a group without members: only its own copy */
}

/* --- packets in a loop --- */

/* Connects HCA 0 port 1 to switch 0, and the two switches by @joined, with all ports active. */
static struct hca *two_switches(const char *joined)
{
	static char cables[256];
	struct hca *h;
	unsigned int n, port;

	snprintf(cables, sizeof(cables), "0.1-s0.1,%s", joined);
	h = fabric_up(1, cables);
	sw = switch_node(0);
	init_ib(h, 1);
	settle();
	for (n = 0; n < 2; n++)
		for (port = 1; port <= 8; port++)
			ibport_set_state(&switch_node(n)->port[port], PORT_ACTIVE);
	port_bring(h, 1, 1, PORT_ACTIVE);
	return h;
}

static void table_set(unsigned int n, u16 (*set)(struct smp *s), const u8 data[64])
{
	u8 copy[64];
	struct smp s = { &switch_node(n)->port[0], 0, copy, true };

	memcpy(copy, data, 64);
	CHECK_EQ(set(&s), MAD_OK);
}

static u64 packets_sent(unsigned int n)
{
	u64 sum = 0;
	unsigned int port;

	for (port = 1; port <= 8; port++)
		sum += switch_node(n)->port[port].counter[CNT_XMIT_PKTS];
	return sum;
}

static bool joined_by_socket(void)
{
	return sw->port[2].phys == PHYS_LINKUP && switch_node(1)->port[2].phys == PHYS_LINKUP;
}

static bool at_its_end(void)
{
	return packets_sent(0) + packets_sent(1) >= 16;
}

/* Also tests a loop with one cable through another process. */
static void unicast_in_a_circle_ends(void)
{
	u8 lft[64] = { [5] = 2 }, info[64] = { [7] = 8 };
	char joined[128];
	struct hca *h;

	snprintf(joined, sizeof(joined),
		 "s0.2-unix:/tmp/circle-%d,s1.2-unix:/tmp/circle-%d,s1.3-s0.3", getpid(), getpid());
	h = two_switches(joined);
	wait_for(joined_by_socket);
	CHECK(joined_by_socket());
	ibport_set_state(&sw->port[2], PORT_ACTIVE);
	ibport_set_state(&switch_node(1)->port[2], PORT_ACTIVE);
	table_set(0, lft_set, lft);
	table_set(0, switch_info_set, info);
	lft[5] = 3;
	table_set(1, lft_set, lft);
	table_set(1, switch_info_set, info);
	port_tx(h, 1, ud_packet(0, 5, 1, 5, 64));
	wait_for(at_its_end);
	settle();
	CHECK_EQ(packets_sent(0) + packets_sent(1), 16);
	CHECK_EQ(sw->port[2].counter[CNT_XMIT_DISCARD] +
			 switch_node(1)->port[3].counter[CNT_XMIT_DISCARD],
		 1);
}

/* Each switch sends three copies of each packet. */
static void multicast_storm_ends(void)
{
	struct hca *h = two_switches("s0.2-s1.2,s0.3-s1.3,s0.4-s1.4,s0.5-s1.5");
	u32 live = packets_live(), most = live;
	u8 mft[64] = { [1] = 0x3c };
	int i;

	table_set(0, mft_set, mft);
	table_set(1, mft_set, mft);
	port_tx(h, 1, ud_packet(0, 0xc000, 1, 0xffffff, 64));
	for (i = 0; i < 50000 && packets_live() > live; i++) {
		loop_turn(false);
		if (packets_live() > most)
			most = packets_live();
	}
	CHECK_EQ(packets_live(), live);
	CHECK(most > 1000);
	CHECK(most < 200000);
	CHECK(packets_sent(0) + packets_sent(1) > 1000);
}

static void switch_answers_performance_queries(void)
{
	struct hca *h = routed();
	struct packet *p = ud_packet(0, 9, 1, 1, 256);

	mad_fill(CLASS_PERF, T_GET, 0x12, 0);
	mad_in[MAD_DATA + 1] = 3;
	memcpy(p->data + REPLY, mad_in, 256);
	put32(p->data + 20, 0x80010000);
	put32(p->data + 24, 1);
	put32(p->data + p->len - 4, icrc_compute(p->data, p->len - 4));
	port_tx(h, 1, p);
	settle();
	CHECK_EQ(fake_rxs, 1);
	CHECK_EQ(fake_rx[0].data[0] >> 4, 0);
	CHECK_EQ(get16(fake_rx[0].data + 6), 9);
	CHECK_EQ(get32(fake_rx[0].data + 20), 0x80010000);
	CHECK_EQ(fake_rx[0].data[REPLY + MAD_METHOD], 0x81);
	CHECK_EQ(get16(fake_rx[0].data + REPLY + MAD_STATUS), 0);
	CHECK_EQ(fake_rx[0].data[REPLY + MAD_DATA + 1], 3);
}

static void lost_link_raises_128(void)
{
	struct hca *h = routed();

	sw->port[0].sm_lid = 1;
	close_ib(&fake_hca[1], 1);
	settle();
	CHECK_EQ(fake_rxs, 1);
	CHECK_EQ(fake_rx[0].hca, h->number);
	CHECK_EQ(get16(fake_rx[0].data + 2), 1);
	CHECK_EQ(get16(fake_rx[0].data + REPLY + MAD_DATA + 4), 128);
	CHECK_EQ(get16(fake_rx[0].data + REPLY + MAD_DATA + 10), 9);
}

static void repress_ends_the_switch_s_trap(void)
{
	struct hca *h = routed();
	struct packet *p = ud_packet(15, 9, 1, 0, 256);

	sw->port[0].sm_lid = 1;
	close_ib(&fake_hca[1], 1);
	settle();
	CHECK(sw->port[0].trap[TRAP_LINK_STATE].active);
	mad_fill(CLASS_SUBN_LID, 0x07, 0x02, 0);
	memcpy(mad_in + MAD_TID, fake_rx[0].data + REPLY + MAD_TID, 8);
	memcpy(p->data + REPLY, mad_in, 256);
	put32(p->data + p->len - 4, icrc_compute(p->data, p->len - 4));
	port_tx(h, 1, p);
	settle();
	CHECK(!sw->port[0].trap[TRAP_LINK_STATE].active);
}

static const struct tap_test tests[] = {
	TAP(node_info_by_directed_route),
	TAP(replies_have_good_crcs),
	TAP(directed_route_goes_through),
	TAP(directed_route_comes_back),
	TAP(bad_hops_are_dropped),
	TAP(broken_mads_are_dropped),
	TAP(combined_route_goes_both_ways),
	TAP(combined_route_may_end_at_the_switch),
	TAP(switch_info),
	TAP(forwarding_tables_and_their_ends),
	TAP(switch_has_no_hca_attributes),
	TAP(ports_are_set_one_by_one),
	TAP(disabling_a_port_drops_the_far_end),
	TAP(unicast_follows_the_table),
	TAP(multicast_goes_to_the_members_only),
	TAP(unicast_in_a_circle_ends),
	TAP(multicast_storm_ends),
	TAP(switch_answers_performance_queries),
	TAP(lost_link_raises_128),
	TAP(repress_ends_the_switch_s_trap),
};

int main(int argc, char **argv)
{
	return tap_run(tests, sizeof(tests) / sizeof(tests[0]), argc, argv);
}
