#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --driver tavor --modules "hold_calls fail_calls"
# Timeout: 300
# Guest: own
# Level: ci
#
# Tests a submit to a verb queue whose result another thread unmaps meanwhile: a call that has
# accepted a request must not fail. Tests a read whose buffer is absent each time when the kernel
# copies the completion there: it ends, and the completion is not lost. By hand:
#   tools/testing/vm/run --driver tavor --modules "hold_calls fail_calls" -- \
#     tools/testing/selftests/tavor/verb_queue_answer.sh

# shellcheck source=SCRIPTDIR/verb_queue.bash
. "$(dirname "$0")/verb_queue.bash"

# The first caller of this function is the submit, after it has written the result once.
test_a_result_that_is_unmapped_meanwhile() {
	! loaded hold_calls || rmmod hold_calls
	load_own hold_calls function=tavor_queue_get
	"$PROGRAM" unmapped >"$TEST_DIR/out"
	cat "$TEST_DIR/out"
	grep -qx 'submit: 0, completions: 1, held' "$TEST_DIR/out"
	rmmod hold_calls
}

# copies_fail TIMES: as often, the copy of a completion to the process fails; writes the results of
# two reads into $TEST_DIR/out
copies_fail() {
	! loaded fail_calls || rmmod fail_calls
	load_own fail_calls function=copy_to_user_nofault caller='[ib_tavor]' value=-14 times="$1"
	"$PROGRAM" faulty >"$TEST_DIR/out"
	cat "$TEST_DIR/out"
	[ "$(</sys/module/fail_calls/parameters/failed)" = "$1" ]
	rmmod fail_calls
}

# FAULTS: how often the driver tries to copy
FAULTS=16

test_a_read_whose_buffer_disappears_again_and_again_ends() {
	copies_fail "$FAULTS"
	printf 'read: %s\n' 'Bad address' 'the completion' | diff - "$TEST_DIR/out"
}

test_a_read_whose_buffer_disappears_sometimes_succeeds() {
	copies_fail $((FAULTS - 1))
	printf 'read: %s\n' 'the completion' 'Resource temporarily unavailable' |
		diff - "$TEST_DIR/out"
}

run_tests "$@"
