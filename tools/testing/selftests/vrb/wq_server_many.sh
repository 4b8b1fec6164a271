#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Timeout: 5400
# Level: all
# Guest: own
# Runs: guest --driver mthca --sm --modules ib_wq_server
# Runs: guest --driver tavor --sm --modules ib_wq_server
#
# Tests ten thousand connections to ib_wq_server, twice. By hand:
#   tools/testing/vm/run --driver mthca --sm --modules ib_wq_server -- \
#	tools/testing/selftests/vrb/wq_server_many.sh

# shellcheck disable=SC2034 # for the tests
SERVER=ib_wq_server
# shellcheck source=SCRIPTDIR/servers_many.bash
. "$(dirname "$0")/servers_many.bash"

run_many "$@"
