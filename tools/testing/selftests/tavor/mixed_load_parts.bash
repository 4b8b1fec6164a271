# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
# shellcheck shell=bash
#
# The parts of the mixed load. Each part repeats one thing until it is told to stop, and records its
# results. An error is excused if it happened while a cable was out or the device had failed.
#
# For each iteration a part writes a line to $LOAD/PART.done: its begin, its end, and its status.
# The windows in which errors are excused are the lines of $LOAD/windows: begin, end, why.

# shellcheck source=SCRIPTDIR/faults.bash
. "$(dirname "${BASH_SOURCE[0]}")/faults.bash"
# shellcheck source=SCRIPTDIR/../../interop/ipoib_ports.bash
. "$(dirname "${BASH_SOURCE[0]}")/../../interop/ipoib_ports.bash"

LOAD=${GUEST_WORK:-/run/work}/load
PROGRAM=${TEST_BIN:-$TREE/build/guest/tavor}/mixed_load
PARTS=(perftest cmtime ipoib registration cq_resize)

PERFTESTS=(
	"ib_write_bw -n 100 -q 4"
	"ib_send_bw -n 100 -s 4096"
	"ib_read_bw -n 100 -s 4096 -e"
	"ib_atomic_bw -n 100"
	"ib_send_bw -c UD -n 100 -s 2048"
	"ib_send_bw -n 100 -r 64 --use-srq -q 4"
	"ib_send_lat -n 100 -I 64 -s 64"
)

# perftest_once N: from port to port, with another program each time
perftest_once() {
	local command
	read -ra command <<<"${PERFTESTS[$1 % ${#PERFTESTS[@]}]}"
	command=(timeout -k 5 60 "${command[0]}" -d "$(device)" -F "${command[@]:1}")
	pair "${command[*]} -i 2" "${command[*]} -i 1"
}

# cmtime_once N: cmtime makes up QP numbers. The connection manager takes those of recent
# connections for stale, so each iteration uses others. The TCP ports change, because the last ones
# may still be in TIME_WAIT.
cmtime_once() {
	local n=$(($1 % 4000))
	cmtime_pair "-q $((1000000 + 1000 * n)) -p $((20000 + n))" \
		"-q $((8000000 + 1000 * n)) -p $((20000 + n))"
}

# ipoib_once N: datagrams, fragments, and TCP whose data is verified
ipoib_once() {
	local options="-T s -T v -I 20 -S 16384 -C 20 -p $((10000 + $1 % 4000))"
	ping -q -c 20 -i 0.1 -W 5 "$THERE" | tee "$TEST_DIR/ping"
	grep -q ' 0% packet loss' "$TEST_DIR/ping"
	ping -q -c 3 -i 0.2 -W 5 -s 20000 "$THERE"
	cm_pair "rstream -b $THERE $options" "rstream -s $THERE $options"
}

registration_once() {
	timeout -k 5 60 "$PROGRAM" regions 20
}

cq_resize_once() {
	timeout -k 5 60 "$PROGRAM" resize 20
}

# go_on: fails when the part is told to stop; waits while the device is known to be away
go_on() {
	while [ -e "$LOAD/away" ]; do
		sleep 2
	done
	[ ! -e "$LOAD/stop" ]
}

# part NAME: repeats the iteration NAME_once until it is told to stop
part() {
	local name=$1 n=0 begin status
	# Only the iteration may fail. A server that it starts is its child, so that it can end it.
	set +e
	trap - ERR
	far() {
		exec ip netns exec far "$@"
	}
	TEST_DIR=$LOAD/$name
	mkdir "$TEST_DIR"
	while go_on; do
		begin=$EPOCHREALTIME
		status=0
		(
			strict
			"${name}_once" "$n"
		) >"$TEST_DIR/log" 2>&1 &
		wait $! || status=$?
		echo "$begin $EPOCHREALTIME $status" >>"$LOAD/$name.done"
		[ "$status" = 0 ] || failed_once "$begin" "$status"
		n=$((n + 1))
	done
}

# failed_once BEGIN STATUS: keeps the end of the iteration's output, and delays the next iteration
failed_once() {
	{
		echo "from $1 to $EPOCHREALTIME, status $2:"
		tail -n 12 "$TEST_DIR/log"
	} >>"$TEST_DIR.failed"
	sleep 1
}

# parts_begin: begins all parts; sets PART_PIDS
parts_begin() {
	local name
	rm -rf "$LOAD"
	mkdir "$LOAD"
	touch "$LOAD/windows"
	PART_PIDS=()
	for name in "${PARTS[@]}"; do
		part "$name" &
		PART_PIDS+=($!)
	done
}

# parts_end: no part has ended by itself; each one ends when it is told to
parts_end() {
	local pid
	for pid in "${PART_PIDS[@]}"; do
		! ended "$pid" || fail "a part of the load has ended by itself"
	done
	touch "$LOAD/stop"
	for pid in "${PART_PIDS[@]}"; do
		until_true 180 ended "$pid" || fail "a part of the load does not end"
	done
}

# descendants PID: prints the process's children, and theirs
descendants() {
	local pid
	for pid in $(pgrep -P "$1" || :); do
		descendants "$pid"
		echo "$pid"
	done
}

# interrupt: ends the current iterations, which may wait for a device that is gone
interrupt() {
	local part pid pids=()
	for part in "${PART_PIDS[@]}"; do
		mapfile -t -O "${#pids[@]}" pids < <(descendants "$part")
	done
	kill "${pids[@]}" 2>/dev/null || :
	for pid in "${pids[@]}"; do
		until_true 20 ended "$pid" || kill -KILL "$pid"
		until_true 20 ended "$pid" || fail "it hangs: $(cat "/proc/$pid/stack")"
	done
}

# window BEGIN WHY: adds a window that ends now
window() {
	echo "$1 $EPOCHREALTIME $2" >>"$LOAD/windows"
}

# done_by PART HALF: prints how often the part worked, failed, and failed with an excuse, before the
# failure or after the recovery
done_by() {
	awk -v half="$2" '
	FILENAME ~ /windows$/ {
		from[NR] = $1
		to[NR] = $2
		if ($3 == "failure") {
			failed = $1
			back = $2
		}
		next
	}
	half == "before" ? failed && $1 >= failed : !failed || $1 < back { next }
	{
		excused = 0
		for (i in from)
			excused = excused || ($1 < to[i] && $2 > from[i])
		count[$3 == 0 ? "worked" : excused ? "excused" : "failed"]++
	}
	END { print count["worked"] + 0, count["failed"] + 0, count["excused"] + 0 }
	' "$LOAD/windows" "$LOAD/$1.done"
}

# worked PART HALF: the part worked at least once, and had no error without an excuse
worked() {
	local times failures excused
	[ -e "$LOAD/$1.done" ] || fail "there was no load"
	read -r times failures excused < <(done_by "$1" "$2")
	echo "$1 $2: worked $times times, failed $failures times, $excused more with an excuse"
	[ "$failures" = 0 ] && [ "$times" != 0 ] || {
		cat "$LOAD/windows" "$LOAD/$1".*
		fail "$1: $times times, $failures failures"
	}
}

# all_worked HALF: each part did
all_worked() {
	local name times
	for name in "${PARTS[@]}"; do
		[ -e "$LOAD/$name.done" ] || return 1
		read -r times _ < <(done_by "$name" "$1")
		[ "$times" != 0 ] || return 1
	done
}

# each_works HALF: waits until each part has worked, without disturbing them
each_works() {
	local end=$((SECONDS + 300))
	until all_worked "$1"; do
		[ "$SECONDS" -lt "$end" ] || fail "$1 the failure: a part does not work"
		sleep 2
	done
}
