# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
# shellcheck shell=bash
#
# Functions that run tests of vrb_mock.ko by name and print KTAP. They need root, debugfs, and the
# modules ib_vrb and vrb_mock.

MOCK=/sys/kernel/debug/vrb_mock
ENGINE=/sys/module/ib_vrb/parameters

# skip_all REASON
skip_all() {
	echo "1..0 # SKIP $1"
	exit 4
}

# timed: devices are carried by timers from now on
timed() {
	soft_timer=Y
}

teardown() {
	echo 0 >/sys/kernel/rcu_expedited
	echo N >$ENGINE/soft_timer
	echo 10 >$ENGINE/nag_seconds
}

# setup LIST: what all tests need; LIST is the file there that has their names
setup() {
	echo "TAP version 13"
	[ "$(id -u)" = 0 ] || skip_all "needs root"
	mountpoint -q /sys/kernel/debug || mount -t debugfs none /sys/kernel/debug 2>/dev/null
	[ -e "$MOCK" ] || modprobe vrb_mock 2>/dev/null
	[ -e "$MOCK/$1" ] || skip_all "vrb_mock is not loaded"
	# Each test has a device of its own, and devices go by way of RCU.
	echo 1 >/sys/kernel/rcu_expedited
	trap teardown EXIT
	echo "${soft_timer:-N}" >$ENGINE/soft_timer
	# A wakeup that is lost hangs the test.
	echo 0 >$ENGINE/nag_seconds
}

# select_tests LIST [PATTERN...]: into names: the tests of that file, or those of them that match
select_tests() {
	local list=$MOCK/$1 name pattern
	shift
	names=()
	while read -r name; do
		[ $# != 0 ] || names+=("$name")
		for pattern; do
			# shellcheck disable=SC2053 # a pattern
			[[ $name != $pattern ]] || { names+=("$name") && break; }
		done
	done <"$list"
	[ ${#names[@]} != 0 ] || { echo "Bail out! no test matches: $*" && exit 1; }
	echo "1..${#names[@]}"
}

number=0
status=0
# The test's own file, wherever its name is relative to.
script=$(readlink "/proc/$$/fd/255")

# came_from: file, line and text of the test's call that came to a result, and of the line before
came_from() {
	local line=${BASH_LINENO[${#BASH_LINENO[@]} - 2]}
	awk -v from=$((line - 1)) -v to="$line" -v file="${script##*/}" \
		'NR >= from && NR <= to { sub(/^[ \t]+/, ""); print "# " file ":" NR ": " $0 }' \
		"$script"
}

# report NAME RESULT: RESULT is "pass", "skip REASON" or anything else
report() {
	number=$((number + 1))
	case $2 in
	pass) echo "ok $number $1" ;;
	skip*) echo "ok $number $1 # SKIP ${2#skip }" ;;
	*)
		came_from
		echo "not ok $number $1"
		status=1
		;;
	esac
}

# run_one NAME: sets result
run_one() {
	result=fail
	if echo "$1" >"$MOCK/run"; then
		grep '^#' "$MOCK/result"
		result=$(tail -n 1 "$MOCK/result")
	fi
}

# run_tests LIST [PATTERN...]: all of them, one after the other, and the end
run_tests() {
	local name
	setup "$1"
	select_tests "$@"
	for name in "${names[@]}"; do
		run_one "$name"
		report "$name" "$result"
	done
	exit "$status"
}
