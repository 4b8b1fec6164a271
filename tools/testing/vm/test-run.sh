#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: host
# Timeout: 1800
#
# The bench's own promises about a run: the status, the reasons for failing, what is refused.

cd "$(dirname "$0")" || exit 1
RUN=./run
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
number=0

# result GOOD TEXT
result() {
	number=$((number + 1))
	if [ "$1" = 0 ]; then
		echo "ok $number $2"
	else
		echo "not ok $number $2"
		sed 's/^/# /' "$work/out" "$work/err" 2>/dev/null | tail -n 12
	fi
}

# try TEXT STATUS LAST-LINE-PATTERN OPTION...: run has to end like this
try() {
	local text=$1 want=$2 pattern=$3 status=0
	shift 3
	"$RUN" "$@" >"$work/out" 2>"$work/err" </dev/null || status=$?
	[ "$status" = "$want" ] && tail -n 1 "$work/err" | grep -qE -- "$pattern"
	result $? "$text"
}

echo "TAP version 13"
echo "1..34"

# What is refused costs no boot.
try "an unknown option is refused by name" 125 "'--frob'" --frob -- true
try "an unknown kernel is refused by name" 125 "'5.10'" --kernel 5.10 -- true
try "an unknown driver is refused by name" 125 "'mlx5'" --driver mlx5 -- true
try "processors that are no number are refused" 125 "--smp .*'many'" --smp many -- true
try "no processor is refused" 125 "--smp .*'0'" --smp 0 -- true
try "too many HCAs are refused" 125 "--hcas .*'99'" --hcas 99 -- true
try "too little memory is refused" 125 "--memory .*'16'" --memory 16 -- true
try "no time is refused" 125 "--timeout .*'0'" --timeout 0 -- true
try "an option without its value is refused" 125 "--share needs a value" --share -- true
try "an empty value is refused" 125 "--share needs a value" --share "" -- true
try "a shared folder that is not there is refused" 125 "'/nonexistent'" --share /nonexistent -- true
try "a results folder that is a file is refused" 125 "'$work/file'" --results "$(touch "$work/file"; echo "$work/file")" -- true
try "a list of packages that is none is refused" 125 "'a;b'" --packages "a;b" -- true
try "a pattern that is no regular expression is refused" 125 "'\('" --expect-complaint '(' -- true
try "no command is refused" 125 "no command" --hcas 0
try "a command without '--' is refused" 125 "'true' is no option" true
try "a shell with a command is refused" 125 "--shell takes no command" --shell -- true
try "a driver without a HCA is refused" 125 "--hcas 0" --driver mthca --hcas 0 -- true
try "a subnet manager without a driver is refused" 125 "--sm needs" --sm --hcas 0 -- true
try "a model option without a model is refused" 125 "--hcas 0" --hca a=b --hcas 0 -- true
try "a model option that does not exist is refused by name" 125 "nonsense" --hca nonsense=1 -- true
try "a model option with a value that makes no sense is refused" 125 "seed=banana" --hca seed=banana -- true
try "a module nobody makes is refused by name" 125 "'no_such'" --hcas 0 --modules no_such -- true

mkdir "$work/share" "$work/results"
echo shared >"$work/share/file"
try "the command's status comes back" 7 "status 7" --hcas 0 --share "$work/share" \
	--results "$work/results" -- sh -c 'cat /mnt/share/file; echo err >&2; echo kept >/results/kept
	touch /mnt/tree/x 2>/dev/null && echo "the tree is writable"; cat /mnt/tree/Kbuild >/dev/null; exit 7'
[ "$(cat "$work/out")" = "shared
err" ]
result $? "its output is streamed, the share is there, the tree is read-only"
[ "$(cat "$work/results/kept")" = kept ]
result $? "the results folder comes back"

try "a complaint fails the run and is named" 125 "kernel complaint: .*planted here" --hcas 0 -- \
	sh -c 'echo "<4>WARNING: CPU: 0 PID: 1 at planted here" >/dev/kmsg'
try "an expected complaint is accepted; kernel 7" 0 "passed" --kernel 7 --hcas 0 --expect-complaint 'planted h' -- \
	sh -c 'echo "<4>WARNING: CPU: 0 PID: 1 at planted here" >/dev/kmsg'
try "a panic fails the run and is named" 125 "Kernel panic.*ended before" --hcas 0 -- \
	sh -c 'echo c >/proc/sysrq-trigger'
try "a command that hangs is ended" 124 "did not end within 2 s" --hcas 0 --timeout 2 -- sleep 1000

try "a violation of the hardware interface fails the run and is named" 125 "pci-gateway" -- \
	setpci -d 15b3:5a44 58.L=0
# shellcheck disable=SC2016 # for the shell in the guest
try "two HCAs, an IOMMU and the model's control line" 0 passed --hcas 2 --iommu --driver mthca -- bash -c '
	[ "$(rdma dev | wc -l)" = 2 ] && dmesg | grep -q "DMAR: IOMMU enabled" || exit 1
	exec 3<>/dev/ttyS1; echo "{\"cmd\":\"help\"}" >&3; read -r -t 60 line <&3; [[ $line == *\"ok\":true* ]]'

# An interactive console, fed by hand once the guest is there.
mkfifo "$work/keys"
"$RUN" --hcas 0 --shell --results "$work/shell" <"$work/keys" >"$work/out" 2>"$work/err" &
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
[ $? = 3 ] && grep -q "answer 42" "$work/out"
result $? "a console takes input and gives the status of its shell"

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
	# A zombie has ended; whose turn it is to reap it is not ours to say.
	! grep -qs '^State:[[:space:]]*[^ZX[:space:]]' "/proc/$child/status" || left+="$child "
done
[ -n "$pids" ] && [ -z "$left" ]
result $? "a run that is killed leaves no process behind"
