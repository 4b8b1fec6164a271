#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: host
#
# Tests how results are read and counted: a test that prints nothing, prints a wrong plan, dies or
# is cut short must not look like one that passed.

cd "$(dirname "$0")/.." || exit 1
# shellcheck source=SCRIPTDIR/../lib/try.bash
. lib/try.bash

# counts TEXT "PASSED FAILED SKIPPED" LINE...
counts() {
	local text=$1 want=$2 p f s _
	shift 2
	printf '%s\n' "$@" | awk -v totals="$work/totals" -v expect="t/a" -f lib/tap.awk \
		>"$work/out"
	read -r p f s _ <"$work/totals"
	[ "$p $f $s" = "$want" ]
	result $? "$text"
}

echo "TAP version 13"
counts "results are counted one by one" "2 1 1" "@@ begin t/a" "TAP version 13" "1..4" "ok 1 one" \
	"not ok 2 two" "ok 3 three # SKIP no device" "ok 4 - four" "@@ end t/a 1"
counts "subtests belong to their test" "1 0 0" "@@ begin t/a" "1..1" "    ok 1 inner" \
	"    not ok 2 inner" \
	"ok 1 outer" "@@ end t/a 0"
counts "a plain program passes by its status" "1 0 0" "@@ begin t/a" "hello" "@@ end t/a 0"
counts "a plain program fails by its status" "0 1 0" "@@ begin t/a" "hello" "@@ end t/a 1"
counts "status 4 without results is a skip" "0 0 1" "@@ begin t/a" "@@ end t/a 4"
counts "the plans of several programs in one test add up" "3 0 0" "@@ begin t/a" "1..2" "ok 1 one" \
	"ok 2 two" \
	"1..1" "ok 1 three" "@@ end t/a 0"
counts "a plan of no tests is a skip" "0 0 1" "@@ begin t/a" "1..0 # SKIP no device" "@@ end t/a 0"
counts "fewer results than planned fail" "1 1 0" "@@ begin t/a" "1..2" "ok 1 one" "@@ end t/a 0"
counts "more results than planned fail" "2 1 0" "@@ begin t/a" "1..1" "ok 1 one" "ok 2 two" \
	"@@ end t/a 0"
counts "a failing status with good results fails" "1 1 0" "@@ begin t/a" "ok 1 one" "1..1" \
	"@@ end t/a 139"
counts "a time-out fails" "1 1 0" "@@ begin t/a" "ok 1 one" "@@ end t/a 124"
counts "bailing out fails" "1 1 0" "@@ begin t/a" "ok 1 one" "Bail out! no device" "@@ end t/a 1"
counts "a test cut short fails" "1 1 0" "@@ begin t/a" "ok 1 one"
counts "a test that never ran fails" "1 1 0" "@@ begin t/b" "ok 1 one" "@@ end t/b 0"
counts "nothing at all fails" "0 1 0" ""
counts "a result outside any test is no result" "1 0 0" "ok 1 stray" "@@ begin t/a" "@@ end t/a 0"
echo "1..$number"
