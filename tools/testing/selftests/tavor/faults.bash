# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
# shellcheck shell=bash
#
# Functions for tests that inject errors into ib_tavor through the model's control socket. They bind
# and unbind the function, and search the kernel's log from a mark on.

# shellcheck source=SCRIPTDIR/../../vm/guest/test.bash
. "$(dirname "${BASH_SOURCE[0]}")/../../vm/guest/test.bash"

TAVOR=/sys/bus/pci/drivers/ib_tavor

# The number of failures in a row after which the device recovers by itself. The default is 0, for
# tests of a device that stays failed.
RECOVERIES=${RECOVERIES:-0}

# recoveries N: sets that number
recoveries() {
	echo "$1" >/sys/module/ib_tavor/parameters/recoveries
}

! loaded ib_tavor || recoveries "$RECOVERIES"

# function_address: prints the PCI address of the HCA, which need not be bound
function_address() {
	grep -lsx 0x0c0600 /sys/bus/pci/devices/*/class | sed -E 's|.*/devices/([^/]+)/class|\1|' |
		head -n 1
}

# mark: writes a line to the kernel's log and prints it, for messages_since
mark() {
	local text
	text="test mark $RANDOM$RANDOM"
	echo "$text" >/dev/kmsg
	echo "$text"
}

# messages_since MARK: prints the kernel's messages after a line that mark has written
messages_since() {
	dmesg | sed "1,/$1/d"
}

# bind: binds the driver to the function; fails if the probe fails
bind() {
	local address
	address=$(function_address)
	echo "$address" 2>/dev/null >"$TAVOR/bind"
}

unbind() {
	local address
	address=$(function_address)
	echo "$address" >"$TAVOR/unbind"
}

bound() {
	[ -e "$TAVOR/$(function_address)" ]
}

# reload PARAMETER...: loads the module again, with these parameters
reload() {
	! loaded ib_tavor || rmmod ib_tavor
	load_own ib_tavor "recoveries=$RECOVERIES" "$@"
	modprobe -a ib_uverbs ib_umad
	until_true 20 prints rdma_devices
}

# fault ACTION FIELD=VALUE...: adds a fault to the model; see Documentation/hca-model.rst
fault() {
	local field text="action=$1"
	shift
	for field; do
		text+=",$field"
	done
	model_set 0 fault "${text#action=}"
}

# catastrophic_event SYNDROME: causes a local catastrophic error, which is reported as an event
catastrophic_event() {
	model '{"cmd":"event","hca":0,"type":8,"subtype":0,"data":[0,0,'"$1"',5]}' |
		grep -q '"ok":true'
}

# catastrophe: causes an internal parity error
catastrophe() {
	catastrophic_event 5
}

# The value that buffer writes, in devlink's format
# shellcheck disable=SC2034 # for the tests
BUFFER=03000000

# buffer: causes a catastrophic error in the error buffer, which the driver polls every five seconds
buffer() {
	model '{"cmd":"catas","hca":0,"buffer":['"$((0x$BUFFER))"',1]}' | grep -q '"ok":true'
}

faults_off() {
	model_set 0 fault ''
}

# executed: prints lines "NAME NUMBER" of the commands that the model has executed
executed() {
	model '{"cmd":"stats","hca":0}' | sed -E 's/.*"executed":\{([^}]*)\}.*/\1/' | tr ',' '\n' |
		sed -nE 's/^"([A-Z0-9_]+)":([0-9]+)$/\1 \2/p'
}

# commands_of COMMAND...: prints the commands that COMMAND makes the model execute, like executed
commands_of() {
	executed >"$TEST_DIR/before"
	"$@"
	executed >"$TEST_DIR/after"
	awk 'NR == FNR { old[$1] = $2; next } $2 > old[$1] { print $1, $2 - old[$1] }' \
		"$TEST_DIR/before" "$TEST_DIR/after" | grep . || fail "no command was executed: $*"
}

# one_fault ACTION COMMAND N [FIELD=VALUE...]: adds a fault for the N-th such command from now on
one_fault() {
	fault "$1" on=cmd "op=$2" "after=$(($3 - 1))" count=1 "${@:4}"
}

# said MARK PATTERN: the driver or the engine has logged a matching line since MARK
said() {
	messages_since "$1" | grep -qE "ib_(tavor|vrb).*($2)"
}

# nothing_left MARK: the driver has reported no leak since MARK, and has released its resources
nothing_left() {
	# The objects of a process may take long; a number of something is left.
	if said "$1" 'leaked|still in use|still the hardware|waiting for [0-9]'; then
		fail "something was left behind: $(messages_since "$1")"
	fi
	absent ib_tavor /proc/interrupts /proc/iomem
	[ -z "$(rdma_devices)" ] || fail "an RDMA device is left: $(rdma_devices)"
	[ ! -d "/sys/kernel/debug/ib_vrb/$(function_address)" ] ||
		fail "the engine still has the device"
}

# usable: binds the driver if necessary, and checks that the device works
usable() {
	bound || bind || fail "it does not bind again: $(dmesg | tail -n 5)"
	until_true 20 prints rdma_devices
	ibv_devinfo >"$TEST_DIR/info" || fail "ibv_devinfo: $(cat "$TEST_DIR/info")"
}

# module_comes_and_goes: unloads the module, checks that nothing is left, and loads it again
module_comes_and_goes() {
	local since
	since=$(mark)
	rmmod ib_tavor
	nothing_left "$since"
	driver_load
	recoveries "$RECOVERIES"
	ibv_devinfo
}

# quick: loads the module with a command timeout of 0.3 s
quick() {
	reload cmd_timeout_ms=300
}

# audited MARK: the client vrb_audit has given its result since MARK
audited() {
	messages_since "$1" | grep -q 'vrb_audit: ok' ||
		messages_since "$1" | grep -q 'vrb_audit: not'
}

# each_once MARK: each of its requests since MARK has completed once, and there were some
each_once() {
	messages_since "$1" | grep -q 'vrb_audit: ok [1-9]' ||
		fail "$(messages_since "$1" | grep vrb_audit)"
	! messages_since "$1" | grep 'vrb_audit: not' || fail "a request or a shell was lost"
}

# audit_rounds HAPPENS OVER: three times, vrb_audit has requests in every state, and "HAPPENS ROUND"
# is called. When the client has given its result, "OVER MARK" waits for what is to follow. On the
# device that is back the client has only a few requests, since it would take both processors.
audit_rounds() {
	local begin round since audit=/sys/module/vrb_audit/parameters
	load_own vrb_audit
	begin=$(mark)
	for round in 1 2 3; do
		echo 1000000 >"$audit/requests"
		echo "$round" >"$audit/seed"
		unbind
		since=$(mark)
		bind
		echo 1000 >"$audit/requests"
		model_set 0 fault delay,on=cmd,prob=0.1,time=2ms
		"$1" "$round"
		until_true 60 audited "$since" || fail "$(messages_since "$since")"
		"$2" "$since"
		faults_off
		messages_since "$since" | grep 'vrb_audit:' | head -n 3
		each_once "$since"
	done
	rmmod vrb_audit
	each_once "$begin"
}
