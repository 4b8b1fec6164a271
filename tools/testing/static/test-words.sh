#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: host
#
# words.sh finds each thing it looks for in a small tree that has them all. By hand: run this
# script.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=SCRIPTDIR/../vm/lib/try.bash
. "$here/../vm/lib/try.bash"

# found TEXT LINE: in a driver's file with that line, words.sh has a result of that text that is not
# good
found() {
	printf '%s\n' "$licence" "$2" >"$tree/drivers/a.c"
	"$tree/tools/testing/static/words.sh" >"$work/out" 2>"$work/err"
	[ $? = 1 ] && grep -qE "^not ok [0-9]+ $1" "$work/out" &&
		[ "$(grep -c '^not ok' "$work/out")" = 1 ]
	result $? "found: $1"
}

tree=$work/tree
licence="/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */"
mkdir -p "$tree/tools/testing/static" "$tree/drivers" "$tree/include"
cp "$here/words.sh" "$tree/tools/testing/static/"
touch "$tree/drivers/a.c"
git -C "$tree" init -q
git -C "$tree" add -A

echo "TAP version 13"
printf '%s\n' "$licence" "int a;" >"$tree/drivers/a.c"
"$tree/tools/testing/static/words.sh" >"$work/out" 2>"$work/err"
result $? "a tree without any"
# Put together, so that this file has none of them.
found "nothing is left to do" "/* TO""DO */"
found "no path of the machine" "/* $work/file */"
found "the modules have no BUG_ON" "BUG""_ON(a);"
found "the modules have no work queue" "tasklet""_setup(&a, b);"
found "only recovery.c has a work item" "INIT""_WORK(&a, b);"
found "the modules do not poll" "m""delay(10);"
found "no white space" "int a; "
licence=
found "every source file names its licence" ""
echo "1..$number"
