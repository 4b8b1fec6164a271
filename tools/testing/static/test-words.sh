#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: host
#
# Tests that words.sh finds each text that is not allowed, in a small tree. By hand: run this
# script.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=SCRIPTDIR/../vm/lib/try.bash
. "$here/../vm/lib/try.bash"

# found TEXT LINE [FILE]: with this line in a driver's file, only the result TEXT of words.sh is
# "not ok"
found() {
	local file=$tree/drivers/${3:-a.c}
	printf '%s\n' "$licence" "$2" >"$file"
	"$tree/tools/testing/static/words.sh" >"$work/out" 2>"$work/err"
	[ $? = 1 ] && grep -qE "^not ok [0-9]+ $1" "$work/out" &&
		[ "$(grep -c '^not ok' "$work/out")" = 1 ]
	result $? "found: $1${3:+ ($3)}"
	printf '%s\n' "$licence" "int a;" >"$file"
}

tree=$work/tree
licence="/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */"
mkdir -p "$tree/tools/testing/static" "$tree/drivers" "$tree/include"
cp "$here/words.sh" "$tree/tools/testing/static/"
ulp=infiniband/ulp
mkdir -p "$tree/drivers/$ulp/wq_server" "$tree/drivers/$ulp/softirq_server"
touch "$tree/drivers/a.c" "$tree/drivers/$ulp/wq_server/a.c" "$tree/drivers/$ulp/softirq_server/a.c"
git -C "$tree" init -q
git -C "$tree" add -A

echo "TAP version 13"
for file in "$tree/drivers/a.c" "$tree/drivers/$ulp"/*/a.c; do
	printf '%s\n' "$licence" "int a;" >"$file"
done
"$tree/tools/testing/static/words.sh" >"$work/out" 2>"$work/err"
result $? "a tree without such a text passes"
printf '%s\n' "$licence" "INIT""_WORK(&a, b); queue""_work(a, b);" \
	>"$tree/drivers/$ulp/wq_server/a.c"
"$tree/tools/testing/static/words.sh" >"$work/out" 2>"$work/err"
result $? "wq_server may have a work queue"
# A clone may be in the folder of temporary files, whose path the sources may mention.
clone=$(mktemp -d)
cp -r "$tree/." "$clone/"
printf '%s\n' "$licence" "/* ${TMPDIR:-/tmp}/file */" >"$clone/drivers/a.c"
"$clone/tools/testing/static/words.sh" >"$work/out" 2>"$work/err"
result $? "a tree in the folder of temporary files passes"
rm -rf "$clone"
# Written in two parts, so that this file itself has none of them.
found "nothing is left to do" "/* TO""DO */"
found "no path of the machine" "/* $work/file */"
found "the modules have no BUG_ON" "BUG""_ON(a);"
found "the modules have no work queue" "tasklet""_setup(&a, b);"
found "only recovery.c has a work item" "INIT""_WORK(&a, b);"
found "the modules have no work queue" "queue""_work(a, b);" "$ulp/softirq_server/a.c"
found "only recovery.c has a work item" "INIT""_WORK(&a, b);" "$ulp/softirq_server/a.c"
found "the modules do not poll" "m""delay(10);"
found "no white space" "int a; "
licence=
found "every source file names its licence" ""
echo "1..$number"
