#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --driver tavor --sm --hcas 2 --hca cable=0.1-1.1,0.2-1.2 --iommu
# Timeout: 600
# Guest: own
# Level: ci
#
# An HCA that was left running, with traffic for it on the wire, is taken by the driver: as after
# a failure, a crash or kexec. It writes nothing before it has been reset: under the IOMMU the
# model sees each such write as a violation, which fails the run. That there is something to write
# is seen from the packets that the model drops while it cannot. By hand:
#   tools/testing/vm/run --driver tavor --sm --hcas 2 --hca cable=0.1-1.1,0.2-1.2 --iommu -- \
#     tools/testing/selftests/tavor/rebind_running.sh

# shellcheck source=SCRIPTDIR/faults.bash
. "$(dirname "$0")/faults.bash"

# violations HCA: how many the model has recorded
violations() {
	model "{\"cmd\":\"stats\",\"hca\":$1,\"history\":false}" |
		sed -E 's/.*"violations":\{([^}]*)\}.*/\1/' |
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

test_an_HCA_left_running_is_reset_before_it_may_write() {
	local first address before since
	sm_away
	first=$(rdma_devices | head -n 1)
	address=$(address_of "$first")
	before=$(violations 0)
	"${TEST_BIN:-$TREE/build/guest/tavor}/pour" >"$TEST_DIR/pour" 2>&1 &
	until_true 20 grep -q "pouring into $first" "$TEST_DIR/pour" ||
		fail "$(cat "$TEST_DIR/pour")"
	# An internal parity error, but the HCA goes on.
	since=$(mark)
	model '{"cmd":"event","hca":0,"type":8,"subtype":0,"data":[0,0,5,5]}' | grep -q '"ok":true'
	until_true 30 said "$since" 'device has failed'
	would_write 0 || fail "nothing is written to the HCA after it has failed"
	echo "$address" >"$TAVOR/unbind"
	would_write 0 || fail "nothing is written to the HCA without a driver"
	echo "$address" >"$TAVOR/bind"
	[ -e "$TAVOR/$address" ]
	kill %1
	wait %1
	cat "$TEST_DIR/pour"
	[ "$(violations 0)" = "$before" ] || fail "$(($(violations 0) - before)) violations"
}

run_tests "$@"
