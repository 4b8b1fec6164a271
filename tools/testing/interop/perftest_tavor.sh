#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --driver tavor --sm
# Level: all
# Timeout: 3000
#
# perftest on ib_tavor. By hand:
#   tools/testing/vm/run --driver tavor --sm -- tools/testing/interop/perftest_tavor.sh [test_NAME...]

# shellcheck source=SCRIPTDIR/perftest.bash
. "$(dirname "$0")/perftest.bash"
[ $# -gt 0 ] || set -- "${TESTS[@]}"
run_tests "$@"
