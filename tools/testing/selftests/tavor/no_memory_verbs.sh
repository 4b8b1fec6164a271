#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --driver tavor --modules fail_allocs
# Timeout: 600
# Level: ci
#
# Runs no_memory.c, verbs of a process whose allocations fail. By hand:
#   tools/testing/vm/run --driver tavor --modules fail_allocs -- \
#     tools/testing/selftests/tavor/no_memory_verbs.sh

# shellcheck source=SCRIPTDIR/fail_allocs.bash
. "$(dirname "$0")/fail_allocs.bash"

strict
trap unwatched EXIT
watched
"${TEST_BIN:-$TREE/build/guest/tavor}/no_memory"
