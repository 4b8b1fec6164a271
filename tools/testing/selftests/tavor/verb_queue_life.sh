#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --driver tavor
# Kernels: 6.12 debug
# Timeout: 900
# Level: all
#
# Tests that the device can be unbound, fail, or recover while processes have requests in verb
# queues. A process is notified, the unbind does not wait for it, and the module stays loaded until
# the process has closed the queue. By hand:
#   tools/testing/vm/run --driver tavor -- tools/testing/selftests/tavor/verb_queue_life.sh

# shellcheck source=SCRIPTDIR/verb_queue.bash
. "$(dirname "$0")/verb_queue.bash"

test_unbind_does_not_wait_for_the_process() {
	local since
	since=$(mark)
	holds
	unbind
	told
	nothing_left "$since"
	ends
}

# pci_remove: the operating system's half of a hot-unplug
pci_remove() {
	echo 1 >"/sys/bus/pci/devices/$(function_address)/remove"
}

pci_rescan() {
	echo 1 >/sys/bus/pci/rescan
}

test_unplug_does_not_wait_for_the_process() {
	local since
	since=$(mark)
	holds
	pci_remove
	[ -z "$(function_address)" ] || fail "the function is still there"
	told
	pci_rescan
	until_true 20 prints function_address
	usable
	ends
	if said "$since" 'leaked|still in use'; then
		fail "something was left behind"
	fi
}

test_the_module_stays_until_the_queue_is_closed() {
	holds
	unbind
	told
	if rmmod ib_tavor 2>"$TEST_DIR/rmmod"; then
		fail "it went under an open queue"
	fi
	grep -q 'in use' "$TEST_DIR/rmmod"
	ends
	until_true 20 rmmod ib_tavor
	reload
}

test_the_queue_reports_a_failed_device() {
	local since
	since=$(mark)
	holds
	buffer
	until_true 60 said "$since" 'device has failed'
	sleep 1
	unbind
	told
	lost
	nothing_left "$since"
	ends
	usable
}

# The recovery does not wait for the processes either. Which of the requests that have failed they
# can still read depends on how soon it begins.
test_a_device_that_recovers_ends_its_queues() {
	local since
	reload
	recoveries 1
	since=$(mark)
	holds
	buffer
	until_true 60 said "$since" 'device has failed'
	told
	until_true 60 said "$since" 'recovery: the device is back'
	if said "$since" 'leaked|still in use|still the hardware'; then
		fail "something was left behind"
	fi
	usable
	# A queue of the new device, while the processes have those of the old one
	"$PROGRAM" hold >"$TEST_DIR/new" &
	HOLDERS+=($!)
	until_true 60 grep -q holding "$TEST_DIR/new"
	grep -qx '256 requests' "$TEST_DIR/new"
	ends
	recoveries "$RECOVERIES"
}

run_tests "$@"
