#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: host
# Level: all
# Timeout: 10800
#
# Tests that all modules compile without a warning for the architectures arm64, ppc64el, s390x and
# armhf, and for the newest kernel that Debian has in any suite. Unchanged modules that have
# compiled are not compiled again. By hand: run this script; arguments select some: "s390x",
# "newest", "planted".

# shellcheck source-path=SCRIPTDIR/..
. "$(dirname "$0")/../lib/all.sh"
. "$VM_DIR/lib/try.bash"
set +e

# They use instructions of amd64 to mark what is to be counted.
ONLY_AMD64="tools/testing/bench/count/tests/module tools/testing/bench/engine
	tools/testing/bench/verbs"

# lacks KERNEL-DIR OPTION...: prints the first of these options that the kernel does not have
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

# logged ARGUMENT...: runs cross_modules with its output in a file
logged() {
	cross_modules "$@" >"$work/log" 2>&1
}

# compiled KERNEL-DIR ROOT "DIR..." [MAKE-ARGUMENT...]: the compilation prints nothing
compiled() {
	local status=0
	slow "kernel $(<"$1/release"): compiling" logged "$@" -k || status=$?
	grep -iE -A3 '(warning|error):|\*\*\*' "$work/log" >"$work/out"
	return "$status"
}

# compiles KERNEL-DIR ROOT ARCHITECTURE: prints a result, and what is left out. sparse also checks
# the big-endian one.
compiles() {
	local text option dirs sparse=()
	text="kernel $(<"$1/release") for $3 compiles without warnings"
	if option=$(lacks "$1" INFINIBAND INFINIBAND_USER_ACCESS PCI); then
		skipped "$text" "Debian's kernel has no CONFIG_$option"
		return
	fi
	dirs=$(modules_everywhere)
	if [ "$3" != amd64 ]; then
		# shellcheck disable=SC2086 # a list of words
		skipped "kernel $(<"$1/release") for $3:$(printf ' %s' $ONLY_AMD64)" \
			"they have instructions of amd64"
		dirs=$(xargs -n1 <<<"$dirs" | grep -vxFf <(xargs -n1 <<<"$ONLY_AMD64") | xargs)
	fi
	[ "$3" != s390x ] || sparse=(C=2 CF=-D__CHECK_ENDIAN__)
	compiled "$1" "$2" "$dirs" "${sparse[@]}"
	result $? "$text"
}

# planted TEXT PATTERN LINE: a module with this line fails with PATTERN in its output; "": it
# compiles
planted() {
	local TREE=$work/tree status=0
	mkdir -p "$TREE/drivers/planted"
	# shellcheck disable=SC2016 # for Kbuild
	echo 'obj-m += $(addsuffix /,$(MODULE_DIRS))' >"$TREE/Kbuild"
	echo 'obj-m += planted.o' >"$TREE/drivers/planted/Kbuild"
	cat >"$TREE/drivers/planted/planted.c" <<-X
		// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
		#include <linux/module.h>
		static int __init planted_init(void)
		{
			u64 value = get_jiffies_64();
			$3
			return 0;
		}
		module_init(planted_init);
		MODULE_DESCRIPTION("planted");
		MODULE_LICENSE("Dual BSD/GPL");
	X
	compiled "$kernel" "$root" drivers/planted || status=1
	if [ -z "$2" ]; then
		[ "$status" = 0 ]
	else
		[ "$status" = 1 ] && grep -qE "$2" "$work/log"
	fi
	result $? "$1"
}

# all_planted: mistakes that only a 32-bit compiler finds
all_planted() {
	planted "a planted module compiles for armhf" "" 'pr_info("%llx\n", value);'
	planted "a warning that 32 bits alone have is a failure" "warning: format" \
		'pr_info("%lx\n", value);'
	planted "so is a symbol that 32 bits alone lack" 'ERROR: modpost: .*__aeabi_uldivmod' \
		'pr_info("%llx\n", value / (value >> 7));'
	planted "and a complaint of modpost" 'WARNING: modpost: .*section mismatch' \
		'static int early __initdata; static int *volatile late = &early; *late = value;'
}

# chosen NAME: among the arguments, if there are any
chosen() {
	[ -z "$arguments" ] || [[ " $arguments " == *" $1 "* ]]
}

arguments=$*
host_ready
echo "TAP version 13"
for target in $CROSS_TARGETS; do
	architecture=${target%%:*}
	chosen "$architecture" || { [ "$architecture" = armhf ] && chosen planted; } || continue
	if ! kernel=$(cross_headers "$target"); then
		skipped "a kernel for $architecture" "no archive that apt reaches has its headers"
		continue
	elif ! root=$(cross_root); then
		skipped "a kernel for $architecture" "its compiler cannot be unpacked"
		continue
	fi
	! chosen "$architecture" || compiles "$kernel" "$root" "$architecture"
	[ "$architecture" != armhf ] || ! chosen planted || all_planted
done
if chosen newest; then
	if ! kernel=$(newest_headers); then
		skipped "the newest kernel" "no archive that apt reaches has its headers"
	elif ! root=$(newest_root "$(<"$kernel/compiler")"); then
		skipped "the newest kernel" "its compiler cannot be unpacked"
	else
		compiles "$kernel" "$root" amd64
	fi
fi
[ "$number" != 0 ] || die "cross: no such target: $arguments"
echo "1..$number"
exit $((failed != 0))
