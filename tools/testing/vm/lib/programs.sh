# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
# shellcheck shell=bash
#
# User-space test programs, built in the tool root so that they fit the guest's libraries.

# programs_build: each folder of selftests with a Makefile, into $BUILD/guest/<folder>
programs_build() {
	local makefile dir name tool log
	tool=$(tool_root)
	log=$(mktemp)
	mkdir -p "$BUILD/guest"
	for makefile in "$TREE"/tools/testing/selftests/*/Makefile; do
		[ -e "$makefile" ] || continue
		dir=${makefile%/Makefile}
		name=${dir##*/}
		mkdir -p "$BUILD/guest/$name"
		(
			flock 9
			in_root "$tool" --bind "$TREE" --bind "$BUILD" --cwd "$dir" -- \
				make -s -j2 OUTPUT="$BUILD/guest/$name" KSFT="$BUILD/kselftest" 9>&-
		) 9>"$BUILD/guest/$name.lock" >"$log" 2>&1 || {
			cat "$log" >&2
			rm -f "$log"
			say "the test programs of $name do not build"
			return 1
		}
		cat "$log" >&2
	done
	rm -f "$log"
}
