#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Timeout: 900
# Level: all
# Guest: own
# Runs: guest --driver mthca --sm --modules "ib_wq_server fail_calls long_sends"
# Runs: guest --driver tavor --sm --modules "ib_wq_server fail_calls long_sends"
#
# Tests connections to ib_wq_server, which is written like existing ULPs, and failures of its calls.
# The tests of servers.bash are included. By hand:
#   tools/testing/vm/run --driver mthca --sm --modules "ib_wq_server fail_calls long_sends" -- \
#	tools/testing/selftests/vrb/wq_server.sh

# shellcheck disable=SC2034 # for the tests
SERVER=ib_wq_server
# shellcheck source=SCRIPTDIR/servers.bash
. "$(dirname "$0")/servers.bash"

# A drain would move the QP to the error state, which ib_mthca refuses in RESET: ib_core warns then.
test_a_start_whose_transitions_are_refused() {
	local before since n
	unserve
	before=$(resources)
	since=$(mark)
	for n in 1 2 3; do
		no_calls_fail
		load_own fail_calls function=ib_modify_qp caller="[$SERVER]" value=-5 every="$n"
		load_own "$SERVER"
		[ -z "$(ls "$DEBUG")" ]
		[ "$(</sys/module/fail_calls/parameters/failed)" = 1 ]
		unserve
	done
	no_calls_fail
	kept "$before"
	messages_since "$since" | absent 'failed to drain|WARNING' -
	load_own "$SERVER"
	connections 10
}

test_no_memory_for_a_connection() {
	and_is_told __kmalloc_cache_noprof wq_conn 0
}

test_no_memory_for_a_cq() {
	and_is_told __ib_alloc_cq wq_conn -12
}

test_no_memory_for_a_qp() {
	and_is_told ib_create_qp_kernel wq_conn -12
}

test_a_transition_is_refused() {
	and_is_told ib_modify_qp wq_conn -5
}

test_no_memory_for_an_answer() {
	local before
	before=$(shown unsent)
	a_call_fails rdma_create_ah wq_send -12
	[ "$(shown unsent)" -gt "$before" ]
}

run_tests "$@"
