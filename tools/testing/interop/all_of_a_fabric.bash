#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Sends a little of each kind of a fabric's traffic between two HCAs on a switch, for the capture
# tests.

# shellcheck source=SCRIPTDIR/ipoib_pair.bash
. "$(dirname "$0")/ipoib_pair.bash"

TEST_SECONDS=400

one() {
	rdma_devices | sed -n 1p
}

other() {
	rdma_devices | sed -n 2p
}

between() {
	local program=$1
	shift
	pair "$program -d $(other) $*" "$program -d $(one) $*"
}

test_pingpongs() {
	local name
	for name in rc uc ud srq; do
		between "ibv_${name}_pingpong" -n 20 -s 512
	done
	for name in rc uc; do
		between "ibv_${name}_pingpong" -n 5 -s 8000
	done
	between ibv_rc_pingpong -n 20 -g 0
	between ibv_ud_pingpong -n 20 -g 0
}

test_operations() {
	between ib_write_bw -F -n 5 -s 1000
	between ib_write_bw -F -n 5 -s 9000
	between ib_write_bw -F -n 5 -s 1000 -c UC
	between ib_read_bw -F -n 5 -s 9000
	between ib_atomic_bw -F -n 5 -A CMP_AND_SWAP
	between ib_atomic_bw -F -n 5 -A FETCH_AND_ADD
}

test_diagnostics() {
	ibnetdiscover
	iblinkinfo
	ibqueryerrors
	saquery NR
	saquery -p
	perfquery
	dump_fts
	smpquery nodeinfo "$(lid 1 "$(other)")"
}

test_ipoib_and_the_connection_manager() {
	modprobe ib_ipoib
	until_true 20 prints first_interface "$(other)"
	pair_up "$(first_interface "$(one)")" "$(first_interface "$(other)")"
	ping -c 3 -i 0.2 "$THERE"
	ping -c 3 -I "$NEAR" ff02::1
	cm_pair "rping -s -a $THERE -C 5" "rping -c -a $THERE -C 5"
	cm_pair "ucmatose -b $THERE -C 5" "ucmatose -s $THERE -C 5"
	cm_pair "udaddy -b $THERE" "udaddy -s $THERE"
	cm_pair "rstream -b $THERE -I 5 -S 1024 -C 5" "rstream -s $THERE -I 5 -S 1024 -C 5"
	# Messages of one packet: tshark takes the first packet of a longer one for a truncated IP
	# packet.
	mode connected
	ping -c 3 -i 0.2 -s 1900 "$THERE"
	pair_down
}

run_tests "$@"
