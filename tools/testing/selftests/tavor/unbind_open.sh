#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Timeout: 300
# Guest: own
# Level: ci
# Runs: guest --driver tavor --hcas 2 --modules tavor_bus_error
# Kernels: 6.12
# Runs: guest --driver mthca --hcas 2 --modules tavor_bus_error
# Level: all
#
# Tests an unbind while a process has the device open. ib_tavor takes the device from the process,
# and the page through which it rings doorbells. ib_mthca waits for the process to end, and
# meanwhile no other HCA can be unbound. ib_mthca has no handler for errors of the PCI bus, either.
# By hand:
#   tools/testing/vm/run --driver tavor --hcas 2 --modules tavor_bus_error -- \
#     tools/testing/selftests/tavor/unbind_open.sh [test_NAME...]

RECOVERIES=6
# shellcheck source=SCRIPTDIR/faults.bash
. "$(dirname "$0")/faults.bash"

PCI=/sys/bus/pci/drivers/ib_$DRIVER

# hcas: prints the PCI addresses of both HCAs
hcas() {
	basename -a "$PCI"/*:*:*.*
}

# of HCA: prints the name of the RDMA device
of() {
	ls "/sys/bus/pci/devices/$1/infiniband"
}

# unbinds HCA: unbinds in the background; sets PID
unbinds() {
	(echo "$1" >"$PCI/unbind") &
	PID=$!
}

# waits PID FUNCTION: the unbind does not end, because FUNCTION waits
waits() {
	sleep 3
	! ended "$1" || fail "it has not waited"
	grep -q "$2" "/proc/$1/stack" || fail "it waits elsewhere: $(cat "/proc/$1/stack")"
}

# ends_soon PID
ends_soon() {
	until_true 20 ended "$1" || fail "it does not end: $(cat "/proc/$1/stack")"
}

test_an_unbind_under_an_open_file() {
	local first second watcher one other
	{ read -r first; read -r second; } < <(hcas)
	stdbuf -oL ibv_asyncwatch -d "$(of "$first")" >"$TEST_DIR/events" 2>&1 &
	watcher=$!
	until_true 20 grep -q 'async event FD' "$TEST_DIR/events" || fail "$(<"$TEST_DIR/events")"
	unbinds "$first"
	one=$PID
	if loaded ib_tavor; then
		ends_soon "$one"
		! ended "$watcher" || fail "the process has ended before"
		unbinds "$second"
		ends_soon "$PID"
		kill "$watcher"
	else
		waits "$one" ib_uverbs_remove_one
		unbinds "$second"
		other=$PID
		waits "$other" mthca_remove_one
		kill "$watcher"
		ends_soon "$one"
		ends_soon "$other"
	fi
	ends_soon "$watcher"
	echo "$first" >"$PCI/bind"
	echo "$second" >"$PCI/bind"
	[ "$(rdma_devices | wc -l)" = 2 ] || fail "devices: $(rdma_devices)"
}

# rung: prints how often doorbells of CQs have been rung on the first HCA
rung() {
	model '{"cmd":"stats","hca":0,"history":false}' | sed -E 's/.*"db_cq":([0-9]+).*/\1/'
}

# rings: a program rings them, which does it far more often than the kernel
rings() {
	local before
	before=$(rung)
	sleep 2
	[ "$(rung)" -gt $((before + 50)) ]
}

test_doorbells_after_an_unbind() {
	local first pid
	first=$(hcas | head -n 1)
	"${TEST_BIN:-$TREE/build/guest/tavor}/doorbell" "$(of "$first")" >"$TEST_DIR/rings" &
	pid=$!
	until_true 20 grep -q rings "$TEST_DIR/rings"
	rings || fail "the doorbells do not arrive"
	unbinds "$first"
	if loaded ib_tavor; then
		ends_soon "$PID"
		# Without a driver no doorbell would arrive anyway.
		echo "$first" >"$PCI/bind"
		! rings || fail "its doorbells still arrive"
		! ended "$pid" || fail "the process has ended before"
	else
		waits "$PID" ib_uverbs_remove_one
		rings || fail "ib_mthca has taken the page"
		kill "$pid"
		ends_soon "$PID"
		echo "$first" >"$PCI/bind"
		return
	fi
	kill "$pid"
}

test_an_error_of_the_bus() {
	local status=0
	echo nonfatal >/sys/module/tavor_bus_error/parameters/report || status=$?
	if loaded ib_tavor; then
		[ "$status" = 0 ]
		grep -qx 'need reset' /sys/module/tavor_bus_error/parameters/verdict
		echo reset >/sys/module/tavor_bus_error/parameters/report
		echo resume >/sys/module/tavor_bus_error/parameters/report
	else
		[ "$status" != 0 ] || fail "ib_mthca has a handler"
	fi
}

run_tests "$@"
