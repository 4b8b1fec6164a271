#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: host
#
# Tests that maintainers.sh finds each kind of error in a small tree. By hand: run this script.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=SCRIPTDIR/planted.bash
. "$here/planted.bash"

tree=$work/tree
check=tools/testing/static/maintainers.sh

# fresh: creates a tree without a mistake
fresh() {
	rm -rf "$tree"
	mkdir -p "$tree/tools/testing/static" "$tree/LICENSES" "$tree/lib/sub"
	cp "$here/maintainers.sh" "$tree/$check"
	touch "$tree/one.h" "$tree/lib/a.c" "$tree/lib/sub/b.c"
	for id in GPL-2.0 Linux-OpenIB; do
		echo "text" >"$tree/LICENSES/$id"
	done
	printf 'F:\t%s\n' '*.h' lib/ tools/ LICENSES/ MAINTAINERS >"$tree/MAINTAINERS"
	git -C "$tree" init -q
	git -C "$tree" add -A
}

echo "TAP version 13"
fresh
judged "a tree where everything exists" ok
touch "$tree/two.c"
judged "a file that belongs to no part" two.c
touch "$tree/oneXh"
judged "a dot in a pattern is a dot" oneXh
mkdir "$tree/other" && touch "$tree/other/one.h"
judged "a pattern matches within one folder" other/one.h
printf 'F:\tgone/\n' >>"$tree/MAINTAINERS"
judged "a folder that is gone" "MAINTAINERS: there is no gone/"
printf 'W:\tgone.rst\n' >>"$tree/MAINTAINERS"
judged "a document that is gone" "MAINTAINERS: there is no gone.""rst"
echo "// SPDX-License-""Identifier: GPL-2.0 OR MIT" >"$tree/lib/a.c"
judged "a licence without its text" "there is no LICENSES/MIT"
echo "1..$number"
exit "$failed"
