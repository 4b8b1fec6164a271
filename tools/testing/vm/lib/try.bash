# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
# shellcheck shell=bash
#
# For the tests of the bench itself and of what other tests depend on. A tested command writes to
# $work/out and $work/err. try() is called in the bench's own folder.

RUN=./run
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
number=0
failed=0
# The path of the test's file, which may be relative to a folder that the test has left.
script=$(readlink "/proc/$$/fd/255")

# said_by: file, line and text of the call that gave a result, and of the command before it if that
# decided it
said_by() {
	local top=$((${#BASH_SOURCE[@]} - 1)) from line
	line=${BASH_LINENO[top - 1]}
	from=$line
	[ "$top" -gt 2 ] || from=$((line - 1))
	awk -v from="$from" -v to="$line" -v file="${script##*/}" \
		'NR >= from && NR <= to { sub(/^[ \t]+/, ""); print "# " file ":" NR ": " $0 }' \
		"$script"
}

# result GOOD TEXT
result() {
	number=$((number + 1))
	if [ "$1" = 0 ]; then
		echo "ok $number $2"
	else
		failed=$((failed + 1))
		echo "not ok $number $2"
		said_by
		sed 's/^/# /' "$work/out" "$work/err" 2>/dev/null | tail -n 60
	fi
}

# soon COMMAND...: the command succeeds within 30 seconds
soon() {
	local n
	for n in $(seq 300); do
		! "$@" || return 0
		sleep 0.1
	done
	return 1
}

# try TEXT STATUS LAST-LINE-PATTERN OPTION...: run must end with this status and this last line
try() {
	local text=$1 want=$2 pattern=$3 status=0
	shift 3
	"$RUN" "$@" >"$work/out" 2>"$work/err" </dev/null || status=$?
	[ "$status" = "$want" ] && tail -n 1 "$work/err" | grep -qE -- "$pattern"
	result $? "$text"
}
