#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --driver tavor
# Timeout: 600
# Guest: own
# Level: ci
#
# Tests which errors make the driver treat the whole device as failed. Errors that a process can
# cause with its doorbells do not, and all others do. An interrupt without an event queue entry
# makes the driver check the device at once. By hand:
#   tools/testing/vm/run --driver tavor -- \
#     tools/testing/selftests/tavor/catastrophe.sh [test_NAME...]

# shellcheck source=SCRIPTDIR/faults.bash
. "$(dirname "$0")/faults.bash"

failed() {
	said "$1" 'device has failed'
}

renew() {
	unbind
	bind
	until_true 20 prints rdma_devices
}

test_a_misbehaved_UAR_page_does_not_fail_the_device() {
	local since
	since=$(mark)
	catastrophic_event 2
	sleep 1
	! failed "$since" || fail "it has failed"
	ibv_devinfo >/dev/null
}

test_each_syndrome_fails_the_device() {
	local syndrome since
	for syndrome in 1 3 4 5 6; do
		since=$(mark)
		catastrophic_event "$syndrome"
		until_true 5 failed "$since" || fail "syndrome $syndrome: it has not failed"
		renew
	done
}

# async_interrupt: prints the interrupt of the asynchronous event queue's context
async_interrupt() {
	local index
	index=$(grep -E 'ib_tavor-(comp|async|cmd)' /proc/interrupts | grep -n async | cut -d: -f1)
	echo $((128 + index - 1))
}

test_an_interrupt_without_an_entry_checks_the_error_buffer() {
	local since
	since=$(mark)
	buffer
	model "{\"cmd\":\"interrupt\",\"hca\":0,\"intr\":$(async_interrupt)}" | grep -q '"ok":true'
	until_true 1 failed "$since" || fail "only the next look at the buffer would find it"
	said "$since" 'uplink bus error'
	renew
}

test_an_interrupt_without_an_entry_or_error_does_nothing() {
	local since
	since=$(mark)
	model "{\"cmd\":\"interrupt\",\"hca\":0,\"intr\":$(async_interrupt)}" | grep -q '"ok":true'
	sleep 1
	! failed "$since" || fail "it has failed"
	ibv_devinfo >/dev/null
}

test_a_corrected_memory_error_is_reported() {
	local since
	since=$(mark)
	model '{"cmd":"ddr_error","hca":0}' | grep -q '"ok":true'
	until_true 5 said "$since" 'corrected|ECC'
	! failed "$since" || fail "it has failed"
}

# async_written: prints how many entries the asynchronous event queue has had
async_written() {
	model '{"cmd":"objects","hca":0}' | grep -oE '"eqn":[^}]*' |
		sed -n "$(($(async_interrupt) - 127))s/.*\"written\":\([0-9]*\).*/\1/p"
}

test_an_overflow_is_reported_by_another_queue() {
	local since before
	since=$(mark)
	before=$(async_written)
	[ -n "$before" ]
	model '{"cmd":"event","hca":0,"type":15,"subtype":0,"data":[0,0,1,0]}' |
		grep -q '"ok":true'
	until_true 5 said "$since" 'event queue has overflowed'
	[ "$(async_written)" = "$before" ] || fail "it was told to the asynchronous queue itself"
	renew
}

# eec_event TYPE: raises an event of the end-to-end context 5
eec_event() {
	model "{\"cmd\":\"event\",\"hca\":0,\"type\":$1,\"subtype\":0,\"data\":[5,0,268435456]}" |
		grep -q '"ok":true'
}

test_an_event_of_an_end_to_end_context_is_ignored() {
	local type since
	for type in 1 2 3 5 6 7 16 17; do
		since=$(mark)
		eec_event "$type"
		until_true 5 said "$since" 'end-to-end context 0x5' || fail "type $type: no word"
		! failed "$since" || fail "type $type: it has failed"
		# The log is rate-limited: ten lines in five seconds.
		sleep 0.6
	done
	ibv_devinfo >/dev/null
}

run_tests "$@"
