#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Timeout: 120
# Runs: guest --hcas 0
# Level: ci
#
# Tests what the examples of libvrbq and vrbstat say on a machine without an RDMA device: each names
# what is missing. By hand:
#   tools/testing/vm/run --hcas 0 -- tools/testing/selftests/libvrbq/no_device.sh

# shellcheck source=SCRIPTDIR/../../vm/guest/test.bash
. "$(dirname "$0")/../../vm/guest/test.bash"

BIN=${TEST_BIN:-$TREE/build/guest/libvrbq}

# says PATTERN COMMAND...: the command fails with status 1 and a line that begins with its name
says() {
	local pattern=$1 status=0 output
	shift
	output=$("$@" 2>&1) || status=$?
	echo "$output"
	[ "$status" = 1 ] || fail "status $status: $*"
	grep -qE "^vrb[a-z_]*: .*$pattern" <<<"$output" || fail "not '$pattern': $*"
}

# libibverbs asks the kernel for its devices, which may load the modules.
test_without_the_modules() {
	local program
	for program in vrbq_first vrbq_connect vrbq_libevent; do
		says "(the kernel has no RDMA: modprobe|there is no RDMA device; is the driver)" \
			"$BIN/$program"
	done
	says "(modprobe rdma_ucm|there is no RDMA device)" "$BIN/vrbq_rdma_cm" --server
	says "ib_vrb is not loaded" "$BIN/vrbstat"
}

test_without_a_device() {
	local program
	modprobe -a ib_uverbs rdma_ucm
	load_own ib_vrb
	for program in vrbq_first vrbq_connect vrbq_libevent; do
		says "there is no RDMA device; is the driver loaded" "$BIN/$program"
	done
	says "there is no RDMA device; is the driver loaded" "$BIN/vrbq_rdma_cm" 203.0.113.1
	"$BIN/vrbstat" | grep -qx 'no device uses ib_vrb'
	says "no device '0000:00:00.0'" "$BIN/vrbstat" --device 0000:00:00.0
	rmmod ib_vrb
	modprobe -r rdma_ucm ib_uverbs
}

run_tests "$@"
