#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --driver tavor --sm --hcas 2 --iommu
# Timeout: 600
# Guest: own
# Level: ci
#
# An HCA that was left running, with traffic for it on the wire, is taken by the driver: as after
# a failure, a crash or kexec. It writes nothing before it has been reset: under the IOMMU the
# model sees each such write as a violation, which fails the run. By hand:
#   tools/testing/vm/run --driver tavor --sm --hcas 2 --iommu -- \
#     tools/testing/selftests/tavor/rebind_running.sh

# shellcheck source=SCRIPTDIR/faults.bash
. "$(dirname "$0")/faults.bash"

# violations HCA: how many the model has recorded
violations() {
	model "{\"cmd\":\"stats\",\"hca\":$1,\"history\":false}" |
		sed -E 's/.*"violations":\{([^}]*)\}.*/\1/' |
		tr ',' '\n' | awk -F: '{ n += $2 } END { print n + 0 }'
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
	echo "$address" >"$TAVOR/unbind"
	echo "$address" >"$TAVOR/bind"
	[ -e "$TAVOR/$address" ]
	kill %1
	wait %1
	cat "$TEST_DIR/pour"
	[ "$(violations 0)" = "$before" ] || fail "$(($(violations 0) - before)) violations"
}

run_tests "$@"
