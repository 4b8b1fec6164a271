#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: host
#
# Tests which release of Debian's kernels a name of "--kernel" stands for, and which names are
# refused. Nothing is downloaded: the test has its own package lists.

# shellcheck source-path=SCRIPTDIR/..
. "$(dirname "$0")/../lib/all.sh"
. "$VM_DIR/lib/try.bash"
set +e

CACHE=$work/cache
CROSS_APT=$work/cross
with_apt() {
	case $* in
	"apt-cache pkgnames linux-") cat "$work/names" ;;
	"apt-cache show "*) grep -qx "$3" "$work/names" ;;
	esac
}
host_lists() { :; }
apt_fresh() { :; }
cross_fresh() { :; }

cat >"$work/names" <<X
linux-image-amd64
linux-image-7.0.13+deb13-amd64-dbg
linux-image-6.12.9+deb13-amd64
linux-image-6.12.118+deb13-amd64
linux-image-6.12.119+deb13-cloud-amd64
linux-image-6.12.117+deb13-rt-amd64
linux-headers-6.12.117+deb13-common-rt
linux-image-6.1.0-9-amd64
linux-image-7.1.13+deb13-amd64
linux-image-7.3.4+deb13-amd64
linux-binary-7.3.4+deb13-amd64
linux-image-7.10-amd64
linux-image-7.2.12+deb13-amd64
linux-image-7.2.12+deb13-rt-amd64
X
sed -n 's/^linux-image-\([0-9]\)/linux-headers-\1/p' "$work/names" >"$work/headers"
cat "$work/headers" - >>"$work/names" <<X
linux-image-6.12.120+deb13-amd64
linux-image-6.16.12+deb13-amd64
linux-image-7.1.14+deb13-amd64
linux-headers-7.4.1+deb13-amd64
X
mkdir "$CROSS_APT"
{
	printf '%s\t' sid amd64 linux-headers-7.2.13+deb14-amd64 7.2.13-1 x x \
		"linux-kbuild-7.2.13+deb14, gcc-15"
	printf '\n'
	printf '%s\t' testing amd64 linux-headers-7.2.9+deb14-amd64 7.2.9-1 x x gcc-15
	printf '\n'
} >"$CROSS_APT/kernels"

# is NAME RELEASE
is() {
	[ -z "$(kernel_fault "$1")" ] && [ "$(kernel_newest "$1")" = "$2" ]
	result $? "--kernel $1 is $2"
}

# refused NAME PATTERN
refused() {
	kernel_fault "$1" >"$work/out"
	grep -q -- "$2" "$work/out"
	result $? "--kernel '$1' is refused"
}

echo "TAP version 13"
is 6.12 6.12.118+deb13-amd64
is 6.12-rt 6.12.117+deb13-rt-amd64
is 7 7.10-amd64
is 7-rt 7.2.12+deb13-rt-amd64
is 7.1 7.1.13+deb13-amd64
is 7.10 7.10-amd64
is sid 7.2.13+deb14-amd64
is testing 7.2.9+deb14-amd64
for name in 6.1 6.1-rt 6 5.10 6.11; do
	refused "$name" "'$name' is not supported: .* 6\.12 or later"
done
for name in "" 7.2.12 7.x debug-rt "7 6.12" unstable forky -rt "sid testing" "debug kcsan"; do
	refused "$name" "--kernel is 6\.12, 7, .*, testing, sid, .*debug or kcsan, not '$name'"
done
for name in debug kcsan; do
	[ -z "$(kernel_fault $name)" ] && [ -n "$(debug_config $name)" ]
	result $? "--kernel $name is accepted"
done
(kernel_resolve 7.9) >"$work/out" 2>&1
grep -q 'has no kernel 7\.9 with its headers; it has 6\.12 7\.1 7\.2 7\.3 7\.10$' "$work/out"
result $? "a series that is not in the archive is refused, with those that are"
(kernel_resolve 6.16) >"$work/out" 2>&1
grep -q 'has no kernel 6\.16 with its headers; it has 6\.12 7\.1 ' "$work/out"
result $? "so is one that has only images"
(kernel_resolve experimental) >"$work/out" 2>&1
grep -q 'has no kernel experimental with its headers; it has' "$work/out"
result $? "so is a suite without a kernel"
[ "$(kernel_resolve sid)" = "7.2.13+deb14-amd64 7.2.13-1" ]
result $? "the kernel of a suite is one version of its release"

# shellcheck disable=SC2086 # a list of words
printf 'deb [arch=amd64] http://host/debian %s main\n' ${NEWEST_SUITES% *} \
	>"$CROSS_APT/sources.list"
! cross_current
result $? "an index that was made without one of the suites is made again"
echo "deb [arch=amd64] http://host/debian ${NEWEST_SUITES##* } main" >>"$CROSS_APT/sources.list"
cross_current
result $? "one that has them all is not"
touch -d '2 days ago' "$CROSS_APT/kernels"
! cross_current
result $? "one that is older than a day is"

packages=$(kernel_packages 6.12-rt 6.12.117+deb13-rt-amd64 | xargs)
[ "$packages" = "linux-headers-6.12.117+deb13-rt-amd64 linux-headers-6.12.117+deb13-common-rt \
linux-kbuild-6.12.117+deb13 linux-image-6.12.117+deb13-rt-amd64" ]
result $? "a kernel in one package"
packages=$(kernel_packages 7 7.3.4+deb13-amd64 | xargs)
[ "$packages" = "linux-headers-7.3.4+deb13-amd64 linux-headers-7.3.4+deb13-common \
linux-kbuild-7.3.4+deb13 linux-binary-7.3.4+deb13-amd64 linux-modules-7.3.4+deb13-amd64 \
linux-base-7.3.4+deb13-amd64" ]
result $? "a kernel in several packages"
[ "$(cross_compiler 7.2.13+deb14-amd64)" = gcc-15 ]
result $? "the compiler is the one that the headers depend on"
echo "1..$number"
