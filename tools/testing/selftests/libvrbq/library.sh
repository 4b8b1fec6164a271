#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: host
# Level: ci
#
# Tests that libvrbq, shared and static, exports exactly what its header declares. Each function has
# a man page, and an installation contains all of them. A program is compiled with pkg-config
# against an installation.

# shellcheck source=SCRIPTDIR/../../vm/lib/all.sh
. "$(dirname "$0")/../../vm/lib/all.sh"
set +e
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
LIBRARY=$TREE/userspace/libvrbq
INSTALLED=$WORK/install/usr/local
failed=0

# in_tools COMMAND...: runs the command in the root with the compiler
in_tools() {
	in_root "$(programs_root)" --bind "$TREE" --bind "$WORK" --cwd "$LIBRARY" -- "$@"
}

# result NUMBER TEXT LINES: prints a result, which is ok if there are no lines
result() {
	if [ -z "$3" ]; then
		echo "ok $1 $2"
	else
		head -n 20 <<<"$3" | sed 's/^/# /'
		echo "not ok $1 $2"
		failed=1
	fi
}

declared() {
	sed -nE 's/^[a-z].*[ *](vrbq_[a-z_]+)\(.*/\1/p' "$LIBRARY/infiniband/vrbq.h" | sort -u
}

exported() {
	in_tools nm -D --defined-only "$WORK/libvrbq.so" |
		awk '$2 != "A" { sub("@.*", "", $3); print $3 }' | sort -u
}

# of_no_version: prints the functions of the shared library that do not have the version of the map
of_no_version() {
	in_tools nm -D --defined-only "$WORK/libvrbq.so" |
		awk '$2 != "A" && $3 !~ /^vrbq_[a-z_]+@@VRBQ_1\.0$/ { print $3 }'
}

exported_by_archive() {
	in_tools nm -g --defined-only "$WORK/libvrbq.a" | awk 'NF == 3 { print $3 }' | sort -u
}

without_page() {
	local name
	for name in $(declared); do
		[ -s "$INSTALLED/share/man/man3/$name.3" ] || echo "$name"
	done
}

# links_nowhere: prints the pages that link to a missing page
links_nowhere() {
	(cd "$INSTALLED/share/man" && grep -rhE '^\.so ' . | awk '{ print $2 }' | sort -u |
		while read -r page; do [ -s "$page" ] || echo "$page"; done)
}

not_installed() {
	local file
	for file in include/infiniband/vrbq.h include/rdma/vrb-abi.h lib/libvrbq.a \
		lib/libvrbq.so lib/libvrbq.so.1 lib/pkgconfig/libvrbq.pc share/man/man7/vrbq.7; do
		[ -s "$INSTALLED/$file" ] || echo "$file"
	done
}

# flags OPTION...: prints what pkg-config prints for the installation in $PREFIX, with libibverbs of
# the compiler's root
flags() {
	local root
	root=$(programs_root)
	PKG_CONFIG_LIBDIR=$PREFIX/lib/pkgconfig:$root/usr/lib/x86_64-linux-gnu/pkgconfig \
		pkg-config "$@" libvrbq
}

# compiled: compiles the program below with the flags, and runs it; prints what goes wrong
compiled() {
	local flags
	flags=$(flags --cflags --libs) || return
	# shellcheck disable=SC2086 # a list of words
	in_tools cc -Wall -Werror -o "$WORK/program" "$WORK/program.c" $flags &&
		in_tools env LD_LIBRARY_PATH="$PREFIX/lib" "$WORK/program"
}

PREFIX=$WORK/prefix
cat >"$WORK/program.c" <<'EOF'
#include <errno.h>
#include <stdio.h>
#include <infiniband/vrbq.h>
#include <rdma/vrb-abi.h>

_Static_assert(VRB_ABI_REVISION && sizeof(struct vrb_queue_request) % 8 == 0, "the kernel's");

int main(void)
{
	const struct vrbq_attr attr = { .depth = 1 };

	if (vrbq_create(NULL, &attr) || errno != EINVAL)
		printf("without a context: errno %d\n", errno);
	return 0;
}
EOF

echo "TAP version 13"
echo "1..11"
log=$(in_tools make -s install OUTPUT="$WORK" DESTDIR="$WORK/install" 2>&1)
result 1 "it compiles, and is installed" "$log"
result 2 "it exports what its header declares, and nothing else" \
	"$(diff <(declared) <(exported) | grep '^[<>]')"
result 3 "each function has a man page" "$(without_page)"
result 4 "each link to a man page has its page" "$(links_nowhere)"
result 5 "nothing is missing in the installation" "$(not_installed)"
count=$(declared | wc -l)
result 6 "the header declares functions" "$([ "$count" -gt 15 ] || echo "$count are found")"
log=$(in_tools make -s install OUTPUT="$WORK" PREFIX="$PREFIX" 2>&1)$(compiled 2>&1)
in_tools readelf -d "$WORK/program" 2>/dev/null | grep -q 'NEEDED.*\[libvrbq\.so\.1\]' ||
	log+="it does not need libvrbq.so.1"
result 7 "a program compiles with the flags of pkg-config, and runs" "$log"
rm -f "$PREFIX"/lib/libvrbq.so* "$WORK/program"
result 8 "so it does with the static library" "$(compiled 2>&1)"
version=$(flags --modversion)
log=$(grep -qx "PACKAGE_VERSION=\"$version\"" "$LIBRARY/../../dkms.conf" ||
	echo "not the version: '$version'")
result 9 "pkg-config knows the version" "$log"
result 10 "the static library defines what its header declares, and nothing else" \
	"$(diff <(declared) <(exported_by_archive) | grep '^[<>]')"
result 11 "each function has the version VRBQ_1.0" "$(of_no_version)"
exit $failed
