#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: host
# Timeout: 1800
# Level: ci
#
# Tests runs of the bench with a guest: the reasons for a failure, the console, and what a killed
# run leaves behind.

cd "$(dirname "$0")/.." || exit 1
# shellcheck source=SCRIPTDIR/../lib/try.bash
. lib/try.bash

echo "TAP version 13"
echo "1..15"

try "a complaint fails the run and is named" 125 "kernel complaint: .*planted here" --hcas 0 -- \
	sh -c 'echo "<4>WARNING: CPU: 0 PID: 1 at planted here" >/dev/kmsg'
try "an expected complaint is accepted; kernel 7" 0 "passed" --kernel 7 --hcas 0 \
	--expect-complaint 'planted h' -- \
	sh -c 'echo "<4>WARNING: CPU: 0 PID: 1 at planted here" >/dev/kmsg'
try "a panic fails the run and is named" 125 "Kernel panic.*ended before" --hcas 0 -- \
	sh -c 'echo c >/proc/sysrq-trigger'
try "a command that hangs is ended" 124 "did not end within 2 s" --hcas 0 --timeout 2 -- sleep 1000

try "a violation of the hardware interface fails the run and is named, with what is right" 125 \
	"pci-gateway .*0x58.* Rule: .*\(1\.2\)\. Right: Leave dwords 22 and 23 out" -- \
	setpci -d 15b3:5a44 58.L=0
# shellcheck disable=SC2016 # for the shell in the guest
try "two HCAs, an IOMMU and the model's control line" 0 passed --hcas 2 --iommu --driver mthca \
	-- bash -c '
	[ "$(rdma dev | wc -l)" = 2 ] && dmesg | grep -q "DMAR: IOMMU enabled" || exit 1
	exec 3<>/dev/ttyS1
	echo "{\"cmd\":\"help\"}" >&3
	read -r -t 60 line <&3
	[[ $line == *\"ok\":true* ]]'

# console HCAS: an interactive console, whose input is written once the guest is up
console() {
	"$RUN" --hcas "$1" --shell --results "$work/shell" <"$work/keys" >"$work/out" \
		2>"$work/err" &
	pid=$!
	exec 4>"$work/keys"
	for _ in $(seq 3000); do
		[ ! -e "$work/shell/.bench/started" ] || break
		sleep 0.1
	done
	sleep 2
	# shellcheck disable=SC2016 # for the shell in the guest
	echo 'echo "answer $((6 * 7))"; exit 3' >&4
	exec 4>&-
	wait "$pid"
}

mkfifo "$work/keys"
console 0
[ $? = 3 ] && grep -q "answer 42" "$work/out"
result $? "a console takes input and returns the status of its shell"
grep -q "/mnt/tree .*project's tree" "$work/out" &&
	grep -q "/results .*on the host: $work/shell" "$work/out" &&
	grep -q '"exit" or Ctrl-D ends the guest' "$work/out" && ! grep -q ttyS1 "$work/out"
result $? "the console says what is where, and how to leave it"
rm -r "$work/shell"
console 1
[ $? = 3 ] && grep -q "/mnt/tree .*project's tree" "$work/out" &&
	grep -q "/dev/ttyS1 .*control socket of the HCA model" "$work/out"
result $? "with a HCA it also says where the model's control socket is"

# emulator_dies: kills the emulator of the run $pid, as if it had crashed
emulator_dies() {
	local n emulator
	for n in $(seq 3000); do
		emulator=$(pgrep -P "$pid" -f qemu-system-x86_64) && break
		sleep 0.1
	done
	[ "$n" -lt 3000 ] && kill -SEGV "$emulator" || return 1
	while kill -0 "$emulator" 2>/dev/null; do
		sleep 0.05
	done
}

# begin OPTION...: starts a run in the background
begin() {
	"$RUN" --hcas 0 "$@" >"$work/out" 2>"$work/err" </dev/null &
	pid=$!
}

begin -- echo alive
emulator_dies && wait "$pid" && [ "$(cat "$work/out")" = alive ] &&
	[ "$(grep -c 'no driver was loaded yet .*QEMU ended.*: trying once more' "$work/err")" = 1 ]
result $? "an emulator that dies before a driver is loaded is restarted, and the run says so"
begin -- echo alive
emulator_dies && emulator_dies
wait "$pid"
[ $? = 125 ] && tail -n 1 "$work/err" | grep -q 'FAILED: the guest did not come up: QEMU ended'
result $? "such an emulator is restarted only once"
begin --append init=/nowhere -- echo alive
wait "$pid"
[ $? = 125 ] && [ "$(grep -c 'trying once more' "$work/err")" = 1 ] &&
	tail -n 1 "$work/err" | grep -q 'FAILED: .*the guest did not come up'
result $? "a kernel that dies in its boot is booted once more"
begin --qemu -no-such-option -- echo alive
wait "$pid"
[ $? = 125 ] && ! grep -q 'once more' "$work/err"
result $? "an emulator that refuses its arguments is not restarted"
begin --results "$work/dies" -- sleep 1000
for _ in $(seq 3000); do
	[ ! -e "$work/dies/.bench/started" ] || break
	sleep 0.1
done
emulator_dies
wait "$pid"
[ $? = 125 ] && ! grep -q 'once more' "$work/err" &&
	tail -n 1 "$work/err" | grep -q 'FAILED: the guest ended before the command did'
result $? "an emulator that dies later is not restarted"

# Killed without a chance to clean up, a run leaves no process behind.
"$RUN" --hcas 0 --results "$work/killed" -- sleep 1000 >"$work/out" 2>"$work/err" &
pid=$!
for _ in $(seq 600); do
	[ ! -e "$work/killed/.bench/started" ] || break
	sleep 0.1
done
pids=$(ps -o pid= --ppid "$pid" | tr '\n' ' ')
kill -KILL "$pid"
wait "$pid" 2>/dev/null
sleep 1
left=
for child in $pids; do
	# A zombie has ended; who reaps it does not matter here.
	! grep -qs '^State:[[:space:]]*[^ZX[:space:]]' "/proc/$child/status" || left+="$child "
done
[ -n "$pids" ] && [ -z "$left" ]
result $? "a run that is killed leaves no process behind"
