#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Timeout: 900
# Level: all
# Runs: guest --driver tavor
# Guest: own
# Runs: guest --modules ib_tavor --hca fw_version=3.4.999 --hca log_max_cmd=0
# As: firmware
#
# Tests the table of symptoms in Documentation/administration.rst: each symptom appears as
# described, with the message that the table quotes, and the described remedy removes it. By hand:
#   tools/testing/vm/run --driver tavor -- tools/testing/selftests/tavor/symptoms.sh [test_NAME...]

# shellcheck source=SCRIPTDIR/../../vm/guest/query.bash
. "$(dirname "$0")/../../vm/guest/query.bash"
# shellcheck source=SCRIPTDIR/life.bash
. "$(dirname "$0")/life.bash"

GUIDE=$TREE/Documentation/administration.rst
own=$TREE/build/modules/$KERNEL
card=$(function_address)
# With a higher limit libibverbs does not warn.
in_kb=32

# Prefix of a command that runs as a user without rights
as_nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups --bounding-set=-all --inh-caps=-all)

# table: prints the table of symptoms in one line
table() {
	sed -n '/^Symptoms$/,/^What the tests/p' "$GUIDE" | tr -s ' \n' '  '
}

# shows TEXT: the last output has this text, and so has the table; "..." stands for anything
# shellcheck disable=SC2016 # a pattern
shows() {
	table | grep -qF -- "$1" || fail "the table does not have '$1'"
	matches "$(sed 's/[][\\.*^$(){}+?|]/\\&/g; s/\\\.\\\.\\\./.*/g' <<<"$1")"
}

# log_shows MARK TEXT: the kernel's log has this text since MARK, and so has the table
log_shows() {
	messages_since "$1" >"$TEST_DIR/query"
	shows "$2"
}

# says MARK PATTERN: waits until the driver or the engine has logged a matching line since MARK
says() {
	until_true 60 said "$1" "$2" || fail "no such message: $2: $(messages_since "$1")"
}

in_state() {
	[ "$(port_file 1 state)" = "$1" ]
}

works() {
	until_true 30 prints rdma_devices
	query 'hca_id' ibv_devinfo
}

# driver_around: runs a test without the driver, and loads the driver again, whatever the result
driver_around() {
	local status=0
	driver_unload
	("$@") || status=$?
	modprobe -a ib_uverbs ib_umad
	load_own ib_tavor
	until_true 30 prints rdma_devices
	return "$status"
}


test_no_IB_devices_found_when_no_driver_has_the_card() {
	unbind
	refused . ibv_devinfo
	shows 'No IB devices found'
	query "^$card " lspci -Dk -s "$card"
	! grep 'Kernel driver in use' "$TEST_DIR/query" || fail "a driver has it"
	echo "$card" >/sys/bus/pci/drivers_probe
	query 'Kernel driver in use: ib_tavor' lspci -Dk -s "$card"
	works
}

test_no_IB_devices_found_when_the_probe_has_failed() {
	local since
	unbind
	since=$(mark)
	one_fault status INIT_HCA 1 status=1
	! bind || fail "the probe succeeded"
	log_shows "$since" '... failed at ...: firmware status'
	refused . ibv_devinfo
	shows 'No IB devices found'
	bind
	works
}

test_a_command_of_a_program_that_is_refused_is_not_logged() {
	local since
	since=$(mark)
	one_fault status SW2HW_CQ 1 status=1
	refused 'CQ' ibv_rc_pingpong
	faults_off
	! said "$since" 'failed at' || fail "it is: $(messages_since "$since")"
}

test_no_IB_devices_found_without_a_library() {
	mkdir "$TEST_DIR/empty"
	# libibverbs looks for providers in one folder; the mount hides it.
	mount --bind "$TEST_DIR/empty" /usr/lib/x86_64-linux-gnu/libibverbs
	mount --bind "$TEST_DIR/empty" /etc/libibverbs.d
	IBV_SHOW_WARNINGS=1 ibv_devinfo >"$TEST_DIR/query" 2>&1 || :
	umount /etc/libibverbs.d /usr/lib/x86_64-linux-gnu/libibverbs
	matches "no userspace device-specific driver found for $(device)"
	shows 'No IB devices found'
	query 'hca_id' ibv_devinfo
}

test_no_IB_devices_found_until_a_failed_device_has_recovered() {
	local since
	recoveries 6
	since=$(mark)
	fault status on=cmd op=INIT_HCA status=1
	catastrophe
	says "$since" 'recovery: number .* in 2 s'
	refused . ibv_devinfo
	shows 'No IB devices found'
	query 'recovery: the device did not come back' dmesg
	faults_off
	says "$since" 'recovery: the device is back'
	works
	recoveries 0
}

test_the_port_stays_in_INIT_without_a_subnet_manager() {
	until_true 30 in_state '2: INIT'
	query 'PORT_INIT' ibv_devinfo -i 1
	refused . sminfo
	sm_restart
	until_true 60 in_state '4: ACTIVE'
	query 'SMINFO' sminfo || query 'sminfo' sminfo
}

test_the_port_stays_in_DOWN_without_a_cable() {
	model_set 0 unplug 1
	until_true 30 in_state '1: DOWN'
	query 'Physical state: Polling' ibstat "$(device)" 1
	model_set 0 unplug ''
	until_true 60 in_state '4: ACTIVE'
	sm_away
}

test_memlock_too_low() {
	refused "Couldn't register MR" prlimit --memlock=$((in_kb * 1024)) "${as_nobody[@]}" \
		strace -e trace=ioctl,write ibv_rc_pingpong -s 1048576 -d "$(device)"
	shows 'RLIMIT_MEMLOCK is ... bytes'
	shows 'ENOMEM'
	table | grep -qF "$in_kb KB" || fail "the table has another limit"
}

test_memlock_is_high_enough() {
	# It fails later, because no server listens.
	refused "Couldn't connect" prlimit --memlock=unlimited "${as_nobody[@]}" ibv_rc_pingpong \
		-s 1048576 -d "$(device)" 127.0.0.1
	absent 'RLIMIT_MEMLOCK' "$TEST_DIR/query"
}

test_permission_denied_for_umad() {
	refused . "${as_nobody[@]}" cat /dev/infiniband/umad0
	shows 'Permission denied'
	refused 'open UMAD port' "${as_nobody[@]}" sminfo
	query '^crw-.*root' ls -l /dev/infiniband/umad0
}

test_ib_umad_is_not_loaded() {
	rmmod ib_umad
	query 'Port 1:' ibstat
	# Its status is 0 in any case.
	timeout 30 opensm -o >"$TEST_DIR/query" 2>&1 || :
	shows 'is ib_umad module loaded?'
	refused . sminfo
	shows 'is ib_umad module loaded?'
	modprobe ib_umad
	sminfo -t 100 >"$TEST_DIR/query" 2>&1 || :
	absent 'is ib_umad module loaded' "$TEST_DIR/query"
}

test_there_is_no_ib0_without_ib_ipoib() {
	[ -z "$(ip -o link show type ipoib)" ] || fail "there is one"
	modprobe ib_ipoib
	until_true 30 prints ip -o link show type ipoib
	ip link set ib0 name other0
	ip -o link show type ipoib >"$TEST_DIR/query"
	matches 'other0'
	rmmod ib_ipoib
}

out_of_range() {
	modprobe ib_uverbs || exit
	load_own ib_vrb || exit
	refused . insmod "$own/ib_tavor.ko" num_qp=7
	shows 'Invalid parameters'
	dmesg | tail -n 1 >"$TEST_DIR/query"
	matches 'num_qp.*1024.*16777216'
	# What modprobe says, which needs the module in a folder of its own kind
	mkdir -p "$TEST_DIR/lib/modules/$(uname -r)"
	cp "$own"/ib_{vrb,tavor}.ko "$TEST_DIR/lib/modules/$(uname -r)/"
	depmod -b "$TEST_DIR" "$(uname -r)" 2>/dev/null
	refused . modprobe -d "$TEST_DIR" ib_tavor num_qp=7
	shows 'Invalid argument'
}

test_a_parameter_out_of_range() {
	driver_around out_of_range
}

unknown_symbol() {
	refused . insmod "$own/ib_tavor.ko"
	shows 'Unknown symbol in module'
}

test_unknown_symbol() {
	driver_around unknown_symbol
}

tables_too_large() {
	local since
	modprobe ib_uverbs || exit
	load_own ib_vrb || exit
	since=$(mark)
	insmod "$own/ib_tavor.ko" num_mtt=16777216 || exit
	[ -z "$(rdma_devices)" ] || fail "it binds"
	log_shows "$since" 'tables of ... MB do not fit'
	rmmod ib_tavor
}

test_tables_that_do_not_fit() {
	driver_around tables_too_large
}

test_no_interrupt_by_MSI_X() {
	local since
	unbind
	since=$(mark)
	model_set 0 lose_msix 1
	bind
	log_shows "$since" 'no interrupt by MSI-X after NOP'
	grep ib_tavor /proc/interrupts | absent MSI -
	works
	model_set 0 lose_msix 0
	reload
	grep ib_tavor /proc/interrupts | grep -q MSI || fail "it still uses INTx"
}

test_the_device_does_not_come_back() {
	local since
	recoveries 1
	since=$(mark)
	fault status on=cmd op=INIT_HCA status=1
	catastrophe
	says "$since" 'by hand: devlink health recover'
	log_shows "$since" 'device has failed: ...'
	shows 'given up after ... in a row'
	shows 'did not come back'
	faults_off
	devlink health recover "pci/$card" reporter fatal
	works
	recoveries 0
}

test_the_device_stays_away_because_of_devlink() {
	local since
	recoveries 6
	devlink health set "pci/$card" reporter fatal auto_recover false
	since=$(mark)
	catastrophe
	says "$since" 'by hand: devlink health recover'
	log_shows "$since" 'automatic recovery is disabled in devlink'
	devlink health recover "pci/$card" reporter fatal
	works
	devlink health set "pci/$card" reporter fatal auto_recover true
	recoveries 0
}

# old_device_is_seen: a program that creates and destroys objects ends with EIO, because the device
# fails. It ends without EIO if it has just been opening the device.
old_device_is_seen() {
	local since
	since=$(mark)
	processes 1 churn
	catastrophe
	says "$since" 'recovery: the device is back'
	until_true 30 ended "$PIDS"
	cp "$TEST_DIR/process-churn-1" "$TEST_DIR/query"
	grep -q 'Input/output error' "$TEST_DIR/query"
}

# shellcheck disable=SC2016 # what the document has around a name
test_programs_that_have_the_old_device_open() {
	recoveries 6
	old_device_is_seen || old_device_is_seen || old_device_is_seen ||
		fail "no program had EIO: $(<"$TEST_DIR/query")"
	table | grep -qF '``EIO``' || fail "the table has another error"
	processes 1 churn
	sleep 1
	processes_end TERM
	grep -q 'told to end' "$TEST_DIR/process-churn-1" || fail "it fails again"
	recoveries 0
}

# queue_holds: starts a program with a verb queue and requests of which each takes a second
queue_holds() {
	model_set 0 latency_op RST2INIT_QPEE=1s
	"$(dirname "$PROGRAM")/verb_queue" hold >"$TEST_DIR/holder" &
	HOLDER=$!
	until_true 60 grep -q holding "$TEST_DIR/holder"
}

test_the_module_is_in_use() {
	queue_holds
	model_set 0 latency_op ''
	unbind
	refused . rmmod ib_tavor
	shows 'Module ib_tavor is in use'
	kill "$HOLDER"
	until_true 20 rmmod ib_tavor
	reload
}

test_the_exit_of_a_program_waits() {
	local since
	since=$(mark)
	echo 1 >/sys/module/ib_vrb/parameters/nag_seconds
	queue_holds
	kill "$HOLDER"
	says "$since" 'waiting for '
	model_set 0 latency_op ''
	log_shows "$since" 'waiting for ...'
	until_true 60 ended "$HOLDER"
	echo 10 >/sys/module/ib_vrb/parameters/nag_seconds
}

# Kernel clients are removed first, then the program's objects.
test_an_unbind_waits_for_a_program() {
	local since pid
	trap 'echo 10 >/sys/module/ib_vrb/parameters/nag_seconds; model_set 0 latency_op ""' EXIT
	since=$(mark)
	echo 1 >/sys/module/ib_vrb/parameters/nag_seconds
	queue_holds
	(unbind) &
	pid=$!
	model_set 0 latency_op ERR2RST_QPEE=1s
	says "$since" 'waiting for objects of a process'
	log_shows "$since" 'waiting for ...'
	model_set 0 latency_op ''
	until_true 60 ended "$pid"
	wait "$pid" || fail "the unbind has failed"
	kill "$HOLDER"
	until_true 20 ended "$HOLDER"
	reload
}

# Each message in quotes in the first column; signed.sh and the test of the packages have two.
test_each_message_of_the_table_has_a_test() {
	local text tests=("$0" "$(dirname "$0")/signed.sh")
	tests+=("$TREE/tools/testing/packaging/install.sh")
	table | grep -oP '(?<=\* - )[^*]*?(?= - )' | grep -oP '"[^"]+"' | tr -d '"' |
		sort -u >"$TEST_DIR/quoted"
	[ "$(wc -l <"$TEST_DIR/quoted")" -ge 14 ] || fail "few messages: $(<"$TEST_DIR/quoted")"
	while read -r text; do
		grep -qF -- "'$text'" "${tests[@]}" || fail "no test of '$text'"
	done <"$TEST_DIR/quoted"
}

# This is the last test: the function does not come back in this guest.
test_the_device_is_gone() {
	local since
	recoveries 6
	since=$(mark)
	fault status on=cmd op=INIT_HCA status=1
	catastrophe
	says "$since" 'recovery: number .* in 2 s'
	model '{"cmd":"remove","hca":0}' | grep -q '"ok":true'
	says "$since" 'recovery: the device is gone'
	log_shows "$since" 'the device is gone'
}

# In the guest with the firmware of such an HCA
firmware_is_old() {
	dmesg >"$TEST_DIR/query"
	shows 'firmware ... is old: ... or later is recommended'
}

firmware_takes_one_command_at_a_time() {
	dmesg >"$TEST_DIR/query"
	shows 'the firmware takes one command at a time only'
	[ -z "$(rdma_devices)" ] || fail "the driver has bound"
	rmmod ib_tavor ib_vrb
	modprobe ib_mthca
	until_true 30 prints rdma_devices
	rmmod ib_mthca
}

if [ $# = 0 ] && [ "$DRIVER" = none ]; then
	set -- firmware_is_old firmware_takes_one_command_at_a_time
fi
run_tests "$@"
