# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
# shellcheck shell=bash
#
# Functions that run tests of vrb_mock.ko by name and print KTAP. They need root, debugfs, and the
# modules ib_vrb and vrb_mock.

MOCK=/sys/kernel/debug/vrb_mock
ENGINE=/sys/module/ib_vrb/parameters
DELAYS=/sys/kernel/debug/ib_vrb/delays

# Not from the environment
soft_timer=
delays=

# skip_all REASON: skips all tests
skip_all() {
	echo "1..0 # SKIP $1"
	exit 4
}

# timed: makes timers run the pump of devices that are created from now on
timed() {
	soft_timer=Y
}

# delayed: makes the engine wait at the places of possible races
delayed() {
	delays=1
}

teardown() {
	[ ! -w "$DELAYS" ] || echo 0 >"$DELAYS"
	echo 0 >/sys/kernel/rcu_expedited
	echo N >$ENGINE/soft_timer
	echo 10 >$ENGINE/nag_seconds
}

# setup LIST: prepares for all tests; LIST is the debugfs file with their names
setup() {
	echo "TAP version 13"
	[ "$(id -u)" = 0 ] || skip_all "needs root"
	mountpoint -q /sys/kernel/debug || mount -t debugfs none /sys/kernel/debug 2>/dev/null
	[ -e "$MOCK" ] || modprobe vrb_mock 2>/dev/null
	[ -e "$MOCK/$1" ] || skip_all "vrb_mock is not loaded"
	# Each test has its own device, and the end of a device waits for RCU.
	echo 1 >/sys/kernel/rcu_expedited
	trap teardown EXIT
	echo "${soft_timer:-N}" >$ENGINE/soft_timer
	if [ -n "${delays:-}" ]; then
		[ -w "$DELAYS" ] || skip_all "the engine has no delays"
		echo "$delays" >"$DELAYS"
		[ "$(<"$DELAYS")" = 1 ] || { echo "Bail out! the engine does not wait" && exit 1; }
	fi
	# Without this, a lost wakeup would not hang the test.
	echo 0 >$ENGINE/nag_seconds
}

# select_tests LIST [PATTERN...]: sets names to the tests of LIST, or to those that match a pattern
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
# The path of the test's own file
script=$(readlink "/proc/$$/fd/255")

# came_from: prints the line of the test that has reported a result, and the line before it
came_from() {
	local line=${BASH_LINENO[${#BASH_LINENO[@]} - 2]}
	awk -v from=$((line - 1)) -v to="$line" -v file="${script##*/}" \
		'NR >= from && NR <= to { sub(/^[ \t]+/, ""); print "# " file ":" NR ": " $0 }' \
		"$script"
}

# report NAME RESULT: prints a result; RESULT is "pass", "skip REASON", or anything else: a failure
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

# run_one NAME: runs a test and sets result
run_one() {
	result=fail
	if echo "$1" >"$MOCK/run"; then
		grep '^#' "$MOCK/result"
		result=$(tail -n 1 "$MOCK/result")
	fi
}

# run_tests LIST [PATTERN...]: runs all of them, one after the other, and exits
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
