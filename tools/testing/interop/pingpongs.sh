#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Timeout: 1800
# Level: all
# Runs: guest --driver mthca --sm
# Runs: guest --driver tavor --sm
#
# Tests the pingpong programs of libibverbs, each with every option of its transport: checked
# payload, events, sizes, path MTUs, counts, ports, and paths with a GRH. Nearly all check the
# payload (-c). By hand, with either driver:
#   tools/testing/vm/run --driver tavor --sm -- tools/testing/interop/pingpongs.sh [test_NAME...]

# shellcheck source=SCRIPTDIR/../vm/guest/query.bash
. "$(dirname "$0")/../vm/guest/query.bash"

TEST_SECONDS=300

# checked SERVER CLIENT: runs a pair. With -c the server reports a wrong payload, but does not fail.
checked() {
	pair "$@"
	absent "invalid data" "$TEST_DIR/server"
}

# ping OPTION...: runs a pair with the same options on both sides
ping() {
	checked "$program $*" "$program $*"
}

# between_ports SERVER CLIENT OPTION...: between two ports
between_ports() {
	checked "$program -i $1 ${*:3}" "$program -i $2 ${*:3}"
}

by_default() {
	ping
}

with_checked_payload() {
	ping -c
}

with_events() {
	ping -e -n 200
}

with_events_and_checked_payload() {
	ping -c -e -n 200
}

from_port_1_to_port_1() {
	between_ports 1 1 -c -n 100
}

from_port_1_to_port_2() {
	between_ports 2 1 -c -n 100
}

from_port_2_to_port_1() {
	between_ports 1 2 -c -n 100
}

with_events_from_port_1_to_port_2() {
	between_ports 2 1 -c -e -n 100
}

with_a_global_route() {
	between_ports 2 1 -c -n 100 -g 0
}

with_messages_of_every_size() {
	local size
	# shellcheck disable=SC2154 # of whoever calls this
	for size in $sizes; do
		ping -c -n 20 -s "$size"
	done
}

with_every_path_mtu() {
	local mtu
	for mtu in 256 512 1024 2048; do
		between_ports 2 1 -c -n 20 -s 5000 -m "$mtu"
	done
}

with_counts_and_depths() {
	ping -c -n "$few"
	ping -c -n 300
	# Fewer receives than messages: the program posts more as it runs. A shared queue must have
	# one for each QP.
	ping -c -n 200 -r "$depth"
}

with_one_and_with_many_queue_pairs() {
	ping -c -n 200 -q 1
	between_ports 2 1 -c -e -n 200 -q 64 -r 500
}

COMMON="by_default with_checked_payload with_events with_events_and_checked_payload
	from_port_1_to_port_1 from_port_1_to_port_2 from_port_2_to_port_1
	with_events_from_port_1_to_port_2 with_a_global_route
	with_messages_of_every_size with_counts_and_depths"

# suite TRANSPORT "SIZES" TEST...: adds a test for each of these and of the common ones, named after
# the transport
suite() {
	local name depth=2 few=1
	[ "$1" != srq ] || { depth=17; few=16; }
	for name in $COMMON "${@:3}"; do
		eval "test_$1_pingpong_$name() {
			local program=ibv_$1_pingpong sizes='$2' depth=$depth few=$few
			$name
		}"
		TESTS+=("test_$1_pingpong_$name")
	done
}

TESTS=()
suite rc "1 3 1000 2048 2049 65536 1000001" with_every_path_mtu
suite uc "1 3 1000 2048 2049 65536 1000001" with_every_path_mtu
suite ud "1 3 1000 2047 2048"
suite srq "1 3 1000 2048 2049 65536" with_every_path_mtu with_one_and_with_many_queue_pairs

# What the hardware does not support

test_on_demand_paging_is_refused() {
	local why="isn't ODP capable|doesn't support implicit ODP"
	why+="|does not support RC send and receive with ODP"
	refused "$why" ibv_rc_pingpong -o
	refused "$why" ibv_rc_pingpong -O
}

test_completion_timestamps_are_refused() {
	refused "isn't completion timestamp capable" ibv_rc_pingpong -t
}

test_device_memory_is_refused() {
	refused "Device doesn't support dm allocation" ibv_rc_pingpong -j
}

test_the_extended_post_send_is_refused() {
	refused "Couldn't create QP" ibv_rc_pingpong -N
}

test_XRC_is_refused() {
	refused "Couldn't Open the XRC Domain" ibv_xsrq_pingpong
}

test_datagrams_larger_than_the_mtu_are_refused() {
	refused "Requested size larger than port MTU" ibv_ud_pingpong -s 2049
}

test_queues_larger_than_the_limit_are_refused() {
	refused "Couldn't create (CQ|QP)" ibv_rc_pingpong -r 200000
	refused "Couldn't create (CQ|QP)" ibv_rc_pingpong -r 65536
	refused "Couldn't create SRQ" ibv_srq_pingpong -r 65537
}

# The server fails, and the client notices when the server exits.
test_a_path_mtu_of_4096_is_refused() {
	local program status=0 pid port
	for program in ibv_rc_pingpong ibv_uc_pingpong; do
		port=$(next_tcp_port)
		$program -m 4096 -p "$port" >"$TEST_DIR/server" 2>&1 &
		pid=$!
		until_true 30 listening "$port"
		refused "Couldn't read/write remote address" $program -m 4096 -p "$port" 127.0.0.1
		wait $pid || status=$?
		cat "$TEST_DIR/server"
		[ "$status" != 0 ] || fail "the server did not refuse it"
		grep -q "Failed to modify QP to RTR" "$TEST_DIR/server"
	done
}

mapfile -t REFUSED < <(declare -F | awk '$3 ~ /^test_.*_refused$/ { print $3 }')
TESTS+=("${REFUSED[@]}")

[ $# -gt 0 ] || set -- "${TESTS[@]}"
run_tests "$@"
