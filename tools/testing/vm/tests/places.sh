#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: host
#
# Tests the places for guests: a run gets all of its places or none, there are never more than the
# limit, and they are returned when their owner ends in any way.

cd "$(dirname "$0")/.." || exit 1
# shellcheck source=SCRIPTDIR/../lib/try.bash
. lib/try.bash

export XDG_CACHE_HOME=$work/cache IB_VRB_GUESTS=3

# taker NAME COUNT: starts another process, which holds its places until it is told to end
taker() {
	PLACE_FOR="taker of $1" bash -c '. lib/common.sh; . lib/guest_places.sh
		places_take "$2"
		touch "$1.taken"
		until [ -e "$1.end" ]; do sleep 0.1; done' taker "$work/$1" "$2" \
			>"$work/out" 2>"$work/err"
}

# tries COUNT: true if COUNT places are free now
tries() {
	bash -c '. lib/common.sh; . lib/guest_places.sh
		mkdir -p "$CACHE/lock"
		places_try "$1" 3' \
			tries "$1" >"$work/out" 2>&1
}

refused() {
	! tries "$1"
}

echo "TAP version 13"
tries 3
result $? "all places can be taken when none is held"
refused 4
result $? "more places than exist cannot be taken"
tries 3
result $? "an attempt that fails keeps no place"

taker first 2 &
soon test -e "$work/first.taken" && tries 1
result $? "a pair leaves one of three places"
refused 2
result $? "a second pair has to wait"

taker second 2 &
soon grep -q 'waiting for one of these to end' "$work/err" && [ ! -e "$work/second.taken" ]
result $? "it reports that it waits"
soon grep -qx "vm:   taker of first (process [0-9]*, in $(cd ../../.. && pwd))" "$work/err" &&
	[ "$(grep -c 'vm:   ' "$work/err")" = 1 ]
result $? "it names the holder of two places once"
touch "$work/first.end"
soon test -e "$work/second.taken"
result $? "it gets its places when the first pair ends"
refused 2
result $? "it then holds two places"
touch "$work/second.end"
wait

touch "$work/third.end" "$work/fourth.end"
IB_VRB_GUESTS=0 IB_VRB_PLACED=1 taker third 1
[ -e "$work/third.taken" ]
result $? "what runs within a place takes no other place"
IB_VRB_GUESTS=1 taker fourth 2
[ -e "$work/fourth.taken" ]
result $? "a pair takes the only place if there is just one"
echo "1..$number"
