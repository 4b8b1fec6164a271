#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --driver tavor --sm --hcas 2 --hca cable=0.1-1.1,0.2-1.2 --iommu --hca waive=dma-unmapped --hca waive=wqe-fetch --hca waive=cq-buffer --hca waive=eq-buffer --modules hold_calls
# Timeout: 600
# Guest: own
# Level: ci
#
# Tests the same as rebind_running, but with bus mastering on when the driver binds, as a boot ROM
# or a crashed kernel leaves it. Before that the HCA writes to memory that it no longer owns. This
# is not the driver's fault, so the model's rules are waived, and the recorded writes are counted.
# The driver is held when it is about to reset the HCA; from then on there must be no further write.
# By hand:
#   tools/testing/vm/run --driver tavor --sm --hcas 2 --hca cable=0.1-1.1,0.2-1.2 --iommu \
#     --hca waive=dma-unmapped --hca waive=wqe-fetch --hca waive=cq-buffer \
#     --hca waive=eq-buffer --modules hold_calls -- \
#     tools/testing/selftests/tavor/rebind_writing.sh

# shellcheck source=SCRIPTDIR/running.bash
. "$(dirname "$0")/running.bash"

HOLD=/sys/module/hold_calls/parameters

written() {
	recorded waived 0
}

more_written() {
	[ "$(written)" -gt "$1" ]
}

held() {
	[ "$(<"$HOLD/held")" = Y ]
}

test_an_HCA_that_writes_is_stopped_before_it_is_reset() {
	local before binding
	rmmod hold_calls
	load_own hold_calls function=tavor_reset
	leave_running
	setpci -s "$ADDRESS" COMMAND=4:4
	before=$(written)
	until_true 20 more_written "$before" || fail "nothing is written with bus mastering on"
	echo "$ADDRESS" >"$TAVOR/bind" &
	binding=$!
	until_true 20 held || fail "the driver does not reset the HCA"
	before=$(written)
	would_write 0 || fail "the HCA still takes packets: $(($(written) - before)) writes more"
	held || fail "it was not held for long enough"
	[ "$(written)" = "$before" ] || fail "$(($(written) - before)) writes before the reset"
	echo 1 >"$HOLD/go_on"
	wait "$binding"
	[ -e "$TAVOR/$ADDRESS" ]
	pour_ends
	[ "$(written)" = "$before" ] || fail "$(($(written) - before)) writes after the reset"
}

run_tests "$@"
