#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: host
# Level: all
# Timeout: 900
#
# Tests libvrbq with many threads, once with ThreadSanitizer and once with AddressSanitizer: both
# backends, with functions in place of libibverbs and of the driver (races.c), so no device is
# needed. A data race, an access to freed memory, and a leak are errors.

# shellcheck source=SCRIPTDIR/../../vm/lib/all.sh
. "$(dirname "$0")/../../vm/lib/all.sh"
set +e
# shellcheck source=SCRIPTDIR/../../vm/lib/try.bash
. "$(dirname "$0")/../../vm/lib/try.bash"

# in_tools COMMAND...: runs the command in the root with the compiler
in_tools() {
	in_root "$tools" --bind "$TREE" --bind "$work" \
		--cwd "$TREE/tools/testing/selftests/libvrbq" -- "$@"
}

# sanitized SANITIZER: runs the tests with it. The program has its own numbers.
sanitized() {
	local line status
	in_tools make -s OUTPUT="$work" KSFT="$BUILD/kselftest" "$work/races-$1"
	result $? "$1: the library and its test are compiled"
	[ -x "$work/races-$1" ] || return
	# ThreadSanitizer needs the address space to be laid out as usual.
	in_tools setarch -R timeout 300 "$work/races-$1" >"$work/out" 2>"$work/reports"
	status=$?
	while read -r line; do
		case $line in
		"ok "*) result 0 "$1: ${line#ok * }" ;;
		"not ok "*) result 1 "$1: ${line#not ok * }" ;;
		"# "* | "Bail out!"*) echo "# ${line#\# }" ;;
		esac
	done <"$work/out"
	head -n 100 "$work/reports" | sed 's/^/# /'
	[ "$status" = 0 ] && [ ! -s "$work/reports" ]
	result $? "$1: the program ends with status $status, and the sanitizer reports nothing"
}

tools=$(programs_root) && kselftest_copy || exit
echo "TAP version 13"
sanitized thread
sanitized address
echo "1..$number"
[ "$failed" = 0 ]
