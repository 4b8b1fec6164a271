# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
# shellcheck shell=bash
#
# Debian's kernels in the cache: an uncompressed vmlinux to boot, the modules the tests use, and the
# headers to build our own modules against. A line ("6.12" or "7") names the kernel that was its
# newest when it was first asked for; "setup --refresh" looks again.

KERNEL_LINES="6.12 7"
# What else --kernel accepts: the same with PREEMPT_RT, and the debug kernel.
KERNEL_NAMES="$KERNEL_LINES 6.12-rt 7-rt debug"

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

# shellcheck disable=SC2153 # SUITE is apt.sh's
kernel_suite() {
	case $1 in
	6.12 | 6.12-rt) echo "$SUITE" ;;
	7 | 7-rt) echo "$SUITE-backports" ;;
	*) die "no such kernel: '$1' (one of: $KERNEL_NAMES)" ;;
	esac
}

# kernel_newest LINE: the release of the newest kernel of that line, as Debian names it
kernel_newest() {
	local suite image=linux-image-amd64
	[[ $1 != *-rt ]] || image=linux-image-rt-amd64
	suite=$(kernel_suite "$1")
	if [ "$suite" = "$SUITE" ]; then
		with_apt apt-cache depends "$image"
	else
		with_apt apt-cache -t "$suite" depends "$image"
	fi | sed -n 's/^ *Depends: linux-image-\([0-9].*\)$/\1/p'
}

kernel_packages() {
	local release=$1 base=${1%-amd64} common
	base=${base%-rt}
	common=linux-headers-$base-common
	# Before 7, the kernels with PREEMPT_RT have their own package of common headers.
	if [[ $release == *-rt-amd64 ]] &&
		with_apt apt-cache show "$common-rt" >/dev/null 2>&1; then
		common+=-rt
	fi
	echo "linux-headers-$release $common linux-kbuild-$base"
	if with_apt apt-cache show "linux-binary-$release" >/dev/null 2>&1; then
		echo "linux-binary-$release linux-modules-$release linux-base-$release"
	else
		echo "linux-image-$release"
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

kernel_make() {
	local release=$1 tool=$2 dir=$3 full
	# shellcheck disable=SC2046 # a list of words
	apt_unpack "$dir" $(kernel_packages "$release")
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

# kernel_resolve LINE: prints the release of a line, remembered so that a warm run asks no archive
kernel_resolve() {
	local note=$CACHE/kernels/$1.release release
	if [ -z "${REFRESH:-}" ] && [ -s "$note" ]; then
		cat "$note"
		return
	fi
	host_lists
	apt_fresh
	release=$(kernel_newest "$1")
	[ -n "$release" ] || die "Debian's archive has no kernel of line $1"
	mkdir -p "$CACHE/kernels"
	echo "$release" >"$note.$$"
	mv "$note.$$" "$note"
	echo "$release"
}

# kernel LINE: prints the directory of that kernel, fetching it if the cache lacks it
kernel() {
	local release dir tool
	if [ "$1" = debug ]; then
		debug_kernel
		return
	fi
	kernel_suite "$1" >/dev/null
	release=$(kernel_resolve "$1")
	dir=$CACHE/kernels/$release-$(key "$KERNEL_KEEP" "$KERNEL_DROP")
	if [ ! -d "$dir" ]; then
		need_root "unpacking a kernel"
		mkdir -p "$CACHE"
		need_space "$CACHE" 3000
		host_lists
		apt_fresh
		tool=$(tool_root)
		cached "$dir" "unpacking kernel $release" kernel_make "$release" "$tool"
	fi
	echo "$dir"
}
