#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --driver mthca --sm
# Level: all
# Timeout: 1800
#
# libibverbs' pingpong programs on ib_mthca. By hand:
#   tools/testing/vm/run --driver mthca --sm -- tools/testing/interop/pingpongs_mthca.sh [test_NAME...]

# shellcheck source=SCRIPTDIR/pingpongs.bash
. "$(dirname "$0")/pingpongs.bash"
[ $# -gt 0 ] || set -- "${TESTS[@]}"
run_tests "$@"
