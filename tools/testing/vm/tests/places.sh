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

# taker NAME COUNT: another process that keeps its places until it is to end
taker() {
	PLACE_FOR="taker of $1" bash -c '. lib/common.sh; . lib/guest_places.sh
		places_take "$2"
		touch "$1.taken"
		until [ -e "$1.end" ]; do sleep 0.1; done' taker "$work/$1" "$2" \
			>"$work/out" 2>"$work/err"
}

# tries COUNT: could they be had now?
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
result $? "all places can be had when nobody has one"
refused 4
result $? "more than there are cannot"
tries 3
result $? "and an attempt that fails keeps none"

taker first 2 &
soon test -e "$work/first.taken" && tries 1
result $? "one of three is left by a pair"
refused 2
result $? "a second pair has to wait"

taker second 2 &
soon grep -q 'waiting for one of these to end' "$work/err" && [ ! -e "$work/second.taken" ]
result $? "and says that it waits"
soon grep -qx "vm:   taker of first (process [0-9]*, in $(cd ../../.. && pwd))" "$work/err" &&
	[ "$(grep -c 'vm:   ' "$work/err")" = 1 ]
result $? "and who has the places, once though there are two of them"
touch "$work/first.end"
soon test -e "$work/second.taken"
result $? "it comes to its turn when the first one ends"
refused 2
result $? "with two places of its own"
touch "$work/second.end"
wait

touch "$work/third.end" "$work/fourth.end"
IB_VRB_GUESTS=0 IB_VRB_PLACED=1 taker third 1
[ -e "$work/third.taken" ]
result $? "what runs within a place takes no other"
IB_VRB_GUESTS=1 taker fourth 2
[ -e "$work/fourth.taken" ]
result $? "a pair is content with the only place there is"
echo "1..$number"
