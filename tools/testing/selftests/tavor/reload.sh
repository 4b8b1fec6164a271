#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --driver tavor --modules tavor_client
# Kernels: 6.12 debug
# Timeout: 1200
# Level: ci
#
# Tests that ib_tavor can be loaded and unloaded repeatedly without a leak, and while a process has
# the device open; and how often the driver waits for grace periods. By hand:
#   tools/testing/vm/run --driver tavor --modules tavor_client -- \
#     tools/testing/selftests/tavor/reload.sh [test_NAME...]

# shellcheck source=SCRIPTDIR/faults.bash
. "$(dirname "$0")/faults.bash"

# Twenty cycles under emulation take this long.
TEST_SECONDS=900

test_twenty_cycles_leave_nothing_behind() {
	local cycle since
	since=$(mark)
	for cycle in $(seq 20); do
		driver_unload
		absent ib_tavor /proc/interrupts
		absent ib_tavor /proc/iomem
		driver_load
		ibv_devinfo >"$TEST_DIR/info" || fail "cycle $cycle: $(cat "$TEST_DIR/info")"
		[ "$(grep -c '^[[:space:]]*port:' "$TEST_DIR/info")" = 2 ]
	done
	driver_unload
	echo "$SECONDS s"
	messages_since "$since" >"$TEST_DIR/dmesg"
	absent 'leak|still in use|refus|timed out' "$TEST_DIR/dmesg"
	driver_load
}

test_unload_under_an_open_device() {
	local pid
	ibv_asyncwatch &
	pid=$!
	until_true 10 test -e "/proc/$pid/fd/3"
	until_true 10 sh -c "ls -l /proc/$pid/fd | grep -q uverbs"
	timeout 30 rmmod ib_tavor
	[ -z "$(rdma_devices)" ]
	kill "$pid" 2>/dev/null || :
	wait "$pid" || :
	driver_load
	ibv_devinfo
}

# Two ports, which the destroys of their QP0 close
test_an_unload_closes_each_port_once() {
	commands_of driver_unload >"$TEST_DIR/commands"
	driver_load
	cat "$TEST_DIR/commands"
	grep -qx 'CLOSE_IB 2' "$TEST_DIR/commands"
}

# traced COMMAND...: writes to the files "calls" and "waits", as lines "FUNCTION <-CALLER", the
# destroys of CQs during COMMAND, and what the driver or the engine waited for: grace periods,
# barriers of RCU, and fixed times
traced() {
	local trace=/sys/kernel/tracing/instances/reload
	[ -d "${trace%/*}" ] || skip "the kernel has no tracing"
	mkdir -p "$trace"
	echo 'tavor_destroy_cq synchronize_* rcu_barrier* msleep* usleep_range* call_rcu*' \
		>"$trace/set_ftrace_filter"
	echo function >"$trace/current_tracer"
	"$@"
	echo 0 >"$trace/tracing_on"
	# Before the module goes, and with it the names
	sed -nE 's/.* ([a-z_]+)( \[ib_tavor\])? <-/\1 <-/p' "$trace/trace" >"$TEST_DIR/calls"
	rmdir "$trace"
	# synchronize_rcu() ends with a jump to synchronize_rcu_normal().
	grep -E '<-(vrb|tavor)_' "$TEST_DIR/calls" |
		grep -vE '^(synchronize_rcu_normal|call_rcu[a-z_]*) ' >"$TEST_DIR/waits" || :
	sort "$TEST_DIR/waits" | uniq -c
}

# waits PATTERN: how many of them match
waits() {
	grep -cE "$1" "$TEST_DIR/waits" || :
}

# unbind_waits_little: one grace period is that of all event queues, and passes while commands are
# executed; the other is that of the pump and of released objects
unbind_waits_little() {
	traced unbind
	bind
	[ "$(grep -cE '^call_rcu(_hurry)? <-tavor_eq_' "$TEST_DIR/calls")" = 1 ]
	[ "$(waits '<-vrb_carrier_stop')" = 1 ]
	[ "$(waits .)" = 1 ]
}

test_unbind_waits_for_few_grace_periods() {
	[ "$(grep -c tavor /proc/interrupts)" -gt 2 ]
	unbind_waits_little
}

# All waiters have been woken, and all groups emptied, a grace period or two after the failure.
test_unbind_of_a_failed_device_waits_for_few_grace_periods() {
	local since
	since=$(mark)
	catastrophe
	until_true 20 said "$since" 'device has failed'
	sleep 2
	unbind_waits_little
}

cqs_of_a_process() {
	"${TEST_BIN:-$TREE/build/guest/tavor}/close" cqs
}

cqs_of_a_client() {
	load_own tavor_client mode=cqs
	rmmod tavor_client
}

# cqs_without_a_wait NUMBER COMMAND...: COMMAND destroys so many CQs, and the driver does not wait
cqs_without_a_wait() {
	traced "${@:2}"
	[ "$(grep -c '^tavor_destroy_cq ' "$TEST_DIR/calls")" = "$1" ] ||
		fail "not $1 CQs: $(head -n 5 "$TEST_DIR/calls")"
	[ ! -s "$TEST_DIR/waits" ] || fail "it waits"
}

test_cqs_of_a_process_cost_no_grace_period() {
	cqs_without_a_wait 40 cqs_of_a_process
}

test_cqs_of_a_client_cost_no_grace_period() {
	! loaded tavor_client || rmmod tavor_client
	cqs_without_a_wait 100 cqs_of_a_client
}

run_tests "$@"
