#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Counts the commands that a driver posts when it is unloaded, loaded, and recovers. life.py reads
# the output.

# shellcheck source=SCRIPTDIR/counts.bash
. "$(dirname "$0")/counts.bash"

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
counted unload driver_unload
counted load load
counted unload driver_unload
counted load load
# ib_mthca's recovery waits for the timeout of each of its commands to the dead device.
[ "$DRIVER" = mthca ] || counted "failure and recovery" fail_and_recover
