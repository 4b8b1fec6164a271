#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Timeout: 600
# Level: ci
# Runs: guest --driver tavor --sm --hca ddr_hidden=1
# As: hidden
# Runs: guest --driver tavor --sm --hca device=mt25208
# As: mt25208
# Runs: guest --driver tavor --sm --hca fw_version=3.4.999
# As: old
# Runs: guest --driver tavor --sm --hca device=mt25208 --hca fw_version=4.8.199
# As: old-mt25208
# Runs: guest --driver mthca --sm --hca fw_version=3.4.999
# As: old-mthca
# Level: all
#
# Tests the driver on unusual HCAs. They have memory that the host cannot see, are an MT25208 in
# Tavor mode, or have old firmware. The driver detects each and reports what it must, and programs
# of others run as before. By hand:
#   tools/testing/vm/run --driver tavor --sm --hca ddr_hidden=1 -- \
#     tools/testing/selftests/tavor/device.sh [test_NAME...]

# shellcheck disable=SC2317 # the tests are called by name
# shellcheck source=SCRIPTDIR/../../interop/rdma_core.bash
. "$(dirname "$0")/../../interop/rdma_core.bash"
# shellcheck source=SCRIPTDIR/faults.bash
. "$(dirname "$0")/faults.bash"

# option KEY: prints this option of the model
option() {
	model '{"cmd":"get","hca":0,"key":"'"$1"'"}' | sed -nE 's/.*"value":"?([^",}]*).*/\1/p'
}

hidden() {
	[[ "$(option ddr_hidden)" =~ ^(1|true)$ ]]
}

mt25208() {
	[ "$(option device)" = mt25208 ]
}

# probed PATTERN: the driver has logged this since the kernel booted
probed() {
	dmesg | grep -E "ib_(tavor|mthca)" | grep -E -- "$1"
}

test_the_pci_function_has_the_ids_of_its_chip() {
	lspci -nn -d 15b3: | tee "$TEST_DIR/pci"
	if mt25208; then
		grep -q '15b3:6278' "$TEST_DIR/pci"
		lspci -vv -d 15b3: | grep -q 'Express (v[0-9])'
	else
		grep -q '15b3:5a44' "$TEST_DIR/pci"
		lspci -vv -d 15b3: | grep -q 'PCI-X non-bridge device'
	fi
}

test_the_type_names_the_chip() {
	local type
	type=$(cat "/sys/class/infiniband/$(device)/hca_type")
	if mt25208; then
		[ "$type" = "MT25208 (MT23108 compat mode)" ] || fail "$type"
	else
		[ "$type" = MT23108 ] || fail "$type"
	fi
}

test_the_ddr_has_a_bar_unless_hidden() {
	lspci -vv -d 15b3: | tee "$TEST_DIR/pci" | grep -q 'Region 0'
	if hidden; then
		absent 'Region 4' "$TEST_DIR/pci"
	else
		grep -q 'Region 4' "$TEST_DIR/pci"
	fi
}

# The driver uses commands if the host cannot see the tables, and stores if it can.
test_translations_are_written() {
	loaded ib_tavor || skip "hca/guest/device.sh tests this for ib_mthca"
	pair "ibv_rc_pingpong -c -n 5" "ibv_rc_pingpong -c -n 5"
	executed | tee "$TEST_DIR/commands"
	if hidden; then
		grep -q '^WRITE_MTT [1-9]' "$TEST_DIR/commands"
	else
		absent WRITE_MTT "$TEST_DIR/commands"
	fi
}

# The PCI-X card has a bridge of its own, which the model lacks. A PCI Express card has none.
test_the_driver_looks_for_the_bridge() {
	if mt25208; then
		absent 'bridge' <(probed .)
	else
		probed '[Nn]o bridge'
	fi
}

test_old_firmware_is_named() {
	local version recommended=3.5.0
	! mt25208 || recommended=4.8.200
	version=$(cat "/sys/class/infiniband/$(device)/fw_ver")
	if [ -z "$(option fw_version)" ]; then
		absent 'firmware.*old|FW.*old' <(probed .)
	elif loaded ib_tavor; then
		probed "firmware $version is old: $recommended or later"
	else
		probed "HCA FW version $version is old"
	fi
}

[ $# != 0 ] || set -- test_the_pci_function_has_the_ids_of_its_chip test_the_type_names_the_chip \
	test_the_ddr_has_a_bar_unless_hidden test_translations_are_written \
	test_the_driver_looks_for_the_bridge test_old_firmware_is_named \
	test_both_ports_are_active test_rc_pingpong_with_events \
	test_rc_pingpong_from_port_1_to_port_2 test_uc_pingpong_with_events_between_ports \
	test_ud_pingpong_with_events_between_ports test_srq_pingpong_with_events_between_ports \
	test_ibping test_the_driver_unloads_and_loads_again test_old_firmware_is_named
run_tests "$@"
