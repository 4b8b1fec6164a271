#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: host
# Level: all
# Timeout: 3000
#
# Tests that the modules build inside a kernel's source tree, by its Kconfig and Kbuild, without a
# warning. The source is Debian's package; Documentation/in-tree.rst describes it. By hand: run this
# script.

# shellcheck source=SCRIPTDIR/../vm/lib/all.sh
. "$(dirname "$0")/../vm/lib/all.sh"

LINE=$DEBUG_SOURCE
# What neither Kconfig nor these folders need is not unpacked.
LEAVE=()
for pattern in 'Documentation/*.rst' 'Documentation/*.yaml' 'arch/[!x]*.[chS]' 'arch/*.dts*' \
	'drivers/[!i]*.[ch]' 'fs/*.c' 'sound/*.[ch]' 'tools/perf/*' 'tools/testing/*'; do
	LEAVE+=(--exclude="linux-source-$LINE/$pattern")
done
MODULES=(drivers/infiniband/vrb/ib_vrb.ko drivers/infiniband/hw/tavor/ib_tavor.ko)

# source_tree DIR: unpacks the kernel's source
source_tree() {
	local dir=$1
	apt_unpack "$dir" "linux-source-$LINE"
	tar -C "$dir" --strip-components=1 --wildcards "${LEAVE[@]}" \
		-xf "$dir/usr/src/linux-source-$LINE.tar.xz"
	rm -rf "${dir:?}"/usr/{src,share}
}

# in_tree COMMAND...: runs it in the kernel's source, with the compiler of the debug kernel
in_tree() {
	in_root "$tools" --bind "$work" --cwd "$work" -- "$@"
}

# laid_again: a second run of lay adds no line to the kernel's files
laid_again() {
	local before
	before=$(cat "$work"/drivers/infiniband/{Kconfig,Makefile,hw/Makefile})
	"$TREE/tools/testing/intree/lay" "$work" || return 1
	[ "$before" = "$(cat "$work"/drivers/infiniband/{Kconfig,Makefile,hw/Makefile})" ]
}

# configured: the tree's configuration has all options of the file config
configured() {
	cp "$TREE/tools/testing/intree/config" "$work/intree.config"
	in_tree make -s CC=gcc-14 KCONFIG_ALLCONFIG=intree.config allnoconfig || return 1
	# Options that did not take effect go to the log.
	! grep '^CONFIG_' "$work/intree.config" | grep -vxFf "$work/.config" >"$log"
}

# built: the modules compile. Without vmlinux, modpost knows no symbol of the kernel, so it may only
# warn about missing ones.
built() {
	in_tree nice -n 19 make -s -j2 CC=gcc-14 W=1 modules_prepare >"$log" 2>&1 &&
		in_tree nice -n 19 make -s -j2 CC=gcc-14 W=1 KBUILD_MODPOST_WARN=1 \
			"${MODULES[@]}" >"$log" 2>&1 || return 1
	! grep -E '(warning|error):' "$log"
}

# result TEXT COMMAND...
result() {
	local text=$1
	shift
	number=$((number + 1))
	if "$@"; then
		echo "ok $number $text"
	else
		[ ! -s "$log" ] || tail -n 30 "$log" | sed "s|$work/||; s/^/# /"
		echo "not ok $number $text"
		exit 1
	fi
}

host_ready
tools=$(root kernel-tools "$SUITE" "$DEBUG_ROOT_PACKAGES")
source=$CACHE/intree-$(key "$LINE" "${LEAVE[*]}")
if [ ! -d "$source" ]; then
	need_space "$CACHE" 3000
	host_lists
	apt_fresh
	mkdir -p "$source.part"
	slow "unpacking the kernel's source" source_tree "$source.part"
	mv -T "$source.part" "$source"
fi
# A tree of hard links: lay and make replace the files that they change.
work=$CACHE/intree-work.$$
log=$(mktemp)
number=0
trap 'rm -rf "$work" "$log"' EXIT
cp -al "$source" "$work"
echo "TAP version 13"
echo "1..4"
result "the files are laid into the source" "$TREE/tools/testing/intree/lay" "$work"
result "laying them again changes nothing" laid_again
result "its Kconfig has both options" configured
result "both modules build without a warning" built
