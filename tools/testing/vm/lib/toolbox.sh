# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
# shellcheck shell=bash
#
# Running programs of a cached root on the host: whole commands in a chroot with private mounts, or
# a single program through the root's own loader.

# in_root ROOT [--bind DIR]... [--kernel DIR] [--cwd DIR] -- COMMAND...
# The directories keep their names inside; --kernel mounts a kernel's headers where they expect to
# be. The mounts live in a separate namespace, so nothing stays mounted whatever happens.
in_root() {
	local root=$1 binds=() kernel='' cwd=/
	shift
	while [ "$1" != -- ]; do
		case $1 in
		--bind) binds+=("$2") ;;
		--kernel) kernel=$2 ;;
		--cwd) cwd=$2 ;;
		esac
		shift 2
	done
	shift
	BOX_ROOT=$root BOX_KERNEL=$kernel BOX_CWD=$cwd BOX_BINDS=$(printf '%s\n' "${binds[@]}") \
		unshare --mount --propagation private -- "$BASH" "$VM_DIR/lib/box" "$@"
}

# root_program ROOT PROGRAM: prints, one word a line, how to start PROGRAM of ROOT without a chroot,
# so that it sees the host's files and is a child like any other.
root_program() {
	local root=$1 program=$2
	printf '%s\n' "$root/lib64/ld-linux-x86-64.so.2" --library-path \
		"$root/usr/lib/x86_64-linux-gnu:$root/usr/lib:$root/lib/x86_64-linux-gnu" \
		"$root$program"
}
