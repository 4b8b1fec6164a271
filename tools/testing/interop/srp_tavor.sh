#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --driver tavor --sm --packages "iperf3 fio"
# Level: all
# Timeout: 900
#
# SRP initiator and target on ib_tavor. By hand:
#   tools/testing/vm/run --driver tavor --sm --packages "iperf3 fio" -- tools/testing/interop/srp_tavor.sh [test_NAME...]

# shellcheck source=SCRIPTDIR/srp.bash
. "$(dirname "$0")/srp.bash"
run_tests "$@"
