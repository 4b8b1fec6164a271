# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
# shellcheck shell=bash
#
# For the scripts of this folder that test the model's ports, cables and switch with the
# distribution's driver, opensm and infiniband-diags.

# shellcheck source=SCRIPTDIR/../vm/guest/query.bash
. "$(dirname "${BASH_SOURCE[0]}")/../vm/guest/query.bash"
# shellcheck source=SCRIPTDIR/opensm_log.bash
. "$(dirname "${BASH_SOURCE[0]}")/opensm_log.bash"

# hca N: the name of the first, second ... RDMA device
hca() {
	rdma_devices | sed -n "$1p" | grep . || fail "there is no RDMA device $1"
}

# port_is STATE PORT DEVICE
port_is() {
	port_file "$2" state "$3" | grep -q "$1"
}

# all_active PORT...: these ports of both HCAs are active
all_active() {
	local port name
	for name in "$(hca 1)" "$(hca 2)"; do
		for port; do
			port_is ACTIVE "$port" "$name"
		done
	done
}

no_device() {
	[ -z "$(rdma_devices)" ]
}

# kernel_said PATTERN: the kernel's log has a line that matches
kernel_said() {
	dmesg | grep -q "$1"
}

# port_guid PORT DEVICE: the lower half of the port's GID
port_guid() {
	echo "0x$(port_file "$1" gids/0 "$2" | cut -d: -f5- | tr -d :)"
}
