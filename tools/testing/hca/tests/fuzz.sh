#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: host
# Level: all
# Timeout: 1800
#
# Runs the libFuzzer targets of the HCA model, with a fixed number of executions and a fixed seed.
# Their compiler is installed here, because it is larger than the packages of all other checks.

cd "$(dirname "$0")/../../../.." || exit 1

compiler() (
	# shellcheck source=SCRIPTDIR/../../vm/lib/common.sh
	. tools/testing/vm/lib/common.sh
	# shellcheck source=SCRIPTDIR/../../vm/lib/host.sh
	. tools/testing/vm/lib/host.sh
	# host_install calls this
	host_missing() {
		local package
		for package in clang libclang-rt-dev; do
			dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null |
				grep -q ^ii ||
				echo "$package"
		done
	}
	host_install
)

if ! compiler; then
	echo "1..0 # SKIP libFuzzer comes with clang and libclang-rt-dev, which cannot be installed"
	exit 4
fi
mkdir -p build/hca-check
exec make -s -C tools/testing/hca fuzz OUTPUT="$PWD/build/hca-check"
