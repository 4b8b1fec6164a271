#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Timeout: 900
# Guest: own
# Level: all
# Runs: guest --bridge --modules "pcix_bridge ib_tavor"
# As: tavor
# Runs: guest --driver mthca --bridge --modules pcix_bridge
# As: mthca
#
# Tests the reset of an MT23108 that has a PCI-X bridge of its own, which is reset with it. The
# driver restores the bridge completely, its command register last, and reports what it cannot
# restore. It restores that at the next reset. By hand:
#   tools/testing/vm/run --bridge --modules "pcix_bridge ib_tavor" -- \
#     tools/testing/selftests/tavor/bridge.sh [test_NAME...]

# shellcheck source=SCRIPTDIR/faults.bash
. "$(dirname "$0")/faults.bash"

# A probe takes more than a second, or eleven seconds if the bridge does not respond.
TEST_SECONDS=300

# The bench loads ib_tavor as a module without a device, so that a failed probe is only a result.
! loaded ib_tavor || DRIVER=tavor
TAVOR=/sys/bus/pci/drivers/ib_$DRIVER
BRIDGE=/sys/module/pcix_bridge/parameters
modprobe -a ib_uverbs ib_umad

# state NAME: prints a number of the simulated bridge
state() {
	awk -v name="$1" '$1 == name { print $2 }' "$BRIDGE/state"
}

# bridge_set NAME VALUE: sets a parameter of the simulated bridge
bridge_set() {
	echo "$2" >"$BRIDGE/$1"
}

# logged MARK PATTERN: the driver has logged one matching line since MARK
logged() {
	[ "$(messages_since "$1" | grep -cE "ib_$DRIVER.*($2)")" = 1 ] ||
		fail "not one line '$2': $(messages_since "$1")"
}

# reset_failed MARK: ib_tavor has logged the failed reset, too, and only once
reset_failed() {
	[ "$DRIVER" != tavor ] || logged "$1" 'reset failed'
}

# is NAME VALUE: the number of the simulated bridge is VALUE
is() {
	[ "$(state "$1")" = "$2" ] || fail "$1 is not $2: $(cat "$BRIDGE/state")"
}

# all_restored: each reset of the bridge was followed by a complete restore. The bits stand for the
# dwords that a reset must have changed: command, cache line, bus numbers, windows, bridge control,
# and the two split controls.
all_restored() {
	local must=$((0x2 | 0x8 | 0x40 | 0x100 | 0x200 | 0x8000 | 0x30000))
	cat "$BRIDGE/state"
	[ $(($(state forgot) & must)) = "$must" ] || fail "the bridge has not lost everything"
	is lost 0
	is wrong 0x0
	is early 0x0
	is blind 0
	is restored "$(state resets)"
}

# bind_timed: binds, and prints how many seconds that took; an error is in the file "error"
bind_timed() {
	local address began=$SECONDS status=0
	address=$(function_address)
	echo "$address" 2>"$TEST_DIR/error" >"$TAVOR/bind" || status=$?
	echo $((SECONDS - began))
	return "$status"
}

# no_device: the last bind failed with -ENODEV
no_device() {
	cat "$TEST_DIR/error"
	grep -q 'No such device' "$TEST_DIR/error"
	! bound
}

# begin: unbinds the driver if necessary, and makes the simulated bridge work again
begin() {
	bridge_set away 0
	bridge_set pcix Y
	bridge_set repair 1
	! bound || unbind
}

released() {
	absent "ib_$DRIVER" /proc/interrupts /proc/iomem
	[ -z "$(rdma_devices)" ] || fail "an RDMA device is left: $(rdma_devices)"
}

test_the_first_probe_restores_the_bridge() {
	bound || fail "the probe failed: $(dmesg | tail -n 20; cat "$BRIDGE/state")"
	is resets 1
	all_restored
	dmesg >"$TEST_DIR/log"
	absent "ib_$DRIVER.*no bridge" "$TEST_DIR/log"
}

test_messages_pass_behind_the_bridge() {
	usable
	sm_around true
	pair "ibv_rc_pingpong -c -i 1" "ibv_rc_pingpong -c -e -i 2"
	sm_away
}

test_each_probe_resets_and_restores_the_bridge() {
	local n
	for n in 1 2 3; do
		begin
		n=$(state resets)
		bind
		is resets $((n + 1))
		all_restored
	done
	usable
}

test_a_recovery_restores_the_bridge() {
	local n since
	[ "$DRIVER" = tavor ] || skip "ib_mthca recovers in its own time"
	usable
	n=$(state resets)
	since=$(mark)
	recoveries 1
	catastrophe
	until_true 40 said "$since" 'recovery: the device is back' ||
		fail "it does not come back: $(messages_since "$since"; cat "$BRIDGE/state")"
	recoveries 0
	is resets $((n + 1))
	all_restored
	usable
}

test_a_bridge_that_comes_back_late() {
	local polls
	begin
	polls=$(state polls)
	bridge_set away 20
	bind_timed || fail "$(cat "$TEST_DIR/error")"
	bridge_set away 0
	[ "$(state polls)" -gt $((polls + 20)) ] ||
		fail "$polls polls before: $(cat "$BRIDGE/state")"
	all_restored
	usable
}

# lost_its_bridge: binds while the bridge does not respond, so the probe fails. Then the bridge
# responds again, with the configuration after its reset.
lost_its_bridge() {
	begin
	bridge_set away -1
	! bind_timed || fail "the probe succeeded"
	bridge_set away 0
	no_device
	is lost 1
}

# restored_since N: there have been two more restores than N: after the reset that failed, and after
# one that did not
restored_since() {
	cat "$BRIDGE/state"
	is lost 0
	is wrong 0x0
	is early 0x0
	is blind 0
	is restored $(($1 + 2))
}

# slot_is_reset: the bus reports an error, and then the slot of the HCA is reset
slot_is_reset() {
	local report=/sys/module/tavor_bus_error/parameters
	load_own tavor_bus_error
	echo frozen >"$report/report"
	echo reset >"$report/report"
	[ "$(<"$report/verdict")" = recovered ] || fail "after the slot's reset: $(dmesg | tail)"
	echo resume >"$report/report"
	rmmod tavor_bus_error
}

test_a_bridge_that_comes_back_for_the_next_probe() {
	local n
	[ "$DRIVER" = tavor ] || skip "ib_mthca does not restore it"
	n=$(state restored)
	lost_its_bridge
	bind || fail "$(dmesg | tail -n 20)"
	restored_since "$n"
	usable
	recoveries 1
	slot_is_reset
	recoveries 0
	is lost 0
	usable
}

test_a_bridge_that_misses_two_probes() {
	local n
	[ "$DRIVER" = tavor ] || skip "ib_mthca does not restore it"
	n=$(state restored)
	begin
	bridge_set away -1
	! bind_timed || fail "the probe succeeded"
	! bind_timed || fail "the next probe succeeded"
	bridge_set away 0
	bind || fail "$(dmesg | tail -n 20)"
	restored_since "$n"
	usable
}

test_a_bridge_that_comes_back_for_the_next_recovery() {
	local n since
	[ "$DRIVER" = tavor ] || skip "ib_mthca recovers in its own time"
	begin
	usable
	n=$(state restored)
	since=$(mark)
	bridge_set away -1
	recoveries 3
	catastrophe
	until_true 40 said "$since" 'recovery: the device did not come back' ||
		fail "no word of it: $(messages_since "$since")"
	bridge_set away 0
	until_true 40 said "$since" 'recovery: the device is back' ||
		fail "it does not come back: $(messages_since "$since"; cat "$BRIDGE/state")"
	recoveries 0
	restored_since "$n"
	usable
}

# The module that had saved the configuration is gone.
test_a_bridge_whose_saved_configuration_is_lost() {
	local since
	[ "$DRIVER" = tavor ] || skip "ib_mthca saves what it finds"
	since=$(mark)
	lost_its_bridge
	rmmod ib_tavor
	messages_since "$since" | grep 'needs a power cycle'
	since=$(mark)
	load_own ib_tavor
	! bound || fail "the probe succeeded"
	logged "$since" 'has lost its configuration'
	is lost 1
	is blind 0
	bridge_set repair 1
	is lost 0
	bind
	usable
}

test_a_bridge_that_never_comes_back() {
	local since time
	begin
	since=$(mark)
	bridge_set away -1
	! time=$(bind_timed) || fail "the probe succeeded"
	bridge_set away 0
	no_device
	echo "$time s"
	[ "$time" -ge 10 ] && [ "$time" -le 20 ] || fail "not 11 s"
	logged "$since" 'did not come back after (the )?reset'
	reset_failed "$since"
	is lost 1
	is blind 0
	released
	bridge_set repair 1
	is lost 0
	bind
	usable
}

test_a_bridge_without_a_pcix_capability() {
	local since resets
	begin
	resets=$(state resets)
	since=$(mark)
	bridge_set pcix N
	! bind_timed || fail "the probe succeeded"
	bridge_set pcix Y
	no_device
	logged "$since" 'bridge has no PCI-X capability|Couldn.t locate HCA bridge PCI-X capability'
	reset_failed "$since"
	is resets "$resets"
	released
	bind
	is resets $((resets + 1))
	usable
}

test_without_the_bridge_of_the_card() {
	local since
	begin
	rmmod pcix_bridge
	since=$(mark)
	bind
	logged "$since" '[Nn]o bridge'
	usable
	unbind
	load_own pcix_bridge
	bind
	is resets 1
	all_restored
	usable
}

run_tests "$@"
