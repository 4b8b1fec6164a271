#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --driver tavor --modules hold_calls
# Timeout: 300
# Guest: own
# Level: ci
#
# Tests that an event of a port, or a failure, which happens while the device is being registered is
# dispatched after the registration. Work of ib_core for an earlier event could outlive a device
# whose registration fails. By hand:
#   tools/testing/vm/run --driver tavor --modules hold_calls -- \
#     tools/testing/selftests/tavor/register_events.sh

# shellcheck source=SCRIPTDIR/life.bash
. "$(dirname "$0")/life.bash"

HOLD=/sys/module/hold_calls/parameters
TRACE=/sys/kernel/tracing

held() {
	[ "$(<"$HOLD/held")" = Y ]
}

# dispatched: prints the type and the port of each event that the driver has passed to ib_core
dispatched() {
	sed -nE 's/.*dispatched: .*(type=[0-9]+ port=[0-9]+)$/\1/p' "$TRACE/trace"
}

# let_go: the module must not be unloaded under the bind, also not if the test has failed
let_go() {
	echo 1 >"$HOLD/go_on"
	wait "$BINDING"
}

# register_held: the driver has registered the device, and dispatches no events yet
register_held() {
	! bound || unbind
	rmmod hold_calls
	load_own hold_calls function=tavor_dispatch_on
	echo >"$TRACE/trace"
	bind &
	BINDING=$!
	trap 'let_go || :' EXIT
	until_true 20 held || fail "the driver does not register the device"
}

register_goes_on() {
	[ -z "$(dispatched)" ] || fail "dispatched before: $(dispatched)"
	trap - EXIT
	let_go
}

probe_ends() {
	[ ! -e "$TRACE/events/kprobes/dispatched" ] ||
		echo 0 >"$TRACE/events/kprobes/dispatched/enable"
	echo >"$TRACE/kprobe_events"
}

# A run that was interrupted may have left the probe.
test_setup() {
	probe_ends
	echo 'p:dispatched ib_dispatch_event type=+16(%di):u32 port=+8(%di):u32' \
		>"$TRACE/kprobe_events"
	echo 1 >"$TRACE/events/kprobes/dispatched/enable"
}

# IB_EVENT_PORT_ERR is 10, IB_EVENT_DEVICE_FATAL is 8.
test_an_event_of_a_port() {
	local since
	register_held
	since=$(mark)
	model '{"cmd":"event","hca":0,"type":9,"subtype":1,"data":[0,0,268435456]}' |
		grep -q '"ok":true'
	until_true 20 said "$since" 'port 1'
	register_goes_on
	dispatched | grep -qx 'type=10 port=1' || fail "dispatched: $(dispatched)"
}

test_a_failure() {
	local since
	register_held
	since=$(mark)
	catastrophe
	until_true 20 failed "$since"
	register_goes_on || :
	dispatched | grep -q 'type=8 ' || fail "dispatched: $(dispatched)"
	unbind
	nothing_left "$since"
}

test_the_device_serves_again() {
	rmmod hold_calls
	probe_ends
	usable
}

run_tests "$@"
