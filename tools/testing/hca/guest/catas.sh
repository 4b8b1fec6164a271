#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --driver mthca --sm
# Timeout: 3600
# Guest: own
# Level: all
#
# Tests that ib_mthca recovers the function by a reset when the firmware fails or hangs. This takes
# minutes: the driver waits 60 s for one command and 10 s for each of twenty others. By hand:
#   tools/testing/vm/run --driver mthca --sm --timeout 3600 -- tools/testing/hca/guest/catas.sh

# shellcheck disable=SC2317 # the tests are called by name
# shellcheck source=SCRIPTDIR/../../interop/fabric.bash
. "$(dirname "$0")/../../interop/fabric.bash"

TEST_SECONDS=1500

# Everything works as after the first start: ports, a subnet manager's settings, traffic.
works_again() {
	sm_restart
	port_is ACTIVE 1 "$(device)"
	port_is ACTIVE 2 "$(device)"
	ibv_devinfo -v | grep -c PORT_ACTIVE
	pair "ibv_rc_pingpong -c -n 100 -i 2" "ibv_rc_pingpong -c -n 100 -i 1"
	pair "ibv_ud_pingpong -c -n 100" "ibv_ud_pingpong -c -n 100"
	query ' 0 ports have errors' ibqueryerrors
}

dead() {
	model '{"cmd":"stats","hca":0}' | grep -oE '"dead":[a-z]+'
}

test_error_buffer_makes_the_driver_start_again() {
	sm_away
	model '{"cmd":"catas","hca":0,"buffer":[50331648,1,2]}' | grep -q '"ok":true'
	[ "$(dead)" = '"dead":true' ]
	until_true 30 kernel_said 'Catastrophic error detected: uplink bus error'
	until_true 900 no_device
	until_true 300 prints rdma_devices
	[ "$(dead)" = '"dead":false' ]
	works_again
}

test_commands_of_hanging_firmware_end_and_a_reload_helps() {
	local status=0
	sm_away
	model '{"cmd":"hang","hca":0}' | grep -q '"ok":true'
	# fails after the driver's 60 s
	timeout 300 ibv_devinfo -v >"$TEST_DIR/query" 2>&1 || status=$?
	cat "$TEST_DIR/query"
	[ "$status" != 124 ] || fail "ibv_devinfo does not end"
	absent 'PORT_ACTIVE' "$TEST_DIR/query"
	modprobe -r ib_mthca
	no_device
	modprobe ib_mthca
	until_true 60 prints rdma_devices
	works_again
}

test_opensm_finds_no_fault() {
	opensm_has_no_error
}

run_tests "$@"
