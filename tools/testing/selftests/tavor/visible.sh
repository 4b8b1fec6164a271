#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --driver tavor --sm
# Level: ci
#
# Tests what the driver shows of the device in devlink(8), and of commands and events in the
# kernel's tracing. By hand:
#   tools/testing/vm/run --driver tavor --sm -- tools/testing/selftests/tavor/visible.sh

# shellcheck source=SCRIPTDIR/life.bash
. "$(dirname "$0")/life.bash"

TRACE=/sys/kernel/tracing

# device FILE: prints a file of the RDMA device in sysfs
device() {
	cat /sys/class/infiniband/*/"$1"
}

devlink_info() {
	devlink -j dev info "pci/$(function_address)"
}

# devlink_says KIND NAME VALUE: devlink shows this value
devlink_says() {
	devlink_info | tr -d ' ' | grep -q "\"$1\":{[^}]*\"$2\":\"$3\"" ||
		fail "no $1 $2 $3 in $(devlink_info)"
}

# traced COMMAND...: runs it with the driver's trace events, which are in $TEST_DIR/trace afterwards
traced() {
	echo >"$TRACE"/trace
	echo 1 >"$TRACE"/events/ib_tavor/enable
	"$@" >"$TEST_DIR/traced" 2>&1 || fail "$*: $(cat "$TEST_DIR/traced")"
	echo 0 >"$TRACE"/events/ib_tavor/enable
	grep 'tavor_' "$TRACE"/trace | sed -E 's/.*(tavor_[a-z_]+: )/\1/' >"$TEST_DIR/trace"
}

trace_has() {
	grep -qE "$1" "$TEST_DIR/trace" || fail "no $1 in: $(tail -n 30 "$TEST_DIR/trace")"
}

# answer COMMAND: prints the trace line of the answer to the first such firmware command
answer() {
	local token
	token=$(sed -nE "s/^tavor_cmd_post: .* $1 token=(0x[0-9a-f]+) .*/\1/p" "$TEST_DIR/trace" |
		head -n 1)
	[ -n "$token" ] || fail "no $1 in: $(tail -n 30 "$TEST_DIR/trace")"
	grep -E "^tavor_cmd_done: .* token=$token " "$TEST_DIR/trace" | head -n 1
}

test_devlink_identifies_the_card() {
	devlink_says running fw "$(device fw_ver)"
	devlink_says fixed board.id "$(device board_id)"
	devlink_says fixed asic.rev "$(device hw_rev)"
	devlink_says fixed asic.id 23108
	devlink_info | grep -q '"driver":"ib_tavor"'
}

test_devlink_identifies_the_card_of_a_failed_device() {
	local since version
	version=$(device fw_ver)
	since=$(mark)
	catastrophe
	until_true 20 failed "$since"
	devlink_says running fw "$version"
	unbind
	bind
	until_true 20 prints rdma_devices
}

holds() {
	"$PROGRAM" hold >"$TEST_DIR/holder" 2>&1 &
	until_true 30 grep -q holding "$TEST_DIR/holder"
	kill $!
	wait $! || :
}

test_a_command_is_traced_with_its_completion() {
	local command
	traced holds
	for command in SW2HW_MPT SW2HW_CQ RST2INIT_QPEE; do
		answer "$command" | grep -q ' status=0x0 ' ||
			fail "$command has no answer: $(cat "$TEST_DIR/trace")"
	done
	trace_has '^tavor_cmd_post: [0-9a-f:.]+ SW2HW_CQ token=0x[0-9a-f]+ in=0x[1-9a-f].* out=0x0 '
}

test_polled_commands_are_traced() {
	local command
	unbind
	traced bind
	until_true 20 prints rdma_devices
	for command in SYS_EN QUERY_FW INIT_HCA MAP_EQ; do
		answer "$command" | grep -q ' status=0x0 ' || fail "$command has no answer"
	done
}

test_a_refused_command_is_traced_with_its_status() {
	one_fault status SW2HW_CQ 1 status=3
	traced eval 'holds || :'
	faults_off
	answer SW2HW_CQ | grep -q ' status=0x3 '
}

# port_event SUBTYPE: raises an event of port 1
port_event() {
	local since
	since=$(mark)
	model '{"cmd":"event","hca":0,"type":9,"subtype":'"$1"',"data":[0,0,268435456]}' |
		grep -q '"ok":true'
	until_true 20 said "$since" 'port 1'
}

# The device has been bound again since the SM started.
test_events_are_traced_by_name() {
	sm_away
	sm_restart
	until_true 60 any_port_active
	traced pair "ibv_rc_pingpong -e -n 100" "ibv_rc_pingpong -e -n 100"
	trace_has '^tavor_event: [0-9a-f:.]+ eq=[0-9]+ index=[0-9]+ COMP subtype=0 '
	trace_has '^tavor_event: [0-9a-f:.]+ eq=[0-9]+ index=[0-9]+ CMD subtype=0 '
	traced port_event 1
	trace_has '^tavor_event: .* PORT_CHANGE subtype=1 000000000000000010000000'
	traced port_event 4
	trace_has '^tavor_event: .* PORT_CHANGE subtype=4 000000000000000010000000'
}

run_tests "$@"
