#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# latency.sh MODULE,PARAMETER=N LATENCY LOAD:TOTAL...: connects TOTAL queue pairs with that module
# while the processor is idle or has other work, and prints percentiles. latency.py reads the
# output.

# shellcheck source=SCRIPTDIR/counts.bash
. "$(dirname "$0")/counts.bash"

HOGS=4
FIFO=50
LOADS=()

# The script must continue when a hog has the processor. Kernel threads have their own priority.
chrt -f -p $((FIFO + 10)) $$

# hog CHRT-OPTION...: a process that computes
hog() {
	chrt "$@" bash -c 'while :; do :; done' &
	LOADS+=($!)
}

load_begin() {
	local i
	case $1 in
	idle) ;;
	cpu)
		for ((i = 0; i < HOGS; i++)); do
			hog -o 0
		done
		;;
	fifo) hog -f $FIFO ;;
	softirq) load_own connect_load ;;
	*) fail "no load $1" ;;
	esac
}

load_end() {
	local pid
	! loaded connect_load || rmmod connect_load
	for pid in "${LOADS[@]}"; do
		kill -KILL "$pid"
		wait "$pid" 2>/dev/null || :
	done
	LOADS=()
}

# percentiles LOAD TOTAL: reports the module's, in ms
percentiles() {
	local count p50 p99 p999 n='([0-9]+)'
	read -r count p50 p99 p999 < <(dmesg | sed -nE \
		"s/.*$module: $n connected, p50 $n p99 $n p99.9 $n ns\$/\\1 \\2 \\3 \\4/p" |
		tail -n 1)
	[ "$count" = "$2" ] || fail "$1: $count connections"
	report "$1" connections "$count"
	report "$1" "p50, ms" "$(ms "$p50")"
	report "$1" "p99, ms" "$(ms "$p99")"
	[ "$count" -lt 1000 ] || report "$1" "p99.9, ms" "$(ms "$p999")"
}

ms() {
	awk -v ns="$1" 'BEGIN { printf "%.3f", ns / 1e6 }'
}

module=${1%%,*}
parameters=${1#*,}
latency=$2
shift 2
[ "$DRIVER" = mthca ] || echo 1 >/sys/module/ib_tavor/parameters/softirq_objects
sm_stop
model_set 0 latency "$latency"
for what; do
	load=${what%:*} total=${what#*:}
	load_begin "$load"
	load_own "$module" "$parameters" "total=$total"
	load_end
	percentiles "$load" "$total"
	rmmod "$module"
done
