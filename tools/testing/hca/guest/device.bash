# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
# shellcheck shell=bash
#
# Tests of the function and its command interface with the distribution's ib_mthca. There is one
# list of tests for each variant of the device (device_*.sh). A violation that the model records
# fails the run.

# shellcheck disable=SC2119 # reload's parameters are not the script's
# shellcheck source=SCRIPTDIR/../../interop/fabric.bash
. "$(dirname "${BASH_SOURCE[0]}")/../../interop/fabric.bash"

# interrupts: prints the number of the driver's interrupts
interrupts() {
	awk '/mthca/ { for (i = 2; i <= NF && $i ~ /^[0-9]+$/; i++) n += $i } END { print n + 0 }' \
		/proc/interrupts
}

# model_has PATTERN: the model's statistics match
model_has() {
	model '{"cmd":"stats","hca":0}' >"$TEST_DIR/stats"
	grep -qE -- "$1" "$TEST_DIR/stats" || { cat "$TEST_DIR/stats"; fail "the model has no $1"; }
}

# reload [PARAMETER...]
# shellcheck disable=SC2120 # device_intx.sh passes one
reload() {
	modprobe -r ib_mthca || fail "ib_mthca does not unload"
	modprobe ib_mthca "$@" || fail "ib_mthca does not load"
	until_true 20 prints rdma_devices || fail "no RDMA device after a reload"
	until_true 20 port_is INIT\|ACTIVE 1 "$(device)" || port_is . 1 "$(device)"
}

test_pci_identity() {
	lspci -nn -d 15b3: | grep -q "15b3:${DEVICE_ID:-5a44}" || fail "$(lspci -nn)"
	lspci -vv -d 15b3: | grep -q 'checksum good' || fail "the vital product data is not good"
}

test_device_attributes() {
	ibv_devinfo -v >"$TEST_DIR/info"
	grep -q 'board_id:.*MT_0030000001' "$TEST_DIR/info"
	grep -q 'max_mr_size' "$TEST_DIR/info"
	grep -q 'phys_port_cnt:.*2' "$TEST_DIR/info"
}

test_driver_has_nothing_to_say() {
	# A PCI-X card without a bridge is expected here.
	absent 'mthca.*(error|fail|warn|obsolete|not|unable)' <(dmesg | grep -v 'No bridge found')
}

test_interrupts_come() {
	local before
	before=$(interrupts)
	ibv_devinfo -v >/dev/null
	[ "$(interrupts)" -gt "$before" ] || fail "no interrupt"
}

test_three_reloads() {
	reload
	reload
	reload
	model_has '"CLOSE_HCA":[3-9]'
}

test_slow_firmware() {
	trap 'model_set 0 profile default' EXIT
	model_set 0 profile slow
	reload
	ibv_devinfo >/dev/null
}

test_serial_firmware() {
	trap 'model_set 0 profile default' EXIT
	model_set 0 profile serial
	reload
	ibv_devinfo >/dev/null
}

test_hostile_firmware() {
	trap 'model_set 0 profile default' EXIT
	model_set 0 profile hostile
	reload
	ibv_devinfo -v >/dev/null
}

test_objects_can_be_seen() {
	model '{"cmd":"objects","hca":0}' >"$TEST_DIR/objects"
	grep -q '"eqs":\[{' "$TEST_DIR/objects" || fail "no EQ: $(cat "$TEST_DIR/objects")"
	grep -q '"mpts":\[{' "$TEST_DIR/objects" || fail "no memory key"
}
