# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
# shellcheck shell=bash
#
# Debian's kernels in the cache: an uncompressed vmlinux to boot, the modules the tests use, and the
# headers to build our own modules against. A line ("6.12", "7", "7.2", "sid") names the kernel that
# was its newest when it was first asked for; "setup --refresh" looks again.

# The lines that the tests run on.
KERNEL_LINES="6.12 7"
# What --kernel accepts.
KERNEL_NAMES="6.12, 7, another series of Debian's from 6.12 on, testing, sid, experimental (each \
also with -rt), debug or kcsan"

# The text of these lists is part of a kernel's name in the cache, white space included.
# The modules that a guest may load; the rest of Debian's package (graphics, sound, ...) only costs
# time.
KERNEL_KEEP="drivers/infiniband drivers/virtio drivers/block drivers/target drivers/nvme \
drivers/net/*.ko*
	drivers/scsi/*.ko* drivers/char/hw_random fs net lib crypto kernel mm block arch"
KERNEL_DROP="net/bluetooth net/wireless net/mac80211 net/nfc net/can net/netfilter net/sched
	net/batman-adv net/tipc net/sctp net/dccp net/atm drivers/infiniband/hw/[a-ln-z]*
	drivers/infiniband/hw/ml* fs/btrfs fs/xfs fs/ocfs2 fs/gfs2 fs/ceph fs/smb fs/bcachefs \
fs/f2fs
	fs/nls drivers/block/drbd drivers/infiniband/hw/mana arch/x86/kvm"

# kernel_fault NAME: prints why --kernel does not accept it, or nothing
kernel_fault() {
	local major minor
	! is_debug "$1" && ! kernel_is_new "$1" || return 0
	if [[ ! $1 =~ ^([1-9][0-9]?)(\.([0-9][0-9]?))?(-rt)?$ ]]; then
		echo "--kernel is $KERNEL_NAMES, not '$1'"
		return
	fi
	major=${BASH_REMATCH[1]}
	minor=${BASH_REMATCH[3]:-0}
	[ "$major" -gt 6 ] || { [ "$major" = 6 ] && [ "$minor" -ge 12 ]; } ||
		echo "--kernel '$1' is not supported: the modules need 6.12 or later"
}

# kernel_is_new LINE: it comes from a suite that the bench's own apt state does not have
kernel_is_new() {
	[[ $1 =~ ^[a-z]+(-rt)?$ && " $NEWEST_SUITES " == *" ${1%-rt} "* ]]
}

# kernel_fresh LINE: renews the package lists that have it
kernel_fresh() {
	host_lists
	if kernel_is_new "$1"; then
		cross_fresh || die "could not read Debian's package lists: is an archive reachable?"
	else
		apt_fresh
	fi
}

# kernel_releases FLAVOUR: all of its releases in the suites of the bench, the newest last. The
# archive keeps images of older series without the headers, which the modules need; they do not
# count.
kernel_releases() {
	with_apt apt-cache pkgnames linux- | sort -u |
		sed -nE "s/^linux-(image|headers)-([0-9][^-]*-$1)\$/\2/p" | sort -V | uniq -d
}

# kernel_series: the series in the suites of the bench
kernel_series() {
	kernel_releases amd64 | grep -oE '^[0-9]+\.[0-9]+' | sort -Vu | xargs
}

# kernel_newest LINE: the release of the newest kernel of that line, as Debian names it
kernel_newest() {
	local line=${1%-rt} flavour=amd64
	[ "$line" = "$1" ] || flavour=rt-amd64
	if kernel_is_new "$1"; then
		cross_releases amd64 "$flavour" "$line" | head -n 1
	else
		kernel_releases "$flavour" | grep "^${line/./\\.}[.+-]" | tail -n 1
	fi
}

# kernel_has LINE PACKAGE: an archive that has this line has the package
kernel_has() {
	if kernel_is_new "$1"; then
		awk -F'\t' -v package="$2" '$2 == "amd64" && $3 == package { found = 1 }
			END { exit !found }' "$CROSS_APT/kernels"
	else
		with_apt apt-cache show "$2" >/dev/null 2>&1
	fi
}

# kernel_packages LINE RELEASE
kernel_packages() {
	local release=$2 base=${2%-amd64} common
	base=${base%-rt}
	common=linux-headers-$base-common
	# Before 7, the kernels with PREEMPT_RT have their own package of common headers.
	if [[ $release == *-rt-amd64 ]] && kernel_has "$1" "$common-rt"; then
		common+=-rt
	fi
	echo "linux-headers-$release $common linux-kbuild-$base"
	if kernel_has "$1" "linux-binary-$release"; then
		echo "linux-binary-$release linux-modules-$release linux-base-$release"
	else
		echo "linux-image-$release"
	fi
}

# kernel_unpack LINE RELEASE DIR
kernel_unpack() {
	local package packages
	packages=$(kernel_packages "$1" "$2")
	if kernel_is_new "$1"; then
		for package in $packages; do
			cross_fetch "$3" amd64 "$package"
		done
		cross_compiler "$2" >"$3/compiler"
	else
		# shellcheck disable=SC2086 # a list of words
		apt_unpack "$3" $packages
	fi
}

# kernel_extract VMLINUZ VMLINUX: unpacks the zstd payload. QEMU starts the result directly, which
# saves an emulated decompression.
kernel_extract() {
	local offset
	while IFS=: read -r offset _; do
		tail -c "+$((offset + 1))" "$1" | zstd -qdc >"$2" 2>/dev/null || :
		[ "$(head -c 4 "$2" | tail -c 3)" != ELF ] || return 0
	done < <(grep -obUaP '\x28\xb5\x2f\xfd' "$1")
	echo "$1: no zstd payload found"
	return 1
}

# kernel_prune FROM TO: copies the modules worth keeping, uncompressed
kernel_prune() {
	local from=$1 to=$2 path
	mkdir -p "$to/kernel"
	cp "$from"/modules.* "$to/"
	(
		cd "$from/kernel" || exit
		# shellcheck disable=SC2086 # globs
		for path in $KERNEL_DROP; do
			rm -rf "./$path"
		done
		# shellcheck disable=SC2046,SC2086
		cp -a --parents $(ls -d $KERNEL_KEEP 2>/dev/null) "$to/kernel/"
	)
	find "$to/kernel" -name '*.ko.xz' -exec xz -d {} +
	find "$to/kernel" -name '*.ko.zst' -exec zstd -qd --rm {} +
}

# The headers packages lack the script with which Kbuild checks that sparse works.
kernel_complete() {
	local scripts
	for scripts in "$1"/usr/src/linux-headers-*-common*/scripts; do
		[ -e "$scripts/checker-valid.sh" ] ||
			printf '#!/bin/sh\necho 1\n' >"$scripts/checker-valid.sh"
		chmod +x "$scripts/checker-valid.sh"
	done
}

# kernel_make LINE RELEASE TOOL-ROOT DIR
kernel_make() {
	local release=$2 tool=$3 dir=$4 full
	kernel_unpack "$1" "$release" "$dir"
	full=$dir/usr/lib/modules/$release
	[ -d "$full" ] || full=$dir/lib/modules/$release
	if [ -e "$full/vmlinuz" ]; then
		kernel_extract "$full/vmlinuz" "$dir/vmlinux"
	else
		kernel_extract "$dir/boot/vmlinuz-$release" "$dir/vmlinux"
	fi
	kernel_complete "$dir"
	kernel_prune "$full" "$dir/modules/$release"
	mkdir -p "$dir/depmod/lib"
	mv "$dir/modules" "$dir/depmod/lib/modules"
	in_root "$tool" --bind "$dir/depmod" -- depmod -b "$dir/depmod" "$release"
	mv "$dir/depmod/lib/modules" "$dir/modules"
	rm -rf "${dir:?}"/{depmod,boot,usr/share} "$full"
	echo "$release" >"$dir/release"
}

# kernel_version RELEASE: the version of its package. Pre-releases of one kernel have the same
# release.
kernel_version() {
	awk -F'\t' -v package="linux-headers-$1" '$3 == package { print $4; exit }' \
		"$CROSS_APT/kernels"
}

# kernel_resolve LINE: prints the release of a line, and for a new one the version; remembered so
# that a warm run asks no archive
kernel_resolve() {
	local note=$CACHE/kernels/$1.release release
	if [ -z "${REFRESH:-}" ] && [ -s "$note" ]; then
		cat "$note"
		return
	fi
	kernel_fresh "$1"
	release=$(kernel_newest "$1") || :
	[ -n "$release" ] || die "Debian's archive has no kernel $1 with its headers; it has" \
		"$(kernel_series)"
	! kernel_is_new "$1" || release+=" $(kernel_version "$release")"
	mkdir -p "$CACHE/kernels"
	echo "$release" >"$note.$$"
	mv "$note.$$" "$note"
	echo "$release"
}

# kernel LINE: prints the directory of that kernel, fetching it if the cache lacks it
kernel() {
	local release version dir tool fault
	fault=$(kernel_fault "$1")
	[ -z "$fault" ] || die "$fault"
	if is_debug "$1"; then
		debug_kernel "$1"
		return
	fi
	release=$(kernel_resolve "$1")
	read -r release version <<<"$release"
	dir=$CACHE/kernels/$release${version:+_$version}-$(key "$KERNEL_KEEP" "$KERNEL_DROP")
	if [ ! -d "$dir" ]; then
		need_root "unpacking a kernel"
		mkdir -p "$CACHE"
		need_space "$CACHE" 3000
		kernel_fresh "$1"
		tool=$(tool_root)
		cached "$dir" "unpacking kernel $release" kernel_make "$1" "$release" "$tool"
	fi
	echo "$dir"
}

# kernel_tools KERNEL-DIR: prints the root with the compiler that fits this kernel
kernel_tools() {
	if [ -s "$1/compiler" ]; then
		newest_root "$(<"$1/compiler")"
	else
		tool_root
	fi
}
