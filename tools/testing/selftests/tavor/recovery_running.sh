#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --driver tavor --sm --hcas 2 --hca cable=0.1-1.1,0.2-1.2 --iommu
# Timeout: 600
# Guest: own
# Level: ci
#
# Tests the recovery of a device whose HCA is still running and receives traffic. The HCA must not
# write to memory before it has been reset. Under the IOMMU the model records such a write as a
# violation, which fails the run. The packets that the model drops because it cannot write show that
# there is traffic. By hand:
#   tools/testing/vm/run --driver tavor --sm --hcas 2 --hca cable=0.1-1.1,0.2-1.2 --iommu -- \
#     tools/testing/selftests/tavor/recovery_running.sh

# shellcheck source=SCRIPTDIR/running.bash
. "$(dirname "$0")/running.bash"

test_an_HCA_that_goes_on_writes_nothing_while_it_is_recovered() {
	local before since
	before=$(recorded violations 0)
	since=$(mark)
	fail_running
	devlink health recover "pci/$ADDRESS" reporter fatal
	said "$since" 'recovery: the device is back'
	[ "$(recorded violations 0)" = "$before" ] ||
		fail "$(($(recorded violations 0) - before)) violations"
	until_true 20 test -e "/sys/bus/pci/devices/$ADDRESS/infiniband"
	pour_ends
}

run_tests "$@"
