#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --driver tavor
# Kernels: 6.12 debug
# Timeout: 900
# Level: all
#
# Tests that the probe fails cleanly when one of its firmware commands is refused or is never
# answered. The message names the command, nothing is left behind, and the next probe succeeds. By
# hand:
#   tools/testing/vm/run --driver tavor -- \
#     tools/testing/selftests/tavor/probe_errors.sh [test_NAME...]

# shellcheck source=SCRIPTDIR/faults.bash
. "$(dirname "$0")/faults.bash"

TEST_SECONDS=600

# probe_fails ACTION COMMAND N [FIELD=VALUE...]: the probe fails, because the command is the
# driver's own
probe_fails() {
	local since
	since=$(mark)
	one_fault "$@"
	if bind; then
		fail "the probe succeeded: $*"
	fi
	said "$since" "${2%_QPEE}" ||
		fail "the log does not name it: $*: $(messages_since "$since")"
	nothing_left "$since"
	messages_since "$since" | grep -oE -m 1 "(ib_tavor|ib_vrb).*"
}

# own_commands: lists the commands that the driver itself issues before it registers, and how often
own_commands() {
	local eqs
	# The queue for errors shares an interrupt.
	eqs=$(($(grep -c 'ib_tavor-' /proc/interrupts) + 1))
	cat <<-EOT
	SYS_EN 1
	QUERY_FW 1
	QUERY_DDR 1
	QUERY_DEV_LIM 1
	INIT_HCA 1
	QUERY_ADAPTER 1
	SW2HW_MPT $((1 + eqs))
	SW2HW_EQ $eqs
	MAP_EQ 3
	NOP 1
	CONF_SPECIAL_QP 2
	MAD_IFC 2
	EOT
}

# each_own_command ACTION [FIELD=VALUE...]: makes each of them fail, one after the other
each_own_command() {
	local command count n
	quick
	own_commands >"$TEST_DIR/own"
	unbind
	while read -r command count; do
		for n in $(seq "$count"); do
			probe_fails "$1" "$command" "$n" "${@:2}"
		done
	done <"$TEST_DIR/own"
	usable
}

test_the_list_of_commands_is_complete() {
	quick
	own_commands >"$TEST_DIR/own"
	unbind
	commands_of bind >"$TEST_DIR/probe"
	cat "$TEST_DIR/probe"
	# Only clients issue other commands: for the QPs and CQs of the management agents.
	awk 'NR == FNR { own[$1]; next } !($1 in own) { print $1 }' "$TEST_DIR/own" \
		"$TEST_DIR/probe" |
		grep -vE 'INIT_IB|SET_IB|SW2HW_CQ|_QPEE' | absent . -
	awk 'NR == FNR { n[$1] = $2; next } n[$1] < $2' "$TEST_DIR/probe" "$TEST_DIR/own" |
		absent . -
}

test_each_command_refused() {
	each_own_command status status=1
}

test_each_command_not_answered() {
	each_own_command drop
}

test_a_register_that_stays_busy() {
	quick
	unbind
	probe_fails go_stuck SYS_EN 1
	probe_fails go_stuck SW2HW_EQ 2
	probe_fails go_stuck CONF_SPECIAL_QP 1
	usable
}

test_a_firmware_that_hangs() {
	quick
	unbind
	probe_fails hang QUERY_FW 1
	probe_fails hang SW2HW_MPT 2
	probe_fails hang CONF_SPECIAL_QP 2
	usable
}

test_a_catastrophe() {
	quick
	unbind
	probe_fails catas INIT_HCA 1
	probe_fails catas MAP_EQ 2
	usable
}

test_the_module_loads_and_unloads_as_before() {
	module_comes_and_goes
}

run_tests "$@"
