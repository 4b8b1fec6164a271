# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
# shellcheck shell=bash
#
# Two IPoIB interfaces of the guest with a cable or a switch between them. NEAR is in the guest's
# network namespace and FAR in a separate one, so all traffic between them crosses the wire.

# shellcheck source=SCRIPTDIR/../vm/guest/test.bash
. "$(dirname "${BASH_SOURCE[0]}")/../vm/guest/test.bash"
# shellcheck source=SCRIPTDIR/opensm_log.bash
. "$(dirname "${BASH_SOURCE[0]}")/opensm_log.bash"

HERE=192.168.23.1
THERE=192.168.23.2

# far COMMAND...: runs it on the far side
far() {
	ip netns exec far "$@"
}

# up NAMESPACE-COMMAND INTERFACE ADDRESS
up() {
	local in=$1 interface=$2 address=$3
	$in ip addr replace "$address/24" dev "$interface"
	$in ip link set "$interface" up
}

both_up() {
	up "" "$NEAR" $HERE
	up far "$FAR" "$THERE"
	until_true 60 ping -q -c 1 -W 1 "$THERE"
}

# first_interface DEVICE: the IPoIB interface of its first port
first_interface() {
	local dir
	for dir in "/sys/class/infiniband/$1/device/net/"*; do
		[ "$(cat "$dir/dev_port" 2>/dev/null)" != 0 ] || basename "$dir"
	done
}

# pair_up NEAR FAR: sets both up; test scripts call it once
pair_up() {
	NEAR=$1
	FAR=$2
	ip netns add far
	ip link set "$FAR" netns far
	far ip link set lo up
	both_up
	echo "$NEAR $FAR" >/run/ipoib
}

paired() {
	[ -e /run/ipoib ] && read -r NEAR FAR </run/ipoib
}

# not_connected: no queue pair of connected mode is left
not_connected() {
	local qps
	qps=$(rdma resource show qp) && ! grep -q 'type RC .*\[ib_ipoib\]' <<<"$qps"
}

# ipoib_away INTERFACE: IPoIB destroys the queue pairs of connected mode in a work item and does not
# wait for it before it destroys their CQs (ipoib_ndo_uninit() ends its work queue only later), so
# the queue pairs must be gone before the module is removed.
ipoib_away() {
	ip link set "$1" down
	until_true 20 not_connected
	modprobe -r ib_ipoib
}

pair_down() {
	ip netns pids far | xargs -r kill
	ip netns del far
	until_true 20 test -e "/sys/class/net/$FAR"
	ipoib_away "$NEAR"
	rm /run/ipoib
}

# mode MODE: sets the mode; the MTU becomes the largest that the device supports in it
mode() {
	[ "$(cat "/sys/class/net/$NEAR/mode")" != "$1" ] || return 0
	ip link set "$NEAR" down
	far ip link set "$FAR" down
	echo "$1" >"/sys/class/net/$NEAR/mode"
	# sysfs shows the interfaces of the namespace that mounted it.
	far sh -c "mount -t sysfs sysfs /mnt/share
		echo $1 >/mnt/share/class/net/$FAR/mode
		umount /mnt/share"
	both_up
}

# mtu_is MTU: both sides have this MTU
mtu_is() {
	ip -o link show "$NEAR" | grep -q " mtu $1 " || fail "here: $(ip -o link show "$NEAR")"
	far ip -o link show "$FAR" | grep -q " mtu $1 " ||
		fail "there: $(far ip -o link show "$FAR")"
}

# cm_mtu: the largest MTU of connected mode: 4 KiB for each scatter entry of the device, up to
# IPoIB's limit, less the header. CM_MTU overrides it.
cm_mtu() {
	local entries
	entries=$(ibv_devinfo -v | awk '/max_srq_sge:/ { print $2; exit }')
	[ "$entries" -le 16 ] || entries=16
	echo "${CM_MTU:-$((4096 * entries - 16))}"
}

# iperf OPTION...: runs the server on the far side and the client here
iperf() {
	far iperf3 -s -1 -D
	until_true 20 far_listening 5201
	iperf3 -c $THERE "$@"
}

far_listening() {
	[ -n "$(far ss -Hltn "sport = :$1")" ]
}

# cm_pair "SERVER" "CLIENT" [SECONDS]: runs the server on the far side and the client here
cm_pair() {
	local pid status=0
	# shellcheck disable=SC2086 # command lines
	far $1 >"$TEST_DIR/server" 2>&1 &
	pid=$!
	sleep 2
	# shellcheck disable=SC2086
	timeout "${3:-60}" $2 || status=$?
	if [ "$status" != 0 ]; then
		kill $pid 2>/dev/null
		sed 's/^/server: /' "$TEST_DIR/server"
		fail "status $status: $2"
	fi
	until_true 20 ended $pid || kill $pid
	cat "$TEST_DIR/server"
	wait $pid || fail "the server failed: $1"
}

# cmtime_pair "SERVER OPTION..." "CLIENT OPTION...": runs both halves of cmtime; each side reports
# both
cmtime_pair() {
	local half
	trap 'cat "$TEST_DIR/cmtime"' EXIT
	cm_pair "cmtime -b $THERE -c 20 $1" "cmtime -s $THERE -c 20 $2" 120 >"$TEST_DIR/cmtime"
	for half in qp_conn cm_conn "full connect" "cm connect" "destroy qp"; do
		[ "$(grep -c "^$half " "$TEST_DIR/cmtime")" -ge 2 ] || fail "not twice: $half"
	done
	absent 'rejected|unreachable|error' "$TEST_DIR/cmtime"
}
