#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --driver mthca --iommu
# Kernels: 6.12
# Timeout: 600
# Level: all
#
# An IOMMU that unmaps at once: DMA to a page the driver has given back is a violation. By hand:
#   tools/testing/vm/run --driver mthca --iommu -- tools/testing/hca/guest/device_iommu.sh

# shellcheck source=SCRIPTDIR/device.bash
. "$(dirname "$0")/device.bash"

run_tests "$@"
