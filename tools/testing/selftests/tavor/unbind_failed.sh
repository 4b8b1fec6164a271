#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --driver tavor --sm
# Timeout: 600
# Guest: own
# Level: ci
#
# Tests that a device that fails while IPoIB and a subnet manager use it can be unbound at once.
# After it has been bound again, both work as before. By hand:
#   tools/testing/vm/run --driver tavor --sm -- tools/testing/selftests/tavor/unbind_failed.sh

# shellcheck source=SCRIPTDIR/faults.bash
. "$(dirname "$0")/faults.bash"

ipoib_interfaces() {
	local path
	for path in /sys/class/net/*/device/infiniband; do
		[ -e "$path" ] && basename "$(dirname "$(dirname "$path")")"
	done
}

ipoib_up() {
	local name
	modprobe ib_ipoib
	until_true 20 prints ipoib_interfaces
	for name in $(ipoib_interfaces); do
		ip link set "$name" up
	done
	until_true 30 any_running
}

any_running() {
	ip -br link | grep -q LOWER_UP
}

fail_device() {
	local since
	since=$(mark)
	catastrophe
	until_true 30 said "$since" 'device has failed'
}

# unbind_ends SECONDS: unbinds in the background; an unbind that hangs fails the test, which shows
# where
unbind_ends() {
	local pid
	(unbind) &
	pid=$!
	until_true "$1" ended "$pid" && return
	cat "/proc/$pid/stack"
	fail "unbind hangs"
}

test_a_failed_device_can_be_unbound_under_IPoIB_and_opensm() {
	ipoib_up
	fail_device
	sleep 12
	unbind_ends 30
}

test_a_later_bind_works() {
	bind
	until_true 20 prints rdma_devices
	sm_restart
	until_true 60 any_port_active
	ipoib_up
}

run_tests "$@"
