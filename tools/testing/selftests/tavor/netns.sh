#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Timeout: 600
# Guest: own
# Level: ci
# Runs: guest --driver tavor --sm --modules ib_softirq_server
# Kernels: 6.12 debug
# Runs: guest --driver mthca --sm
# Level: all
#
# Tests that the device can move to a network namespace and back. The move makes ib_core remove all
# its objects on the device and create them again. Afterwards traps of the firmware arrive and
# traffic flows. A server that uses the engine stops and starts again, and a process is told that
# its verb queue is gone. ib_mthca refuses to move, because it cannot take its contexts from
# processes, so it cannot have the fault. By hand:
#   tools/testing/vm/run --driver tavor --sm --modules ib_softirq_server -- \
#	tools/testing/selftests/tavor/netns.sh

# shellcheck source=SCRIPTDIR/verb_queue.bash
. "$(dirname "$0")/verb_queue.bash"

! loaded ib_softirq_server || rmmod ib_softirq_server

devices_here() {
	rdma dev show | grep -q .
}

# trap_of_the_firmware: opens and closes the issm device, which changes the port's CapabilityMask
trap_of_the_firmware() {
	timeout 5 sh -c 'exec </dev/infiniband/issm0; sleep 0.5'
	sleep 0.5
}

move_away_and_back() {
	rdma system set netns exclusive
	ip netns add blue
	rdma dev set "$(device)" netns blue
	ip netns exec blue rdma dev show | grep -q .
	ip netns del blue
	until_true 20 devices_here
	rdma system set netns shared
}

test_traps_before() {
	sm_away
	trap_of_the_firmware
}

test_the_device_moves_away_and_back() {
	loaded ib_tavor || skip "ib_mthca does not move"
	move_away_and_back
}

test_a_driver_without_disassociation_does_not_move() {
	local error
	! loaded ib_tavor || skip "ib_tavor moves"
	rdma system set netns exclusive
	ip netns add blue
	error=$(rdma dev set "$(device)" netns blue 2>&1) && fail "ib_mthca has moved"
	ip netns del blue
	rdma system set netns shared
	grep -q 'not supported' <<<"$error" || fail "$error"
}

test_a_trap_of_the_firmware_afterwards() {
	local since
	since=$(mark)
	trap_of_the_firmware
	if messages_since "$since" | grep -iE 'bug:|oops|general protection|warning:'; then
		fail "the kernel complains"
	fi
}

test_traffic_afterwards() {
	sm_restart
	until_true 60 any_port_active
	pair "ibv_rc_pingpong -n 50" "ibv_rc_pingpong -n 50"
}

# server NAME: prints a number of the server's status
server() {
	awk -v name="$1" '$1 == name { print $2 }' /sys/kernel/debug/ib_softirq_server/*/status
}

server_serves() {
	"$TREE/build/guest/vrb/conn_client" --qpn "$(server qpn)" --count 8 --at-a-time 4
	[ "$(server connected)" -ge 8 ] || fail "$(server connected) connections"
}

test_users_of_the_engine_are_gone_and_come_back() {
	local since
	loaded ib_tavor || skip "ib_mthca does not move"
	echo 1 >/sys/module/ib_tavor/parameters/softirq_objects
	load_own ib_softirq_server
	server_serves
	sm_away
	since=$(mark)
	holds
	# The requests that still wait take a long time otherwise, and the move waits for some.
	model_set 0 latency_op RST2INIT_QPEE=20ms
	move_away_and_back
	told
	ends
	[ "$(server connected)" = 0 ] || fail "the server has not been away"
	sm_restart
	until_true 60 any_port_active
	server_serves
	rmmod ib_softirq_server
	if said "$since" 'leaked|still in use|has left'; then
		fail "something was left behind"
	fi
}

test_a_second_time() {
	loaded ib_tavor || skip "ib_mthca does not move"
	sm_away
	move_away_and_back
	trap_of_the_firmware
	unbind
	bind
	until_true 20 prints rdma_devices
}

run_tests "$@"
