# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
# shellcheck shell=bash
#
# What a program says when it is asked something, and how it says that it, or the hardware, cannot:
# Documentation/interoperability.rst has the list.

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

# matches PATTERN: so does another line of the same output
matches() {
	grep -qE -- "$1" "$TEST_DIR/query" || fail "no line matches '$1'"
}

# refused PATTERN COMMAND...: fails by itself and at once, saying why
refused() {
	local pattern=$1 status=0
	shift
	timeout 60 "$@" >"$TEST_DIR/query" 2>&1 || status=$?
	cat "$TEST_DIR/query"
	[ "$status" != 0 ] || fail "succeeded: $*"
	[ "$status" != 124 ] || fail "took too long: $*"
	# What ends with -1 has more than a signal could.
	[ "$status" -le 128 ] || [ "$status" -gt 192 ] ||
		fail "ended by signal $((status - 128)): $*"
	matches "$pattern"
}
