// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/* Cables: the destination of packets, pulled and bad cables, and valid values of the option. */
#include <time.h>
#include <unistd.h>

#include "fabric_fakes.h"

static void set_lmc(struct hca *h, unsigned int port, u8 lmc)
{
	hca_port(h, port)->lid = 8 * port;
	hca_port(h, port)->lmc = lmc;
}

/* --- destinations --- */

static void own_lid_loops_back(void)
{
	struct hca *h = fabric_active();

	port_tx(h, 1, ud_packet(0, 1, 1, 5, 16));
	CHECK_EQ(fake_rxs, 0); /* never from within port_tx() */
	settle();
	CHECK_EQ(fake_rxs, 1);
	CHECK_EQ(fake_rx[0].port, 1);
	CHECK(!fake_rx[0].from_fw);
}

static void lids_within_lmc_loop_back(void)
{
	struct hca *h = fabric_active();

	set_lmc(h, 1, 2);
	set_lmc(h, 2, 0);
	port_tx(h, 1, ud_packet(0, 8, 8, 5, 16));
	port_tx(h, 1, ud_packet(0, 11, 8, 5, 16));
	port_tx(h, 1, ud_packet(0, 12, 8, 5, 16)); /* a LID of no port */
	settle();
	CHECK_EQ(fake_rxs, 2);
	CHECK_EQ(fake_rx[1].port, 1);
}

/* A LID that is not aligned to the LMC still owns the whole range. */
static void unaligned_lid_is_cut_off_by_lmc(void)
{
	struct hca *h = fabric_active();

	set_lmc(h, 1, 2);
	hca_port(h, 1)->lid = 10;
	port_tx(h, 1, ud_packet(0, 8, 10, 5, 16));
	port_tx(h, 1, ud_packet(0, 12, 10, 5, 16));
	settle();
	CHECK_EQ(fake_rxs, 1);
}

static void other_port_is_reached_over_the_cable(void)
{
	struct hca *h = fabric_active();

	port_tx(h, 1, ud_packet(0, 2, 1, 5, 16));
	settle();
	CHECK_EQ(fake_rxs, 1);
	CHECK_EQ(fake_rx[0].port, 2);
}

static void order_is_kept(void)
{
	struct hca *h = fabric_active();
	unsigned int i;

	for (i = 0; i < 200; i++)
		port_tx(h, 1, ud_packet(0, 2, 1, i, 16));
	settle();
	CHECK_EQ(fake_rxs, 200);
	for (i = 0; i < 200; i++)
		CHECK_EQ(get32(fake_rx[i].data + 12) & 0xffffff, i);
}

static void foreign_lid_is_dropped(void)
{
	struct hca *h = fabric_active();

	port_tx(h, 1, ud_packet(0, 77, 1, 5, 16));
	settle();
	CHECK_EQ(fake_rxs, 0);
}

static void multicast_reaches_both_sides(void)
{
	struct hca *h = fabric_active();

	port_tx(h, 1, ud_packet(0, 0xc001, 1, 0xffffff, 16));
	settle();
	CHECK_EQ(fake_rxs, 2);
	CHECK_EQ(fake_rx[0].port + fake_rx[1].port, 3);
}

static void permissive_lid_is_for_management_only(void)
{
	struct hca *h = fabric_active();

	port_tx(h, 1, ud_packet(0, 0xffff, 1, 5, 16));
	settle();
	CHECK_EQ(fake_rxs, 0);
	port_tx(h, 1, ud_packet(15, 0xffff, 0xffff, 0, 256));
	settle();
	CHECK_EQ(fake_rxs, 1);
	CHECK_EQ(fake_rx[0].port, 2);
}

/*
 * VL 15 is only for QP0, and no packet uses a VL above the operational ones, whatever SL2VL says.
 */
static void vls_that_cannot_be_used(void)
{
	struct hca *h = fabric_active();

	port_tx(h, 1, ud_packet(15, 2, 1, 5, 16));
	port_tx(h, 1, ud_packet(8, 2, 1, 5, 16));
	settle();
	CHECK_EQ(fake_rxs, 0);
	CHECK_EQ(hca_port(h, 1)->counter[CNT_XMIT_DISCARD], 2);
	port_tx(h, 1, ud_packet(15, 2, 1, 0, 16));
	port_tx(h, 1, ud_packet(7, 2, 1, 5, 16));
	hca_port(h, 1)->op_vls = 1;
	port_tx(h, 1, ud_packet(1, 2, 1, 5, 16));
	port_tx(h, 1, ud_packet(0, 2, 1, 5, 16));
	settle();
	CHECK_EQ(fake_rxs, 3);
	CHECK_EQ(hca_port(h, 1)->counter[CNT_XMIT_DISCARD], 3);
}

static void longer_than_the_neighbour_takes(void)
{
	struct hca *h = fabric_active();

	hca_port(h, 1)->neighbor_mtu = 2; /* 512 */
	port_tx(h, 1, ud_packet(0, 2, 1, 5, 512));
	port_tx(h, 1, ud_packet(0, 2, 1, 5, 1024));
	settle();
	CHECK_EQ(fake_rxs, 1);
	CHECK_EQ(hca_port(h, 1)->counter[CNT_XMIT_DISCARD], 1);
}

static void only_management_before_active(void)
{
	struct hca *h = fabric_up(1, "self");

	init_ib(h, 1);
	init_ib(h, 2);
	settle();
	port_bring(h, 1, 1, 0);
	port_bring(h, 2, 2, 0);
	port_tx(h, 1, ud_packet(0, 1, 1, 5, 16));
	port_tx(h, 1, ud_packet(0, 2, 1, 5, 16));
	settle();
	CHECK_EQ(fake_rxs, 0);
	port_tx(h, 1, ud_packet(15, 2, 1, 0, 256));
	settle();
	CHECK_EQ(fake_rxs, 1);
}

static void nothing_passes_a_link_that_is_down(void)
{
	struct hca *h = fabric_up(1, "self");

	port_tx(h, 1, ud_packet(15, 0xffff, 0xffff, 0, 256));
	settle();
	CHECK_EQ(fake_rxs, 0);
}

static void armed_port_becomes_active_by_a_data_packet(void)
{
	struct hca *h = fabric_up(1, "self");

	init_ib(h, 1);
	init_ib(h, 2);
	settle();
	port_bring(h, 2, 2, PORT_ARMED);
	hca_port(h, 2)->state = PORT_ARMED;
	port_bring(h, 1, 1, PORT_ACTIVE);
	port_tx(h, 1, ud_packet(0, 2, 1, 5, 16));
	settle();
	CHECK_EQ(port_state(h, 2), PORT_ACTIVE);
	CHECK_EQ(fake_rxs, 1);
}

static void packets_in_flight_die_with_the_link(void)
{
	struct hca *h = fabric_active();

	port_tx(h, 1, ud_packet(0, 2, 1, 5, 16));
	close_ib(h, 2);
	settle();
	CHECK_EQ(fake_rxs, 0);
}

static void dead_hca_neither_sends_nor_receives(void)
{
	struct hca *h = fabric_active();

	port_tx(h, 1, ud_packet(0, 2, 1, 5, 16));
	fake_is_dead = true;
	settle();
	port_tx(h, 1, ud_packet(0, 2, 1, 5, 16));
	settle();
	CHECK_EQ(fake_rxs, 0);
}

/* --- faults --- */

static struct hca *with_fault(const char *fault)
{
	struct hca *h = fabric_active();
	char why[OPT_WHY] = "";

	CHECK_EQ(wirefault_check(fault, why), 0);
	fake_wire_fault = fault;
	wire_option_changed(OPT_ALL, "packet_fault", NULL);
	return h;
}

static void send_some(struct hca *h, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		port_tx(h, 1, ud_packet(0, 2, 1, i, 64));
}

static unsigned int rx_qpn(unsigned int i)
{
	return get32(fake_rx[i].data + 12) & 0xffffff;
}

static void fault_drop_counts(void)
{
	struct hca *h = with_fault("drop,after=2,count=3");

	send_some(h, 10);
	settle();
	CHECK_EQ(fake_rxs, 7);
	CHECK_EQ(rx_qpn(1), 1);
	CHECK_EQ(rx_qpn(2), 5);
}

static void fault_drop_by_chance_is_repeatable(void)
{
	unsigned int first;
	struct hca *h = with_fault("drop,prob=0.5");

	send_some(h, 200);
	settle();
	first = fake_rxs;
	CHECK(first > 50 && first < 150);
	h = with_fault("drop,prob=0.5");
	send_some(h, 200);
	settle();
	CHECK_EQ(fake_rxs, first);
}

static void fault_matches(void)
{
	struct hca *h = with_fault("drop,port=1,vl=0,op=0x64,dlid=2,qp=3");

	send_some(h, 5);
	settle();
	CHECK_EQ(fake_rxs, 4);
	h = with_fault("drop,port=2");
	send_some(h, 5);
	settle();
	CHECK_EQ(fake_rxs, 5);
}

static void fault_reaches_looped_packets(void)
{
	struct hca *h = with_fault("drop,count=1");

	port_tx(h, 1, ud_packet(0, 1, 1, 5, 16));
	port_tx(h, 1, ud_packet(0, 1, 1, 6, 16));
	settle();
	CHECK_EQ(fake_rxs, 1);
	CHECK_EQ(rx_qpn(0), 6);
}

static void fault_dup(void)
{
	struct hca *h = with_fault("dup,count=1");

	send_some(h, 2);
	settle();
	CHECK_EQ(fake_rxs, 3);
	CHECK_EQ(rx_qpn(0), rx_qpn(1));
}

static void fault_reorder(void)
{
	struct hca *h = with_fault("reorder,count=1,time=1000000000");

	send_some(h, 3);
	settle();
	CHECK_EQ(fake_rxs, 3);
	CHECK_EQ(rx_qpn(0), 1);
	CHECK_EQ(rx_qpn(1), 0);
	CHECK_EQ(rx_qpn(2), 2);
}

static bool one_came(void)
{
	return fake_rxs >= 1;
}

static void fault_delay(void)
{
	struct hca *h = with_fault("delay,count=1,time=3000000");

	send_some(h, 1);
	settle();
	CHECK_EQ(fake_rxs, 0);
	wait_for(one_came);
	CHECK_EQ(fake_rxs, 1);
}

static void fault_corrupt_is_seen_by_the_next_port(void)
{
	struct hca *h = with_fault("corrupt,count=1");

	send_some(h, 2);
	settle();
	CHECK_EQ(fake_rxs, 1);
	CHECK_EQ(hca_port(h, 2)->counter[CNT_RCV_ERR], 1);
	CHECK_EQ(hca_port(h, 2)->counter[CNT_SYMBOL], 1);
}

static void fault_damage_breaks_the_icrc(void)
{
	struct hca *h = with_fault("damage,count=1");
	struct packet *p;

	send_some(h, 1);
	settle();
	CHECK_EQ(fake_rxs, 1);
	p = packet_alloc();
	p->len = fake_rx[0].len;
	memcpy(p->data, fake_rx[0].data, p->len);
	CHECK(!packet_icrc_ok(p));
	packet_put(p);
}

static void fault_refuses_nonsense(void)
{
	static const char *const bad[] = {
		"lose",	     "drop,prob=2", "drop,port",       "drop,color=3",
		"drop,qp=x", "dup,prob=-1", "drop,op=99999999"
	};
	char why[OPT_WHY];
	unsigned int i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		why[0] = 0;
		CHECK_EQ(wirefault_check(bad[i], why), -1);
		CHECK(why[0]);
	}
}

static void cleared_fault_ends(void)
{
	struct hca *h = with_fault("drop");

	send_some(h, 1);
	fake_wire_fault = "";
	wire_option_changed(OPT_ALL, "packet_fault", NULL);
	send_some(h, 1);
	settle();
	CHECK_EQ(fake_rxs, 1);
}

/* --- cables --- */

static void pulled_cable_comes_back(void)
{
	struct hca *h = fabric_active();
	char why[OPT_WHY];

	fake_unplug = "2";
	CHECK_EQ(wire_check_unplug("2", why), 0);
	wire_option_changed(OPT_ALL, "unplug", NULL);
	settle();
	CHECK_EQ(port_state(h, 1), PORT_DOWN);
	CHECK_EQ(hca_port(h, 1)->counter[CNT_DOWNED], 1);
	CHECK_EQ(hca_port(h, 1)->phys, PHYS_POLLING);
	fake_unplug = "";
	wire_option_changed(OPT_ALL, "unplug", NULL);
	settle();
	CHECK_EQ(port_state(h, 1), PORT_INIT);
	CHECK_EQ(wire_check_unplug("3", why), -1);
}

static void two_hcas_by_cable(void)
{
	struct hca *h = fabric_up(2, "0.1-1.2");

	init_ib(h, 1);
	init_ib(&fake_hca[1], 2);
	settle();
	CHECK_EQ(port_state(h, 1), PORT_INIT);
	CHECK_EQ(port_state(&fake_hca[1], 2), PORT_INIT);
	CHECK_EQ(port_state(h, 2), PORT_DOWN);
	CHECK(wire_peer(hca_port(h, 1)) == hca_port(&fake_hca[1], 2));
	port_tx(h, 1, ud_packet(15, 0xffff, 0xffff, 0, 256));
	settle();
	CHECK_EQ(fake_rxs, 1);
	CHECK_EQ(fake_rx[0].hca, 1);
}

static void self_cables_each_hca(void)
{
	struct hca *h = fabric_up(2, "self");

	CHECK(wire_peer(hca_port(h, 1)) == hca_port(h, 2));
	CHECK(wire_peer(hca_port(&fake_hca[1], 1)) == hca_port(&fake_hca[1], 2));
}

static void none_means_no_link(void)
{
	struct hca *h = fabric_up(1, "none");

	init_ib(h, 1);
	settle();
	CHECK_EQ(port_state(h, 1), PORT_DOWN);
	CHECK(!wire_peer(hca_port(h, 1)));
}

static void cable_grammar(void)
{
	static const char *const good[] = {
		"self",	    "none", "switch", "0.1-0.2", "0.1-1.1,0.2-s0.3", "0.1-unix:/tmp/x",
		"s0.1-s1.2"
	};
	static const char *const bad[] = { "",		"loop",		  "0.1",     "0.1-",
					   "0.1-0.2,",	"0.0-0.1",	  "a.1-0.2", "0.1-0.2x",
					   "0.1-unix:", "0.1-0.2;0.1-0.2" };
	char why[OPT_WHY];
	unsigned int i;

	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		CHECK_EQ(wire_check_cables(good[i], why), 0);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		why[0] = 0;
		CHECK_EQ(wire_check_cables(bad[i], why), -1);
		CHECK(why[0]);
	}
}

/* wire_new_all() prints errors to stderr, so only its status is checked. */
static void cables_that_cannot_be(void)
{
	static const char *const bad[] = { "0.3-0.1",	       "1.1-0.1",   "0.1-0.1",
					   "0.1-0.2,0.1-s0.1", "0.1-s0.99", "0.1-s77.1" };
	unsigned int i;

	fabric_up(1, "none");
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		wire_delete_all();
		fake_cable = bad[i];
		CHECK(wire_new_all() != 0);
	}
}

/* --- between processes (here: both ends of a socket in one process) --- */

static char socket_path[64], socket_cable[200];

static bool both_init(void)
{
	return port_state(&fake_hca[0], 1) == PORT_INIT && port_state(&fake_hca[1], 1) == PORT_INIT;
}

static bool both_down(void)
{
	return port_state(&fake_hca[0], 1) == PORT_DOWN && port_state(&fake_hca[1], 1) == PORT_DOWN;
}

static struct hca *remote_up(void)
{
	struct hca *h;

	snprintf(socket_path, sizeof(socket_path), "/tmp/test_wire.%d", (int)getpid());
	snprintf(socket_cable, sizeof(socket_cable), "0.1-unix:%s,1.1-unix:%s", socket_path,
		 socket_path);
	h = fabric_up(2, socket_cable);
	init_ib(h, 1);
	init_ib(&fake_hca[1], 1);
	wait_for(both_init);
	CHECK(both_init());
	return h;
}

static void remote_cable_carries_packets(void)
{
	struct hca *h = remote_up();
	unsigned int i;

	port_tx(h, 1, ud_packet(15, 0xffff, 0xffff, 0, 256));
	wait_for(one_came);
	CHECK_EQ(fake_rxs, 1);
	CHECK_EQ(fake_rx[0].hca, 1);
	CHECK_EQ(fake_rx[0].len, 8 + 12 + 8 + 256 + 4);
	fake_rxs = 0;
	for (i = 0; i < 2000; i++) /* more than the socket accepts at once */
		port_tx(h, 1, ud_packet(15, 0xffff, i, 0, 256));
	for (i = 0; i < 1000 && fake_rxs < 2000; i++)
		loop_turn(false);
	CHECK_EQ(fake_rxs, 2000);
	CHECK_EQ(get16(fake_rx[1999 % FAKE_RX].data + 6), 1999);
}

/* The remote side does not read while the loop does not run. */
static void remote_cable_that_is_stuck_discards(void)
{
	struct hca *h = remote_up();
	u32 before = packets_live();
	unsigned int i, discards;

	for (i = 0; i < IN_FLIGHT_MAX; i++)
		port_tx(h, 1, ud_packet(15, 0xffff, i, 0, 256));
	discards = hca_port(h, 1)->counter[CNT_XMIT_DISCARD];
	CHECK(discards > 0);
	CHECK(packets_live() - before <= IN_FLIGHT_MAX / 2);
	for (i = 0; i < 1000 && fake_rxs + discards < IN_FLIGHT_MAX; i++)
		loop_turn(false);
	CHECK_EQ(fake_rxs + discards, IN_FLIGHT_MAX);
	CHECK_EQ(packets_live(), before);
}

static void remote_cable_follows_both_ports(void)
{
	struct hca *h = remote_up();

	close_ib(&fake_hca[1], 1);
	wait_for(both_down);
	CHECK(both_down());
	init_ib(&fake_hca[1], 1);
	wait_for(both_init);
	CHECK(both_init());
	hca_port(h, 1)->phys = PHYS_POLLING; /* the link restarts */
	wire_update(hca_port(h, 1));
	CHECK_EQ(port_state(h, 1), PORT_DOWN);
	wait_for(both_init);
	CHECK(both_init());
	CHECK_EQ(hca_port(&fake_hca[1], 1)->counter[CNT_DOWNED], 1);
	wire_delete_all();
	CHECK(access(socket_path, F_OK));
}

static const struct tap_test tests[] = {
	TAP(own_lid_loops_back),
	TAP(lids_within_lmc_loop_back),
	TAP(unaligned_lid_is_cut_off_by_lmc),
	TAP(other_port_is_reached_over_the_cable),
	TAP(order_is_kept),
	TAP(foreign_lid_is_dropped),
	TAP(multicast_reaches_both_sides),
	TAP(permissive_lid_is_for_management_only),
	TAP(vls_that_cannot_be_used),
	TAP(longer_than_the_neighbour_takes),
	TAP(only_management_before_active),
	TAP(nothing_passes_a_link_that_is_down),
	TAP(armed_port_becomes_active_by_a_data_packet),
	TAP(packets_in_flight_die_with_the_link),
	TAP(dead_hca_neither_sends_nor_receives),
	TAP(fault_drop_counts),
	TAP(fault_drop_by_chance_is_repeatable),
	TAP(fault_matches),
	TAP(fault_reaches_looped_packets),
	TAP(fault_dup),
	TAP(fault_reorder),
	TAP(fault_delay),
	TAP(fault_corrupt_is_seen_by_the_next_port),
	TAP(fault_damage_breaks_the_icrc),
	TAP(fault_refuses_nonsense),
	TAP(cleared_fault_ends),
	TAP(pulled_cable_comes_back),
	TAP(two_hcas_by_cable),
	TAP(self_cables_each_hca),
	TAP(none_means_no_link),
	TAP(cable_grammar),
	TAP(cables_that_cannot_be),
	TAP(remote_cable_carries_packets),
	TAP(remote_cable_that_is_stuck_discards),
	TAP(remote_cable_follows_both_ports),
};

int main(int argc, char **argv)
{
	return tap_run(tests, sizeof(tests) / sizeof(tests[0]), argc, argv);
}
