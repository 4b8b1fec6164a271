#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --driver tavor --sm
# Kernels: 6.12 6.12-rt 7-rt
# Timeout: 600
# Level: ci
#
# Tests the driver when timers process its commands and event queues, as on kernels with
# PREEMPT_RT. Programs of others run as before. By hand:
#   tools/testing/vm/run --driver tavor --sm -- tools/testing/selftests/tavor/timer.sh

# shellcheck disable=SC2317 # the tests are called by name
# shellcheck source=SCRIPTDIR/../../interop/rdma_core.bash
. "$(dirname "$0")/../../interop/rdma_core.bash"
# shellcheck source=SCRIPTDIR/faults.bash
. "$(dirname "$0")/faults.bash"

# timer Y|N: binds the device again, with timers or without
timer() {
	unbind
	echo "$1" >/sys/module/ib_vrb/parameters/soft_timer
	bind
}

# irq_polls: prints how often this softirq has run
irq_polls() {
	awk '$1 == "IRQ_POLL:" { print $2 + $3 }' /proc/softirqs
}

test_everything_works_with_timers() {
	local before
	sm_around timer Y
	before=$(irq_polls)
	test_ibv_devinfo
	pair "ibv_rc_pingpong -c -e -n 100" "ibv_rc_pingpong -c -e -n 100"
	[ "$(irq_polls)" = "$before" ] || fail "irq_poll has run"
}

test_back_to_irq_poll() {
	local before
	[ ! -e /sys/kernel/realtime ] || skip "with PREEMPT_RT timers always do it"
	sm_around timer N
	before=$(irq_polls)
	test_ibv_devinfo
	[ "$(irq_polls)" -gt "$before" ] || fail "irq_poll has not run"
}

[ $# != 0 ] || set -- test_everything_works_with_timers \
	test_both_ports_are_active test_ibv_devinfo test_ibstat test_rc_pingpong_with_events \
	test_rc_pingpong_from_port_1_to_port_2 test_uc_pingpong_with_events_between_ports \
	test_ud_pingpong_with_events_between_ports test_srq_pingpong_with_events_between_ports \
	test_ibping test_back_to_irq_poll
run_tests "$@"
