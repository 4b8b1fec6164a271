#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: host
#
# Tests what test.bash and query.bash report as a failure: a test that fails in any way must not
# look like one that passed. By hand: run this script.

folder=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=SCRIPTDIR/../lib/try.bash
. "$folder/../lib/try.bash"

# judged TEXT RESULT: standard input is the body of a test, which may take $seconds; RESULT is its
# result line without number and name
judged() {
	local status=0 want=1
	{
		echo ". '$folder/../guest/query.bash'"
		# Not the host's ports, and not its list of used ones
		echo 'listening() { :; }'
		echo 'next_tcp_port() { echo 1; }'
		printf 'TEST_SECONDS=%s\ntest_it() {\n%s\n}\nrun_tests "$@"\n' "${seconds:-60}" \
			"$(cat)"
	} >"$work/test"
	bash "$work/test" >"$work/out" 2>"$work/err" || status=$?
	[ "$2" = "not ok" ] || want=0
	[ "$(sed -n 's/^\(not ok\|ok\) 1 it/\1/p' "$work/out")" = "$2" ] && [ "$status" = $want ]
	result $? "$1"
}

# named TEXT LINE...: these lines are in the output of the test before, without its folder
named() {
	local said
	said=$(sed -n "s|^# \($work/\)\?||p" "$work/out")
	[[ $'\n'$said$'\n' == *$'\n'"$(printf '%s\n' "${@:2}")"$'\n'* ]]
	result $? "$1"
}

# killed TEXT: what the test before left running is gone
killed() {
	[ -s "$work/pid" ] &&
		! grep -qs '^State:[[:space:]]*[^ZX[:space:]]' "/proc/$(cat "$work/pid")/status"
	result $? "$1"
	rm -f "$work/pid"
}

echo "TAP version 13"
judged "all commands succeed" ok <<<"true"
judged "a command in the middle fails" "not ok" <<<"false; true"
judged "a command in a function of a function fails" \
	"not ok" <<<"inner() { false; true; }; inner; true"
judged "the last command fails" "not ok" <<<"true; false"
judged "it fails with a text" "not ok" <<<"fail no; true"
judged "it is killed" "not ok" <<<"kill -KILL \$BASHPID"
judged "a command fails" "not ok" <<<$'inner() {\n\t[ 1 = 2 ]\n}\ntrue\n\tinner x\ntrue'
named "it is reported with file, line and call trace" "test:10: inner x" \
	"test:7: [ 1 = 2 ]" \
	"status 1: [ 1 = 2 ]"
judged "a command in a pipe, in a shell in a shell fails" \
	"not ok" <<<$'x=$(true | (false; true))\n\ttrue | ( true; false )'
named "it is reported" "test:7: true | ( true; false )" "status 1: false"
judged "a failure in a condition is no failure of the test" ok \
	<<<$'inner() { false; }\nif inner; then true; fi\n! inner\ninner || true'
judged "it fails with a text" "not ok" <<<$'true\nuntil_true 0 false || fail no luck'
named "the text is reported with file and line" \
	"test:7: until_true 0 false || fail no luck" "no luck" \
	"test:5: test_it: status 1"
judged "it ends by itself" "not ok" <<<"exit 3"
named "the test is reported with its status" "test:5: test_it: status 3"
judged "it is skipped, and says why" "ok # SKIP no device" <<<"skip no device"
judged "it ends with the status of a skip, without a reason" "not ok" <<<"exit 4"
seconds=1 judged "it does not end" \
	"not ok" <<<"echo \$BASHPID >'$work/pid'; while :; do sleep 1; done"
killed "its process is ended"
judged "it leaves a process behind" ok <<<"sleep 1000 & echo \$! >'$work/pid'"
killed "the process is ended, too"
judged "what it waits for does not come" "not ok" <<<"until_true 0 false; true"

echo "here it is" >"$work/file"
judged "a line that must be absent is absent" ok <<<"absent there '$work/file'"
judged "a line that must be absent is present" "not ok" <<<"absent here '$work/file'; true"
judged "the file that must lack a line does not exist" "not ok" <<<"absent here '$work/none'; true"
judged "a line that must be absent comes through a pipe" \
	"not ok" <<<"cat '$work/file' | absent here -; true"

judged "server and client succeed" ok <<<"pair true true"
judged "the server fails" "not ok" <<<"pair false true; true"
judged "the client fails" "not ok" <<<"pair true false; true"

judged "a query is answered" ok <<<"query here cat '$work/file'; matches is"
judged "a query gets another answer" "not ok" <<<"query there cat '$work/file'; true"
judged "another line of the answer is missing" \
	"not ok" <<<"query here cat '$work/file'; matches there; true"
judged "a query that answers fails" "not ok" <<<"query here sh -c 'echo here; exit 1'; true"
judged "a program refuses and says why" ok <<<"refused 'No such' ls '$work/none'"
judged "a program refuses with status -1" ok <<<"refused no sh -c 'echo no; exit 255'"
judged "a program refuses for another reason" \
	"not ok" <<<"refused 'no memory' ls '$work/none'; true"
judged "a program that must refuse succeeds" "not ok" <<<"refused No echo No such; true"
judged "a program that must refuse crashes" \
	"not ok" <<<"refused no sh -c 'echo no; kill -SEGV \$\$'; true"

seconds=20 judged "a subnet manager that does not hear SIGTERM is stopped" ok <<X
OPENSM_PIDS=$work/pids
SM_PATIENCE=1
bash -c 'trap "" TERM; while :; do sleep 1; done' &
echo \$! | tee "$work/pid" >"$work/pids"
sleep 0.5
sm_stop
[ ! -e "$work/pids" ] && over "\$(cat "$work/pid")"
X
killed "it has ended"

cat >"$work/host" <<X
. '$folder/../lib/try.bash'
: >"\$work/out"
[ 1 = 2 ]
result \$? "one is two"
X
bash "$work/host" >"$work/out" 2>"$work/err"
named "a failed test on the host is reported with file, line and command" "host:3: [ 1 = 2 ]" \
	'host:4: result $? "one is two"'
sed -i '1i cd /' "$work/host"
(cd "$work" && bash host) >"$work/out" 2>"$work/err"
named "so is one that has left the folder its path is relative to" "host:4: [ 1 = 2 ]" \
	'host:5: result $? "one is two"'
echo "1..$number"
