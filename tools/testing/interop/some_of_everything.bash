#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Sends a little traffic of each transport between the ports, for the capture tests.

# shellcheck source=SCRIPTDIR/../vm/guest/test.bash
. "$(dirname "$0")/../vm/guest/test.bash"

test_traffic_of_every_transport() {
	local name
	for name in rc uc ud; do
		pair "ibv_${name}_pingpong -n 50 -s 512 -i 2" \
			"ibv_${name}_pingpong -n 50 -s 512 -i 1"
	done
	for name in rc uc; do
		pair "ibv_${name}_pingpong -n 10 -s 8000 -i 2" \
			"ibv_${name}_pingpong -n 10 -s 8000 -i 1"
	done
	pair "ibv_srq_pingpong -n 50 -s 512 -i 2" "ibv_srq_pingpong -n 50 -s 512 -i 1"
	ibnetdiscover
	perfquery
}

run_tests "$@"
