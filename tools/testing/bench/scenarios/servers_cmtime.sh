#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# servers_cmtime.sh LATENCY COUNT: makes COUNT connections with cmtime between the ports of the HCA.
# servers.py reads the output.

latency=$1
count=$2
# shellcheck source=SCRIPTDIR/../../interop/ipoib_ports.bash
. "$(dirname "$0")/../../interop/ipoib_ports.bash"
# shellcheck source=SCRIPTDIR/counts.bash
. "$(dirname "$0")/counts.bash"

# full_connect: prints the microseconds of a connection. The first of the client's two tables is
# that of connections with a queue pair.
full_connect() {
	awk -v n="$count" '/^full connect / { printf "%.0f\n", $4 / n; exit }' "$TEST_DIR/client"
}

# The numbers are those of queue pairs that do not exist; see test_cmtime of interop/ipoib.sh.
both_halves() {
	cm_pair "cmtime -b $THERE -c $count -q 100000" "cmtime -s $THERE -c $count -q 200000" 900 \
		>"$TEST_DIR/client"
}

set_up
model_set 0 latency "$latency"
counted cmtime both_halves
report cmtime "full connect" "$(full_connect)"
model_set 0 latency 1us
