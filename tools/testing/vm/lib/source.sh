# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
# shellcheck shell=bash
#
# The parts of the kernel's source that the tests and checks use: kselftest's headers and helpers,
# and checkpatch. They come from Debian's linux-source package.

SOURCE_LINE=7.3
SOURCE_PARTS="scripts/checkpatch.pl scripts/spelling.txt scripts/const_structs.checkpatch
	tools/testing/selftests/lib.mk tools/testing/selftests/kselftest.h
	tools/testing/selftests/kselftest_harness.h tools/testing/selftests/kselftest_module.h
	tools/testing/selftests/kselftest Documentation/dev-tools/checkpatch.rst"

source_make() {
	local dir=$1 parts=()
	mkdir "$dir/deb"
	apt_unpack "$dir/deb" "linux-source-$SOURCE_LINE"
	# shellcheck disable=SC2086 # a list of words
	mapfile -t parts < <(printf "linux-source-$SOURCE_LINE/%s\n" $SOURCE_PARTS)
	tar -C "$dir" --strip-components=1 -xf "$dir/deb/usr/src/linux-source-$SOURCE_LINE.tar.xz" \
		"${parts[@]}"
	rm -rf "$dir/deb"
}

# kernel_source: prints where these parts of the kernel's source are
kernel_source() {
	local dir
	dir=$CACHE/source-$(key "$SOURCE_LINE" "$SOURCE_PARTS")
	if [ ! -d "$dir" ]; then
		mkdir -p "$CACHE"
		need_space "$CACHE" 1000
		host_lists
		apt_fresh
		cached "$dir" "unpacking parts of the kernel's source" source_make
	fi
	echo "$dir"
}

# kselftest_copy: copies kselftest's files to where host, tool root and guest all see them
kselftest_copy() {
	local source
	source=$(kernel_source)
	[ -e "$BUILD/kselftest/.complete" ] && return
	mkdir -p "$BUILD"
	rm -rf "$BUILD/kselftest.new"
	cp -r "$source/tools/testing/selftests" "$BUILD/kselftest.new"
	touch "$BUILD/kselftest.new/.complete"
	rm -rf "$BUILD/kselftest"
	mv -T "$BUILD/kselftest.new" "$BUILD/kselftest"
}
