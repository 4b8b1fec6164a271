# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
# shellcheck shell=bash
#
# Tests of the connection servers, ib_wq_server and ib_softirq_server. A script says SERVER=<its
# module>, sources this and calls run_tests; what it finds of a server is
#   /sys/kernel/debug/$SERVER/<device>/status   lines "name number": qpn, now, sends, connected,
#	disconnected, malformed, timeouts, dead, failed
#   /sys/module/$SERVER/parameters/             probe_ms, connect_ms

# shellcheck source=SCRIPTDIR/../../vm/guest/test.bash
. "$(dirname "${BASH_SOURCE[0]}")/../../vm/guest/test.bash"

CLIENT=${TEST_BIN:-$TREE/build/guest/vrb}/conn_client
# shellcheck disable=SC2153 # whoever sources this sets it
DEBUG=/sys/kernel/debug/$SERVER

# shown NAME: a number of the server's
shown() {
	awk -v name="$1" '$1 == name { print $2 }' "$DEBUG"/*/status
}

parameter() {
	cat "/sys/module/$SERVER/parameters/$1"
}

client() {
	"$CLIENT" --qpn "$(shown qpn)" "$@"
}

# idle: no connection is left, not even half of one, nor a datagram that is on its way
idle() {
	[ "$(shown now)" = 0 ] && [ "$(shown sends)" = 0 ]
}

# resources: what ib_core counts, of everybody
resources() {
	rdma resource show
}

same_resources() {
	[ "$(resources)" = "$1" ]
}

# kept BEFORE: fails, showing both, where ib_core now counts something else
kept() {
	until_true 10 same_resources "$1" ||
		fail "resources before: $1"$'\n'"now: $(resources)"
}

# allocated: a line for each of kmalloc's caches, with the objects that somebody has
allocated() {
	local shrink
	sync
	echo 3 >/proc/sys/vm/drop_caches
	for shrink in /sys/kernel/slab/kmalloc-*/shrink; do
		echo 1 >"$shrink"
	done
	awk '/^kmalloc-/ { print $1, $2 }' /proc/slabinfo | sort
}

# grown BEFORE: by how much that cache has grown that has grown most; each is shown
grown() {
	join <(echo "$1") <(allocated) | awk '{ print $3 - $2, $1 }' | sort -n |
		tee -a /dev/stderr | awk 'END { print $1 }'
}

# counted NAME...: their sum
counted() {
	local name n=0
	for name; do
		n=$((n + $(shown "$name")))
	done
	echo $n
}

# connections N ARGUMENT...: so many are made and ended, each of them well, and leave nothing
connections() {
	local count=$1 before made ended bad
	shift
	before=$(resources)
	made=$(shown connected) ended=$(shown disconnected) bad=$(counted timeouts dead failed)
	client --count "$count" "$@"
	until_true 10 idle
	[ $(($(shown connected) - made)) = "$count" ]
	[ $(($(shown disconnected) - ended)) = "$count" ]
	[ "$(counted timeouts dead failed)" = "$bad" ]
	kept "$before"
}

test_connections_one_after_another() {
	connections 300
}

test_connections_64_at_a_time() {
	connections 1000 --at-a-time 64
}

# The server has tried several times by then, if it has not the patience.
test_a_peer_that_is_late_finds_its_connection() {
	connections 32 --at-a-time 32 --late 3000
}

# What a CPU keeps of a cache for itself counts as allocated, so that a round may seem to leave some
# hundred objects behind; with one object a connection every round leaves a thousand.
test_no_connection_leaves_memory_behind() {
	local before round
	connections 200 --at-a-time 64
	for round in 1 2 3 4; do
		before=$(allocated)
		connections 1000 --at-a-time 64
		echo "round $round"
		[ "$(grown "$before")" -ge 500 ] || return 0
	done
	fail "each round leaves something behind"
}

test_a_peer_that_goes_in_mid_connect_is_timed_out() {
	local before
	before=$(resources)
	client --abandon --at-a-time 32
	until_true 30 idle
	[ "$(shown timeouts)" -gt 0 ]
	kept "$before"
}

test_a_peer_that_lives_stays_and_one_that_is_killed_is_noticed() {
	local before dead pid
	before=$(resources)
	dead=$(shown dead)
	: >"$TEST_DIR/held"
	"$CLIENT" --qpn "$(shown qpn)" --count 32 --at-a-time 32 --hold >"$TEST_DIR/held" &
	pid=$!
	until_true 60 grep -q '^held 32' "$TEST_DIR/held"
	# The first attempt, and three more.
	sleep $((($(parameter connect_ms) + 4 * $(parameter probe_ms)) / 1000 + 1))
	[ "$(shown now)" = 32 ]
	[ "$(shown dead)" = "$dead" ]
	kill -KILL "$pid"
	until_true 30 idle
	[ $(($(shown dead) - dead)) = 32 ]
	kept "$before"
}

test_malformed_messages_do_no_harm() {
	local before
	before=$(resources)
	client --malformed 2000 --seed 1
	until_true 60 idle
	[ "$(shown malformed)" -gt 0 ]
	kept "$before"
	connections 10
}

# more NAME THAN
more() {
	[ "$(shown "$1")" -gt "$2" ]
}

test_unload_in_mid_traffic() {
	local before pid
	rmmod "$SERVER"
	before=$(resources)
	load_own "$SERVER"
	"$CLIENT" --qpn "$(shown qpn)" --count 100000 --at-a-time 64 --tries 2 &
	pid=$!
	until_true 60 more connected 100
	rmmod "$SERVER"
	[ ! -e "$DEBUG" ]
	kill "$pid"
	wait "$pid" || :
	kept "$before"
	load_own "$SERVER"
	connections 10
}
