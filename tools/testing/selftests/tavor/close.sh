#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --driver tavor
# Kernels: 6.12 7 debug
# Timeout: 600
# Level: ci
#
# Tests that all objects of a process are destroyed, no matter how it ends. The process has some
# hundred objects, and their destroys share the command slots. By hand:
#   tools/testing/vm/run --driver tavor -- tools/testing/selftests/tavor/close.sh [test_NAME...]

# shellcheck source=SCRIPTDIR/faults.bash
. "$(dirname "$0")/faults.bash"

PROGRAM=${TEST_BIN:-$TREE/build/guest/tavor}/close

engine() {
	echo "/sys/kernel/debug/ib_vrb/$(function_address)/$1"
}

objects() {
	wc -l <"$(engine objects)"
}

counter() {
	sed -n "s/^$1 //p" "$(engine counters)"
}

# anew: binds the device again
anew() {
	! bound || unbind
	model_set 0 latency 10us
	bind
	until_true 20 prints rdma_devices
	BEFORE=$(objects)
}

# start HOW: starts the process in the background, and waits until it has its objects. From then on
# a command takes so long that a slow machine submits as many as there are slots meanwhile.
start() {
	model_set 0 latency 10us
	"$PROGRAM" "$1" >"$TEST_DIR/process" &
	PID=$!
	until_true 60 grep -q made "$TEST_DIR/process" || fail "$(cat "$TEST_DIR/process")"
	model_set 0 latency 50ms
}

all_gone() {
	[ "$(objects)" = "$BEFORE" ]
}

# left_nothing: the process has ended, and all its objects are gone
left_nothing() {
	until_true 60 ended "$PID" || fail "it hangs: $(cat "/proc/$PID/stack")"
	until_true 20 all_gone || fail "objects are left: $(cat "$(engine objects)")"
}

# in_parallel [COMMANDS]: there were nearly as many commands at a time as processes can have (62 of
# 64 slots); COMMANDS is the most at a time, by default since the driver was bound
in_parallel() {
	local most=${1:-$(counter slots_max)}
	echo "$most commands at a time"
	[ "$most" -ge 60 ] || fail "at most $most commands at a time"
}

# watch: prints the most commands at a time, again and again, until the engine has no device
watch() {
	local counters
	counters=$(engine counters)
	while sed -n 's/^slots_max //p' "$counters"; do
		:
	done 2>"$TEST_DIR/gone"
}

test_a_process_that_exits() {
	anew
	start exit
	kill -USR1 "$PID"
	left_nothing
	in_parallel
}

test_a_process_that_is_killed() {
	anew
	start wait
	kill -KILL "$PID"
	left_nothing
	in_parallel
}

test_a_process_that_closes_the_device() {
	anew
	start close
	kill -USR1 "$PID"
	left_nothing
	grep -q closed "$TEST_DIR/process"
	in_parallel
}

test_two_processes_at_once() {
	local first
	anew
	start wait
	first=$PID
	start wait
	kill -KILL "$first" "$PID"
	until_true 60 ended "$first"
	left_nothing
}

# A listing of objects also reads those that are being destroyed.
list_for_ever() {
	while rdma -d resource show qp && rdma -d resource show cq && rdma -d resource show mr; do
		:
	done >/dev/null 2>"$TEST_DIR/list"
}

test_objects_are_listed_meanwhile() {
	local lists
	anew
	list_for_ever &
	lists=$!
	start wait
	rdma resource show qp | grep -q "pid $PID "
	kill -KILL "$PID"
	left_nothing
	kill "$lists" || fail "the list had an end: $(cat "$TEST_DIR/list")"
}

test_the_device_fails_meanwhile() {
	local since
	anew
	since=$(mark)
	start wait
	kill -KILL "$PID"
	catastrophe
	until_true 60 ended "$PID" || fail "it hangs: $(cat "/proc/$PID/stack")"
	until_true 20 said "$since" 'device has failed'
	unbind
	nothing_left "$since"
	usable
}

# The driver detaches members of groups in portions. The process ends before all are detached, and
# ib_core destroys a QP only once.
test_the_device_fails_under_members_of_groups() {
	local since
	anew
	since=$(mark)
	start members
	catastrophe
	until_true 60 ended "$PID" || fail "it hangs: $(cat "/proc/$PID/stack")"
	until_true 20 said "$since" 'device has failed'
	messages_since "$since" >"$TEST_DIR/messages"
	! grep -q 'WARNING: ' "$TEST_DIR/messages" || fail "$(cat "$TEST_DIR/messages")"
	unbind
	nothing_left "$since"
	usable
}

test_the_function_is_unbound_meanwhile() {
	local since
	anew
	since=$(mark)
	start wait
	kill -KILL "$PID"
	unbind
	until_true 60 ended "$PID" || fail "it hangs: $(cat "/proc/$PID/stack")"
	nothing_left "$since"
	usable
}

test_the_function_is_unbound_under_the_process() {
	local since
	anew
	since=$(mark)
	start wait
	watch >"$TEST_DIR/most" &
	unbind
	wait $!
	in_parallel "$(tail -n 1 "$TEST_DIR/most")"
	nothing_left "$since"
	kill -KILL "$PID"
	until_true 60 ended "$PID" || fail "it hangs: $(cat "/proc/$PID/stack")"
	usable
}

# The old value, for the other tests in this guest
trap 'model_set 0 latency 10us' EXIT
run_tests "$@"
