#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Timeout: 600
# Guest: own
# Level: ci
# Runs: guest --driver tavor --sm
# Kernels: 6.12 debug
# Runs: guest --driver mthca --sm
# Level: all
#
# Tests that the device can move to a network namespace and back. The move makes ib_core remove all
# its objects on the device and create them again. Afterwards traps of the firmware arrive and
# traffic flows. ib_mthca refuses to move, because it cannot take its contexts from processes, so it
# cannot have the fault. By hand:
#   tools/testing/vm/run --driver tavor --sm -- tools/testing/selftests/tavor/netns.sh

# shellcheck source=SCRIPTDIR/faults.bash
. "$(dirname "$0")/faults.bash"

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
