# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
# shellcheck shell=bash
#
# The state of the device and the kernel at one time, for mixed_load.sh: a folder with a file for
# each kind of thing that is counted, with one count per line.

# of_device MODULE FILE: prints one of a module's files in debugfs
of_device() {
	cat "/sys/kernel/debug/$1/$(function_address)/$2"
}

# objects_of_engine: counts them by type and state
objects_of_engine() {
	of_device ib_vrb objects |
		sed -nE 's/^([^#:]+):[^ ]+ [0-9]+ [0-9]+ [0-9]+ ([a-z]+).*/\1 \2/p' |
		sort | uniq -c
}

# objects_of_model: counts what the hardware owns, by type
objects_of_model() {
	local key reply
	reply=$(model '{"cmd":"objects","hca":0}')
	for key in eqn cqn qpn srqn key; do
		echo "$key $(grep -o "{\"$key\":" <<<"$reply" | wc -l)"
	done
}

# pools: counts the blocks in use of the device's DMA pools
pools() {
	awk 'NR > 1 { print $0 }' "/sys/bus/pci/devices/$(function_address)/pools" |
		sed -E 's/ +([0-9]+) +[0-9]+ +[0-9]+ +[0-9]+ *$/ \1/'
}

# state_objects: the objects that the engine, the model and the kernel count
state_objects() {
	echo "# engine" && objects_of_engine
	echo "# hardware" && objects_of_model
	echo "# rdma resource" && rdma resource show | sed 's/^[0-9]*: //'
	echo "# blocks of DMA pools in use" && pools
	echo "# pages of kernel queues in use: $(of_device ib_tavor ring_pages_used)"
}

# state_requests: requests and commands in progress; there must be none
state_requests() {
	of_device ib_vrb vrbs | grep -v '^#' || :
	of_device ib_vrb slots | grep -vE '^#| free$' || :
	of_device ib_vrb counters | grep -E '^(queue_now|slots_now) [1-9]' || :
	of_device ib_vrb objects | grep -vE '^#| 0 alive( |$)' || :
}

# state_modules: references to each module
state_modules() {
	local module
	for module in ib_tavor ib_vrb ib_core ib_cm iw_cm rdma_cm rdma_ucm ib_uverbs ib_umad; do
		! loaded "$module" || echo "$module $(<"/sys/module/$module/refcnt")"
	done
}

# state_pinned: pages that processes have pinned; each CPU adds its part within a second
state_pinned() {
	awk '{ n[$1] = $2 } END { print n["nr_foll_pin_acquired"] - n["nr_foll_pin_released"] }' \
		/proc/vmstat
}

# state_memory: KB that are not free, not a process's, not cached, and cannot be reclaimed
state_memory() {
	local file
	sync
	echo 3 >/proc/sys/vm/drop_caches
	for file in /sys/kernel/slab/*/shrink; do
		[ -L "${file%/*}" ] || echo 1 >"$file"
	done
	awk '{ n[$1] = $2 } END {
		others = n["Buffers:"] + n["Cached:"] + n["AnonPages:"] + n["PageTables:"]
		print "kernel", n["MemTotal:"] - n["MemFree:"] - n["SReclaimable:"] - others
		print "slab", n["SUnreclaim:"]
		print "available", n["MemAvailable:"]
	}' /proc/meminfo
}

# state_slab: bytes in each slab cache
state_slab() {
	awk 'NR > 2 { print $1, $2 * $4 }' /proc/slabinfo
}

# state DIR KIND...: writes a file for each KIND to DIR
state() {
	local kind
	mkdir -p "$1"
	for kind in "${@:2}"; do
		"state_$kind" >"$1/$kind"
	done
}

# same KIND DIR DIR: fails if the two files differ, and shows the difference
same() {
	diff -u "$2/$1" "$3/$1"
}

# grown NAME DIR DIR: prints by how many KB the memory of that name has grown
grown() {
	awk -v name="$1" '$1 == name { n[FILENAME] = $2 } END { print n[ARGV[2]] - n[ARGV[1]] }' \
		"$2/memory" "$3/memory"
}

# slab_grown DIR DIR: prints the caches that have grown most, in bytes
slab_grown() {
	awk 'FNR == NR { old[$1] = $2; next }
		$2 > old[$1] { print $2 - old[$1], $1 }' "$1/slab" "$2/slab" |
		sort -rn | head -n 12
}
