#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# servers_rate.sh SERVER LATENCY AT-A-TIME:COUNT...: opens and ends COUNT connections to a server,
# AT-A-TIME at a time. Only the server's HCA is slow: the client has an HCA of its own. servers.py
# reads the output.

SERVER=$1
latency=$2
shift 2
# shellcheck source=SCRIPTDIR/../../selftests/vrb/servers.bash
. "$(dirname "$0")/../../selftests/vrb/servers.bash"
# shellcheck source=SCRIPTDIR/counts.bash
. "$(dirname "$0")/counts.bash"
CLIENT=$TREE/build/guest/vrb/conn_client

{
	read -r of_server
	read -r of_client
} < <(rdma_devices)
DEBUG=/sys/kernel/debug/$SERVER/$of_server

# shown NAME: of one of the two devices
shown() {
	awk -v name="$1" '$1 == name { print $2 }' "$DEBUG/status"
}

some() {
	client --device "$of_client" --lid "$(port_file 1 lid "$of_server")" --count "$2" \
		--at-a-time "$1" --timeout 600000 >"$TEST_DIR/client"
	until_true 60 idle
}

threads() {
	pgrep -c ^kworker
}

# more_threads COMMAND...: how many more threads for work items there are at most meanwhile
more_threads() {
	local before now most=0 pid
	before=$(threads)
	"$@" &
	pid=$!
	while kill -0 $pid 2>/dev/null; do
		now=$(($(threads) - before))
		[ "$now" -le "$most" ] || most=$now
		sleep 1
	done
	wait $pid
	echo "$most" >"$TEST_DIR/threads"
}

# in_client REGEX: prints what the client's output has there
in_client() {
	sed -nE "s/$1/\\1/p" "$TEST_DIR/client"
}

# ib_wq_server already serves, since its module is loaded. The other needs the driver's parameter.
[ "$SERVER" = ib_wq_server ] || serve
echo 600000 >"/sys/module/$SERVER/parameters/connect_ms"
model_set 0 latency "$latency"
for pair; do
	at_a_time=${pair%:*} count=${pair#*:}
	case="$SERVER, $at_a_time at a time"
	counted "$case" more_threads some "$at_a_time" "$count"
	report "$case" "threads, most" "$(<"$TEST_DIR/threads")"
	report "$case" connections "$count"
	report "$case" ms "$(in_client '^connections .* in ([0-9]+) ms$')"
	report "$case" "median, us" "$(in_client '^answered .* median ([0-9]+) us p99.*')"
	report "$case" "p99, us" "$(in_client '^answered .* p99 ([0-9]+) us$')"
done
model_set 0 latency 1us
unserve
