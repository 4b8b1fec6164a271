#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: host
#
# Tests that columns.py finds each line that is too long in a small tree, and no other. By hand: run
# this script.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=SCRIPTDIR/../vm/lib/try.bash
. "$here/../vm/lib/try.bash"

# columns N: prints N characters
columns() {
	printf 'x%.0s' $(seq "$1")
}

# judged TEXT WORD FILE LINE: with that line in it the file is "ok" or "not ok"
judged() {
	printf '%s\n' "one" "$4" >"$tree/drivers/$3"
	"$tree/tools/testing/static/columns.py" >"$work/out" 2>"$work/err"
	grep -q "^$2 [0-9]* drivers: " "$work/out" &&
		{ [ "$2" = ok ] || grep -q "^# drivers/$3:2: " "$work/out"; }
	result $? "$1"
	rm "$tree/drivers/$3"
}

tree=$work/tree
mkdir -p "$tree/tools/testing/static" "$tree/drivers/fixtures"
cp "$here/columns.py" "$here/tree.py" "$tree/tools/testing/static/"
echo "int a;" >"$tree/drivers/good.c"
printf '%s\n' "[*]" "max_line_length = 100" "[*.{rst,md}]" "max_line_length = 120" "[*.mk]" \
	"max_line_length = off" >"$tree/.editorconfig"
columns 101 >"$tree/drivers/fixtures/planted.c"
git -C "$tree" init -q

echo "TAP version 13"
judged "100 columns pass" ok a.c "$(columns 100)"
judged "101 columns in C" "not ok" a.c "$(columns 101)"
judged "101 columns in a header's comment" "not ok" a.h "/* $(columns 95) */"
judged "101 columns in a script" "not ok" a.sh "# $(columns 99)"
judged "a tab counts as eight" "not ok" a.c "	$(columns 93)"
judged "a tab reaches only to the next tab stop" ok a.c "x	$(columns 92)"
judged "a string may be long" ok a.c "	print(\"$(columns 100)\");"
judged "a line that is too long after its string" "not ok" a.c \
	"	print(\"$(columns 60)\", $(columns 40));"
judged "a long string in a script" "not ok" a.sh "echo \"$(columns 100)\""
judged "a line that says where a test runs may be long" ok a.sh "# Runs: guest $(columns 100)"
judged "120 columns of a document pass" ok a.rst "$(columns 120)"
judged "121 columns of a document" "not ok" a.rst "$(columns 121)"
judged "121 columns of Markdown" "not ok" a.md "$(columns 121)"
judged "a row of a table in Markdown may be long" ok a.md "| $(columns 121) |"
judged "a file that is neither program nor document is not judged" ok a.mk "$(columns 101)"
sed -i 's/100/90/' "$tree/.editorconfig"
judged "the limit is the one of .editorconfig" "not ok" a.c "$(columns 91)"
! grep -q planted "$work/out"
result $? "planted mistakes are not judged"
echo "1..$number"
