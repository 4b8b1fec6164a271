#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --driver none --hcas 0 --modules "ib_vrb vrb_mock"
#
# Tests what the kernel's log has about the end of a device: a failure is logged as an error, an
# orderly stop is not.

. "$(dirname "$0")/lib.sh"

# errors NAME: runs the test of that name, and prints what the engine logs as errors or warnings
errors() {
	local mark="stop.sh: $1 $RANDOM"
	echo "$mark" >/dev/kmsg
	run_one "$1"
	# In a raw log each line begins with its level and facility: <0> to <4> are warnings and
	# worse.
	dmesg -r | sed "1,/$mark/d" | grep -E '^<[0-4]>.*ib_vrb:'
}

# quiet NAME: the test passes and logs neither error nor warning
quiet() {
	local log
	run_one "$1"	# for its result
	log=$(errors "$1")
	[ -z "$log" ] || { echo "# ${log//$'\n'/$'\n'# }" && result=fail; }
	report "$1 logs no error" "$result"
}

# logs_one NAME REASON: the test passes and logs one failure
logs_one() {
	local log
	run_one "$1"	# for its result
	log=$(errors "$1")
	[ "$(grep -c "device has failed: $2" <<<"$log")" = 1 ] || result=fail
	report "$1 logs one" "$result"
}

setup rules
echo "1..7"
quiet stop_completes_everything
quiet stop_at_device_destroy
logs_one fail_only_once "on request"
logs_one fail_after_a_stop "a command could not be posted"
run_one fail_names_the_step
log=$(errors fail_names_the_step)
grep -q 'not answered: destroy, step step1, firmware status 0x0 *$' <<<"$log" || result=fail
report "fail_names_the_step logs its own status" "$result"
run_one fail_names_the_status
log=$(errors fail_names_the_status)
grep -q 'a destroy failed: destroy, step step0, firmware status 0x7 SEVEN$' <<<"$log" || result=fail
report "fail_names_the_status logs its name" "$result"
run_one shells_left_by_their_client
log=$(errors shells_left_by_their_client)
[ "$(grep -c 'client test has left CQ' <<<"$log")" = 32 ] || result=fail
[ "$(grep -c 'has left 40 objects' <<<"$log")" = 1 ] || result=fail
report "shells_left_by_their_client names some and counts all" "$result"
exit "$status"
