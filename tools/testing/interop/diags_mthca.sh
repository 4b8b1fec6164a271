#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --driver mthca --sm
# Timeout: 600
# Level: all
#
# infiniband-diags on the distribution's ib_mthca: they judge the HCA model's agents. By hand:
#   tools/testing/vm/run --driver mthca --sm -- tools/testing/interop/diags_mthca.sh [test_NAME...]

# shellcheck source=SCRIPTDIR/diags.bash
. "$(dirname "$0")/diags.bash"
run_tests "$@"
