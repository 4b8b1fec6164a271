#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# slots.sh SHARE WAY,LATENCY,QPS...: measures how many of SHARE command slots vrbq_connect uses
# while it connects QPS queue pairs by sync, threads:N or queue. slots.py reads the output.

# shellcheck source=SCRIPTDIR/counts.bash
. "$(dirname "$0")/counts.bash"

program=$TREE/build/guest/libvrbq/vrbq_connect

# connected: prints how many queue pairs were connected since the HCA was started
connected() {
	model '{"cmd":"stats","hca":0,"history":false}' >"$TEST_DIR/executed"
	in_stats executed "$TEST_DIR/executed" |
		awk '$1 == "RTR2RTS_QPEE" { n = $2 } END { print n + 0 }'
}

# quarter_of QPS: a quarter of QPS queue pairs are connected
quarter_of() {
	[ $(($(connected) - before)) -ge $(($1 / 4)) ]
}

# used SHARE QPS: prints the mean over time of the commands under way, in percent of SHARE, from the
# model's history of pairs of seconds and commands. Only the last QPS pairs certainly belong to the
# connect.
used() {
	sed -E 's/.*"history":\[\[(.*)\]\].*/\1/; s/\],\[/\n/g' "$TEST_DIR/stats" |
		tail -n "$2" |
		awk -F, -v share="$1" '
			NR > 1 { sum += n * ($1 - t); time += $1 - t }
			{ t = $1; n = $2 }
			END { printf "%.1f", time ? 100 * sum / time / share : 0 }'
}

name() {
	case $1 in
	sync) echo "one after the other, $2" ;;
	threads:1) echo "libvrbq, 1 thread, $2" ;;
	threads:*) echo "libvrbq, ${1#*:} threads, $2" ;;
	queue) echo "libvrbq, verb queue, $2" ;;
	esac
}

# connect WAY QPS: connects, and saves the model's history while it runs
connect() {
	local before options=(--check --pairs $(($2 / 2)) --mode "${1%:*}")
	[ "${1%:*}" != threads ] || options+=(--threads "${1#*:}")
	before=$(connected)
	"$program" "${options[@]}" >"$TEST_DIR/out" &
	until_true 900 quarter_of "$2"
	stats >"$TEST_DIR/stats"
	! quarter_of $((4 * $2)) || fail "$1: all were connected before a quarter was seen to be"
	model_set 0 latency_op ''
	wait $!
	cat "$TEST_DIR/out"
	grep -qx "connect: $2 of $2" "$TEST_DIR/out"
}

share=$1
shift
for what; do
	IFS=, read -r way latency qps <<<"$what"
	model_set 0 latency_op "RST2INIT_QPEE=$latency,INIT2RTR_QPEE=$latency,RTR2RTS_QPEE=$latency"
	connect "$way" "$qps"
	report "$(name "$way" "$latency")" "slots in use, % of the share" "$(used "$share" "$qps")"
done
