#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: host
#
# What test.bash and query.bash call a failure: a test that goes wrong in whatever way must not look like one
# that passed. By hand: run this script.

folder=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=SCRIPTDIR/../lib/try.bash
. "$folder/../lib/try.bash"

# judged TEXT RESULT: standard input is the body of a test; RESULT is its line, without number and name
judged() {
	local status=0 want=1
	{
		echo ". '$folder/../guest/query.bash'"
		# Neither the host's ports nor its list of those that were used
		echo 'listening() { :; }'
		echo 'next_tcp_port() { echo 1; }'
		printf 'TEST_SECONDS=1\ntest_it() {\n%s\n}\nrun_tests "$@"\n' "$(cat)"
	} >"$work/test"
	bash "$work/test" >"$work/out" 2>"$work/err" || status=$?
	[ "$2" = "not ok" ] || want=0
	[ "$(sed -n 's/^\(not ok\|ok\) 1 it/\1/p' "$work/out")" = "$2" ] && [ "$status" = $want ]
	result $? "$1"
}

# killed TEXT: what the test before has left running
killed() {
	[ -s "$work/pid" ] && ! grep -qs '^State:[[:space:]]*[^ZX[:space:]]' "/proc/$(cat "$work/pid")/status"
	result $? "$1"
	rm -f "$work/pid"
}

echo "TAP version 13"
judged "all commands succeed" ok <<<"true"
judged "a command in the middle fails" "not ok" <<<"false; true"
judged "a command in a function of a function fails" "not ok" <<<"inner() { false; true; }; inner; true"
judged "the last command fails" "not ok" <<<"true; false"
judged "it fails with a text" "not ok" <<<"fail no; true"
judged "it is killed" "not ok" <<<"kill -KILL \$BASHPID"
judged "it is skipped, and says why" "ok # SKIP no device" <<<"skip no device"
judged "it ends with the status of a skip, without a reason" "not ok" <<<"exit 4"
judged "it does not end" "not ok" <<<"echo \$BASHPID >'$work/pid'; while :; do sleep 1; done"
killed "and is ended"
judged "it leaves a process behind" ok <<<"sleep 1000 & echo \$! >'$work/pid'"
killed "which is ended, too"
judged "what it waits for does not come" "not ok" <<<"until_true 0 false; true"

echo "here it is" >"$work/file"
judged "a line that has to be absent is" ok <<<"absent there '$work/file'"
judged "a line that has to be absent is there" "not ok" <<<"absent here '$work/file'; true"
judged "a file that has to lack a line is not there" "not ok" <<<"absent here '$work/none'; true"
judged "a line that has to be absent comes through a pipe" "not ok" <<<"cat '$work/file' | absent here -; true"

judged "server and client succeed" ok <<<"pair true true"
judged "the server fails" "not ok" <<<"pair false true; true"
judged "the client fails" "not ok" <<<"pair true false; true"

judged "a query is answered" ok <<<"query here cat '$work/file'; matches is"
judged "a query is answered otherwise" "not ok" <<<"query there cat '$work/file'; true"
judged "another line of the answer is missing" "not ok" <<<"query here cat '$work/file'; matches there; true"
judged "a query that answers fails" "not ok" <<<"query here sh -c 'echo here; exit 1'; true"
judged "a program refuses and says why" ok <<<"refused 'No such' ls '$work/none'"
judged "a program refuses with status -1" ok <<<"refused no sh -c 'echo no; exit 255'"
judged "a program refuses for another reason" "not ok" <<<"refused 'no memory' ls '$work/none'; true"
judged "a program that has to refuse succeeds" "not ok" <<<"refused No echo No such; true"
judged "a program that has to refuse crashes" "not ok" <<<"refused no sh -c 'echo no; kill -SEGV \$\$'; true"
echo "1..$number"
