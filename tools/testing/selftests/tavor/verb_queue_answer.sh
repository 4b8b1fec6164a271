#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --driver tavor --modules hold_calls
# Timeout: 300
# Guest: own
# Level: ci
#
# Tests a submit to a verb queue whose result another thread unmaps meanwhile. A call that has
# accepted a request must not fail. By hand:
#   tools/testing/vm/run --driver tavor --modules hold_calls -- \
#     tools/testing/selftests/tavor/verb_queue_answer.sh

# shellcheck source=SCRIPTDIR/verb_queue.bash
. "$(dirname "$0")/verb_queue.bash"

# The first caller of this function is the submit, after it has written the result once.
test_a_result_that_is_unmapped_meanwhile() {
	rmmod hold_calls
	load_own hold_calls function=tavor_queue_get
	"$PROGRAM" unmapped >"$TEST_DIR/out"
	cat "$TEST_DIR/out"
	grep -qx 'submit: 0, completions: 1, held' "$TEST_DIR/out"
	rmmod hold_calls
}

run_tests "$@"
