#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --driver mthca --sm --packages "iperf3 fio"
# Level: all
# Timeout: 900
#
# SRP initiator and target on ib_mthca. By hand:
#   tools/testing/vm/run --driver mthca --sm --packages "iperf3 fio" -- tools/testing/interop/srp_mthca.sh [test_NAME...]

# shellcheck source=SCRIPTDIR/srp.bash
. "$(dirname "$0")/srp.bash"
run_tests "$@"
