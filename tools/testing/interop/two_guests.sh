#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Timeout: 5400
# Level: all
# Runs: host DRIVER=mthca
# Runs: host DRIVER=tavor
# Runs: host CLIENT=mthca
# As: tavor-serves-mthca
# Runs: host SWITCH=1
# As: switch
#
# Tests two guests, each with its own model process. A socket connects them, as a cable or to a
# switch in the server's model. DRIVER is the driver of both; without it the client uses CLIENT
# (default: tavor) and the server the other one. The client runs the tests of
# two_guests_side.bash. By hand:
#   DRIVER=tavor tools/testing/interop/two_guests.sh

CLIENT_DRIVER=${DRIVER:-${CLIENT:-tavor}}
SERVER_DRIVER=${DRIVER:-mthca}
[ "$CLIENT_DRIVER" != mthca ] || SERVER_DRIVER=${DRIVER:-tavor}
# The model option that connects the server's HCA to the socket @
SERVER_CABLE=0.1-@
[ -z "${SWITCH:-}" ] || SERVER_CABLE=0.1-s0.1,0.2-s0.2,s0.8-@

cd "$(dirname "$0")/../../.." || exit 1
# shellcheck source=SCRIPTDIR/../vm/lib/common.sh
. tools/testing/vm/lib/common.sh
# shellcheck source=SCRIPTDIR/../vm/lib/guest_places.sh
. tools/testing/vm/lib/guest_places.sh
set +e
work=$(mktemp -d)
pids=()
failed=yes

cleanup() {
	[ ${#pids[@]} = 0 ] || kill "${pids[@]}" 2>/dev/null
	wait
	if [ -n "$failed" ]; then
		mkdir -p build/results
		mv "$work" "$(mktemp -d build/results/two-guests.XXXX)/"
	else
		rm -rf "$work"
	fi
}
trap cleanup EXIT
trap 'exit 143' TERM INT

# guest SIDE DRIVER KERNEL GUID CABLE
guest() {
	exec tools/testing/vm/run --kernel "$3" --driver "$2" \
		--hca "cable=${5/@/unix:$work/cable}" --hca "node_guid=$4" \
		--packages "iperf3 fio" --share "$work" --results "$work/$1" --timeout 2400 -- \
		tools/testing/interop/two_guests_side.bash "$1"
}

# build KERNEL DRIVER: compiles the driver, so that neither guest waits for the other meanwhile
build() {
	[ "$2" != tavor ] || tools/testing/vm/kbuild --kernel "$1" drivers/infiniband/hw/tavor >&2
}

# last STATUS TEXT: prints a result after those of the client
last() {
	local word=ok
	if [ "$1" != 0 ]; then
		word="not ok"
		failed=yes
		echo "# ${0##*/}:${BASH_LINENO[0]}: status $1"
	fi
	count=$((count + 1))
	echo "$word $count $2"
}

mkdir "$work/server" "$work/client"
echo "TAP version 13"
build 6.12 "$SERVER_DRIVER"
build 7 "$CLIENT_DRIVER"
places_take 2
guest server "$SERVER_DRIVER" 6.12 0x0002c90200100000 "$SERVER_CABLE" >"$work/server.out" 2>&1 &
pids+=($!)
guest client "$CLIENT_DRIVER" 7 0x0002c90200200000 0.1-@ >"$work/client.out" 2>&1 &
pids+=($!)
wait "${pids[1]}"
client=$?
# The client creates this file itself, unless it failed before.
touch "$work/client/done"
wait "${pids[0]}"
server=$?
pids=()
failed=
grep -E '^(ok|not ok|#)' "$work/client.out"
count=$(grep -cE '^(ok|not ok)' "$work/client.out")
[ "$count" -gt 1 ]
last $? "the client ($CLIENT_DRIVER, kernel 7) has run its tests"
sed 's/^/# client: /' "$work/client.out" | tail -n 3
last $client "no failure in the client's guest"
sed 's/^/# server: /' "$work/server.out" | tail -n 20
last $server "no failure in the server's guest ($SERVER_DRIVER, kernel 6.12), including opensm"
echo "1..$count"
