#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --driver mthca --sm --hcas 2 --hca cable=switch
# Kernels: 6.12 7
# Timeout: 600
# Level: ci
#
# Two HCAs, their four ports on a modelled switch: opensm has to find, number and route it, and
# infiniband-diags have to see what there is. By hand:
#   tools/testing/vm/run --driver mthca --sm --hcas 2 --hca cable=switch -- tools/testing/hca/guest/switch.sh

# shellcheck disable=SC2317 # the tests are called by name
# shellcheck source=SCRIPTDIR/fabric.bash
. "$(dirname "$0")/fabric.bash"

switch_lid() {
	ibswitches -C "$(near)" -P 1 | sed -n 's/.* lid \([0-9]*\) .*/\1/p'
}

switch_port() {
	iblinkinfo -C "$(near)" -P 1 --switches-only | grep -E " +$(switch_lid) +$1\["
}

# Kernels number devices as they come up. The near HCA is the one whose port 1 has the subnet manager,
# the far one the other; infiniband-diags work from the first.
near() {
	local name
	for name in "$(hca 1)" "$(hca 2)"; do
		[ "$(lid 1 "$name")" != "$(($(port_file 1 sm_lid "$name")))" ] || echo "$name"
	done
}

far() {
	rdma_devices | grep -vx "$(near)"
}

# model_number DEVICE: the model counts its HCAs in the third byte from the end of their GUIDs
model_number() {
	local guid
	guid=$(tr -d : <"/sys/class/infiniband/$1/node_guid")
	echo $(((0x$guid >> 8 & 255) - 1))
}

# Where on the switch port 1 of the far HCA is
far_switch_port() {
	echo $((2 * $(model_number "$(far)") + 1))
}

test_all_four_ports_are_active() {
	local port name
	for name in "$(hca 1)" "$(hca 2)"; do
		for port in 1 2; do
			port_is ACTIVE "$port" "$name"
		done
	done
}

test_opensm_finds_no_fault() {
	absent ' ERR |ERRORS' /results/opensm-*.log
}

test_ibnetdiscover_shows_the_switch_and_both_hcas() {
	query '^Switch[[:space:]]+8 "S-' ibnetdiscover
	[ "$(grep -c '^Ca' "$TEST_DIR/query")" = 2 ]
	matches '^\[4\].*\[2\].*4xSDR'
}

test_iblinkinfo_shows_used_and_free_ports() {
	iblinkinfo
	switch_port 4 | grep -q 'Active/ *LinkUp'
	switch_port 5 | grep -q 'Down/ *Polling'
}

test_routes_lead_to_every_lid() {
	query 'valid lids dumped' ibroute "$(switch_lid)"
	[ "$(grep -cE '^0x[0-9a-f]+ 00[0-4]' "$TEST_DIR/query")" = 5 ]
	query 'switch port' ibtracert "$(lid 1 "$(hca 1)")" "$(lid 2 "$(hca 2)")"
}

test_switchinfo_by_lid_and_by_directed_route() {
	query '^McastFdbCap:\.*1024' smpquery switchinfo "$(switch_lid)"
	query '^LinearFdbCap:\.*49152' smpquery -D switchinfo 0,1
	query '^NodeType:\.*Switch' smpquery -D nodeinfo 0,1
	query '^NodeType:\.*Channel Adapter' smpquery -D nodeinfo 0,1,3
}

test_queries_begin_with_a_lid_and_go_on_by_directed_route() {
	query '"Tavor HCA model|"guest' iblinkinfo -S "$(ibswitches | sed 's/.*\(0x[0-9a-f]*\).*/\1/')"
	absent 'not available' "$TEST_DIR/query"
}

test_switch_has_counters() {
	query '^PortXmitPkts:\.*[1-9]' perfquery "$(switch_lid)" 1
	query '^PortSelect:\.*255' perfquery -a "$(switch_lid)"
}

test_ibqueryerrors_finds_none() {
	query ' 0 ports have errors' ibqueryerrors
}

test_disabled_port_takes_the_hca_down_and_back() {
	local name port
	name=$(far)
	port=$(far_switch_port)
	query '^PhysLinkState:\.*Disabled' ibportstate -C "$(near)" "$(switch_lid)" "$port" disable
	until_true 10 port_is DOWN 1 "$name"
	switch_port "$port" | grep -q 'Down/ *Disabled'
	ibportstate -C "$(near)" "$(switch_lid)" "$port" enable
	until_true 60 port_is ACTIVE 1 "$name"
}

test_trap_about_a_lost_link_is_repressed() {
	local name traps
	name=$(far)
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
	pair "ibv_rc_pingpong -c -d $(hca 1) -i 1 -n 100" "ibv_rc_pingpong -c -d $(hca 2) -i 2 -n 100"
}

test_ud_between_the_hcas() {
	pair "ibv_ud_pingpong -d $(hca 1) -i 2 -n 50" "ibv_ud_pingpong -d $(hca 2) -i 1 -n 50"
}

# interface DEVICE: an IPoIB interface on it
interface() {
	basename "$(find "/sys/class/infiniband/$1/device/net/" -mindepth 1 -maxdepth 1 -print -quit)"
}

# Address resolution is multicast: it goes through the switch's multicast table.
test_ipoib_between_the_hcas() {
	local name here
	modprobe ib_ipoib
	here=$(interface "$(near)")
	name=$(interface "$(far)")
	ip netns add far
	ip link set "$name" netns far
	ip addr add 10.9.0.1/24 dev "$here"
	ip link set "$here" up
	ip -n far addr add 10.9.0.2/24 dev "$name"
	ip -n far link set "$name" up
	until_true 30 ping -c 1 -W 1 10.9.0.2
	ping -c 5 -i 0.2 10.9.0.2
	query '^0xc000 +[x ]* x' dump_fts -M
	ip link set "$here" down
	ip netns del far
	sleep 1
	modprobe -r ib_ipoib
}

run_tests "$@"
