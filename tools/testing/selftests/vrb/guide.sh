#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --driver tavor --sm --modules vrb_guide
# Level: ci
# Timeout: 120
# Guest: own
#
# Tests that each example of Documentation/vrb-client.rst works on a device as the document says,
# and that a client that is unloaded in the middle leaves nothing behind.

# shellcheck source=SCRIPTDIR/../../vm/guest/test.bash
. "$(dirname "$0")/../../vm/guest/test.bash"
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"

stages=("connected" "page registered" "posted" "received" "CQ resized" "markers posted" "flushed"
	"reset" "connected again" "page unregistered" "attached" "detached" "group idle" "gone")
device=$(rdma_devices | head -n 1)

# log: prints the kernel's log since the client was last loaded
log() {
	dmesg | awk '/guide.sh: begins/ { text = ""; next } { text = text $0 "\n" }
		END { printf "%s", text }'
}

# begin: loads the client
begin() {
	echo "guide.sh: begins" >/dev/kmsg
	load_own vrb_guide
}

# said STAGE: the example reached this stage without an error
said() {
	log | grep "vrb_guide: $device: $1: 0\$" >/dev/null
}

echo "TAP version 13"
echo "1..$((${#stages[@]} + 2))"
[ "$(id -u)" = 0 ] || skip_all "needs root"
# The bench has loaded it before the port was active.
rmmod vrb_guide
begin
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

# The completions of its receives are lost. Without opensm nothing else receives.
sm_away
model_set 0 fault drop,on=cqe,op=4
begin
until_true 10 said posted
sleep 1
rmmod vrb_guide
model_set 0 fault ''
log | sed -n 's/.*vrb_guide: /# /p'
result=fail
! said received && said gone && ! log | grep 'client vrb_guide has left' && result=pass
report "a client that waits for a completion can be unloaded, and leaves nothing" "$result"
exit "$status"
