#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --driver tavor --sm --hcas 2 --hca cable=switch --packages "iperf3 fio"
# Kernels: 6.12
# Timeout: 1800
# Level: all
#
# Two HCAs on a modelled switch, with ib_tavor. By hand:
#   tools/testing/vm/run --driver tavor --sm --hcas 2 --hca cable=switch --packages "iperf3 fio" -- \
#     tools/testing/interop/switch_tavor.sh

# shellcheck source=SCRIPTDIR/switch.bash
. "$(dirname "$0")/switch.bash"

run_tests "$@"
