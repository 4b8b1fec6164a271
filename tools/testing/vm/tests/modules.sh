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

# compiled TIMES TEXT "DIR...": asks for these folders; by now, TIMES compilations have run
compiled() {
	modules 6.12 "$3" 2>"$work/err"
	[ "$(wc -l <"$log")" = "$1" ]
	result $? "$2"
}

# asked_by_demo: the folders that "make demo" passes to kbuild
asked_by_demo() {
	local folders
	# shellcheck disable=SC2016 # the text of demo
	folders=$(sed -n 's/^"$VM_DIR\/kbuild" --kernel "$kernel" *//p' "$VM_DIR/demo")
	eval echo "$folders"
}

echo "TAP version 13"
compiled 1 "folders that were not compiled yet are compiled" "$(asked_by_demo)"
compiled 1 "unchanged folders are not compiled again" "$(asked_by_demo)"
compiled 1 "a run compiles nothing after make demo" "$(modules_dirs ib_tavor ib_vrb)"
compiled 1 "spaces in the list of folders do not matter" "  ${DRIVER_DIRS// /  } "
compiled 2 "other folders are compiled" "tools/testing/selftests/vrb/mock $DRIVER_DIRS"
compiled 2 "the first folders need no new compilation" "$DRIVER_DIRS"
modules_state() { echo other; }
compiled 3 "changed folders are compiled" "$DRIVER_DIRS"
echo "1..$number"
