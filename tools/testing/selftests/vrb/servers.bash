# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
# shellcheck shell=bash
#
# Tests of the connection servers, ib_wq_server and ib_softirq_server. A script sets SERVER to the
# module, sources this file and calls run_tests. The tests use these files of a server:
#   /sys/kernel/debug/$SERVER/<device>/status   lines "name number": qpn, now, sends, connected,
#	disconnected, malformed, timeouts, dead, failed
#   /sys/module/$SERVER/parameters/             probe_ms, connect_ms

# shellcheck source=SCRIPTDIR/../../vm/guest/test.bash
. "$(dirname "${BASH_SOURCE[0]}")/../../vm/guest/test.bash"
# shellcheck source=SCRIPTDIR/../tavor/faults.bash
. "$TREE/tools/testing/selftests/tavor/faults.bash"
# The driver that bind and unbind of faults.bash use
TAVOR=/sys/bus/pci/drivers/ib_$DRIVER

CLIENT=${TEST_BIN:-$TREE/build/guest/vrb}/conn_client
# shellcheck disable=SC2153 # whoever sources this sets it
DEBUG=/sys/kernel/debug/$SERVER

# shown NAME: prints a number of the server's status
shown() {
	awk -v name="$1" '$1 == name { print $2 }' "$DEBUG"/*/status
}

parameter() {
	cat "/sys/module/$SERVER/parameters/$1"
}

# unserve: unloads the server, because a client of ib_vrb keeps the driver's module loaded
unserve() {
	! loaded "$SERVER" || rmmod "$SERVER"
}

# serve: loads the server, and lets the driver create objects in softirq
serve() {
	echo 1 >/sys/module/ib_tavor/parameters/softirq_objects
	unserve
	load_own "$SERVER"
}

client() {
	"$CLIENT" --qpn "$(shown qpn)" "$@"
}

# idle: no connection exists, not even a partial one, and no datagram is outstanding
idle() {
	[ "$(shown now)" = 0 ] && [ "$(shown sends)" = 0 ]
}

# resources: prints the objects of all users that ib_core counts
resources() {
	rdma resource show
}

same_resources() {
	[ "$(resources)" = "$1" ]
}

# kept BEFORE: ib_core counts the same objects again; otherwise prints both counts
kept() {
	until_true 10 same_resources "$1" ||
		fail "resources before: $1"$'\n'"now: $(resources)"
}

# allocated: prints a line for each of kmalloc's caches, with its number of allocated objects
allocated() {
	local shrink
	sync
	echo 3 >/proc/sys/vm/drop_caches
	for shrink in /sys/kernel/slab/kmalloc-*/shrink; do
		echo 1 >"$shrink"
	done
	awk '/^kmalloc-/ { print $1, $2 }' /proc/slabinfo | sort
}

# grown BEFORE: prints the largest growth of a cache, and shows the growth of each
grown() {
	join <(echo "$1") <(allocated) | awk '{ print $3 - $2, $1 }' | sort -n |
		tee -a /dev/stderr | awk 'END { print $1 }'
}

# counted NAME...: prints the sum of these numbers
counted() {
	local name n=0
	for name; do
		n=$((n + $(shown "$name")))
	done
	echo $n
}

# connections N ARGUMENT...: opens and ends N connections; none may fail or leave anything behind
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

no_calls_fail() {
	! loaded fail_calls || rmmod fail_calls
}

# a_call_fails FUNCTION CALLER VALUE: makes some of these calls fail; a refused peer must be
# notified, and others must not be affected
a_call_fails() {
	local before client=$TEST_DIR/client
	before=$(resources)
	no_calls_fail
	load_own fail_calls function="$1" caller="$2" value="$3" every=7
	client --count 200 --at-a-time 32 --timeout 100 --tries 1000 >"$client" || :
	cat "$client"
	echo "$(</sys/module/fail_calls/parameters/failed) calls of $1 have failed"
	[ "$(</sys/module/fail_calls/parameters/failed)" -gt 0 ]
	grep -q ' lost 0 wrong 0 ' "$client"
	no_calls_fail
	until_true 10 idle
	kept "$before"
	connections 50
}

no_long_sends() {
	! loaded long_sends || rmmod long_sends
}

# too_long PARAMETER...: makes datagrams of the server fail in the HCA; see faults/long_sends.c
too_long() {
	local post=tavor_post_send
	[ "$DRIVER" != mthca ] || post=mthca_tavor_post_send
	no_long_sends
	load_own long_sends function=$post caller="[$SERVER]" "$@"
}

# sends_failed: prints how many datagrams of the server have failed, and lets no others fail
sends_failed() {
	cat /sys/module/long_sends/parameters/failed
	no_long_sends
}

refusals() {
	counted refused failed
}

# and_is_told ...: like a_call_fails, and the peer must get an answer
and_is_told() {
	local before
	before=$(refusals)
	a_call_fails "$@"
	[ "$(refusals)" -gt "$before" ]
	grep -qE ' refused [1-9]' "$TEST_DIR/client"
}

test_connections_one_after_another() {
	connections 300
}

test_connections_64_at_a_time() {
	connections 1000 --at-a-time 64
}

test_connections_256_at_a_time() {
	connections 600 --at-a-time 256
}

# No datagram is lost here, so no message is lost either.
test_no_peer_has_to_repeat_a_request() {
	client --count 512 --at-a-time 256 --timeout 60000 >"$TEST_DIR/client"
	cat "$TEST_DIR/client"
	grep -q ' repeats 0 ' "$TEST_DIR/client"
	until_true 10 idle
}

test_connections_with_gids() {
	connections 100 --at-a-time 16 --grh
}

# again COMMAND...: runs a command that affects the device; then connections must work as before
again() {
	"$@"
	sm_restart
	until_true 60 any_port_active
	until_true 10 prints shown qpn
	connections 50
}

test_memory_of_an_earlier_peer_is_cleared() {
	connections 600 --at-a-time 32 --fresh
}

test_a_qp_number_that_is_reused() {
	local before stale made
	before=$(resources)
	stale=$(shown stale) made=$(shown connected)
	client --count 32 --at-a-time 16 --again
	until_true 10 idle
	[ $(($(shown stale) - stale)) = 32 ]
	[ $(($(shown connected) - made)) = 64 ]
	kept "$before"
}

# By that time a server that does not wait long enough has probed several times.
test_a_peer_that_is_late_finds_its_connection() {
	connections 32 --at-a-time 32 --late 3000
}

# Objects in per-CPU lists of a cache count as allocated, so that a round may seem to leave some
# hundred objects behind. With a leak of one object per connection every round leaves a thousand.
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

test_a_peer_that_dies_during_a_connect_times_out() {
	local before
	before=$(resources)
	client --abandon --at-a-time 32
	until_true 30 idle
	[ "$(shown timeouts)" -gt 0 ]
	kept "$before"
}

test_a_live_peer_stays_and_a_killed_one_is_noticed() {
	local before dead pid
	before=$(resources)
	dead=$(shown dead)
	: >"$TEST_DIR/held"
	"$CLIENT" --qpn "$(shown qpn)" --count 32 --at-a-time 32 --hold >"$TEST_DIR/held" &
	pid=$!
	until_true 60 grep -q '^held 32' "$TEST_DIR/held"
	# After this time there have been the first probe and three more.
	sleep $((($(parameter connect_ms) + 4 * $(parameter probe_ms)) / 1000 + 1))
	[ "$(shown now)" = 32 ]
	[ "$(shown dead)" = "$dead" ]
	kill -KILL "$pid"
	until_true 30 idle
	[ $(($(shown dead) - dead)) = 32 ]
	kept "$before"
}

# Any process on its node can name the QP of another one in a connect.
test_a_peer_cannot_end_the_connection_of_another() {
	local held=$TEST_DIR/held stale pid qp qps
	stale=$(shown stale)
	"$CLIENT" --qpn "$(shown qpn)" --count 8 --at-a-time 8 --hold >"$held" &
	pid=$!
	until_true 60 grep -q '^held 8' "$held"
	mapfile -t qps < <(awk '$1 == "qp" { print $2 }' "$held")
	[ ${#qps[@]} = 8 ]
	for qp in "${qps[@]}"; do
		client --claim "$qp" | tee "$TEST_DIR/claim"
		grep -qx 'type 5 status 2' "$TEST_DIR/claim"
	done
	[ "$(shown now)" = 8 ]
	[ "$(shown stale)" = "$stale" ]
	kill -KILL "$pid"
	until_true 30 idle
}

# Two QPs of the server that are connected to each other would answer each other's probes for ever.
test_a_peer_cannot_connect_the_server_to_itself() {
	local before
	before=$(resources)
	client --ghosts --count 16 | tee "$TEST_DIR/ghosts"
	grep -q 'neighbours [1-9]' "$TEST_DIR/ghosts"
	until_true 60 idle
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

# The error stops the send queue. A server that does not resume it never answers again.
test_answers_continue_after_one_has_failed() {
	local resumed unsent
	resumed=$(shown resumed) unsent=$(shown unsent)
	too_long most=1
	connections 50
	[ "$(sends_failed)" = 1 ]
	[ $(($(shown resumed) - resumed)) = 1 ]
	[ $(($(shown unsent) - unsent)) = 1 ]
}

test_answers_fail_again_and_again() {
	local resumed failed
	resumed=$(shown resumed)
	too_long every=7
	connections 300 --at-a-time 32 --timeout 100 --tries 1000
	failed=$(sends_failed)
	echo "$failed datagrams have failed"
	[ "$failed" -gt 20 ]
	resumed=$(($(shown resumed) - resumed))
	[ "$resumed" -gt 0 ] && [ "$resumed" -le "$failed" ]
	connections 50
}

# judged MALFORMED REFUSED: the server has counted this many of each
judged() {
	[ "$(shown malformed)" = "$1" ] && [ "$(shown refused)" = "$2" ]
}

test_each_field_is_checked() {
	local malformed refused more_malformed more_refused
	malformed=$(shown malformed) refused=$(shown refused)
	read -r _ more_malformed _ more_refused < <(client --wrong)
	[ "$more_malformed" -gt 5 ] && [ "$more_refused" -gt 5 ]
	until_true 10 judged $((malformed + more_malformed)) $((refused + more_refused))
	[ "$(shown now)" = 0 ]
}

test_a_start_that_fails() {
	local before post=tavor_post_recv
	[ "$DRIVER" != mthca ] || post=mthca_tavor_post_receive
	unserve
	before=$(resources)
	no_calls_fail
	load_own fail_calls function=$post caller="[$SERVER]" value=-12 every=50
	load_own "$SERVER"
	[ -z "$(ls "$DEBUG")" ]
	[ "$(</sys/module/fail_calls/parameters/failed)" = 1 ]
	kept "$before"
	no_calls_fail
	unserve
	load_own "$SERVER"
	connections 10
}

# more NAME THAN: a number of the server's status is greater than THAN
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
