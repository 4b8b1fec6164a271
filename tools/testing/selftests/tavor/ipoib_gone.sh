#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --driver tavor --sm --modules tavor_bus_error --packages iperf3
# Timeout: 1800
# Guest: own
# Level: all
#
# Tests that the device can go while IPoIB carries traffic on it and opensm runs: by an unbind, a
# failure, an error of the PCI bus, the removal of the module and, last, of the function. All but
# the last come back, and IPoIB carries traffic again. By hand:
#   tools/testing/vm/run --driver tavor --sm --modules tavor_bus_error --packages iperf3 -- \
#     tools/testing/selftests/tavor/ipoib_gone.sh [test_NAME...]

# shellcheck disable=SC2034 # for faults.bash
RECOVERIES=6
# shellcheck source=SCRIPTDIR/life.bash
. "$(dirname "$0")/life.bash"
# shellcheck source=SCRIPTDIR/../../interop/ipoib_ports.bash
. "$(dirname "$0")/../../interop/ipoib_ports.bash"

TEST_SECONDS=300
TRAFFIC=

# transferred: packets that the near interface has sent
transferred() {
	cat "/sys/class/net/$NEAR/statistics/tx_packets"
}

# flows: more packets than ARP and the connection of TCP need
flows() {
	[ "$(transferred)" -gt "$BEFORE" ]
}

# traffic_begins: opensm, IPoIB on both ports, and a transfer that would take an hour
traffic_begins() {
	sm_restart
	modprobe ib_ipoib
	until_true 30 prints interface 1
	until_true 30 prints interface 2
	pair_up "$(interface 1)" "$(interface 2)"
	far iperf3 -s -D
	until_true 20 far_listening 5201
	BEFORE=$(($(transferred) + 200))
	iperf3 -c "$THERE" -t 3600 >"$TEST_DIR/transfer" 2>&1 &
	TRAFFIC=$!
	until_true 30 flows || fail "no traffic: $(cat "$TEST_DIR/transfer")"
}

no_interface() {
	! prints interface 1
}

# traffic_ends: the interfaces have gone with their device, and what used them ends
traffic_ends() {
	until_true 30 no_interface || fail "an interface is left: $(ip -br link)"
	ip netns pids far | xargs -r kill
	kill "$TRAFFIC" 2>/dev/null || :
	until_true 60 ended "$TRAFFIC" || fail "the transfer hangs: $(cat "/proc/$TRAFFIC/stack")"
	ip netns del far
	rm /run/ipoib
	pkill -KILL -x opensm || :
	sm_away
	modprobe -r ib_ipoib
}

# traffic_again: what traffic_begins began works again, and ends in order
traffic_again() {
	traffic_begins
	kill "$TRAFFIC"
	until_true 60 ended "$TRAFFIC"
	pair_down
	sm_away
}

back() {
	said "$1" 'recovery: the device is back' && prints rdma_devices
}

# afresh: a device that no subnet manager has configured yet
afresh() {
	sm_away
	reload
}

no_leak() {
	! said "$1" 'leaked|still in use|still the hardware' || fail "$(messages_since "$1")"
}

test_unbound() {
	local since
	afresh
	since=$(mark)
	traffic_begins
	unbind_within 30
	traffic_ends
	nothing_left "$since"
	bind
	until_true 20 prints rdma_devices
	traffic_again
}

test_failed() {
	local since
	afresh
	since=$(mark)
	traffic_begins
	catastrophe
	until_true 60 back "$since" || fail "not back: $(messages_since "$since")"
	# The recovered device has interfaces too, in the guest's namespace.
	modprobe -r ib_ipoib
	traffic_ends
	traffic_again
	no_leak "$since"
}

test_an_error_of_the_bus() {
	local since parameters=/sys/module/tavor_bus_error/parameters
	afresh
	since=$(mark)
	traffic_begins
	echo frozen >"$parameters/report"
	[ "$(<"$parameters/verdict")" = "need reset" ]
	sleep 2
	# The reset of its slot takes the old device away, and registers a new one.
	echo reset >"$parameters/report"
	[ "$(<"$parameters/verdict")" = recovered ]
	echo resume >"$parameters/report"
	until_true 60 back "$since" || fail "not back: $(messages_since "$since")"
	modprobe -r ib_ipoib
	traffic_ends
	traffic_again
	no_leak "$since"
}

test_the_module_goes() {
	local since pid
	afresh
	since=$(mark)
	rmmod tavor_bus_error
	traffic_begins
	rmmod ib_tavor &
	pid=$!
	until_true 30 ended "$pid" || fail "rmmod hangs: $(cat "/proc/$pid/stack")"
	traffic_ends
	nothing_left "$since"
	driver_load
	recoveries "$RECOVERIES"
	until_true 20 prints rdma_devices
	traffic_again
}

# This is the last test: the function does not come back in this guest.
test_the_function_is_removed() {
	local since
	afresh
	since=$(mark)
	traffic_begins
	model '{"cmd":"remove","hca":0}' | grep -q '"ok":true'
	# The next command, or the next poll of the error buffer, notices it.
	until_true 60 failed "$since"
	unbind_within 30
	traffic_ends
	nothing_left "$since"
}

run_tests "$@"
