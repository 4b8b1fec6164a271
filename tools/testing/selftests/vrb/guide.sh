#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --driver tavor --sm --modules vrb_guide
# Level: ci
# Timeout: 120
# Guest: own
#
# Tests that the examples of Documentation/vrb-client.rst for a connection work on a device as the
# document says, and that a client that is unloaded in the middle leaves nothing behind. The tests
# guide_*.sh test the other examples.

example=vrb_guide
# shellcheck source=SCRIPTDIR/guide.bash
. "$(dirname "$0")/guide.bash"

names=("connected" "page registered" "posted" "received" "CQ resized" "markers posted" "flushed"
	"reset" "connected again" "page unregistered" "attached" "detached" "group idle" "gone")

# The completions of its receives are lost. Without opensm nothing else receives.
unloaded_in_the_middle() {
	sm_away
	model_set 0 fault drop,on=cqe,op=4
	begin
	until_true 10 stage posted
	sleep 1
	away
	faults_off
	show
	! stage received && stage gone && nothing_left_by
}

echo "TAP version 13"
echo "1..$((${#names[@]} + 2))"
stages "${names[@]}"
verdict "the client can be unloaded while its device stays" away
verdict "a client that waits for a completion can be unloaded, and leaves nothing" \
	unloaded_in_the_middle
exit "$status"
