#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: host
# Level: all
# Timeout: 900
#
# Two guests, each with a model process of its own, joined by a cable over a socket.

cd "$(dirname "$0")/../../../.." || exit 1
work=$(mktemp -d)
pids=()

cleanup() {
	[ ${#pids[@]} = 0 ] || kill "${pids[@]}" 2>/dev/null
	wait
	rm -rf "$work"
}
trap cleanup EXIT

# guest NAME COMMAND OPTION...
guest() {
	local name=$1 command=$2
	shift 2
	tools/testing/vm/run --driver mthca --hca "cable=0.1-unix:$work/cable" --hca "node_guid=$name" \
		--results "$work/$name" "$@" -- bash -c "$command" >"$work/$name.out" 2>&1
}

wait_active="modprobe ib_umad
for i in \$(seq 600); do grep -q ACTIVE /sys/class/infiniband/mthca0/ports/1/state && break; sleep 0.2; done
grep ACTIVE /sys/class/infiniband/mthca0/ports/1/state"

# The server's side has the subnet manager and stays until the client is done with it.
server="modprobe ib_umad; mkdir -p /var/cache/opensm; opensm -B -f /results/opensm.log
$wait_active || exit 1
ibping -S & ping=\$!
ibnetdiscover | tee /results/net
sleep 40
kill \$ping; pkill -x opensm; sleep 1; ! grep ' ERR ' /results/opensm.log"

client="$wait_active || exit 1
sleep 5
ibping -c 3 \$((\$(cat /sys/class/infiniband/mthca0/ports/1/sm_lid)))
ibv_devinfo | grep port_lid"

echo "TAP version 13"
echo "1..4"
guest 0x0002c90200100000 "$server" &
pids+=($!)
guest 0x0002c90200200000 "$client"
client_status=$?
sed 's/^/# client: /' "$work/0x0002c90200200000.out"

result() {
	[ "$1" = 0 ] && echo "ok $2 - $3" || echo "not ok $2 - $3"
}

result "$client_status" 1 "the client's port becomes active under the other guest's subnet manager"
grep -q '3 received, 0% packet loss' "$work/0x0002c90200200000.out"
result $? 2 "the guests ping one another"
wait "${pids[0]}"
server_status=$?
pids=()
sed 's/^/# server: /' "$work/0x0002c90200100000.out"
result "$server_status" 3 "the server's opensm has no error in its log"
[ "$(grep -c '^Ca' "$work/0x0002c90200100000/net")" = 2 ]
result $? 4 "ibnetdiscover shows both"
