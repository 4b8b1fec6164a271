#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: host
# Timeout: 600
#
# Tests runs of the bench: what is refused, the exit status, and what is passed into the guest and
# out of it.

cd "$(dirname "$0")/.." || exit 1
# shellcheck source=SCRIPTDIR/../lib/try.bash
. lib/try.bash

echo "TAP version 13"
echo "1..40"

# A refused run boots no guest.
try "an unknown option is refused by name" 125 "'--frob'" --frob -- true
try "an unknown kernel is refused by name" 125 "'5.10'" --kernel 5.10 -- true
try "a kernel that is too old is refused, with what is supported" 125 "'6.1-rt' .*6\.12 or later" \
	--kernel 6.1-rt -- true
try "a series that Debian does not have is refused, with those that it has" 125 \
	"no kernel 6\.99 with its headers; it has 6\.12 .*7\." --kernel 6.99 -- true
! grep -q booting "$work/err"
result $? "a refused run does not say that it boots"
try "an unknown driver is refused by name" 125 "'mlx5'" --driver mlx5 -- true
try "a release of Debian that guests cannot have is refused" 125 "--debian is 12 or 13, not '11'" \
	--debian 11 -- true
try "processors that are no number are refused" 125 "--smp .*'many'" --smp many -- true
try "no processor is refused" 125 "--smp .*'0'" --smp 0 -- true
try "too many HCAs are refused" 125 "--hcas .*'99'" --hcas 99 -- true
try "too little memory is refused" 125 "--memory .*'16'" --memory 16 -- true
try "a time-out of zero is refused" 125 "--timeout .*'0'" --timeout 0 -- true
try "an option without its value is refused" 125 "--share needs a value" --share -- true
try "an empty value is refused" 125 "--share needs a value" --share "" -- true
try "a shared folder that is not there is refused" 125 "'/nonexistent'" --share /nonexistent -- true
try "a results folder that is a file is refused" 125 "'$work/file'" --results \
	"$(touch "$work/file"; echo "$work/file")" -- true
try "an invalid list of packages is refused" 125 "'a;b'" --packages "a;b" -- true
try "a pattern that is no regular expression is refused" 125 "'\('" --expect-complaint '(' -- true
try "no command is refused" 125 "no command" --hcas 0
try "a command without '--' is refused" 125 "'true' is no option" true
try "a shell with a command is refused" 125 "--shell takes no command" --shell -- true
try "a driver without a HCA is refused" 125 "--hcas 0" --driver mthca --hcas 0 -- true
try "a subnet manager without a driver is refused" 125 "--sm needs" --sm --hcas 0 -- true
try "a model option without a model is refused" 125 "--hcas 0" --hca a=b --hcas 0 -- true
try "a bridge without a HCA is refused" 125 "--bridge .*--hcas 0" --bridge --hcas 0 -- true
try "a model option that does not exist is refused by name" 125 "nonsense" --hca nonsense=1 -- true
try "a model option with an invalid value is refused" 125 "seed=banana" \
	--hca seed=banana -- true
try "text of two lines is refused" 125 "--append wants one line" --append $'a=1\nb=2' -- true
try "too much text is refused" 125 "2[0-9]* characters, .*2047" --append \
	"a=$(printf 'x%.0s' {1..2000})" -- true
try "an argument for QEMU that run has an option for is refused" 125 "-smp .*--smp" --qemu -smp \
	--qemu 1 -- true
try "an argument that QEMU rejects is named" 125 "QEMU ended .*-frob" --hcas 0 --qemu -frob \
	-- true
try "a module that no folder builds is refused by name" 125 "'no_such'" --hcas 0 \
	--modules no_such -- true

mkdir -p "$work/share" "$work/results/.bench/work"
echo shared >"$work/share/file"
touch "$work/results/.bench/work"/old
# shellcheck disable=SC2016 # for the shell in the guest
try "the command's status is returned" 7 "status 7" --hcas 0 --share "$work/share" --results \
	"$work/results" \
	--append "bench.a=1 bench.b=2" --append bench.c=3 --qemu -device \
	--qemu pci-testdev,addr=1e.0 --smp 1 -- \
	sh -c 'cat /mnt/share/file; echo err >&2; echo kept >/results/kept
	touch /mnt/tree/x 2>/dev/null && echo "the tree is writable"
	cat /mnt/tree/Kbuild >/dev/null
	cat /proc/cmdline >/results/cmdline; nproc >/results/nproc
	cat /sys/bus/pci/devices/0000:00:1e.0/device >/results/device
	exec >/results/work
	echo "$GUEST_WORK"
	ls -A /run/work
	cp /bin/true /run/work && (cd /run/work && ./true) && echo good
	exit 7'
[ "$(cat "$work/out")" = "shared
err" ]
result $? "output is streamed, the share is mounted, the tree is read-only"
grep -q '^vm: booting kernel 6\.12\.[0-9].*, no HCA' "$work/err"
result $? "the run says that it boots, and which kernel"
[ "$(cat "$work/results/kept")" = kept ]
result $? "the host has the contents of the results folder"
grep -q 'cryptomgr.notests bench.a=1 bench.b=2 bench.c=3$' "$work/results/cmdline"
result $? "text for the kernel's command line is appended in the given order"
[ "$(cat "$work/results/device")" = 0x0005 ]
result $? "arguments reach QEMU"
[ "$(cat "$work/results/nproc")" = 1 ]
result $? "the guest has the requested number of processors"
[ "$(cat "$work/results/work")" = $'/run/work\ngood' ]
result $? "the work folder is empty, whatever an earlier run left, and can be written to"
