#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: host
# Level: ci
# Timeout: 300
#
# Checks that "make docs" builds the documents with Sphinx without a warning, with the kernel-doc
# comments, which must be complete, and the guides as man pages. The results are in build/doc/html
# and build/doc/man. By hand: run this script.

# shellcheck source=SCRIPTDIR/../vm/lib/all.sh
. "$(dirname "$0")/../vm/lib/all.sh"

host_ready
docs=$(root docs "$SUITE" "python3-sphinx graphviz perl make")
kernel=$(kernel "${KERNEL_LINES%% *}")
kerneldoc=$(echo "$kernel"/usr/lib/linux-kbuild-*/scripts/kernel-doc)
[ -e "$kerneldoc" ] || die "no kernel-doc script in $kernel"
mkdir -p "$BUILD/doc"
rm -f "$BUILD/doc/.built"
echo "TAP version 13"
echo "1..3"
if in_root "$docs" --bind "$TREE" --bind "$BUILD" --bind "$kernel" --cwd "$TREE" -- \
	make -s docs KERNELDOC="$kerneldoc" >"$BUILD/doc/log" 2>&1 &&
	[ -s "$BUILD/doc/html/index.html" ] && [ -s "$BUILD/doc/man/ib_tavor.4" ]; then
	echo "ok 1 the documents build without a warning"
else
	sed "s|$BUILD/doc/source/||; s/^/# /" "$BUILD/doc/log"
	echo "not ok 1 the documents build without a warning"
	exit 1
fi
# It does not matter that the script cannot ask Sphinx for its version, or that a file exports
# nothing.
if grep -iE 'warning:|error:' "$BUILD/doc/kernel-doc.log" |
	grep -vE 'Sphinx version|no structured comments found' >"$BUILD/doc/log"; then
	sed 's/^/# /' "$BUILD/doc/log"
	echo "not ok 2 the kernel-doc comments are complete"
	exit 1
fi
echo "ok 2 the kernel-doc comments are complete"
twice=$(grep -hE '^   [a-z][a-z/-]+$' "$TREE"/Documentation/{index,tavor-hw}.rst | sort | uniq -d)
if [ -n "$twice" ]; then
	echo "# $twice"
	echo "not ok 3 no page is listed twice"
	exit 1
fi
echo "ok 3 no page is listed twice"
