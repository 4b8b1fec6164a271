# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
# shellcheck shell=bash
#
# For tests of what a program or the hardware cannot do; Documentation/strangers.rst has the list.

# refused PATTERN COMMAND...: fails by itself and at once, saying why
refused() {
	local pattern=$1 status=0
	shift
	timeout 30 "$@" >"$TEST_DIR/refused" 2>&1 || status=$?
	cat "$TEST_DIR/refused"
	[ "$status" != 0 ] && [ "$status" != 124 ] || fail "status $status: $*"
	[ "$status" -lt 128 ] || fail "ended by signal $((status - 128)): $*"
	grep -qE -- "$pattern" "$TEST_DIR/refused" || fail "refused without '$pattern': $*"
}
