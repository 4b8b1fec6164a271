#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --driver tavor
# Kernels: 6.12 debug
# Timeout: 900
# Level: ci
#
# Tests that the device can fail, hang or be unbound while processes have it open, hold objects and
# execute verbs. No process hangs, no destroy fails, nothing is left behind, and the device works
# again when it is bound again. By hand:
#   tools/testing/vm/run --driver tavor -- tools/testing/selftests/tavor/life.sh [test_NAME...]

# shellcheck source=SCRIPTDIR/life.bash
. "$(dirname "$0")/life.bash"

TEST_SECONDS=300

hang() {
	model '{"cmd":"hang","hca":0}' | grep -q '"ok":true'
}

# impatient: commands time out after a second
impatient() {
	[ "$(cat /sys/module/ib_tavor/parameters/cmd_timeout_ms)" = 1000 ] ||
		reload cmd_timeout_ms=1000
}

# has_failed MARK: the device has failed since MARK, or fails soon: a create that a killed process
# left behind may still time out
has_failed() {
	until_true 10 failed "$1" || fail "the device has not failed"
}

# bound_anew MARK: after an unbind nothing is left; bound again, the function works
bound_anew() {
	unbind
	nothing_left "$1"
	usable
	"$PROGRAM" hold >"$TEST_DIR/afterwards" &
	until_true 30 grep -q holding "$TEST_DIR/afterwards"
	kill $!
	wait $!
}

test_a_catastrophe_under_processes_that_hold_objects() {
	local since
	impatient
	since=$(mark)
	processes 3 hold
	buffer
	until_true 30 failed "$since"
	! "$PROGRAM" hold || fail "a failed device can be opened"
	processes_end TERM
	destroys_did_not_fail
	bound_anew "$since"
}

test_a_catastrophe_under_processes_that_churn() {
	local since
	since=$(mark)
	processes 4 churn
	buffer
	until_true 30 failed "$since"
	processes_end TERM
	bound_anew "$since"
}

test_a_catastrophe_and_processes_that_are_killed() {
	local since
	since=$(mark)
	processes 2 hold
	buffer
	until_true 30 failed "$since"
	processes_end KILL
	bound_anew "$since"
}

test_a_hanging_firmware_under_processes_that_hold_objects() {
	local since
	impatient
	since=$(mark)
	processes 3 hold
	hang
	processes_end TERM
	destroys_did_not_fail
	has_failed "$since"
	bound_anew "$since"
}

test_a_hanging_firmware_under_processes_that_churn() {
	local since
	impatient
	since=$(mark)
	processes 4 churn
	hang
	processes_end TERM
	has_failed "$since"
	bound_anew "$since"
}

test_a_hanging_firmware_and_processes_that_are_killed() {
	local since
	impatient
	since=$(mark)
	processes 2 churn
	hang
	processes_end KILL
	has_failed "$since"
	bound_anew "$since"
}

test_unbind_under_processes_that_hold_objects() {
	local since
	since=$(mark)
	processes 3 hold
	unbind
	nothing_left "$since"
	processes_end TERM
	usable
}

test_unbind_under_processes_that_churn() {
	local since
	since=$(mark)
	processes 4 churn
	unbind
	nothing_left "$since"
	processes_end TERM
	usable
}

test_unload_under_processes_that_hold_objects() {
	local since
	since=$(mark)
	processes 2 hold
	timeout 60 rmmod ib_tavor
	nothing_left "$since"
	processes_end TERM
	driver_load
	ibv_devinfo
}

test_unload_under_a_hanging_firmware() {
	local since
	impatient
	since=$(mark)
	processes 2 churn
	hang
	timeout 60 rmmod ib_tavor
	nothing_left "$since"
	processes_end TERM
	driver_load
	ibv_devinfo
}

run_tests "$@"
