#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --driver mthca --sm --hcas 2 --hca cable=switch --packages "iperf3 fio"
# Timeout: 600
# Level: ci
#
# Tests a part of switch.sh in a minute: opensm finds and routes the switch, and traffic passes. By
# hand:
#   tools/testing/vm/run --driver mthca --sm --hcas 2 --hca cable=switch \
#     --packages "iperf3 fio" -- tools/testing/interop/switch_short.sh

# shellcheck source=SCRIPTDIR/switch.bash
. "$(dirname "$0")/switch.bash"

[ $# != 0 ] || set -- test_all_four_ports_are_active \
	test_ibnetdiscover_shows_the_switch_and_both_hcas \
	test_routes_lead_to_every_lid test_smpquery_of_the_switch \
	test_switch_counts_what_passes_and_clears_on_request test_rc_between_the_hcas \
	test_ud_between_the_hcas test_ipoib_between_the_hcas test_the_interfaces_go \
	test_opensm_reports_no_error
run_tests "$@"
