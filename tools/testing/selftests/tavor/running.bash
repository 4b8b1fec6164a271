# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
# shellcheck shell=bash
#
# Functions for tests in which an HCA is still running after its driver has ended, and receives
# traffic from a second one. They need two HCAs, cabled, under the IOMMU.

# shellcheck source=SCRIPTDIR/faults.bash
. "$(dirname "${BASH_SOURCE[0]}")/faults.bash"

# recorded KIND HCA: how many violations, or waived ones, the model has recorded
recorded() {
	model "{\"cmd\":\"stats\",\"hca\":$2,\"history\":false}" |
		sed -E "s/.*\"$1\":\{([^}]*)\}.*/\1/" |
		tr ',' '\n' | awk -F: '{ n += $2 } END { print n + 0 }'
}

# dropped HCA: packets that have come and that it did not take
dropped() {
	model "{\"cmd\":\"stats\",\"hca\":$1,\"history\":false}" |
		sed -nE 's/.*"port-rx-dropped":([0-9]+).*/\1/p'
}

# would_write HCA: there is work for it which it cannot do
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

# address_of DEVICE
address_of() {
	basename "$(readlink -f "/sys/class/infiniband/$1/device")"
}

# fail_running: sets ADDRESS, of the first HCA, which goes on although its driver has taken it for
# failed. The second one pours, as job %1.
fail_running() {
	local first since
	sm_away
	first=$(rdma_devices | head -n 1)
	ADDRESS=$(address_of "$first")
	"${TEST_BIN:-$TREE/build/guest/tavor}/pour" >"$TEST_DIR/pour" 2>&1 &
	until_true 20 grep -q "pouring into $first" "$TEST_DIR/pour" ||
		fail "$(cat "$TEST_DIR/pour")"
	# An internal parity error, but the HCA goes on.
	since=$(mark)
	catastrophe
	until_true 30 said "$since" 'device has failed'
	would_write 0 || fail "nothing is written to the HCA after it has failed"
}

# leave_running: fail_running, and its driver is gone
leave_running() {
	fail_running
	echo "$ADDRESS" >"$TAVOR/unbind"
	would_write 0 || fail "nothing is written to the HCA without a driver"
}

# pour_ends: and says how much it was
pour_ends() {
	kill %1
	wait %1
	cat "$TEST_DIR/pour"
}
