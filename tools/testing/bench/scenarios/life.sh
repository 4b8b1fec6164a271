#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Counts the commands that a driver posts when it is unloaded, loaded, and recovers. Then it does so
# again at 10 ms a command, and measures the time and the command slots in use. life.py reads the
# output.

# shellcheck source=SCRIPTDIR/counts.bash
. "$(dirname "$0")/counts.bash"

TRACE=/sys/kernel/tracing

# The functions through which the drivers read an attribute, and where they get its number. The
# module need not be loaded.
probe_attributes() {
	case $DRIVER in
	tavor) echo 'p:attributes ib_tavor:tavor_smp_get id=%dx:x16' ;;
	mthca) echo "p:attributes ib_mthca:mthca_MAD_IFC id=+16(\$stack1):x16" ;;
	esac >$TRACE/kprobe_events
}

# count_tables CASE COMMAND...: reports how often GUIDInfo and P_KeyTable (14h, 16h, big-endian)
# were read, for both ports
count_tables() {
	local case=$1
	shift
	echo >$TRACE/trace
	echo 1 >$TRACE/events/kprobes/attributes/enable
	"$@"
	echo 0 >$TRACE/events/kprobes/attributes/enable
	# Without a single read the probe is wrong.
	grep -q ' id=0x' $TRACE/trace
	report "$case" "reads of tables" "$(grep -cE ' id=0x1[46]00$' $TRACE/trace)"
}

quiet() {
	# Waits until user space has finished its queries of the device.
	sleep 3
}

load() {
	driver_load
	quiet
}

is_new() {
	local now
	now=$(stat -c %i /sys/class/infiniband/* 2>/dev/null) && [ -n "$now" ] &&
		[ "$now" != "$1" ]
}

recover() {
	local before
	before=$(stat -c %i /sys/class/infiniband/*)
	model '{"cmd":"catas","hca":0,"buffer":[50331648,1]}' | grep -q '"ok":true'
	until_true 60 is_new "$before"
}

fail_and_recover() {
	recover
	quiet
}

# since SECONDS FILE: the commands under way after that time of the model, in stats: a line for each
# change, "SECONDS NUMBER"
since() {
	sed -E 's/.*"history":\[\[(.*)\]\].*/\1/; s/\],\[/\n/g; s/,/ /g' "$2" |
		awk -v from="$1" '$1 > from'
}

# under_way: prints, of what since() prints, the seconds from the first change to the last, and the
# mean over time of the commands under way. There must be some, and the model keeps 1024 changes.
under_way() {
	awk '
		NR > 1 { sum += n * ($1 - t); time += $1 - t }
		{ t = $1; n = $2 }
		END {
			if (!time || NR >= 1024)
				exit 1
			printf "%.3f %.3f\n", time, sum / time
		}'
}

# timed CASE COMMAND...: reports the seconds of the command, those from its first command to the HCA
# to the end of the last one, and the mean of the commands under way in between
timed() {
	local case=$1 began ended from time mean
	shift
	stats >"$TEST_DIR/before"
	from=$(since -1 "$TEST_DIR/before" | tail -n 1 | cut -d' ' -f1)
	began=$(date +%s%N)
	"$@"
	ended=$(date +%s%N)
	stats >"$TEST_DIR/after"
	since "$from" "$TEST_DIR/after" | under_way >"$TEST_DIR/under-way" ||
		fail "$case: no commands, or too many"
	read -r time mean <"$TEST_DIR/under-way"
	report "$case" seconds "$(awk -v t=$((ended - began)) 'BEGIN {
		printf "%.3f", t / 1e9 }')"
	report "$case" "commands, seconds" "$time"
	report "$case" "slots in use, mean" "$mean"
	quiet
}

modprobe -a ib_uverbs ib_umad
for _ in 1 2; do
	counted unload driver_unload
	probe_attributes
	count_tables load counted load load
done
# ib_mthca's recovery waits for the timeout of each of its commands to the dead device.
[ "$DRIVER" = mthca ] || counted "failure and recovery" fail_and_recover
model_set 0 latency 10ms
timed "unload, 10 ms" driver_unload
timed "load, 10 ms" driver_load
[ "$DRIVER" = mthca ] || timed "failure and recovery, 10 ms" recover
