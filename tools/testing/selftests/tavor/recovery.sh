#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --driver tavor --sm --modules vrb_audit
# Kernels: 6.12
# Timeout: 2400
# Guest: own
# Level: all
#
# Tests that a device that fails recovers by itself, however it failed and whoever uses it.
# Processes get the fatal event and end, and kernel clients are removed and added again. A device
# that fails repeatedly recovers after longer and longer intervals, and in the end only on request
# of devlink. An unbind during a recovery does not wait for it. By hand:
#   tools/testing/vm/run --driver tavor --sm --modules vrb_audit -- \
#     tools/testing/selftests/tavor/recovery.sh [test_NAME...]

RECOVERIES=6
# shellcheck source=SCRIPTDIR/life.bash
. "$(dirname "$0")/life.bash"

TEST_SECONDS=300

reporter() {
	devlink health show "pci/$(function_address)" reporter fatal
}

# recover: requests a recovery through devlink
recover() {
	devlink health recover "pci/$(function_address)" reporter fatal
}

# reporter_says TEXT...: devlink shows this for the reporter
reporter_says() {
	reporter | grep -qE "$*"
}

# back MARK [N]: the device has recovered N times since MARK, and works
back() {
	[ "$(messages_since "$1" | grep -c 'recovery: the device is back')" = "${2:-1}" ] &&
		reporter_says 'state healthy' && prints rdma_devices && ibv_devinfo >/dev/null
}

# comes_back MARK: the device has failed since MARK, and recovers
comes_back() {
	until_true 40 back "$1" || fail "it does not come back: $(messages_since "$1")"
	failed "$1" || fail "it has not failed"
}

# Nothing is left from before the failure, and a process can create all objects again.
serves() {
	! said "$1" 'leaked|still in use|still the hardware' ||
		fail "something was left behind: $(messages_since "$1")"
	"$PROGRAM" hold >"$TEST_DIR/afterwards" &
	until_true 30 grep -q holding "$TEST_DIR/afterwards"
	kill $!
	wait $!
}

# patient: loads the driver again, with a command timeout of one second
patient() {
	! loaded vrb_audit || rmmod vrb_audit
	sm_away
	reload cmd_timeout_ms=1000 "$@"
}

test_each_kind_of_failure() {
	local since kind
	patient
	for kind in catastrophe buffer hang overflow lost stuck; do
		patient
		since=$(mark)
		case $kind in
		catastrophe | buffer) "$kind" ;;
		hang) model '{"cmd":"hang","hca":0}' ;;
		overflow)
			model '{"cmd":"event","hca":0,"type":15,"subtype":0,"data":[0,0,1,0]}'
			;;
		lost) one_fault drop HW2SW_CQ 1 ;;
		stuck) one_fault go_stuck SW2HW_CQ 1 ;;
		esac
		# The failure is only noticed when a command is issued.
		"$PROGRAM" hold >"$TEST_DIR/holder" 2>&1 &
		sleep 2
		kill $! 2>/dev/null || :
		until_true 20 ended $! || fail "the process hangs"
		comes_back "$since"
		faults_off
		serves "$since"
	done
}

test_the_report_has_the_error_buffer() {
	local since
	patient
	since=$(mark)
	buffer
	comes_back "$since"
	devlink health dump show "pci/$(function_address)" reporter fatal >"$TEST_DIR/dump"
	cat "$TEST_DIR/dump"
	grep -q 'catastrophic error' "$TEST_DIR/dump" || fail "it does not say why"
	grep -q "$BUFFER" "$TEST_DIR/dump" || fail "the error buffer is not in it"
	reporter_says 'error 1 recover 1' || fail "$(reporter)"
}

test_processes_during_a_recovery() {
	local since watcher
	patient
	since=$(mark)
	stdbuf -oL ibv_asyncwatch >"$TEST_DIR/events" &
	watcher=$!
	processes 3 hold
	local holders=$PIDS
	processes 2 churn
	catastrophe
	comes_back "$since"
	until_true 10 grep -qi 'fatal' "$TEST_DIR/events" || fail "no fatal event"
	PIDS+=" $holders"
	processes_end TERM
	kill "$watcher" 2>/dev/null || :
	until_true 10 ended "$watcher" || fail "the watcher hangs"
	# uverbs itself refuses a detach from a removed device.
	absent '(destroy|dereg|dealloc)[^:]*: ' "$TEST_DIR"/process-hold-*
	serves "$since"
}

test_a_pingpong_during_a_recovery() {
	local since
	patient
	sm_restart
	since=$(mark)
	endless_pingpong
	sleep 1
	catastrophe
	comes_back "$since"
	processes_end TERM
	serves "$since"
	sm_anew
	pair "ibv_rc_pingpong -i 1 -n 100" "ibv_rc_pingpong -i 2 -n 100"
}

ipoib() {
	local path
	for path in /sys/class/net/*/device/infiniband; do
		[ ! -e "$path" ] || basename "$(dirname "$(dirname "$path")")"
	done
}

any_running() {
	ip -br link | grep -q '^ib.*LOWER_UP'
}

ipoib_up() {
	local name
	until_true 20 prints ipoib
	for name in $(ipoib); do
		ip link set "$name" up
	done
	until_true 30 any_running || fail "IPoIB does not run: $(ip -br link)"
}

test_under_IPoIB_and_opensm() {
	local since
	patient
	sm_restart
	modprobe ib_ipoib
	ipoib_up
	since=$(mark)
	catastrophe
	comes_back "$since"
	sm_anew
	ipoib_up
	rmmod ib_ipoib
	serves "$since"
}

# fails_later ROUND: the device fails after a number of commands
fails_later() {
	model_set 0 fault "catas,on=cmd,after=$((50 + 97 * $1)),count=1"
}

recovers() {
	said "$1" 'recovery: the device is back' || comes_back "$1"
}

test_a_kernel_client_with_requests_in_every_state() {
	local since
	patient softirq_objects=1
	since=$(mark)
	audit_rounds fails_later recovers
	until_true 40 reporter_says 'state healthy'
	serves "$since"
}

waited() {
	messages_since "$1" | sed -nE 's/.*recovery: number .* in ([0-9]+) s.*/\1/p' | paste -sd' '
}

gave_up() {
	said "$1" 'given up after [0-9]+ in a row'
}

test_a_device_that_fails_in_each_recovery() {
	local since
	patient
	recoveries 4
	since=$(mark)
	fault status on=cmd op=INIT_HCA status=1
	catastrophe
	until_true 60 gave_up "$since" || fail "$(messages_since "$since")"
	[ "$(waited "$since")" = "1 2 4" ] || fail "it waited $(waited "$since") s"
	said "$since" 'by hand: devlink health recover' || fail "it does not say how"
	reporter_says 'state error' || fail "$(reporter)"
	[ -z "$(rdma_devices)" ]
	! recover || fail "it recovers from a fault that stays"
	faults_off
	recover
	reporter_says 'state healthy' || fail "$(reporter)"
	until_true 20 prints rdma_devices
	serves "$since"
}

test_a_device_that_fails_after_each_recovery() {
	local since n
	patient
	recoveries 3
	since=$(mark)
	for n in 1 2 3; do
		catastrophe
		until_true 60 back "$since" "$n" || fail "$(messages_since "$since")"
	done
	catastrophe
	until_true 60 gave_up "$since" || fail "$(messages_since "$since")"
	[ "$(waited "$since")" = "1 2" ] || fail "it waited $(waited "$since") s"
	recover
	serves "$since"
	# Now the device counts as new.
	since=$(mark)
	catastrophe
	comes_back "$since"
	[ -z "$(waited "$since")" ] || fail "it waited $(waited "$since") s"
}

# recovered_twice MARK: the device has recovered twice since MARK, and works
recovered_twice() {
	[ "$(messages_since "$1" | grep -c 'recovery: the device is taken away')" = 2 ] &&
		reporter_says 'state healthy' && prints rdma_devices && ibv_devinfo >/dev/null
}

test_a_failure_during_a_recovery() {
	local since op
	for op in QUERY_FW SW2HW_EQ MAD_IFC RTR2RTS_QPEE; do
		patient
		since=$(mark)
		one_fault catas "$op" 1
		catastrophe
		until_true 60 recovered_twice "$since" ||
			fail "$op: $(messages_since "$since")"
		faults_off
		serves "$since"
	done
}

test_devlink_controls_the_recovery() {
	local since
	patient
	devlink health set "pci/$(function_address)" reporter fatal auto_recover false
	since=$(mark)
	catastrophe
	until_true 20 said "$since" 'by hand: devlink health recover' || fail "no word of it"
	sleep 3
	! said "$since" 'recovery: the device is' || fail "it recovers all the same"
	reporter_says 'state error' || fail "$(reporter)"
	ibv_devinfo || :
	unbind
	nothing_left "$since"
	bind
	until_true 20 prints rdma_devices
	devlink health set "pci/$(function_address)" reporter fatal auto_recover false
	since=$(mark)
	catastrophe
	until_true 20 said "$since" 'by hand: devlink health recover'
	recover
	reporter_says 'state healthy' || fail "$(reporter)"
	until_true 20 prints rdma_devices
	serves "$since"
}

# A reset that has begun must complete: nobody else would restore the configuration space.
test_unbind_during_a_recovery() {
	local since wait
	for wait in 0 0.1 0.3 0.6 1 1.2 1.3; do
		patient
		processes 2 churn
		since=$(mark)
		catastrophe
		until_true 20 failed "$since"
		sleep "$wait"
		unbind_within 20
		! said "$since" 'reset failed' || fail "$(messages_since "$since")"
		processes_end TERM
		nothing_left "$since"
		bind
		until_true 20 prints rdma_devices
	done
}

test_unbind_while_the_next_recovery_waits() {
	local since
	patient
	since=$(mark)
	fault status on=cmd op=INIT_HCA status=1
	catastrophe
	until_true 60 said "$since" 'in 4 s'
	unbind_within 3
	nothing_left "$since"
	faults_off
	bind
	until_true 20 prints rdma_devices
}

test_unload_during_a_recovery() {
	local since wait
	for wait in 0 0.5 1.1; do
		patient
		since=$(mark)
		catastrophe
		until_true 20 failed "$since"
		sleep "$wait"
		rmmod ib_tavor
		nothing_left "$since"
	done
	driver_load
}

# This is the last test: the function does not come back in this guest.
test_removal_during_a_recovery() {
	local since
	patient
	since=$(mark)
	fault status on=cmd op=INIT_HCA status=1
	catastrophe
	until_true 60 said "$since" 'in 2 s'
	model '{"cmd":"remove","hca":0}' | grep -q '"ok":true'
	until_true 60 said "$since" 'by hand:' || fail "$(messages_since "$since")"
	unbind_within 20
	nothing_left "$since"
}

run_tests "$@"
