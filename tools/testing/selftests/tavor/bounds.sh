#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Timeout: 600
# Guest: own
# Level: ci
# Runs: guest --driver tavor --sm --modules tavor_runs
# As: visible
# Runs: guest --driver tavor --sm --modules tavor_runs --hca ddr_hidden=1
# As: hidden
#
# Tests that a run of a softirq function handles as many events, and writes as many translation
# entries, as Documentation/tavor.rst says, and no more. By hand:
#   tools/testing/vm/run --driver tavor --sm --modules tavor_runs -- \
#     tools/testing/selftests/tavor/bounds.sh

# shellcheck source=SCRIPTDIR/faults.bash
. "$(dirname "$0")/faults.bash"

COUNTED=/sys/module/tavor_runs/parameters
STORM=${TEST_BIN:-$TREE/build/guest/tavor}/event_storm

# bound TEXT: the number behind this text in the documentation
bound() {
	sed -nE "s/^$1 +([0-9]+)$/\1/p" "$TREE/Documentation/tavor.rst"
}

# reaches PARAMETER TEXT: the most that was counted is this bound
reaches() {
	local most bound
	most=$(cat "$COUNTED/$1")
	bound=$(bound "$2")
	[ -n "$bound" ] || fail "the documentation has no bound for: $2"
	[ "$most" = "$bound" ] || fail "$most, not $bound: $2"
}

hidden() {
	executed | grep -q '^WRITE_MTT '
}

# counts PARAMETER...: counts from now on
counts() {
	! loaded tavor_runs || rmmod tavor_runs
	load_own tavor_runs count=1 "$@"
}

test_events() {
	counts slow_ms=20
	"$STORM" 600 >"$TEST_DIR/storm" || fail "$(cat "$TEST_DIR/storm")"
	reaches events 'events that a run of an event queue handles'
}

# The buffer of the CQ has 1024 pages.
test_translation_entries() {
	counts
	echo 1 >/sys/module/ib_tavor/parameters/softirq_objects
	load_own tavor_softirq cqe=131071
	rmmod tavor_softirq
	if hidden; then
		reaches portion 'translation entries that one command writes, if the DDR is hidden'
	else
		reaches entries 'translation entries that a run of the pump stores'
	fi
}

run_tests "$@"
