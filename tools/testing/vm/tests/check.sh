#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: host
#
# Tests the exit status of check: whether all tests passed. Uses its own small tree.

# shellcheck source=SCRIPTDIR/../lib/try.bash
. "$(dirname "$0")/../lib/try.bash"
real=$(cd "$(dirname "$0")/../../../.." && pwd)
tree=$work/tree
folder=$tree/tools/testing/small

# a_test NAME LEVEL COMMAND: creates a test that runs on the host
a_test() {
	printf '#!/bin/sh\n# Runs: host\n# Level: %s\n#\n# The purpose of %s. And more.\n%s\n' \
		"$2" "$1" "$3" >"$folder/$1.sh"
	chmod +x "$folder/$1.sh"
}

# checks TEXT STATUS LAST-LINE ARGUMENT...
checks() {
	local text=$1 want=$2 line=$3 status=0
	shift 3
	"$tree/tools/testing/vm/check" "$@" >"$work/out" 2>"$work/err" </dev/null || status=$?
	[ "$status" = "$want" ] && [ "$(tail -n 1 "$work/out")" = "$line" ]
	result $? "$text"
}

mkdir -p "$folder" "$tree/build/kselftest"
touch "$folder/packages.txt" "$tree/build/kselftest/.complete"
cp -r "$(dirname "$0")/.." "$tree/tools/testing/vm"
a_test good "" "echo ok 1 one; echo ok 2 two; echo 1..2"
a_test bad all "echo ok 1 one; echo not ok 2 two; echo 1..2"
a_test dies all "kill -KILL \$\$"
a_test absent all "exit 4"
a_test static ci "exit 0"
a_test slow all "echo ok 1 one; until [ -e $work/go ]; do sleep 0.1; done; echo ok 2 two; echo 1..2"
a_test guest all "echo ok 1 one; echo 1..1"
sed -i 's/^# Runs: host$/# Runs: guest --hcas 0/' "$folder/guest.sh"

# a_run STATUS: replaces run: boots no guest, runs the tests on the host, and ends with that status
a_run() {
	rm "$tree/tools/testing/vm/run"
	cat >"$tree/tools/testing/vm/run" <<-X
		#!/bin/bash
		while [ "\$1" != -- ]; do shift; done
		"$tree/\$2" "\${@:3}"
		echo "vm: FAILED: the guest says no" >&2
		exit $1
	X
	chmod +x "$tree/tools/testing/vm/run"
}

# listed ARGUMENT...: how check lists these tests
listed() {
	"$tree/tools/testing/vm/check" --list "$@" 2>"$work/err" | tr -s ' ' | tee "$work/out"
}

# on_the_host ARGUMENT...: the tests of the real tree that check lists as running on the host
on_the_host() {
	"$(dirname "$0")/../check" --list "$@" 2>"$work/err" | sed -n 's/ (.*, on the host)$//p' |
		sort
}

# host_lines: how many runs of the real tree say that they are on the host
host_lines() {
	local file
	git -c safe.directory="$real" -C "$real" ls-files --cached --others --exclude-standard \
		tools/testing | while read -r file; do
		[[ $file == */README || $file == */vm/check ]] || head -n 40 "$real/$file"
	done | grep -cE '^[#/* ]+Runs: host( |$)'
}

echo "TAP version 13"
echo "1..42"
checks "all passed: status 0" 0 "2 passed, 0 failed, 0 skipped" "small/good"
checks "a failure: status 1" 1 "1 passed, 1 failed, 0 skipped" "small/bad"
checks "one of several failed: status 1" 1 "3 passed, 1 failed, 0 skipped" "small/good" "small/bad"
checks "a test that was killed: status 1" 1 "0 passed, 1 failed, 0 skipped" "small/dies"
checks "a skip is no failure" 0 "0 passed, 0 failed, 1 skipped" "small/absent"
"$tree/tools/testing/vm/check" small/slow >"$work/out" 2>"$work/err" </dev/null &
soon grep -qx "ok 1 small/slow: one" "$work/out"
result $? "a result is shown when it comes"
touch "$work/go"
wait $! && grep -qx "2 passed, 0 failed, 0 skipped" "$work/out"
result $? "further results are shown when they come"
checks "a name that no test has: the bench's status" 125 "" "small/nothing"
checks "a name that no test has: other tests do not run either" 125 "" "small/good" "small/nothing"
a_run 0
checks "a run is a result of its own" 0 "2 passed, 0 failed, 0 skipped" "small/guest"
a_run 125
checks "a run that failed: status 1" 1 "1 passed, 1 failed, 0 skipped" "small/guest"
[ "$("$tree/tools/testing/vm/check" --ci --list | grep -c ^small/)" = 2 ]
result $? "--ci adds the tests of its level"
[ "$("$tree/tools/testing/vm/check" --all --list | grep -c ^small/)" = 7 ]
result $? "--all adds all tests"
sed 's/^# Level.*/# Kernels: 7-rt debug 7 6.12/' "$folder/guest.sh" >"$folder/kernels.sh"
chmod +x "$folder/kernels.sh"
[ "$(listed | grep ^small/kernels | grep -o 'kernel [^)]*')" = "kernel 7" ]
result $? "by default a test runs on the first of Debian's kernels that it names"
[ "$(listed small/kernels | grep -o 'kernel [^)]*')" = "kernel 7, 6.12" ]
result $? "a test asked for by name runs on all of Debian's that it names"
[ "$(listed --ci | grep ^small/kernels | grep -o 'kernel [^)]*')" = "kernel 7, 6.12" ]
result $? "so does a test with --ci"
[ "$(listed --all small/kernels | grep -o 'kernel [^)]*')" = "kernel 6.12, 7, 7-rt, debug" ]
result $? "with --all it runs on the other kernels, too"
[ "$(listed --all small/guest | grep -o 'kernel [^)]*')" = "kernel 6.12, 7" ]
result $? "one that names no kernel runs on both of Debian's with --all"
sed -i 's/^# Kernels:.*/# Kernels: debug 7-rt/' "$folder/kernels.sh"
[ "$(listed small/kernels | grep -o '(.*)')" = "(make check, kernel debug, 7-rt)" ]
result $? "by name, a test that names neither 6.12 nor 7 runs on the kernels that it names"
[ "$(listed --all small/kernels | grep -o 'kernel [^)]*')" = "kernel debug, 7-rt" ]
result $? "with --all it runs on no other kernel either"
[ "$(listed | grep ^small/kernels | grep -o '(.*)')" = "(make check, kernel debug)" ]
result $? "by default it runs on the first of them"
[ "$(listed --kernel 7-rt small/kernels | grep -o 'kernel [^)]*')" = "kernel 7-rt" ]
result $? "--kernel chooses one of them"
checks "--kernel with another one is refused" 125 "" --kernel 7 small/kernels
grep -q "no test matches: small/kernels (on kernel 7)" "$work/err"
result $? "the reason names the kernel"
rm "$folder/kernels.sh"
[ "$(listed small/static)" = "small/static (make ci, on the host)
 The purpose of static.
 tools/testing/vm/check small/static" ]
result $? "a list has each test's level, its purpose, and a command"
command=$(tail -n 1 "$work/out")
(cd "$tree" && eval "$command") >"$work/out" 2>"$work/err" </dev/null &&
	[ "$(tail -n 1 "$work/out")" = "1 passed, 0 failed, 0 skipped" ]
result $? "the listed command runs the test"
[ -z "$("$(dirname "$0")/../check" --all --list | awk 'NR % 3 == 2 && !/[a-z]+ [a-z]+.*\.$/')" ]
result $? "each test of the real tree says in a sentence what it is for"
on_the_host '*' >"$work/host"
[ "$(wc -l <"$work/host")" = "$(host_lines)" ]
result $? "by name, only tests that say so run on the host: $(wc -l <"$work/host") of the real tree"
for how in --all --ci "--all --kernel 7" "--all --kernel debug"; do
	# shellcheck disable=SC2086 # several words
	on_the_host $how >"$work/some"
	comm -13 "$work/host" "$work/some" >"$work/out"
	[ -s "$work/some" ] && [ ! -s "$work/out" ]
	result $? "nor does any other with $how"
done
# Two guests and the host, and what their boot and their environment pass to them
cat >"$folder/twice.sh" <<'X'
#!/bin/sh
# Level: all
# Runs: guest --driver mthca --sm
# Runs: guest --driver tavor --sm
# Level: ci
# Kernels: 7
# Guest: own
# Runs: host DRIVER=mthca OTHER=1
# As: host
# Timeout: 3
echo "ok 1 $DRIVER $OTHER $TEST_NAME"
echo 1..1
X
chmod +x "$folder/twice.sh"
sed 's/^# Guest: own//; s/^# Kernels.*//; s/^# Level.*//' "$folder/twice.sh" >"$folder/shares.sh"
chmod +x "$folder/shares.sh"

[ "$(listed small/twice | grep ^small)" = "small/twice-mthca (make check-all, kernel 6.12)
small/twice-tavor (make ci, kernel 7)
small/twice-host (make check-all, on the host)" ]
result $? "several runs of one file are several tests"
[ "$(listed 'small/t*-tavor' | cut -d' ' -f1)" = small/twice-tavor ]
result $? "'As:' names one of them"
[ "$(listed --ci | grep -c ^small/twice)" = 1 ]
result $? "a line that follows a 'Runs:' line applies to that run only"
checks "one of several runs can be run alone" 0 "1 passed, 0 failed, 0 skipped" small/twice-host
grep -q "^ok 1 small/twice-host: mthca 1 small/twice-host$" "$work/out"
result $? "it sees its variables"
a_run 0
# shares-mthca and twice-mthca are one guest, shares-tavor and twice-tavor two
checks "a test with 'Guest: own' has its own guest" 0 "7 passed, 0 failed, 0 skipped" \
	--kernel 7 'small/twice-[mt]*' 'small/shares-[mt]*'
grep -q "^ok .* guest, kernel 7 --driver tavor --sm, for small/twice-tavor alone: came up" \
	"$work/out"
result $? "the result of that guest names the test"
sed -i '/^# As:/d; s/DRIVER=mthca //' "$folder/twice.sh"
checks "runs that cannot be distinguished are refused" 125 "" small/twice
sed -i 's/OTHER=1/DRIVER=mthca/' "$folder/twice.sh"
checks "so are runs with the same name" 125 "" small/twice
sed -i 's/DRIVER=mthca/DRIVER=x/; s/^# Guest: own/# Guest: mine/' "$folder/twice.sh"
checks "a 'Guest:' line with another value is refused" 125 "" small/twice
