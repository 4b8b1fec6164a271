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
# Tests that an HCA that has lost all its state while the machine slept works again, and that its
# users are told. ib_mthca does not know of the sleep: no process gets an event, and the first
# command waits for its answer until it times out after a minute. Its run waives the rules that it
# breaks with commands to an HCA that is not initialized. suspend.sh has more tests of ib_tavor.

cd "$(dirname "$0")/../../vm" || exit 1
# shellcheck source=SCRIPTDIR/../../vm/lib/try.bash
. lib/try.bash

# sleeps TEXT OPTION... -- COMMAND: a process watches for events, and the machine sleeps. COMMAND is
# of a shell in the guest and ends with status 7: after a command that fails, the bench does not
# unload the driver, which takes ib_mthca long.
sleeps() {
	local text=$1 options=()
	shift
	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	# shellcheck disable=SC2016 # for the shell in the guest
	try "$text" 7 "status 7" --driver "$DRIVER" --modules tavor_awake --hca reset_time=0s \
		"${options[@]}" -- bash -c '
		. tools/testing/vm/guest/functions
		stdbuf -oL ibv_asyncwatch >/tmp/events 2>&1 &
		until_true 20 grep -q "async event FD" /tmp/events || exit 1
		ibv_devinfo >/dev/null || exit 1
		told() {
			grep -q "event_type.*FATAL" /tmp/events
		}
		echo 1 >/sys/module/suspend/parameters/pm_test_delay
		echo core >/sys/power/pm_test
		echo 1 >/sys/module/tavor_awake/parameters/state
		echo mem >/sys/power/state
		[ "$(cat /sys/module/tavor_awake/parameters/lost)" = 1 ] || exit 1
		'"$2"
	echo "1..1"
}

echo "TAP version 13"

if [ "$DRIVER" = mthca ]; then
	sleeps "ib_mthca tells nobody, and does not work" --hca waive=cmd-no-eq \
		--hca waive=cmd-state -- '
		! ibv_devinfo >/tmp/info || exit 1
		! told || exit 1
		! dmesg | grep -q "Catastrophic error" || exit 1
		exit 7'
else
	sleeps "ib_tavor tells its users, and works" -- '
		until_true 20 told || exit 1
		until_true 20 ibv_devinfo >/tmp/info || exit 1
		exit 7'
fi
