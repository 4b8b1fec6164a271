#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --driver tavor --modules fail_allocs
# Kernels: 6.12 7
# Timeout: 2400
# Level: all
#
# Tests that without memory a probe fails cleanly, and that a device that fails while nothing can
# be allocated ends all requests and recovers when there is memory again. A module makes allocations
# fail that are made below ib_vrb or ib_tavor: of slabs, pages, vmalloc, per-CPU and DMA memory. By
# hand:
#   tools/testing/vm/run --driver tavor --modules fail_allocs -- \
#     tools/testing/selftests/tavor/no_memory.sh [test_NAME...]

# shellcheck source=SCRIPTDIR/fail_allocs.bash
. "$(dirname "$0")/fail_allocs.bash"

TEST_SECONDS=1500

# direct: the allocation that has failed last was made by ib_vrb or ib_tavor itself
direct() {
	grep -qE 'called by ([^ ]*) \[[^ ]*\], below \1 ' "$FAIL/last"
}

# probe_without N: the probe with a failure at a place where there was none before; N: blocks of the
# driver when it is not bound. Returns 1 if there is no such place any more. Functions of the kernel
# may do without the memory, as debugfs and xarrays do; then the device works.
probe_without() {
	local since status=0
	since=$(mark)
	arm new
	bind || status=$?
	arm off
	if [ "$(count failed)" = 0 ]; then
		[ "$status" = 0 ] || fail "the probe fails without a reason"
		return 1
	fi
	echo "$(cat "$FAIL/last")$([ "$status" != 0 ] || echo '; it goes on')"
	if [ "$status" = 0 ]; then
		! direct || fail "the probe has succeeded: $(cat "$FAIL/last")"
		usable
		unbind
	fi
	nothing_left "$since"
	nothing_lost "$1"
}

# A place is a line of ours, and a function below it that calls an allocator; each fails once.
test_each_place_of_a_probe() {
	local live places=0
	watched
	unbind
	live=$(count live)
	arm forget
	while probe_without "$live"; do
		places=$((places + 1))
	done
	echo "$places places"
	[ "$places" -ge 30 ] || fail "only $places places: allocations are not found"
	usable
}

test_a_probe_without_any_memory() {
	local live since
	watched
	unbind
	live=$(count live)
	since=$(mark)
	arm from 1
	! bind || fail "the probe has succeeded"
	arm off
	nothing_left "$since"
	nothing_lost "$live"
	usable
}

client_ready() {
	messages_since "$1" | grep -q 'tavor_no_memory: # ready'
}

# The create of the CQ holds up those of the QPs, and all requests on them.
test_requests_of_a_kernel_client_while_the_device_fails() {
	local since pid
	watched
	since=$(mark)
	model_set 0 latency_op SW2HW_CQ=30s
	load_own tavor_no_memory mode=fails &
	pid=$!
	until_true 60 client_ready "$since"
	catastrophe
	wait "$pid"
	model_set 0 latency_op ''
	rmmod tavor_no_memory
	messages_since "$since" | grep 'tavor_no_memory:'
	[ "$(messages_since "$since" | grep -c 'tavor_no_memory: ok ')" = 3 ] ||
		fail "not 3 results that are good"
	failed "$since" || fail "the device has not failed"
	unbind
	usable
}

back() {
	said "$1" 'recovery: the device is back' && prints rdma_devices
}

gave_up() {
	said "$1" 'recovery: given up'
}

# Processes hold objects, and others create and destroy them.
test_a_failure_and_a_recovery_without_memory() {
	local since
	watched
	recoveries 2
	since=$(mark)
	processes 2 hold
	local holders=$PIDS
	processes 1 churn
	arm from 1
	catastrophe
	until_true 60 gave_up "$since" || fail "it does not give up: $(messages_since "$since")"
	messages_since "$since" | grep recovery
	said "$since" 'did not come back \(-12\)' || fail "the log does not say why"
	said "$since" 'by hand: devlink health recover' || fail "it does not say how"
	PIDS+=" $holders"
	processes_end TERM
	# uverbs itself refuses a detach from a removed device.
	absent '(destroy|dereg|dealloc)[^:]*: ' "$TEST_DIR"/process-hold-*
	arm off
	! said "$since" 'leaked|still in use|still the hardware' || fail "something is left"
	devlink health recover "pci/$(function_address)" reporter fatal
	until_true 20 back "$since" || fail "it does not come back: $(messages_since "$since")"
	recoveries 0
	usable
}

test_nothing_is_lost_after_all_this() {
	local live
	watched
	unbind
	live=$(count live)
	bind
	usable
	unbind
	nothing_lost "$live"
	unwatched
	usable
}

run_tests "$@"
