# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
# shellcheck shell=bash
#
# Runs tests of vrb_mock.ko by name and prints KTAP. Needs root, debugfs, and the modules ib_vrb and vrb_mock.

MOCK=/sys/kernel/debug/vrb_mock

# skip_all REASON
skip_all() {
	echo "1..0 # SKIP $1"
	exit 4
}

# run_tests LIST [NAME...]: the tests of that file there, or those named (shell patterns allowed)
run_tests() {
	local list=$MOCK/$1 name pattern number=0 status=0 result names=()
	shift
	echo "TAP version 13"
	[ "$(id -u)" = 0 ] || skip_all "needs root"
	[ -d /sys/kernel/debug/tracing ] || mount -t debugfs none /sys/kernel/debug 2>/dev/null
	[ -e "$list" ] || modprobe vrb_mock 2>/dev/null
	[ -e "$list" ] || skip_all "vrb_mock is not loaded"
	while read -r name; do
		[ $# != 0 ] || names+=("$name")
		for pattern; do
			# shellcheck disable=SC2053 # a pattern
			[[ $name != $pattern ]] || { names+=("$name") && break; }
		done
	done <"$list"
	[ ${#names[@]} != 0 ] || { echo "Bail out! no test matches: $*" && exit 1; }
	echo "1..${#names[@]}"
	# Each test has a device of its own, and devices go by way of RCU.
	echo 1 >/sys/kernel/rcu_expedited
	trap 'echo 0 >/sys/kernel/rcu_expedited' EXIT
	for name in "${names[@]}"; do
		number=$((number + 1))
		result="fail"
		if echo "$name" >"$MOCK/run"; then
			grep '^#' "$MOCK/result"
			result=$(tail -n 1 "$MOCK/result")
		fi
		case $result in
		pass) echo "ok $number $name" ;;
		skip*) echo "ok $number $name # SKIP ${result#skip }" ;;
		*) echo "not ok $number $name" && status=1 ;;
		esac
	done
	exit "$status"
}
