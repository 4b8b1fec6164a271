# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
# shellcheck shell=bash
#
# Functions for tests that take a device from a process with requests in a verb queue.

# shellcheck source=SCRIPTDIR/faults.bash
. "$(dirname "${BASH_SOURCE[0]}")/faults.bash"

PROGRAM=${TEST_BIN:-$TREE/build/guest/tavor}/verb_queue

# holds: starts two processes with queued requests; their output is in $TEST_DIR/holder-*. That of
# "hold-late" has a queue that is younger than its QPs, so it is destroyed before them.
holds() {
	local how
	bound || bind
	until_true 20 prints rdma_devices
	model_set 0 latency_op RST2INIT_QPEE=1s
	HOLDERS=()
	for how in hold hold-late; do
		"$PROGRAM" "$how" >"$TEST_DIR/holder-$how" &
		HOLDERS+=($!)
		until_true 60 grep -q holding "$TEST_DIR/holder-$how"
		grep -qx '256 requests' "$TEST_DIR/holder-$how"
	done
}

# told: the processes have read all their completions, and are told of the end of their queues
told() {
	local file
	for file in "$TEST_DIR"/holder-*; do
		until_true 60 grep -qx over "$file"
	done
	model_set 0 latency_op ''
	for file in "$TEST_DIR"/holder-*; do
		cat "$file"
		grep -qx 'read: Input/output error, poll: HUP' "$file"
	done
}

# lost: the processes have read that requests have failed with EIO, and no other failure
lost() {
	local file
	for file in "$TEST_DIR"/holder-*; do
		grep -q 'completions: other 0, lost some' "$file"
	done
}

# ends: the processes still exist, and end
ends() {
	local pid
	for pid in "${HOLDERS[@]}"; do
		if ended "$pid"; then
			fail "a process has ended by itself"
		fi
		kill "$pid"
		until_true 20 ended "$pid"
	done
}
