#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: host
# Level: ci
#
# Checks that each module of the drivers has an option in a Kconfig beside its Kbuild, as in a
# kernel tree, and that its help names the module. By hand: run this script.

folder=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=SCRIPTDIR/../vm/lib/try.bash
. "$folder/../vm/lib/try.bash"
tree=$(realpath "$folder/../../..")

# modules KBUILD: prints the names of its modules
modules() {
	sed -nE 's/^obj-m \+= (.*)\.o$/\1/p' "$1"
}

# option FILE MODULE: FILE has one option, which may be a module, and says that it is MODULE
option() {
	[ "$(grep -c '^config INFINIBAND_' "$1")" = 1 ] &&
		grep -qP '^\ttristate "' "$1" &&
		grep -qP "^\t  The module is called $2\\." "$1"
}

echo "TAP version 13"
while read -r kbuild; do
	beside=$(dirname "$kbuild")
	while read -r module; do
		option "$beside/Kconfig" "$module" 2>/dev/null
		result $? "$module has its option in ${beside#"$tree"/}/Kconfig"
	done < <(modules "$kbuild")
done < <(find "$tree/drivers" -name Kbuild | sort)
[ "$number" -gt 0 ]
result $? "there are modules"
echo "1..$number"
exit $((failed > 0))
