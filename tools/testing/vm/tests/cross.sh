#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: host
# Level: all
# Timeout: 10800
#
# All modules compile without a warning for the architectures arm64, ppc64el, s390x and armhf, and
# for the newest kernel that Debian has in any suite. What has compiled and has not changed is not
# compiled again. By hand: run this script; arguments choose some: "s390x", "newest".

# shellcheck source-path=SCRIPTDIR/..
. "$(dirname "$0")/../lib/all.sh"
set +e

number=0
failed=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# lacks KERNEL-DIR OPTION...: the first of these options that the kernel does not have
lacks() {
	local config option
	config=$(echo "$1"/usr/src/linux-headers-*/.config)
	shift
	for option; do
		grep -qE "^CONFIG_$option=[ym]$" "$config" || { echo "$option" && return; }
	done
	return 1
}

# skipped TEXT REASON
skipped() {
	number=$((number + 1))
	echo "ok $number $1 # SKIP $2"
}

# logged ARGUMENT...: cross_modules, with what it says in $log
logged() {
	cross_modules "$@" >"$log" 2>&1
}

# compiles KERNEL-DIR ROOT ARCHITECTURE [MAKE-ARGUMENT...]: one result
compiles() {
	local text option
	text="kernel $(<"$1/release") for $3 compiles without warnings"
	if option=$(lacks "$1" INFINIBAND INFINIBAND_USER_ACCESS PCI); then
		skipped "$text" "Debian's kernel has no CONFIG_$option"
		return
	fi
	number=$((number + 1))
	if slow "kernel $(<"$1/release"): compiling" logged "$1" "$2" "$dirs" "${@:4}"; then
		echo "ok $number $text"
	else
		grep -iE -A3 '(warning|error):|\*\*\*' "$log" | head -n 60 | sed 's/^/# /'
		echo "not ok $number $text"
		failed=$((failed + 1))
	fi
}

# chosen NAME: among the arguments, if there are any
chosen() {
	[ -z "$arguments" ] || [[ " $arguments " == *" $1 "* ]]
}

arguments=$*
host_ready
dirs=$(modules_everywhere)
echo "TAP version 13"
for target in $CROSS_TARGETS; do
	architecture=${target%%:*}
	chosen "$architecture" || continue
	if kernel=$(cross_headers "$target"); then
		compiles "$kernel" "$(cross_root)" "$architecture"
	else
		skipped "a kernel for $architecture" "no archive that apt reaches has its headers"
	fi
done
if chosen newest; then
	if kernel=$(newest_headers); then
		compiles "$kernel" "$(newest_root "$(<"$kernel/compiler")")" amd64
	else
		skipped "the newest kernel" "no archive that apt reaches has its headers"
	fi
fi
echo "1..$number"
exit $((failed != 0))
