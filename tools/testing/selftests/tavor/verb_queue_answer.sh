#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --driver tavor --modules "hold_calls fail_calls"
# Timeout: 300
# Guest: own
# Level: ci
#
# Tests calls of a verb queue during which something else happens. A submit and a destroy of the
# same QP at the same time: the one that comes later fails with EBUSY and changes nothing. A submit
# whose result another thread unmaps meanwhile: a call that has accepted a request must not fail. A
# read whose buffer is absent each time when the kernel copies the completion there: it ends, and
# the completion is not lost. By hand:
#   tools/testing/vm/run --driver tavor --modules "hold_calls fail_calls" -- \
#     tools/testing/selftests/tavor/verb_queue_answer.sh

# shellcheck source=SCRIPTDIR/verb_queue.bash
. "$(dirname "$0")/verb_queue.bash"

# held FUNCTION MODE: runs the program, whose first call of this function is held until the program
# lets it go on; its output is in $TEST_DIR/out
held() {
	! loaded hold_calls || rmmod hold_calls
	load_own hold_calls function="$1"
	"$PROGRAM" "$2" >"$TEST_DIR/out"
	cat "$TEST_DIR/out"
	rmmod hold_calls
}

# The submit has found the QP, and has accepted nothing yet.
test_a_destroy_during_a_submit_is_busy() {
	held tavor_queue_get destroy-busy
	diff - "$TEST_DIR/out" <<-EOF
		destroy during the submit: Device or resource busy
		submit: 1, completions: 1, status 0
		destroy afterwards: Success
	EOF
}

test_a_submit_during_a_destroy_is_busy() {
	held tavor_queue_forget_qp submit-busy
	diff - "$TEST_DIR/out" <<-EOF
		submit during the destroy: Device or resource busy, no completion
		destroy: Success
	EOF
}

# The submit is held after it has written the result once.
test_a_result_that_is_unmapped_meanwhile() {
	held tavor_queue_get unmapped
	grep -qx 'submit: 0, completions: 1, held' "$TEST_DIR/out"
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
