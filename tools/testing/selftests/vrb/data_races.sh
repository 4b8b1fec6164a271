#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --driver none --hcas 0 --modules data_races --expect-complaint "KCSAN: data-race in race_"
# Kernels: kcsan
# Level: all
#
# Tests that the kernel that finds data races reports those of a module, and nothing that is none:
# two processors that count without a lock, or without the barriers that a hand-over needs.

# shellcheck source=SCRIPTDIR/../../vm/guest/test.bash
. "$(dirname "$0")/../../vm/guest/test.bash"

# reports [WHERE]: how many reports the log has, of accesses in this function
reports() {
	dmesg | grep -c "BUG: KCSAN: data-race in ${1:-}" || :
}

# counted HOW: the processors have counted in that way
counted() {
	! loaded data_races || rmmod data_races
	load_own data_races "how=$1"
}

test_the_kernel_has_tested_its_detector() {
	[ "$(dmesg | grep -c 'kcsan: selftest: \([0-9]*\)/\1 tests passed')" = 1 ]
}

test_what_a_lock_guards_is_not_reported() {
	counted locked
	[ "$(reports)" = 0 ]
}

test_a_hand_over_with_acquire_and_release_is_not_reported() {
	counted ordered
	[ "$(reports)" = 0 ]
}

test_counting_without_a_lock_is_reported() {
	counted plain
	[ "$(reports "race_plain ")" -gt 0 ]
}

test_hand_over_without_barriers_is_reported() {
	counted unordered
	[ "$(reports "race_unordered ")" -gt 0 ]
}

run_tests "$@"
