#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Timeout: 600
# Level: all
# Runs: host DRIVER=tavor
# As: tavor
# Runs: host DRIVER=mthca
# As: mthca
#
# Tests that a process can register memory on a kernel that does not clear what it allocates.
# ib_mthca leaves a field of ib_core unset, so ib_uverbs dereferences poison, and the process hangs.

cd "$(dirname "$0")/../../vm" || exit 1
# shellcheck source=SCRIPTDIR/../../vm/lib/try.bash
. lib/try.bash

echo "TAP version 13"

# After a command that fails, the bench leaves the driver loaded. It could not unload ib_mthca,
# because the process that hangs has the device open.
poisoned() {
	try "$1" 7 "status 7" --driver "$DRIVER" --append init_on_alloc=0 --append slub_debug=P \
		"${@:2}"
}

if [ "$DRIVER" = mthca ]; then
	# shellcheck disable=SC2016 # for the shell in the guest
	poisoned "a registration makes the kernel oops" --expect-complaint 'Oops|protection fault' \
		-- bash -c '
		. tools/testing/vm/guest/functions
		echo 0 >/proc/sys/kernel/panic_on_oops
		setsid build/guest/tavor/lkeys >/tmp/keys 2>&1 &
		oops() {
			dmesg | grep -q "RIP.*rdma_restrack_attach_task\|Call Trace"
		}
		until_true 30 oops || exit 1
		dmesg | grep -q ib_uverbs_reg_mr || exit 1
		[ ! -s /tmp/keys ] || exit 1
		exit 7'
else
	# shellcheck disable=SC2016 # for the shell in the guest
	poisoned "a process registers memory" -- bash -c '
		[ "$(build/guest/tavor/lkeys | wc -l)" = 400 ] || exit 1
		exit 7'
fi
echo "1..1"
