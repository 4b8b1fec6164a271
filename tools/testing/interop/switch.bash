# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
# shellcheck shell=bash
#
# Tests of two HCAs whose four ports are on a modelled switch: opensm must find the switch, assign
# its LID and route it, and infiniband-diags must show it. switch.sh runs all of them,
# switch_short.sh some.

# shellcheck disable=SC2317 # the tests are called by name
# shellcheck source=SCRIPTDIR/fabric.bash
. "$(dirname "${BASH_SOURCE[0]}")/fabric.bash"
# shellcheck source=SCRIPTDIR/ipoib_pair.bash
. "$(dirname "${BASH_SOURCE[0]}")/ipoib_pair.bash"

TEST_SECONDS=300

# the_switch: its GUID and LID, which do not change. They are queried only once, since each query
# walks the whole fabric.
the_switch() {
	[ -s /run/switch ] ||
		ibswitches -C "$(near)" -P 1 |
		sed -nE 's/.*(0x[0-9a-f]{16}).* lid ([0-9]+) .*/\1 \2/p' >/run/switch
	cat /run/switch
}

switch_lid() {
	the_switch | cut -d' ' -f2
}

switch_guid() {
	the_switch | cut -d' ' -f1
}

switch_port() {
	iblinkinfo -C "$(near)" -P 1 --switches-only | grep -E " +$(switch_lid) +$1\["
}

# Kernels number devices as they come up. The near HCA is the one whose port 1 has the subnet
# manager; infiniband-diags runs on it. The other one is the far HCA.
near() {
	local name
	for name in "$(hca 1)" "$(hca 2)"; do
		[ "$(lid 1 "$name")" != "$(($(port_file 1 sm_lid "$name")))" ] || echo "$name"
	done
}

distant() {
	rdma_devices | grep -vx "$(near)"
}

# model_number DEVICE: the model counts its HCAs in the third byte from the end of their GUIDs
model_number() {
	local guid
	guid=$(tr -d : <"/sys/class/infiniband/$1/node_guid")
	echo $(((0x$guid >> 8 & 255) - 1))
}

# The switch port that port 1 of the far HCA is connected to
far_switch_port() {
	echo $((2 * $(model_number "$(distant)") + 1))
}

test_all_four_ports_are_active() {
	all_active 1 2
	[ "$(ibstatus | grep -c 'state:.*4: ACTIVE')" = 4 ]
	[ "$(ibstat | grep -c 'State: Active')" = 4 ]
}

test_opensm_finds_no_fault() {
	opensm_has_no_error
}

test_ibnetdiscover_shows_the_switch_and_both_hcas() {
	query '^Switch[[:space:]]+8 "S-' ibnetdiscover
	[ "$(grep -c '^Ca' "$TEST_DIR/query")" = 2 ]
	matches '^\[4\].*\[2\].*4xSDR'
}

test_ibnetdiscover_lists_nodes_and_links() {
	query '^Switch.* ports 8 devid 0xa87c' ibnetdiscover -l
	[ "$(grep -c '^Ca.* ports 2 devid 0x5a44' "$TEST_DIR/query")" = 2 ]
	query '^CA .* 4x SDR - SW ' ibnetdiscover -p
	[ "$(grep -c '^CA .* 4x SDR - SW ' "$TEST_DIR/query")" = 4 ]
	[ "$(grep -c '^SW .* 4x SDR - CA ' "$TEST_DIR/query")" = 4 ]
}

test_ibnetdiscover_finds_no_difference_to_itself() {
	ibnetdiscover --cache "$TEST_DIR/cache"
	ibnetdiscover --diff "$TEST_DIR/cache" >"$TEST_DIR/query"
	absent '^[<>]' "$TEST_DIR/query"
}

test_ibnodes_ibhosts_ibswitches_ibrouters() {
	[ "$(ibnodes | grep -c ports)" = 3 ]
	[ "$(ibhosts | grep -c '^Ca.* ports 2 ')" = 2 ]
	query '^Switch.* ports 8 "Switch model 0" base port 0 lid [1-9]' ibswitches
	[ -z "$(ibrouters)" ]
}

test_iblinkinfo_shows_used_and_free_ports() {
	iblinkinfo
	switch_port 4 | grep -q 'Active/ *LinkUp'
	switch_port 5 | grep -q 'Down/ *Polling'
	[ "$(iblinkinfo -l | grep -c 'Active/ *LinkUp')" = 8 ]
	[ "$(iblinkinfo -d | grep -c 'Down/ *Polling')" = 4 ]
}

test_routes_lead_to_every_lid() {
	query 'valid lids dumped' ibroute "$(switch_lid)"
	[ "$(grep -cE '^0x[0-9a-f]+ 00[0-4]' "$TEST_DIR/query")" = 5 ]
	query '^5 valid lids dumped' ibroute -n "$(switch_lid)"
	query '^0x0000 255 .*illegal port' ibroute -a "$(switch_lid)"
}

# Every pair of the HCAs' ports, always through the switch
test_ibtracert_from_each_port_to_each_other() {
	local from to
	for from in 1 2; do
		for to in 1 2; do
			query "^\[$from\] -> switch port" \
				ibtracert "$(lid "$from" "$(hca 1)")" "$(lid "$to" "$(hca 2)")"
			matches "^\[[1-4]\] -> ca port .*\[$to\] lid $(lid "$to" "$(hca 2)")-"
			matches '^To ca .*portnum'
		done
	done
	query '^To switch .* portnum 0 lid' ibtracert "$(lid 1 "$(hca 1)")" "$(switch_lid)"
	query '^To ca ' ibtracert -G "$(port_guid 1 "$(hca 1)")" "$(port_guid 2 "$(hca 2)")"
}

test_dump_fts_and_what_reads_it() {
	query '^5 valid lids dumped' dump_fts
	cp "$TEST_DIR/query" "$TEST_DIR/lfts"
	query 'valid mlids dumped' dump_fts -M
	ibnetdiscover --cache "$TEST_DIR/cache"
	check_lft_balance -l "$TEST_DIR/lfts" -i "$TEST_DIR/cache"
	ibidsverify >"$TEST_DIR/query"
	cat "$TEST_DIR/query"
	absent 'error|duplicate|zero' "$TEST_DIR/query"
	query 'Tavor HCA model|"guest|via' ibfindnodesusing "$(switch_guid)" 1
}

test_switchinfo_by_lid_and_by_directed_route() {
	query '^McastFdbCap:\.*1024' smpquery switchinfo "$(switch_lid)"
	query '^LinearFdbCap:\.*49152' smpquery -D switchinfo 0,1
	query '^NodeType:\.*Switch' smpquery -D nodeinfo 0,1
	query '^NodeType:\.*Channel Adapter' smpquery -D nodeinfo 0,1,3
	refused 'switch info query failed' smpquery -t 200 switchinfo "$(lid 1 "$(hca 1)")"
}

test_queries_begin_with_a_lid_and_go_on_by_directed_route() {
	query '"Tavor HCA model|"guest' iblinkinfo -S "$(switch_guid)"
	absent 'not available' "$TEST_DIR/query"
	query "^PortGuid:\.*$(port_guid 1 "$(hca 2)")" smpquery -c nodeinfo "$(switch_lid)" \
		0,$((2 * $(model_number "$(hca 2)") + 1))
}

test_smpquery_of_the_switch() {
	query '^NodeType:\.*Switch' smpquery nodeinfo "$(switch_lid)"
	matches '^NumPorts:\.*8$'
	query "^Guid:\.*$(switch_guid)" smpquery -G nodeinfo "$(switch_guid)"
	query '^Node Description:\.*Switch model 0' smpquery nodedesc "$(switch_lid)"
	query "^Lid:\.*$(switch_lid)$" smpquery portinfo "$(switch_lid)" 0
	query '^LinkState:\.*Active' smpquery portinfo "$(switch_lid)" 1
	query '^LinkState:\.*Down' smpquery portinfo "$(switch_lid)" 5
	refused 'port info query failed' smpquery portinfo "$(switch_lid)" 9
	query '0xffff' smpquery pkeys "$(switch_lid)" 0
	query '^0 pkeys capacity' smpquery pkeys "$(switch_lid)" 1
	query '^1 guids capacity' smpquery guidinfo "$(switch_lid)"
	query 'in  8, out  1:' smpquery sl2vl "$(switch_lid)" 1
	query '^VL ' smpquery vlarb "$(switch_lid)" 1
	query '^# VLArbitration tables' smpquery vlarb "$(lid 2 "$(hca 2)")" 2
}

test_smpdump_ibaddr() {
	query '^0101 0208' smpdump "$(switch_lid)" 0x11
	query '^0101 0102' smpdump -D 0,1,3 0x11
	query "LID start 0x0*$(printf %x "$(switch_lid)") " ibaddr "$(switch_lid)"
	query "LID start 0x0*$(printf %x "$(switch_lid)") " ibaddr -G "$(switch_guid)"
	query 'LID start' ibaddr -C "$(hca 2)" -P 2
}

# Without its SM_Key, opensm reports no P_Keys and logs the query as an error.
test_saquery_knows_every_record() {
	query 'Capability mask' saquery CPI
	query 'node_type\.*Switch' saquery NR
	[ "$(saquery PIR | grep -c '^PortInfoRecord')" = 13 ]
	[ "$(saquery LR | grep -c '^LinkRecord')" = 8 ]
	query "^[[:space:]]+LID\.*$(switch_lid)$" saquery LFTR
	query 'LinearFDBCap\.*0xC000' saquery SWIR
	query 'SMState\.*3' saquery SMIR
	query '^SL2VLTableRecord' saquery SL2VL
	query '^VLArbTableRecord' saquery VLAR
	query '^GUIDInfo Record' saquery GIR
	query '^MCMember Record' saquery MCMR
	query '0xFFFF|0xffff' saquery --smkey 1 PKTR
	query "dlid\.*$(lid 2 "$(hca 2)")$" saquery -p --src-to-dst \
		"$(lid 1 "$(hca 1)"):$(lid 2 "$(hca 2)")"
	matches 'mtu\.*0x84'
	matches 'rate\.*0x83'
	saquery SR && saquery IIR && saquery -m && saquery -g
	query 'IsSM ports' saquery -s
}

test_sminfo_from_either_hca() {
	local sm
	sm=$(lid 1 "$(near)")
	query "sm lid $sm .*SMINFO_MASTER" sminfo -C "$(hca 1)" -P 2
	query "sm lid $sm .*SMINFO_MASTER" sminfo -C "$(hca 2)" -P 2
	refused 'failed: query' sminfo -t 200 "$(lid 1 "$(distant)")"
}

test_ibping_and_ibsysstat_between_the_hcas() {
	ibping -S -C "$(hca 2)" -P 1 &
	ibsysstat -S -C "$(hca 2)" -P 2 &
	sleep 1
	query ' 0% packet loss' ibping -C "$(hca 1)" -P 2 -c 5 -f "$(lid 1 "$(hca 2)")"
	query ' 0% packet loss' ibping -C "$(hca 1)" -P 2 -c 5 -f -G "$(port_guid 1 "$(hca 2)")"
	query 'sysstat ping succeeded' ibsysstat -C "$(hca 1)" "$(lid 2 "$(hca 2)")"
	query '^cpu 0: model' ibsysstat -C "$(hca 1)" "$(lid 2 "$(hca 2)")" cpu
}

test_switch_has_counters() {
	query '^PortXmitPkts:\.*[1-9]' perfquery "$(switch_lid)" 1
	query '^PortSelect:\.*255' perfquery -a "$(switch_lid)"
	query '^SampleStatus:\.*0' perfquery --smplctl "$(switch_lid)" 1
	perfquery -l "$(switch_lid)" 1-4 >"$TEST_DIR/query"
	[ "$(grep -c '^# Port counters' "$TEST_DIR/query")" = 4 ]
	refused 'No extended counter support' perfquery -x "$(switch_lid)" 1
	refused 'No extended counter support' perfquery -x "$(lid 1 "$(hca 2)")" 1
}

# words PORT NAME: a data counter of the switch
words() {
	perfquery "$(switch_lid)" "$1" | sed -n "s/^$2:\.*//p"
}

# 100 messages of 4096 bytes in each direction at the switch's port of each HCA: 102400 words, and
# headers
test_switch_counts_what_passes_and_clears_on_request() {
	local port name
	perfquery -R -a "$(switch_lid)"
	[ "$(words 3 PortXmitData)" -lt 20000 ]
	pair "ibv_rc_pingpong -d $(hca 1) -i 1 -s 4096 -n 100" \
		"ibv_rc_pingpong -d $(hca 2) -i 1 -s 4096 -n 100"
	for port in 1 3; do
		for name in PortXmitData PortRcvData; do
			echo "port $port $name: $(words $port $name)"
			[ "$(words $port $name)" -ge 102400 ] &&
				[ "$(words $port $name)" -le 160000 ]
		done
	done
	[ "$(words 2 PortXmitData)" -lt 20000 ]
	perfquery -r "$(switch_lid)" 1
	[ "$(words 1 PortXmitData)" -lt 20000 ] || fail "not cleared: $(words 1 PortXmitData)"
}

test_ibqueryerrors_finds_none() {
	query ' 0 ports have errors' ibqueryerrors
	query '^## Summary: 3 nodes checked, 0 bad' ibqueryerrors --details
	[ "$(ibqueryerrors --counters | grep -c 'PortXmitData ==')" = 12 ]
}

test_ibqueryerrors_finds_what_was_corrupted_and_clears_it() {
	local port guid
	port=$((2 * $(model_number "$(hca 1)") + 1))
	trap 'model_set "$(model_number "$(hca 1)")" packet_fault ""' EXIT
	model_set "$(model_number "$(hca 1)")" packet_fault corrupt,port=1,count=3,vl=0
	pair "ibv_rc_pingpong -d $(hca 1) -i 1 -n 50" "ibv_rc_pingpong -d $(hca 2) -i 1 -n 50"
	ibqueryerrors >"$TEST_DIR/query" || :
	cat "$TEST_DIR/query"
	guid=$(switch_guid | sed 's/0x0*/0x/')
	matches "GUID $guid port $port: .*\[SymbolErrorCounter == 3\].*\[PortRcvErrors == 3\]"
	ibqueryerrors -k -K >/dev/null || :
	query ' 0 ports have errors' ibqueryerrors
}

test_ibportstate_shows_both_ends() {
	query '^Peer PortInfo' ibportstate "$(switch_lid)" 1 query
	[ "$(grep -c '^LinkState:\.*Active' "$TEST_DIR/query")" = 2 ]
	query '^CA/RT PortInfo' ibportstate "$(lid 1 "$(hca 2)")" 1 query
	query '^PhysLinkState:\.*Polling' ibportstate "$(switch_lid)" 5 query
}

# is WIDTH PORT: the switch's port is active with that width
is() {
	switch_port "$2" | grep -qE "\( *$1 .*Active/ *LinkUp"
}

# A new width takes effect when the link trains next, which "reset" makes it do.
test_ibportstate_narrows_a_link_and_widens_it_again() {
	local port
	port=$(($(far_switch_port) + 1))
	is 4X $port
	query '^LinkWidthEnabled:\.*1X$' ibportstate "$(switch_lid)" $port width 1
	ibportstate "$(switch_lid)" $port reset
	until_true 60 is 1X $port
	until_true 60 port_is ACTIVE 2 "$(distant)"
	[ "$(port_file 2 rate "$(distant)")" = "2.5 Gb/sec (1X SDR)" ]
	ibportstate "$(switch_lid)" $port width 3
	ibportstate "$(switch_lid)" $port reset
	until_true 60 is 4X $port
	until_true 60 port_is ACTIVE 2 "$(distant)"
}

test_disabled_port_takes_the_hca_down_and_back() {
	local name port
	name=$(distant)
	port=$(far_switch_port)
	query '^PhysLinkState:\.*Disabled' ibportstate -C "$(near)" "$(switch_lid)" "$port" disable
	until_true 10 port_is DOWN 1 "$name"
	switch_port "$port" | grep -q 'Down/ *Disabled'
	ibportstate -C "$(near)" "$(switch_lid)" "$port" enable
	until_true 60 port_is ACTIVE 1 "$name"
}

test_trap_about_a_lost_link_is_repressed() {
	local name traps
	name=$(distant)
	model_set "$(model_number "$name")" unplug 1
	until_true 10 port_is DOWN 1 "$name"
	model_set "$(model_number "$name")" unplug ""
	until_true 60 port_is ACTIVE 1 "$name"
	sleep 3
	traps=$(cat /results/opensm-*.log | grep -c 'num:128')
	echo "$traps traps"
	[ "$traps" -ge 1 ]
	sleep 4
	[ "$(cat /results/opensm-*.log | grep -c 'num:128')" = "$traps" ]
}

test_rc_between_the_hcas() {
	pair "ibv_rc_pingpong -c -d $(hca 1) -i 1 -n 100" \
		"ibv_rc_pingpong -c -d $(hca 2) -i 2 -n 100"
}

test_ud_between_the_hcas() {
	pair "ibv_ud_pingpong -d $(hca 1) -i 2 -n 50" "ibv_ud_pingpong -d $(hca 2) -i 1 -n 50"
}

set_up() {
	! paired || return 0
	modprobe ib_ipoib
	until_true 20 prints first_interface "$(distant)"
	pair_up "$(first_interface "$(near)")" "$(first_interface "$(distant)")"
}

# Address resolution is multicast and goes through the switch's multicast table.
test_ipoib_between_the_hcas() {
	set_up
	ping -c 5 -i 0.2 "$THERE"
	ping -c 3 -I "$NEAR" ff02::1
	query '^0xc000 +[x ]* x' dump_fts -M
	query "^0xc000 +[x ]* x" ibroute -M "$(switch_lid)"
	iperf -n 20M
}

test_ipoib_connected_between_the_hcas() {
	set_up
	mode connected
	mtu_is "$(cm_mtu)"
	ping -c 3 -i 0.2 -M "do" -s $(($(cm_mtu) - 28)) "$THERE"
	iperf -n 20M
	mode datagram
}

test_rping_between_the_hcas() {
	set_up
	cm_pair "rping -s -a $THERE -C 50 -v" "rping -c -a $THERE -C 50 -v"
}

test_ucmatose_udaddy_between_the_hcas() {
	set_up
	cm_pair "ucmatose -b $THERE -C 20" "ucmatose -s $THERE -C 20"
	cm_pair "udaddy -b $THERE" "udaddy -s $THERE"
}

# Both halves with their defaults: the sides differ in the GUID of their HCA.
test_cmtime_between_the_hcas() {
	set_up
	cmtime_pair "" ""
}

test_the_interfaces_go() {
	set_up
	pair_down
}

# Last, since it covers all queries above.
test_opensm_reports_no_error() {
	opensm_has_no_error
}
