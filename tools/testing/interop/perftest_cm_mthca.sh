#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --driver mthca --sm --packages "iperf3 fio"
# Level: all
# Timeout: 1800
#
# perftest over the connection manager on ib_mthca. By hand:
#   tools/testing/vm/run --driver mthca --sm --packages "iperf3 fio" -- tools/testing/interop/perftest_cm_mthca.sh [test_NAME...]

# shellcheck source=SCRIPTDIR/perftest_cm.bash
. "$(dirname "$0")/perftest_cm.bash"
[ $# -gt 0 ] || set -- "${TESTS[@]}"
run_tests "$@"
