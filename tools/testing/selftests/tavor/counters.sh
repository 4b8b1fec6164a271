#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --driver tavor --sm
# Level: ci
#
# Tests that each counter of the device appears only once, so that a sum over all counters in sysfs
# and rdma(8) is correct. No port has a counter of its own, and no QP can be bound to one: rdma(8)
# gets EOPNOTSUPP. By hand:
#   tools/testing/vm/run --driver tavor --sm -- tools/testing/selftests/tavor/counters.sh

# shellcheck source=SCRIPTDIR/faults.bash
. "$(dirname "$0")/faults.bash"

# counters: prints the names of all counters of the device and its ports, without "lifespan"
counters() {
	find "/sys/class/infiniband/$(device)/" -path '*/hw_counters/*' -printf '%f\n' |
		grep -vx lifespan | sort
}

test_each_counter_is_there_once() {
	local twice
	counters >"$TEST_DIR/names"
	cat "$TEST_DIR/names"
	grep -qx vrb_submitted "$TEST_DIR/names"
	grep -v '^vrb_' "$TEST_DIR/names" | diff - <(printf '%s\n' cq_errors ecc_errors uar_errors)
	twice=$(uniq -d "$TEST_DIR/names")
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

test_rdma_shows_no_port_counters() {
	local name
	rdma statistic show link "$(device)/1" >"$TEST_DIR/listed" 2>&1 || :
	cat "$TEST_DIR/listed"
	counters >"$TEST_DIR/names"
	while read -r name; do
		absent "\<$name\>" "$TEST_DIR/listed"
	done <"$TEST_DIR/names"
}

# unsupported WORD...: this command of rdma(8) fails with EOPNOTSUPP
unsupported() {
	local said
	said=$(rdma statistic "$@" 2>&1) && fail "it succeeds: rdma statistic $*"
	[[ $said == *"Operation not supported"* ]] || fail "rdma statistic $*: $said"
}

test_no_qp_can_be_bound_to_a_counter() {
	local port
	port=$(device)/1
	unsupported qp set link "$port" auto type on
	unsupported qp set link "$port" auto type,pid on
	unsupported qp bind link "$port" lqpn 2
}

run_tests "$@"
