#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Timeout: 900
# Runs: guest --driver mthca --sm
# Level: ci
# Runs: guest --driver tavor --sm
# Kernels: 7 6.12 debug
#
# Tests the tools of rdma-core and opensm. With ib_mthca it tests the HCA model. By hand:
#   tools/testing/vm/run --driver tavor --sm -- tools/testing/interop/rdma_core.sh [test_NAME...]

# shellcheck source=SCRIPTDIR/rdma_core.bash
. "$(dirname "$0")/rdma_core.bash"
run_tests "$@"
