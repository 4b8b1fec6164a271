#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Timeout: 600
# Runs: guest --driver mthca
# Level: ci
# Runs: guest --driver mthca --hca ddr_hidden=1
# As: hidden
# Level: all
# Runs: guest --driver mthca --iommu
# As: iommu
# Level: all
#
# Tests ib_mthca on the MT23108 with MSI-X. The variants are: memory that the host can see; memory
# that it cannot see (no BAR4, translations by command); and an IOMMU that unmaps at once, so that
# DMA to a page that the driver has freed is a violation. By hand:
#   tools/testing/vm/run --driver mthca -- tools/testing/hca/guest/device.sh [test_NAME...]

# shellcheck source=SCRIPTDIR/device.bash
. "$(dirname "$0")/device.bash"

run_tests "$@"
