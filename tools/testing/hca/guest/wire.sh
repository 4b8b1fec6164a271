#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --driver mthca --sm
# Kernels: 6.12
# Timeout: 600
# Guest: own
# Level: ci
#
# Tests faults of a cable, and the effect of management keys and address ranges on a port. By hand:
#   tools/testing/vm/run --driver mthca --sm -- tools/testing/hca/guest/wire.sh

# shellcheck disable=SC2317 # the tests are called by name
# shellcheck source=SCRIPTDIR/../../interop/fabric.bash
. "$(dirname "$0")/../../interop/fabric.bash"

KEY=0x1122334455667788

faults_so_far() {
	model '{"cmd":"stats","hca":0}' | sed -nE 's/.*"wire-fault":([0-9]+).*/\1/p'
}

# The faults are removed when the test ends in any way.
with_faults() {
	local fault
	trap 'model_set 0 packet_fault ""' EXIT
	faults_so_far >"$TEST_DIR/faults"
	for fault; do
		model_set 0 packet_fault "$fault"
	done
}

faults_hit() {
	local before=0 now
	[ ! -s "$TEST_DIR/faults" ] || before=$(<"$TEST_DIR/faults")
	now=$(faults_so_far)
	echo "$before faults before, ${now:-0} now"
	[ "${now:-0}" -gt "$before" ] || fail "no packet was hit"
}

test_rc_survives_loss() {
	with_faults drop,prob=0.02
	pair "ibv_rc_pingpong -c -n 100" "ibv_rc_pingpong -c -n 100"
	faults_hit
}

test_rc_survives_duplicates_and_reordering() {
	with_faults dup,prob=0.03 reorder,prob=0.03,time=1ms delay,prob=0.02,time=500us
	pair "ibv_rc_pingpong -c -n 100" "ibv_rc_pingpong -c -n 100"
	faults_hit
}

test_rc_survives_corruption() {
	with_faults corrupt,prob=0.01 damage,prob=0.01
	pair "ibv_rc_pingpong -c -n 100 -i 1" "ibv_rc_pingpong -c -n 100 -i 2"
	faults_hit
}

test_corruption_is_counted_by_the_port_that_sees_it() {
	perfquery -P 1 -R "$(lid 2)" 2
	with_faults corrupt,port=1,count=3,vl=0
	pair "ibv_rc_pingpong -c -n 20 -i 2" "ibv_rc_pingpong -c -n 20 -i 1"
	query '^PortRcvErrors:\.*3$' perfquery -P 1 "$(lid 2)" 2
	matches '^SymbolErrorCounter:\.*3$'
	perfquery -P 1 -R "$(lid 2)" 2
}

test_pulled_cable_is_seen_and_comes_back() {
	model_set 0 unplug 1
	until_true 10 port_is DOWN 1 "$(device)"
	port_is DOWN 2 "$(device)"
	[ "$(port_file 1 phys_state)" = "2: Polling" ]
	model_set 0 unplug ""
	until_true 60 port_is ACTIVE 1 "$(device)"
	until_true 60 port_is ACTIVE 2 "$(device)"
	query '^LinkDownedCounter:\.*[1-9]' perfquery -P 1 "$(lid 2)" 2
	perfquery -P 1 -R "$(lid 2)" 2
}

test_model_shows_its_ports() {
	model '{"cmd":"objects","hca":0}' >"$TEST_DIR/query"
	matches '"ports":.*"state":"active".*"cable":"port 0.2"'
}

test_opensm_finds_no_fault() {
	absent ' ERR |ERRORS' /results/opensm-*.log
}

four_lids() {
	[ "$(port_file 1 lid_mask_count)" = 2 ] && port_is ACTIVE 1 "$(device)" &&
		port_is ACTIVE 2 "$(device)"
}

# From here on opensm uses an M_Key and four LIDs per port. Without force_log_flush, "SUBNET UP" may
# wait in a buffer: opensm flushes it only if its first sweep as the master succeeded.
managed_with_key() {
	sm_away
	rm -f /results/keyed.log
	cat >/run/opensm.conf <<-X
		m_key $KEY
		m_key_protection_level 2
		m_key_lease_period 60
		lmc 2
		force_log_flush TRUE
	X
	mkdir -p /var/cache/opensm
	setsid opensm -B -F /run/opensm.conf -f /results/keyed.log >/dev/null
	until_true 60 grep -q 'SUBNET UP' /results/keyed.log
	until_true 60 four_lids
}

test_opensm_sets_key_and_lmc() {
	managed_with_key
	query '^ProtectBits:\.*2' smpquery -y "$KEY" portinfo "$(lid 2)" 2
	matches '^LMC:\.*2'
	matches '^MkeyLeasePeriod:\.*60'
}

test_wrong_key_gets_no_answer_but_a_trap() {
	if smpquery -t 300 -y 0x55 portinfo "$(lid 2)" 2; then
		fail "a wrong key was accepted"
	fi
	until_true 20 grep -q 'num:256 (Bad M_Key)' /results/keyed.log
	query '^MkeyViolations:\.*[1-9]' smpquery -y "$KEY" portinfo "$(lid 2)" 2
}

test_every_lid_of_the_range_answers() {
	local offset
	for offset in 0 1 2 3; do
		query '^NodeType' smpquery -y "$KEY" nodeinfo $(($(lid 2) + offset))
	done
}

test_traffic_in_a_range_of_lids() {
	pair "ibv_rc_pingpong -c -n 50 -i 1" "ibv_rc_pingpong -c -n 50 -i 2"
	pair "ibv_ud_pingpong -n 50 -i 1" "ibv_ud_pingpong -n 50 -i 1"
}

test_keyed_opensm_finds_no_fault() {
	pkill -x opensm
	absent ' ERR |ERRORS' /results/keyed.log
}

run_tests "$@"
