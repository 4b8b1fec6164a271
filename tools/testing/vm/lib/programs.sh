# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
# shellcheck shell=bash
#
# User-space test programs, built in a root that fits the guest's libraries.

# programs_build FOLDER [NAME]: builds tools/testing/selftests/FOLDER into $BUILD/guest/NAME, if it
# has a Makefile. NAME is FOLDER by default.
programs_build() {
	local name=${2:-$1} dir=$TREE/tools/testing/selftests/$1 tool log rc=0
	[ -e "$dir/Makefile" ] || return 0
	tool=$(programs_root)
	log=$(mktemp)
	mkdir -p "$BUILD/guest/$name"
	(
		flock 9
		in_root "$tool" --bind "$TREE" --bind "$BUILD" --cwd "$dir" -- \
			make -s -j2 OUTPUT="$BUILD/guest/$name" KSFT="$BUILD/kselftest" 9>&-
	) 9>"$BUILD/guest/$name.lock" >"$log" 2>&1 || rc=$?
	cat "$log" >&2
	rm -f "$log"
	return "$rc"
}
