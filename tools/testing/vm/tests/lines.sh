#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: host
# Level: all
# Timeout: 10800
#
# Tests that ib_tavor drives the HCA on each line of Debian's kernels that no other test boots: the
# other series in the archive, and the kernels of testing, sid and experimental. By hand: run this
# script; arguments select lines.

# shellcheck source-path=SCRIPTDIR/..
. "$(dirname "$0")/../lib/all.sh"
. "$VM_DIR/lib/try.bash"
set +e
RUN=$VM_DIR/run

# others: the series of the archive that the lines of the tests do not stand for
others() {
	local line series tested=' '
	for line in $KERNEL_LINES; do
		tested+=$(kernel_newest "$line" | grep -oE '^[0-9]+\.[0-9]+')' '
	done
	for series in $(kernel_series); do
		[[ $tested == *" $series "* ]] || echo "$series"
	done
}

host_ready
echo "TAP version 13"
kernel_fresh 6.12
lines=("$@")
# shellcheck disable=SC2086 # a list of words
[ $# != 0 ] || mapfile -t lines < <(others; printf '%s\n' $NEWEST_SUITES)
declare -A same
for line in "${lines[@]}"; do
	if ! (kernel_resolve "$line") >"$work/out" 2>"$work/err"; then
		number=$((number + 1))
		echo "ok $number kernel $line # SKIP no archive that apt reaches has it"
		continue
	fi
	release=$(<"$work/out")
	if [ -n "${same[$release]:-}" ]; then
		number=$((number + 1))
		echo "ok $number kernel $line # SKIP it is that of ${same[$release]}"
		continue
	fi
	same[$release]=$line
	# shellcheck disable=SC2016 # for the shell in the guest
	try "kernel $line: both ports are active" 0 "passed in .*kernel $line," --kernel "$line" \
		--driver tavor --sm -- \
		sh -c 'ibv_devinfo; [ "$(ibv_devinfo | grep -c PORT_ACTIVE)" = 2 ]'
	cat "$work/err" >&2
done
echo "1..$number"
[ "$failed" = 0 ]
