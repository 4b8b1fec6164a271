#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: host
#
# Tests that citations.py finds each citation without a target, by file and line, in a small tree.
# By hand: run this script.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=SCRIPTDIR/../vm/lib/try.bash
. "$here/../vm/lib/try.bash"

tree=$work/tree
pages=Documentation/tavor-hw
model=tools/testing/hca

# section NUMBER TITLE: a heading as in the document
section() {
	printf '.. _tavor-hw-%s:\n\n%s %s\n=========\n\nText.\n\n' "${1//./-}" "$1" "$2"
}

# fresh: creates a tree without a mistake
fresh() {
	rm -rf "$tree"
	mkdir -p "$tree/tools/testing/static" "$tree/$pages" "$tree/$model" "$tree/drivers"
	cp "$here/citations.py" "$here/tree.py" "$tree/tools/testing/static/"
	section 1 One >"$tree/$pages.rst"
	{ section 2 Two; section 2.1 Part; } >"$tree/$pages/two.rst"
	echo "See 2.1, which is not linked (2.1, 0x14)." >>"$tree/$pages/two.rst"
	printf 'A rule (1, 2.1).\n' >"$tree/Documentation/hca-model.rst"
	printf 'RULE(A, "a", "Text (2.1).")\n' >"$tree/$model/rules.def"
	printf '/* Text (tavor-hw 1, 2 and 2.1). (IBTA 9.7), half (1/2). */\n' >"$tree/$model/a.c"
	git -C "$tree" init -q
}

# judged TEXT WHERE FILE LINE...: with these lines added to the file, the check reports WHERE and
# nothing else; if WHERE is "ok", it reports nothing
judged() {
	local text=$1 where=$2 file=$3 status=0
	shift 3
	mkdir -p "$(dirname "$tree/$file")"
	printf '%s\n' "$@" >>"$tree/$file"
	"$tree/tools/testing/static/citations.py" >"$work/out" 2>"$work/err" || status=$?
	if [ "$where" = ok ]; then
		[ "$status" = 0 ]
	else
		[ "$status" = 1 ] && grep -qF "# $where: " "$work/out" &&
			[ "$(grep -c '^# ' "$work/out")" = 1 ]
	fi
	result $? "$text"
	fresh
}

echo "TAP version 13"
fresh
judged "a tree without a mistake" ok "$model/a.c" "int a;"
judged "a section that is not there, cited by a driver" drivers/b.c:2 drivers/b.c \
	"int a;" "/* tavor-""hw 2.2 */"
judged "a citation in a comment of two lines" drivers/b.c:2 drivers/b.c \
	"/* as tavor-""hw" " * 3 says */"
judged "the second section of a list" drivers/b.c:1 drivers/b.c "/* (tavor-""hw 2, 5.1) */"
judged "a section cited by a script" tools/b.sh:1 tools/b.sh "# tavor-""hw 9"
judged "a section cited by a rule of the model" "$model/rules.def:2" "$model/rules.def" \
	'RULE(B, "b", "Text (2.9).")'
judged "a section cited by the model's document" \
	Documentation/hca-model.rst:2 Documentation/hca-model.rst "More (4.1)."
judged "a section cited by the hardware's own pages" "$pages/two.rst:16" "$pages/two.rst" \
	"More (2.7, 0x10)."
judged "a section cited in words" "$pages/two.rst:16" "$pages/two.rst" "Section 6 says more."
judged "a number without its document" "$model/a.c:2" "$model/a.c" "/* Text (2.1). */"
judged "a section without its document" "$model/a.c:2" "$model/a.c" "/* See section 2. */"
judged "a third-party section" ok "$model/a.c" "/* See IBTA section 9.7 and (PCI 2.3). */"
judged "a number that is no citation" ok "$model/a.c" "/* 2.5 GT/s (2.5 Gb/s), f(1, 2) */"
judged "a duplicate section" "$pages/two.rst:18" "$pages/two.rst" "$(section 1 Again)"
judged "a section without its label" "$pages/two.rst:16" "$pages/two.rst" "3 Three" "======="
judged "a document that does not exist" drivers/b.c:1 drivers/b.c "/* see none.""rst */"
judged "a document that exists" ok drivers/b.c "/* see hca-model.rst and tavor-hw/two.rst */"
judged "a document of the kernel" ok drivers/b.c "/* the kernel's Documentation/none.""rst */"
rm -rf "${tree:?}/Documentation" "${tree:?}/$model"
judged "a tree where nothing is cited" "0 sections and 0 citations" drivers/b.c "int a;"
echo "1..$number"
exit "$failed"
