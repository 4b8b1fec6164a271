#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --driver tavor
# Kernels: 6.12 debug
# Timeout: 300
# Guest: own
# Level: ci
#
# Tests a surprise removal of the function while a process has requests in a verb queue. The process
# is notified, and the unbind does not wait for it. The function does not return in this guest. By
# hand:
#   tools/testing/vm/run --driver tavor -- tools/testing/selftests/tavor/verb_queue_removal.sh

# shellcheck source=SCRIPTDIR/verb_queue.bash
. "$(dirname "$0")/verb_queue.bash"

test_removal_under_a_queue_with_requests() {
	local since
	since=$(mark)
	holds
	model '{"cmd":"remove","hca":0}' | grep -q '"ok":true'
	# The next command, or the next poll of the error buffer, notices it.
	until_true 60 said "$since" 'device has failed'
	sleep 1
	unbind
	told
	lost
	ends
	nothing_left "$since"
}

run_tests "$@"
