# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
# shellcheck shell=bash
#
# For the tests of the bench itself and of what other tests stand on. What a result is about wrote to
# $work/out and $work/err; try() is called in the bench's own folder.

RUN=./run
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
number=0

# result GOOD TEXT
result() {
	number=$((number + 1))
	if [ "$1" = 0 ]; then
		echo "ok $number $2"
	else
		echo "not ok $number $2"
		sed 's/^/# /' "$work/out" "$work/err" 2>/dev/null | tail -n 12
	fi
}

# soon COMMAND...: within some seconds
soon() {
	local n
	for n in $(seq 300); do
		! "$@" || return 0
		sleep 0.1
	done
	return 1
}

# try TEXT STATUS LAST-LINE-PATTERN OPTION...: run has to end like this
try() {
	local text=$1 want=$2 pattern=$3 status=0
	shift 3
	"$RUN" "$@" >"$work/out" 2>"$work/err" </dev/null || status=$?
	[ "$status" = "$want" ] && tail -n 1 "$work/err" | grep -qE -- "$pattern"
	result $? "$text"
}
