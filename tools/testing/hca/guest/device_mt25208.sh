#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --driver mthca --hca device=mt25208
# Kernels: 6.12
# Timeout: 600
# Level: all
#
# Tests ib_mthca on the MT25208 in Tavor mode, on PCI Express. By hand:
#   tools/testing/vm/run --driver mthca --hca device=mt25208 -- \
#     tools/testing/hca/guest/device_mt25208.sh

# shellcheck source=SCRIPTDIR/device.bash
. "$(dirname "$0")/device.bash"
# shellcheck disable=SC2034 # for device.bash
DEVICE_ID=6278
run_tests "$@"
