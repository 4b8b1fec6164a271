#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --driver tavor --sm
# Level: ci
#
# Tests that "rdma resource" shows with -dd the attributes of each object in the hardware, for
# objects of processes and of the kernel. By hand:
#   tools/testing/vm/run --driver tavor --sm -- tools/testing/selftests/tavor/resources.sh

# shellcheck source=SCRIPTDIR/faults.bash
. "$(dirname "$0")/faults.bash"

RECEIVES=500

# shown TYPE PROCESS: prints its objects, one per line; the kernel keeps 15 characters of a name
shown() {
	rdma -jdd resource show "$1" | sed 's/},{/},\n{/g' | grep -F "\"comm\":\"${2:0:15}\""
}

# has TYPE PROCESS FACT VALUE: one of its objects has this attribute; VALUE is a pattern
has() {
	shown "$1" "$2" | grep -qE "\"drv_$3\":$4[,}]"
}

# while_waiting PROGRAM CHECK...: checks while a server has its objects and waits for its client
while_waiting() {
	local program=$1 pid
	shift
	"$program" -r "$RECEIVES" >"$TEST_DIR/server" 2>&1 &
	pid=$!
	until_true 20 shown qp "$program" || fail "$program: $(cat "$TEST_DIR/server")"
	"$@" "$program" || fail "$(rdma -jdd resource show qp; rdma -jdd resource show cq
		rdma -jdd resource show mr; rdma -jdd resource show srq)"
	kill "$pid"
	wait "$pid" || :
}

process_qp() {
	has qp "$1" rq_size "$RECEIVES" && has qp "$1" sq_size 1 &&
		has qp "$1" hw_qpn '[1-9][0-9]*' && has qp "$1" mpt '[1-9][0-9]*' &&
		! has qp "$1" rq_outstanding '[0-9]+'
}

process_cq() {
	has cq "$1" size 512 && has cq "$1" vector 0 && ! has cq "$1" consumed '[0-9]+'
}

process_mr() {
	has mr "$1" page_shift 12 && has mr "$1" mtt_entries '[1-9][0-9]*' &&
		has mr "$1" mtt_first '[0-9]+' && has mr "$1" mpt_flags '[1-9][0-9]*'
}

process_srq() {
	has srq "$1" max_sge '[1-9][0-9]*' && has srq "$1" size '[1-9][0-9]{2,}' &&
		has qp "$1" rq_size 0
}

# The kernel does not know how much a process has posted.
test_qp_of_a_process() {
	while_waiting ibv_rc_pingpong process_qp
}

test_cq_of_a_process() {
	while_waiting ibv_rc_pingpong process_cq
}

test_mr_of_a_process() {
	while_waiting ibv_rc_pingpong process_mr
}

test_srq_of_a_process() {
	while_waiting ibv_srq_pingpong process_srq
}

# ib_mad has posted its receives.
test_objects_of_the_kernel() {
	has qp ib_core rq_outstanding '[1-9][0-9]*' || fail "$(rdma -jdd resource show qp)"
	has cq ib_core consumed '[0-9]+' || fail "$(rdma -jdd resource show cq)"
}

test_special_qps_have_another_hardware_number() {
	rdma -jdd resource show qp >"$TEST_DIR/qps"
	sed 's/},{/},\n{/g' "$TEST_DIR/qps" | grep -E '"lqpn":1,' | grep -qE '"drv_hw_qpn":[1-9]' ||
		fail "$(cat "$TEST_DIR/qps")"
	absent '"drv_hw_qpn":1,' "$TEST_DIR/qps"
}

test_one_d_shows_no_driver_data() {
	rdma -jd resource show qp >"$TEST_DIR/qps"
	absent drv_ "$TEST_DIR/qps"
}

run_tests "$@"
