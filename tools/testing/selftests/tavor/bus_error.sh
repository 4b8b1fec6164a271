#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --driver tavor --sm --modules tavor_bus_error
# Kernels: 6.12
# Timeout: 1200
# Guest: own
# Level: all
#
# Tests that the driver handles errors of the PCI bus. All pending requests complete at once, and
# the driver does not access the device until its slot has been reset. Then the device recovers as
# after any failure; if it does not, the driver reports that. By hand:
#   tools/testing/vm/run --driver tavor --sm --modules tavor_bus_error -- \
#     tools/testing/selftests/tavor/bus_error.sh [test_NAME...]

RECOVERIES=6
# shellcheck source=SCRIPTDIR/life.bash
. "$(dirname "$0")/life.bash"

TEST_SECONDS=300
PARAMETERS=/sys/module/tavor_bus_error/parameters

# report NAME [VERDICT]: reports this error to the driver; its answer must be VERDICT
report() {
	echo "$1" >"$PARAMETERS/report"
	[ -z "${2:-}" ] || [ "$(<"$PARAMETERS/verdict")" = "$2" ] ||
		fail "$1: the driver's verdict is '$(<"$PARAMETERS/verdict")'"
}

# report_within SECONDS NAME: reports in the background, so that a handler that hangs fails the test
report_within() {
	local pid
	(report "$2") &
	pid=$!
	until_true "$1" ended "$pid" || fail "$2 hangs: $(cat "/proc/$pid/stack")"
}

# error_buffer: prints the error buffer that devlink shows
error_buffer() {
	devlink health dump show "pci/$(function_address)" reporter fatal | grep -oE '[0-9a-f]{8}'
}

# masters: bus mastering of the function is on
masters() {
	local command
	command=$(od -An -tu2 -j4 -N2 "/sys/bus/pci/devices/$(function_address)/config")
	[ $((command & 4)) != 0 ]
}

reporter_says() {
	devlink health show "pci/$(function_address)" reporter fatal | grep -q "$1"
}

doorbells() {
	model '{"cmd":"stats","hca":0,"history":false}' | grep -o '"db_[a-z]*":[0-9]*'
}

# left_alone MARK: nothing recovers the device, not even a request to do so
left_alone() {
	local before
	before=$(doorbells)
	said "$1" 'PCI error: the device is stopped' || fail "no word of it: $(messages_since "$1")"
	failed "$1" || fail "the device has not failed"
	! masters || fail "it may write memory"
	until_true 10 reporter_says 'state error' || fail "devlink does not know of it"
	! devlink health recover "pci/$(function_address)" reporter fatal ||
		fail "it was recovered in a slot that is cut off"
	sleep 2
	! said "$1" 'recovery: the device is back' || fail "it recovers in a slot that is cut off"
	[ "$(doorbells)" = "$before" ] || fail "somebody rings its doorbells: $before, $(doorbells)"
	report cut
}

# back MARK: the device works, and nothing is left from before
back() {
	said "$1" 'recovery: the device is back' || fail "$(messages_since "$1")"
	! said "$1" 'leaked|still in use|still the hardware' || fail "$(messages_since "$1")"
	reporter_says 'state healthy' || fail "devlink does not know that it is back"
	usable
	"$PROGRAM" hold >"$TEST_DIR/afterwards" &
	until_true 30 grep -q holding "$TEST_DIR/afterwards"
	kill $!
	wait $!
}

# slot_is_reset MARK: after the reset of its slot the device works again
slot_is_reset() {
	report reset recovered
	report resume
	back "$1"
}

test_an_error_during_commands_and_traffic() {
	local since holders
	sm_restart
	since=$(mark)
	processes 2 hold
	holders=$PIDS
	processes 2 churn
	holders+=$PIDS
	endless_pingpong
	PIDS+=" $holders"
	# Commands are slow, and one is not answered.
	model_set 0 fault delay,on=cmd,prob=0.5,time=500ms
	one_fault drop HW2SW_CQ 3
	sleep 1
	report frozen 'need reset'
	processes_end TERM
	destroys_did_not_fail
	left_alone "$since"
	! error_buffer || fail "its registers have been read"
	faults_off
	slot_is_reset "$since"
	pkill -KILL -x opensm || :
	sm_away
}

test_an_error_that_is_not_fatal() {
	local since
	since=$(mark)
	processes 1 hold
	report nonfatal 'need reset'
	left_alone "$since"
	slot_is_reset "$since"
	processes_end TERM
}

test_repeated_errors() {
	local since n
	for n in 1 2 3; do
		since=$(mark)
		report frozen 'need reset'
		slot_is_reset "$since"
	done
	recoveries 2
	since=$(mark)
	report frozen 'need reset'
	report reset disconnect
	said "$since" 'given up after [0-9]+ in a row' || fail "$(messages_since "$since")"
	recoveries "$RECOVERIES"
	devlink health recover "pci/$(function_address)" reporter fatal
	back "$since"
}

test_a_slot_reset_after_which_the_device_does_not_come_up() {
	local since
	since=$(mark)
	processes 1 hold
	report frozen 'need reset'
	fault status on=cmd op=SYS_EN status=1
	report reset disconnect
	said "$since" 'slot has been reset, but the device is not back' ||
		fail "it does not say so: $(messages_since "$since")"
	said "$since" 'by hand: devlink health recover' || fail "it does not say what to do"
	[ -z "$(rdma_devices)" ] || fail "there is a device"
	reporter_says 'state error' || fail "devlink takes it for healthy"
	report permanent disconnect
	processes_end TERM
	report repaired
	unbind
	nothing_left "$since"
	faults_off
	usable
}

test_a_permanent_failure() {
	local since
	since=$(mark)
	processes 2 hold
	local holders=$PIDS
	processes 1 churn
	report frozen 'need reset'
	report permanent disconnect
	said "$since" 'permanent: the device does not come back' || fail "it does not say so"
	! devlink health recover "pci/$(function_address)" reporter fatal || fail "it comes back"
	PIDS+=" $holders"
	processes_end TERM
	destroys_did_not_fail
	unbind
	nothing_left "$since"
	report repaired
	usable
}

test_unbind_before_the_slot_is_reset() {
	local since
	since=$(mark)
	processes 1 hold
	report frozen 'need reset'
	unbind
	processes_end TERM
	nothing_left "$since"
	usable
}

# The handler does not wait longer for a device that is coming up than its layers take. The device
# may be in reset, when nobody may access its configuration space, so this test does not either.
test_an_error_during_a_recovery() {
	local since wait
	for wait in 0 0.3 0.8 1.2 1.6; do
		reload cmd_timeout_ms=1000
		since=$(mark)
		catastrophe
		until_true 20 failed "$since"
		sleep "$wait"
		report_within 30 nonfatal
		report reset recovered
		report resume
		back "$since"
	done
}

run_tests "$@"
