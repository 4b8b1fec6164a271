#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --driver tavor --sm --modules tavor_client
# Kernels: 6.12 debug 6.12-rt 7-rt
# Timeout: 1200
# Guest: own
# Level: ci
#
# Tests what only a kernel client can request, with the modules of the folder client/. By hand:
#   tools/testing/vm/run --driver tavor --sm --modules tavor_client -- \
#	tools/testing/selftests/tavor/kernel_client.sh

# shellcheck source=SCRIPTDIR/faults.bash
. "$(dirname "$0")/faults.bash"

# results MARK NUMBER: there are exactly so many results since MARK, all of them good
results() {
	messages_since "$1" | grep 'tavor_client:'
	[ "$(messages_since "$1" | grep -c 'tavor_client: ok ')" = "$2" ]
}

# alone: unloads the other client, because the faults and latencies are not meant for its requests
alone() {
	! loaded tavor_client || rmmod tavor_client
}

again() {
	alone
	load_own tavor_client "mode=$1"
}

# client MODULE NUMBER [PARAMETER...]: the module's tests print so many results, all of them good
client() {
	local since module=$1 number=$2
	shift 2
	alone
	echo 1 >/sys/module/ib_tavor/parameters/softirq_objects
	since=$(mark)
	load_own "$module" "$@"
	rmmod "$module"
	messages_since "$since" | grep "$module:"
	[ "$(messages_since "$since" | grep -c "$module: ok ")" = "$number" ] ||
		fail "not $number results that are good"
}

test_posts_and_drains_of_a_device_that_works() {
	local since
	since=$(mark)
	again works
	results "$since" 7
}

test_connections_live_in_softirq() {
	client tavor_softirq 3
}

# rings FILE: prints a number of the pool for queues, from debugfs
rings() {
	cat "/sys/kernel/debug/ib_tavor/$(function_address)/$1"
}

# A CQ of the largest size needs 1024 pages, which is more than are free.
test_rings_grow_in_softirq() {
	local used
	alone
	used=$(rings ring_pages_used)
	[ "$(rings ring_pages)" -ge 256 ] || fail "$(rings ring_pages) pages"
	[ $(($(rings ring_pages) - used)) -lt 1024 ] || fail "$(rings ring_pages) pages"
	client tavor_softirq 3 cqe=131071
	[ "$(rings ring_pages)" -ge $((used + 1024)) ] || fail "$(rings ring_pages) pages"
	[ "$(rings ring_pages_used)" = "$used" ] || fail "$used pages, now $(rings ring_pages_used)"
}

ready() {
	messages_since "$1" | grep -q 'tavor_client: # ready'
}

test_posts_and_drains_of_a_device_that_fails() {
	local since
	sm_away
	since=$(mark)
	fault drop on=eqe op=19	# last WQE reached
	again fails &
	until_true 20 ready "$since"
	catastrophe
	wait
	faults_off
	results "$since" 4
	unbind
	bind
}

# multicast MODE NUMBER: runs tavor_mcast in this mode; it prints so many results
multicast() {
	client tavor_mcast "$2" "mode=$1"
}

test_multicast_groups() {
	multicast works 5
}

test_multicast_requests_that_wait() {
	model_set 0 latency_op MGID_HASH=200ms
	multicast waits 5
	model_set 0 latency_op ''
}

test_multicast_requests_that_are_refused() {
	local command
	for command in MGID_HASH READ_MGM WRITE_MGM; do
		one_fault status "$command" 1 status=1
		multicast refused 1
	done
	faults_off
}

# A command without an answer is given up after a second.
test_multicast_requests_answered_too_late() {
	sm_away
	reload cmd_timeout_ms=1000
	one_fault delay WRITE_MGM 2 time=1500ms
	multicast late 3
	faults_off
}

test_multicast_requests_never_answered() {
	one_fault drop WRITE_MGM 2
	multicast lost 2
	faults_off
	sm_away
	unbind
	bind
}

mcast_ready() {
	messages_since "$1" | grep -q 'tavor_mcast: # ready'
}

test_multicast_requests_of_a_device_that_fails() {
	local since
	sm_away
	reload
	since=$(mark)
	one_fault delay MGID_HASH 3 time=30s
	multicast fails 2 &
	until_true 20 mcast_ready "$since"
	catastrophe
	wait $!
	faults_off
	unbind
	bind
}

# qps: prints how many QPs the hardware owns
qps() {
	model '{"cmd":"objects","hca":0}' | grep -o '"qpn":' | wc -l
}

# leaves MODE RESULTS: a client unregisters while its QP is in a group, and the QP is detached
# later; prints how many QPs the hardware owns in between
leaves() {
	local since
	alone
	echo 1 >/sys/module/ib_tavor/parameters/softirq_objects
	since=$(mark)
	load_own tavor_mcast "mode=$1"
	qps
	rmmod tavor_mcast
	messages_since "$since" | grep 'tavor_mcast:' >&2
	[ "$(messages_since "$since" | grep -c 'tavor_mcast: ok ')" = "$2" ] ||
		fail "not $2 results that are good"
}

test_a_qp_that_is_left_in_a_group() {
	local before during
	before=$(qps)
	during=$(leaves left 3)
	[ "$during" = "$before" ] || fail "$during QPs, $before before"
}

# The refused reset leaves the QP with the hardware, so the driver stops the device.
test_a_qp_that_is_left_and_cannot_be_reset() {
	local since
	sm_away
	since=$(mark)
	# The first such command resets the QP that is in no group.
	one_fault status ERR2RST_QPEE 2 status=1
	leaves left_fails 2 >"$TEST_DIR/qps"
	said "$since" 'does not let go' || fail "the device has not failed"
	faults_off
	unbind
	bind
}

test_keys_that_are_reused() {
	sm_away
	reload num_mpt=1024
	client tavor_keys 1
}

test_gids_of_paths_that_are_replaced() {
	client tavor_paths 1
}

# refuses MODE NUMBER: runs tavor_refuses in this mode; it prints so many results
refuses() {
	client tavor_refuses "$2" "mode=$1"
}

test_refuses_regions() {
	refuses region 4
}

test_refuses_attributes_of_qps() {
	refuses qp 2
}

test_refuses_connects() {
	refuses connect 1
}

test_refuses_ports() {
	refuses port 1
}

test_refuses_mads() {
	refuses mad 3
}

test_refuses_other_requests() {
	refuses rest 1
}

test_refuses_sizes() {
	refuses alloc 1
}

# The commands take different times and are executed in any order.
test_changes_of_two_capabilities_at_once() {
	sm_away
	model_set 0 cmd_order random
	model_set 0 latency_op MAD_IFC=uniform:100us:3ms,SET_IB=uniform:100us:3ms
	client tavor_caps 1
	model_set 0 latency_op ''
	model_set 0 cmd_order fifo
}

# violations: prints how many violations of each kind the model has recorded
violations() {
	model '{"cmd":"stats","hca":0}' | sed -E 's/.*"violations":\{([^}]*)\}.*/\1/'
}

# traffic: makes sure that a subnet manager runs and that a port is active, whatever earlier tests
# did
traffic() {
	any_port_active || sm_restart
	until_true 60 any_port_active
}

# resets MODE: the module prints one result, and the model records no violation
resets() {
	local before
	traffic
	before=$(violations)
	client tavor_resets 1 "mode=$1"
	[ "$(violations)" = "$before" ] || fail "violations: $(violations)"
}

test_posts_race_with_resets() {
	resets races
}

test_posts_during_a_reset() {
	model_set 0 latency_op ERR2RST_QPEE=300ms
	resets slow
	model_set 0 latency_op ''
}

test_posts_after_a_reset_that_is_refused() {
	one_fault status ERR2RST_QPEE 1 status=1
	resets refused
	faults_off
}

# resize MODE NUMBER: no page of a ring is left
resize() {
	local used
	alone
	traffic
	used=$(rings ring_pages_used)
	client tavor_resize "$2" "mode=$1"
	[ "$(rings ring_pages_used)" = "$used" ] || fail "$used pages, now $(rings ring_pages_used)"
}

test_resizes_of_cqs() {
	resize works 5
}

test_resizes_of_cqs_that_are_busy() {
	resize busy 1
}

test_resizes_of_cqs_that_take_their_time() {
	model_set 0 latency_op RESIZE_CQ=300ms
	resize slow 2
	model_set 0 latency_op ''
}

test_resizes_of_cqs_that_are_refused() {
	one_fault status RESIZE_CQ 1 status=1
	resize refused 1
	# The two of the PD, and those of the CQ and of the QP, come first.
	one_fault status SW2HW_MPT 5 status=1
	resize refused 1
	faults_off
}

# given_up_after_a_second: a command without an answer is given up after a second. A port is active,
# but its subnet manager has ended: while a device answers other commands, a command gets more time.
given_up_after_a_second() {
	sm_around reload cmd_timeout_ms=1000
	sm_away
}

test_resizes_of_cqs_answered_too_late() {
	given_up_after_a_second
	one_fault delay RESIZE_CQ 1 time=2500ms
	resize late 1
	faults_off
}

test_resizes_repeated_while_the_cq_is_polled() {
	given_up_after_a_second
	one_fault delay RESIZE_CQ 1 time=2500ms
	resize again 1
	faults_off
}

# cq_doorbells MARK POINT: waits until tavor_drops is at this point, prints how often doorbells of
# CQs have been rung, and lets it go on
cq_doorbells() {
	until_true 60 drops_is_at "$1" "$2"
	model '{"cmd":"stats","hca":0,"history":false}' | sed -E 's/.*"db_cq":([0-9]+).*/\1/'
	echo $(($2 + 1)) >/sys/module/tavor_drops/parameters/hold
}

drops_is_at() {
	messages_since "$1" | grep -q "tavor_drops: # is at $2"
}

# A poll releases the CQ's lock after 64 of the 1024 completions.
test_completions_that_are_dropped() {
	local since before after
	alone
	# With the default timeout, which is longer than the command takes.
	sm_around reload
	sm_away
	model_set 0 latency_op ERR2RST_QPEE=8s
	since=$(mark)
	load_own tavor_drops &
	before=$(cq_doorbells "$since" 1)
	after=$(cq_doorbells "$since" 2)
	wait $!
	model_set 0 latency_op ''
	rmmod tavor_drops
	messages_since "$since" | grep tavor_drops:
	messages_since "$since" | grep -q 'tavor_drops: ok ' || fail "the test has failed"
	[ $((after - before)) -ge 16 ] || fail "the lock was held $((after - before)) times"
}

# Later kernels have no ib_resize_cq().
test_resizes_by_ib_core_answered_too_late() {
	local command
	[[ $(uname -r) == 6.* ]] || skip "the kernel has no ib_resize_cq()"
	for command in RESIZE_CQ HW2SW_MPT; do
		given_up_after_a_second
		one_fault delay "$command" 1 time=2500ms
		resize core 1
		faults_off
	done
}

# The resize is complete except for the key of the CQ's old buffer.
test_resizes_of_cqs_whose_old_key_is_answered_too_late() {
	given_up_after_a_second
	one_fault delay HW2SW_MPT 1 time=2500ms
	resize late 1
	faults_off
}

# created_again COMMAND MODE: the create whose COMMAND is answered too late is repeated
created_again() {
	given_up_after_a_second
	one_fault delay "$1" 1 time=2500ms
	client tavor_again 1 "mode=$2"
	faults_off
}

# affinity_file QUEUE: the file with the processors of its interrupt
affinity_file() {
	sed -nE "s|^ *([0-9]+):.*ib_tavor-$1@.*|/proc/irq/\1/smp_affinity_list|p" \
		/proc/interrupts
}

affinity() {
	cat "$(affinity_file "$1")"
}

# affinities MARK: ib_core has got the affinity of each vector since MARK
affinities() {
	local vectors vector want
	vectors=$(grep -c ib_tavor-comp /proc/interrupts)
	[ "$vectors" -gt 1 ] || fail "$vectors vectors"
	for ((vector = 0; vector < vectors; vector++)); do
		want="vector $vector: $(affinity "comp$vector")"
		messages_since "$1" | grep -q "tavor_vectors: $want\$" || fail "not $want"
	done
}

test_affinity_of_vectors() {
	local since
	traffic
	since=$(mark)
	load_own tavor_vectors
	rmmod tavor_vectors
	messages_since "$since" | grep -v 'kernel has no ib_get_vector_affinity' |
		grep 'tavor_vectors:' || skip "the kernel has no ib_get_vector_affinity()"
	affinities "$since"
	echo 1 >"$(affinity_file comp0)"
	[ "$(affinity comp0)" = 1 ] || fail "the administrator cannot set it"
	# The kernel moves an interrupt when it fires the next time.
	pair "ibv_rc_pingpong -e -n 10" "ibv_rc_pingpong -e -n 10"
	since=$(mark)
	client tavor_vectors 1
	affinities "$since"
}

# The events of CQs are read on processor 0, which a handler keeps busy; commands and the test are
# on processor 1.
test_a_cq_that_is_destroyed_before_its_event_is_read() {
	[ "$(nproc)" -gt 1 ] || skip "one processor"
	traffic
	echo 0 >"$(affinity_file comp0)"
	echo 1 >"$(affinity_file cmd)"
	# The kernel moves an interrupt when it fires the next time.
	pair "ibv_rc_pingpong -e -n 10" "ibv_rc_pingpong -e -n 10"
	taskset -pc 1 "$BASHPID"
	client tavor_unread 1
}

test_creates_of_cqs_answered_too_late() {
	created_again SW2HW_CQ cq
}

test_creates_of_srqs_answered_too_late() {
	created_again SW2HW_SRQ srq
}

run_tests "$@"
