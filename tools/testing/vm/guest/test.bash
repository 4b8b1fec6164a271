# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
# shellcheck shell=bash
#
# For the guest's test scripts: a script defines functions test_*, then calls run_tests "$@". Each
# function is one test and runs in its own shell with "set -e". Names as arguments select tests
# ("rdma_core.sh test_ibstat"). A failure is reported with file, line and command. A test that
# cannot run here calls skip with the reason.

TEST_SECONDS=${TEST_SECONDS:-120}
TREE=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../../.." && pwd)
# shellcheck source=SCRIPTDIR/functions
. "$TREE/tools/testing/vm/guest/functions"

# trail SKIP: the call trace: file, line and command of each call, except for the innermost SKIP
# ones
trail() {
	local i line file top=${#FUNCNAME[@]}
	for i in "${!FUNCNAME[@]}"; do
		[ "${FUNCNAME[i]}" != one_test ] || top=$i
	done
	for ((i = top - 1; i > $1; i--)); do
		line=${BASH_LINENO[i - 1]}
		file=$(realpath -m "${BASH_SOURCE[i]}")
		printf '%s:%s: %s\n' "${file#"$TREE/"}" "$line" \
			"$(sed -n "${line}s/^[[:space:]]*//p" "$file" 2>/dev/null)"
	done
}

# broken STATUS COMMAND: what the trap below reports about a command that failed
broken() {
	{
		trail 1
		echo "status $1: $2"
	} >&2
}

# strict: from here on, a command that fails is reported and ends the test
strict() {
	set -eE
	trap 'broken "$?" "$BASH_COMMAND"' ERR
}

# fail TEXT...: ends the test
fail() {
	{
		trail 1
		echo "$*"
	} >&2
	exit 1
}

# absent PATTERN FILE...: fails if a line matches, and shows it ("! grep" would not end a "set -e"
# shell), or if a file does not exist
absent() {
	local status=0
	grep -iE -- "$@" || status=$?
	[ "$status" = 1 ] || fail "unexpected: the lines above"
}

# skip REASON...: ends the test
skip() {
	echo "$*" >"$TEST_DIR/skip"
	exit 4
}

# device: the name of the first RDMA device
device() {
	local name
	name=$(rdma_devices | head -n 1)
	[ -n "$name" ] || fail "there is no RDMA device"
	echo "$name"
}

# port_file PORT FILE [DEVICE]: reads a file of a port in sysfs
port_file() {
	cat "/sys/class/infiniband/${3:-$(device)}/ports/$1/$2"
}

# lid PORT [DEVICE]: the LID in decimal
lid() {
	echo $(($(port_file "$1" lid "${2:-}")))
}

# sm_restart: like sm_start, but opensm outlives the test
sm_restart() {
	# shellcheck disable=SC2016 # expanded inside
	setsid bash -c '. "$1" && sm_start' - "$TREE/tools/testing/vm/guest/functions"
}

# prints COMMAND...: the command prints something
prints() {
	[ -n "$("$@")" ]
}

listening() {
	[ -n "$(ss -Hltn "sport = :$1")" ]
}

# A TCP port that no earlier test has left in TIME_WAIT
next_tcp_port() {
	local last=18600
	[ ! -e /run/tcp-port ] || last=$(</run/tcp-port)
	echo $((last + 1)) | tee /run/tcp-port
}

# pair "SERVER..." "CLIENT..." [ADDRESS]: runs a pingpong-like program as server and as client. Both
# get -p with a fresh port. The client's output is shown, and the server's if something failed.
pair() {
	local port pid status=0 server=$1 client=$2 address=${3:-127.0.0.1}
	port=$(next_tcp_port)
	# shellcheck disable=SC2086 # command lines
	$server -p "$port" >"$TEST_DIR/server" 2>&1 &
	pid=$!
	until_true 30 listening "$port" ||
		{ cat "$TEST_DIR/server"; fail "the server does not listen: $server"; }
	# shellcheck disable=SC2086
	$client -p "$port" "$address" || status=$?
	[ "$status" = 0 ] || kill "$pid" 2>/dev/null || :
	if ! wait "$pid" || [ "$status" != 0 ]; then
		sed 's/^/server: /' "$TEST_DIR/server"
		fail "client: status $status: $client"
	fi
}

# model JSON: sends one request to the model's control socket and prints the reply
model() {
	local reply
	stty -F /dev/ttyS1 raw -echo
	exec 9<>/dev/ttyS1
	echo "$1" >&9
	read -r -t 20 reply <&9 || fail "the model does not answer: $1"
	exec 9>&-
	echo "$reply"
}

# model_set HCA KEY VALUE
model_set() {
	model "{\"cmd\":\"set\",\"hca\":$1,\"key\":\"$2\",\"value\":\"$3\"}" |
		grep -q '"ok":true' ||
		fail "the model refuses $2=$3"
}

no_opensm() {
	[ -z "$(pgrep -x opensm)" ]
}

any_port_active() {
	[ -n "$(ports 4)" ]
}

# sm_away: stops the subnet manager. It is no child of this shell, so "wait" cannot wait for it.
sm_away() {
	sm_stop || :
	until_true 60 no_opensm
}

# sm_around COMMAND...: runs it without the subnet manager, which would lose its device, and then
# starts one again
sm_around() {
	sm_away
	"$@"
	sm_restart
	until_true 60 any_port_active
}

# defined FUNCTION: its file, line and name
defined() {
	local line file
	read -r _ line file < <(shopt -s extdebug && declare -F "$1")
	echo "${file#"$TREE/"}:$line: $1"
}

# one_test NUMBER FUNCTION
one_test() {
	local number=$1 name=$2 text pid status=0
	text=${name#test_}
	text=${text//_/ }
	TEST_DIR=$(mktemp -d)
	set -m
	(
		strict
		"$name"
	) >"$TEST_DIR/out" 2>&1 </dev/null &
	pid=$!
	set +m
	until_true "$TEST_SECONDS" ended "$pid" || {
		echo "no end after $TEST_SECONDS s" >>"$TEST_DIR/out"
		# shellcheck disable=SC2009 # for a person to read
		ps -eo pid,stat,wchan:30,args --forest | grep -v '\]$' >>"$TEST_DIR/out"
	}
	# Ends whatever the test has left running.
	kill -KILL -- "-$pid" 2>/dev/null
	wait "$pid" 2>/dev/null || status=$?
	if [ "$status" = 4 ] && [ -s "$TEST_DIR/skip" ]; then
		echo "ok $number $text # SKIP $(<"$TEST_DIR/skip")"
	elif [ "$status" = 0 ]; then
		echo "ok $number $text"
	else
		echo "$(defined "$name"): status $status" >>"$TEST_DIR/out"
		tail -n 60 "$TEST_DIR/out" | sed 's/^/# /'
		echo "not ok $number $text"
		TESTS_FAILED=$((TESTS_FAILED + 1))
	fi
	rm -rf "$TEST_DIR"
}

ended() {
	! grep -qs '^State:[[:space:]]*[^ZX[:space:]]' "/proc/$1/status"
}

run_tests() {
	local number=0 name names=("$@")
	if [ ${#names[@]} = 0 ]; then
		# In the order of the file, in which they are meant to be read.
		shopt -s extdebug
		mapfile -t names < <(declare -F | awk '$3 ~ /^test_/ { print $3 }' |
			while read -r name; do declare -F "$name"; done | sort -k3,3 -k2,2n |
			cut -d' ' -f1)
		shopt -u extdebug
	fi
	for name in "${names[@]}"; do
		declare -F "$name" >/dev/null || { echo "Bail out! no test '$name'"; exit 1; }
	done
	TESTS_FAILED=0
	echo "TAP version 13"
	echo "1..${#names[@]}"
	for name in "${names[@]}"; do
		number=$((number + 1))
		one_test "$number" "$name"
	done
	[ "$TESTS_FAILED" = 0 ]
	exit
}
