# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
# shellcheck shell=bash
#
# Which tests the tree has. A test says about itself, near its top, where it runs; see ../README.

# head_of FILE KEY: the value of a "Key: value" line near the top
head_of() {
	head -n 40 "$1" | sed -nE "s|^[#/* ]+$2: *(.*[^ ]) *\$|\1|p" | head -n 1
}

# folder_of FILE: the folder a test is named after: a folder "tests" holds those of the one above it
folder_of() {
	local dir=${1%/*}
	[ "${dir##*/}" != tests ] || dir=${dir%/*}
	echo "${dir##*/}"
}

# selected NAME: is it among those asked for?
# shellcheck disable=SC2154 # check sets patterns
selected() {
	local pattern
	[ ${#patterns[@]} != 0 ] || return 0
	for pattern in "${patterns[@]}"; do
		# shellcheck disable=SC2053 # a pattern
		[[ $1 != $pattern ]] || return 0
	done
	return 1
}

# wanted LEVEL: by name everything is
wanted() {
	[ ${#patterns[@]} = 0 ] || return 0
	case $1 in
	all) [ -n "$all" ] ;;
	ci) [ -n "$ci$all" ] ;;
	esac
}

# kernels_now LINE...: of what a test names; all of Debian's with --all, and the debug kernel then only
kernels_now() {
	local line lines=
	for line; do
		[ "$line" = debug ] || lines+="$line "
	done
	[ -z "$all" ] || lines="$KERNEL_LINES "
	[ -z "$all" ] || [[ " $* " != *" debug "* ]] || lines+="debug "
	echo "${lines% }"
}

# tests: a line "name|runs|kernels|timeout|program|needs" for each test that is to run
tests() {
	local file name dir runs kernels program
	grep -rlE '^[#/* ]+Runs: (host|guest)' "$TREE/tools/testing" | sort | while read -r file; do
		case $file in
		*/README | */vm/check | *.h | *~ | *.rst) continue ;;
		esac
		dir=$(folder_of "$file")
		name=$dir/$(basename "${file%.*}")
		selected "$name" || continue
		wanted "$(head_of "$file" Level)" || continue
		runs=$(head_of "$file" Runs)
		kernels=$(head_of "$file" Kernels)
		[ -n "$kernels" ] || kernels=${KERNEL_LINES%% *}
		# shellcheck disable=SC2086 # a list of words
		kernels=$(kernels_now $kernels)
		[ -z "$only" ] || kernels=$only
		[ "${runs%% *}" != host ] || kernels=
		program=${file#"$TREE/"}
		[ "${file##*.}" != c ] || program=build/guest/$dir/$(basename "${file%.c}")
		echo "$name|$runs|$kernels|$(head_of "$file" Timeout)|$program|$(head_of "$file" Needs)"
	done
}

show() {
	local name runs kernels timeout program needs
	while IFS='|' read -r name runs kernels timeout program needs; do
		printf '%-32s %s\n' "$name" "${kernels:+kernel ${kernels// /, }: }$(
			[ "$runs" = host ] && echo "$program" || echo "run ${runs#guest } -- $program"
		)"
	done
}

# boots: "kernel|runs" for each guest that tests share; what may take longest comes first, so that it is not left
# running alone at the end
boots() {
	awk -F'|' '{ n = split($3, lines, " "); for (i = 1; i <= n; i++) time[lines[i] "|" $2] += $4 ? $4 : 900 }
		END { for (boot in time) print time[boot] "|" boot }' "$WORK/tests" |
		sort -t'|' -k1,1nr -k2 | cut -d'|' -f2-
}

# groups: tests that share a guest, or a test of the host by itself; a file each, in the order they are to
# run. Prints how many.
groups() {
	local count=0 line runs test
	while IFS='|' read -r line runs; do
		awk -F'|' -v runs="$runs" -v line="$line" \
			'$2 == runs && index(" " $3 " ", " " line " ")' "$WORK/tests" >"$WORK/$count.tests"
		echo "$line|${runs#guest}" >"$WORK/$count.what"
		count=$((count + 1))
	done < <(boots)
	while read -r test; do
		echo "$test" >"$WORK/$count.tests"
		echo host >"$WORK/$count.what"
		count=$((count + 1))
	done < <(grep '^[^|]*|host|' "$WORK/tests")
	echo "$count"
}
