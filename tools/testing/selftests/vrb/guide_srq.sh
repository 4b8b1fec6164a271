#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --driver tavor --sm --modules vrb_guide
# Level: ci
# Timeout: 180
#
# Tests the examples of Documentation/vrb-client.rst for shared receive queues and for paths with a
# GRH, on a device.

example=vrb_guide_srq
# shellcheck source=SCRIPTDIR/guide.bash
. "$(dirname "$0")/guide.bash"

# The first command that sets a limit is refused.
limit_refused() {
	one_fault status ARM_SRQ 1 status=1
	begin
	until_true 60 stage gone
	faults_off
	show
	! stage "limit set" && ! stage sent && stage gone
}

# The QP's second transition is refused. It is the first to use the path.
path_refused() {
	one_fault status INIT2RTR_QPEE 1 status=1
	begin
	until_true 60 stage gone
	faults_off
	show
	! stage connected && ! stage filled && stage gone
}

echo "TAP version 13"
names=("allocated" "connected" "filled" "limit set" "sent" "refilled" "SRQ queried" "marker posted"
	"flushed" "gone")
echo "1..$((${#names[@]} + 5))"
stages "${names[@]}"
verdict "the limit is set again with the same request" \
	[ "$(log | grep -c "$example: $device: limit set: 0\$")" -ge 2 ]
verdict "the client leaves nothing" nothing_left_by
verdict "a limit that is refused ends the example" limit_refused
verdict "a connect that is refused ends the example" path_refused
verdict "the client can be unloaded while its device stays" away
exit "$status"
