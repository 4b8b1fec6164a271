#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Timeout: 600
# Level: all
# Runs: host
#
# Tests that ib_mthca looks the CQ of an event up in memory that it has freed, if the CQ is being
# destroyed (client/tavor_lookup.c). The kernel overwrites what it frees, and so it ends here.
# ib_tavor destroys no CQ with an event that it has not handled (kernel_client.sh).

cd "$(dirname "$0")/../../vm" || exit 1
# shellcheck source=SCRIPTDIR/../../vm/lib/try.bash
. lib/try.bash

echo "TAP version 13"

# A page of ib_mthca's table has 512 CQs. The first CQ of the test takes the first free number.
# shellcheck disable=SC2016 # for the shell in the guest
try "an event of a CQ that is being destroyed ends the kernel" 125 "0xaaaaaaaa.*the guest ended" \
	--driver mthca --modules tavor_lookup --append page_poison=1 \
	--results "$work/results" -- bash -c '
	. tools/testing/vm/guest/test.bash
	affinity() {
		sed -nE "s|^ *([0-9]+):.*mthca-$1@.*|/proc/irq/\1/smp_affinity_list|p" \
			/proc/interrupts
	}
	echo 0 >"$(affinity comp)"
	echo 1 >"$(affinity cmd)"
	ibv_devinfo >/dev/null
	last=$(model "{\"cmd\":\"objects\",\"kind\":\"cqs\"}" | grep -oE "\"cqn\":[0-9]+" |
		sed "s/.*://" | sort -n | tail -n 1)
	echo "the last CQ is $last"
	taskset -pc 1 $$
	rmmod tavor_lookup
	load_own tavor_lookup fillers=$((512 - (last & 65535) - 2))
	rmmod tavor_lookup'
grep -qE 'RIP.*mthca_cq_completion' "$work/results/console.log"
result $? "it calls what it has found in a page that has been freed"
echo "1..2"
