#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --driver none --hcas 0 --modules "ib_vrb vrb_mock" --expect-complaint "WARNING: .*vrb_"
# Kernels: 6.12 kcsan
#
# Tests which misuse the request engine refuses with a warning in the kernel's log. What only a
# kernel with debug objects detects is tested by freed.sh.
# Usage: misuse.sh [NAME...]

. "$(dirname "$0")/lib.sh"

# once NAME: the warning that the test provokes many times has been logged exactly once
once() {
	local text
	case $1 in
	misuse_destroys_of_ib_core_objects) text='\[vrb_mock\] destroys what is no shell' ;;
	misuse_shells_given_to_ib_core) text='ib_destroy_qp() of a shell' ;;
	misuse_shell_given_to_ib_free_cq) text='() of a shell' ;;
	*) return 0 ;;
	esac
	[ "$(dmesg | grep -c "$text")" = 1 ]
}

setup misuse
select_tests misuse "$@"
for name in "${names[@]}"; do
	run_one "$name"
	once "$name" || result=fail
	report "$name" "$result"
done
exit "$status"
