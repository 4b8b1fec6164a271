# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
# shellcheck shell=bash
#
# A writable layer above the root that install.sh has prepared and shared with the guest.

# layer DIR: mounts it at DIR/root
layer() {
	modprobe overlay && mkdir -p "$1" && mount -t tmpfs -o size=1g tmpfs "$1" || return 1
	mkdir -p "$1"/{up,work,root}
	mount -t overlay overlay -o "lowerdir=/mnt/share,upperdir=$1/up,workdir=$1/work" "$1/root"
}

# driver_is NAME: that driver has the card
# shellcheck disable=SC2154 # the caller's
driver_is() {
	[ "$(readlink "/sys/bus/pci/devices/$card/driver" | sed 's|.*/||')" = "$1" ]
}

has_driver() {
	driver_is ib_mthca || driver_is ib_tavor
}

has_device() {
	[ -n "$(rdma_devices)" ]
}
