#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: host
# Timeout: 600
# Level: ci
#
# Tests tavor-hca-qemu with the bench's QEMU: QEMU has the model as a PCI function, and each thing
# that is missing or wrong is named. The machines never run: QEMU is asked over QMP, and its test
# interface takes the part of the guest.

# shellcheck source-path=SCRIPTDIR/../../vm
. "$(dirname "$0")/../../vm/lib/all.sh"
set +e
. "$VM_DIR/lib/try.bash"
ctl=$TREE/tools/testing/hca/ctl
control=$work/control
export XDG_RUNTIME_DIR=$work/run
mkdir "$XDG_RUNTIME_DIR"

# qemu_here: writes a program that starts the bench's QEMU without its root
qemu_here() {
	local tool program
	tool=$(tool_root) && mapfile -t program < <(root_program "$tool" \
		/usr/bin/qemu-system-x86_64) || return 1
	cat >"$work/qemu" <<-END
	#!/bin/sh
	export QEMU_MODULE_DIR='$tool/usr/lib/x86_64-linux-gnu/qemu'
	exec $(printf "'%s' " "${program[@]}") -L '$tool/usr/share/qemu' \\
		-L '$tool/usr/share/seabios' "\$@"
	END
	chmod +x "$work/qemu"
}

# wrapper ARGUMENT...: runs tavor-hca-qemu with QEMU and the model from here; its status is in
# $work/status
wrapper() {
	local status=0
	timeout 120 "$ctl/tavor-hca-qemu" --qemu "$work/qemu" --model "$model" "$@" \
		>"$work/out" 2>"$work/err" </dev/null || status=$?
	echo "$status" >"$work/status"
}

# start NAME ARGUMENT...: starts a machine. NAME.qmp is its QMP socket.
start() {
	local name=$1 status=0
	shift
	rm -f "$work/$name.status"
	(
		timeout 300 "$ctl/tavor-hca-qemu" --qemu "$work/qemu" --model "$model" "$@" -- \
			-S -nodefaults -display none \
			-qmp "unix:$work/$name.qmp,server=on,wait=off" \
			-qtest "unix:$work/$name.qtest,server=on,wait=off" -qtest-log none \
			>"$work/$name.out" 2>"$work/$name.err" </dev/null || status=$?
		echo "$status" >"$work/$name.status"
	) &
	soon answers "$name"
}

# qmp NAME COMMAND: prints QEMU's answer
qmp() {
	python3 - "$work/$1.qmp" "$2" <<-'X' 2>>"$work/err"
		import json
		import socket
		import sys

		s = socket.socket(socket.AF_UNIX)
		s.settimeout(10)
		s.connect(sys.argv[1])
		lines = s.makefile('r')
		lines.readline()
		for command in 'qmp_capabilities', sys.argv[2]:
		    s.sendall(json.dumps({'execute': command}).encode())
		    answer = {}
		    while 'return' not in answer and 'error' not in answer:
		        answer = json.loads(lines.readline())
		print(json.dumps(answer))
	X
}

answers() {
	qmp "$1" query-status | grep -q '"prelaunch"'
}

# slots NAME: prints the slots of the functions with the ids of the MT23108
slots() {
	qmp "$1" query-pci | python3 -c '
import json, sys
for bus in json.load(sys.stdin)["return"]:
    for device in bus["devices"]:
        if (device["id"]["vendor"], device["id"]["device"]) == (0x15b3, 0x5a44):
            print(device["slot"])'
}

# hcas NAME: prints their number
hcas() {
	slots "$1" | wc -l
}

# posts NAME WORD: does what a driver does to post a command: writes WORD, the last one, into the
# command register, after it has assigned an address to the function's registers
posts() {
	python3 - "$work/$1.qtest" "$(slots "$1")" "$2" <<-'X' 2>>"$work/err"
		import socket
		import sys

		s = socket.socket(socket.AF_UNIX)
		s.settimeout(10)
		s.connect(sys.argv[1])
		lines = s.makefile('r')

		def do(text):
		    s.sendall(text.encode() + b'\n')
		    answer = lines.readline()
		    assert answer.startswith('OK'), answer

		def config(offset, value):
		    do(f'outl 0xcf8 {0x80000000 | int(sys.argv[2]) << 11 | offset:#x}')
		    do(f'outl 0xcfc {value:#x}')

		config(0x10, 0xfe000000)
		config(0x14, 0)
		config(0x04, 6)
		word = int.from_bytes(int(sys.argv[3], 0).to_bytes(4, 'big'), 'little')
		do(f'writel {0xfe080680 + 0x18:#x} {word:#x}')
		do('readl 0xfe080680')
	X
}

# ends NAME STATUS: QEMU is asked to quit, tavor-hca-qemu then ends with this status, and no model
# and no file are left
ends() {
	qmp "$1" quit >"$work/quit"
	soon test -s "$work/$1.status" && [ "$(<"$work/$1.status")" = "$2" ] && tidy
}

tidy() {
	! pgrep -f "$XDG_RUNTIME_DIR/tavor-hca\." >/dev/null &&
		! ls -d "$XDG_RUNTIME_DIR"/tavor-hca.* 2>/dev/null
}

# names STATUS PATTERN: it has ended with this status, and a line of its output matches
names() {
	[ "$(<"$work/status")" = "$1" ] && grep -qE -- "$2" "$work/err"
}

host_ready
echo "TAP version 13"
qemu_here >"$work/out" 2>"$work/err" && model_build "$work/tavor-hca" 2>"$work/err"
result $? "there are a QEMU and a model"
model=$work/tavor-hca

# --- what is missing or wrong
wrapper --qemu "$work/none"
names 127 "there is no $work/none: apt-get install -t trixie-backports qemu-system-x86"
result $? "a missing QEMU is named, and where to get it"
wrapper --model "$work/none"
names 127 "there is no $work/none; the package tavor-hca-model has it"
result $? "a missing model is named, and the package that has it"
wrapper --set profile=none
names 2 '^tavor-hca-qemu: the model did not start: .*profile'
result $? "an option that the model refuses is named"
wrapper --attach "$work/none"
names 127 "--attach: no model's socket: '$work/none'"
result $? "--attach: a socket that does not exist is named"
"$model" --socket "$work/stale" --log "$work/log" >"$work/stale.out" 2>&1 &
soon grep -qx ready "$work/stale.out"
{ kill -KILL $! && wait $!; } 2>/dev/null
wrapper --attach "$work/stale" -- -S -nodefaults -display none
names 1 "$work/stale.*Connection refused"
result $? "--attach: a socket that a killed model has left is named"
wrapper -- -device none
names 1 "'none' is not a valid device" && tidy
result $? "QEMU's own message and status are passed on, and no model is left"
wrapper -- -add-fd fd=3,set=1 -device none 3</dev/null
names 1 "'none' is not a valid device"
result $? "QEMU gets the files that the caller has opened"

# --- a machine that does not run
start one --memory 256 --control "$control"
result $? "QEMU starts"
[ "$(hcas one)" = 1 ]
result $? "QEMU has the model as a PCI function with the ids of the MT23108"
qmp one query-memory-size-summary | grep -q '"base-memory": 268435456'
result $? "--memory is the guest's memory"
"$ctl/tavor-hcactl" -s "$control" show >"$work/shown" 2>>"$work/err" &&
	grep -qx 'HCA 0: works, attached' "$work/shown"
result $? "tavor-hcactl finds it with --control, attached"
wrapper --control "$control"
names 2 "the model did not start: .*--control $control: Address already in use"
result $? "a control socket that another machine uses is named"
"$ctl/tavor-hcactl" -s "$control" show >"$work/shown" 2>>"$work/err"
result $? "and is not taken away from it"
ends one 0
result $? "when QEMU quits, the model ends, and the status is 0"
start killed && pkill -TERM -o -f "tavor-hca-qemu .*killed\.qmp" &&
	soon test -s "$work/killed.status" && [ "$(<"$work/killed.status")" = 143 ] && tidy &&
	! pgrep -f "killed\.qmp" >/dev/null
result $? "a signal that ends tavor-hca-qemu also ends QEMU and the model"
# shellcheck disable=SC2086 # several numbers
start twice && pids=$(pgrep -f "tavor-hca-qemu .*twice\.qmp") &&
	{ kill $pids; sleep 0.01; kill $pids; kill $pids; } 2>/dev/null || :
soon test -s "$work/twice.status" && tidy && ! pgrep -f "twice\.qmp" >/dev/null
result $? "so do several signals, one after another"
start two --hcas 2 && [ "$(hcas two)" = 2 ]
result $? "--hcas 2 attaches two"
ends two 0
result $? "and both end"
start bad --report "$work/report" && posts bad 0x00800fff
result $? "a guest can post a command that does not exist"
ends bad 3 && grep -q 'the model recorded violations' "$work/bad.err" &&
	grep -q '"violation"' "$work/report"
result $? "the status is then 3, and the report names the violation"

# --- a model that runs already
"$model" --socket "$work/own" --control "$work/own-control" --log "$work/log" \
	>"$work/own.out" 2>&1 &
own=$!
soon grep -qx ready "$work/own.out" && start first --attach "$work/own" &&
	[ "$(hcas first)" = 1 ]
result $? "--attach attaches a model that runs already"
wrapper --attach "$work/own" -- -S -nodefaults -display none
names 1 'timed out waiting for reply' &&
	names 1 '^tavor-hca-qemu: QEMU ended with 1; if it timed out, another QEMU uses the socket'
result $? "another QEMU that attaches it gives up, and the reason is named"
[ "$(hcas first)" = 1 ] && ends first 0
result $? "which does not disturb the first"
start second --attach "$work/own" && [ "$(hcas second)" = 1 ]
result $? "the next one can attach it when the first has quit"
ends second 0 && kill -0 "$own"
result $? "the model then still runs"
kill "$own"
wait "$own"
result $? "and has recorded no violation"

echo "1..$number"
[ "$failed" = 0 ]
