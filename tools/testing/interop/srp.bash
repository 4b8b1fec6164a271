# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
# shellcheck shell=bash
#
# SCSI over RDMA: the kernel's target, which exports a RAM disk, and its initiator. Both may be in
# one guest. The guest needs the package fio.

CONFIG=/sys/kernel/config/target

# srp_target PORT: the target's name for a port: its GID without colons
srp_target() {
	echo "0x$(port_file "$1" gids/0 | tr -d :)"
}

# srp_initiator PORT: the initiator's name: an extension of zeros and its port GUID
srp_initiator() {
	echo "0x0000000000000000$(port_file "$1" gids/0 | cut -d: -f5- | tr -d :)"
}

# srp_guid: the GUID by which a target of this guest announces itself: that of its first node
srp_guid() {
	tr -d : <"/sys/class/infiniband/$(device)/node_guid"
}

srp_disk() {
	local dir
	for dir in /sys/block/sd*; do
		[ ! -e "$dir" ] || ! grep -qs RAMDISK-MCP "$dir/device/model" || basename "$dir"
	done
}

# srp_target_start PORT INITIATOR: exports a RAM disk to this initiator
srp_target_start() {
	local tpg name
	name=$(srp_target "$1")
	mountpoint -q /sys/kernel/config || mount -t configfs configfs /sys/kernel/config
	modprobe -a target_core_mod ib_srpt
	mkdir -p "$CONFIG"/core/rd_mcp_0/vrbdisk
	echo rd_pages=16384 >"$CONFIG"/core/rd_mcp_0/vrbdisk/control
	echo 1 >"$CONFIG"/core/rd_mcp_0/vrbdisk/enable
	mkdir -p "$CONFIG/srpt/$name/$name"
	tpg=$CONFIG/srpt/$name/$name
	mkdir -p "$tpg/lun/lun_0"
	ln -s "$CONFIG"/core/rd_mcp_0/vrbdisk "$tpg/lun/lun_0/disk"
	mkdir -p "$tpg/acls/$2/lun_0"
	ln -s "$tpg/lun/lun_0" "$tpg/acls/$2/lun_0/lun"
	echo 1 >"$tpg/enable"
}

# srp_target_stop PORT
srp_target_stop() {
	local name
	name=$(srp_target "$1")
	echo 0 >"$CONFIG/srpt/$name/$name/enable"
	find "$CONFIG"/srpt -depth -name lun -type l -delete
	find "$CONFIG"/srpt -depth -name disk -type l -delete
	find "$CONFIG"/srpt -depth -type d \( -name lun_0 -o -name '0x*' \) -exec rmdir {} \;
	rmdir "$CONFIG"/srpt "$CONFIG"/core/rd_mcp_0/vrbdisk "$CONFIG"/core/rd_mcp_0
	modprobe -r ib_srpt
}

# srp_log_in PORT TARGET GUID: from port PORT to the target of this name and GUID
srp_log_in() {
	modprobe -a sd_mod ib_srp
	echo "id_ext=$3,ioc_guid=$3,dgid=${2#0x},pkey=ffff,service_id=$3" \
		>"/sys/class/infiniband_srp/srp-$(device)-$1/add_target"
	until_true 60 prints srp_disk
}

srp_log_out() {
	local dir
	for dir in /sys/class/srp_remote_ports/port-*; do
		[ ! -e "$dir/delete" ] || echo 1 >"$dir/delete"
	done
	modprobe -r ib_srp
}

# srp_fio: writes to the disk and verifies
srp_fio() {
	[ -n "$(srp_disk)" ] || fail "there is no disk"
	fio --name=verify --filename="/dev/$(srp_disk)" --rw=randwrite --bs=64k --size=32m \
		--direct=1 --iodepth=8 --ioengine=libaio --verify=crc32c --do_verify=1 --randseed=1
	fio --name=small --filename="/dev/$(srp_disk)" --rw=randwrite --bs=4k --size=4m \
		--direct=1 --iodepth=16 --ioengine=libaio --verify=crc32c --do_verify=1 --randseed=2
}
