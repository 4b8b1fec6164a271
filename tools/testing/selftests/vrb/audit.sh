#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --driver none --hcas 0 --modules "ib_vrb vrb_mock"
# Kernels: 6.12 debug kcsan 6.12-rt 7-rt
# Level: ci
# Timeout: 900
#
# Tests that random requests from every context complete exactly once, on a device that is slow,
# answers twice or not at all, and fails. Usage: audit.sh [REQUESTS [SEED...]]

. "$(dirname "$0")/lib.sh"

PARAMETERS=/sys/module/vrb_mock/parameters
REQUESTS=${1:-20000}
[ $# = 0 ] || shift

[ $# != 0 ] || set -- 1 2 3 4 5
setup rules

# unreclaimable: kB of slab memory, without the unused slabs that the caches keep
unreclaimable() {
	local cache
	for cache in /sys/kernel/slab/*/shrink; do
		echo 1 >"$cache" 2>/dev/null || :
	done
	awk '$1 == "SUnreclaim:" { print $2 }' /proc/meminfo
}

# one_cycle SEED: runs one audit, and adds its result
one_cycle() {
	echo "$1" >$PARAMETERS/seed
	echo "$REQUESTS" >$PARAMETERS/audit_requests
	echo $((REQUESTS / 5000)) >$PARAMETERS/audit_failures
	run_one audit_of_everything
	report "$REQUESTS requests with seed $1" "$result"
}

echo "1..$(($# + 2))"
after_second=
cycle=0
for seed; do
	one_cycle "$seed"
	cycle=$((cycle + 1))
	[ "$cycle" != 2 ] || after_second=$(unreclaimable)
done
# Its clients destroy all their shells, also through the inbox, and no QP stays in a group. So
# nothing is left behind.
result=pass
! dmesg | grep 'vrb: mock: client audit.* \(has left\|goes before\)' || result=fail
report "clients are not said to have left what they destroyed" "$result"

# The first cycle fills caches. Later cycles that leak their requests or shells would grow by
# megabytes.
if [ "$cycle" -gt 2 ]; then
	# What RCU frees comes back within seconds.
	for _ in {1..20}; do
		grown=$(($(unreclaimable) - after_second))
		[ "$grown" -ge 2048 ] || break
		sleep 1
	done
	echo "# slab grew by $grown kB from the second cycle to the last"
	result=pass
	[ "$grown" -lt 2048 ] || result=fail
	report "all memory is returned" "$result"
else
	report "all memory is returned" "skip wants three cycles"
fi
dmesg | sed -n 's/.*vrb_mock: audit:/# audit:/p'
exit "$status"
