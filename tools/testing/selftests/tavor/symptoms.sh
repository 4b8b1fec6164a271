#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --driver tavor
# Guest: own
# Timeout: 600
# Level: all
#
# Tests the table of symptoms in Documentation/administration.rst: each symptom appears as
# described, and the described remedy removes it. By hand:
#   tools/testing/vm/run --driver tavor -- tools/testing/selftests/tavor/symptoms.sh [test_NAME...]

# shellcheck source=SCRIPTDIR/../../vm/guest/query.bash
. "$(dirname "$0")/../../vm/guest/query.bash"

own=$TREE/build/modules/$KERNEL
card=$(basename "$(readlink -f /sys/class/infiniband/*/device)")

# Prefix of a command that runs as a user without rights, who may lock 32 KB. With a higher limit
# libibverbs does not warn.
as_nobody=(prlimit --memlock=32768:32768 setpriv --reuid 65534 --regid 65534 --clear-groups
	--bounding-set=-all --inh-caps=-all)

in_state() {
	[ "$(port_file 1 state)" = "$1" ]
}

# driver_around: runs a test without the driver, and loads the driver again, whatever the result
driver_around() {
	local status=0
	driver_unload
	("$@") || status=$?
	modprobe -a ib_uverbs ib_umad
	load_own ib_tavor
	until_true 30 prints rdma_devices
	return "$status"
}


test_no_IB_devices_found_when_no_driver_has_the_card() {
	echo "$card" >/sys/bus/pci/drivers/ib_tavor/unbind
	refused 'No IB devices found' ibv_devinfo
	query "^$card " lspci -Dk -s "$card"
	! grep 'Kernel driver in use' "$TEST_DIR/query" || fail "a driver has it"
	echo "$card" >/sys/bus/pci/drivers_probe
	query 'Kernel driver in use: ib_tavor' lspci -Dk -s "$card"
	until_true 30 prints rdma_devices
	query 'hca_id' ibv_devinfo
}

test_no_IB_devices_found_without_a_library() {
	mkdir "$TEST_DIR/empty"
	# libibverbs looks for providers in one folder; the mount hides it.
	mount --bind "$TEST_DIR/empty" /usr/lib/x86_64-linux-gnu/libibverbs
	mount --bind "$TEST_DIR/empty" /etc/libibverbs.d
	IBV_SHOW_WARNINGS=1 refused "no userspace device-specific driver" ibv_devinfo ||
		cat "$TEST_DIR/query"
	umount /etc/libibverbs.d /usr/lib/x86_64-linux-gnu/libibverbs
	query 'hca_id' ibv_devinfo
}

test_the_port_stays_in_INIT_without_a_subnet_manager() {
	until_true 30 in_state '2: INIT'
	query 'PORT_INIT' ibv_devinfo -i 1
	refused . sminfo
	sm_restart
	until_true 60 in_state '4: ACTIVE'
	query 'SMINFO' sminfo || query 'sminfo' sminfo
}

test_the_port_stays_in_DOWN_without_a_cable() {
	model_set 0 unplug 1
	until_true 30 in_state '1: DOWN'
	query 'Physical state: Polling' ibstat "$(device)" 1
	model_set 0 unplug ''
	until_true 60 in_state '4: ACTIVE'
	sm_away
}

test_memlock_too_low() {
	refused "Couldn't register MR" "${as_nobody[@]}" ibv_rc_pingpong -s 1048576 -d "$(device)"
	matches 'RLIMIT_MEMLOCK is 32768 bytes'
}

test_permission_denied_for_umad() {
	refused 'Permission denied' "${as_nobody[@]}" cat /dev/infiniband/umad0
	refused 'open UMAD port' "${as_nobody[@]}" sminfo
	query '^crw-.*root' ls -l /dev/infiniband/umad0
}

test_ibstat_finds_no_port_without_ib_umad() {
	rmmod ib_umad
	refused . sminfo
	modprobe ib_umad
	query 'Port 1:' ibstat
}

test_there_is_no_ib0_without_ib_ipoib() {
	[ -z "$(ip -o link show type ipoib)" ] || fail "there is one"
	modprobe ib_ipoib
	until_true 30 prints ip -o link show type ipoib
	rmmod ib_ipoib
}

out_of_range() {
	modprobe ib_uverbs || exit
	load_own ib_vrb || exit
	refused 'Invalid (argument|parameters)' insmod "$own/ib_tavor.ko" num_qp=7
	dmesg | tail -n 1 >"$TEST_DIR/query"
	matches 'num_qp'
}

test_a_parameter_out_of_range() {
	driver_around out_of_range
}

unknown_symbol() {
	refused 'Unknown symbol in module' insmod "$own/ib_tavor.ko"
}

test_unknown_symbol() {
	driver_around unknown_symbol
}

run_tests "$@"
