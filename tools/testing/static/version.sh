#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: host
# Timeout: 60
#
# Checks that the packages, the tools, the examples and the documents have one version.

tree=$(cd "$(dirname "$0")/../../.." && pwd)
cd "$tree" || exit 1
# shellcheck source=SCRIPTDIR/../vm/lib/try.bash
. tools/testing/vm/lib/try.bash

# version ARGUMENT...: runs the script of the copy
version() {
	"$work/tree/tools/packaging/version" "$@" >"$work/out" 2>"$work/err"
}

echo "TAP version 13"
tools/packaging/version --check >"$work/out" 2>"$work/err"
result $? "there is one version"
git -c safe.directory="$tree" grep -nE -e '^[A-Z_]*VERSION *:?= *["'\'']?[0-9]' \
	-e '^#define [A-Z_]*VERSION "[0-9]' -e 'argp_program_version = "[^"]*[0-9]' \
	-- userspace tools drivers include |
	grep -v -e '^userspace/examples/device.h:' -e '^tools/testing/hca/ctl/' >"$work/out"
[ ! -s "$work/out" ]
result $? "no other file of the programs has one of its own"
git -c safe.directory="$tree" grep -n '^ *MODULE_VERSION' -- drivers >"$work/out"
[ ! -s "$work/out" ]
result $? "nor has a module: that of DKMS is its version"

# The check must be able to fail, and the script must be able to set what it checks.
mkdir -p "$work/tree/tools/testing/hca" "$work/tree/userspace"
cp -r dkms.conf CHANGELOG.md Documentation "$work/tree/"
cp -r tools/packaging "$work/tree/tools/"
cp -r tools/testing/hca/ctl "$work/tree/tools/testing/hca/"
cp -r userspace/examples "$work/tree/userspace/"
sed -i "s/^VERSION = '.*'/VERSION = '9.8'/" "$work/tree/tools/testing/hca/ctl/tavor-hcactl"
! version --check && grep -qx 'tools/testing/hca/ctl/tavor-hcactl: 9.8' "$work/out"
result $? "a planted difference is found"
version 7.6~rc5 && version --check && version && grep -qx '7.6~rc5' "$work/out" &&
	"$work/tree/tools/testing/hca/ctl/tavor-hca-qemu" --version >"$work/out" &&
	grep -qx 'tavor-hca-qemu 7.6~rc5' "$work/out"
result $? "another version can be set everywhere"
version 'a b'
[ $? = 2 ] && version && grep -qx '7.6~rc5' "$work/out"
result $? "an invalid version is refused with status 2, and nothing is changed"
echo "1..$number"
[ "$failed" = 0 ]
