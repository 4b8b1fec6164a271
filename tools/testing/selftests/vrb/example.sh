#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --driver none --hcas 0 --modules "ib_vrb vrb_mock vrb_example"
# Guest: own
# Level: ci
#
# Tests a client that was written from the headers alone, on the provider without hardware. The
# client creates, connects, uses and destroys its objects in softirq.

. "$(dirname "$0")/lib.sh"

DEVICE=$MOCK/device
EXAMPLE=/sys/kernel/debug/vrb_example

echo "TAP version 13"
[ "$(id -u)" = 0 ] || skip_all "needs root"
mountpoint -q /sys/kernel/debug || mount -t debugfs none /sys/kernel/debug 2>/dev/null
for module in vrb_mock vrb_example; do
	[ -e /sys/kernel/debug/$module ] || modprobe $module 2>/dev/null
done
[ -e "$DEVICE" ] && [ -d "$EXAMPLE" ] || skip_all "vrb_mock or vrb_example is not loaded"
trap 'echo 0 >"$DEVICE"' EXIT

# client DEVICE: prints the client's results for the device, as subtests
client() {
	sed 's/^/    /' "$EXAMPLE/$1"
	grep -q '^ok' "$EXAMPLE/$1" && ! grep -q '^not ok' "$EXAMPLE/$1"
}

echo "1..4"
result=fail
echo 1 >"$DEVICE" && client mock0 && result=pass
report "a client that was written from the headers alone works" "$result"

result=fail
echo 0 >"$DEVICE" && [ ! -e "$EXAMPLE/mock0" ] && result=pass
report "the device can be removed after the work of the client" "$result"

# The device goes while the client is at work: the client itself destroys its objects.
result=pass
for _ in {1..20}; do
	{ echo 1 >"$DEVICE" && echo 0 >"$DEVICE"; } || result=fail
done
report "the device is removed while the client works" "$result"

# This is the last test, because nothing loads the module again.
result=fail
echo 1 >"$DEVICE" && [ -e "$EXAMPLE/mock0" ] && rmmod vrb_mock && [ ! -e "$EXAMPLE/mock0" ] &&
	result=pass
report "the provider's module is unloaded while the client is loaded" "$result"
trap - EXIT
exit "$status"
