#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# storms.sh LATENCY EACH KIND:WHAT:N...: registers memory ("mr"), creates completion queues ("cq")
# or joins multicast groups ("mcast"), and undoes it, EACH times N times, N at a time, in softirq
# or in threads of a process ("user"). Before that it counts what is done once, for EACH 0, as the
# case "setup KIND:WHAT:N". storms.py reads its output.

# shellcheck source=SCRIPTDIR/counts.bash
. "$(dirname "$0")/counts.bash"

# storm KIND WHAT N TOTAL: keeps how many there were and how long they took, in ns
storm() {
	case $2 in
	softirq)
		load_own storm_softirq "what=$1" "depth=$3" "total=$4"
		dmesg | sed -nE 's/.*(storm_softirq: [0-9]+ times in [0-9]+ ns)$/\1/p' |
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
	read -r total ns <"$TEST_DIR/took"
	[ "$total" = $((n * each)) ] || fail "$case: $total times"
	report "$case" "times per second" "$(awk -v n="$total" -v t="$ns" 'BEGIN {
		printf "%.3f", n * 1e9 / t }')"
	report "$case" times "$total"
done
model_set 0 latency 10us
