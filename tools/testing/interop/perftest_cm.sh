#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Timeout: 1800
# Level: all
# Runs: guest --driver mthca --sm --packages "iperf3 fio"
# Runs: guest --driver tavor --sm --packages "iperf3 fio"
#
# Tests perftest with queue pairs that the connection manager connects (-R), over IPoIB between the
# two ports: each program over the transports of librdmacm. By hand, with either driver:
#   tools/testing/vm/run --driver tavor --sm --packages "iperf3 fio" -- \
#     tools/testing/interop/perftest_cm.sh [test_NAME...]

# shellcheck source=SCRIPTDIR/ipoib_ports.bash
. "$(dirname "$0")/ipoib_ports.bash"

TEST_SECONDS=300

# attempt COMMAND...: runs the client; false if nobody listens yet, which only the client can find
# out
attempt() {
	client_status=0
	timeout 300 "$@" >"$TEST_DIR/client" 2>&1 || client_status=$?
	[ "$client_status" = 0 ] || ! grep -q "Unexpected CM event .* 8$" "$TEST_DIR/client"
}

# connected PROGRAM OPTION...: runs the server on the far side and the client here
connected() {
	local pid client_status=0
	set_up
	far "$1" -R -F -d "$(device)" -i 2 "${@:2}" >"$TEST_DIR/server" 2>&1 &
	pid=$!
	sleep 1
	until_true 60 attempt "$1" -R -F -d "$(device)" -i 1 "${@:2}" "$THERE" || :
	cat "$TEST_DIR/client"
	[ "$client_status" = 0 ] ||
		{ sed 's/^/server: /' "$TEST_DIR/server"; fail "client: status $client_status"; }
	wait "$pid" || { sed 's/^/server: /' "$TEST_DIR/server"; fail "the server failed"; }
}

# add NAME PROGRAM OPTION...: adds a test of that name
add() {
	eval "test_$1_with_the_connection_manager() { connected ${*:2}; }"
	TESTS+=("test_$1_with_the_connection_manager")
}

TESTS=()
for program in bw lat; do
	add send_${program}_RC ib_send_$program -n 100
	add send_${program}_UD ib_send_$program -c UD -s 1024 -n 100
	add write_$program ib_write_$program -n 100
	add read_$program ib_read_$program -n 100
	add atomic_$program ib_atomic_$program -n 100
done
for operation in send write read atomic; do
	add ${operation}_bw_eight_queue_pairs ib_${operation}_bw -q 8 -n 100
done
for operation in send write read; do
	add ${operation}_bw_all_sizes ib_${operation}_bw -a -n 5
done
add send_bw_RC_events ib_send_bw -e -n 100
add send_bw_UD_events ib_send_bw -c UD -s 1024 -e -n 100
add read_bw_events ib_read_bw -e -n 100

test_the_interfaces_go() {
	set_up
	pair_down
}
TESTS+=(test_the_interfaces_go)

[ $# -gt 0 ] || set -- "${TESTS[@]}"
run_tests "$@"
