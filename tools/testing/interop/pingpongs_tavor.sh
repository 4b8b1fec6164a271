#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --driver tavor --sm
# Level: all
# Timeout: 1800
#
# libibverbs' pingpong programs on ib_tavor. By hand:
#   tools/testing/vm/run --driver tavor --sm -- tools/testing/interop/pingpongs_tavor.sh [test_NAME...]

# shellcheck source=SCRIPTDIR/pingpongs.bash
. "$(dirname "$0")/pingpongs.bash"
[ $# -gt 0 ] || set -- "${TESTS[@]}"
run_tests "$@"
