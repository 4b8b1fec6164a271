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

# The driver tests its interrupt with a NOP, and then uses INTx. Nothing waits for a command of the
# driver while messages are lost, as that would take a minute.
test_messages_of_MSI_X_that_never_arrive() {
	trap 'model_set 0 lose_msix 0' EXIT
	modprobe -r ib_mthca
	model_set 0 lose_msix 1
	reload
	dmesg | grep -A 1 'NOP command failed to generate interrupt' |
		grep 'Trying again with MSI-X disabled'
	grep mthca /proc/interrupts | absent MSI -
	ibv_devinfo -v >/dev/null
	model_set 0 lose_msix 0
	reload
	grep mthca /proc/interrupts | grep -q MSI || fail "it still uses INTx"
}

run_tests "$@"
