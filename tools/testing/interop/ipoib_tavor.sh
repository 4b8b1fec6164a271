#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --driver tavor --sm --packages "iperf3 fio"
# Level: all
# Timeout: 1800
#
# IPoIB and the RDMA connection manager on ib_tavor. By hand:
#   tools/testing/vm/run --driver tavor --sm --packages "iperf3 fio" -- tools/testing/interop/ipoib_tavor.sh [test_NAME...]

# shellcheck source=SCRIPTDIR/ipoib.bash
. "$(dirname "$0")/ipoib.bash"
run_tests "$@"
