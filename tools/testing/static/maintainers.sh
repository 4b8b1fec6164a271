#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: host
#
# Checks that each file of the tree belongs to a part in MAINTAINERS, that the files named there
# exist, and that the licences named in files are in LICENSES. By hand: run this script.

cd "$(dirname "$0")/../../.." || exit 1
number=0
failed=0

# none TEXT LINES: ok if there are no lines
none() {
	number=$((number + 1))
	if [ -z "$2" ]; then
		echo "ok $number $1"
	else
		head -n 20 <<<"$2" | sed 's/^/# /'
		echo "not ok $number $1"
		failed=1
	fi
}

files() {
	git -c safe.directory="$PWD" ls-files --cached --others --exclude-standard | sort -u
}

# patterns KEYS: prints what the lines with one of these keys name
patterns() {
	sed -nE "s/^[$1]:\t+//p" MAINTAINERS
}

# owned: prints the files that an F: line names, by folder or by pattern; "*" matches within one
# folder
owned() {
	local pattern
	while read -r pattern; do
		case $pattern in
		*/) awk -v dir="$pattern" 'index($0, dir) == 1' <<<"$all" ;;
		*)
			pattern=$(sed 's/[.]/\\./g; s/\*/[^\/]*/g' <<<"$pattern")
			grep -x "$pattern" <<<"$all"
			;;
		esac
	done < <(patterns F)
}

# absent: prints what MAINTAINERS names but does not exist
absent() {
	local pattern
	while read -r pattern; do
		[ -d "$pattern" ] || compgen -G "${pattern%/}" >/dev/null ||
			echo "MAINTAINERS: there is no $pattern"
	done < <(patterns FW)
}

# unlicensed: prints licences that a file names and LICENSES lacks
unlicensed() {
	local id
	git -c safe.directory="$PWD" grep -hoE 'SPDX-License-Identifier: [A-Za-z0-9. -]+' \
		-- ':!LICENSES' |
		sed 's/.*: //; s/ \(OR\|AND\) /\n/g; s/ .*//' | grep . | sort -u |
		while read -r id; do
			[ -s "LICENSES/$id" ] || echo "there is no LICENSES/$id"
		done
}

git rev-parse --git-dir >/dev/null 2>&1 || { echo "1..0 # SKIP not a git tree"; exit 4; }
echo "TAP version 13"
all=$(files)
none "each file belongs to a part" "$(comm -23 <(echo "$all") <(owned | sort -u))"
none "everything that MAINTAINERS names exists" "$(absent)"
none "each licence that a file names is in LICENSES" "$(unlicensed)"
echo "1..$number"
exit "$failed"
