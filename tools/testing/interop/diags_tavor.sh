#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --driver tavor --sm
# Timeout: 600
# Level: ci
#
# infiniband-diags on ib_tavor. By hand:
#   tools/testing/vm/run --driver tavor --sm -- tools/testing/interop/diags_tavor.sh [test_NAME...]

# shellcheck source=SCRIPTDIR/diags.bash
. "$(dirname "$0")/diags.bash"
run_tests "$@"
