#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Timeout: 1800
# Level: all
# Runs: guest --driver mthca --sm --hcas 2 --hca cable=switch --packages "iperf3 fio"
# Runs: guest --driver tavor --sm --hcas 2 --hca cable=switch --packages "iperf3 fio"
#
# Tests two HCAs on a modelled switch with opensm and infiniband-diags. By hand, with either driver:
#   tools/testing/vm/run --driver tavor --sm --hcas 2 --hca cable=switch \
#     --packages "iperf3 fio" -- tools/testing/interop/switch.sh [test_NAME...]

# shellcheck source=SCRIPTDIR/switch.bash
. "$(dirname "$0")/switch.bash"

run_tests "$@"
