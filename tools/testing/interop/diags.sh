#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Timeout: 1200
# Level: all
# Runs: guest --driver mthca --sm
# Runs: guest --driver tavor --sm
#
# Tests infiniband-diags on one HCA with a cable between its ports: the replies of the subnet and
# performance management agents, and that the counters count. With ib_mthca it tests the HCA model.
# By hand:
#   tools/testing/vm/run --driver tavor --sm -- tools/testing/interop/diags.sh [test_NAME...]

# shellcheck source=SCRIPTDIR/../vm/guest/query.bash
. "$(dirname "$0")/../vm/guest/query.bash"
# shellcheck source=SCRIPTDIR/opensm_log.bash
. "$(dirname "$0")/opensm_log.bash"

# counter PORT NAME: one counter as perfquery reads it
counter() {
	perfquery -C "$(device)" -P "$1" "$(lid "$1")" "$1" | sed -n "s/^$2:\.*//p"
}

test_smpquery_nodeinfo() {
	query '^NodeType:\.*Channel Adapter' smpquery -C "$(device)" -P 1 nodeinfo "$(lid 1)"
	grep -qE '^NumPorts:\.*2$' "$TEST_DIR/query"
	grep -qE '^DevId:\.*0x5a44$' "$TEST_DIR/query"
	grep -qE '^LocalPort:\.*1$' "$TEST_DIR/query"
	query '^LocalPort:\.*2$' smpquery -C "$(device)" -P 1 nodeinfo "$(lid 2)"
}

test_smpquery_nodedesc() {
	query '^Node Description:\.*.+' smpquery -C "$(device)" -P 1 nodedesc "$(lid 1)"
}

test_smpquery_nodedesc_follows_what_is_written() {
	echo "guest under test" >"/sys/class/infiniband/$(device)/node_desc"
	query '^Node Description:\.*guest under test' smpquery -C "$(device)" -P 1 nodedesc \
		"$(lid 2)"
}

test_smpquery_portinfo() {
	local port
	for port in 1 2; do
		query "^Lid:\.*$(lid $port)$" smpquery -C "$(device)" -P 1 portinfo \
			"$(lid $port)" $port
		grep -qE '^LinkState:\.*Active$' "$TEST_DIR/query"
		grep -qE '^PhysLinkState:\.*LinkUp$' "$TEST_DIR/query"
		grep -qE '^LinkWidthActive:\.*4X$' "$TEST_DIR/query"
		grep -qE '^LinkSpeedActive:\.*2\.5 Gbps' "$TEST_DIR/query"
		grep -qE '^NeighborMTU:\.*2048$' "$TEST_DIR/query"
	done
}

test_smpquery_pkeys() {
	query '0xffff' smpquery -C "$(device)" -P 1 pkeys "$(lid 1)"
	grep -q '^64 pkeys capacity for this port' "$TEST_DIR/query"
	# The port is in the attribute modifier, where a channel adapter must ignore it.
	query '0xffff' smpquery -C "$(device)" -P 1 pkeys "$(lid 1)" 1
	query '0xffff' smpquery -C "$(device)" -P 1 pkeys "$(lid 1)" 2
}

test_smpquery_guidinfo() {
	query '0x[0-9a-f]{16}' smpquery -C "$(device)" -P 1 guidinfo "$(lid 2)"
}

test_smpquery_sl2vl_and_vlarb() {
	query '\|' smpquery -C "$(device)" -P 1 sl2vl "$(lid 1)" 1
	query 'VL' smpquery -C "$(device)" -P 1 vlarb "$(lid 1)" 1
}

test_smpquery_by_directed_route_over_the_cable() {
	query '^LocalPort:\.*2$' smpquery -C "$(device)" -P 1 -D nodeinfo 0,1
	query "^Lid:\.*$(lid 2)$" smpquery -C "$(device)" -P 1 -D portinfo 0,1 2
}

test_a_port_that_does_not_exist_is_not_answered() {
	if smpquery -C "$(device)" -P 1 -t 200 portinfo "$(lid 1)" 3; then
		fail "port 3 of 2 was answered"
	fi
}

test_smpdump() {
	query '^[0-9a-f ]{16,}' smpdump -C "$(device)" -P 1 "$(lid 1)" 0x11
}

test_ibaddr() {
	query "LID start 0x0*$(printf %x "$(lid 1)") end" ibaddr -C "$(device)" -P 1
}

test_sminfo() {
	query 'SMINFO_MASTER' sminfo -C "$(device)" -P 1
}

test_saquery() {
	query 'node_type\.*Channel Adapter' saquery -C "$(device)" -P 1 NR
	query 'port_state\.*\(?0x0*4|port_state\.*Active|PortInfoRecord' \
		saquery -C "$(device)" -P 1 PIR
	query 'PathRecord' saquery -C "$(device)" -P 1 -p
}

test_ibnetdiscover() {
	query '^Ca[[:space:]]+2 "H-[0-9a-f]{16}"' ibnetdiscover -C "$(device)" -P 1
	grep -qE '^\[1\]\([0-9a-f]+\).*"H-[0-9a-f]{16}"\[2\]' "$TEST_DIR/query"
	grep -qE '4xSDR' "$TEST_DIR/query"
}

test_ibnetdiscover_lists_nodes_and_links() {
	query '^Ca.* ports 2 devid 0x5a44 vendid 0x2c9' ibnetdiscover -C "$(device)" -P 1 -l
	query '^CA .* 4x SDR - CA ' ibnetdiscover -C "$(device)" -P 1 -p
	ibnetdiscover -C "$(device)" -P 1 --cache "$TEST_DIR/cache"
	ibnetdiscover -C "$(device)" -P 1 --diff "$TEST_DIR/cache" >"$TEST_DIR/query"
	absent '^[<>]' "$TEST_DIR/query"
}

test_ibhosts_ibnodes_ibswitches_ibrouters() {
	query '^Ca[[:space:]]*: 0x[0-9a-f]{16} ports 2' ibhosts -C "$(device)" -P 1
	query '^Ca[[:space:]]*: 0x[0-9a-f]{16} ports 2' ibnodes -C "$(device)" -P 1
	[ -z "$(ibswitches -C "$(device)" -P 1)$(ibrouters -C "$(device)" -P 1)" ]
}

test_ibstatus() {
	query 'state:[[:space:]]*4: ACTIVE' ibstatus "$(device):1"
	grep -qE 'rate:[[:space:]]*10 Gb/sec \(4X SDR\)' "$TEST_DIR/query"
	query 'phys state:[[:space:]]*5: LinkUp' ibstatus "$(device):2"
}

test_ibidsverify() {
	ibidsverify >"$TEST_DIR/query"
	absent 'error|duplicate|zero' "$TEST_DIR/query"
}

test_iblinkinfo() {
	query '4X +2\.5 Gbps.*Active/ +LinkUp' iblinkinfo -C "$(device)" -P 1
}

test_ibportstate() {
	query '^LinkState:\.*Active' ibportstate -C "$(device)" -P 1 "$(lid 1)" 1 query
}

test_ibtracert() {
	query "$(lid 1)-$(lid 1)|From ca" ibtracert -C "$(device)" -P 1 "$(lid 1)" "$(lid 2)"
}

test_perfquery() {
	query '^PortXmitData:\.*[0-9]+' perfquery -C "$(device)" -P 1
	query '^SymbolErrorCounter:\.*0$' perfquery -C "$(device)" -P 1 "$(lid 2)" 2
}

test_perfquery_of_all_ports_and_samples() {
	query '^PortSelect:\.*255' perfquery -C "$(device)" -P 1 -a "$(lid 1)"
	query '^CounterWidth:\.*4' perfquery -C "$(device)" -P 1 --smplctl "$(lid 1)" 1
}

# This generation of HCAs has no extended counters.
test_perfquery_is_told_that_there_are_no_extended_counters() {
	refused 'No extended counter support indicated' perfquery -C "$(device)" -P 1 -x \
		"$(lid 1)" 1
	refused 'failed: ' perfquery -C "$(device)" -P 1 --xmtdisc "$(lid 1)" 1
}

test_port_counters_count_traffic_in_both_directions() {
	local port sent received
	perfquery -C "$(device)" -P 1 -R "$(lid 1)" 1
	perfquery -C "$(device)" -P 1 -R "$(lid 2)" 2
	pair "ibv_rc_pingpong -c -s 4096 -n 100 -i 2" "ibv_rc_pingpong -c -s 4096 -n 100 -i 1"
	# 100 messages of 4096 bytes each way: at least 100 * 4096 / 4 words, at most a third more
	for port in 1 2; do
		sent=$(counter $port PortXmitData)
		received=$(counter $port PortRcvData)
		echo "port $port: sent $sent words, received $received"
		[ "$sent" -ge 102400 ] && [ "$sent" -le 140000 ] ||
			fail "port $port sent $sent words"
		[ "$received" -ge 102400 ] && [ "$received" -le 140000 ] ||
			fail "port $port received $received words"
		[ "$(counter $port PortXmitPkts)" -ge 200 ]
		[ "$(counter $port PortRcvPkts)" -ge 200 ]
	done
}

test_port_counters_are_cleared_on_request() {
	pair "ibv_rc_pingpong -s 65536 -n 20 -i 2" "ibv_rc_pingpong -s 65536 -n 20 -i 1"
	[ "$(counter 1 PortXmitData)" -ge 327680 ]
	perfquery -C "$(device)" -P 1 -R "$(lid 1)" 1
	[ "$(counter 1 PortXmitData)" -lt 20000 ] ||
		fail "after a reset: $(counter 1 PortXmitData) words"
}

test_counters_read_and_cleared_at_once() {
	query '^PortXmitPkts:\.*[1-9]' perfquery -C "$(device)" -P 1 -r "$(lid 1)" 1
	[ "$(counter 1 PortXmitPkts)" -lt 100 ] ||
		fail "after a reset: $(counter 1 PortXmitPkts) packets"
}

test_sysfs_counters_agree_with_perfquery() {
	local sysfs agent
	sysfs=$(port_file 1 counters/port_xmit_data)
	agent=$(counter 1 PortXmitData)
	# perfquery itself sends some packets.
	[ $((agent - sysfs)) -ge 0 ] && [ $((agent - sysfs)) -lt 2000 ] ||
		fail "sysfs $sysfs, agent $agent"
	[ "$(port_file 1 counters/symbol_error)" = 0 ]
	[ "$(port_file 1 counters/link_downed)" = 0 ]
}

test_smpquery_asks_an_hca_for_what_a_switch_has() {
	refused 'switch info query failed' smpquery -C "$(device)" -P 1 -t 200 switchinfo "$(lid 1)"
	refused 'ibroute: ' ibroute -C "$(device)" -P 1 "$(lid 1)"
}

# Without its SM_Key, opensm reports no P_Keys and logs the query as an error.
test_saquery_knows_every_record() {
	local sa
	sa=(saquery -C "$(device)" -P 1)
	query 'Capability mask' "${sa[@]}" CPI
	[ "$("${sa[@]}" LR | grep -c '^LinkRecord')" = 2 ]
	query 'SMState\.*3' "${sa[@]}" SMIR
	query '^SL2VLTableRecord' "${sa[@]}" SL2VL
	query '^VLArbTableRecord' "${sa[@]}" VLAR
	query '^GUIDInfo Record' "${sa[@]}" GIR
	query '^MCMember Record' "${sa[@]}" MCMR
	query '0xFFFF|0xffff' "${sa[@]}" --smkey 1 PKTR
	query "dlid\.*$(lid 2)$" "${sa[@]}" -p --src-to-dst "$(lid 1):$(lid 2)"
	query 'IsSM ports' "${sa[@]}" -s
	"${sa[@]}" SR
	"${sa[@]}" IIR
}

test_ibsysstat() {
	ibsysstat -S -C "$(device)" -P 2 &
	sleep 1
	query 'sysstat ping succeeded' ibsysstat -C "$(device)" -P 1 "$(lid 2)"
	query '^cpu 0: model' ibsysstat -C "$(device)" -P 1 "$(lid 2)" cpu
}

test_ibqueryerrors_finds_none() {
	[ "$(ibqueryerrors -C "$(device)" -P 1 --counters | grep -c 'PortXmitData ==')" = 2 ]

	ibqueryerrors -C "$(device)" -P 1 | tee "$TEST_DIR/errors"
	grep -qE '^## Summary: [0-9]+ nodes checked, 0 bad nodes found' "$TEST_DIR/errors"
}

# Last, since it covers all queries above.
test_opensm_reports_no_error() {
	opensm_has_no_error
}

run_tests "$@"
