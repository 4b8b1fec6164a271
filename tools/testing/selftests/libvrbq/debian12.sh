#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Timeout: 7200
# Level: all
# Runs: host
#
# Tests libvrbq with the unmodified rdma-core of Debian 12: its compiler and headers build the
# library, the tests of this folder run in guests with its user space, and so do tests of its own
# programs.

# shellcheck source-path=SCRIPTDIR/../../vm
. "$(dirname "$0")/../../vm/lib/all.sh"
. "$VM_DIR/lib/try.bash"
set +e
# Where the programs are. The tests find them there, because it is the first part of their names.
NAME=debian12
BIN=build/guest/$NAME
SELFTESTS=tools/testing/selftests/libvrbq
INTEROP=tools/testing/interop

# roots: makes the roots with the user space and with its compiler
roots() {
	guest=$(in_suite bookworm guest_root) && programs=$(in_suite bookworm programs_root)
}

# reachable: an archive has the suite now
reachable() {
	# shellcheck disable=SC2016 # for the shell of that suite
	in_suite bookworm eval 'rm -f "$APT/stamp"; apt_fresh'
}

# version ROOT PACKAGE: prints the package's version
version() {
	dpkg-query --admindir="$1/var/lib/dpkg" -W -f '${Version}' "$2"
}

# compiled: builds the programs anew, and fails if the compiler prints anything
compiled() {
	rm -rf "${TREE:?}/$BIN"
	kselftest_copy >"$work/out" 2>"$work/err" &&
		in_suite bookworm programs_build libvrbq "$NAME" >"$work/out" 2>"$work/err" &&
		[ ! -s "$work/out" ] && [ ! -s "$work/err" ]
}

# by_its_compiler: Debian 12's compiler, and no other, has left its name in each file
by_its_compiler() {
	local file
	for file in libvrbq.so vrbq_first vrbq_connect vrbq_rdma_cm vrbq_libevent vrbstat verbs \
		removal; do
		readelf -p .comment "$TREE/$BIN/$file" | grep -o 'GCC: .*'
	done >"$work/out" 2>"$work/err"
	[ "$(sort -u "$work/out" | wc -l)" = 1 ] && grep -q 'GCC: (Debian 12\.' "$work/out" &&
		[ "$(wc -l <"$work/out")" = 8 ]
}

# adopt COMMAND... -- TEST...: runs tests (NAME:SECONDS:PROGRAM) with guest/batch, which the command
# starts; their results become results of this test
adopt() {
	local command=() status failures
	while [ "$1" != -- ]; do
		command+=("$1")
		shift
	done
	shift
	"${command[@]}" tools/testing/vm/guest/batch "$@" |
		awk -v first=$((number + 1)) -v expect="$(printf "%s " "${@%%:*}")" \
			-v totals="$work/totals" -f "$VM_DIR/lib/tap.awk"
	status=${PIPESTATUS[0]}
	read -r _ failures _ number <"$work/totals"
	number=$((number - 1))
	failed=$((failed + failures))
	rm -f "$work/out" "$work/err"
	return "$status"
}

# boot "OPTION..." COMMAND...: runs the command in a guest with the user space of Debian 12
boot() {
	# shellcheck disable=SC2086 # a list of words
	tools/testing/vm/run --debian 12 --timeout 5400 $1 -- "${@:2}"
}

# in_guest "OPTION..." TEST...: runs tests in such a guest
in_guest() {
	adopt boot "$1" -- "${@:2}"
	result $? "the guest comes up and ends without a complaint: $1"
}

cd "$TREE" || exit
host_ready
echo "TAP version 13"
if ! roots; then
	if reachable; then
		result 1 "the roots of Debian 12 can be made"
		echo "1..$number"
		exit 1
	fi
	echo "ok 1 libvrbq with Debian 12 # SKIP no archive that apt reaches has this release"
	echo "1..1"
	exit
fi
echo "# rdma-core $(version "$guest" rdma-core), $(version "$programs" gcc-12)"
compiled
result $? "libvrbq, its examples and its tests compile without a warning"
by_its_compiler
result $? "the compiler of Debian 12 made them"
adopt env -- "$NAME/library:300:IB_VRB_SUITE=bookworm $SELFTESTS/library.sh"
in_guest "--driver tavor --sm" \
	"$NAME/release:60:grep -x VERSION_ID=\"12\" /etc/os-release" \
	"$NAME/verbs:300:$BIN/verbs" \
	"$NAME/programs:900:$SELFTESTS/programs.sh" \
	"$NAME/rdma_core:900:$INTEROP/rdma_core.sh" \
	"$NAME/pingpongs:1800:$INTEROP/pingpongs.sh"
in_guest "--driver tavor" "$NAME/removal:300:$BIN/removal"
in_guest "--hcas 0" "$NAME/no_device:300:$SELFTESTS/no_device.sh"
echo "1..$number"
[ "$failed" = 0 ]
