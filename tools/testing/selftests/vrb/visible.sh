#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --driver none --hcas 0 --modules "ib_vrb vrb_mock"
# Kernels: 6.12 debug 6.12-rt 7-rt
#
# Tests what the request engine shows in debugfs and as tracepoints.
# Usage: visible.sh [NAME...]

. "$(dirname "$0")/lib.sh"

DEVICE=/sys/kernel/debug/ib_vrb/mock
TRACE=/sys/kernel/debug/tracing
TRACE_WORK=/tmp/visible.trace
EVENTS="vrb_inbox vrb_queue vrb_refuse vrb_issue vrb_post vrb_busy vrb_complete vrb_wait
	vrb_resume vrb_undo vrb_over vrb_done vrb_timeout vrb_zombie vrb_fail vrb_object_init
	vrb_object_gone"

# shows FILE PATTERN: a line of the file matches
shows() {
	grep -qE -- "$2" "$1" && return
	echo "# $1 has no line like '$2':"
	sed 's/^/#   /' "$1" | head -n 30
	seen=fail
}

look_visible_requests() {
	local of='normal mock 0:step0 OBJ:0x88 test'
	shows "$DEVICE/vrbs" "^[0-9]+ issued $of [0-9]+ request_done .*-\$"
	shows "$DEVICE/vrbs" "^[0-9]+ queued $of -1 request_done .*-\$"
	shows "$DEVICE/objects" '^OBJ:0x77 2 1 0 alive$'
	shows "$DEVICE/objects" '^OBJ:0x88 3 0 0 alive OBJ:0x77$'
	shows "$DEVICE/slots" '^[0-9]+ busy 0x[0-9a-f]+ 1 [0-9]+ mock 0:step0$'
	shows "$DEVICE/counters" '^submitted 2$'
	shows "$DEVICE/counters" '^slots_now 1$'
	shows "$DEVICE/counters" '^queue_now 1$'
	shows "$DEVICE/counters" '^run_max_ns [0-9]+$'
}

look_visible_undo() {
	local of='normal mock 0:step0:undo - test'
	shows "$DEVICE/vrbs" "^[0-9]+ issued $of [0-9]+ request_done .*SEVEN\$"
}

look_visible_zombie() {
	shows "$DEVICE/slots" '^[0-9]+ zombie 0x[0-9a-f]+ 1 [0-9]+ mock 0:step0$'
	shows "$DEVICE/objects" '^OBJ:0x99 2 0 1 alive$'
	shows "$DEVICE/counters" '^timeouts 1$'
}

look_visible_awaits() {
	shows "$DEVICE/vrbs" '^[0-9]+ queued event [^ ]+ 0:[^ ]+ - test -1 typed_done'
}

# One line for each request or object, and one with the names.
look_visible_many_requests() {
	local lines
	lines=$(wc -l <"$DEVICE/vrbs")
	[ "$lines" = 100008 ] || { echo "# $lines lines in $DEVICE/vrbs" && seen=fail; }
}

look_visible_many_objects() {
	local lines
	lines=$(sort -u "$DEVICE/objects" | wc -l)
	[ "$lines" = 5001 ] || { echo "# $lines lines in $DEVICE/objects" && seen=fail; }
}

look_visible_transitions() {
	:
}

# The trace is read after the test, because its last event comes at the end.
check_trace() {
	local event
	for event in $EVENTS; do
		shows "$TRACE/trace" " $event: mock "
	done
	# Whatever way a request takes, it is queued once before it ends.
	for event in vrb_queue vrb_over; do
		grep " $event: mock " "$TRACE/trace" | sed 's/.* vrb=\([^ ]*\) .*/\1/' | sort |
			uniq -c >"$TRACE_WORK.$event"
	done
	cmp -s "$TRACE_WORK.vrb_queue" "$TRACE_WORK.vrb_over" || {
		echo "# these are queued and over, a different number of times:"
		diff "$TRACE_WORK.vrb_queue" "$TRACE_WORK.vrb_over" | sed 's/^/#   /'
		seen=fail
	}
	# The step and the firmware status by name
	shows "$TRACE/trace" " vrb_complete: mock .* step1 fw_status=0x7 SEVEN"
	shows "$TRACE/trace" " vrb_timeout: mock .* step=0:step0 status=-110 "
	shows "$TRACE/trace" " vrb_done: mock .* step=1:step1 status=-22 fw_status=0x7 SEVEN"
}

setup visible
select_tests visible "$@"
for name in "${names[@]}"; do
	seen=pass
	if [ "$name" = visible_transitions ]; then
		[ -e $TRACE/events/ib_vrb ] ||
			{ report "$name" "skip the kernel has no tracing" && continue; }
		echo >$TRACE/trace
		echo 1 >$TRACE/events/ib_vrb/enable
	fi
	coproc VISITOR {
		for _ in {1..100}; do
			[ "$(cat $MOCK/state)" != waiting ] || break
			sleep 0.1
		done
		"look_$name"
		echo "seen $seen"
		echo >$MOCK/state
	}
	exec 3<&"${VISITOR[0]}"
	seen=fail	# until the visitor has reported
	run_one "$name"
	while read -r -u 3 line; do
		case $line in
		seen*) seen=${line#seen } ;;
		*) echo "$line" ;;
		esac
	done
	exec 3<&-
	wait "$VISITOR_PID" 2>/dev/null
	if [ "$name" = visible_transitions ]; then
		echo 0 >$TRACE/events/ib_vrb/enable
		check_trace
	fi
	[ "$seen" = pass ] || result=fail
	report "$name" "$result"
done
exit "$status"
