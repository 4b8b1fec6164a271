#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --driver tavor --sm --hcas 2 --hca cable=0.1-1.1,0.2-1.2 --iommu
# Timeout: 600
# Guest: own
# Level: ci
#
# Tests that the driver can bind to an HCA that is still running and receives traffic, as after a
# failure, a crash or kexec. The HCA must not write to memory before it has been reset. Under the
# IOMMU the model records such a write as a violation, which fails the run. The packets that the
# model drops because it cannot write show that there is traffic. By hand:
#   tools/testing/vm/run --driver tavor --sm --hcas 2 --hca cable=0.1-1.1,0.2-1.2 --iommu -- \
#     tools/testing/selftests/tavor/rebind_running.sh

# shellcheck source=SCRIPTDIR/running.bash
. "$(dirname "$0")/running.bash"

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

run_tests "$@"
