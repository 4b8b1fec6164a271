#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: host
# Level: ci
# Timeout: 900
#
# Tests "make" as for any out-of-tree module: it builds against KDIR, for both kernels, removes what
# it has built, and reports missing headers clearly. Uses a copy of the tree.

# shellcheck source-path=SCRIPTDIR/..
. "$(dirname "$0")/../lib/all.sh"
. "$VM_DIR/lib/try.bash"
set +e
copy=$work/copy
mkdir "$copy"

cd "$TREE" || exit 1
git -c safe.directory="$TREE" ls-files Makefile Kbuild drivers include |
	rsync -a --files-from=- ./ "$copy/" 2>/dev/null
find "$copy" -type f | sort >"$work/before"
tool=$(tool_root)

echo "TAP version 13"
for line in $KERNEL_LINES; do
	kernel=$(kernel "$line")
	release=$(<"$kernel/release")
	in_root "$tool" --kernel "$kernel" --bind "$copy" -- \
		make -j2 -C "$copy" KDIR="/usr/src/linux-headers-$release" >"$work/out" 2>&1
	result $? "make KDIR=... for kernel $line"
	[ -e "$copy/drivers/infiniband/vrb/ib_vrb.ko" ] &&
		[ -e "$copy/drivers/infiniband/hw/tavor/ib_tavor.ko" ]
	result $? "both modules are there for kernel $line"
	[ -e "$copy/drivers/infiniband/ulp/wq_server/ib_wq_server.ko" ]
	result $? "the server module is built, too, for kernel $line"
	# The root has no xz, which the kernel needs to install modules.
	mkdir -p "$copy/installed/bin"
	# shellcheck disable=SC2016 # for that shell
	printf '#!/bin/sh\nfor last; do :; done\nmv "$last" "$last.xz"\n' >"$copy/installed/bin/xz"
	chmod +x "$copy/installed/bin/xz"
	# shellcheck disable=SC2016
	in_root "$tool" --kernel "$kernel" --bind "$copy" -- \
		sh -c 'PATH=$0:$PATH exec make "$@"' "$copy/installed/bin" \
		-C "$copy" KDIR="/usr/src/linux-headers-$release" \
		INSTALL_MOD_PATH="$copy/installed" DEPMOD=true modules_install >"$work/out" 2>&1
	find "$copy/installed" -name '*.ko*' -printf '%f\n' | sed 's/\.ko.*//' | sort | xargs \
		>"$work/names"
	[ "$(<"$work/names")" = "ib_tavor ib_vrb" ]
	result $? "make modules_install installs both modules, not the server, for kernel $line"
	rm -r "$copy/installed"
	make -C "$copy" clean >"$work/out" 2>&1
	find "$copy" -type f | sort | diff "$work/before" - >>"$work/out"
	result $? "make clean leaves only what was there before, kernel $line"
done
make -C "$copy" KDIR=/nonexistent >"$work/out" 2>&1
[ $? = 2 ] && grep -q "no kernel headers in /nonexistent" "$work/out"
result $? "missing headers are reported"
make -C "$copy" help >"$work/out" 2>&1 && grep -q "make demo" "$work/out"
result $? "make help lists the targets"
echo "1..$number"
