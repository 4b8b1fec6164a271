#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --driver tavor --sm --modules vrb_guide
# Level: ci
# Timeout: 300
# Guest: own
#
# Tests the examples of Documentation/vrb-client.rst for MADs and for the attributes of a port, on a
# device.

example=vrb_guide_port
# shellcheck source=SCRIPTDIR/guide.bash
. "$(dirname "$0")/guide.bash"

# capability: the port announces that it supports device management
capability() {
	local mask
	mask=$(cat "/sys/class/infiniband/$device/ports/1/cap_mask")
	(((mask & 1 << 19) != 0))
}

no_capability() {
	! capability
}

# asked: the model has executed MAD_IFC since the file before was written
asked() {
	[ "$(executed | sed -n 's/^MAD_IFC //p')" -gt "$1" ]
}

# A question is answered 2.5 s later, and is given up after 1 s.
answered_late() {
	away
	sm_around reload cmd_timeout_ms=1000
	sm_away
	begin
	until_true 30 stage "counters read"
	one_fault delay MAD_IFC 1 time=2500ms
	until_true 30 stage "not answered"
	faults_off
	show
	stage "not answered"
}

echo "TAP version 13"
names=("announced" "capability there" "counters read")
echo "1..$((${#names[@]} + 6))"
stages "${names[@]}"
verdict "ib_core sees the capability" capability
away
show
verdict "withdrawn" stage withdrawn
verdict "ib_core does not see the capability any more" no_capability
verdict "a question that is answered too late" answered_late
verdict "the next questions are asked" \
	until_true 10 asked "$(executed | sed -n 's/^MAD_IFC //p')"
verdict "the client can be unloaded while its device stays" away
exit "$status"
