#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: host
# Level: ci
#
# Each module of the drivers has an option beside its Kbuild, as a kernel tree wants it, whose help
# names the module. By hand: run this script.

tree=$(cd "$(dirname "$0")/../../.." && pwd)
number=0
bad=0

# result GOOD TEXT
result() {
	number=$((number + 1))
	if [ "$1" = 0 ]; then
		echo "ok $number $2"
	else
		echo "not ok $number $2"
		bad=1
	fi
}

# modules KBUILD: their names
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
	folder=$(dirname "$kbuild")
	while read -r module; do
		option "$folder/Kconfig" "$module" 2>/dev/null
		result $? "$module has its option in ${folder#"$tree"/}/Kconfig"
	done < <(modules "$kbuild")
done < <(find "$tree/drivers" -name Kbuild | sort)
[ "$number" -gt 0 ]
result $? "there are modules"
echo "1..$number"
exit "$bad"
