#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Timeout: 5400
# Level: all
# Guest: own
# Runs: guest --driver tavor --sm --modules ib_softirq_server
#
# Tests ten thousand connections to ib_softirq_server, twice. By hand:
#   tools/testing/vm/run --driver tavor --sm --modules ib_softirq_server -- \
#	tools/testing/selftests/vrb/softirq_server_many.sh

# shellcheck disable=SC2034 # for the tests
SERVER=ib_softirq_server
# shellcheck source=SCRIPTDIR/servers_many.bash
. "$(dirname "$0")/servers_many.bash"

trap unserve EXIT
serve
run_many "$@"
