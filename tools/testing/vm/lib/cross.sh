# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
# shellcheck shell=bash
#
# Debian's kernel headers beyond those of the guests: for other architectures, and of the newest
# kernel in any suite. The modules are only compiled against them, not run, except with "--kernel
# testing" and the like. A second apt state has the package lists of these architectures and suites.

CROSS_APT=$CACHE/apt-cross
# The architecture as Debian names it, the flavour of its kernel, and the package of its compiler.
CROSS_TARGETS="arm64:arm64:gcc-aarch64-linux-gnu ppc64el:powerpc64le:gcc-powerpc64le-linux-gnu
	s390x:s390x:gcc-s390x-linux-gnu armhf:armmp:gcc-arm-linux-gnueabihf"
# The newest kernel of these suites, for amd64. Its compiler comes from the first one.
NEWEST_SUITES="sid experimental testing"
# What Kbuild and the programs of linux-kbuild need.
KBUILD_PACKAGES="make perl bc libelf1t64 libssl3t64 zlib1g sparse"

cross_sources() {
	local main security arches=amd64 target suite
	main=$(apt_mirror "") || return 1
	security=$(apt_mirror -security) || security=
	for target in $CROSS_TARGETS; do
		arches+=,${target%%:*}
	done
	echo "deb [signed-by=$KEYRING arch=$arches] $main $SUITE main"
	[ -z "$security" ] ||
		echo "deb [signed-by=$KEYRING arch=$arches] $security $SUITE-security main"
	for suite in $NEWEST_SUITES; do
		echo "deb [signed-by=$KEYRING arch=amd64] $main $suite main"
	done
}

# cross_index: "suite architecture package version file sha256 depends", with tabs between, for each
# package of a kernel or its headers. It saves apt a search through a million packages for each
# question.
cross_index() {
	local suite architecture uri list
	# shellcheck disable=SC2016 # apt's own variables
	with_apt apt-get indextargets \
		--format '$(RELEASE) $(ARCHITECTURE) $(REPO_URI) $(FILENAME)' \
		'Created-By: Packages' | sort -u |
		while read -r suite architecture uri list; do
		ls "$list"* >/dev/null 2>&1 || continue
		/usr/lib/apt/apt-helper cat-file "$list" |
			awk -v RS= -F'\n' -v OFS='\t' -v suite="$suite" -v uri="$uri" \
				-v architecture="$architecture" '
				/^Package: linux-(headers|kbuild|base|binary|modules|image)-/ {
					split("", value)
					for (i = 1; i <= NF; i++)
						if (match($i, /^[A-Za-z0-9]+: /))
							value[substr($i, 1, RLENGTH - 2)] = \
								substr($i, RLENGTH + 1)
					print suite, architecture, value["Package"],
						value["Version"], uri value["Filename"],
						value["SHA256"], value["Depends"]
				}'
	done
}

# cross_update: updates the lists; what cannot be read is left out
cross_update() {
	local APT=$CROSS_APT
	with_apt apt-get update || :
	cross_index >"$APT/kernels.new"
	[ -s "$APT/kernels.new" ] && mv "$APT/kernels.new" "$APT/kernels"
}

# cross_current: the index is not older than a day, and was made from all suites
cross_current() {
	local suite
	[ -n "$(find "$CROSS_APT/kernels" -mmin -1440 2>/dev/null)" ] || return 1
	for suite in $NEWEST_SUITES; do
		grep -qs " $suite main\$" "$CROSS_APT/sources.list" || return 1
	done
}

# cross_fresh: renews the index if it is not current
cross_fresh() {
	! cross_current || return 0
	host_lists
	mkdir -p "$CROSS_APT/lists/partial" "$CROSS_APT/archives/partial" "$CACHE/lock"
	(
		flock 9
		! cross_current || exit 0
		cross_sources >"$CROSS_APT/sources.list" &&
			slow "package lists of other architectures and suites" \
				"$BASH" "$VM_DIR/lib/do" cross_update 9>&-
	) 9>"$CACHE/lock/apt-cross"
}

# cross_releases ARCHITECTURE FLAVOUR SUITE...: the releases of its kernel there, newest first
cross_releases() {
	local architecture=$1 flavour=$2
	shift 2
	awk -F'\t' -v architecture="$architecture" -v flavour="$flavour" -v suites=" $* " '
		$2 == architecture && index(suites, " " $1 " ") &&
		$3 ~ "^linux-headers-[0-9.]+(-rc[0-9]+)?([+][^-]*)?-" flavour "$" {
			print $4, substr($3, length("linux-headers-") + 1) }' "$CROSS_APT/kernels" |
		sort -k1,1Vr -u | cut -d' ' -f2
}

# cross_fetch DIR ARCHITECTURE PACKAGE: unpacks it below DIR, from any archive that has it
cross_fetch() {
	local dir=$1 deb uri sum
	deb=$(mktemp "$dir/deb.XXXXXX")
	while read -r uri sum; do
		rm -f "$deb"
		! /usr/lib/apt/apt-helper -o APT::Sandbox::User=root download-file \
			"$uri" "$deb" "SHA256:$sum" || break
	done < <(awk -F'\t' -v architecture="$2" -v package="$3" \
		'$2 == architecture && $3 == package { print $5, $6 }' "$CROSS_APT/kernels")
	[ -s "$deb" ] || { echo "no archive has $3 for $2"; return 1; }
	dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$dir" --keep-directory-symlink --no-same-owner
	rm -f "$deb"
}

# cross_compiler RELEASE: the package of the compiler that its headers depend on
cross_compiler() {
	awk -F'\t' -v package="linux-headers-$1" '$3 == package { print $7; exit }' \
		"$CROSS_APT/kernels" | grep -oE 'gcc-[0-9]+' | head -n 1
}

# cross_make ARCHITECTURE RELEASE FLAVOUR DIR: the headers, with programs for this machine. Without
# vmlinux, modules get no type information, which nobody needs here.
cross_make() {
	local architecture=$1 release=$2 base=${2%-"$3"} dir=$4
	cross_fetch "$dir" "$architecture" "linux-headers-$release"
	cross_fetch "$dir" amd64 "linux-headers-$base-common"
	cross_fetch "$dir" amd64 "linux-kbuild-$base"
	kernel_complete "$dir"
	rm -rf "${dir:?}/usr/share" "$dir/usr/src/linux-headers-$release/vmlinux"
	cross_compiler "$release" >"$dir/compiler"
	echo "$release" >"$dir/release"
}

# cross_kernel ARCHITECTURE FLAVOUR SUITE...: prints the folder of the newest headers there that can
# be fetched; fails if there are none. The result is remembered, as in kernel_resolve.
cross_kernel() {
	local note=$CACHE/kernels/cross-$1-$3.release dir release tried=0
	if [ -z "${REFRESH:-}" ] && [ -s "$note" ] && [ -d "$(<"$note")" ]; then
		cat "$note"
		return
	fi
	cross_fresh || return 1
	mkdir -p "$CACHE/kernels"
	need_space "$CACHE" 1000
	while read -r release; do
		dir=$CACHE/kernels/$release-$1-cross
		if (cached "$dir" "unpacking the headers $release" \
			cross_make "$1" "$release" "$2"); then
			echo "$dir" | tee "$note.$$"
			mv "$note.$$" "$note"
			return
		fi
		# An archive that is being updated may lack the newest.
		tried=$((tried + 1))
		[ "$tried" -lt 4 ] || break
	done < <(cross_releases "$@")
	return 1
}

# cross_headers TARGET, newest_headers: cross_kernel for one of CROSS_TARGETS, and for the newest
cross_headers() {
	local architecture flavour
	IFS=: read -r architecture flavour _ <<<"$1"
	cross_kernel "$architecture" "$flavour" "$SUITE" "$SUITE-security"
}

newest_headers() {
	# shellcheck disable=SC2086 # a list of words
	cross_kernel amd64 amd64 $NEWEST_SUITES
}

# cross_root: the root with the compilers for the other architectures
cross_root() {
	local target packages=
	for target in $CROSS_TARGETS; do
		packages+="${target##*:} "
	done
	root cross "$SUITE" "$packages$KBUILD_PACKAGES"
}

# newest_root COMPILER: the root with the compiler of the newest kernel, and with what gives a
# module for a guest its type information
newest_root() {
	local packages="$1 pahole $KBUILD_PACKAGES" dir
	dir=$CACHE/roots/newest-$(key "${NEWEST_SUITES%% *}" "$packages")
	if [ ! -d "$dir" ]; then
		need_root "building the root of the newest compiler"
		need_space "$CACHE" 4000
		host_lists
		cached "$dir" "building the root of the newest compiler" \
			newest_root_make "$packages"
	fi
	echo "$dir"
}

# cross_all: puts all of these into the cache, as far as an archive has them
cross_all() {
	local target kernel
	cross_root
	for target in $CROSS_TARGETS; do
		cross_headers "$target" || :
	done
	! kernel=$(newest_headers) || newest_root "$(<"$kernel/compiler")"
}

newest_root_make() {
	local SUITE=${NEWEST_SUITES%% *} APT=$CROSS_APT/newest
	mkdir -p "$APT"
	echo "deb [signed-by=$KEYRING] $(apt_mirror "") $SUITE main" >"$APT/sources.list"
	root_make "$SUITE" "$1" true "$2"
}

# cross_state KERNEL-DIR ROOT ARGUMENT...: a hash of everything that determines whether the modules
# compile
cross_state() {
	modules_state "$@" "$(cat "$VM_DIR"/lib/{cross,modules}.sh | sha256sum)"
}

# cross_modules KERNEL-DIR ROOT "DIR..." [MAKE-ARGUMENT...]: compiles again whatever has not yet
# compiled without a warning; the output goes to standard error
cross_modules() {
	local passed state MODULES_ROOT=$2
	state=$(cross_state "$@") && [ -n "$state" ] || return 1
	passed=$CACHE/cross/$state
	[ ! -e "$passed" ] || return 0
	modules_anew "$1" "${@:3}" || return 1
	mkdir -p "$CACHE/cross"
	find "$CACHE/cross" -mtime +30 -delete
	touch "$passed"
}
