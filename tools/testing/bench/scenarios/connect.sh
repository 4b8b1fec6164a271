#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# connect.sh LATENCY WHAT:N:TOTAL...: makes that many connections, N at a time, in softirq, in
# threads of the kernel ("threads") or of a process ("user"). connect.py reads its output.

# shellcheck source=SCRIPTDIR/counts.bash
. "$(dirname "$0")/counts.bash"

# of_module NAME PARAMETER...
of_module() {
	load_own "$@"
	dmesg | sed -nE "s/.*$1: ([0-9]+) times in ([0-9]+) ns$/\\1 \\2/p" | tail -n 1 \
		>"$TEST_DIR/took"
	rmmod "$1"
}

# connections WHAT N TOTAL
connections() {
	case $1 in
	softirq) of_module connect_softirq "depth=$2" "total=$3" ;;
	threads) of_module connect_threads "threads=$2" "total=$3" ;;
	user)
		"$TREE/build/bench/programs/connect_user" "$2" "$3" |
			awk '{ print $2, $5 }' >"$TEST_DIR/took"
		;;
	esac
}

name() {
	case $1 in
	softirq) echo "softirq, depth $2" ;;
	threads) echo "$2 kernel threads" ;;
	user) echo "$2 user threads" ;;
	esac
}

latency=$1
shift
echo 1 >/sys/module/ib_tavor/parameters/softirq_objects 2>/dev/null || :
model_set 0 latency "$latency"
for one; do
	IFS=: read -r what n total <<<"$one"
	case=$(name "$what" "$n")
	counted "$case" connections "$what" "$n" "$total"
	read -r total ns <"$TEST_DIR/took"
	report "$case" "connections per second" "$(awk -v n="$total" -v t="$ns" 'BEGIN {
		printf "%.3f", n * 1e9 / t }')"
	report "$case" connections "$total"
done
