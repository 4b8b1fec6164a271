#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --driver tavor
# Timeout: 600
# Guest: own
# Level: ci
#
# Tests a surprise removal of the function while processes hold, create and destroy objects. The
# function does not return in this guest. By hand:
#   tools/testing/vm/run --driver tavor -- tools/testing/selftests/tavor/removal.sh

# shellcheck source=SCRIPTDIR/life.bash
. "$(dirname "$0")/life.bash"

TEST_SECONDS=300

# This is one test, because each part needs what the one before it has left.
test_removal_under_processes_with_objects() {
	local since
	since=$(mark)
	processes 3 hold
	local holders=$PIDS
	processes 2 churn
	model '{"cmd":"remove","hca":0}' | grep -q '"ok":true'
	# The next command, or the next poll of the error buffer, notices it.
	until_true 60 failed "$since"
	PIDS+=" $holders"
	processes_end TERM
	destroys_did_not_fail
	unbind
	nothing_left "$since"
}

test_the_module_goes() {
	rmmod ib_tavor
	[ ! -d /sys/module/ib_tavor ]
}

run_tests "$@"
