# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
# shellcheck shell=bash
#
# Runs on the host: boots a guest, captures its wire while it sends some traffic of each kind, and
# decodes the capture with tshark, which is independent of this project. DRIVER is the driver
# (tavor); KERNEL may be set.

# shellcheck source=SCRIPTDIR/../vm/lib/all.sh
. "$(dirname "${BASH_SOURCE[0]}")/../vm/lib/all.sh"
set +e

DRIVER=${DRIVER:-tavor}
number=0
failed=0
mkdir -p "$BUILD/results"
work=$(mktemp -d "$BUILD/results/capture.XXXX")
# The capture and the guest's console are kept to investigate a failure.
trap '[ "$failed" != 0 ] || rm -rf "$work"' EXIT

# result STATUS TEXT [FILE]
result() {
	number=$((number + 1))
	if [ "$1" = 0 ]; then
		echo "ok $number $2"
		return
	fi
	failed=$((failed + 1))
	[ -z "${3:-}" ] || head -n 25 "$3" | sed 's/^/# /'
	echo "not ok $number $2"
}

# frames FILTER: tshark's output for the frames that match
frames() {
	in_root "$capture" --bind "$work" --cwd "$work" -- \
		tshark -n -r wire.pcap -Y "$1" 2>"$work/err"
}

none() {
	frames "$1" >"$work/out" && [ ! -s "$work/out" ]
	result $? "$2" "$work/out"
}

some() {
	frames "$1" >"$work/out"
	[ -s "$work/out" ]
	result $? "$2" "$work/err"
}

# sent_by SCRIPT OPTION...: runs it in a guest whose wire is captured, and checks all that it sent
sent_by() {
	local script=$1
	shift
	capture=$(capture_root) || exit 1
	"$VM_DIR/run" --kernel "${KERNEL:-6.12}" --driver "$DRIVER" --sm --pcap --results "$work" \
		"$@" -- \
		"tools/testing/interop/$script" >"$work/run.log" 2>&1
	result $? "$DRIVER: the guest has sent some of everything" "$work/run.log"
	frames frame >"$work/out"
	[ "$(wc -l <"$work/out")" -ge 500 ]
	result $? "tshark reads the capture" "$work/err"
	none '!infiniband' "every frame is InfiniBand"
	none '_ws.malformed' "no frame is malformed"
	none '_ws.short' "no frame is cut short"
	none '_ws.expert.severity == error' "no frame has an error"
}

sent_management_and_sends() {
	some 'infiniband.mad && infiniband.bth.destqp == 0' "subnet management packets are there"
	some 'infiniband.mad && infiniband.bth.destqp == 1' "general management packets are there"
	some 'infiniband.bth.opcode == 4' "RC SEND Only is there"
	some 'infiniband.bth.opcode == 0' "RC SEND First is there"
	some 'infiniband.bth.opcode == 17' "RC Acknowledge is there"
	some 'infiniband.bth.opcode == 36' "UC SEND Only is there"
	some 'infiniband.bth.opcode == 100 && infiniband.bth.destqp > 1' "UD SEND Only is there"
	some 'infiniband.aeth && infiniband.aeth.msn > 10' "acknowledgements count messages"
}

finish() {
	echo "1..$number"
	[ "$failed" = 0 ]
	exit
}
