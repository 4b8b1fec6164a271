#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --driver tavor
# Timeout: 900
# Level: all
#
# Tests failures of commands while kernel clients are added to the device and removed from it. The
# probe either succeeds or fails, and the removal leaves nothing behind. By hand:
#   tools/testing/vm/run --driver tavor -- \
#     tools/testing/selftests/tavor/client_errors.sh [test_NAME...]

# shellcheck source=SCRIPTDIR/faults.bash
. "$(dirname "$0")/faults.bash"

TEST_SECONDS=600

# comes_and_goes ACTION COMMAND N [FIELD=VALUE...]: binds and unbinds with this fault
comes_and_goes() {
	local since
	since=$(mark)
	one_fault "$@"
	bind || echo "the probe has failed"
	until_true 20 said "$since" 'failed|answered' || fail "not struck: $*"
	! bound || unbind
	nothing_left "$since"
	messages_since "$since" | grep -oE -m 1 "(ib_tavor|ib_vrb).*"
}

# each_command ACTION [FIELD=VALUE...]: does that for each command of the clients
each_command() {
	local command n
	quick
	unbind
	for command in SW2HW_CQ RST2INIT_QPEE INIT2RTR_QPEE RTR2RTS_QPEE INIT_IB SET_IB; do
		comes_and_goes "$1" "$command" 1 "${@:2}"
	done
	for n in 3 5 12 20; do
		comes_and_goes "$1" MAD_IFC "$n" "${@:2}"
	done
	for n in 7 8 9 12; do
		comes_and_goes "$1" SW2HW_MPT "$n" "${@:2}"
	done
	faults_off
	usable
}

test_each_command_refused() {
	each_command status status=1
}

test_each_command_not_answered() {
	each_command drop
}

test_a_catastrophe_while_clients_register() {
	quick
	unbind
	comes_and_goes catas MAD_IFC 20
	comes_and_goes catas RTR2RTS_QPEE 2
	usable
}

test_a_firmware_that_hangs_while_clients_register() {
	quick
	unbind
	comes_and_goes hang MAD_IFC 20
	comes_and_goes hang SW2HW_CQ 2
	usable
}

run_tests "$@"
