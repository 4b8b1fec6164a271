#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --driver tavor --sm
# Kernels: 6.12 debug
# Timeout: 600
# Guest: own
# Level: ci
#
# Tests that the device can move to a network namespace and back. The move makes ib_core remove all
# its objects on the device and create them again. Afterwards traps of the firmware arrive and
# traffic flows. By hand:
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
	move_away_and_back
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
	sm_away
	move_away_and_back
	trap_of_the_firmware
	unbind
	bind
	until_true 20 prints rdma_devices
}

run_tests "$@"
