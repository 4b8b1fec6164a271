#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --driver tavor --sm
# Level: ci
#
# Tests that each counter in sysfs is the device's or the port's, so that a sum over all of them is
# correct, and that rdma(8) shows those of a port. No counter can be bound to a QP. port_counters.c
# tests what the counters of ports count. By hand:
#   tools/testing/vm/run --driver tavor --sm -- tools/testing/selftests/tavor/counters.sh

# shellcheck source=SCRIPTDIR/faults.bash
. "$(dirname "$0")/faults.bash"

# counters [PORT]: prints the names of all counters of the device or of a port, without "lifespan"
counters() {
	find "/sys/class/infiniband/$(device)/${1:+ports/$1/}hw_counters/" -type f -printf '%f\n' |
		grep -vx lifespan | sort
}

# of_port PORT COUNTER: prints a counter of a port
of_port() {
	sleep 0.05 # longer than the kernel uses values that it has read before
	cat "/sys/class/infiniband/$(device)/ports/$1/hw_counters/$2"
}

test_each_counter_is_there_once() {
	local twice
	counters >"$TEST_DIR/device"
	counters 1 >"$TEST_DIR/port"
	cat "$TEST_DIR/device" "$TEST_DIR/port"
	grep -qx vrb_submitted "$TEST_DIR/device"
	grep -v '^vrb_' "$TEST_DIR/device" | diff - <(printf '%s\n' cq_errors ecc_errors uar_errors)
	diff "$TEST_DIR/port" - <<-END
		active_events
		error_events
		gid_events
		lid_events
		mads_answered
		pkey_events
		reregister_events
		traps_forwarded
	END
	counters 2 | diff - "$TEST_DIR/port"
	twice=$(sort "$TEST_DIR/device" "$TEST_DIR/port" | uniq -d)
	[ -z "$twice" ] || fail "twice: $twice"
}

test_a_counter_counts() {
	local before file
	file="/sys/class/infiniband/$(device)/hw_counters/vrb_submitted"
	before=$(<"$file")
	echo 1 >"${file%/*}/lifespan"
	ibv_devinfo >/dev/null
	until_true 10 eval "[ \"\$(<'$file')\" -gt $before ]"
}

test_rdma_shows_those_of_a_port() {
	local name
	rdma statistic show link "$(device)/1" >"$TEST_DIR/listed"
	cat "$TEST_DIR/listed"
	for name in $(counters 1); do
		grep -q "\<$name [0-9]" "$TEST_DIR/listed" || fail "$name is missing"
	done
	for name in $(counters); do
		absent "\<$name\>" "$TEST_DIR/listed"
	done
}

forwarded() {
	[ "$(of_port 1 traps_forwarded)" -gt "$1" ]
}

# The issm device sets a bit of the port's CapabilityMask, and the firmware sends a trap. The subnet
# manager has that device open, and leaves its LID behind.
test_a_trap_is_counted() {
	local before other
	sm_away
	before=$(of_port 1 traps_forwarded)
	other=$(of_port 2 traps_forwarded)
	timeout 5 sh -c 'exec </dev/infiniband/issm0; sleep 0.5'
	until_true 10 forwarded "$before" || fail "no trap is counted"
	[ "$(of_port 2 traps_forwarded)" = "$other" ]
	sm_restart
}

# unsupported WORD...: this command of rdma(8) fails with EOPNOTSUPP
unsupported() {
	local said
	said=$(rdma statistic "$@" 2>&1) && fail "it succeeds: rdma statistic $*"
	[[ $said == *"Operation not supported"* ]] || fail "rdma statistic $*: $said"
}

# Also on the other port: ib_core asks for the counters of both.
test_no_qp_can_be_bound_to_a_counter() {
	local port
	for port in "$(device)/1" "$(device)/2"; do
		unsupported qp set link "$port" auto type on
		unsupported qp set link "$port" auto type,pid on
		unsupported qp bind link "$port" lqpn 2
	done
}

run_tests "$@"
