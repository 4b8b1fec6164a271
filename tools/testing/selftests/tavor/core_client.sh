#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Timeout: 300
# Level: ci
# Guest: own
# Runs: guest --driver tavor --sm --modules tavor_ah
# Kernels: 6.12 debug
# Runs: guest --driver mthca --sm --modules tavor_ah --hca waive=qp-db-none --expect-complaint "NULL pointer dereference" --expect-complaint Oops
# Kernels: 6.12
# Level: all
#
# Tests the verbs that a driver offers to kernel clients through ib_core. A query of an address
# handle (client/tavor_ah.c) returns the attributes of its create, invalid attributes are refused,
# and as many address handles can be created as the device reports. A refused work request does not
# affect any other, and an empty entry of a list means no data (client/tavor_posts.c). No region
# gets a key that has a special meaning.
# ib_mthca's query of an address handle dereferences a null pointer, which the run expects; and it
# rings the doorbell of a QP in RESET, which the run waives. By hand:
#   tools/testing/vm/run --driver tavor --sm --modules tavor_ah -- \
#     tools/testing/selftests/tavor/core_client.sh [test_NAME...]

# shellcheck source=SCRIPTDIR/faults.bash
. "$(dirname "$0")/faults.bash"

# client MODULE PARAMETER: loads the module; its results are in $TEST_DIR/results
client() {
	local since
	! loaded "$1" || rmmod "$1"
	since=$(mark)
	load_own "$1" "$2"
	rmmod "$1"
	messages_since "$since" | grep "$1:" | tee "$TEST_DIR/results"
}

# good NUMBER: result NUMBER is good
good() {
	grep -qE "tavor_[a-z]+: ok $1 " "$TEST_DIR/results"
}

bad() {
	grep -qE "tavor_[a-z]+: not ok $1 " "$TEST_DIR/results"
}

# libmthca ends scatter lists with this key, so no region may have it. This test comes first because
# it takes long until a key is reused.
test_no_region_has_the_key_that_ends_lists() {
	"$TREE/build/guest/tavor/lkeys" >"$TEST_DIR/keys"
	grep -qx 0xff "$TEST_DIR/keys"
	grep -qx 0x101 "$TEST_DIR/keys"
	if loaded ib_tavor; then
		absent '^0x100$' "$TEST_DIR/keys"
	else
		grep -qx 0x100 "$TEST_DIR/keys"
	fi
}

test_work_requests_that_are_refused() {
	client tavor_posts run=1
	good 1
	good 2
	if loaded ib_tavor; then
		good 3
	else
		bad 3
	fi
	good 4
	good 5
}

# With an error CQE that stands for all WQEs behind it, ib_mthca loses the completions behind a
# refused request. It passes an empty entry on, which may mean 2 GB.
test_the_same_on_hardware_that_counts() {
	local n
	model_set 0 flush_count 1
	model_set 0 zero_is_2g 1
	client tavor_posts run=1
	for n in 1 2 4 5; do
		if loaded ib_tavor; then
			good "$n"
		else
			bad "$n"
		fi
	done
	model_set 0 flush_count 0
	model_set 0 zero_is_2g 0
}

# ib_mthca truncates values that do not fit.
test_address_handles_that_are_refused() {
	client tavor_ah mode=refuses
	good 1
	if loaded ib_tavor; then
		good 2
	else
		bad 2
	fi
}

test_as_many_address_handles_as_the_device_reports() {
	loaded ib_tavor || skip "ib_mthca has as many as there is memory"
	client tavor_ah mode=many
	good 1
	good 2
}

# This test is the last one, because the guest may not survive what ib_mthca does.
test_queries_of_address_handles() {
	loaded ib_tavor || echo 0 >/proc/sys/kernel/panic_on_oops
	client tavor_ah mode=queries
	if loaded ib_tavor; then
		good 1
	else
		grep -q '# the query has not returned' "$TEST_DIR/results"
	fi
}

run_tests "$@"
