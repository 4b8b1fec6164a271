#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: host
# Level: all
# Timeout: 1800
#
# Tests that the packages build, that lintian has no complaint, and that each package is complete.

tree=$(cd "$(dirname "$0")/../../.." && pwd)
cd "$tree" || exit 1
# shellcheck source=SCRIPTDIR/../vm/lib/try.bash
. tools/testing/vm/lib/try.bash
out=$tree/build/deb-test

# has PACKAGE FILE...: the package has these files
has() {
	local package=$1 file
	shift
	dpkg-deb --fsys-tarfile "$out/$package"_*.deb | tar -t >"$work/out"
	for file; do
		grep -qx "./$file" "$work/out" || { echo "no $file" >"$work/err" && return 1; }
	done
}

git -c safe.directory="$tree" status --porcelain --ignored | grep -v '^!! build/' >"$work/before"

echo "TAP version 13"
tools/packaging/deb --output "$out" --lintian >"$work/out" 2>"$work/err"
result $? "the packages build, and lintian has no complaint"
git -c safe.directory="$tree" status --porcelain --ignored | grep -v '^!! build/' |
	diff "$work/before" - >"$work/out"
result $? "nothing is written outside build/"
version=$(dpkg-deb -f "$out"/ib-vrb-dkms_*.deb Version)
[ "$version" = "$(tools/packaging/version)" ]
result $? "the packages have the version of the tree"
source=usr/src/ib-vrb-$version
has ib-vrb-dkms "$source/dkms.conf" "$source/Kbuild" "$source/include/rdma/vrb.h" \
	"$source/drivers/infiniband/hw/tavor/main.c" "$source/drivers/infiniband/vrb/probe.sh" \
	usr/share/doc/ib-vrb-dkms/README.Debian usr/share/man/man4/ib_tavor.4.gz \
	usr/share/man/man8/ib_tavor-administration.8.gz usr/share/man/man9/ib_vrb-client.9.gz &&
	! grep -qE '/etc/|modprobe|tools/' "$work/out"
result $? "ib-vrb-dkms has the source and man pages, and no configuration of modprobe or udev"
dpkg-deb --fsys-tarfile "$out"/ib-vrb-dkms_*.deb | tar -xO "./$source/dkms.conf" >"$work/out"
grep -qx "PACKAGE_VERSION=\"$version\"" "$work/out"
result $? "the dkms.conf in ib-vrb-dkms has its version"
has tavor-hca-model usr/bin/tavor-hca usr/bin/tavor-hcactl usr/bin/tavor-hca-qemu \
	usr/lib/systemd/user/tavor-hca.service usr/share/man/man1/tavor-hca.1.gz \
	usr/share/man/man1/tavor-hcactl.1.gz usr/share/man/man1/tavor-hca-qemu.1.gz
result $? "tavor-hca-model has the model, its tools, their man pages and the user's service"
has libvrbq1 'usr/lib/x86_64-linux-gnu/libvrbq.so.1.*' && ! grep -q '\.so$' "$work/out" &&
	has libvrbq-dev usr/include/infiniband/vrbq.h usr/include/rdma/vrb-abi.h \
		usr/lib/x86_64-linux-gnu/libvrbq.a \
		usr/lib/x86_64-linux-gnu/libvrbq.so usr/share/man/man7/vrbq.7.gz \
		usr/lib/x86_64-linux-gnu/pkgconfig/libvrbq.pc \
		usr/share/doc/libvrbq-dev/examples/vrbq_connect.c \
		usr/share/doc/libvrbq-dev/examples/device.h
result $? "libvrbq1 has the library, libvrbq-dev what is needed to build with it"
has vrb-tools usr/sbin/vrbstat usr/share/man/man8/vrbstat.8.gz
result $? "vrb-tools has vrbstat and its man page"
for deb in "$out"/*.deb; do
	mkdir -p "$work/pages" && dpkg-deb --fsys-tarfile "$deb" |
		tar -x -C "$work/pages" --wildcards './usr/share/man/*.gz' 2>/dev/null
done
# A page that is a link to another one (.so) has no title of its own.
find "$work/pages" -name '*.gz' -exec zcat {} + | grep '^\.TH' >"$work/titles"
grep -vE "\"(vrbstat |libvrbq )?$version\"" "$work/titles" >"$work/out"
[ ! -s "$work/out" ] && [ "$(wc -l <"$work/titles")" -ge 11 ]
result $? "the man pages have it, too"
tools/packaging/deb --version 'a b' >"$work/out" 2>"$work/err"
[ $? = 125 ] && grep -q "wants a Debian version, not 'a b'" "$work/err"
result $? "an invalid version is refused"
tools/packaging/deb --output "$work" >"$work/out" 2>"$work/err"
[ $? = 125 ] && grep -q "not below" "$work/err"
result $? "an output folder outside build/, which would be emptied, is refused"
echo "1..$number"
[ "$failed" = 0 ]
