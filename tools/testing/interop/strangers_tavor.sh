#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --driver tavor --sm
# Kernels: 6.12 7 debug
# Timeout: 900
#
# rdma-core's own tools and opensm on ib_tavor: what they do with ib_mthca they do here. By hand:
#   tools/testing/vm/run --driver tavor --sm -- tools/testing/interop/strangers_tavor.sh [test_NAME...]

# shellcheck source=SCRIPTDIR/strangers.bash
. "$(dirname "$0")/strangers.bash"
run_tests "$@"
