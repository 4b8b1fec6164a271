#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: host
# Level: ci
# Timeout: 600
#
# Tests the counting of instructions with intervals of known length, in user space and in the
# kernel. Prints TAP. By hand: run this script.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=SCRIPTDIR/../../../vm/lib/all.sh
. "$here/../../../vm/lib/all.sh"
# shellcheck source=SCRIPTDIR/../../../vm/lib/try.bash
. "$here/../../../vm/lib/try.bash"
set +e

count() {
	"$here/../count" "$@" >"$work/out" 2>&1
}

# refuses TEXT ARGUMENT...
refuses() {
	local text=$1
	shift
	count "$@"
	[ $? = 125 ] && grep -qF -- "$text" "$work/out"
	result $? "refused: $text"
}

# row ID: n min median max interrupts
row() {
	awk -v id="$1" '$1 == id { print $2, $3, $4, $5, $6 }' "$work/table"
}

# always ID INSTRUCTIONS NAME: each of the intervals has this length, whatever interrupts arrived
always() {
	[[ "$(row "$1")" == "11 $2 $2 $2 "* ]]
	result $? "$3"
}

known() {
	local base=$1 where=$2
	always $((base)) 0 "$where: nothing between two markers is nothing"
	always $((base + 1)) 100 "$where: 100 no-ops are 100"
	always $((base + 2)) 2001 "$where: a loop of 1000 times is 2001"
	always $((base + 3)) 4001 "$where: twice the loop is twice that"
	always $((base + 4)) 2 "$where: markers of another id within are not counted"
	always $((base + 5)) 3 "$where: intervals overlap"
	always $((base + 6)) 20000001 "$where: what interrupts execute is left out"
	row $((base + 6)) | awk '{ exit !$5 }'
	result $? "$where: there were some"
}

host_ready
bin=$BUILD/bench/count/tests
mkdir -p "$bin"
echo "TAP version 13"

in_root "$(tool_root)" --bind "$TREE" --bind "$bin" -- \
	gcc-14 -O2 -Wall -o "$bin/program" "$here/program.c" >"$work/out" 2>&1
result $? "the program compiles"

program=/mnt/tree/build/bench/count/tests/program
count --name 10=nothing --raw "$work/raw" --hcas 0 --modules count_test -- "$program"
result $? "a run passes"
grep -qE '^nothing +11 +0 +0 +0 ' "$work/out"
result $? "the table names an id as asked"
"$here/../table" "$work/raw" >"$work/table"
known 10 program
known 20 module
"$here/../table" --with-interrupts "$work/raw" >"$work/table"
row 26 | awk '{ exit !($4 > 20000001) }'
result $? "--with-interrupts counts what interrupts execute"
cp "$work/raw" "$work/first"

# outside FILE: what each interval executed outside of interrupts
outside() {
	awk '$1 >= 10 && $1 < 1000 { print $1, $2 - $3 }' "$1"
}

# The second run repeats the first exactly, and makes every possible mistake. Once in many runs it
# differed, for an unknown reason. The difference is printed, and a third run must be like the
# first.
outside "$work/first" >"$work/known"
for try in 2 3; do
	count --raw "$work/raw" --hcas 0 --modules count_test -- sh -c "$program; $program unpaired"
	status_of_count=$?
	diff "$work/known" <(outside "$work/raw") >"$work/differs" && break
	sed "s/^/# run $try: /" "$work/differs"
done
[ "$status_of_count" = 1 ]
result $? "a run with markers that are not in pairs fails"
[ ! -s "$work/differs" ]
result $? "a second run repeats every interval exactly"
grep -qxF "count: 0 ends without having begun" "$work/out"
result $? "unpaired: an end without a begin is named"
grep -qxF "count: 1 begins again before it has ended" "$work/out"
result $? "unpaired: a second begin is named"
grep -qxF "count: 1023 has not ended" "$work/out"
result $? "unpaired: a begin without an end is named"
count --raw "$work/raw" --io --calls __x64_sys_getppid --calls '__x64_sys_get(ppid|uid)' \
	--hcas 0 -- "$program"
awk '$1 == 30 { n++; bad += $8 != 7 || $9 != 7 } END { exit !(n == 11 && !bad) }' "$work/raw"
result $? "--calls counts how often functions are entered"
# What interrupts execute is included, so only the intervals without one are known.
awk '$1 == 30 && !$4 { n++; bad += $5 || $6 || $7 } END { exit !(n && !bad) }' "$work/raw"
result $? "--io counts no register where none is accessed"
count --hcas 0 -- sh -c 'exit 3'
[ $? = 3 ] && grep -qxF "count: no interval has ended" "$work/out"
result $? "the command's status is returned, and the run says that nothing was counted"

refuses "--smp: it counts on one processor only" --smp 2 -- true
refuses "no command" --hcas 0
refuses "--name wants ID=TEXT, not 'x'" --name x -- true
refuses "the kernel has no function 'no_such_thing'" --calls no_such_thing --hcas 0 -- true
refuses "--raw: no folder for a file '/nowhere/raw'" --raw /nowhere/raw -- true
"$here/../count" --help >"$work/out" && grep -q '^Usage: count' "$work/out"
result $? "--help prints the usage"
echo "1..$number"
[ "$failed" = 0 ]
