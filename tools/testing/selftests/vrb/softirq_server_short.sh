#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Guest: own
# Runs: guest --driver tavor --sm --modules "ib_softirq_server fail_calls"
#
# Tests within a minute that ib_softirq_server accepts connections, refuses what is malformed, and
# survives a failed call. By hand:
#   tools/testing/vm/run --driver tavor --sm --modules "ib_softirq_server fail_calls" -- \
#	tools/testing/selftests/vrb/softirq_server_short.sh

# shellcheck disable=SC2034 # for the tests
SERVER=ib_softirq_server
# shellcheck source=SCRIPTDIR/servers.bash
. "$(dirname "$0")/servers.bash"

test_300_connections_32_at_a_time() {
	connections 300 --at-a-time 32
}

test_no_memory_for_a_qp() {
	and_is_told vrb_alloc_qp soft_conn -12
}

[ $# != 0 ] || set -- test_300_connections_32_at_a_time test_each_field_is_checked \
	test_no_memory_for_a_qp
trap unserve EXIT
serve
run_tests "$@"
