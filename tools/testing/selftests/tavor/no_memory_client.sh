#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --driver tavor --modules fail_allocs
# Timeout: 300
# Level: ci
#
# Runs memory/tavor_no_memory.c, a kernel client whose allocations fail, and prints its results. By
# hand:
#   tools/testing/vm/run --driver tavor --modules fail_allocs -- \
#     tools/testing/selftests/tavor/no_memory_client.sh

# shellcheck source=SCRIPTDIR/fail_allocs.bash
. "$(dirname "$0")/fail_allocs.bash"

RESULTS=16

strict
trap unwatched EXIT
watched
since=$(mark)
echo "TAP version 13"
echo "1..$RESULTS"
load_own tavor_no_memory mode=works
rmmod tavor_no_memory
messages_since "$since" | sed -nE 's/.*tavor_no_memory: ((not )?ok .*|# .*)/\1/p'
