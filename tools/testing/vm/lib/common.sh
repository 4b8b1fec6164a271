# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
# shellcheck shell=bash
#
# What every script of the test bench uses: paths, messages, clean-up, and how something slow is
# built once into the cache. Source it first.

set -euo pipefail
shopt -s inherit_errexit
umask 022
export LC_ALL=C

TREE=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../../.." && pwd)
VM_DIR=$TREE/tools/testing/vm
BUILD=$TREE/build
CACHE=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/ib-vrb
# To be incremented when the way roots or kernels are made changes (not what is in them).
RECIPE=1

export TREE VM_DIR BUILD CACHE RECIPE

say() {
	echo "vm: $*" >&2
}

die() {
	echo "vm: $*" >&2
	exit 125
}

# key TEXT...: a short name for what the arguments say
key() {
	printf '%s\n' "$RECIPE" "$@" | sha256sum | cut -c1-12
}

need_root() {
	[ "$(id -u)" = 0 ] ||
		die "not root: $1 needs chroot and mount; run it as root"
}

# need_space DIR MIB: refuses to start what would run out of disk space half way
need_space() {
	local free
	free=$(df -Pm "$1" | awk 'NR == 2 { print $4 }')
	[ "$free" -ge "$2" ] ||
		die "no space: $1 has $free MiB free, $2 MiB are needed"
}

# slow TEXT COMMAND...: runs COMMAND with its output in a log and reports every 15 s that it is
# still running; on failure shows the end of the log.
slow() {
	local text=$1 log pid start=$SECONDS next rc=0
	shift
	log=$(mktemp)
	say "$text ..."
	"$@" >"$log" 2>&1 </dev/null &
	pid=$!
	next=$((start + 15))
	while kill -0 "$pid" 2>/dev/null; do
		sleep 0.2
		if [ "$SECONDS" -ge "$next" ]; then
			say "$text: $((SECONDS - start)) s so far"
			next=$((SECONDS + 15))
		fi
	done
	wait "$pid" || rc=$?
	if [ "$rc" != 0 ]; then
		tail -n 30 "$log" >&2
		rm -f "$log"
		say "failed: $text"
		return "$rc"
	fi
	rm -f "$log"
	say "$text: done in $((SECONDS - start)) s"
}

# cached PATH TEXT FUNCTION...: makes sure that the directory PATH is in the cache. FUNCTION's last
# argument is a directory beside it, which it fills and which is renamed to PATH only when complete,
# so an interrupted build leaves nothing half-built under that name. A second caller waits for the
# first.
cached() {
	local path=$1 text=$2 lock tmp
	shift 2
	[ ! -d "$path" ] || return 0
	mkdir -p "$CACHE/lock" "$(dirname "$path")"
	lock=$CACHE/lock/$(basename "$path")
	(
		flock -n 9 || { say "waiting for another run: $text"; flock 9; }
		[ ! -d "$path" ] || exit 0
		tmp=$path.part
		clear_dir "$tmp"
		mkdir -p "$tmp"
		# A separate shell, since "set -e" is off in what a condition calls. No child may
		# hold the lock longer than this shell.
		if ! slow "$text" "$BASH" "$VM_DIR/lib/do" "$@" "$tmp" 9>&-; then
			clear_dir "$tmp"
			exit 1
		fi
		mv -T "$tmp" "$path"
	) 9>"$lock" || die "could not finish: $text"
}

# clear_dir DIR: removes what an interrupted build left. It stays on one file system: if a mount has
# survived in there, nothing beyond it is touched.
clear_dir() {
	[ ! -e "$1" ] || rm -rf --one-file-system "$1"
}
