#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --driver mthca --sm --packages "iperf3 fio"
# Level: all
# Timeout: 1800
#
# IPoIB and the RDMA connection manager on ib_mthca. By hand:
#   tools/testing/vm/run --driver mthca --sm --packages "iperf3 fio" -- tools/testing/interop/ipoib_mthca.sh [test_NAME...]

# shellcheck source=SCRIPTDIR/ipoib.bash
. "$(dirname "$0")/ipoib.bash"
# shellcheck disable=SC2034 # for ipoib_pair.bash; all that IPoIB can
CM_MTU=65520
run_tests "$@"
