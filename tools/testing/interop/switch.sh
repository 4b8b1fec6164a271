#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --driver mthca --sm --hcas 2 --hca cable=switch --packages "iperf3 fio"
# Timeout: 1800
# Level: all
#
# Two HCAs on a modelled switch, judged by ib_mthca, opensm and infiniband-diags. By hand:
#   tools/testing/vm/run --driver mthca --sm --hcas 2 --hca cable=switch --packages "iperf3 fio" -- \
#     tools/testing/interop/switch.sh

# shellcheck source=SCRIPTDIR/switch.bash
. "$(dirname "$0")/switch.bash"

run_tests "$@"
