#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --driver mthca --sm --hcas 2 --hca cable=0.1-1.1,0.2-1.2
# Timeout: 1200
# Level: all
#
# Two HCAs joined by two cables, with ib_mthca. By hand:
#   tools/testing/vm/run --driver mthca --sm --hcas 2 --hca cable=0.1-1.1,0.2-1.2 -- tools/testing/interop/two_hcas.sh

# shellcheck source=SCRIPTDIR/two_hcas.bash
. "$(dirname "$0")/two_hcas.bash"

run_tests "$@"
