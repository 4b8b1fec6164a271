#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --driver mthca --sm
# Level: all
# Timeout: 3000
#
# perftest on ib_mthca. By hand:
#   tools/testing/vm/run --driver mthca --sm -- tools/testing/interop/perftest_mthca.sh [test_NAME...]

# shellcheck source=SCRIPTDIR/perftest.bash
. "$(dirname "$0")/perftest.bash"
[ $# -gt 0 ] || set -- "${TESTS[@]}"
run_tests "$@"
