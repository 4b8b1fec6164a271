#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --driver tavor --sm --modules vrb_audit
# Kernels: 6.12 debug 6.12-rt 7-rt
# Timeout: 900
# Guest: own
# Level: ci
#
# Tests that each request completes exactly once while commands are late, are answered twice, are
# refused or are not answered, and while the device fails. A client submits all kinds of requests
# from every context. Each round ends with an unbind of the device. "make check-all" runs 20
# failures: audit_resets.sh. In the end the function is removed by surprise, and does not return in
# this guest. By hand:
#   tools/testing/vm/run --driver tavor --sm --modules vrb_audit -- \
#     env ROUNDS=5 REQUESTS=1000 tools/testing/selftests/tavor/audit.sh

# shellcheck source=SCRIPTDIR/faults.bash
. "$(dirname "$0")/faults.bash"

# There are several rounds, and each may take two minutes.
TEST_SECONDS=600
ROUNDS=${ROUNDS:-4}
REQUESTS=${REQUESTS:-2000}
AUDIT=/sys/module/vrb_audit/parameters

audit_is_over() {
	[ "$(cat "$AUDIT/busy")" = N ] || said "$1" 'device has failed'
}

# round_begins SEED REQUESTS: sets since
round_begins() {
	! bound || unbind
	since=$(mark)
	echo "$1" >"$AUDIT/seed"
	echo "$2" >"$AUDIT/requests"
	bind
	until_true 20 prints rdma_devices
}

# round_ends: all requests have been submitted, or the device has failed
round_ends() {
	until_true 120 audit_is_over "$since" || fail "the round goes on for ever"
	unbind
	messages_since "$since" | sed -n 's/.*vrb_audit: #/#/p'
	said_by_audit "$since" ': ok' || fail "$(messages_since "$since" | grep 'vrb_audit: not')"
	said_by_audit "$since" ': # .* [1-9][0-9]* shells' || fail "there were no shells"
	nothing_left "$since"
}

# one_round SEED REQUESTS FAULT...: the faults begin once the audit is running
one_round() {
	local since fault
	round_begins "$1" "$2"
	for fault in "${@:3}"; do
		model_set 0 fault "$fault"
	done
	round_ends
	faults_off
}

# fails_by SEED COMMAND...: a round in the middle of which COMMAND makes the device fail
fails_by() {
	local since
	round_begins "$1" 1000000
	model_set 0 fault delay,on=cmd,prob=0.1,time=2ms
	sleep 1
	"${@:2}"
	round_ends
	said "$since" 'device has failed' || fail "the device has not failed"
}

said_by_audit() {
	messages_since "$1" | grep -q "vrb_audit$2"
}

# unreclaimable: kB of slab memory, without the unused slabs that the caches keep
unreclaimable() {
	local cache
	for cache in /sys/kernel/slab/*/shrink; do
		echo 1 >"$cache" 2>/dev/null || :
	done
	awk '$1 == "SUnreclaim:" { print $2 }' /proc/meminfo
}

# little_stays: sets after; what RCU frees comes back within seconds
little_stays() {
	after=$(unreclaimable)
	[ $((after - before)) -lt 2048 ]
}

test_setup_of_the_audit() {
	rmmod vrb_audit
	reload cmd_timeout_ms=300 softirq_objects=1
	load_own vrb_audit
}

test_commands_that_work() {
	one_round 1 "$REQUESTS"
}

test_commands_late_twice_and_refused() {
	one_round 2 "$REQUESTS" delay,on=cmd,prob=0.1,time=2ms dup,on=cmd,prob=0.1 \
		status,on=cmd,op=RST2INIT_QPEE,prob=0.2,status=3 \
		status,on=cmd,op=SW2HW_CQ,prob=0.2,status=3 \
		status,on=cmd,op=SW2HW_MPT,prob=0.2,status=3
}

test_commands_without_an_answer() {
	one_round 3 "$REQUESTS" drop,on=cmd,prob=0.01
}

test_a_device_that_fails() {
	local round since before after
	for ((round = 0; round < ROUNDS; round++)); do
		since=$(mark)
		one_round $((10 + round)) 1000000 delay,on=cmd,prob=0.1,time=2ms \
			"catas,on=cmd,after=$((50 + 97 * round % 400)),count=1"
		said "$since" 'device has failed'
		[ "$round" != 1 ] || before=$(unreclaimable)
	done
	until_true 20 little_stays ||
		fail "slab that stays: $before kB after the second round, $after kB after the last"
}

test_firmware_that_hangs() {
	fails_by 3 model '{"cmd":"hang","hca":0}'
	faults_off
}

test_a_command_register_that_stays_busy() {
	fails_by 4 fault go_stuck on=cmd count=1
	faults_off
}

test_the_device_serves_again() {
	rmmod vrb_audit
	usable
}

# The model has no function any more whose faults could be ended.
test_the_function_is_removed_by_surprise() {
	load_own vrb_audit
	fails_by 5 model '{"cmd":"remove","hca":0}'
	rmmod vrb_audit
	rmmod ib_tavor
}

run_tests "$@"
