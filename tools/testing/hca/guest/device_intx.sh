#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --driver mthca --hca intx_pin=3
# Kernels: 6.12 7
# Timeout: 600
# Level: all
#
# Tests pin interrupts (INTx) with ib_mthca. By hand:
#   tools/testing/vm/run --driver mthca --hca intx_pin=3 -- tools/testing/hca/guest/device_intx.sh

# shellcheck source=SCRIPTDIR/device.bash
. "$(dirname "$0")/device.bash"

test_pin_instead_of_messages() {
	reload msi_x=0
	grep mthca /proc/interrupts | grep -q 'IO-APIC' || fail "$(grep mthca /proc/interrupts)"
}

test_traffic_by_the_pin() {
	local before
	before=$(interrupts)
	ibv_devinfo -v >/dev/null
	[ "$(interrupts)" -gt "$before" ] || fail "no interrupt"
	model_has '"intx":[1-9]'
}

test_messages_again() {
	reload
	grep mthca /proc/interrupts | grep -q 'MSI' || fail "$(grep mthca /proc/interrupts)"
}

unset -f test_three_reloads test_slow_firmware test_serial_firmware test_hostile_firmware
run_tests "$@"
