#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --driver tavor --sm
# Timeout: 600
# Level: ci
#
# Tests that ib_tavor falls back to INTx if the function must not use MSI-X, as with pci=nomsi.
# Programs of others run as before. By hand:
#   tools/testing/vm/run --driver tavor --sm -- tools/testing/selftests/tavor/intx.sh [test_NAME...]

# shellcheck disable=SC2317 # the tests are called by name
# shellcheck source=SCRIPTDIR/../../interop/rdma_core.bash
. "$(dirname "$0")/../../interop/rdma_core.bash"
# shellcheck source=SCRIPTDIR/faults.bash
. "$(dirname "$0")/faults.bash"

# msi 0|1: allows or forbids MSI-X for the function, and binds it again
msi() {
	unbind
	echo "$1" >"/sys/bus/pci/devices/$(function_address)/msi_bus"
	bind
}

interrupts() {
	grep ib_tavor /proc/interrupts
}

test_msi_x_by_default() {
	interrupts
	[ "$(interrupts | grep -c 'MSI-\?X')" -ge 3 ]
}

test_intx_where_msi_x_is_forbidden() {
	sm_around msi 0
	interrupts
	[ "$(interrupts | grep -c IO-APIC)" = 1 ]
	interrupts | absent MSI -
}

test_interrupts_are_counted() {
	local before
	before=$(interrupts | awk '{ print $2 + $3 }')
	ibv_devinfo >/dev/null
	[ "$(interrupts | awk '{ print $2 + $3 }')" -gt "$before" ] ||
		fail "no interrupt since $before"
}

test_msi_x_again() {
	sm_around msi 1
	test_msi_x_by_default
}

test_intx_by_the_module_s_parameter() {
	sm_around reload msi_x=0
	interrupts
	[ "$(interrupts | grep -c IO-APIC)" = 1 ]
	pair "ibv_rc_pingpong -c -e -n 100" "ibv_rc_pingpong -c -e -n 100"
	sm_around reload
	test_msi_x_by_default
}

[ $# != 0 ] || set -- test_msi_x_by_default test_intx_where_msi_x_is_forbidden \
	test_interrupts_are_counted \
	test_both_ports_are_active test_ibv_devinfo test_ibstat test_rc_pingpong_with_events \
	test_rc_pingpong_from_port_1_to_port_2 test_uc_pingpong_with_events_between_ports \
	test_ud_pingpong_with_events_between_ports test_srq_pingpong_with_events_between_ports \
	test_ibping \
	test_msi_x_again test_intx_by_the_module_s_parameter
run_tests "$@"
