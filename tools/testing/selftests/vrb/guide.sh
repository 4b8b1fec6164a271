#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --driver tavor --sm --modules vrb_guide
# Level: ci
# Timeout: 120
#
# Tests that each example of Documentation/vrb-client.rst works on a device as the document says.

. "$(dirname "$0")/lib.sh"
# shellcheck source=SCRIPTDIR/../../vm/guest/functions
. /mnt/tree/tools/testing/vm/guest/functions

stages=("connected" "page registered" "posted" "received" "CQ resized" "markers posted" "flushed"
	"reset" "connected again" "page unregistered" "attached" "detached" "group idle" "gone")
device=$(rdma_devices | head -n 1)

# log: the kernel's since this test began
log() {
	dmesg | sed '1,/guide.sh: begins/d'
}

# said STAGE: the example came to it, without an error
said() {
	log | grep "vrb_guide: $device: $1: 0\$" >/dev/null
}

echo "TAP version 13"
echo "1..$((${#stages[@]} + 1))"
[ "$(id -u)" = 0 ] || skip_all "needs root"
# The bench loads it before the port is active.
rmmod vrb_guide
echo "guide.sh: begins" >/dev/kmsg
load_own vrb_guide
for _ in {1..300}; do
	! said gone || break
	sleep 0.1
done
log | sed -n 's/.*vrb_guide: /# /p'
for stage in "${stages[@]}"; do
	result=fail
	said "$stage" && result=pass
	report "$stage" "$result"
done

result=fail
rmmod vrb_guide && result=pass
report "the client can be unloaded while its device stays" "$result"
exit "$status"
