# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
# shellcheck shell=bash
#
# Checks of what programs answer, and of how they report that they, or the hardware, do not support
# something: Documentation/interoperability.rst has the list.

# shellcheck source=SCRIPTDIR/test.bash
. "$(dirname "${BASH_SOURCE[0]}")/test.bash"

# query PATTERN COMMAND...: the command succeeds and prints a line that matches
query() {
	local pattern=$1 status=0
	shift
	"$@" >"$TEST_DIR/query" || status=$?
	cat "$TEST_DIR/query"
	[ "$status" = 0 ] || fail "status $status: $*"
	matches "$pattern"
}

# matches PATTERN: another line of the same output matches
matches() {
	grep -qE -- "$1" "$TEST_DIR/query" || fail "no line matches '$1'"
}

# refused PATTERN COMMAND...: the command fails by itself and at once, and says why
refused() {
	local pattern=$1 status=0
	shift
	timeout 60 "$@" >"$TEST_DIR/query" 2>&1 || status=$?
	cat "$TEST_DIR/query"
	[ "$status" != 0 ] || fail "succeeded: $*"
	[ "$status" != 124 ] || fail "took too long: $*"
	# A program that ends with -1 has a status above that of any signal.
	[ "$status" -le 128 ] || [ "$status" -gt 192 ] ||
		fail "ended by signal $((status - 128)): $*"
	matches "$pattern"
}
