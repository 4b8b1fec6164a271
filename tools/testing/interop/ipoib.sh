#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Timeout: 1800
# Level: all
# Runs: guest --driver mthca --sm --packages "iperf3 fio"
# Runs: guest --driver tavor --sm --packages "iperf3 fio"
#
# Tests IP over InfiniBand between the two ports of one HCA, and protocols that use it. By hand,
# with either driver:
#   tools/testing/vm/run --driver tavor --sm --packages "iperf3 fio" -- \
#     tools/testing/interop/ipoib.sh [test_NAME...]

# shellcheck source=SCRIPTDIR/ipoib_ports.bash
. "$(dirname "$0")/ipoib_ports.bash"

TEST_SECONDS=300

test_interfaces_come_up() {
	set_up
	ip -d addr show "$NEAR"
	far ip -d addr show "$FAR"
}

test_ping() {
	set_up
	ping -c 10 -i 0.2 "$THERE" | tee "$TEST_DIR/ping"
	grep -q ' 0% packet loss' "$TEST_DIR/ping"
}

test_ping_of_a_full_datagram_and_of_fragments() {
	set_up
	ping -c 5 -i 0.2 -M "do" -s 2016 "$THERE"
	ping -c 5 -i 0.2 -s 20000 "$THERE"
}

test_ping_ipv6_and_its_multicast() {
	set_up
	ping -c 3 -I "$NEAR" "$(far ip -6 -o addr show dev "$FAR" scope link |
		awk '{ sub("/.*", "", $4); print $4 }')"
	ping -c 3 -I "$NEAR" ff02::1
}

test_tcp_in_datagram_mode() {
	set_up
	iperf -n 20M
}

test_udp_in_datagram_mode() {
	set_up
	iperf -u -b 5M -t 3
}

test_rping() {
	set_up
	cm_pair "rping -s -a $THERE -C 50 -v" "rping -c -a $THERE -C 50 -v"
}

test_ucmatose() {
	set_up
	cm_pair "ucmatose -b $THERE -C 20" "ucmatose -s $THERE -C 20"
}

test_udaddy() {
	set_up
	cm_pair "udaddy -b $THERE" "udaddy -s $THERE"
}

test_mckey() {
	set_up
	far timeout 60 mckey -b "$THERE" -m 224.0.0.77 -C 20 >"$TEST_DIR/server" 2>&1 &
	sleep 3
	mckey -b "$HERE" -m 224.0.0.77 -s -C 20
	wait $! || { cat "$TEST_DIR/server"; fail "the receiver failed"; }
}

# The second half of cmtime connects queue pairs that do not exist, with invented numbers. The
# connection manager treats a second connection to the same number of one HCA as stale. Both sides
# share the HCA here, so they must invent different numbers (-q).
test_cmtime() {
	set_up
	cmtime_pair "-q 100000" "-q 200000"
}

test_rstream() {
	set_up
	cm_pair "rstream -b $THERE -I 20 -S 16384 -C 20" "rstream -s $THERE -I 20 -S 16384 -C 20"
}

test_rdma_client_and_server() {
	set_up
	cm_pair "rdma_server" "rdma_client -s $THERE"
}

test_perftest_with_the_connection_manager() {
	set_up
	cm_pair "ib_send_bw -R -F -n 100 -d $(device) -i 2" \
		"ib_send_bw -R -F -n 100 -d $(device) -i 1 $THERE"
	cm_pair "ib_write_bw -R -F -n 100 -d $(device) -i 2" \
		"ib_write_bw -R -F -n 100 -d $(device) -i 1 $THERE"
}

test_connected_mode_has_the_largest_mtu() {
	set_up
	mtu_is 2044
	mode connected
	mtu_is "$(cm_mtu)"
}

test_ping_of_one_full_message_in_connected_mode() {
	set_up
	mode connected
	ping -c 5 -i 0.2 -M "do" -s $(($(cm_mtu) - 28)) "$THERE" | tee "$TEST_DIR/ping"
	grep -q ' 0% packet loss' "$TEST_DIR/ping"
	ping -c 5 -i 0.2 -s 56 "$THERE"
	ping -c 3 -I "$NEAR" ff02::1
}

test_tcp_in_connected_mode() {
	set_up
	mode connected
	iperf -n 50M
	iperf -n 20M -R
}

test_udp_in_connected_mode() {
	set_up
	mode connected
	iperf -u -b 20M -l 60000 -t 3
}

test_datagram_mode_again() {
	set_up
	mode connected
	mode datagram
	mtu_is 2044
	ping -c 3 -i 0.2 -M "do" -s 2016 "$THERE"
	iperf -n 5M
}

test_opensm_reports_no_error() {
	opensm_has_no_error
}

test_the_interfaces_go() {
	set_up
	pair_down
}

# shellcheck disable=SC2034 # for ipoib_pair.bash; with ib_mthca it is all that IPoIB can
[ "$DRIVER" != mthca ] || CM_MTU=65520
run_tests "$@"
