#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: host
# Level: ci
# Timeout: 1800
#
# Tests the targets of make that need no root: the modules build against KDIR as for any out-of-tree
# module, for both kernels, and what make has built it removes; what is missing is reported clearly;
# and the commands of the documents for what it has built and installed work. Uses a copy of the
# tree.

# shellcheck source-path=SCRIPTDIR/..
. "$(dirname "$0")/../lib/all.sh"
. "$VM_DIR/lib/try.bash"
set +e
copy=$work/copy
outside=$work/outside
installed=$copy/installed/lib/modules
mkdir "$copy"

# in_copy COMMAND...: runs it where the kernel's headers are
in_copy() {
	in_root "$tool" --kernel "$kernel" --bind "$copy" --bind "$outside" --cwd "$outside" -- \
		"$@" >"$work/out" 2>&1
}

# clean: "make clean" leaves only what was there before
clean() {
	make -C "$copy" clean >"$work/out" 2>&1
	find "$copy" -type f | sort | diff "$work/before" - >>"$work/out"
}

# commands_complete: compile_commands.json has each file of the modules, which the probes of kernels
# are not, and the model
commands_complete() {
	make -C "$copy" KDIR="/usr/src/linux-headers-$release" compile_commands.json \
		>"$work/out" 2>&1 || return 1
	sed -n 's/^ *"file": "\(.*\)",\?$/\1/p' "$copy/compile_commands.json" | sort >"$work/files"
	{
		grep '/drivers/.*\.c$' "$work/before" | grep -v /probe/
		echo "$copy/tools/testing/hca/main.c"
	} | sort | comm -23 - "$work/files" >"$work/out"
	[ ! -s "$work/out" ]
}

# removal: prints the command of the administrator's guide that removes the modules
removal() {
	# shellcheck disable=SC2016 # the text of the guide
	sed -n 's|^    \(rm -r \)/lib/modules/\$(uname -r)|\1'"$installed/$release"'|p' \
		Documentation/administration.rst
}

# is_removed: this command succeeds, and removes all that was installed
is_removed() {
	[ "$(removal | wc -l)" = 1 ] && eval "$(removal)" &&
		[ -z "$(find "$copy/installed" -name '*.ko*')" ]
} >"$work/out" 2>&1

# outside_made: makes a module outside of the tree: the client of the tutorial, with the line for
# Kbuild from the guide for clients
outside_made() {
	local guide=Documentation/vrb-client.rst
	mkdir -p "$outside"
	cp tools/testing/selftests/vrb/tutorial/vrb_tutorial.c "$outside/"
	{
		echo "obj-m += vrb_tutorial.o"
		grep -o 'ccflags-y += -I/path/to/tree/include' $guide
	} | sed "s|/path/to/tree|$copy|" >"$outside/Kbuild"
	awk '/^A module outside of this tree is built like this::/ { on = 1; next }
		/^[^ ]/ { on = 0 }
		on' $guide >"$work/guide"
}

# outside_commands: prints the guide's commands that build it, for this kernel
outside_commands() {
	sed "s|/lib/modules/\$(uname -r)/build|/usr/src/linux-headers-$release|
		s|^ *make -C /path/to/tree|& KDIR=/usr/src/linux-headers-$release|
		s|/path/to/tree|$copy|" "$work/guide"
}

# outside_builds: they make a module that uses the engine's symbols
outside_builds() {
	[ "$(outside_commands | grep -c KBUILD_EXTRA_SYMBOLS)" = 1 ] &&
		in_copy sh -ec "$(outside_commands)" &&
		! grep -E 'undefined|WARNING' "$work/out" &&
		in_copy modinfo -F depends "$outside/vrb_tutorial.ko" && grep -qw ib_vrb "$work/out"
}

# says PATTERN ARGUMENT...: make fails and says this
says() {
	local pattern=$1
	shift
	make -C "$copy" "$@" >"$work/out" 2>&1
	[ $? = 2 ] && grep -q -- "$pattern" "$work/out"
}

cd "$TREE" || exit 1
git -c safe.directory="$TREE" ls-files Makefile Kbuild dkms.conf drivers include userspace \
	Documentation tools |
	rsync -a --files-from=- ./ "$copy/" 2>/dev/null
outside_made
find "$copy" -type f | sort >"$work/before"
tool=$(tool_root)

echo "TAP version 13"
for line in $KERNEL_LINES; do
	kernel=$(kernel "$line")
	release=$(<"$kernel/release")
	in_copy make -j2 -C "$copy" KDIR="/usr/src/linux-headers-$release"
	result $? "make KDIR=... for kernel $line"
	[ -e "$copy/drivers/infiniband/vrb/ib_vrb.ko" ] &&
		[ -e "$copy/drivers/infiniband/hw/tavor/ib_tavor.ko" ]
	result $? "both modules are there for kernel $line"
	[ -e "$copy/drivers/infiniband/ulp/wq_server/ib_wq_server.ko" ]
	result $? "the server module is built, too, for kernel $line"
	outside_builds
	result $? "a module outside of the tree builds as the guide says, for kernel $line"
	commands_complete
	result $? "compile_commands.json has each file of the modules, for kernel $line"
	# The root has no xz, which the kernel needs to install modules.
	mkdir -p "$copy/installed/bin"
	# shellcheck disable=SC2016 # for that shell
	printf '#!/bin/sh\nfor last; do :; done\nmv "$last" "$last.xz"\n' >"$copy/installed/bin/xz"
	chmod +x "$copy/installed/bin/xz"
	# shellcheck disable=SC2016
	in_copy sh -c 'PATH=$0:$PATH exec make "$@"' "$copy/installed/bin" \
		-C "$copy" KDIR="/usr/src/linux-headers-$release" \
		INSTALL_MOD_PATH="$copy/installed" DEPMOD=true modules_install
	find "$copy/installed" -name '*.ko*' -printf '%f\n' | sed 's/\.ko.*//' | sort | xargs \
		>"$work/names"
	[ "$(<"$work/names")" = "ib_tavor ib_vrb" ]
	result $? "make modules_install installs both modules, not the server, for kernel $line"
	is_removed
	result $? "the administrator's guide removes what was installed, for kernel $line"
	rm -r "$copy/installed"
	clean
	result $? "make clean leaves only what was there before, kernel $line"
done
in_copy make -C "$copy" userspace
result $? "make userspace"
userspace=$copy/build/userspace
[ -x "$userspace/vrbstat" ] && [ -x "$userspace/vrbq_first" ] && [ -e "$userspace/libvrbq.so" ] &&
	in_copy "$userspace/vrbstat" --version
result $? "it makes the library, the examples and vrbstat"
# The machine may lack ctags: then its input is enough.
mkdir "$work/bin"
command -v ctags >/dev/null ||
	{ printf '#!/bin/sh\ncat >tags\n' >"$work/bin/ctags"; chmod +x "$work/bin/ctags"; }
PATH=$work/bin:$PATH make -C "$copy" tags >"$work/out" 2>&1
for folder in drivers/infiniband/vrb include/rdma tools/testing/hca/core userspace/libvrbq; do
	grep -q "$folder/[a-z_]*\.[ch]" "$copy/tags" 2>>"$work/out" || echo "no $folder"
done >"$work/missing"
[ ! -s "$work/missing" ]
result $? "make tags indexes the modules, the model and the library"
clean
result $? "make clean removes these, too"

says "no kernel headers in /nonexistent" KDIR=/nonexistent
result $? "missing headers are reported"
says "the modules have not been built: run make" KDIR=/nonexistent compile_commands.json
result $? "so are modules that compile_commands.json needs"
rm -f "$copy/compile_commands.json"
says "no headers of libibverbs: apt-get install libibverbs-dev" userspace CC=false
result $? "so are headers that make userspace needs"
says "no /nonexistent: apt-get install python3-sphinx" docs SPHINXBUILD=/nonexistent
result $? "so is what make docs needs"
PATH=/nonexistent "$(command -v make)" -C "$copy" tags >"$work/out" 2>&1
[ $? = 2 ] && grep -q "no ctags: apt-get install universal-ctags" "$work/out"
result $? "so is what make tags needs"
make -C "$copy" help >"$work/out" 2>&1 && grep -q "make demo" "$work/out"
result $? "make help lists the targets"
echo "1..$number"
