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
# Tests a probe that cannot map the HCA's buffer for catastrophic errors. The probe of ib_tavor
# fails, and leaves nothing behind. That of ib_mthca goes on, but leaves the head of a list unset,
# so its unload makes the kernel find a corrupt list.

cd "$(dirname "$0")/../../vm" || exit 1
# shellcheck source=SCRIPTDIR/../../vm/lib/try.bash
. lib/try.bash

echo "TAP version 13"

if [ "$DRIVER" = mthca ]; then
	# The guest ends with the complaint.
	# shellcheck disable=SC2016 # for the shell in the guest
	try "the unload of ib_mthca ends the kernel" 125 "list_del corruption.*the guest ended" \
		--driver mthca --modules tavor_no_map --results "$work/results" -- bash -c '
		. tools/testing/vm/guest/functions
		rmmod tavor_no_map ib_mthca
		load_own tavor_no_map caller=mthca_start_catas_poll
		modprobe ib_mthca
		[ "$(cat /sys/module/tavor_no_map/parameters/failed)" = 1 ] || exit 2
		rmmod ib_mthca'
	grep -q mthca_stop_catas_poll "$work/results/console.log"
	result $? "it takes its device from a list that it has not set up"
	echo "1..2"
else
	# After a command that fails, the bench does not unload the driver.
	# shellcheck disable=SC2016 # for the shell in the guest
	try "the probe of ib_tavor fails, and the next one does not" 7 "status 7" --driver tavor \
		--modules tavor_no_map -- bash -c '
		. tools/testing/selftests/tavor/faults.bash
		TEST_DIR=/tmp
		since=$(mark)
		rmmod tavor_no_map
		unbind
		load_own tavor_no_map caller=tavor_catas_start
		! bind || exit 1
		[ "$(cat /sys/module/tavor_no_map/parameters/failed)" = 1 ] || exit 1
		nothing_left "$since"
		rmmod tavor_no_map
		usable
		exit 7'
	echo "1..1"
fi
