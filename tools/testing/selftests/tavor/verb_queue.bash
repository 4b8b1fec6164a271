# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
# shellcheck shell=bash
#
# Functions for tests that take a device from a process with requests in a verb queue.

# shellcheck source=SCRIPTDIR/faults.bash
. "$(dirname "${BASH_SOURCE[0]}")/faults.bash"

PROGRAM=${TEST_BIN:-$TREE/build/guest/tavor}/verb_queue

# holds hold|hold-late: starts a process with queued requests; its output is in $TEST_DIR/holder.
# With "hold-late" the queue is younger than the QPs, so it is destroyed before them.
holds() {
	bound || bind
	until_true 20 prints rdma_devices
	model_set 0 latency_op RST2INIT_QPEE=1s
	"$PROGRAM" "$1" >"$TEST_DIR/holder" &
	HOLDER=$!
	until_true 60 grep -q holding "$TEST_DIR/holder"
	grep -qx '256 requests' "$TEST_DIR/holder"
}

# told: the process has read all its completions, and is told of the end of the queue
told() {
	until_true 60 grep -qx over "$TEST_DIR/holder"
	model_set 0 latency_op ''
	cat "$TEST_DIR/holder"
	grep -qx 'read: Input/output error, poll: HUP' "$TEST_DIR/holder"
}

# ends: the process still exists, and ends
ends() {
	if ended "$HOLDER"; then
		fail "the process has ended by itself"
	fi
	kill "$HOLDER"
	until_true 20 ended "$HOLDER"
}
