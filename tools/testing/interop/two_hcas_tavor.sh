#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --driver tavor --sm --hcas 2 --hca cable=0.1-1.1,0.2-1.2
# Timeout: 1200
# Level: all
#
# Two HCAs joined by two cables, with ib_tavor. By hand:
#   tools/testing/vm/run --driver tavor --sm --hcas 2 --hca cable=0.1-1.1,0.2-1.2 -- tools/testing/interop/two_hcas_tavor.sh

# shellcheck source=SCRIPTDIR/two_hcas.bash
. "$(dirname "$0")/two_hcas.bash"

run_tests "$@"
