# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
# shellcheck shell=bash
#
# IP over InfiniBand and what stands on it: the first port's interface is the guest's, the second one's is
# in a network namespace of its own, so that everything between them crosses the cable.

# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

TEST_SECONDS=300
HERE=192.168.23.1
THERE=192.168.23.2

# far COMMAND...: on the other side of the cable
far() {
	ip netns exec far "$@"
}

# interface PORT: the IPoIB interface of a port
interface() {
	local dir
	for dir in /sys/class/net/*; do
		[ "$(cat "$dir/type")" = 32 ] && [ "$(cat "$dir/dev_port")" = $(($1 - 1)) ] && basename "$dir"
	done
	return 0
}

# address [NAMESPACE-COMMAND] INTERFACE ADDRESS
up() {
	local in=$1 interface=$2 address=$3
	$in ip addr replace "$address/24" dev "$interface"
	$in ip link set "$interface" up
}

set_up() {
	[ ! -e /run/ipoib ] || { read -r NEAR FAR </run/ipoib; return 0; }
	modprobe ib_ipoib
	until_true 20 prints interface 2
	NEAR=$(interface 1)
	FAR=$(interface 2)
	echo "$NEAR $FAR" >/run/ipoib
	ip netns add far
	ip link set "$FAR" netns far
	far ip link set lo up
	up "" "$NEAR" $HERE
	up far "$FAR" $THERE
	until_true 60 ping -q -c 1 -W 1 $THERE
}

# mode MODE: the MTU becomes the largest the device can do in it, by itself
mode() {
	ip link set "$NEAR" down
	far ip link set "$FAR" down
	echo "$1" >"/sys/class/net/$NEAR/mode"
	# sysfs shows the interfaces of whoever mounted it.
	far sh -c "mount -t sysfs sysfs /mnt/share && echo $1 >/mnt/share/class/net/$FAR/mode; umount /mnt/share"
	up "" "$NEAR" $HERE
	up far "$FAR" $THERE
	until_true 60 ping -q -c 1 -W 1 $THERE
}

# cm_pair "SERVER" "CLIENT" [SECONDS]: server there, client here
cm_pair() {
	local pid status=0
	# shellcheck disable=SC2086 # command lines
	far $1 >"$TEST_DIR/server" 2>&1 &
	pid=$!
	sleep 2
	# shellcheck disable=SC2086
	timeout "${3:-60}" $2 || status=$?
	[ "$status" = 0 ] || { kill $pid 2>/dev/null; sed 's/^/server: /' "$TEST_DIR/server"; fail "status $status: $2"; }
	until_true 20 ended $pid || kill $pid
	cat "$TEST_DIR/server"
	wait $pid || fail "the server failed: $1"
}

test_interfaces_come_up() {
	set_up
	ip -d addr show "$NEAR"
	far ip -d addr show "$FAR"
}

test_ping() {
	set_up
	ping -c 10 -i 0.2 $THERE | tee "$TEST_DIR/ping"
	grep -q ' 0% packet loss' "$TEST_DIR/ping"
}

test_ping_of_a_full_datagram_and_of_fragments() {
	set_up
	ping -c 5 -i 0.2 -M "do" -s 2016 $THERE
	ping -c 5 -i 0.2 -s 20000 $THERE
}

test_ping_ipv6_and_its_multicast() {
	set_up
	ping -c 3 -I "$NEAR" "$(far ip -6 -o addr show dev "$FAR" scope link | awk '{ sub("/.*", "", $4); print $4 }')"
	ping -c 3 -I "$NEAR" ff02::1
}

test_tcp_in_datagram_mode() {
	set_up
	far iperf3 -s -1 -D
	sleep 1
	iperf3 -c $THERE -n 20M
}

test_udp_in_datagram_mode() {
	set_up
	far iperf3 -s -1 -D
	sleep 1
	iperf3 -c $THERE -u -b 5M -t 3
}

test_rping() {
	set_up
	cm_pair "rping -s -a $THERE -C 50 -v" "rping -c -a $THERE -C 50 -v"
}

test_ucmatose() {
	set_up
	cm_pair "ucmatose -b $THERE -C 20" "ucmatose -s $THERE -C 20"
}

test_udaddy() {
	set_up
	cm_pair "udaddy -b $THERE" "udaddy -s $THERE"
}

test_mckey() {
	set_up
	far timeout 60 mckey -b $THERE -m 224.0.0.77 -C 20 >"$TEST_DIR/server" 2>&1 &
	sleep 3
	mckey -b $HERE -m 224.0.0.77 -s -C 20
	wait $! || { cat "$TEST_DIR/server"; fail "the receiver failed"; }
}

test_cmtime() {
	set_up
	# Its second half connects queue pairs that do not exist; what becomes of that is not judged.
	far timeout 100 cmtime -b $THERE -c 20 >"$TEST_DIR/server" 2>&1 &
	sleep 2
	timeout 100 cmtime -s $THERE -c 20 >"$TEST_DIR/client" 2>&1 || :
	cat "$TEST_DIR/client"
	grep -q '^full connect' "$TEST_DIR/client"
	grep -q '^destroy qp' "$TEST_DIR/client"
}

test_rstream() {
	set_up
	cm_pair "rstream -b $THERE -I 20 -S 16384 -C 20" "rstream -s $THERE -I 20 -S 16384 -C 20"
}

test_rdma_client_and_server() {
	set_up
	cm_pair "rdma_server" "rdma_client -s $THERE"
}

test_perftest_with_the_connection_manager() {
	set_up
	cm_pair "ib_send_bw -R -F -n 100 -d $(device) -i 2" "ib_send_bw -R -F -n 100 -d $(device) -i 1 $THERE"
	cm_pair "ib_write_bw -R -F -n 100 -d $(device) -i 2" "ib_write_bw -R -F -n 100 -d $(device) -i 1 $THERE"
}

test_connected_mode() {
	set_up
	mode connected
	[ "$(cat "/sys/class/net/$NEAR/mtu")" -ge 32768 ] || fail "MTU $(cat "/sys/class/net/$NEAR/mtu")"
	ping -c 5 -i 0.2 -M "do" -s 32000 $THERE
	far iperf3 -s -1 -D
	sleep 1
	iperf3 -c $THERE -n 50M
	mode datagram
	ping -c 3 -i 0.2 $THERE
}

test_the_interfaces_go() {
	set_up
	ip netns pids far | xargs -r kill
	ip netns del far
	until_true 20 test -e "/sys/class/net/$FAR"
	modprobe -r ib_ipoib
	rm /run/ipoib
}
