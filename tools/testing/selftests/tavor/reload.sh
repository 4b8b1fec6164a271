#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --driver tavor
# Kernels: 6.12 debug
# Timeout: 1200
# Level: ci
#
# Tests that ib_tavor can be loaded and unloaded repeatedly without a leak, and while a process has
# the device open. By hand:
#   tools/testing/vm/run --driver tavor -- tools/testing/selftests/tavor/reload.sh [test_NAME...]

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

# The parents of synchronize_rcu() are read before the module goes, and with it their names. One is
# the pump's.
test_event_queues_stop_in_one_grace_period() {
	local trace=/sys/kernel/tracing/instances/reload queues
	[ -d "${trace%/*}" ] || skip "the kernel has no tracing"
	mkdir "$trace"
	echo synchronize_rcu >"$trace/set_ftrace_filter"
	echo function >"$trace/current_tracer"
	queues=$(grep -c tavor /proc/interrupts)
	unbind
	echo 0 >"$trace/tracing_on"
	grep -oE 'synchronize_rcu <-(vrb|tavor)_.*' "$trace/trace" >"$TEST_DIR/waits" || :
	rmdir "$trace"
	bind
	cat "$TEST_DIR/waits"
	[ "$queues" -gt 2 ]
	[ "$(grep -cE '<-(vrb_softirq_stop|tavor_eq_)' "$TEST_DIR/waits")" = 2 ]
}

run_tests "$@"
