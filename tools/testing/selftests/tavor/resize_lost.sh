#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --driver tavor --sm --hca ddr_hidden=1 --modules tavor_client
# Kernels: 6.12
# Timeout: 300
# Guest: own
# Level: ci
#
# Tests that a CQ's new buffer is not freed while a lost WRITE_MTT may still write its translation
# entries, when ib_core has resized the CQ. With a hidden DDR these entries are written by commands.
# By hand:
#   tools/testing/vm/run --driver tavor --sm --hca ddr_hidden=1 --modules tavor_client -- \
#	tools/testing/selftests/tavor/resize_lost.sh

# shellcheck source=SCRIPTDIR/faults.bash
. "$(dirname "$0")/faults.bash"

# says MARK PATTERN: the module has logged this since MARK
says() {
	messages_since "$1" | grep -q "tavor_resize: $2"
}

# pages_at MARK POINT: waits until the module is at this point, prints the number of pages of
# queues, and lets the module go on
pages_at() {
	until_true 60 says "$1" "# is at $2"
	cat "/sys/kernel/debug/ib_tavor/$(function_address)/ring_pages_used"
	echo $(($2 + 1)) >/sys/module/tavor_resize/parameters/hold
}

test_a_resize_whose_mtts_are_lost() {
	local since lost resized
	! loaded tavor_client || rmmod tavor_client
	sm_around reload cmd_timeout_ms=1000
	sm_away
	echo 1 >/sys/module/ib_tavor/parameters/softirq_objects
	# The translations of two CQs and of a QP are written before these.
	one_fault delay WRITE_MTT 4 time=4s
	since=$(mark)
	load_own tavor_resize mode=core hold=1 &
	lost=$(pages_at "$since" 1)
	resized=$(pages_at "$since" 2)
	wait $!
	faults_off
	rmmod tavor_resize
	messages_since "$since" | grep tavor_resize:
	says "$since" 'ok ' || fail "the resize failed"
	# The CQ's first buffer is smaller than the other two, which have the same size.
	[ "$lost" -gt "$resized" ] || fail "$lost pages while it was lost, $resized afterwards"
}

run_tests "$@"
