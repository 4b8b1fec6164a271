#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Timeout: 900
# Level: all
# Guest: own
# Runs: guest --driver tavor --sm --modules "ib_softirq_server fail_calls long_sends"
#
# Tests connections to ib_softirq_server, which runs entirely in softirq, and failures of its calls.
# The tests of servers.bash are included. By hand:
#   tools/testing/vm/run --driver tavor --sm \
#	--modules "ib_softirq_server fail_calls long_sends" -- \
#	tools/testing/selftests/vrb/softirq_server.sh

# shellcheck disable=SC2034 # for the tests
SERVER=ib_softirq_server
# shellcheck source=SCRIPTDIR/servers.bash
. "$(dirname "$0")/servers.bash"

# traffic: starts a client that goes on until it is killed, and sets pid to its process
traffic() {
	"$CLIENT" --qpn "$(shown qpn)" --count 1000000 --at-a-time 64 --tries 2 \
		>"$TEST_DIR/client" 2>&1 &
	pid=$!
	until_true 60 more connected "$(($(shown connected) + 200))"
}

# no_traffic PID: ends that client
no_traffic() {
	kill "$1" || :
	wait "$1" || :
}

test_a_request_that_comes_many_times_is_answered_like_the_first() {
	connections 300 --at-a-time 32 --timeout 2 --tries 100000
	[ "$(shown repeated)" -gt 0 ]
}

test_requests_get_lost() {
	model_set 0 packet_fault "drop,op=100,qp=$(shown qpn),prob=0.3"
	connections 300 --at-a-time 32 --timeout 100 --tries 1000
	model_set 0 packet_fault ''
}

test_there_are_512_connections_at_a_time() {
	local before pid
	before=$(resources)
	"$CLIENT" --qpn "$(shown qpn)" --count 512 --at-a-time 512 --hold >"$TEST_DIR/held" &
	pid=$!
	until_true 60 grep -q '^held 512' "$TEST_DIR/held"
	[ "$(shown now)" = 512 ]
	if client --tries 2; then
		fail "one more was accepted"
	fi
	[ "$(shown refused)" -gt 0 ]
	no_traffic "$pid"
	until_true 60 idle
	kept "$before"
}

test_no_memory_for_a_connection() {
	and_is_told __kmalloc_cache_noprof soft_conn 0
}

test_no_memory_for_a_cq() {
	and_is_told vrb_alloc_cq soft_conn -12
}

test_no_memory_for_a_qp() {
	and_is_told vrb_alloc_qp soft_conn -12
}

test_requests_are_refused() {
	and_is_told vrb_submit soft_conn -5
}

test_no_memory_for_an_answer() {
	local before
	before=$(shown unsent)
	a_call_fails rdma_create_ah soft_answer -12
	[ "$(shown unsent)" -gt "$before" ]
}

test_the_firmware_refuses() {
	local command before failed
	no_calls_fail
	before=$(resources)
	for command in SW2HW_CQ INIT2RTR_QPEE RTR2RTS_QPEE; do
		failed=$(shown failed)
		fault status on=cmd "op=$command" after=6 count=5 status=1
		client --abandon --at-a-time 32
		until_true 10 shows failed $((failed + 5))
		faults_off
		until_true 30 idle
	done
	kept "$before"
	connections 50
}

test_the_firmware_refuses_to_resume_the_answers() {
	local resumed
	resumed=$(shown resumed)
	fault status on=cmd op=SQERR2RTS_QPEE count=3 status=1
	too_long most=1
	connections 50 --timeout 100 --tries 1000
	faults_off
	[ "$(sends_failed)" = 1 ]
	[ $(($(shown resumed) - resumed)) = 1 ]
}

test_unload_while_the_answers_are_being_resumed() {
	local before
	unserve
	before=$(resources)
	load_own "$SERVER"
	fault delay on=cmd op=SQERR2RTS_QPEE time=3s
	too_long most=1
	client --timeout 100 --tries 2 || :
	[ "$(sends_failed)" = 1 ]
	[ "$(shown resumed)" = 0 ]
	unserve
	faults_off
	kept "$before"
	load_own "$SERVER"
	connections 10
}

shows() {
	[ "$(shown "$1")" = "$2" ]
}

rebind() {
	unbind
	[ -z "$(ls "$DEBUG")" ]
	bind
}

test_unbind_in_mid_traffic() {
	local since pid
	since=$(mark)
	sm_away
	traffic
	unbind
	no_traffic "$pid"
	nothing_left "$since"
	again bind
}

test_the_device_fails_in_mid_traffic() {
	local since pid
	since=$(mark)
	sm_away
	traffic
	catastrophe
	until_true 20 shows now 0
	no_traffic "$pid"
	again rebind
	! said "$since" 'leaked|still in use|waiting for|has left'
}

trap unserve EXIT
serve
run_tests "$@"
