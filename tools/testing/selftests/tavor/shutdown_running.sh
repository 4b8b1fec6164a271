#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Timeout: 900
# Runs: host
# As: memory
# Level: ci
# Runs: host TRAFFIC=ipoib
# As: ipoib
# Level: all
# Runs: host DRIVER=mthca
# As: mthca
# Level: all
#
# Tests that an HCA does not write to memory after the shutdown of its driver. The machine is
# switched off while the HCA writes to the memory of another one, or while IPoIB carries traffic
# between its ports. The kernel shuts the IOMMU down after the devices, so the model records a stray
# write as a violation, which fails the run. The packets that the model drops because it cannot
# write show that there is traffic. ib_mthca has no shutdown function, so its HCA writes.

cd "$(dirname "$0")/../../vm" || exit 1
# shellcheck source=SCRIPTDIR/../../vm/lib/try.bash
. lib/try.bash

echo "TAP version 13"
DRIVER=${DRIVER:-tavor}

# After a command that fails, the bench leaves the driver loaded and background processes running.
# off_under WHAT OPTION... -- COMMAND...: COMMAND starts the traffic and ends with status 7
off_under() {
	local what=$1 end="nothing goes astray" last="status 7"
	shift
	if [ "$DRIVER" = mthca ]; then
		end="ib_mthca lets it go astray"
		last='of the hardware interface.*dma-unmapped'
	fi
	try "the machine is switched off under $what, and $end" 7 "$last" \
		--driver "$DRIVER" --sm --iommu "$@"
}

under_ipoib() {
	# shellcheck disable=SC2016 # for the shell in the guest
	off_under "IPoIB with traffic" --packages iperf3 -- bash -c '
		. tools/testing/interop/ipoib_ports.bash
		set_up
		sent=/sys/class/net/$NEAR/statistics/tx_packets
		before=$(cat "$sent")
		far iperf3 -s -D
		until_true 20 far_listening 5201
		setsid iperf3 -c "$THERE" -t 3600 >/tmp/transfer 2>&1 &
		flows() {
			[ "$(cat "$sent")" -gt $((before + 200)) ]
		}
		until_true 30 flows || exit 1
		exit 7'
	echo "1..1"
}

# The HCA that is written to is the second one, because it is shut down first.
under_writes() {
	# shellcheck disable=SC2016 # for the shell in the guest
	off_under "traffic" --hcas 2 --hca cable=0.1-1.1,0.2-1.2 --results "$work/results" -- \
		bash -c '
		setsid build/guest/tavor/pour second >/tmp/pour 2>&1 &
		for _ in $(seq 300); do
			! grep -q "pouring into" /tmp/pour || exit 7
			sleep 0.1
		done
		exit 1'
	if [ "$DRIVER" = mthca ]; then
		echo "1..1"
		return
	fi
	grep '"summary"' "$work/results/hca-report.jsonl" |
		sed 's/.*{"hca":1/{"hca":1/' >"$work/out"
	# It is a matter of timing how soon the machine goes off after the driver's shutdown.
	if grep -qE '"port-rx-dropped":[1-9]' "$work/out"; then
		result 0 "there was more to write"
	else
		echo "ok 2 there was more to write # SKIP no packet came after the shutdown"
	fi
	echo "1..2"
}

if [ "${TRAFFIC:-}" = ipoib ]; then
	under_ipoib
else
	under_writes
fi
