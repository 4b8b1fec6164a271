#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Timeout: 1200
# Level: all
# Runs: guest --driver mthca --sm --hcas 2 --hca cable=0.1-1.1,0.2-1.2
# Runs: guest --driver tavor --sm --hcas 2 --hca cable=0.1-1.1,0.2-1.2
#
# Tests two HCAs with two cables between them: two subnets of two nodes without a switch, each with
# its own opensm. By hand, with either driver:
#   tools/testing/vm/run --driver tavor --sm --hcas 2 --hca cable=0.1-1.1,0.2-1.2 -- \
#     tools/testing/interop/two_hcas.sh [test_NAME...]

# shellcheck disable=SC2317 # the tests are called by name
# shellcheck source=SCRIPTDIR/fabric.bash
. "$(dirname "$0")/fabric.bash"

TEST_SECONDS=300

# peer DEVICE: the other HCA
peer() {
	rdma_devices | grep -vx "$1"
}

# with PORT COMMAND...: runs the command on that port of the first HCA
with() {
	local port=$1 program=$2
	shift 2
	"$program" -C "$(hca 1)" -P "$port" "$@"
}

# far_lid PORT: the LID of the other HCA's port
far_lid() {
	lid "$1" "$(peer "$(hca 1)")"
}

test_both_subnets_are_up() {
	all_active 1 2
	[ "$(find /results -name 'opensm-*.log' | wc -l)" = 2 ]
}

test_each_subnet_has_both_hcas_and_a_manager() {
	local port
	for port in 1 2; do
		# A packet that the kernel sends before its port is active is discarded and counted.
		with $port ibqueryerrors -k -K >/dev/null || :
		query "\"H-[0-9a-f]{16}\"\\[$port\\] \\([0-9a-f]+\\).*4xSDR" with $port \
			ibnetdiscover
		[ "$(grep -c '^Ca' "$TEST_DIR/query")" = 2 ]
		[ "$(with $port ibhosts | grep -c '^Ca')" = 2 ]
		[ "$(with $port iblinkinfo -l | grep -c 'Active/ *LinkUp')" = 2 ]
		query 'SMINFO_MASTER' with $port sminfo
		query ' 0 ports have errors' with $port ibqueryerrors
		query '^To ca' with $port ibtracert "$(lid $port "$(hca 1)")" "$(far_lid $port)"
	done
}

test_queries_of_the_other_hca() {
	local port
	for port in 1 2; do
		query "^PortGuid:\\.*$(port_guid $port "$(hca 2)")" with $port smpquery nodeinfo \
			"$(far_lid $port)"
		query "^Lid:\\.*$(far_lid $port)$" with $port smpquery -D portinfo 0,$port $port
		query '^LinkState:\.*Active' with $port ibportstate "$(far_lid $port)" $port query
		query '0xffff' with $port smpquery pkeys "$(far_lid $port)" $port
		query 'node_type\.*Channel Adapter' with $port saquery NR
		[ "$(with $port saquery NR | grep -c '^NodeRecord')" = 2 ]
	done
}

# words PORT NAME: a data counter of the other HCA's port
words() {
	with "$1" perfquery "$(far_lid "$1")" "$1" | sed -n "s/^$2:\\.*//p"
}

test_counters_of_the_other_hca() {
	local name
	with 2 perfquery -R "$(far_lid 2)" 2
	[ "$(words 2 PortXmitData)" -lt 20000 ]
	pair "ibv_rc_pingpong -d $(hca 2) -i 2 -s 4096 -n 100" \
		"ibv_rc_pingpong -d $(hca 1) -i 2 -s 4096 -n 100"
	for name in PortXmitData PortRcvData; do
		[ "$(words 2 $name)" -ge 102400 ] && [ "$(words 2 $name)" -le 160000 ] ||
			fail "$name: $(words 2 $name)"
	done
}

test_pingpongs_on_both_cables() {
	local port name
	for port in 1 2; do
		for name in rc uc ud srq; do
			pair "ibv_${name}_pingpong -c -d $(hca 2) -i $port -n 100" \
				"ibv_${name}_pingpong -c -d $(hca 1) -i $port -n 100"
		done
	done
}

test_ibping() {
	ibping -S -C "$(hca 2)" -P 2 &
	sleep 0.5
	query ' 0% packet loss' with 2 ibping -c 5 -f "$(far_lid 2)"
}

test_a_pulled_cable_takes_one_subnet_down_and_back() {
	trap 'model_set 0 unplug ""' EXIT
	model_set 0 unplug 2
	until_true 20 port_is DOWN 2 "$(hca 1)"
	until_true 20 port_is DOWN 2 "$(hca 2)"
	port_is ACTIVE 1 "$(hca 1)"
	model_set 0 unplug ""
	until_true 60 port_is ACTIVE 2 "$(hca 1)"
	until_true 60 port_is ACTIVE 2 "$(hca 2)"
	pair "ibv_rc_pingpong -c -d $(hca 2) -i 2 -n 100" \
		"ibv_rc_pingpong -c -d $(hca 1) -i 2 -n 100"
}

test_opensms_report_no_error() {
	opensm_has_no_error
}

run_tests "$@"
