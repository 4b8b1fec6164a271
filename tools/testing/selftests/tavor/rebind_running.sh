#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Timeout: 600
# Guest: own
# Runs: guest --driver tavor --sm --hcas 2 --hca cable=0.1-1.1,0.2-1.2 --iommu
# As: tavor
# Level: ci
# Runs: guest --driver tavor --sm --hcas 2 --hca cable=0.1-1.1,0.2-1.2 --iommu --hca waive=dma-unmapped --hca waive=wqe-fetch --hca waive=cq-buffer --hca waive=eq-buffer
# As: mthca
# Level: all
#
# Tests that the driver can bind to an HCA that is still running and receives traffic, as after a
# failure, a crash or kexec. The HCA must not write to memory before it has been reset. Under the
# IOMMU the model records such a write as a violation, which fails the run. The packets that the
# model drops because it cannot write show that there is traffic. ib_mthca, which is bound to the
# HCA that ib_tavor has left running, switches bus mastering on before it resets the HCA, so the HCA
# writes; its run waives the rules. By hand:
#   tools/testing/vm/run --driver tavor --sm --hcas 2 --hca cable=0.1-1.1,0.2-1.2 --iommu -- \
#     tools/testing/selftests/tavor/rebind_running.sh

# shellcheck source=SCRIPTDIR/running.bash
. "$(dirname "$0")/running.bash"

MTHCA=/sys/bus/pci/drivers/ib_mthca

test_an_HCA_left_running_is_reset_before_it_may_write() {
	local before
	before=$(recorded violations 0)
	leave_running
	echo "$ADDRESS" >"$TAVOR/bind"
	[ -e "$TAVOR/$ADDRESS" ]
	pour_ends
	[ "$(recorded violations 0)" = "$before" ] ||
		fail "$(($(recorded violations 0) - before)) violations"
}

# In the guest of ib_mthca
an_HCA_left_running_writes_before_ib_mthca_resets_it() {
	local before
	leave_running
	before=$(recorded waived 0)
	modprobe ib_mthca
	until_true 30 test -e "$MTHCA/$ADDRESS"
	pour_ends
	rmmod ib_mthca
	[ "$(recorded waived 0)" -gt "$before" ] || fail "nothing was written before the reset"
}

case ${TEST_NAME:-} in
*-mthca) [ $# != 0 ] || set -- an_HCA_left_running_writes_before_ib_mthca_resets_it ;;
esac
run_tests "$@"
