#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: host
#
# Tests that each program that a person calls by hand explains itself with --help, and refuses an
# option that it does not have, by name and before it changes anything. By hand: run this script.

tree=$(cd "$(dirname "$0")/../../.." && pwd)
# shellcheck source=SCRIPTDIR/../vm/lib/try.bash
. "$tree/tools/testing/vm/lib/try.bash"
copy=$work/copy
folders=(tools/packaging)
for folder in vm mutation hca static intree packaging bench; do
	folders+=("tools/testing/$folder")
done

# The rest of a valid command line, for those that otherwise complain about this first
declare -A rest=(
	[tools/testing/static/atomic-check/atomic-check]="--rules rules build=folder"
	[tools/testing/static/layers/layers]="module=file"
	[tools/testing/bench/count/table]="file"
	[tools/testing/hca/ctl/tavor-hcactl]="show"
)

# why_none FILE: prints why this executable is no command
why_none() {
	! head -n 40 "$copy/$1" | grep -qE '^[#/* ]+Runs: (host|guest)' || {
		[[ $1 == */vm/check ]] || echo "tests, which check runs"
		return
	}
	case $1 in
	*/guest/* | */mutation/guest) echo "programs that run in a guest" ;;
	*/bench/scenarios/*) echo "scenarios, which bench/run starts in a guest" ;;
	*/bench/lib/*) echo "parts of bench/run" ;;
	*/debian/rules) echo "a makefile of Debian's tools" ;;
	esac
}

# snapshot: prints the files of the copy, those that git ignores included
snapshot() {
	find "$copy" -path "$copy/.git" -prune -o -printf '%P %s %T@\n' | sort
}

# unchanged: the copy is as it was
unchanged() {
	snapshot | diff "$work/before" - >>"$work/out"
}

# status_of FILE ARGUMENT...: prints the exit status. A program that does not refuse may begin to
# work: it has a cache of its own, no guest, and little time.
status_of() {
	local status=0 file=$1
	shift
	(
		cd "$copy" || exit
		XDG_CACHE_HOME=$work/cache timeout -k 2 60 "./$file" "$@"
	) >"$work/out" 2>"$work/err" </dev/null || status=$?
	echo "$status"
}

git -c safe.directory="$tree" -C "$tree" ls-files -z --cached --others --exclude-standard |
	rsync -a --from0 --files-from=- --ignore-missing-args "$tree/" "$copy/"
# The verdicts of an earlier run
mkdir -p "$copy/build/mutation"
echo "kept killed by kept" >"$copy/build/mutation/results"
git -C "$copy" init -q
snapshot >"$work/before"

echo "TAP version 13"
(cd "$copy" && find "${folders[@]}" -type f -perm -u+x | sort) >"$work/files"
while read -r file; do
	why=$(why_none "$file")
	if [ -n "$why" ]; then
		echo "$why" >>"$work/none"
		continue
	fi
	[ "$(status_of "$file" --help)" = 0 ] && grep -qi '^usage: ' "$work/out" && unchanged
	result $? "$file --help explains it"
	if [[ $file == */bench/count/count || $file == */bench/engine/cost ]]; then
		number=$((number + 1))
		echo "ok $number $file --no-such-option # SKIP it passes other options to vm/run"
		continue
	fi
	# shellcheck disable=SC2086 # several words
	status=$(status_of "$file" --no-such-option ${rest[$file]:-})
	[ "$status" != 0 ] && [ "$status" != 124 ] && grep -q -- --no-such-option "$work/err" &&
		unchanged
	result $? "$file --no-such-option is refused"
	# The next one is not blamed for what this one did.
	snapshot >"$work/before"
done <"$work/files"
while read -r count why; do
	number=$((number + 1))
	echo "ok $number $count executables are no commands # SKIP $why"
done < <(sort "$work/none" | uniq -c)
echo "1..$number"
[ "$failed" = 0 ]
