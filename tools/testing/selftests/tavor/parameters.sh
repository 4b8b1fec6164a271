#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --driver tavor
# Kernels: 6.12 debug
# Timeout: 600
# Level: ci
#
# Tests that ib_tavor refuses invalid module parameters by name, and works with small values. By
# hand:
#   tools/testing/vm/run --driver tavor -- \
#     tools/testing/selftests/tavor/parameters.sh [test_NAME...]

# shellcheck source=SCRIPTDIR/faults.bash
. "$(dirname "$0")/faults.bash"

MODULE=/mnt/tree/build/modules/$KERNEL/ib_tavor.ko

# unloaded: ib_tavor is not loaded, but its dependencies are
unloaded() {
	! loaded ib_tavor || rmmod ib_tavor
	load_own ib_vrb
	modprobe -a ib_uverbs ib_umad
	[ -z "$(rdma_devices)" ] || fail "the module is gone, its device is not: $(rdma_devices)"
}

# refused PARAMETER=VALUE: the module does not load, and the kernel's log names the parameter
refused() {
	local since
	since=$(mark)
	if insmod "$MODULE" "$@" 2>"$TEST_DIR/insmod"; then
		rmmod ib_tavor
		fail "accepted: $*"
	fi
	cat "$TEST_DIR/insmod"
	messages_since "$since" >"$TEST_DIR/dmesg"
	cat "$TEST_DIR/dmesg"
	grep -q "ib_tavor.*${1%%=*}" "$TEST_DIR/dmesg" || fail "the log does not name ${1%%=*}"
}

test_parameters_that_are_no_number_are_refused() {
	unloaded
	refused num_qp=many
	refused cmd_timeout_ms=-1
	refused num_cq=
}

test_parameters_out_of_range_are_refused() {
	local name
	unloaded
	for name in num_qp num_cq num_mpt num_mtt num_mcg num_av num_pd rdb_per_qp \
		cmd_timeout_ms; do
		refused "$name=0"
		refused "$name=4294967295"
	done
	refused ring_pages=65537
}

test_tables_that_are_no_power_of_two_are_refused() {
	local name
	unloaded
	for name in num_qp num_cq num_mpt num_mtt num_mcg num_av num_pd; do
		refused "$name=5000"
	done
	refused rdb_per_qp=3
}

test_tables_that_do_not_fit_the_memory_of_the_device_are_refused() {
	local since
	unloaded
	since=$(mark)
	insmod "$MODULE" num_qp=16777216 num_cq=16777216 num_mpt=16777216 num_mtt=16777216 || :
	sleep 0.5
	messages_since "$since" >"$TEST_DIR/dmesg"
	cat "$TEST_DIR/dmesg"
	# Either the driver cuts them to a size that the firmware's limits allow, or the probe fails
	# and says so.
	[ -n "$(rdma_devices)" ] || grep -qE 'ib_tavor.*(DDR|memory|fit)' "$TEST_DIR/dmesg"
	unloaded
}

test_tables_no_larger_than_what_the_firmware_reserves_are_refused() {
	local since
	unloaded
	since=$(mark)
	# The driver refuses the card, but the module loads.
	insmod "$MODULE" num_qp=1024 || :
	sleep 0.5
	[ -z "$(rdma_devices)" ]
	messages_since "$since" >"$TEST_DIR/dmesg"
	cat "$TEST_DIR/dmesg"
	grep -q 'ib_tavor.*num_qp.*1024' "$TEST_DIR/dmesg" || fail "the log does not name num_qp"
	unloaded
}

test_small_tables_are_accepted() {
	local qps
	unloaded
	insmod "$MODULE" num_qp=2048 num_cq=1024 num_mpt=4096 rdb_per_qp=1
	until_true 20 prints rdma_devices
	qps=$(ibv_devinfo -v | awk '$1 == "max_qp:" { print $2 }')
	[ "$qps" -gt 500 ] && [ "$qps" -le 2048 ] || fail "max_qp is $qps"
	unloaded
	driver_load
}

run_tests "$@"
