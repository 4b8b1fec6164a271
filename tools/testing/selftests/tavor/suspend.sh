#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --driver tavor --modules tavor_awake
# Kernels: 6.12
# Timeout: 1200
# Guest: own
# Level: all
#
# Tests that the device is suspended and resumed with the machine while processes and kernel clients
# use it. All users see that the device is gone, and it returns afterwards. The guest does not
# really suspend, because it could not access its files afterwards. It executes all steps before
# that, which /sys/power/pm_test calls "core", and tavor_awake takes the configuration of the HCA
# away as the loss of power would. By hand:
#   tools/testing/vm/run --driver tavor --modules tavor_awake -- \
#     tools/testing/selftests/tavor/suspend.sh [test_NAME...]

RECOVERIES=6
# shellcheck source=SCRIPTDIR/life.bash
. "$(dirname "$0")/life.bash"

TEST_SECONDS=300

# lost: prints how often the HCA has lost its configuration
lost() {
	cat /sys/module/tavor_awake/parameters/lost
}

# sleeps KIND [LEVEL]: suspends to mem or disk, up to LEVEL of pm_test
sleeps() {
	local level=${2:-core} before
	before=$(lost)
	echo 1 >/sys/module/suspend/parameters/pm_test_delay
	echo "$level" >/sys/power/pm_test
	echo "$1" >/sys/power/state
	[ "$level" != core ] || [ "$(lost)" -gt "$before" ] || fail "the HCA has lost nothing"
}

reporter_says() {
	devlink health show "pci/$(function_address)" reporter fatal | grep -q "$1"
}

# back MARK: the device has been suspended since MARK, works again, and nothing is left from before
back() {
	said "$1" 'recovery: the device is back' || fail "$(messages_since "$1")"
	! said "$1" 'leaked|still in use|still the hardware' || fail "$(messages_since "$1")"
	! messages_since "$1" | grep 'should not be sleeping' || fail "registered too early"
	reporter_says 'state healthy' || fail "devlink takes it for failed"
	usable
	"$PROGRAM" hold >"$TEST_DIR/afterwards" &
	until_true 30 grep -q holding "$TEST_DIR/afterwards"
	kill $!
	wait $!
}

# orderly MARK: the suspend was not treated as a failure
orderly() {
	said "$1" 'stopped: suspend' || fail "$(messages_since "$1")"
	! failed "$1" || fail "a sleep is taken for a failure"
}

test_suspend_of_an_idle_device() {
	local since level
	for level in devices platform core; do
		since=$(mark)
		sleeps mem "$level"
		orderly "$since"
		back "$since"
	done
}

test_hibernation() {
	local since
	since=$(mark)
	sleeps disk
	orderly "$since"
	back "$since"
}

test_suspend_under_processes() {
	local since watcher
	stdbuf -oL ibv_asyncwatch >"$TEST_DIR/events" &
	watcher=$!
	processes 3 hold
	local holders=$PIDS
	processes 2 churn
	model_set 0 fault delay,on=cmd,prob=0.2,time=200ms
	since=$(mark)
	sleeps mem
	faults_off
	orderly "$since"
	until_true 10 grep -qi fatal "$TEST_DIR/events" || fail "no fatal event"
	PIDS+=" $holders"
	processes_end TERM
	# uverbs itself refuses a detach from a removed device.
	absent '(destroy|dereg|dealloc)[^:]*: ' "$TEST_DIR"/process-hold-*
	kill "$watcher" 2>/dev/null || :
	until_true 10 ended "$watcher" || fail "the watcher hangs"
	back "$since"
}

any_running() {
	ip -br link | grep -q '^ib.*LOWER_UP'
}

ipoib_up() {
	local path
	until_true 20 prints ip -o link show type ipoib
	for path in $(ip -br link | awk '/^ib/ { print $1 }'); do
		ip link set "${path%@*}" up
	done
	until_true 30 any_running || fail "IPoIB does not run: $(ip -br link)"
}

sm_anew() {
	pkill -KILL -x opensm || :
	sm_away
	sm_restart
}

test_under_IPoIB() {
	local since
	sm_restart
	modprobe ib_ipoib
	ipoib_up
	since=$(mark)
	sleeps mem
	orderly "$since"
	sm_anew
	ipoib_up
	rmmod ib_ipoib
	sm_away
	back "$since"
}

test_a_device_that_does_not_resume() {
	local since
	since=$(mark)
	fault status on=cmd op=SYS_EN status=1
	sleeps mem
	said "$since" 'recovery: the device did not come back' || fail "it does not say so"
	said "$since" 'by hand: devlink health recover' || fail "it does not say what to do"
	[ -z "$(rdma_devices)" ] || fail "there is a device"
	# Another suspend changes nothing.
	sleeps mem
	faults_off
	devlink health recover "pci/$(function_address)" reporter fatal
	back "$since"
}

test_suspend_during_a_recovery() {
	local since wait
	for wait in 0 0.3 0.8 1.2; do
		since=$(mark)
		catastrophe
		until_true 20 failed "$since"
		sleep "$wait"
		sleeps mem devices
		back "$since"
	done
}

test_suspend_of_a_failed_device() {
	local since
	recoveries 0
	since=$(mark)
	catastrophe
	until_true 20 said "$since" 'given up after [0-9]+ in a row'
	sleeps mem devices
	back "$since"
	recoveries "$RECOVERIES"
}

test_unbind_after_a_suspend() {
	local since
	sleeps mem devices
	since=$(mark)
	unbind
	nothing_left "$since"
	usable
}

run_tests "$@"
