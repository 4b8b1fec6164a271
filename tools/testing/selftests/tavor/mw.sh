#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Kernels: 6.12 debug
# Timeout: 600
# Level: ci
# Runs: guest --driver tavor --sm
# As: some
# Runs: guest --driver tavor --sm --hca flags=0x00360347
# As: none
#
# Runs mw.c, memory windows of processes, on a driver with few memory keys and with a command
# timeout of one second, and on an HCA without windows. By hand:
#   tools/testing/vm/run --driver tavor --sm -- tools/testing/selftests/tavor/mw.sh

# shellcheck source=SCRIPTDIR/faults.bash
. "$(dirname "$0")/faults.bash"

strict
trap 'sm_around reload' EXIT
sm_around reload num_mpt=1024 cmd_timeout_ms=1000
case ${TEST_NAME:-} in
*none) "${TEST_BIN:-$TREE/build/guest/tavor}/mw" none ;;
*) "${TEST_BIN:-$TREE/build/guest/tavor}/mw" ;;
esac
