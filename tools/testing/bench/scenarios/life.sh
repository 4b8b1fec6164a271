#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Counts the commands that a driver posts when it is unloaded, loaded, and recovers. life.py reads
# the output.

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

fail_and_recover() {
	local before
	before=$(stat -c %i /sys/class/infiniband/*)
	model '{"cmd":"catas","hca":0,"buffer":[50331648,1]}' | grep -q '"ok":true'
	until_true 60 is_new "$before"
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
