#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --driver tavor --sm --modules vrb_guide
# Level: ci
# Timeout: 300
# Guest: own
#
# Tests the examples of Documentation/vrb-client.rst for address handles, and for a request that is
# submitted again after its command has timed out, on a device.

example=vrb_guide_ud
# shellcheck source=SCRIPTDIR/guide.bash
. "$(dirname "$0")/guide.bash"

# The second transition of the QP is answered 2.5 s later, and is given up after 1 s. While a device
# answers other commands, a command gets more time, so the subnet manager must have ended.
answered_late() {
	away
	sm_around reload cmd_timeout_ms=1000
	sm_away
	one_fault delay INIT2RTR_QPEE 1 time=2500ms
	begin
	until_true 60 stage gone
	faults_off
	show
}

echo "TAP version 13"
names=("allocated" "connected" "receives posted" "sent" "answered" "answer received" "gone")
echo "1..$((${#names[@]} + 6))"
stages "${names[@]}"
verdict "the client leaves nothing" nothing_left_by
answered_late
for name in "timed out" "submitted again" "connected" "answer received"; do
	verdict "answered too late: $name" stage "$name"
done
verdict "the client can be unloaded while its device stays" away
exit "$status"
