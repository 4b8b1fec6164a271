# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
# shellcheck shell=bash
#
# Our kernel modules, built in the tool root against the headers of the guest's kernels. Kbuild
# leaves its objects beside the sources, so each kernel has a mirror of them in the build folder.

# The folders that may contain modules. Each folder's Kbuild says what is built from it.
MODULE_ROOMS="drivers tools/testing/selftests tools/testing/bench"
MODULE_SOURCES="Kbuild include $MODULE_ROOMS"
DRIVER_DIRS="drivers/infiniband/vrb drivers/infiniband/hw/tavor"
# Users of verbs. The one in ULP_SLEEPS sleeps, as existing ones do.
ULP_SLEEPS=drivers/infiniband/ulp/wq_server
ULP_DIRS="$ULP_SLEEPS drivers/infiniband/ulp/softirq_server"

# modules_sync MIRROR: updates the mirror by content and keeps what Kbuild built in it. Generated
# headers are in a folder "generated".
modules_sync() {
	local mirror=$1 sources=() source
	mkdir -p "$mirror"
	for source in $MODULE_SOURCES; do
		[ ! -e "$TREE/$source" ] || sources+=("$TREE/./$source")
	done
	rsync -rlpcR --delete --prune-empty-dirs --exclude='*.mod.c' --exclude=generated/ \
		--include='*/' --include='*.[chS]' --include=Kbuild --include='Makefile*' \
		--include='*.mk' --include='*.sh' --exclude='*' "${sources[@]}" "$mirror/"
}

# modules_make KERNEL-DIR MIRROR "DIR..." [MAKE-ARGUMENT...]: runs Kbuild once over all these
# folders, so that symbols between them are resolved. For Debian's kernels a warning of the compiler
# is an error. MODULES_ROOT may name another root than the one that fits the kernel.
modules_make() {
	local kernel=$1 mirror=$2 dirs=$3 release tool flags=
	shift 3
	[[ ${kernel##*/} != [0-9]* ]] || flags=-Werror
	release=$(<"$kernel/release")
	tool=${MODULES_ROOT:-$(kernel_tools "$kernel")}
	in_root "$tool" --kernel "$kernel" --bind "$mirror" --cwd "$mirror" -- \
		make -j2 -s -C "/usr/src/linux-headers-$release" M="$mirror" W=1 KCFLAGS="$flags" \
		MODULE_DIRS="$dirs" "$@" modules 2>&1 | sed "s|$mirror/||g" >&2
}

# modules_install MIRROR DEST DIR...: replaces files and never overwrites them: a guest may be
# loading the old one
modules_install() {
	local mirror=$1 dest=$2 tool dir ko new
	shift 2
	tool=$(tool_root)
	mkdir -p "$dest"
	for dir; do
		for ko in "$mirror/$dir"/*.ko; do
			[ -e "$ko" ] || continue
			new=$dest/.${ko##*/}.$$
			in_root "$tool" --bind "$mirror" --bind "$dest" -- \
				strip --strip-debug -o "$new" "$ko"
			mv "$new" "$dest/${ko##*/}"
		done
	done
}

# modules_of_test: for a test that reads built modules. If its name ends in "-" and a kernel, it is
# about this kernel. By hand it is about all of them, and nothing need be built before.
modules_of_test() {
	if [ -n "${TEST_NAME:-}" ]; then
		KERNEL_LINES=${TEST_NAME##*-}
	else
		"$VM_DIR/kbuild"
	fi
}

# modules_state KERNEL-DIR ARGUMENT...: a hash of everything that determines the result of a build
modules_state() {
	(
		cd "$TREE" || exit
		# shellcheck disable=SC2086 # a list of words
		find $MODULE_SOURCES -type f \( -name '*.[chS]' -o -name Kbuild -o -name \
			'Makefile*' \
			-o -name '*.mk' -o -name '*.sh' \) -print0 2>/dev/null | sort -z |
			xargs -0 sha256sum
		echo "$@"
	) | sha256sum | cut -c1-16
}

# modules LINE "DIR..." [MAKE-ARGUMENT...]: builds these folders for that kernel into
# $BUILD/modules/LINE, unless nothing has changed
modules() {
	local line=$1 dirs kernel dest mirror state
	# Their order does not matter.
	dirs=$(xargs -n1 <<<"$2" | sort -u | xargs)
	shift 2
	kernel=$(kernel "$line")
	dest=$BUILD/modules/$line
	mirror=$BUILD/kbuild/$line
	mkdir -p "$dest"
	exec 8>"$dest/.lock"
	flock 8
	state=$(modules_state "$kernel" "$dirs" "$@")
	if ! grep -qsx "$dirs $state" "$dest/.built"; then
		say "kernel $line: compiling $dirs ..."
		modules_sync "$mirror"
		modules_make "$kernel" "$mirror" "$dirs" "$@" 8>&- || {
			say "the modules do not compile for kernel $line: $dirs"
			exec 8>&-
			return 1
		}
		# shellcheck disable=SC2086 # a list of words
		modules_install "$mirror" "$dest" $dirs
		{ grep -vs "^$dirs [0-9a-f]*$" "$dest/.built" ||
			:; echo "$dirs $state"; } >"$dest/.new"
		mv "$dest/.new" "$dest/.built"
	fi
	exec 8>&-
}

# modules_anew KERNEL-DIR "DIR..." [MAKE-ARGUMENT...]: compiles from scratch, in a folder that is
# then removed; fails if the compiler, sparse or modpost prints anything
modules_anew() {
	local kernel=$1 dirs=$2 mirror log rc=0
	shift 2
	mirror=$(mktemp -d "${TMPDIR:-/tmp}/strict.XXXXXX")
	log=$(mktemp)
	modules_sync "$mirror"
	modules_make "$kernel" "$mirror" "$dirs" "$@" 2>"$log" || rc=$?
	cat "$log" >&2
	# The version of pahole does not matter: modules get no type information here.
	! grep -E '(warning|error|WARNING|ERROR):' "$log" |
		grep -v 'warning: pahole version' >/dev/null || rc=1
	rm -rf "$mirror" "$log"
	return "$rc"
}

# modules_strict LINE "DIR...": compiles from scratch with sparse. Debian's sparse does not
# understand the headers of 7.x, so only the compiler checks there.
modules_strict() {
	local kernel sparse=()
	[ "$1" != 6.12 ] || sparse=(C=2 CF=-D__CHECK_ENDIAN__)
	kernel=$(kernel "$1")
	modules_anew "$kernel" "$2" "${sparse[@]}"
}

# module_dir MODULE: the folder whose Kbuild makes it
module_dir() {
	local found
	# shellcheck disable=SC2086 # a list of words
	found=$(cd "$TREE" && grep -rlE --include=Kbuild --include=Makefile \
		"^obj-(m|y|\\$\\([A-Z_]*\\)).*[[:space:]]$1\.o" $MODULE_ROOMS 2>/dev/null |
		head -n 1) || :
	[ -n "$found" ] || die "no folder of the tree makes a module '$1'"
	dirname "$found"
}

# modules_dirs MODULE...: their folders, preceded by the engine's unless the module is the engine
# itself
modules_dirs() {
	local module
	for module; do
		module_dir "$module"
	done | awk '!seen[$0]++' | tr '\n' ' ' | sed 's/ $//'
}

# modules_everywhere: the folders of every module of the tree, test modules included
modules_everywhere() {
	# shellcheck disable=SC2086 # a list of words
	(cd "$TREE" && grep -rlE --include=Kbuild '^obj-m' $MODULE_ROOMS 2>/dev/null) |
		xargs -r -n1 dirname | sort | xargs
}

# modules_all LINE: every module of the tree, test modules included
modules_all() {
	local dirs
	dirs=$(modules_everywhere) || :
	[ -z "$dirs" ] || modules "$1" "$dirs"
}
