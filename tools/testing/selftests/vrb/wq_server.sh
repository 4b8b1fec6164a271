#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Timeout: 600
# Guest: own
# Kernels: 6.12 7
# Runs: guest --driver mthca --sm --modules ib_wq_server
# Runs: guest --driver tavor --sm --modules ib_wq_server
#
# Connections to ib_wq_server, which is written as existing ULPs are: the tests of servers.bash. By
# hand:
#   tools/testing/vm/run --driver mthca --sm --modules ib_wq_server -- \
#	tools/testing/selftests/vrb/wq_server.sh

# shellcheck disable=SC2034 # for the tests
SERVER=ib_wq_server
# shellcheck source=SCRIPTDIR/servers.bash
. "$(dirname "$0")/servers.bash"

run_tests "$@"
