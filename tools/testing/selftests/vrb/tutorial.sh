#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Level: ci
# Timeout: 60
# Runs: guest --driver none --hcas 0 --modules "vrb_mock vrb_tutorial"
# As: mock
# Runs: guest --driver tavor --modules vrb_tutorial
#
# Tests that the client of Documentation/tutorial.rst gets an answer from each device and can be
# unloaded.

. "$(dirname "$0")/lib.sh"

# answered: each device has answered, or answers within 10 s
answered() {
	local device
	for device in /sys/class/infiniband/*; do
		timeout 10 sh -c "until dmesg | grep -q 'vrb_tutorial: ${device##*/}: port 1 is'; do
			sleep 0.1
		done" || return 1
	done
}

echo "TAP version 13"
echo "1..2"
[ ! -e $MOCK ] || echo 1 >$MOCK/device
result=fail
answered && result=pass
dmesg | sed -n 's/.*vrb_tutorial: /# /p'
report "each device answers a query from softirq" "$result"

result=fail
rmmod vrb_tutorial && result=pass
report "the client can be unloaded while its devices stay" "$result"
[ ! -e $MOCK ] || echo 0 >$MOCK/device
exit "$status"
