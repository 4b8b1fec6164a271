#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Timeout: 3000
# Level: all
# Runs: guest --driver mthca --sm
# Runs: guest --driver tavor --sm
#
# Tests that perftest works between the two ports, not how fast it is: each program over each
# transport that has its operation, by itself, with all sizes (-a), with eight queue pairs (-q 8)
# and with events (-e). perftest itself refuses the other combinations, which the last tests check;
# Documentation/interoperability.rst gives the reasons. By hand, with either driver:
#   tools/testing/vm/run --driver tavor --sm -- tools/testing/interop/perftest.sh [test_NAME...]

# shellcheck source=SCRIPTDIR/../vm/guest/query.bash
. "$(dirname "$0")/../vm/guest/query.bash"

TEST_SECONDS=600

# perf PROGRAM [OPTION...]: runs the server on port 2 and the client on port 1
perf() {
	pair "$1 -d $(device) -i 2 -F ${*:2}" "$1 -d $(device) -i 1 -F ${*:2}"
}

# add NAME PROGRAM OPTION...: adds a test of that name
add() {
	eval "test_$1() { perf ${*:2}; }"
	TESTS+=("test_$1")
}

# bandwidth NAME PROGRAM OPTION...
bandwidth() {
	add "$1" "${@:2}" -n 100
	add "$1_eight_queue_pairs" "${@:2}" -n 100 -q 8
}

# In cycles (-C): otherwise the latency programs measure the processor's frequency for each size,
# which takes most of the time
all_sizes() {
	local cycles=
	[[ $2 != *_lat ]] || cycles=-C
	add "$1_all_sizes" "${@:2}" -n 5 -a $cycles
}

bandwidth_events() {
	add "$1_events" "${@:2}" -n 100 -e
}

# With a send queue that holds all iterations; see below why the default of one entry is too small.
latency_events() {
	add "$1_events" "${@:2}" -n 100 -e -t 100
}

TESTS=()

# With events, the latency programs request the next event before they poll the last completion, so
# the HCA raises it at once, and they post again whether or not they found a completion. With one
# entry in the send queue, their default, that is one too many as soon as a completion comes late.
late_completions() {
	local program=$1 status=0
	model '{"cmd":"fault","fault":{"action":"delay","on":"cqe","time":"5ms"}}'
	(perf "$program" -n 50 -e "${@:2}") || status=$?
	model '{"cmd":"fault","fault":null}'
	return $status
}

test_latency_programs_with_events_overrun_a_send_queue_of_one_entry() {
	local program
	for program in ib_send_lat ib_read_lat ib_atomic_lat; do
		if late_completions $program >"$TEST_DIR/late" 2>&1; then
			fail "$program copes with late completions"
		fi
		grep -q "Couldn't post send" "$TEST_DIR/late" ||
			{ cat "$TEST_DIR/late"; fail "$program: no full queue"; }
	done
}

test_latency_programs_with_events_and_a_longer_send_queue() {
	local program
	for program in ib_send_lat ib_read_lat ib_atomic_lat; do
		late_completions $program -t 50
	done
}

TESTS+=(
	test_latency_programs_with_events_overrun_a_send_queue_of_one_entry
	test_latency_programs_with_events_and_a_longer_send_queue
)

for transport in RC UC UD; do
	size=65536
	[ $transport != UD ] || size=2048
	bandwidth send_bw_$transport ib_send_bw -c $transport -s $size
	bandwidth_events send_bw_$transport ib_send_bw -c $transport -s $size
	all_sizes send_bw_$transport ib_send_bw -c $transport
	add send_lat_$transport ib_send_lat -c $transport -n 100
	latency_events send_lat_$transport ib_send_lat -c $transport
	all_sizes send_lat_$transport ib_send_lat -c $transport
done

for transport in RC UC; do
	bandwidth write_bw_$transport ib_write_bw -c $transport
	all_sizes write_bw_$transport ib_write_bw -c $transport
	add write_lat_$transport ib_write_lat -c $transport -n 100
	all_sizes write_lat_$transport ib_write_lat -c $transport
done

bandwidth read_bw ib_read_bw
bandwidth_events read_bw ib_read_bw
all_sizes read_bw ib_read_bw
add read_lat ib_read_lat -n 100
latency_events read_lat ib_read_lat
all_sizes read_lat ib_read_lat

for operation in CMP_AND_SWAP FETCH_AND_ADD; do
	bandwidth atomic_bw_$operation ib_atomic_bw -A $operation
	bandwidth_events atomic_bw_$operation ib_atomic_bw -A $operation
	add atomic_lat_$operation ib_atomic_lat -A $operation -n 100
	latency_events atomic_lat_$operation ib_atomic_lat -A $operation
done

for operation in send write read; do
	add ${operation}_bw_both_directions ib_${operation}_bw -b -n 100
	add ${operation}_bw_lists_of_requests ib_${operation}_bw -l 8 -n 96
done
add write_with_immediate_bw ib_write_bw --write_with_imm -n 100
add write_with_immediate_lat ib_write_lat --write_with_imm -n 100
add shared_receive_queue ib_send_bw -r 64 --use-srq -q 4 -n 100
add inline_data_RC ib_send_lat -c RC -I 64 -s 64 -n 100
add inline_data_UD ib_send_lat -c UD -I 64 -s 64 -n 100
add global_route_RC ib_write_bw -x 0 -n 100
add global_route_UD ib_send_bw -c UD -s 2048 -x 0 -n 100

test_write_bw_with_every_path_mtu() {
	local mtu
	for mtu in 256 512 1024 2048; do
		perf ib_write_bw -m $mtu -s 10000 -n 20
	done
}
TESTS+=(test_write_bw_with_every_path_mtu)

# add_refused NAME PATTERN PROGRAM OPTION...
add_refused() {
	eval "test_$1_refused() { refused '$2' $3 -d \$(device) -F ${*:4}; }"
	TESTS+=("test_$1_refused")
}

for program in bw lat; do
	add_refused write_${program}_events_are \
		"Events feature not available on WRITE verb" ib_write_$program -e
	for operation in read atomic; do
		add_refused ${operation}_${program}_over_UC_is \
			"UC connection not possible" ib_${operation}_$program -c UC
	done
	for operation in write read atomic; do
		add_refused ${operation}_${program}_over_UD_is \
			"UD connection only possible in SEND verb" \
			ib_${operation}_$program -c UD
	done
	add_refused atomic_${program}_all_sizes_are \
		"Message size cannot be changed for Atomic" ib_atomic_$program -a
done
for operation in send write read atomic; do
	add_refused ${operation}_lat_eight_queue_pairs_are \
		"Multiple QPs only available on bw tests" \
		ib_${operation}_lat -q 8
done
for operation in send write; do
	for program in bw lat; do
		add_refused ${operation}_${program}_over_UC_with_the_connection_manager_is \
			"UC is not supported in librdmacm" \
			ib_${operation}_$program -c UC -R
	done
done

test_XRC_is_refused() {
	local port
	port=$(next_tcp_port)
	ib_send_bw -d "$(device)" -c XRC -F -p "$port" &
	until_true 30 listening "$port"
	refused "Error opening XRC domain" \
		ib_send_bw -d "$(device)" -c XRC -F -p "$port" 127.0.0.1
}
TESTS+=(test_XRC_is_refused)

[ $# -gt 0 ] || set -- "${TESTS[@]}"
run_tests "$@"
