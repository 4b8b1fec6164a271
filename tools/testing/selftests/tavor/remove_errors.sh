#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --driver tavor
# Kernels: 6.12 debug
# Timeout: 900
# Level: ci
#
# Tests that the removal completes when one of its firmware commands is refused or is never
# answered. The log names the command, nothing is left behind, and the next probe succeeds. By hand:
#   tools/testing/vm/run --driver tavor -- \
#     tools/testing/selftests/tavor/remove_errors.sh [test_NAME...]

# shellcheck source=SCRIPTDIR/faults.bash
. "$(dirname "$0")/faults.bash"

TEST_SECONDS=600

# removal_ends ACTION COMMAND N [FIELD=VALUE...]: the removal completes with this fault
removal_ends() {
	local since
	bound || bind || fail "it does not bind before $*"
	since=$(mark)
	one_fault "$@"
	unbind
	# For commands that destroy an object the log names the verb.
	said "$since" "${2%_QPEE}|DESTROY_|DEREG_|DEALLOC_" ||
		fail "the log does not name it: $*: $(messages_since "$since")"
	nothing_left "$since"
	messages_since "$since" | grep -oE -m 1 "(ib_tavor|ib_vrb).*"
}

# each_command ACTION [FIELD=VALUE...]: the last command of each kind, when most objects are gone
each_command() {
	local command count
	quick
	commands_of unbind >"$TEST_DIR/removal"
	cat "$TEST_DIR/removal"
	while read -r command count; do
		removal_ends "$1" "$command" "$count" "${@:2}"
	done <"$TEST_DIR/removal"
	usable
}

test_each_command_refused() {
	each_command status status=1
}

test_each_command_not_answered() {
	each_command drop
}

test_a_firmware_that_hangs() {
	quick
	removal_ends hang CLOSE_IB 1
	removal_ends hang HW2SW_EQ 1
	usable
}

test_a_register_that_stays_busy() {
	quick
	removal_ends go_stuck HW2SW_CQ 1
	removal_ends go_stuck CLOSE_HCA 1
	usable
}

test_the_module_loads_and_unloads_as_before() {
	module_comes_and_goes
}

run_tests "$@"
