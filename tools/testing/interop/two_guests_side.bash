#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs in each of two guests whose HCAs are connected (two_guests.sh boots them): "server" runs the
# subnet manager and executes the client's requests, "client" runs the tests. Both guests see the
# results folders of both as /mnt/share/server and /mnt/share/client, and use them to communicate
# outside of the fabric.

# shellcheck disable=SC2317 # the tests are called by name
# shellcheck source=SCRIPTDIR/fabric.bash
. "$(dirname "${BASH_SOURCE[0]}")/fabric.bash"
# shellcheck source=SCRIPTDIR/ipoib_pair.bash
. "$(dirname "${BASH_SOURCE[0]}")/ipoib_pair.bash"
# shellcheck source=SCRIPTDIR/srp.bash
. "$(dirname "${BASH_SOURCE[0]}")/srp.bash"

TEST_SECONDS=400
SERVER=192.168.24.1
CLIENT=192.168.24.2

active() {
	port_is ACTIVE 1 "$(device)"
}

interface() {
	first_interface "$(device)"
}

ipoib() {
	modprobe ib_ipoib
	until_true 30 prints interface
	ip addr replace "$1/24" dev "$(interface)"
	ip link set "$(interface)" up
}

mode() {
	ip link set "$(interface)" down
	echo "$1" >"/sys/class/net/$(interface)/mode"
	ip link set "$(interface)" up
}

# --- the server
# ------------------------------------------------------------------------------------------

# listen PORT COMMAND...: runs a server and reports when it listens
listen() {
	local port=$1 pid
	shift
	"$@" &
	pid=$!
	until_true 60 listening "$port"
	touch "/results/listening.$port"
	wait "$pid"
}

# Requests arrive as files want.1, want.2 ...; the status of each is returned.
obey() {
	local n=1
	while [ ! -e /mnt/share/client/done ]; do
		if [ ! -e "/mnt/share/client/want.$n" ]; then
			sleep 0.2
			continue
		fi
		(
			status=0
			eval "$(cat "/mnt/share/client/want.$n")" >"/results/out.$n" 2>&1 ||
				status=$?
			echo "$status" >"/results/status.$n.new"
			mv "/results/status.$n.new" "/results/status.$n"
		) </dev/null &
		touch "/results/begun.$n"
		n=$((n + 1))
	done
}

server() {
	sm_on "$(device)" 1
	until_true 300 active || fail "the server's port is $(port_file 1 state)"
	ipoib "$SERVER"
	ibping -S &
	touch /results/ready
	obey
	sm_stop
	pkill -x ibping
	sleep 1
	ipoib_away "$(interface)"
	opensm_has_no_error
}

# --- the client
# --------------------------------------------------------------------------------------------

# there COMMAND...: makes the server start a command; its number is in THERE
there() {
	THERE=$(($(cat /run/there 2>/dev/null || echo 0) + 1))
	echo "$THERE" >/run/there
	echo "$*" >/results/want.new
	mv /results/want.new "/results/want.$THERE"
	until_true 60 test -e "/mnt/share/server/begun.$THERE" || fail "the server does not answer"
}

# there_done: waits for the command started last and fails if it failed
there_done() {
	local status
	until_true 60 test -e "/mnt/share/server/status.$THERE" || fail "no end on the server"
	status=$(<"/mnt/share/server/status.$THERE")
	[ "$status" != 0 ] || return 0
	sed 's/^/server: /' "/mnt/share/server/out.$THERE"
	fail "server: status $status"
}

there_do() {
	there "$@"
	there_done
}

# asked COMMAND...: what the server prints when it executes it
asked() {
	there_do "$@"
	cat "/mnt/share/server/out.$THERE"
}

# between "SERVER..." ["CLIENT..."]: runs one there and the other, by default the same, here. Both
# get -p and a fresh port, the client first the server's address.
between() {
	local port
	port=$(next_tcp_port)
	there "listen $port $1 -p $port"
	until_true 60 test -e "/mnt/share/server/listening.$port" ||
		fail "the server does not listen"
	# shellcheck disable=SC2086 # a command line
	${2:-$1} "$SERVER" -p "$port"
	there_done
}

# iperf OPTION...: against a server of its own. One server for all would close its socket after each
# client, and with it the connection of the next.
iperf() {
	between "iperf3 -s -1" "iperf3 $* -c"
}

# between_cm "SERVER..." "CLIENT...": the same for programs that use the connection manager
between_cm() {
	there "timeout 120 $1"
	sleep 2
	# shellcheck disable=SC2086 # a command line
	timeout 120 $2
	there_done
}

test_port_becomes_active_under_the_other_guests_subnet_manager() {
	until_true 300 active || fail "$(port_file 1 state)"
	until_true 300 test -e /mnt/share/server/ready || fail "the server is not ready"
	[ "$(($(port_file 1 sm_lid)))" != "$(lid 1)" ]
}

test_ibping() {
	query ' 0% packet loss' ibping -c 5 -f $(($(port_file 1 sm_lid)))
}

test_infiniband_diags_see_both_guests() {
	[ "$(ibnetdiscover | grep -c '^Ca')" = 2 ]
	query 'Active/ *LinkUp' iblinkinfo -l
	query '^NodeType:\.*Channel Adapter' smpquery nodeinfo $(($(port_file 1 sm_lid)))
	query '^PortXmitPkts:\.*[1-9]' perfquery $(($(port_file 1 sm_lid))) 1
	query 'SMINFO_MASTER' sminfo
	query '^To ca' ibtracert "$(lid 1)" $(($(port_file 1 sm_lid)))
	query ' 0 ports have errors' ibqueryerrors
}

test_ipoib_ping() {
	ipoib "$CLIENT"
	until_true 60 ping -q -c 1 -W 1 "$SERVER"
	query ' 0% packet loss' ping -c 10 -i 0.3 "$SERVER"
	query ' 0% packet loss' ping -c 5 -i 0.3 -M "do" -s 2016 "$SERVER"
}

test_ipoib_iperf3_both_ways() {
	iperf -n 10M
	iperf -n 10M -R
}

test_ipoib_connected() {
	there_do mode connected
	mode connected
	until_true 60 ping -q -c 1 -W 1 "$SERVER"
	query ' 0% packet loss' ping -c 5 -i 0.3 -M "do" -s 60000 "$SERVER"
	iperf -n 20M
	there_do mode datagram
	mode datagram
	until_true 60 ping -q -c 1 -W 1 "$SERVER"
}

test_rc_pingpong() {
	between "ibv_rc_pingpong -c -n 200"
	between "ibv_rc_pingpong -c -e -n 100 -s 65536 -m 2048"
}

test_uc_pingpong() {
	between "ibv_uc_pingpong -c -n 200"
}

test_ud_pingpong() {
	between "ibv_ud_pingpong -c -n 200"
}

test_srq_pingpong() {
	between "ibv_srq_pingpong -c -n 200"
}

test_rping() {
	between_cm "rping -s -a $SERVER -C 50 -v" "rping -c -a $SERVER -C 50 -v"
}

test_ucmatose_and_cmtime() {
	between_cm "ucmatose -b $SERVER -C 20" "ucmatose -s $SERVER -C 20"
	between_cm "cmtime -b $SERVER -c 20" "cmtime -s $SERVER -c 20"
}

test_srp() {
	there_do srp_target_start 1 "$(srp_initiator 1)"
	srp_log_in 1 "$(asked srp_target 1)" "$(asked srp_guid)"
	srp_fio
}

test_srp_goes() {
	srp_log_out
	there_do srp_target_stop 1
}

test_interface_goes() {
	ipoib_away "$(interface)"
}

case $1 in
server) server ;;
client)
	shift
	trap 'touch /results/done' EXIT
	run_tests "$@"
	;;
esac
