#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --driver mthca --sm
# Kernels: 6.12 7
# Timeout: 900
#
# rdma-core's own tools and opensm on the distribution's ib_mthca: they judge the HCA model. By hand:
#   tools/testing/vm/run --driver mthca --sm -- tools/testing/interop/strangers_mthca.sh [test_NAME...]

# shellcheck source=SCRIPTDIR/strangers.bash
. "$(dirname "$0")/strangers.bash"
run_tests "$@"
