#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Timeout: 600
# Runs: guest --driver tavor --sm
# Runs: guest --driver mthca --sm
# Level: all
#
# Tests the examples of libvrbq and vrbstat: their work on a device, and their messages without a
# device or without access to it. By hand:
#   tools/testing/vm/run --driver tavor --sm -- \
#     tools/testing/selftests/libvrbq/programs.sh [test_NAME...]

# shellcheck source=SCRIPTDIR/../../interop/ipoib_ports.bash
. "$(dirname "$0")/../../interop/ipoib_ports.bash"

BIN=${TEST_BIN:-$TREE/build/guest/libvrbq}
PAIRS=20

# says PATTERN COMMAND...: the command fails, with one line that begins with its name and matches
says() {
	local pattern=$1 status=0 output
	shift
	output=$("$@" 2>&1) || status=$?
	echo "$output"
	[ "$status" = 1 ] || fail "status $status: $*"
	grep -qE "^(vrbq?[a-z_]*): .*$pattern" <<<"$output" || fail "not '$pattern': $*"
}

# as_nobody COMMAND...: runs the command without privileges
as_nobody() {
	setpriv --reuid 65534 --regid 65534 --clear-groups --bounding-set=-all --inh-caps=-all "$@"
}

has_engine() {
	[ -d /sys/kernel/debug/ib_vrb ]
}

# checked DEVICE MODE: prints what vrbq_connect --check does
checked() {
	"$BIN/vrbq_connect" --check --device "$1" --pairs "$PAIRS" --mode "$2"
}

# alike DEVICE: each mode has the same output, and completes everything
alike() {
	local mode
	checked "$1" sync >"$TEST_DIR/sync"
	cat "$TEST_DIR/sync"
	for phase in connect write destroy; do
		grep -qx "$phase: $((2 * PAIRS)) of $((2 * PAIRS))" "$TEST_DIR/sync"
	done
	for mode in threads any; do
		checked "$1" "$mode" >"$TEST_DIR/$mode"
		diff "$TEST_DIR/sync" "$TEST_DIR/$mode"
	done
}

test_connect_does_the_same_in_each_mode() {
	model_set 0 latency 10ms
	(alike "$(device)") || touch "$TEST_DIR/failed"
	model_set 0 latency 10us
	[ ! -e "$TEST_DIR/failed" ]
}

RXE_ADDRESS=192.168.77.1

# rxe_up: makes a device of rdma_rxe
rxe_up() {
	modprobe -n rdma_rxe 2>/dev/null || skip "the kernel has no rdma_rxe"
	modprobe rdma_rxe
	ip link add vrbq0 type dummy
	ip addr add "$RXE_ADDRESS/24" dev vrbq0
	ip link set vrbq0 up
	rdma link add vrbqrxe type rxe netdev vrbq0
	until_true 10 test -e /sys/class/infiniband/vrbqrxe
}

# rxe_away: removes the rest of it
rxe_away() {
	ip link delete vrbq0
	modprobe -r rdma_rxe dummy
}

test_connect_does_the_same_on_rdma_rxe() {
	rxe_up
	(alike vrbqrxe) || touch "$TEST_DIR/failed"
	"$BIN/verbs" vrbqrxe >"$TEST_DIR/refusal" || true
	rdma link delete vrbqrxe
	rxe_away
	[ ! -e "$TEST_DIR/failed" ]
	# Its driver_id is not that of the call.
	grep -qx EINVAL "$TEST_DIR/refusal"
}

# words FIRST LAST FILE: prints the lines between these patterns without blanks, and man's "\-" as
# "-"
words() {
	sed -n "/$1/,/$2/p" "$3" | sed 's/\\-/-/g' | tr -d ' \t\n'
}

test_first_program_is_that_of_the_man_page() {
	local program=$TREE/userspace/examples/vrbq_first.c
	words '^static void connect_qp(' '^}' "$program" >"$TEST_DIR/program"
	words '^static void connect_qp(' '^}' "$TREE/userspace/libvrbq/man/vrbq.7" \
		>"$TEST_DIR/page"
	[ -s "$TEST_DIR/program" ]
	cmp "$TEST_DIR/program" "$TEST_DIR/page"
}

test_first_program_connects() {
	"$BIN/vrbq_first" "$(device)" | grep -qx 'connected, state 3'
}

test_programs_say_that_there_is_no_such_device() {
	local program
	for program in vrbq_connect vrbq_libevent; do
		says "no RDMA device 'none'; ibv_devices lists" "$BIN/$program" --device none
	done
	says "no RDMA device 'none'; ibv_devices lists" "$BIN/vrbq_first" none
}

test_connect_says_what_is_wrong_with_the_device() {
	says "has no port 9" "$BIN/vrbq_connect" --port 9
	says "no GID 200" "$BIN/vrbq_connect" --gid-index 200
}

test_connect_without_a_verb_queue() {
	if "$BIN/vrbq_connect" --check --pairs 1 --mode queue >/dev/null 2>&1; then
		skip "the device has one"
	fi
	says "has no verb queue; say --mode=threads" "$BIN/vrbq_connect" --mode queue
	"$BIN/verbs" "$(device)" | grep -qx EPROTONOSUPPORT
}

# of_release REVISION BYTES COMMAND...: runs it with a driver of this revision, with longer
# structures
of_release() {
	OTHER_REVISION=$1 OTHER_BYTES=$2 LD_PRELOAD=$BIN/other_driver.so "${@:3}"
}

test_connect_with_a_driver_of_another_release() {
	local revision
	checked "$(device)" sync >"$TEST_DIR/sync"
	checked "$(device)" queue >"$TEST_DIR/queue" 2>&1 || skip "the device has no verb queue"
	of_release 2 8 checked "$(device)" queue | diff "$TEST_DIR/sync" -
	of_release 2 8 "$BIN/vrbq_connect" --pairs 1 | grep -q '^connect  verb queue:'
	for revision in 0 1; do
		says "driver of .* is older than libvrbq: install both of one version" \
			of_release "$revision" -8 "$BIN/vrbq_connect" --mode queue
		of_release "$revision" -8 checked "$(device)" any | diff "$TEST_DIR/sync" -
		of_release "$revision" -8 "$BIN/vrbq_connect" --pairs 1 |
			grep -q '^connect  threads:'
	done
}

# Other programs do not ask for a verb queue: with such a driver they use threads.
test_other_programs_with_a_driver_of_another_release() {
	local revision
	checked "$(device)" queue >/dev/null 2>&1 || skip "the device has no verb queue"
	of_release 2 8 "$BIN/vrbq_libevent" --count 5 | grep -q '^verb queue: 5 .* 0 failures'
	for revision in 0 1; do
		of_release "$revision" -8 "$BIN/vrbq_libevent" --count 5 |
			grep -q '^threads: 5 .* 0 failures'
		of_release "$revision" -8 "$BIN/vrbq_first" | grep -qx 'connected, state 3'
	done
}

# closed_to_others FILE COMMAND...: runs the command while the file is for root alone
closed_to_others() {
	local file=$1 mode status=0
	shift
	mode=$(stat -c %a "$file")
	chmod 600 "$file"
	("$@") || status=$?
	chmod "$mode" "$file"
	[ "$status" = 0 ] || exit "$status"
}

test_programs_without_permission() {
	local program
	for program in vrbq_first vrbq_connect vrbq_libevent; do
		closed_to_others /dev/infiniband/uverbs0 \
			says "cannot be opened: Permission denied; the files in /dev/infiniband" \
			as_nobody "$BIN/$program"
	done
	modprobe rdma_ucm
	until_true 20 test -e /dev/infiniband/rdma_cm
	closed_to_others /dev/infiniband/rdma_cm \
		says "no event channel: Permission denied; the files in /dev/infiniband" \
		as_nobody "$BIN/vrbq_rdma_cm" --server
}

test_programs_that_may_not_lock_memory() {
	local program
	for program in vrbq_first vrbq_connect vrbq_libevent; do
		(
			ulimit -l 0
			says "ulimit -l" as_nobody "$BIN/$program"
		)
	done
}

test_rdma_cm_says_what_is_wrong_with_the_address() {
	says "203.0.113.1 cannot be resolved: .*IPoIB" "$BIN/vrbq_rdma_cm" 203.0.113.1
	says "nowhere.invalid, port 7471: " "$BIN/vrbq_rdma_cm" nowhere.invalid
}

test_programs_have_version_and_help() {
	local program status
	for program in vrbq_first vrbq_connect vrbq_libevent vrbq_rdma_cm vrbstat; do
		"$BIN/$program" --version | grep -qE "^$program [0-9.]+$"
		"$BIN/$program" --help | grep -q "^Usage: $program"
		status=0
		"$BIN/$program" --wrong 2>"$TEST_DIR/said" || status=$?
		cat "$TEST_DIR/said"
		[ "$status" = 64 ] || fail "status $status: $program --wrong"
	done
}

test_loop_of_libevent() {
	"$BIN/vrbq_libevent" --count 50 >"$TEST_DIR/loop"
	cat "$TEST_DIR/loop"
	grep -q ": 50 queue pairs made and destroyed, 0 failures" "$TEST_DIR/loop"
}

test_connections_of_rdma_cm() {
	local pid
	set_up
	far "$BIN/vrbq_rdma_cm" --server --count 5 >"$TEST_DIR/server" 2>&1 &
	pid=$!
	until_true 20 grep -q listening "$TEST_DIR/server"
	"$BIN/vrbq_rdma_cm" --count 5 "$THERE" >"$TEST_DIR/client" 2>&1 || touch "$TEST_DIR/failed"
	wait "$pid" || touch "$TEST_DIR/failed"
	pair_down
	cat "$TEST_DIR/server" "$TEST_DIR/client"
	[ ! -e "$TEST_DIR/failed" ]
	grep -q "5 connections, 5 messages, 0 failures" "$TEST_DIR/server"
	grep -q "5 connections, 5 messages, 0 failures" "$TEST_DIR/client"
}

# The client goes while the server's queue pair is being created. The server serves the next one.
test_a_client_of_rdma_cm_goes_early() {
	local server client
	set_up
	far env LD_PRELOAD="$BIN/slow_create.so" SLOW_CREATE=3000 "$BIN/vrbq_rdma_cm" --server \
		>"$TEST_DIR/server" 2>&1 &
	server=$!
	until_true 20 grep -q listening "$TEST_DIR/server"
	"$BIN/vrbq_rdma_cm" "$THERE" >"$TEST_DIR/first" 2>&1 &
	client=$!
	until_true 20 grep -q creating "$TEST_DIR/server"
	kill -9 "$client"
	until_true 20 ended "$client"
	"$BIN/vrbq_rdma_cm" "$THERE" >"$TEST_DIR/client" 2>&1 || touch "$TEST_DIR/failed"
	until_true 30 ended "$server" || kill "$server"
	wait "$server" || touch "$TEST_DIR/failed"
	pair_down
	cat "$TEST_DIR/server" "$TEST_DIR/first" "$TEST_DIR/client"
	[ ! -e "$TEST_DIR/failed" ]
	[ "$(grep -c creating "$TEST_DIR/server")" = 2 ]
	grep -q ": 1 connections, 1 messages, 0 failures" "$TEST_DIR/server"
	grep -q ": 1 connections, 1 messages, 0 failures" "$TEST_DIR/client"
}

test_rdma_cm_says_that_its_device_has_gone() {
	local server status=0
	rxe_up
	"$BIN/vrbq_rdma_cm" --server "$RXE_ADDRESS" >"$TEST_DIR/server" 2>&1 &
	server=$!
	until_true 20 grep -q listening "$TEST_DIR/server"
	rdma link delete vrbqrxe
	until_true 20 ended "$server" || kill "$server"
	wait "$server" || status=$?
	rxe_away
	cat "$TEST_DIR/server"
	[ "$status" = 1 ] || fail "status $status"
	grep -qx 'vrbq_rdma_cm: listening has ended: RDMA_CM_EVENT_DEVICE_REMOVAL' \
		"$TEST_DIR/server"
}

test_vrbstat_shows_requests() {
	has_engine || skip "the driver has no engine"
	model_set 0 latency 300ms
	"$BIN/vrbq_connect" --check --pairs 4 --mode threads >"$TEST_DIR/connect" &
	until_true 20 shown "QP:0x"
	model_set 0 latency 10us
	cat "$TEST_DIR/shown"
	grep -qE "^[0-9a-f:.]+: [1-9][0-9]* requests outstanding; [0-9]+ slots, [0-9]+ busy, 0 zo" \
		"$TEST_DIR/shown"
	grep -qE "^  [0-9.]+ (us|ms|s) +issued +normal +[A-Z_]+ +[0-9]+:[^ ]+ +QP:0x" \
		"$TEST_DIR/shown"
	cat "$TEST_DIR/said"
	[ ! -s "$TEST_DIR/said" ]
	wait
	cat "$TEST_DIR/connect"
}

# shown PATTERN: vrbstat shows an issued request that matches; its output stays in a file
shown() {
	"$BIN/vrbstat" >"$TEST_DIR/shown" 2>"$TEST_DIR/said"
	grep -q "issued.*$1" "$TEST_DIR/shown"
}

# A slow guest may need more than three seconds to connect.
test_vrbstat_watches() {
	local watch
	has_engine || skip "the driver has no engine"
	"$BIN/vrbstat" --watch=3 >"$TEST_DIR/watch" &
	watch=$!
	until_true 120 watched || fail "$(<"$TEST_DIR/watch")"
	kill "$watch"
	wait "$watch" || :
	"$BIN/vrbstat" --watch=1 --count 1
	[ -z "$(ls /sys/kernel/tracing/instances)" ]
}

# watched: connections have been made, and an interval of vrbstat has had them
watched() {
	checked "$(device)" sync >/dev/null
	grep -qE "submitted [1-9][0-9.]* completed [1-9]" "$TEST_DIR/watch" &&
		grep -qE "^  MODIFY_QP +[1-9][0-9]* +[0-9.]+ (us|ms) +[0-9.]+ (us|ms)$" \
			"$TEST_DIR/watch"
}

# traces: the tracefs instance of vrbstat exists
traces() {
	[ -n "$(ls /sys/kernel/tracing/instances)" ]
}

test_vrbstat_removes_its_instance() {
	local signal pid
	has_engine || skip "the driver has no engine"
	for signal in HUP QUIT INT TERM; do
		# A shell starts a background process with SIGINT and SIGQUIT ignored.
		setsid env --default-signal "$BIN/vrbstat" --watch=60 >"$TEST_DIR/watch" &
		pid=$!
		until_true 20 traces
		kill -"$signal" "$pid"
		wait "$pid" || fail "status $? after SIG$signal"
		! traces || fail "SIG$signal leaves $(ls /sys/kernel/tracing/instances)"
	done
}

test_vrbstat_writes_json() {
	has_engine || skip "the driver has no engine"
	"$BIN/vrbstat" --json >"$TEST_DIR/json"
	cat "$TEST_DIR/json"
	grep -qE '"submitted":\s+[0-9]+' "$TEST_DIR/json"
	grep -qE '"zombie":\s+0' "$TEST_DIR/json"
	"$BIN/vrbstat" --json --watch=0.1 --count 2 >"$TEST_DIR/lines"
	[ "$(grep -c '^{"devices":\[{.*}\]}$' "$TEST_DIR/lines")" = 2 ]
}

# Another driver, or another release of this one, may have fewer counters.
test_vrbstat_shows_an_engine_with_few_counters() {
	mkdir -p "$TEST_DIR/debug/ib_vrb/dev"
	echo "submitted 1" >"$TEST_DIR/debug/ib_vrb/dev/counters"
	"$BIN/vrbstat" --debugfs "$TEST_DIR/debug" --watch=0.1 --count 1 >"$TEST_DIR/few"
	cat "$TEST_DIR/few"
	grep -q "submitted 0.0 completed - failed - steps -$" "$TEST_DIR/few"
}

# other_files LINE: writes files of an engine with one outstanding request, and this line
other_files() {
	mkdir -p "$TEST_DIR/debug/ib_vrb/dev"
	printf 'submitted 1\nfuture 2\n' >"$TEST_DIR/debug/ib_vrb/dev/counters"
	printf '# slots\n0 busy\n1 free\n' >"$TEST_DIR/debug/ib_vrb/dev/slots"
	printf '# requests\n5 issued normal MODIFY_QP 1:X QP:0x1 c 0 f\n%s\n' "$1" \
		>"$TEST_DIR/debug/ib_vrb/dev/vrbs"
}

test_vrbstat_with_a_module_of_another_release() {
	local line
	# A newer engine has more columns and more counters.
	other_files '6 issued normal MODIFY_QP 1:X QP:0x2 c 1 f more'
	"$BIN/vrbstat" --debugfs "$TEST_DIR/debug" >"$TEST_DIR/newer" 2>"$TEST_DIR/said"
	cat "$TEST_DIR/newer" "$TEST_DIR/said"
	[ ! -s "$TEST_DIR/said" ]
	grep -q '^dev: 2 requests outstanding; 2 slots, 1 busy' "$TEST_DIR/newer"
	# An older one may have fewer columns, and others may mean something else.
	for line in '6 issued MODIFY_QP QP:0x2' 'issued 6 normal MODIFY_QP 1:X QP:0x2 c 1 f'; do
		other_files "$line"
		"$BIN/vrbstat" --debugfs "$TEST_DIR/debug" >"$TEST_DIR/older" 2>"$TEST_DIR/said"
		cat "$TEST_DIR/older" "$TEST_DIR/said"
		grep -q '^dev: 1 requests outstanding; 2 slots, 1 busy' "$TEST_DIR/older"
		grep -q '^vrbstat: dev: 1 lines are not .*of one version$' "$TEST_DIR/said"
	done
}

test_vrbstat_says_what_is_missing() {
	if has_engine; then
		says "no device 'none'" "$BIN/vrbstat" --device none
	else
		says "ib_vrb is not loaded" "$BIN/vrbstat"
	fi
	says "debugfs is for root" as_nobody "$BIN/vrbstat"
	says "/nowhere: No such file or directory" "$BIN/vrbstat" --debugfs /nowhere
	mkdir "$TEST_DIR/empty"
	says "debugfs is not mounted: mount" "$BIN/vrbstat" --debugfs "$TEST_DIR/empty"
}

# usage PATTERN ARGUMENT...: vrbstat refuses the arguments
usage() {
	local pattern=$1 status=0
	shift
	"$BIN/vrbstat" "$@" >"$TEST_DIR/usage" 2>&1 || status=$?
	cat "$TEST_DIR/usage"
	[ "$status" = 64 ] || fail "status $status: $*"
	grep -q "$pattern" "$TEST_DIR/usage"
}

test_vrbstat_refuses_bad_arguments() {
	usage "'1.5' is not a whole number" --count 1.5
	usage "'2.5' is not a whole number" --top 2.5
	usage "'0' is not a number from 1" --count 0
	usage "'x' is not a number" --watch=x
	usage "'nan' is not a number" --watch=nan
	usage "'5' is no option" --watch 5
	usage "option" --wrong
}

run_tests "$@"
