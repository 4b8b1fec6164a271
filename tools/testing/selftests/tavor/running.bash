# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
# shellcheck shell=bash
#
# Functions for tests in which an HCA is still running after its driver has ended, and receives
# traffic from a second one. They need two HCAs, cabled, under the IOMMU.

# shellcheck source=SCRIPTDIR/faults.bash
. "$(dirname "${BASH_SOURCE[0]}")/faults.bash"

# recorded KIND HCA: prints the number of violations (or waived ones) that the model has recorded
recorded() {
	model "{\"cmd\":\"stats\",\"hca\":$2,\"history\":false}" |
		sed -E "s/.*\"$1\":\{([^}]*)\}.*/\1/" |
		tr ',' '\n' | awk -F: '{ n += $2 } END { print n + 0 }'
}

# dropped HCA: prints the number of received packets that the HCA has dropped
dropped() {
	model "{\"cmd\":\"stats\",\"hca\":$1,\"history\":false}" |
		sed -nE 's/.*"port-rx-dropped":([0-9]+).*/\1/p'
}

# would_write HCA: waits until the HCA drops packets, because it cannot write their data
would_write() {
	local before
	before=$(dropped "$1")
	until_true 10 more_dropped "$1" "${before:-0}"
}

more_dropped() {
	local now
	now=$(dropped "$1")
	[ "${now:-0}" -gt "$2" ]
}

# address_of DEVICE: prints its PCI address
address_of() {
	basename "$(readlink -f "/sys/class/infiniband/$1/device")"
}

# fail_running: makes the driver treat the first HCA as failed, although the HCA still runs, and
# sets ADDRESS to its address. The second HCA writes to it (pour.c), as job %1.
fail_running() {
	local first since
	sm_away
	first=$(rdma_devices | head -n 1)
	ADDRESS=$(address_of "$first")
	"${TEST_BIN:-$TREE/build/guest/tavor}/pour" >"$TEST_DIR/pour" 2>&1 &
	until_true 20 grep -q "pouring into $first" "$TEST_DIR/pour" ||
		fail "$(cat "$TEST_DIR/pour")"
	# This looks like an internal parity error, but the HCA still runs.
	since=$(mark)
	catastrophe
	until_true 30 said "$since" 'device has failed'
	would_write 0 || fail "nothing is written to the HCA after it has failed"
}

# leave_running: like fail_running, and unbinds the driver
leave_running() {
	fail_running
	echo "$ADDRESS" >"$TAVOR/unbind"
	would_write 0 || fail "nothing is written to the HCA without a driver"
}

# pour_ends: ends the writes of the second HCA, and prints their number
pour_ends() {
	kill %1
	wait %1
	cat "$TEST_DIR/pour"
}
