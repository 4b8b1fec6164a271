#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# servers.sh SERVER COUNT AT-A-TIME...: makes COUNT connections of conn_client to a server, once
# with each number at a time. servers.py reads the output.

SERVER=$1
count=$2
shift 2
# shellcheck source=SCRIPTDIR/../../selftests/vrb/servers_many.bash
. "$(dirname "$0")/../../selftests/vrb/servers_many.bash"
# shellcheck source=SCRIPTDIR/counts.bash
. "$(dirname "$0")/counts.bash"
CLIENT=$TREE/build/guest/vrb/conn_client

some() {
	client --count "$count" --at-a-time "$1" --timeout 60000 >"$TEST_DIR/client"
	until_true 30 idle
}

# ib_wq_server already serves, since its module is loaded. The other needs the driver's parameter.
[ "$SERVER" = ib_wq_server ] || serve
for at_a_time; do
	case="$SERVER, $at_a_time at a time"
	count_switches
	counted "$case" some "$at_a_time"
	counted_switches | while read -r _ name n; do
		report "$case" "switches away from $name" "$n"
	done
	report "$case" connections "$count"
done
unserve
