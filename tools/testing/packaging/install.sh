#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: host
# Level: all
# Timeout: 3600
#
# Tests the packages in a fresh root of Debian 13 with the headers of the guest's kernel: DKMS
# builds the modules, also from the tree, and an upgrade leaves nothing of the old version. A guest
# on this root then passes its card to ib_tavor, and removes the packages (guest/use). DKMS compiles
# here and not in the guest, where emulation would make it take an hour.

# shellcheck source-path=SCRIPTDIR/../vm
. "$(dirname "$0")/../vm/lib/all.sh"
set +e
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/../vm/lib/try.bash"

# Debian's headers depend on pahole and these libraries; here the headers come from the cache, as
# files.
packages="dkms gcc gcc-14 make libc6-dev patch pahole libelf1t64 libssl3t64 libcjson1 python3
	driverctl udev systemd"
packages=${packages//[$'\n\t']/ }
root=$BUILD/packaging/root
old=5.10.0-1-amd64

# root_copy: makes a writable copy of the guest's root, with the kernel's modules and headers where
# Debian's packages put them
root_copy() {
	local guest kernel
	guest=$(guest_root "$packages") && kernel=$(kernel 6.12) || return 1
	release=$(<"$kernel/release")
	clear_dir "$root"
	mkdir -p "$root"
	cp -a "$guest/." "$root/" && cp -a "$kernel/usr/." "$root/usr/" &&
		cp -a "$kernel/modules/$release" "$root/usr/lib/modules/" || return 1
	ln -s "/usr/src/linux-headers-$release" "$root/usr/lib/modules/$release/build"
	# A kernel that the modules cannot be built for
	mkdir -p "$root/usr/lib/modules/$old/build/include"
	echo 'CONFIG_INFINIBAND=m' >"$root/usr/lib/modules/$old/build/.config"
}

# in_it COMMAND...: runs it in the root; its output is kept for the result
in_it() {
	in_root "$root" --bind "$BUILD/deb-test" --bind "$BUILD/deb-next" -- \
		env HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@" \
		>"$work/out" 2>"$work/err" </dev/null
}

# prints PATTERN COMMAND...: the command succeeds, and a line matches
prints() {
	in_it "${@:2}" && cat "$work/out" "$work/err" | grep -qE -- "$1"
}

# built_for_kernel VERSION: DKMS has installed it for the guest's kernel. Both names contain "+".
built_for_kernel() {
	in_it dkms status ib-vrb && grep -qF "ib-vrb/$1, $release, x86_64: installed" "$work/out"
}

version_installed() {
	dpkg-query --admindir="$root/var/lib/dpkg" -W -f '${Version}' ib-vrb-dkms
}

# tree_copy: copies the tracked files of the tree, like a clone
tree_copy() {
	git -c safe.directory="$TREE" -C "$TREE" ls-files -z |
		rsync -a --from0 --files-from=- "$TREE/" "$root/srv/ib-vrb/"
}

# left VERSION: lists what is left of a version
left() {
	ls -d "$root/usr/src/ib-vrb-$1" "$root/var/lib/dkms/ib-vrb/$1" 2>/dev/null
}

host_ready
trap 'rm -rf "$work"; clear_dir "$BUILD/packaging"' EXIT
echo "TAP version 13"
"$TREE/tools/packaging/deb" --output "$BUILD/deb-test" >"$work/out" 2>"$work/err" &&
	"$TREE/tools/packaging/deb" --output "$BUILD/deb-next" --dkms --version 0.1~pre1+next \
		>"$work/out" 2>"$work/err"
result $? "the packages build, also with a newer version"
root_copy >"$work/out" 2>"$work/err"
result $? "there is a root of Debian 13 with the kernel's headers"

version=$(sed -n 's/^PACKAGE_VERSION="\(.*\)"$/\1/p' "$TREE/dkms.conf")
tree_copy >"$work/out" 2>"$work/err" && in_it dkms add /srv/ib-vrb &&
	in_it dkms install "ib-vrb/$version" -k "$release"
result $? "DKMS builds the modules from the tree, without a package"
built_for_kernel "$version" &&
	prints '/updates/dkms/ib_tavor.ko' modinfo -k "$release" -F filename ib_tavor
result $? "DKMS installs the modules from the tree"
in_it dkms remove "ib-vrb/$version" --all && in_it dkms status ib-vrb && [ ! -s "$work/out" ]
result $? "DKMS removes the modules from the tree"
rm -rf "$root/srv/ib-vrb" "$root/usr/src/ib-vrb-$version"
"$TREE/tools/testing/packaging/guest/files" "$root" >"$root/files"

in_it dpkg -i "$(echo "$BUILD"/deb-next/ib-vrb-dkms_*.deb)"
result $? "ib-vrb-dkms is installed"
newer=$(version_installed)
built_for_kernel "$newer"
result $? "DKMS has built it for the kernel"
! grep -q "$old" "$work/out"
result $? "DKMS has skipped a kernel that is too old, without a failure"
prints '/updates/dkms/ib_tavor.ko' modinfo -k "$release" -F filename ib_tavor
result $? "modprobe finds ib_tavor"
prints 'ib_vrb' modinfo -k "$release" -F depends ib_tavor &&
	in_it modinfo -k "$release" -F alias ib_tavor && [ ! -s "$work/out" ]
result $? "ib_tavor needs ib_vrb, and has no alias"

in_it dpkg -i "$(echo "$BUILD"/deb-test/ib-vrb-dkms_*.deb)"
result $? "another version is installed over it"
version=$(version_installed)
[ "$newer" != "$version" ] && built_for_kernel "$version"
result $? "DKMS has built the new version"
left "$newer" >"$work/out"
[ ! -s "$work/out" ] && [ -n "$(left "$version")" ]
result $? "nothing is left of the old version"
in_it dpkg -i "$(echo "$BUILD"/deb-test/tavor-hca-model_*.deb)"
result $? "tavor-hca-model is installed"
prints '^tavor-hca 0' tavor-hca --version && prints '^tavor-hcactl 0' tavor-hcactl --version &&
	prints '^tavor-hca-qemu 0' tavor-hca-qemu --version
result $? "its programs run"
in_it env XDG_RUNTIME_DIR=/tmp systemd-analyze --user --man=no verify \
	/usr/lib/systemd/user/tavor-hca.service && [ ! -s "$work/err" ]
result $? "systemd has no complaint about the user's service"

rm -r "$root/usr/lib/modules/$old"
"$VM_DIR/run" --memory 2048 --share "$root" --timeout 1200 --packages "$packages" -- \
	tools/testing/packaging/guest/use >"$work/guest" 2>"$work/guest.err"
status=$?
# The guest's results become results of this test.
while read -r word rest; do
	case "$word $rest" in
	"ok "* | "not ok "*)
		number=$((number + 1))
		[ "$word" = ok ] || failed=$((failed + 1))
		sed -E "s/^(ok|not ok) [0-9]+/\1 $number/" <<<"$word $rest"
		;;
	"#"*) echo "$word $rest" ;;
	esac
done <"$work/guest"
cp "$work/guest.err" "$work/err"
: >"$work/out"
[ "$status" = 0 ]
result $? "the guest ends well"
echo "1..$number"
[ "$failed" = 0 ]
