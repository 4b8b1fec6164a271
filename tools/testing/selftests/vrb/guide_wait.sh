#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --driver tavor --sm --modules vrb_guide
# Level: ci
# Timeout: 180
#
# Tests the examples of Documentation/vrb-client.rst for code that may sleep, on a device.

example=vrb_guide_wait
# shellcheck source=SCRIPTDIR/guide.bash
. "$(dirname "$0")/guide.bash"

# The process that loads the module is killed while it waits for a command of 3 s.
killed() {
	local pid
	away
	model_set 0 latency_op RST2INIT_QPEE=3s
	echo "guide.bash: begins" >/dev/kmsg
	insmod "$OWN/$example.ko" &
	pid=$!
	until_true 20 stage created
	sleep 0.5
	kill -KILL "$pid"
	until_true 20 stage gone
	wait "$pid" 2>/dev/null
	model_set 0 latency_op ''
	show
	stage connected -4 && stage gone && nothing_left_by
}

echo "TAP version 13"
names=("port queried" "allocated" "created" "connected" "awaited" "flushed" "stopped"
	"started again" "stopped again" "group drained" "group paused" "gone")
echo "1..$((${#names[@]} + 3))"
stages "${names[@]}"
verdict "the client leaves nothing" nothing_left_by
verdict "a fatal signal ends a wait" killed
verdict "the client can be unloaded while its device stays" away
exit "$status"
