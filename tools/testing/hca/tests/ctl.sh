#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: host
#
# Tests tavor-hcactl with a running model and without one, and invalid calls of tavor-hca-qemu.

tree=$(cd "$(dirname "$0")/../../../.." && pwd)
# shellcheck source=SCRIPTDIR/../../vm/lib/try.bash
. "$tree/tools/testing/vm/lib/try.bash"
ctl=$tree/tools/testing/hca/ctl/tavor-hcactl
control=$work/control
export XDG_RUNTIME_DIR=$work/run
unset TAVOR_HCA_CONTROL

# says STATUS PATTERN ARGUMENT...: tavor-hcactl ends with this status, and a line of its output
# matches ('': any output)
says() {
	local want=$1 pattern=$2 status=0
	shift 2
	timeout 30 "$ctl" "$@" >"$work/out" 2>"$work/err" </dev/null || status=$?
	[ "$status" = "$want" ] &&
		{ [ -z "$pattern" ] || cat "$work/out" "$work/err" | grep -qE -- "$pattern"; }
}

# ctl STATUS PATTERN ARGUMENT...: the same, with the model's socket
ctl() {
	says "$1" "$2" -s "$control" "${@:3}"
}

# nobody COMMAND...: runs it as a user without rights here
nobody() {
	timeout 30 setpriv --reuid 65534 --regid 65534 --clear-groups "$@" \
		>"$work/out" 2>"$work/err" </dev/null
}

# statuses PROGRAM: prints the exit statuses that its man page lists
statuses() {
	sed -n '/^Exit status$/,/^Examples$/s/^\([0-9][0-9, ]*\)$/\1/p' \
		"$tree/Documentation/$1.rst" | tr -d ,
}

pulled() {
	ctl 0 "\"port\": $1,.*\"unplugged\": $2" show --json
}

mkdir -p "$tree/build/hca-check"
make -s -C "$tree/tools/testing/hca" OUTPUT="$tree/build/hca-check" >"$work/out" 2>"$work/err"
model=$tree/build/hca-check/tavor-hca
"$model" --socket "$work/hca0" --socket "$work/hca1" --control "$control" --log "$work/log" \
	>"$work/model.out" 2>&1 &
pid=$!
trap 'kill "$pid" 2>/dev/null; rm -rf "$work"' EXIT

echo "TAP version 13"
soon grep -qx ready "$work/model.out"
result $? "the model starts"

ctl 0 '^HCA 1: works, no guest is attached' show
result $? "show lists all HCAs"
ctl 0 '^  port 2: down, polling, LID 0, cable: port 0.1$' show
result $? "show lists their ports, states and cables"
says 0 . -s "$control" -n 1 show && ! grep -q "HCA 0" "$work/out"
result $? "show -n lists one HCA"
"$ctl" -s "$control" show --json 2>"$work/err" | tee "$work/out" |
	python3 -c 'import json, sys; assert [h["hca"] for h in json.load(sys.stdin)] == [0, 1]' \
		2>>"$work/err"
result $? "show --json is JSON"

ctl 0 '' link down 1 && ctl 0 'port 1: .*, pulled$' show
result $? "link down pulls the cable of a port"
ctl 0 '' link down 2 && ctl 0 'port 1: .*, pulled$' show && ctl 0 'port 2: .*, pulled$' show
result $? "link down leaves the cable of another port"
says 0 . -s "$control" -n 1 show && ! grep -q pulled "$work/out"
result $? "link down leaves the cables of another HCA"
ctl 0 '' link up 1 && ctl 0 'port 2: .*, pulled$' show && ! grep -q 'port 1.*pulled' "$work/out"
result $? "link up plugs in one of two cables"
ctl 0 '' link up 2 && ctl 0 . show && ! grep -q pulled "$work/out"
result $? "link up plugs in the other cable"

"$ctl" -s "$control" link flap 1 --down 600s >"$work/out" 2>"$work/err" &
flap=$!
soon ctl 0 'port 1: .*, pulled$' show
result $? "link flap pulls the cable"
kill -INT "$flap"
wait "$flap"
[ $? = 130 ] && ctl 0 . show && ! grep -q pulled "$work/out"
result $? "link flap plugs the cable in when it is interrupted"
ctl 0 '' link flap 1 2 --count 2 --down 10ms --up 10ms && ctl 0 . show &&
	! grep -q pulled "$work/out"
result $? "link flap plugs the cable in at its end"

ctl 0 '' drop --port 1 --prob 0.5 --count 3 &&
	ctl 0 'packets: drop,port=1,prob=0.5,count=3$' show
result $? "drop loses packets"
ctl 0 '' delay 2ms --op 0x64 && ctl 0 ';delay,time=2ms,op=100$' show
result $? "delay adds to the packet faults"
ctl 0 '' request '{"cmd":"fault","fault":"drop,on=eqe"}' && ctl 0 'fault: action drop' show
result $? "request sends any request"
ctl 0 '' link down 2 && ctl 0 '' clear && ctl 0 . show &&
	! grep -qE 'packets|fault|pulled' "$work/out"
result $? "clear removes all faults"

ctl 0 '' fail && ctl 0 '^HCA 0: failed' show && grep -q '^HCA 1: works' "$work/out"
result $? "fail breaks the HCA"
says 0 '' -s "$control" -n 1 fail hang && ctl 0 '^HCA 1: firmware hangs' show
result $? "fail hang stops the firmware of another"
for kind in memory remove; do
	ctl 0 '' fail "$kind"
	result $? "fail $kind is accepted"
done

ctl 1 'HCA 0 has no port 3; there are: 1, 2' link down 3
result $? "a port that does not exist is named"
says 1 'the model says: hca: there are HCAs 0 to 1' -s "$control" -n 7 link down 1
result $? "an HCA that does not exist is named"
ctl 1 'the model says: unknown cmd nonsense' request '{"cmd":"nonsense"}'
result $? "a refusal is reported in the model's words"
ctl 2 'no JSON' request '{"cmd"' && ctl 2 'JSON object' request '[]'
result $? "a request that is no JSON object is refused"
ctl 2 "'2' is no time" delay 2 && ctl 2 "no probability" drop --prob 2 &&
	ctl 2 'invalid choice' fail softly && ctl 2 'required' && ctl 2 'no number' link up x
result $? "an invalid command line is refused with status 2"

says 3 "^tavor-hcactl: $work/none: there is no such socket" -s "$work/none" show
result $? "no socket: status 3"
says 3 "^tavor-hcactl: $work/run/tavor-hca/control: there is no such" show
result $? "without -s, the socket is that of the user's service"
TAVOR_HCA_CONTROL=$control says 0 '^HCA 0' show
result $? "without -s, TAVOR_HCA_CONTROL may name the socket"
# Everybody can read Python, but perhaps not this folder.
cp "$ctl" "$work/ctl" && chmod 755 "$work" "$work/ctl" && chmod 700 "$control"
nobody "$work/ctl" -s "$control" show
[ $? = 3 ] && grep -q 'permission denied; the model runs as another user' "$work/err"
result $? "no permission: status 3"
timeout 60 python3 -c '
import socket, sys
s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen()
c = s.accept()[0]; c.recv(999); c.sendall(b"hello\n"); c.recv(1)' "$work/other" &
soon test -S "$work/other" && says 3 'no HCA model' -s "$work/other" -n 0 show
result $? "something else listens there: status 3"
wait $!
says 3 'no model listens there' -s "$work/other" show
result $? "nobody listens there: status 3"
says 3 'File name too long|path too long|AF_UNIX' -s "$work/$(printf '%0200d' 0)" show
result $? "a name too long for a socket: status 3"

says 0 '^Exit|Exit status' --help && says 0 '^  --count N' link flap --help
result $? "--help, of the tool and of a command"
for program in tavor-hcactl tavor-hca-qemu; do
	"${ctl%/*}/$program" --help 2>"$work/err" | sed -n '/^Exit status:/,$p' >"$work/out"
	statuses=$(statuses "$program")
	missing=
	for status in $statuses; do
		grep -qw "$status" "$work/out" || missing+=" $status"
	done
	echo "missing:$missing, of $(xargs <<<"$statuses")" >>"$work/err"
	[ -n "$statuses" ] && [ -z "$missing" ]
	result $? "$program --help has each exit status of its man page"
done
says 0 '^tavor-hcactl [0-9]' --version && version=$(sed 's/.* //' "$work/out")
"$tree/tools/testing/hca/ctl/tavor-hca-qemu" --version | grep -qx "tavor-hca-qemu $version" &&
	"$model" --version | grep -qx "tavor-hca $version"
result $? "--version prints the same version for the model and both tools"

# second STATUS PATTERN ARGUMENT...: another model ends with this status and message
second() {
	local status=0
	timeout 30 "$model" "${@:3}" >"$work/out" 2>"$work/err" || status=$?
	[ "$status" = "$1" ] && grep -qxE -- "$2" "$work/err"
}
second 1 "tavor-hca: --control $control: Address already in use" --socket "$work/other-hca" \
	--control "$control" && ctl 0 '^HCA 0' show
result $? "a second model does not take a control socket away from the first"
second 1 "tavor-hca: --socket $work/hca0: Address already in use" --socket "$work/hca0" &&
	[ -S "$work/hca0" ]
result $? "nor the socket of an HCA"
echo text >"$work/file"
second 1 "tavor-hca: --control $work/file: File exists" --socket "$work/other-hca" \
	--control "$work/file" && grep -qx text "$work/file"
result $? "a file that is no socket is not replaced"

# qemu PATTERN ARGUMENT...: tavor-hca-qemu refuses with a line that matches, and status 2
qemu() {
	local status=0
	"$tree/tools/testing/hca/ctl/tavor-hca-qemu" "${@:2}" \
		>"$work/out" 2>"$work/err" || status=$?
	[ "$status" = 2 ] && grep -qE -- "$1" "$work/err"
}
qemu 'no such option' --frob && qemu '-m: say --memory' -- -m 512 &&
	qemu 'wants a number from 1 to 16' --hcas 0 && qemu 'own options' --attach x --hcas 2
result $? "tavor-hca-qemu: an invalid command line is refused with status 2"
cat >"$work/old-qemu" <<'END'
#!/bin/sh
[ "$1" != --version ] || echo "QEMU emulator version 10.0.2"
END
chmod +x "$work/old-qemu"
"$tree/tools/testing/hca/ctl/tavor-hca-qemu" --qemu "$work/old-qemu" >"$work/out" 2>"$work/err"
[ $? = 127 ] && grep -q 'version 10.0.2: no vfio-user-pci device' "$work/err" &&
	grep -q 'trixie-backports' "$work/err"
result $? "tavor-hca-qemu: a QEMU that is too old is named, and the source of a newer one"
"$tree/tools/testing/hca/ctl/tavor-hca-qemu" --qemu "$work/none" >"$work/out" 2>"$work/err"
[ $? = 127 ] && grep -q "there is no $work/none: apt-get install" "$work/err"
result $? "tavor-hca-qemu: a missing QEMU is named"

kill "$pid"
wait "$pid"
result $? "the model has recorded no violation"
echo "1..$number"
[ "$failed" = 0 ]
