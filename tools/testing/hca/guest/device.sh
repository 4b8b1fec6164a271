#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --driver mthca
# Timeout: 600
# Level: ci
#
# The MT23108 with MSI-X and its memory visible. By hand:
#   tools/testing/vm/run --driver mthca -- tools/testing/hca/guest/device.sh

# shellcheck source=SCRIPTDIR/device.bash
. "$(dirname "$0")/device.bash"

run_tests "$@"
