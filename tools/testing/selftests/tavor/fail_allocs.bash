# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
# shellcheck shell=bash
#
# Functions for tests in which allocations of ib_vrb and ib_tavor fail; see memory/fail_allocs.c.

# shellcheck source=SCRIPTDIR/life.bash
. "$(dirname "${BASH_SOURCE[0]}")/life.bash"

FAIL=/sys/module/fail_allocs/parameters

# watched: loads the driver again, below the module that makes its allocations fail
watched() {
	! loaded tavor_no_memory || rmmod tavor_no_memory
	rmmod ib_tavor
	rmmod ib_vrb
	load_own fail_allocs
	reload
}

# unwatched: loads the driver again, as it was
unwatched() {
	arm off
	! loaded tavor_no_memory || rmmod tavor_no_memory
	reload
}

# arm HOW...: from now on these allocations fail
arm() {
	echo "$*" >"$FAIL/arm"
}

# count NAME: prints a counter: matches, failed, spared, live, lost
count() {
	cat "$FAIL/$1"
}

# live_is N: the modules have N blocks in use
live_is() {
	[ "$(count live)" = "$1" ]
}

# nothing_lost N: waits until the modules have N blocks in use, as before; memory is freed after a
# grace period of RCU
nothing_lost() {
	until_true 10 live_is "$1" || {
		cat "$FAIL/left" "$FAIL/last"
		fail "$(count live) blocks instead of $1: the lines above"
	}
	[ "$(count lost)" = 0 ] || fail "$(count lost) blocks were not recorded"
}
