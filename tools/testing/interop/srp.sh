#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Timeout: 900
# Level: all
# Runs: guest --driver mthca --sm --packages "iperf3 fio"
# Runs: guest --driver tavor --sm --packages "iperf3 fio"
#
# Tests SCSI over RDMA: the kernel's target on port 2 exports a RAM disk, its initiator on port 1
# uses it, and fio writes and verifies. By hand, with either driver:
#   tools/testing/vm/run --driver tavor --sm --packages "iperf3 fio" -- \
#     tools/testing/interop/srp.sh [test_NAME...]

# shellcheck source=SCRIPTDIR/../vm/guest/test.bash
. "$(dirname "$0")/../vm/guest/test.bash"
# shellcheck source=SCRIPTDIR/srp.bash
. "$(dirname "$0")/srp.bash"

TEST_SECONDS=300

test_target_and_initiator_meet() {
	srp_target_start 2 "$(srp_initiator 1)"
	srp_log_in 1 "$(srp_target 2)" "$(srp_guid)"
}

test_fio_verifies_what_it_wrote() {
	srp_fio
}

test_both_go() {
	srp_log_out
	srp_target_stop 2
}

run_tests "$@"
