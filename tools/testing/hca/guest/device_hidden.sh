#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --driver mthca --hca ddr_hidden=1
# Kernels: 6.12
# Timeout: 600
# Level: all
#
# Memory that the host cannot see: no BAR4, translations by command. By hand:
#   tools/testing/vm/run --driver mthca --hca ddr_hidden=1 -- tools/testing/hca/guest/device_hidden.sh

# shellcheck source=SCRIPTDIR/device.bash
. "$(dirname "$0")/device.bash"

run_tests "$@"
