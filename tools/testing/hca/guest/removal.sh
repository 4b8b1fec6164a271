#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --driver mthca --sm
# Timeout: 2400
# Guest: own
# Level: all
#
# Tests a surprise removal of the function under ib_mthca: from then on every read returns all ones.
# The function does not return in this guest. By hand:
#   tools/testing/vm/run --driver mthca --sm --timeout 2400 -- tools/testing/hca/guest/removal.sh

# shellcheck disable=SC2317 # the tests are called by name
# shellcheck source=SCRIPTDIR/../../interop/fabric.bash
. "$(dirname "$0")/../../interop/fabric.bash"

TEST_SECONDS=1500

test_driver_notices_and_lets_go() {
	sm_stop || :
	model '{"cmd":"remove","hca":0}' | grep -q '"ok":true'
	until_true 60 kernel_said 'Catastrophic error detected: unknown error'
	until_true 1200 no_device
	model '{"cmd":"stats","hca":0}' | grep -q '"connected":false'
}

test_configuration_space_is_all_ones() {
	setpci -s "$(basename "$(readlink -f /sys/bus/pci/drivers/ib_mthca/*:*:*.* | head -n 1)")" \
		0.l | grep -q ffffffff
}

test_driver_unloads() {
	modprobe -r ib_mthca
	[ ! -d /sys/module/ib_mthca ]
}

run_tests "$@"
