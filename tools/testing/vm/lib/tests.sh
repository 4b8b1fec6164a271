# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
# shellcheck shell=bash
#
# Finds the tests of the tree. A test says near its top where it runs; see Documentation/bench.rst.

# heads_of FILE: a line "as|runs|kernels|timeout|level|needs|guest" for each "Runs:" line near the
# top. Lines before the first of them apply to all; lines after one apply to that one.
heads_of() {
	head -n 40 "$1" | awk '
		BEGIN { n = 0 }
		match($0, /^[#\/* ]+(Runs|As|Kernels|Timeout|Level|Needs|Guest): */) {
			value = substr($0, RLENGTH + 1)
			sub(/ *$/, "", value)
			key = substr($0, 1, RLENGTH)
			gsub(/[^A-Za-z]/, "", key)
			if (key == "Runs" && value ~ /^(host|guest)( |$)/)
				n++
			if (!((n, key) in head))
				head[n, key] = value
		}
		function field(i, key) {
			return (i, key) in head ? head[i, key] : head[0, key]
		}
		END {
			for (i = 1; i <= n; i++)
				print field(i, "As") "|" field(i, "Runs") "|" \
					field(i, "Kernels") "|" field(i, "Timeout") "|" \
					field(i, "Level") "|" field(i, "Needs") "|" \
					field(i, "Guest")
		}'
}

# folder_of FILE: the folder a test is named after: for a folder "tests", the one above it
folder_of() {
	local dir=${1%/*}
	[ "${dir##*/}" != tests ] || dir=${dir%/*}
	echo "${dir##*/}"
}

# selected NAME: true if it was asked for
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

# wanted LEVEL: true if tests of this level run; a test asked for by name always does
wanted() {
	[ ${#patterns[@]} = 0 ] || return 0
	case $1 in
	all) [ -n "$all" ] ;;
	ci) [ -n "$ci$all" ] ;;
	esac
}

# kernels_now LINE...: the kernels that a test now runs on, of those that it names: the first of
# Debian's; with --ci or by name, all of Debian's; with --all, all that it names and both of
# Debian's. A test that names none of Debian's runs on no other than it names.
kernels_now() {
	local line ours='' others=''
	for line; do
		if [[ " $KERNEL_LINES " == *" $line "* ]]; then
			ours+="$line "
		else
			others+="$line "
		fi
	done
	if [ -n "$only" ]; then
		[ -z "$ours" ] && [[ " $others" != *" $only "* ]] || echo "$only"
		return
	fi
	[ -z "$all" ] || ours="${ours:+$KERNEL_LINES }$others"
	line=${ours:-$others}
	[ -n "$ci$all" ] || [ ${#patterns[@]} != 0 ] || line=${line%% *}
	echo "${line% }"
}

# name_of STEM COUNT AS RUNS: the name of a run; if a test has several, each name ends in what
# distinguishes it
name_of() {
	local as=$3
	if [ "$2" -gt 1 ]; then
		[ -n "$as" ] || [[ ! $4 =~ (--driver\ +|DRIVER=)([a-z]+) ]] || as=${BASH_REMATCH[2]}
		[ -n "$as" ] || die "check: $1 has several 'Runs:' lines: '$4' wants an 'As:' line"
	fi
	echo "$1${as:+-$as}"
}

# tests_of FILE: prints a line for each of its wanted runs; see tests
tests_of() {
	local file=$1 stem program name as runs kernels timeout level needs guest heads
	stem=$(folder_of "$file")/$(basename "${file%.*}")
	program=${file#"$TREE/"}
	[ "${file##*.}" != c ] || program=build/guest/$stem
	mapfile -t heads < <(heads_of "$file")
	printf '%s\n' "${heads[@]}" |
		while IFS='|' read -r as runs kernels timeout level needs guest; do
		name=$(name_of "$stem" "${#heads[@]}" "$as" "$runs") || exit
		selected "$name" || selected "$stem" || continue
		wanted "$level" || continue
		[[ $guest =~ ^(own)?$ ]] ||
			die "check: $name: 'Guest:' is 'own' or nothing, not '$guest'"
		[ -n "$kernels" ] || kernels=${KERNEL_LINES%% *}
		# shellcheck disable=SC2086 # a list of words
		kernels=$(kernels_now $kernels)
		[ "${runs%% *}" != host ] || kernels=
		# Without a kernel it would run on the host.
		[ -n "$kernels" ] || [ "${runs%% *}" = host ] || continue
		printf '%s|' "$name" "$runs" "$kernels" "$timeout" "$program" "$needs" \
			"${guest:+$name}" "$stem" "$level"
		echo "$file"
	done
}

# tests: prints "name|runs|kernels|timeout|program|needs|guest|stem|level|file" for each test that
# is to run. guest is empty for a test that shares its guest. stem is the common part of the names
# of a file's runs.
tests() {
	local file twice
	grep -rlE '^[#/* ]+Runs: (host|guest)' "$TREE/tools/testing" | sort | while read -r file; do
		case $file in
		*/README | */vm/check | *.h | *~ | *.rst) continue ;;
		esac
		tests_of "$file"
	done >"$WORK/found"
	twice=$(cut -d'|' -f1 "$WORK/found" | sort | uniq -d | tr '\n' ' ')
	[ -z "$twice" ] || die "check: more than one test has this name: $twice"
	cat "$WORK/found"
}

# command_of RUNS PROGRAM: the command of a "Runs: host" line, whose further words are variables for
# the program
command_of() {
	local words
	read -r -a words <<<"${1#host}"
	echo "${words[*]}${words:+ }$2"
}

# purpose_of FILE: the first sentence of the first comment that is neither the licence nor about
# where it runs
purpose_of() {
	head -n 60 "$1" | awk '
		/^[ \t]*("""|\/\*|\*|\/\/|#)/ {
			line = $0
			gsub(/^[ \t]*("""|\/\*+|\*+\/?|\/\/|#!?)[ \t]*/, "", line)
			gsub(/[ \t]*\*\/[ \t]*$|"""/, "", line)
			if (line ~ /SPDX|^shellcheck [a-z]+=/ || $0 ~ /^#(!|include|define)/ ||
			    line ~ /^(Runs|As|Kernels|Timeout|Level|Needs|Guest):/)
				line = ""
			if (line == "" && text != "")
				exit
			text = text (text == "" || line == "" ? "" : " ") line
			if (line ~ /[.:]$/ || text ~ /\. [A-Z"]/)
				exit
			next
		}
		text != "" { exit }
		END {
			if (match(text, /\. [A-Z"]/))
				text = substr(text, 1, RSTART)
			# What follows a colon or semicolon is detail.
			if (length(text) > 110 && match(text, /[:;] /) && RSTART > 30)
				text = substr(text, 1, RSTART - 1) "."
			sub(/:$/, ".", text)
			print text
		}'
}

# show: prints for each test its name, level, kernels and purpose, and a command that runs it alone
show() {
	local name kernels level file
	local -A target=([check]="make check" [ci]="make ci" [all]="make check-all")
	while IFS='|' read -r name _ kernels _ _ _ _ _ level file; do
		[ -z "$kernels" ] && kernels="on the host" || kernels="kernel ${kernels// /, }"
		printf '%s (%s, %s)\n    %s\n    tools/testing/vm/check %s\n' "$name" \
			"${target[${level:-check}]}" "$kernels" "$(purpose_of "$file")" "$name"
	done
}

# boots: prints "kernel|guest|runs" for each guest, shared or not. What may take longest comes
# first, so that it does not run alone at the end.
boots() {
	awk -F'|' '$3 != "" { n = split($3, lines, " ")
			for (i = 1; i <= n; i++) time[lines[i] "|" $7 "|" $2] += $4 ? $4 : 900 }
		END { for (boot in time) print time[boot] "|" boot }' "$WORK/tests" |
		sort -t'|' -k1,1nr -k2 | cut -d'|' -f2-
}

# groups: writes a file for each group of tests that share a guest, or for a single test, in the
# order they are to run. Prints the number of groups.
groups() {
	local count=0 line guest runs test
	while IFS='|' read -r line guest runs; do
		awk -F'|' -v runs="$runs" -v line="$line" -v guest="$guest" \
			'$2 == runs && $7 == guest && index(" " $3 " ", " " line " ")' \
			"$WORK/tests" >"$WORK/$count.tests"
		echo "$line|${runs#guest}${guest:+, for $guest alone}|${runs#guest}" \
			>"$WORK/$count.what"
		count=$((count + 1))
	done < <(boots)
	while read -r test; do
		echo "$test" >"$WORK/$count.tests"
		echo "host||" >"$WORK/$count.what"
		count=$((count + 1))
	done < <(awk -F'|' '$3 == ""' "$WORK/tests")
	echo "$count"
}
