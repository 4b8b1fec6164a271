# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
# shellcheck shell=bash
#
# Functions for tests that remove the device while processes have it open and hold objects on it.

# shellcheck source=SCRIPTDIR/faults.bash
. "$(dirname "${BASH_SOURCE[0]}")/faults.bash"

PROGRAM=${TEST_BIN:-$TREE/build/guest/tavor}/verb_errors

# processes N MODE: starts N processes that hold objects, or create and destroy them
processes() {
	local n
	PIDS=
	for n in $(seq "$1"); do
		"$PROGRAM" "$2" >"$TEST_DIR/process-$2-$n" 2>&1 &
		PIDS+=" $!"
		until_true 30 grep -q "ing$" "$TEST_DIR/process-$2-$n" ||
			fail "it does not start: $(cat "$TEST_DIR/process-$2-$n")"
	done
}

# endless_pingpong: starts a pingpong between the two ports; sets PIDS to the two programs
endless_pingpong() {
	stdbuf -oL ibv_rc_pingpong -i 1 -n 100000000 >"$TEST_DIR/process-server" 2>&1 &
	PIDS=" $!"
	until_true 20 listening 18515
	stdbuf -oL ibv_rc_pingpong -i 2 -n 100000000 127.0.0.1 >"$TEST_DIR/process-client" 2>&1 &
	PIDS+=" $!"
	until_true 20 grep -q 'remote address' "$TEST_DIR/process-client"
}

# processes_end SIGNAL: sends SIGNAL to all processes, and checks that all of them end
processes_end() {
	local pid
	# shellcheck disable=SC2086 # pids
	kill "-$1" $PIDS 2>/dev/null || :
	for pid in $PIDS; do
		until_true 60 ended "$pid" || fail "process $pid hangs: $(cat "/proc/$pid/stack")"
	done
	cat "$TEST_DIR"/process-*
}

# destroys_did_not_fail: checks that no destroy of a process has failed
destroys_did_not_fail() {
	absent '(destroy|dereg|dealloc|detach)[^:]*: ' "$TEST_DIR"/process-hold-*
}

failed() {
	said "$1" 'device has failed'
}

# unbind_within SECONDS: unbinds in the background, so that an unbind that hangs fails the test
unbind_within() {
	local pid
	(unbind) &
	pid=$!
	until_true "$1" ended "$pid" || fail "unbind hangs: $(cat "/proc/$pid/stack")"
}

# sm_anew: restarts opensm, which does not notice that its device was removed. An opensm that waits
# for a MAD of that device ignores SIGTERM.
sm_anew() {
	pkill -KILL -x opensm || :
	sm_away
	sm_restart
}
