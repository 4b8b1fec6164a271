# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
# shellcheck shell=bash
#
# The debug kernels: Debian's source of the stable kernel with debug-base.config and the
# configuration that has the kernel's name. Each is built once. In the cache it looks like one of
# Debian's kernels, so everything else works with it: "--kernel debug", "--kernel kcsan".

# KASAN and KCSAN exclude each other.
DEBUG_KERNELS="debug kcsan"
DEBUG_SOURCE=6.12
DEBUG_ROOT_PACKAGES="gcc-14 gcc make libc6-dev libelf-dev libssl-dev flex bison bc kmod xz-utils
	perl python3-minimal rsync cpio"

# The kernel itself is not instrumented for KCSAN, only our modules are: so every report concerns
# them, and the guest is fast.
DEBUG_MAKE="CC=gcc-14 KCSAN_SANITIZE=n"

# is_debug NAME: it is one of them
is_debug() {
	[[ $1 =~ ^(${DEBUG_KERNELS// /|})$ ]]
}

# debug_config NAME: prints its configuration
debug_config() {
	cat "$VM_DIR/lib/debug-base.config" "$VM_DIR/lib/$1.config"
}

# debug_configure SOURCE ROOT: allnoconfig plus debug.config; a line that has no effect is an error
debug_configure() {
	local source=$1 tools=$2 line missing=
	# shellcheck disable=SC2086 # a list of words
	in_root "$tools" --bind "$source" --cwd "$source" -- \
		make -s $DEBUG_MAKE KCONFIG_ALLCONFIG=debug.config allnoconfig
	while read -r line; do
		[[ $line != CONFIG_*=* ]] || grep -qxF "$line" "$source/.config" ||
			missing+=" ${line%%=*}"
	done <"$source/debug.config"
	[ -z "$missing" ] || {
		echo "not taken by the configuration:$missing"
		return 1
	}
}

# debug_patch SOURCE: the entry point that QEMU uses for a vmlinux calls memcmp() before KASAN has
# its shadow memory; the kernel leaves string.o uninstrumented only where encrypted memory needs
# that. KCSAN must see the barriers in what our modules call, such as spin_unlock(), although the
# accesses there are not instrumented.
debug_patch() {
	local dir
	sed -i 's/^ifdef CONFIG_AMD_MEM_ENCRYPT/ifdef CONFIG_PVH/' "$1/lib/Makefile"
	grep -q '^ifdef CONFIG_PVH' "$1/lib/Makefile" || return 1
	for dir in kernel kernel/locking kernel/rcu kernel/time lib; do
		sed -i '1a KCSAN_INSTRUMENT_BARRIERS := y' "$1/$dir/Makefile"
	done
}

# debug_prune TREE: keeps what is needed to build a module against it, and removes the objects
debug_prune() {
	find "$1" \( -path "$1/scripts" -o -path "$1/tools/objtool" \) -prune -o \
		\( -name '*.o' -o -name '*.a' -o -name '.*.cmd' -o -name '*.c' -o -name \
		'*.S' -o -name '*.ko' \
		-o -name '*.rst' -o -name '*.dts*' -o -name 'vmlinux*' -o -name \
		'*.mod' \) -type f -exec rm -f {} +
	rm -rf "$1/Documentation" "$1/drivers" "$1/sound" "$1/samples" "$1/tools/testing" \
		"$1/tools/perf"
}

# debug_make TOOLS NAME DIR
debug_make() {
	local tools=$1 name=$2 dir=$3 source release
	apt_unpack "$dir" "linux-source-$DEBUG_SOURCE"
	tar -C "$dir/usr/src" -xf "$dir/usr/src/linux-source-$DEBUG_SOURCE.tar.xz"
	rm "$dir/usr/src/"*.tar.xz
	source=$dir/usr/src/linux-source-$DEBUG_SOURCE
	debug_config "$name" >"$source/debug.config"
	debug_patch "$source"
	debug_configure "$source" "$tools"
	# shellcheck disable=SC2086 # a list of words
	in_root "$tools" --bind "$source" --cwd "$source" -- \
		nice -n 19 make -s -j2 $DEBUG_MAKE vmlinux modules
	release=$(<"$source/include/config/kernel.release")
	cp "$source/vmlinux" "$dir/vmlinux"
	mkdir "$dir/stage"
	# shellcheck disable=SC2086 # a list of words
	in_root "$tools" --bind "$dir" --cwd "$source" -- \
		make -s $DEBUG_MAKE INSTALL_MOD_PATH="$dir/stage" INSTALL_MOD_STRIP=1 \
		modules_install
	mv "$dir/stage/lib/modules" "$dir/modules"
	rm -rf "${dir:?}"/{stage,usr/share} "$dir/modules/$release/build"
	debug_prune "$source"
	mv "$source" "$dir/usr/src/linux-headers-$release"
	echo "$release" >"$dir/release"
}

# debug_kernel NAME: prints its directory, building it if the cache lacks it
debug_kernel() {
	local name=$1 dir tools
	dir=$CACHE/kernels/$name-$(key "$DEBUG_SOURCE" "$(debug_config "$name")" "$DEBUG_MAKE" \
		"$(declare -f debug_patch)")
	if [ ! -d "$dir" ]; then
		need_root "building a kernel"
		mkdir -p "$CACHE"
		need_space "$CACHE" 8000
		host_lists
		apt_fresh
		tools=$(root kernel-tools "$SUITE" "$DEBUG_ROOT_PACKAGES")
		cached "$dir" "building the kernel $name" debug_make "$tools" "$name"
	fi
	echo "$dir"
}
