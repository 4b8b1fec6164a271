# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
# shellcheck shell=bash
#
# Tests ten thousand connections to a server, SERVER of servers.bash, and counts the resources that
# they take. The counts are also written to /results/counted-$SERVER.

# shellcheck source=SCRIPTDIR/servers.bash
. "$(dirname "${BASH_SOURCE[0]}")/servers.bash"

TEST_SECONDS=2400
TRACE=/sys/kernel/tracing
SWITCHES=$TRACE/events/sched/sched_switch
COUNTED=/results/counted-$SERVER

count_switches() {
	mountpoint -q $TRACE || mount -t tracefs none $TRACE
	echo hist:keys=prev_comm:size=4096 >$SWITCHES/trigger
}

# counted_switches: prints lines "switches NAME NUMBER": the number of switches away from threads of
# these names, since count_switches
counted_switches() {
	sed -nE 's/^\{ prev_comm: (.*[^ ]) *\} hitcount: +([0-9]+)$/\2 \1/p' $SWITCHES/hist |
		awk '$2 ~ /^(kworker|ksoftirqd|conn_client)/ { sub(/\/.*/, "", $2); n[$2] += $1 }
			END { for (name in n) print "switches", name, n[name] }' | sort
	echo !hist:keys=prev_comm:size=4096 >$SWITCHES/trigger
}

# taken COMMAND...: runs it, and prints the HCA commands and the switches that it took
taken() {
	count_switches
	commands_of "$@" >"$TEST_DIR/commands"
	{
		echo "== $* =="
		cat "$TEST_DIR/commands"
		counted_switches
	} | tee -a "$COUNTED"
}

test_10000_connections_one_after_another() {
	taken connections 10000
}

test_10000_connections_256_at_a_time() {
	taken connections 10000 --at-a-time 256
}

# run_many [NAME...]: runs the tests above, without those of servers.bash
run_many() {
	[ $# != 0 ] ||
		set -- test_10000_connections_one_after_another \
			test_10000_connections_256_at_a_time
	run_tests "$@"
}
