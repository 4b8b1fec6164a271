#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: host
# Level: ci
# Timeout: 900
#
# "make" as anyone expects of an out-of-tree module: builds against KDIR, for both kernels, cleans up after
# itself, and says plainly when there are no headers. Works on a copy of the tree.

# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib/all.sh"
set +e
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
number=0

# result STATUS TEXT
result() {
	number=$((number + 1))
	if [ "$1" = 0 ]; then
		echo "ok $number $2"
	else
		echo "not ok $number $2"
		tail -n 20 "$copy.log" | sed 's/^/# /'
	fi
}

cd "$TREE" || exit 1
git -c safe.directory="$TREE" ls-files Makefile Kbuild drivers include |
	rsync -a --files-from=- ./ "$copy/" 2>/dev/null
find "$copy" -type f | sort >"$copy.before"
tool=$(tool_root)

echo "TAP version 13"
for line in $KERNEL_LINES; do
	kernel=$(kernel "$line")
	release=$(<"$kernel/release")
	in_root "$tool" --kernel "$kernel" --bind "$copy" -- \
		make -j2 -C "$copy" KDIR="/usr/src/linux-headers-$release" >"$copy.log" 2>&1
	result $? "make KDIR=... for kernel $line"
	[ -e "$copy/drivers/infiniband/vrb/ib_vrb.ko" ] && [ -e "$copy/drivers/infiniband/hw/tavor/ib_tavor.ko" ]
	result $? "both modules are there for kernel $line"
	make -C "$copy" clean >"$copy.log" 2>&1
	find "$copy" -type f | sort | diff "$copy.before" - >>"$copy.log"
	result $? "make clean leaves what was there before, kernel $line"
done
make -C "$copy" KDIR=/nonexistent >"$copy.log" 2>&1
[ $? = 2 ] && grep -q "no kernel headers in /nonexistent" "$copy.log"
result $? "without headers it says so"
make -C "$copy" help >"$copy.log" 2>&1 && grep -q "make demo" "$copy.log"
result $? "make help lists the targets"
rm -f "$copy.log" "$copy.before"
echo "1..$number"
