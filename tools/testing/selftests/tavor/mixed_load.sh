#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --driver tavor --sm
# Kernels: 6.12
# Timeout: 4000
# Guest: own
# Level: all
#
# Tests that ten minutes of mixed load, with a failure of the device in the middle, end with the
# objects and the memory of the start. perftest, cmtime, IPoIB, registrations and resizes of CQs run
# at the same time, and cables are pulled. A short load with a failure comes first, so that
# permanent allocations exist before the measurement. Each part works before the failure and after
# the recovery, and fails only while a cable is out or the device has failed. By hand, here for one
# minute:
#   tools/testing/vm/run --driver tavor --sm --timeout 1200 -- \
#     env LOAD_SECONDS=60 tools/testing/selftests/tavor/mixed_load.sh [test_NAME...]

RECOVERIES=6
# shellcheck source=SCRIPTDIR/mixed_load_parts.bash
. "$(dirname "$0")/mixed_load_parts.bash"
# shellcheck source=SCRIPTDIR/mixed_load_state.bash
. "$(dirname "$0")/mixed_load_state.bash"

LOAD_SECONDS=${LOAD_SECONDS:-600}
WARM_SECONDS=20
FLAP_SECONDS=9 # seconds from one to the next, at least
TEST_SECONDS=$((3 * LOAD_SECONDS + 1200))

# 2000 leaked objects of any one kind take more than this (see the test of that name below).
MOST_GROWTH=2048 # KB

STATES=${GUEST_WORK:-/run/work}/states

port_in() {
	port_file "$1" state | grep -q "$2"
}

both_ports() {
	port_in 1 "$1" && port_in 2 "$1"
}

# sweep: tells opensm to look for changes at once; by itself it does so every ten seconds
sweep() {
	xargs kill -HUP <"$OPENSM_PIDS"
}

crosses() {
	ping -q -c 1 -W 1 "$THERE" >/dev/null
}

# cable_out_and_in: pulls the cable for a while
cable_out_and_in() {
	model_set 0 unplug 1
	until_true 20 both_ports DOWN || fail "a port is up without a cable"
	sleep 0.5
	model_set 0 unplug ''
	until_true 20 both_ports 'INIT\|ACTIVE' || fail "a port stays down"
}

# flap: errors are excused until IPoIB works again
flap() {
	local begin=$EPOCHREALTIME
	cable_out_and_in
	sweep
	until_true 60 both_ports ACTIVE || fail "a port does not become active"
	until_true 60 crosses || fail "IPoIB does not come back"
	window "$begin" flap
	echo "$begin $EPOCHREALTIME 0" >>"$LOAD/port_flaps.done"
}

# half SECONDS HALF: lets the load run with flaps, but most of the time without one, even on a slow
# machine; it runs longer if a part has not worked yet
half() {
	local end=$((SECONDS + $1)) begin pause=$FLAP_SECONDS
	while [ $((SECONDS + pause)) -lt "$end" ]; do
		sleep "$pause"
		begin=$SECONDS
		flap
		pause=$((FLAP_SECONDS + 2 * (SECONDS - begin)))
	done
	[ "$SECONDS" -ge "$end" ] || sleep $((end - SECONDS))
	each_works "$2"
}

# back MARK: the device has recovered since MARK, and can be used
back() {
	said "$1" 'recovery: the device is back' && prints rdma_devices && ibv_devinfo >/dev/null
}

# pair_again: the interfaces are new; the network namespace is the old one
pair_again() {
	until_true 20 prints interface 2
	NEAR=$(interface 1)
	FAR=$(interface 2)
	ip link set "$FAR" netns far
	both_up
	echo "$NEAR $FAR" >/run/ipoib
}

# fail_device FAILURE: opensm never stops asking a device that has failed, so it is killed. Errors
# are excused until opensm and IPoIB work again.
fail_device() {
	local begin=$EPOCHREALTIME since
	since=$(mark)
	"$1"
	until_true 30 said "$since" 'device has failed' || fail "it does not fail"
	pkill -KILL -x opensm
	touch "$LOAD/away"
	until_true 120 back "$since" || fail "it does not come back: $(messages_since "$since")"
	interrupt
	sm_away
	sm_restart
	pair_again
	window "$begin" failure
	rm "$LOAD/away"
}

# cycle SECONDS FAILURE: half of the load runs before the failure, half of it after. sm_start does
# not start opensm for ports that are active, so they go down first.
cycle() {
	cable_out_and_in
	sm_restart
	set_up
	parts_begin
	half $(($1 / 2)) before
	fail_device "$2"
	half $(($1 / 2)) after
	parts_end
	pair_down
	sm_away
}

# at_rest: the numbers of objects and requests no longer change
at_rest() {
	local before now
	before=$(state_objects && state_requests)
	sleep 2
	now=$(state_objects && state_requests)
	[ "$before" = "$now" ] && [ -z "$(state_requests)" ]
}

# state_now NAME: records the state once it no longer changes
state_now() {
	until_true 60 at_rest || echo "no rest: $(state_requests)"
	sleep 5
	# Memory is recorded last, after the other counts have used some.
	state "$STATES/$1" objects requests modules pinned memory slab
}

test_the_load_runs_to_its_end() {
	rm -rf "$STATES"
	mkdir "$STATES"
	mark >"$STATES/mark"
	sm_away
	state_now idle
	cycle "$WARM_SECONDS" buffer
	state_now start
	cycle "$LOAD_SECONDS" catastrophe
	state_now end
}

for part in "${PARTS[@]}" port_flaps; do
	eval "test_${part}_worked_before_the_failure() { worked $part before; }"
	eval "test_${part}_works_again_after_the_failure() { worked $part after; }"
done

test_objects_are_those_of_the_start() {
	same objects "$STATES/idle" "$STATES/start"
	same objects "$STATES/idle" "$STATES/end"
	same pinned "$STATES/idle" "$STATES/end"
}

test_no_request_is_outstanding() {
	[ -z "$(<"$STATES/start/requests")" ] || fail "$(<"$STATES/start/requests")"
	[ -z "$(<"$STATES/end/requests")" ] || fail "$(<"$STATES/end/requests")"
}

test_modules_have_the_references_of_the_start() {
	same modules "$STATES/idle" "$STATES/end"
}

# memory_is_that_of STATE STATE
memory_is_that_of() {
	local name
	slab_grown "$STATES/$1" "$STATES/$2"
	paste "$STATES/$1/memory" "$STATES/$2/memory"
	for name in kernel slab; do
		[ "$(grown "$name" "$STATES/$1" "$STATES/$2")" -le "$MOST_GROWTH" ] ||
			fail "$name: $(grown "$name" "$STATES/$1" "$STATES/$2") KB more"
	done
}

test_memory_is_that_of_the_start() {
	memory_is_that_of start end
}

# Lines that the driver logs for a failure, a recovery and a cable
SAID='event type 0x8, syndrome 0x5|catastrophic error|  buf\[|port [12] (active|down)'
SAID+='|no bridge of its own found'
SAID+='|recovery: (the device is (taken away and reset|back)|number 2 of 6 in a row)'

test_the_log_is_silent_but_for_failures_and_cables() {
	messages_since "$(<"$STATES/mark")" | grep -E 'ib_(tavor|vrb)|tavor[0-9]' >"$TEST_DIR/log"
	[ "$(grep -c 'device has failed' "$TEST_DIR/log")" = 2 ]
	[ "$(grep -c 'recovery: the device is back' "$TEST_DIR/log")" = 2 ]
	grep -vE "$SAID" "$TEST_DIR/log" >"$TEST_DIR/more" || :
	absent . "$TEST_DIR/more"
}

# holding NUMBER: a process holds so many QPs and regions; it ends with the test
holding() {
	"$PROGRAM" hold "$1" >"$TEST_DIR/hold" 2>&1 &
	until_true 300 grep -q holding "$TEST_DIR/hold" || fail "$(<"$TEST_DIR/hold")"
}

test_a_QP_too_many_is_noticed() {
	holding 1
	state "$STATES/qp" objects
	! same objects "$STATES/end" "$STATES/qp" || fail "nobody counts it"
}

test_a_leak_would_be_noticed() {
	holding 2000
	state "$STATES/more" memory slab
	if (memory_is_that_of end more); then
		fail "2000 QPs and regions are too little"
	fi
}

run_tests "$@"
