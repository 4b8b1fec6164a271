#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --driver tavor --sm --modules vrb_audit --hca waive=eq-overflow
# Timeout: 900
# Guest: own
# Level: all
#
# Tests that the overflow of an event queue fails the device, which comes back by itself. The queues
# have room for all that the HCA may write. So the HCA writes each event of the CQs twice, and no
# interrupt arrives, or the model only says that a queue has overflowed. Each process is told, and
# each request of a kernel client completes once. By hand:
#   tools/testing/vm/run --driver tavor --sm --modules vrb_audit --hca waive=eq-overflow -- \
#     tools/testing/selftests/tavor/eq_overflow.sh [test_NAME...]

RECOVERIES=6
# shellcheck source=SCRIPTDIR/faults.bash
. "$(dirname "$0")/faults.bash"

TEST_SECONDS=300

# overflowed MARK: the device has failed because a queue has overflowed, and is back
overflowed() {
	said "$1" 'device has failed: an event queue has overflowed' &&
		said "$1" 'recovery: the device is back'
}

# says_so ROUND: later in each round, the model says that a queue has overflowed
says_so() {
	sleep "0.$((3 * $1))"
	model '{"cmd":"event","hca":0,"type":15,"subtype":0,"data":[0,0,1,0]}' |
		grep -q '"ok":true'
}

ends_well() {
	until_true 60 overflowed "$1" || fail "$(messages_since "$1")"
}

test_the_requests_of_a_kernel_client() {
	sm_away
	reload softirq_objects=1
	audit_rounds says_so ends_well
}

test_the_events_of_CQs() {
	local since
	! loaded vrb_audit || rmmod vrb_audit
	sm_around reload num_cq=1024
	# It would cause commands and completions of its own.
	sm_away
	since=$(mark)
	"${TEST_BIN:-$TREE/build/guest/tavor}/comp_eqs" overflow || fail "it does not come back"
	overflowed "$since" || fail "$(messages_since "$since")"
}

run_tests "$@"
