#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: host
#
# Tests that the commands of "Your own client" in Documentation/tutorial.rst make a client and a
# test that the bench finds, and with which the checks of the tree still pass. Only what boots a
# guest is listed instead. By hand: run this script.

tree=$(cd "$(dirname "$0")/../../.." && pwd)
# shellcheck source=SCRIPTDIR/../vm/lib/try.bash
. "$tree/tools/testing/vm/lib/try.bash"
copy=$work/copy

# commands: prints the commands of the section
commands() {
	awk '/^===/ { on = (line == "Your own client") }
		{ line = $0 }
		on && sub(/^    /, "")' "$tree/Documentation/tutorial.rst"
}

# runs COMMAND...: runs it in the copy
runs() {
	(cd "$copy" && "$@") >"$work/out" 2>"$work/err" </dev/null
}

git -c safe.directory="$tree" -C "$tree" ls-files -z --cached --others --exclude-standard |
	rsync -a --from0 --files-from=- --ignore-missing-args "$tree/" "$copy/"
commands | sed 's|vm/check |vm/check --list |' >"$work/commands"

echo "TAP version 13"
[ "$(grep -c '/check --list vrb/mine$' "$work/commands")" = 1 ] && runs bash -e "$work/commands"
result $? "the commands of the tutorial succeed"
[ "$(grep -o '^vrb/mine-[^)]*' "$work/out" | xargs)" = \
	"vrb/mine-mock (make ci, kernel 6.12 vrb/mine-tavor (make ci, kernel 6.12" ]
result $? "they make a test for each device"
runs bash -c '. tools/testing/vm/lib/all.sh; module_dir vrb_mine' &&
	[ "$(<"$work/out")" = tools/testing/selftests/vrb/mine ]
result $? "they make a module that the bench finds"
! grep -r tutorial "$copy"/tools/testing/selftests/vrb/mine{,.sh} |
	grep -v 'Documentation/tutorial\.rst' >"$work/out"
result $? "the name of the example is left only in the name of the document"
git -C "$copy" init -q && git -C "$copy" add -A
for check in citations.py columns.py maintainers.sh words.sh; do
	runs "tools/testing/static/$check"
	result $? "static/${check%.*} passes with them"
done
echo "1..$number"
[ "$failed" = 0 ]
