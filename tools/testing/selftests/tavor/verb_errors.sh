#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --driver tavor
# Kernels: 6.12 debug
# Timeout: 1200
# Level: ci
#
# Runs verb_errors.c, failures of firmware commands, on a driver with a command timeout of one
# second. By hand:
#   tools/testing/vm/run --driver tavor -- tools/testing/selftests/tavor/verb_errors.sh

# shellcheck source=SCRIPTDIR/faults.bash
. "$(dirname "$0")/faults.bash"

strict
trap 'reload' EXIT
reload cmd_timeout_ms=1000
"${TEST_BIN:-$TREE/build/guest/tavor}/verb_errors"
