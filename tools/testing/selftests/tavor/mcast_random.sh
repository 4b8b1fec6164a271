#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --driver tavor --sm
# Kernels: 6.12 debug
# Timeout: 300
# Level: ci
#
# Runs mcast_random.c, random attaches and detaches, on a group table of 64 buckets. SEED=N repeats
# a run. By hand:
#   tools/testing/vm/run --driver tavor --sm -- tools/testing/selftests/tavor/mcast_random.sh

# shellcheck source=SCRIPTDIR/faults.bash
. "$(dirname "$0")/faults.bash"

strict
trap 'sm_around reload' EXIT
sm_around reload num_mcg=64
"${TEST_BIN:-$TREE/build/guest/tavor}/mcast_random" "${SEED:-20261122}"
