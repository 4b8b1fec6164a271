#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Timeout: 900
# Level: all
# Runs: guest --driver mthca --sm --packages "iperf3 fio"
# Runs: guest --driver tavor --sm --packages "iperf3 fio"
#
# Tests SCSI over RDMA: the kernel's target on port 2 exports a RAM disk, its initiator on port 1
# uses it, and fio writes and verifies. By hand, with either driver:
#   tools/testing/vm/run --driver tavor --sm --packages "iperf3 fio" -- \
#     tools/testing/interop/srp.sh [test_NAME...]

# shellcheck source=SCRIPTDIR/../vm/guest/test.bash
. "$(dirname "$0")/../vm/guest/test.bash"

TEST_SECONDS=300
CONFIG=/sys/kernel/config/target

gid() {
	port_file "$1" gids/0
}

# The target's name for a port: its GID without colons
target() {
	echo "0x$(gid 2 | tr -d :)"
}

# The initiator's name: an extension of zeros and its port GUID
initiator() {
	echo "0x0000000000000000$(gid 1 | cut -d: -f5- | tr -d :)"
}

disk() {
	local dir
	for dir in /sys/block/sd*; do
		[ ! -e "$dir" ] || ! grep -qs RAMDISK-MCP "$dir/device/model" || basename "$dir"
	done
}

start_target() {
	local tpg
	mountpoint -q /sys/kernel/config || mount -t configfs configfs /sys/kernel/config
	modprobe -a target_core_mod ib_srpt
	mkdir -p "$CONFIG"/core/rd_mcp_0/vrbdisk
	echo rd_pages=16384 >"$CONFIG"/core/rd_mcp_0/vrbdisk/control
	echo 1 >"$CONFIG"/core/rd_mcp_0/vrbdisk/enable
	mkdir -p "$CONFIG/srpt/$(target)/$(target)"
	tpg=$CONFIG/srpt/$(target)/$(target)
	mkdir -p "$tpg/lun/lun_0"
	ln -s "$CONFIG"/core/rd_mcp_0/vrbdisk "$tpg/lun/lun_0/disk"
	mkdir -p "$tpg/acls/$(initiator)/lun_0"
	ln -s "$tpg/lun/lun_0" "$tpg/acls/$(initiator)/lun_0/lun"
	echo 1 >"$tpg/enable"
}

log_in() {
	local guid
	modprobe -a sd_mod ib_srp
	guid=$(tr -d : <"/sys/class/infiniband/$(device)/node_guid")
	echo "id_ext=$guid,ioc_guid=$guid,dgid=$(gid 2 | tr -d :),pkey=ffff,service_id=$guid" \
		>"/sys/class/infiniband_srp/srp-$(device)-1/add_target"
	until_true 60 prints disk
}

stop_all() {
	local dir
	for dir in /sys/class/srp_remote_ports/port-*; do
		[ ! -e "$dir/delete" ] || echo 1 >"$dir/delete"
	done
	modprobe -r ib_srp
	echo 0 >"$CONFIG/srpt/$(target)/$(target)/enable"
	find "$CONFIG"/srpt -depth -name lun -type l -delete
	find "$CONFIG"/srpt -depth -name disk -type l -delete
	find "$CONFIG"/srpt -depth -type d \( -name lun_0 -o -name '0x*' \) -exec rmdir {} \;
	rmdir "$CONFIG"/srpt "$CONFIG"/core/rd_mcp_0/vrbdisk "$CONFIG"/core/rd_mcp_0
	modprobe -r ib_srpt
}

test_target_and_initiator_meet() {
	start_target
	log_in
	disk
}

test_fio_verifies_what_it_wrote() {
	[ -n "$(disk)" ] || fail "there is no disk"
	fio --name=verify --filename="/dev/$(disk)" --rw=randwrite --bs=64k --size=32m --direct=1 \
		--iodepth=8 --ioengine=libaio --verify=crc32c --do_verify=1 --randseed=1
	fio --name=small --filename="/dev/$(disk)" --rw=randwrite --bs=4k --size=4m --direct=1 \
		--iodepth=16 --ioengine=libaio --verify=crc32c --do_verify=1 --randseed=2
}

test_both_go() {
	stop_all
}

run_tests "$@"
