#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: host
#
# Checks that the measured numbers in the documents are those of Documentation/benchmarks.csv. These
# are the tables of benchmarks.rst, and sentences there and in README.md. The exact counts of the
# CSV must be those that bench/quick expects. By hand: tools/testing/bench/results --check.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=SCRIPTDIR/../vm/lib/try.bash
. "$here/../vm/lib/try.bash"
results=$here/../bench/results
tree=$work/tree
page=Documentation/benchmarks.rst
csv=Documentation/benchmarks.csv
expected=tools/testing/bench/expected.csv

# fresh: copies what the check reads
fresh() {
	rm -rf "$tree"
	mkdir -p "$tree/Documentation" "$tree/tools/testing/bench"
	cd "$here/../../.." || exit 1
	cp README.md "$tree"
	cp $page $csv "$tree/Documentation"
	cp $expected "$tree/tools/testing/bench"
	cd "$tree" || exit 1
}

# found TEXT LINE: the check fails with this line
found() {
	local status=0
	"$results" --check --tree "$tree" >"$work/out" 2>"$work/err" || status=$?
	[ "$status" = 1 ] && grep -qF -- "$2" "$work/out"
	result $? "a planted difference is found: $1"
	fresh
}

echo "TAP version 13"
"$results" --check >"$work/out" 2>"$work/err"
result $? "the documents have the numbers of benchmarks.csv"
fresh
# shellcheck disable=SC2016 # what the page has around a name
sed -i '/^``ib_post_recv()``/s/[0-9]/8&/' $page
found "a number in a table" "$page has: \`\`ib_post_recv()\`\` "
sed -i '/^dereg_mr 1 MiB /d' $page
found "a row that a table does not have" "$csv gives: dereg_mr 1 MiB "
sed -i 's/^life,load,"commands, all",count,[0-9]*,/&8/' $csv
found "a count that the drivers do not have any more" \
	" for life, load, commands, all, ib_tavor; $expected has "
sed -i 's/^data_path,post_recv,.*/&\n&/; s/^data_path,post_recv,/data_path,planted,/' $csv
found "a number that no document shows" "$csv has what no document shows: data_path, planted"
sed -i '/^engine,cancel of/d' $csv
found "a number that is gone" "$csv has no number for engine, cancel of a queued one, instructions"
sed -i 's/A cancel of a queued request /A cancel of a request /' $page
found "a sentence" "$page does not say: A cancel of a queued request "
sed -i '/HCA commands to load the driver/s/[0-9]/8&/' README.md
found "a number in README.md" "README.md does not say: HCA commands to load the driver"
"$results" --tree "$tree" >"$work/out" 2>"$work/err"
cmp $page "$here/../../../$page" >>"$work/out"
result $? "the tables that are written are those that are there"
# shellcheck disable=SC2016 # the same
sed -i '/^``ib_post_recv()``/s/[0-9]/8&/' $page
"$results" --tree "$tree" >"$work/out" 2>"$work/err"
cmp $page "$here/../../../$page" >>"$work/out"
result $? "a table is written anew"
fresh
mkdir "$work/run"
cat >"$work/run/life.csv" <<'END'
# {"date": "2026-01-02 03:04 UTC", "commit": "0123456"}
scenario,case,metric,kind,driver,round,value
life,unload,"commands, all",count,mthca,0,91
life,unload,"commands, all",count,tavor,0,92
life,unload,SYS_DIS,count,tavor,0,1
END
"$results" --record "$work/run" --tree "$tree" >"$work/out" 2>"$work/err"
recorded='life,unload,"commands, all",count,91,92,1,2026-01-02 03:04 UTC,0123456'
[ "$(grep '^life,' $csv)" = "$recorded" ] &&
	grep -q '^unload, all *91 *92 *1\.01$' $page &&
	grep -qF "An unload executes 92 commands" "$work/out"
result $? "a run is recorded: its numbers and their origin, and which sentences are of another"
[ "$(grep -v '^life,' $csv)" = "$(grep -v '^life,' "$here/../../../$csv")" ]
result $? "scenarios that did not run keep their numbers"
echo "1..$number"
[ "$failed" = 0 ]
