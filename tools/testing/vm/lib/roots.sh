# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
# shellcheck shell=bash
#
# Root file systems in the cache. The tool root has the programs for the host's side (QEMU,
# virtiofsd, the compiler for the guest's kernels); the guest boots from the guest root. A root's
# name is derived from its list of packages.

TOOL_PACKAGES="qemu-system-x86 virtiofsd gcc-14 gcc make libc6-dev libelf1t64 pahole kmod zstd
	libibverbs-dev libibumad-dev librdmacm-dev libevent-dev libcjson-dev linux-libc-dev
	sparse perl bc"
GUEST_PACKAGES="rdma-core ibverbs-utils ibverbs-providers infiniband-diags opensm perftest
	rdmacm-utils iproute2 iputils-ping kmod procps util-linux pciutils ethtool gawk strace
	libibumad3 libcjson1 libevent-core-2.1-7t64"
LINT_PACKAGES="clang-format shellcheck"
# What programs for Debian 12 need; those for Debian 13 are built in the tool root.
PROGRAM_PACKAGES="gcc make libc6-dev libibverbs-dev libibumad-dev librdmacm-dev libevent-dev
	libcjson-dev linux-libc-dev"
SPIN_PACKAGES="spin gcc libc6-dev"
PLOT_PACKAGES="python3-matplotlib"
# Debian 13 renamed the libraries whose time_t grew. There another package depends on mount.
[ "$SUITE" != bookworm ] || GUEST_PACKAGES="${GUEST_PACKAGES//t64/} mount"

# root_make ORIGIN PACKAGES HOOK DIR: ORIGIN is the preferred suite
root_make() {
	local origin=$1 packages=$2 hook=$3 dir=$4 options=() valid
	if [ "$origin" = "$SUITE-backports" ]; then
		options+=("--aptopt=APT::Default-Release \"$origin\"")
	fi
	# If the mirror is a snapshot of the past, the machine's apt configuration says so.
	valid=$(apt-config dump --format '%v' Acquire::Check-Valid-Until)
	[ -z "$valid" ] || options+=("--aptopt=Acquire::Check-Valid-Until \"$valid\"")
	rmdir "$dir"
	# shellcheck disable=SC2086 # a list of words
	mmdebstrap --variant=apt --architectures=amd64 --format=directory \
		--include="$(echo $packages | tr ' ' ,)" \
		--aptopt='APT::Install-Recommends "false"' \
		--dpkgopt='path-exclude=/usr/share/doc/*' \
		--dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' \
		"${options[@]}" "--customize-hook=$hook" "$SUITE" "$dir" - <"$APT/sources.list"
}

# root_name NAME ORIGIN PACKAGES HOOK: the same name for the same list, whatever its order and line
# breaks
root_name() {
	local packages
	# shellcheck disable=SC2086 # a list of words
	packages=$(printf '%s\n' $3 | sort -u | tr '\n' ' ')
	echo "$CACHE/roots/$1-$(key "$SUITE" "$2" "$packages" "$4")"
}

# root NAME ORIGIN PACKAGES [HOOK]: prints the path, building the root if the cache lacks it
root() {
	local name=$1 origin=$2 packages=$3 hook=${4:-true} dir
	dir=$(root_name "$name" "$origin" "$packages" "$hook")
	if [ ! -d "$dir" ]; then
		need_root "building the $name root"
		mkdir -p "$CACHE"
		need_space "$CACHE" 4000
		host_lists
		apt_fresh
		cached "$dir" "building the $name root" root_make "$origin" "$packages" "$hook"
	fi
	echo "$dir"
}

tool_root() {
	root tool "$SUITE-backports" "$TOOL_PACKAGES"
}

# programs_root: the root whose compiler and libraries fit the guest
programs_root() {
	if [ "$SUITE" = "$BENCH_SUITE" ]; then
		tool_root
	else
		root programs "$SUITE" "$PROGRAM_PACKAGES"
	fi
}

# lint_root, capture_root: roots with further tools, for static checks and for packet captures
lint_root() {
	root lint "$SUITE" "$LINT_PACKAGES"
}

capture_root() {
	root capture "$SUITE" "tshark"
}

# spin_root: the root with the model checker, and the compiler that it needs
spin_root() {
	root spin "$SUITE" "$SPIN_PACKAGES"
}

# plot_root: the root with what draws the figures of the benchmarks
plot_root() {
	root plot "$SUITE" "$PLOT_PACKAGES"
}

# The guest's first program is a stub that mounts the tree and executes the init found there, so a
# change of the guest's init needs no new root.
guest_hook() {
	cat <<'EOF'
set -e
cd "$1"
mkdir -p mnt/tree mnt/share results lib/modules
cat >init <<'INIT'
#!/bin/sh
mount -t virtiofs tree /mnt/tree -o ro && exec /bin/bash /mnt/tree/tools/testing/vm/guest/init
echo "vm: the guest cannot mount the project tree"
echo o >/proc/sysrq-trigger
INIT
chmod 755 init
echo guest >etc/hostname
printf '127.0.0.1 localhost guest\n::1 localhost\n' >etc/hosts
EOF
}

# debian_suite RELEASE: prints the suite of a release that guests can have, or nothing
debian_suite() {
	case $1 in
	12) echo bookworm ;;
	13) echo "$BENCH_SUITE" ;;
	esac
}

# apt_installs PACKAGE...: what apt would install for these, in a system that has nothing yet
apt_installs() {
	with_apt apt-get -s -o APT::Install-Recommends=false install '?essential' "$@" |
		awk '$1 == "Inst" { print $2 }' | sort -u
}

# packages_added "PACKAGE...": what these add to a guest, on one line
packages_added() {
	local usual all
	# shellcheck disable=SC2086 # lists of words
	usual=$(apt_installs $GUEST_PACKAGES) && all=$(apt_installs $GUEST_PACKAGES $1) ||
		return 1
	comm -13 <(echo "$usual") <(echo "$all") | xargs
}

# guest_root [PACKAGES]: additional packages make another root
guest_root() {
	local packages="$GUEST_PACKAGES ${1:-}" dir package added
	dir=$(root_name guest "$SUITE" "$packages" "$(guest_hook)")
	if [ -n "${1:-}" ] && [ ! -d "$dir" ]; then
		host_lists
		apt_fresh
		for package in $1; do
			with_apt apt-cache show "$package" >/dev/null 2>&1 ||
				die "Debian $SUITE has no package '$package'"
		done
		added=$(packages_added "$1") || die "Debian $SUITE cannot install '$1'"
		say "downloading another guest root, with: ${added:-nothing but the usual}"
	fi
	root guest "$SUITE" "$packages" "$(guest_hook)"
}
