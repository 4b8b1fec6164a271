#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# storms.sh LATENCY LIVES KIND:WHAT:N...: registers memory ("mr"), creates completion queues ("cq")
# or joins multicast groups ("mcast"), and undoes it, LIVES times N times, N at a time, in softirq
# or in threads of a process ("user"). Before that it counts what is done once, for LIVES 0, as the
# case "setup KIND:WHAT:N". storms.py reads its output.

# shellcheck source=SCRIPTDIR/counts.bash
. "$(dirname "$0")/counts.bash"

# storm KIND WHAT N LIVES: keeps how many lives there were and how long they took, in ns
storm() {
	case $2 in
	softirq)
		load_own storm_softirq "what=$1" "depth=$3" "lives=$4"
		dmesg | sed -nE 's/.*(storm_softirq: [0-9]+ lives in [0-9]+ ns)$/\1/p' |
			tail -n 1 >"$TEST_DIR/said"
		rmmod storm_softirq
		;;
	user) "$TREE/build/bench/programs/storm_user" "$1" "$3" "$4" >"$TEST_DIR/said" ;;
	*) fail "no client $2" ;;
	esac
	awk '{ print $2, $5 }' "$TEST_DIR/said" >"$TEST_DIR/took"
}

latency=$1
each=$2
shift 2
[ "$DRIVER" = mthca ] || echo 1 >/sys/module/ib_tavor/parameters/softirq_objects
ulimit -l unlimited
sm_stop
model_set 0 latency "$latency"
for case; do
	IFS=: read -r kind what n <<<"$case"
	counted "setup $case" storm "$kind" "$what" "$n" 0
	counted "$case" storm "$kind" "$what" "$n" $((n * each))
	read -r lives ns <"$TEST_DIR/took"
	[ "$lives" = $((n * each)) ] || fail "$case: $lives lives"
	report "$case" "lives per second" "$(awk -v n="$lives" -v t="$ns" 'BEGIN {
		printf "%.3f", n * 1e9 / t }')"
	report "$case" lives "$lives"
done
model_set 0 latency 10us
