#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --driver none --hcas 0 --modules "ib_vrb vrb_mock"
# Kernels: 6.12 debug kcsan 6.12-rt 7-rt
# Timeout: 600
# Level: ci
#
# Tests concurrent operations of all kinds, and races of two operations, with delays at the places
# of possible races. One seed is used after the other.
# Usage: storm.sh [SEED...]

. "$(dirname "$0")/lib.sh"

SEED=/sys/module/vrb_mock/parameters/seed

RACES=(submit cancel destroy shut fail answer)

[ $# != 0 ] || set -- 1 2 3 4 5 6 7 8
delayed
setup rules
echo "1..$((3 * $#))"
for seed; do
	echo "$seed" >"$SEED"
	echo "$seed" >"$DELAYS"
	run_one storm_of_everything
	report "storm_of_everything with seed $seed" "$result"
	run_one kill_of_a_resubmitted_request
	report "kill_of_a_resubmitted_request with seed $seed" "$result"
	race=races_of_${RACES[seed % ${#RACES[@]}]}
	run_one "$race"
	report "$race with seed $seed" "$result"
done
exit "$status"
