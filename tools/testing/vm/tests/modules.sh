#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: host
#
# Tests that modules are compiled when something has changed, and not otherwise. Nothing is compiled
# here: the test counts the calls.

# shellcheck source-path=SCRIPTDIR/..
. "$(dirname "$0")/../lib/all.sh"
. "$VM_DIR/lib/try.bash"
set +e
BUILD=$work/build
log=$work/out
: >"$log"

kernel() { echo "$work/kernel"; }
modules_sync() { :; }
modules_install() { :; }
modules_make() { echo "$3" >>"$log"; }

# compiled TIMES TEXT "DIR...": so many times by now, once it has been asked for these
compiled() {
	modules 6.12 "$3" 2>"$work/err"
	[ "$(wc -l <"$log")" = "$1" ]
	result $? "$2"
}

# asked_by_demo: the folders that make demo passes to kbuild
asked_by_demo() {
	local folders
	# shellcheck disable=SC2016 # the text of demo
	folders=$(sed -n 's/^"$VM_DIR\/kbuild" --kernel "$kernel" *//p' "$VM_DIR/demo")
	eval echo "$folders"
}

echo "TAP version 13"
compiled 1 "what was not there is compiled" "$(asked_by_demo)"
compiled 1 "what has not changed is not" "$(asked_by_demo)"
compiled 1 "what a run asks for is what make demo has compiled" "$(modules_dirs ib_tavor ib_vrb)"
compiled 1 "nor does it matter how it is spaced" "  ${DRIVER_DIRS// /  } "
compiled 2 "other folders are" "tools/testing/selftests/vrb/mock $DRIVER_DIRS"
compiled 2 "and the first ones are still there" "$DRIVER_DIRS"
modules_state() { echo other; }
compiled 3 "what has changed is" "$DRIVER_DIRS"
echo "1..$number"
