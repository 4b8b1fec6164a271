#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --driver tavor --sm --modules tavor_client
# Timeout: 300
# Guest: own
# Level: ci
#
# What only a client in the kernel can ask: client/tavor_client.c and client/tavor_softirq.c. By
# hand:
#   tools/testing/vm/run --driver tavor --sm --modules tavor_client -- \
#	tools/testing/selftests/tavor/kernel_client.sh

# shellcheck source=SCRIPTDIR/faults.bash
. "$(dirname "$0")/faults.bash"

# results MARK NUMBER: all of so many were good
results() {
	messages_since "$1" | grep 'tavor_client:'
	[ "$(messages_since "$1" | grep -c 'tavor_client: ok ')" = "$2" ]
}

again() {
	! loaded tavor_client || rmmod tavor_client
	load_own tavor_client "mode=$1"
}

test_posts_and_drains_of_a_device_that_works() {
	local since
	since=$(mark)
	again works
	results "$since" 6
}

test_lives_in_softirq() {
	local since
	since=$(mark)
	echo 1 >/sys/module/ib_tavor/parameters/softirq_objects
	load_own tavor_softirq
	rmmod tavor_softirq
	messages_since "$since" | grep 'tavor_softirq:'
	[ "$(messages_since "$since" | grep -c 'tavor_softirq: ok ')" = 3 ]
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
	model '{"cmd":"event","hca":0,"type":8,"subtype":0,"data":[0,0,5,5]}' | grep -q '"ok":true'
	wait
	faults_off
	results "$since" 4
	unbind
	bind
}

run_tests "$@"
