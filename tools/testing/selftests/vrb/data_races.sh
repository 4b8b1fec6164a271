#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --driver none --hcas 0 --modules data_races --expect-complaint "KCSAN: data-race in race_"
# Kernels: kcsan
# Level: all
#
# Tests that the kernel that finds data races reports those of a module, and nothing that is none:
# two processors that count without a lock, or without the barriers that a hand-over needs.

# shellcheck source=SCRIPTDIR/../../vm/guest/functions
. "$(dirname "$0")/../../vm/guest/functions"

number=0

# reports: how many reports the log has
reports() {
	dmesg | grep -c 'BUG: KCSAN: '
}

result() {
	number=$((number + 1))
	if [ "$1" = 0 ]; then
		echo "ok $number $2"
	else
		echo "not ok $number $2"
	fi
}

# counted HOW: the processors have counted in that way
counted() {
	! loaded data_races || rmmod data_races
	load_own data_races "how=$1"
}

# reported NAME HOW: this is reported, as a race of the function race_HOW
reported() {
	counted "$2" && dmesg | grep -q "BUG: KCSAN: data-race in race_$2 "
	result $? "$1 is reported"
}

# silent NAME HOW: this is not
silent() {
	local before
	before=$(reports)
	counted "$2" && [ "$(reports)" = "$before" ]
	result $? "$1 is not reported"
}

echo "TAP version 13"
dmesg | grep -q 'kcsan: selftest: \([0-9]*\)/\1 tests passed'
result $? "the kernel's own test of the detector has passed"
silent "what a lock guards" locked
silent "a hand-over with acquire and release" ordered
reported "counting without a lock" plain
reported "a hand-over without barriers" unordered
echo "1..$number"
