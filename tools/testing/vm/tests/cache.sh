#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: host
#
# Tests the cache: each entry is complete, whatever happened while it was built; two concurrent runs
# build it once; and a message says clearly what the bench cannot use. Uses its own cache.

cd "$(dirname "$0")/.." || exit 1
# shellcheck source=SCRIPTDIR/../lib/try.bash
. lib/try.bash
chmod 755 "$work"

# in_cache ARGUMENT...: runs cached() in its own shell
in_cache() {
	# shellcheck disable=SC2016 # for that shell
	XDG_CACHE_HOME=$work/cache exec bash -c '. lib/all.sh; cached "$@"' - "$@"
}

# refused TEXT PATTERN: the last run ended with the bench's status, and its last line matches
refused() {
	[ "$status" = 125 ] && tail -n 1 "$work/err" | grep -q -- "$2"
	result $? "$1"
}

# name PACKAGES RECIPE: the name of a guest root made from these
name() {
	# shellcheck disable=SC2016 # for that shell
	bash -c '. lib/all.sh; root_name guest trixie "$@"' - "$@"
}

# A builder that records its runs, writes two files, and takes as long as it is told; "fail" makes
# it fail.
builder=$work/builder
cat >"$builder" <<EOF
#!/bin/bash
echo \$\$ >>"$work/runs"
touch "\$2/first"
[ "\$1" != fail ] || exit 1
sleep "\$1"
touch "\$2/second"
EOF
chmod +x "$builder"
dir=$work/cache/ib-vrb/thing

echo "TAP version 13"
(in_cache "$dir" "a failing build" "$builder" fail) 2>"$work/err"
status=$?
refused "a failed build fails the run and is named" "could not finish: a failing build"
[ ! -e "$dir" ] && [ ! -e "$dir.part" ]
result $? "a failed build leaves nothing behind"

: >"$work/runs"
in_cache "$dir" "an interrupted build" "$builder" 60 2>"$work/err" &
pid=$!
for _ in $(seq 100); do
	[ ! -e "$dir.part/first" ] || break
	sleep 0.1
done
read -r building <"$work/runs"
kill -KILL "$pid" "$building" "$(pgrep -P "$building")"
wait "$pid" 2>/dev/null
[ -e "$dir.part/first" ] && [ ! -e "$dir" ]
result $? "a build that is killed leaves nothing under the final name"

: >"$work/runs"
: >"$work/err"
for _ in 1 2 3; do
	in_cache "$dir" "the build" "$builder" 1 2>>"$work/err" &
done
wait
[ "$(wc -l <"$work/runs")" = 1 ]
result $? "three concurrent runs build once"
[ -e "$dir/first" ] && [ -e "$dir/second" ] && [ ! -e "$dir.part" ]
result $? "after a killed build, they find a complete entry"
(in_cache "$dir" "the build" "$builder" 1) 2>"$work/err"
[ "$(wc -l <"$work/runs")" = 1 ]
result $? "an existing entry is not built again"

[ "$(name "a b" x)" = "$(name "b
a" x)" ]
result $? "another order of packages makes the same root"
[ "$(name "a b" x)" != "$(name "a c" x)" ] && [ "$(name "a b" x)" != "$(name "a b" y)" ]
result $? "another package or another recipe makes another root"

# suite COMMAND...: with it, builds an entry that says which suite and apt state its builder has
suite() {
	# shellcheck disable=SC2016 # for those shells
	(XDG_CACHE_HOME=$work/cache "$@" cached "$work/cache/ib-vrb/suite" "a suite" \
		eval 'named() { echo "$SUITE ${APT##*/}" >"$1/is"; }; named') 2>"$work/err"
	cat "$work/cache/ib-vrb/suite/is" >"$work/out"
	rm -rf "$work/cache/ib-vrb/suite"
}

suite bash lib/do in_suite bookworm
[ "$(<"$work/out")" = "bookworm apt-bookworm" ]
result $? "what is built for another suite is built with its package lists"
suite bash lib/do
[ "$(<"$work/out")" = "trixie apt" ]
result $? "everything else is built with those of the bench"

# From a place that everybody may read: the tree may be in root's home.
mkdir -p "$work/tree/tools/testing"
cp -r . "$work/tree/tools/testing/vm"
chmod -R a+rX "$work/tree"
setpriv --reuid 65534 --clear-groups env HOME="$work" "$work/tree/tools/testing/vm/run" --hcas 0 \
	-- true 2>"$work/err"
status=$?
refused "a user other than root gets a clear message" "not root"

mkdir "$work/small"
# shellcheck disable=SC2016 # for that shell
unshare --mount bash -c 'mount -t tmpfs -o size=64m tmpfs "$1" || exit
	XDG_CACHE_HOME=$1 ./run --hcas 0 -- true
	status=$?
	[ "$(du -sm "$1" | cut -f1)" -lt 2 ] || exit 1
	exit $status' - "$work/small" 2>"$work/err"
status=$?
refused "too little disk space is reported before anything is built" "no space"

./run --hcas 0 --packages no-such-package -- true 2>"$work/err"
status=$?
refused "a package that does not exist is named" "no package 'no-such-package'"

# The root is not made here, only announced.
# shellcheck disable=SC2016 # for that shell
bash -c '. lib/all.sh
	root_name() { echo "$1/none"; }
	root() { :; }
	guest_root "$2"' - "$work" "jq iproute2" >"$work/out" 2>"$work/err"
line=$(grep -x 'vm: downloading another guest root, with: .*' "$work/err")
[[ " ${line#*: *: } " == *" jq "* && $line == *" libjq1 "* ]]
result $? "packages that a guest gets in addition are named, with what they depend on"
[[ -n $line && $line != *iproute2* && $line != *libc6* ]]
result $? "those that each guest has are not"

mkdir -p "$work/cache/ib-vrb/apt"
touch "$work/cache/ib-vrb/apt/stamp"
XDG_CACHE_HOME=$work/cache ./setup --refresh --frob 2>"$work/err"
status=$?
refused "setup refuses an unknown option by name" "no such option: '--frob'"
[ -e "$work/cache/ib-vrb/apt/stamp" ]
result $? "it does not forget the package lists before that"
echo "1..$number"
