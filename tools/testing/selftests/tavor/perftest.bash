# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
# shellcheck shell=bash
#
# perftest between the two ports, for what it does rather than how fast: every operation over every
# transport that has it, all sizes, many QPs, events, both directions.

# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

TEST_SECONDS=400

# perf PROGRAM [OPTION...]: server on port 2, client on port 1
perf() {
	local program=$1
	shift
	pair "$program -d $(device) -i 2 -F $*" "$program -d $(device) -i 1 -F $*"
}

test_send_over_rc() {
	perf ib_send_bw -c RC -n 100
	perf ib_send_lat -c RC -n 100
}

test_send_over_uc() {
	perf ib_send_bw -c UC -n 100
	perf ib_send_lat -c UC -n 100
}

test_send_over_ud() {
	perf ib_send_bw -c UD -s 2048 -n 100
	perf ib_send_lat -c UD -s 2048 -n 100
}

test_write_over_rc() {
	perf ib_write_bw -c RC -n 100
	perf ib_write_lat -c RC -n 100
}

test_write_over_uc() {
	perf ib_write_bw -c UC -n 100
	perf ib_write_lat -c UC -n 100
}

test_read() {
	perf ib_read_bw -n 100
	perf ib_read_lat -n 100
}

test_compare_and_swap() {
	perf ib_atomic_bw -A CMP_AND_SWAP -n 100
	perf ib_atomic_lat -A CMP_AND_SWAP -n 100
}

test_fetch_and_add() {
	perf ib_atomic_bw -A FETCH_AND_ADD -n 100
	perf ib_atomic_lat -A FETCH_AND_ADD -n 100
}

test_send_of_every_size() {
	perf ib_send_bw -a -n 5
}

test_write_of_every_size() {
	perf ib_write_bw -a -n 5
}

test_read_of_every_size() {
	perf ib_read_bw -a -n 5
}

test_eight_queue_pairs() {
	perf ib_send_bw -q 8 -n 100
	perf ib_write_bw -q 8 -n 100
	perf ib_read_bw -q 8 -n 100
}

test_events() {
	perf ib_send_bw -e -n 100
	perf ib_send_lat -e -n 100
	perf ib_send_bw -e -c UD -s 1024 -n 100
	perf ib_read_bw -e -n 100
}

test_both_directions() {
	perf ib_send_bw -b -n 100
	perf ib_write_bw -b -n 100
	perf ib_read_bw -b -n 100
}

test_lists_of_requests() {
	perf ib_send_bw -l 8 -n 96
	perf ib_write_bw -l 8 -n 96
}

test_every_mtu() {
	local mtu
	for mtu in 256 512 1024 2048; do
		perf ib_write_bw -m $mtu -s 10000 -n 20
	done
}

test_shared_receive_queue() {
	perf ib_send_bw -r 64 --use-srq -q 4 -n 100
}

# refused COMMAND...: fails by itself, at once
refused() {
	local status=0
	timeout 30 "$@" || status=$?
	[ "$status" != 0 ] && [ "$status" != 124 ] || fail "status $status: $*"
}

test_what_the_hardware_does_not_have_is_refused() {
	# Shared receive queues of XRC, and on-demand paging
	refused ibv_xsrq_pingpong -d "$(device)"
	refused ibv_rc_pingpong -o -d "$(device)"
}
