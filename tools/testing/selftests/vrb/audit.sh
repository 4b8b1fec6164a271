#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --driver none --hcas 0 --modules "ib_vrb vrb_mock"
# Kernels: 6.12 7 debug 6.12-rt 7-rt
# Level: ci
# Timeout: 900
#
# Exactly once: requests at random from every context, on a device that is slow, answers twice or
# not at all, and fails. Usage: audit.sh [REQUESTS [SEED...]]

. "$(dirname "$0")/lib.sh"

PARAMETERS=/sys/module/vrb_mock/parameters
REQUESTS=${1:-20000}
[ $# = 0 ] || shift

[ $# != 0 ] || set -- 1 2
setup rules
echo "1..$(($# + 1))"
for seed; do
	echo "$seed" >$PARAMETERS/seed
	echo "$REQUESTS" >$PARAMETERS/audit_requests
	echo $((REQUESTS / 5000)) >$PARAMETERS/audit_failures
	run_one audit_of_everything
	report "$REQUESTS requests with seed $seed" "$result"
done
# Its clients destroy all they have, also by way of the inbox: nobody has left anything.
result=pass
! dmesg | grep 'vrb: mock: client audit.* has left' || result=fail
report "clients are not said to have left what they destroyed" "$result"
dmesg | sed -n 's/.*vrb_mock: audit:/# audit:/p'
exit "$status"
