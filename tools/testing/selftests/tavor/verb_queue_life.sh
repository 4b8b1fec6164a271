#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --driver tavor
# Kernels: 6.12 debug
# Timeout: 300
# Level: ci
#
# Tests that the device can be unbound, or fail, while a process has requests in a verb queue. The
# process is notified, the unbind does not wait for it, and the module stays loaded until the
# process has closed the queue. By hand:
#   tools/testing/vm/run --driver tavor -- tools/testing/selftests/tavor/verb_queue_life.sh

# shellcheck source=SCRIPTDIR/faults.bash
. "$(dirname "$0")/faults.bash"

PROGRAM=${TEST_BIN:-$TREE/build/guest/tavor}/verb_queue

# holds: starts a process with queued requests; its output is in $TEST_DIR/holder
holds() {
	bound || bind
	until_true 20 prints rdma_devices
	model_set 0 latency_op RST2INIT_QPEE=1s
	"$PROGRAM" hold >"$TEST_DIR/holder" &
	HOLDER=$!
	until_true 60 grep -q holding "$TEST_DIR/holder"
	grep -qx '256 requests' "$TEST_DIR/holder"
}

# told: the process has read all its completions
told() {
	until_true 60 grep -qx over "$TEST_DIR/holder"
	model_set 0 latency_op ''
	cat "$TEST_DIR/holder"
	grep -qx 'read: Input/output error, poll: HUP' "$TEST_DIR/holder"
}

ends() {
	kill "$HOLDER"
	until_true 20 ended "$HOLDER"
}

test_unbind_does_not_wait_for_the_process() {
	local since
	since=$(mark)
	holds
	unbind
	told
	nothing_left "$since"
	ends
}

test_the_module_stays_until_the_queue_is_closed() {
	holds
	unbind
	told
	if rmmod ib_tavor 2>"$TEST_DIR/rmmod"; then
		fail "it went under an open queue"
	fi
	grep -q 'in use' "$TEST_DIR/rmmod"
	ends
	until_true 20 rmmod ib_tavor
	reload
}

test_a_device_that_fails_says_so_by_the_queue() {
	local since
	since=$(mark)
	holds
	buffer
	until_true 60 said "$since" 'device has failed'
	sleep 1
	unbind
	told
	grep -q 'lost some' "$TEST_DIR/holder"
	nothing_left "$since"
	ends
	usable
}

run_tests "$@"
