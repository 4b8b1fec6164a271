#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: host
#
# Tests which lines of the kernel's log count as a complaint, and which do not.

cd "$(dirname "$0")/.." || exit 1
# shellcheck source=SCRIPTDIR/../lib/try.bash
. lib/try.bash

# found LINE..., clean LINE...: each line, as a separate log, is a complaint or is none
found() {
	for line; do
		[ "$(printf '%s\r\n' "[    1.234567] $line" | ./complaints /dev/stdin)" = \
			"[    1.234567] $line" ]
		result $? "found: $line"
	done
}

clean() {
	for line; do
		printf '%s\n' "[    1.234567] $line" | ./complaints /dev/stdin >/dev/null
		result $? "not a complaint: $line"
	done
}

# expecting STATUS TEXT PATTERN...: the status with two complaints in the log
expecting() {
	local want=$1 text=$2 args=() pattern status=0
	shift 2
	for pattern; do
		args+=(--expect "$pattern")
	done
	printf '%s\n' "[    1.0] BUG: one" "[    2.0] WARNING: two" |
		./complaints "${args[@]}" /dev/stdin >/dev/null 2>&1 || status=$?
	[ "$status" = "$want" ]
	result $? "$text"
}

echo "TAP version 13"
found "WARNING: CPU: 0 PID: 9 at kernel/dma/debug.c:1044 check_unmap+0x1/0x2" \
	"WARNING: CPU: 1 PID: 75 at drivers/infiniband/core/verbs.c:12 ib_free+0x1/0x2 [ib_core]" \
	"WARNING: drivers/infiniband/core/verbs.c:12 at ib_free+0x1/0x2 [ib_core], CPU#1: rm/75" \
	"WARNING: possible circular locking dependency detected" \
	"WARNING: inconsistent lock state" "WARNING: suspicious RCU usage" \
	"BUG: KASAN: slab-use-after-free in vrb_submit+0x1/0x2 [ib_vrb]" \
	"BUG: KFENCE: out-of-bounds read in vrb_submit+0x1/0x2" \
	"BUG: KCSAN: data-race in vrb_run [ib_vrb] / vrb_submit [ib_vrb]" \
	"BUG: sleeping function called from invalid context at mm/slab.h:1" \
	"BUG: scheduling while atomic: swapper/0/0/0x00000100" \
	"BUG: kernel NULL pointer dereference, address: 0000000000000000" \
	"UBSAN: shift-out-of-bounds in drivers/infiniband/hw/mthca/mthca_main.c:1:2" \
	"Oops: Oops: 0000 [#1] SMP" \
	"Oops: general protection fault, maybe for address 0x1: 0000 [#1]" \
	"kernel BUG at mm/slub.c:1!" "Kernel panic - not syncing: Fatal exception" \
	"INFO: task rmmod:77 blocked for more than 120 seconds." \
	"rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:" \
	"watchdog: BUG: soft lockup - CPU#0 stuck for 26s! [rmmod:77]" \
	"DMA-API: ib_tavor 0000:00:05.0: device driver frees DMA memory with different size" \
	"ib_tavor 0000:00:05.0: DMA-API: device driver maps memory from stack" \
	"kmemleak: 3 new suspected memory leaks (see /sys/kernel/debug/kmemleak)" \
	"refcount_t: underflow; use-after-free." \
	"irq 11: nobody cared (try booting with the \"irqpoll\" option)"
clean "DMA-API: preallocated 65536 debug entries" "DMA-API: debugging enabled by kernel config" \
	"DMA-API: dma_debug_entry pool grown by 131072 entries" "DMA-API: Mapped at:" \
	"DMA-API: ib_tavor 0000:00:05.0: cacheline tracking EEXIST, overlapping mappings aren't" \
	"WARNING: CPU: 0 PID: 1097 at kernel/dma/debug.c:601 add_dma_entry+0x3ba/0x4f0" \
	"WARNING: CPU: 0 PID: 2112 at arch/x86/mm/pat/memtype.c:983 get_pat_info+0xe5/0x100" \
	"NMI watchdog: Perf NMI watchdog permanently disabled" \
	"ib_vrb: loading out-of-tree module taints kernel." \
	"ib_mthca 0000:00:05.0: Warning: couldn't set 64-bit consistent DMA mask." \
	"Spectre V2 : WARNING: Unprivileged eBPF is enabled" \
	"tavor0: a test says: no WARNING: here" "a line where BUG: comes in the middle"
expecting 1 "two complaints fail"
expecting 1 "two complaints fail if one is expected" "BUG: o"
expecting 0 "two complaints pass if both are expected" "BUG: o" "WARNING: t.o"
expecting 0 "one pattern may match several complaints" "one|two"
expecting 1 "an expected complaint that is missing fails" "one|two" "three"
expecting 2 "a pattern that is no regular expression is refused" "("
expecting 2 "an empty pattern is refused" ""
echo "1..$number"
