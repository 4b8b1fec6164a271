#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --driver tavor --sm --packages "iperf3 fio"
# Level: all
# Timeout: 1800
#
# perftest over the connection manager on ib_tavor. By hand:
#   tools/testing/vm/run --driver tavor --sm --packages "iperf3 fio" -- tools/testing/interop/perftest_cm_tavor.sh [test_NAME...]

# shellcheck source=SCRIPTDIR/perftest_cm.bash
. "$(dirname "$0")/perftest_cm.bash"
[ $# -gt 0 ] || set -- "${TESTS[@]}"
run_tests "$@"
