#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: host
# Timeout: 600
#
# The bench's own promises about a run: what is refused, the status and what goes in and out.

cd "$(dirname "$0")/.." || exit 1
# shellcheck source=SCRIPTDIR/../lib/try.bash
. lib/try.bash

echo "TAP version 13"
echo "1..26"

# What is refused costs no boot.
try "an unknown option is refused by name" 125 "'--frob'" --frob -- true
try "an unknown kernel is refused by name" 125 "'5.10'" --kernel 5.10 -- true
try "an unknown driver is refused by name" 125 "'mlx5'" --driver mlx5 -- true
try "processors that are no number are refused" 125 "--smp .*'many'" --smp many -- true
try "no processor is refused" 125 "--smp .*'0'" --smp 0 -- true
try "too many HCAs are refused" 125 "--hcas .*'99'" --hcas 99 -- true
try "too little memory is refused" 125 "--memory .*'16'" --memory 16 -- true
try "no time is refused" 125 "--timeout .*'0'" --timeout 0 -- true
try "an option without its value is refused" 125 "--share needs a value" --share -- true
try "an empty value is refused" 125 "--share needs a value" --share "" -- true
try "a shared folder that is not there is refused" 125 "'/nonexistent'" --share /nonexistent -- true
try "a results folder that is a file is refused" 125 "'$work/file'" --results "$(touch "$work/file"; echo "$work/file")" -- true
try "a list of packages that is none is refused" 125 "'a;b'" --packages "a;b" -- true
try "a pattern that is no regular expression is refused" 125 "'\('" --expect-complaint '(' -- true
try "no command is refused" 125 "no command" --hcas 0
try "a command without '--' is refused" 125 "'true' is no option" true
try "a shell with a command is refused" 125 "--shell takes no command" --shell -- true
try "a driver without a HCA is refused" 125 "--hcas 0" --driver mthca --hcas 0 -- true
try "a subnet manager without a driver is refused" 125 "--sm needs" --sm --hcas 0 -- true
try "a model option without a model is refused" 125 "--hcas 0" --hca a=b --hcas 0 -- true
try "a model option that does not exist is refused by name" 125 "nonsense" --hca nonsense=1 -- true
try "a model option with a value that makes no sense is refused" 125 "seed=banana" --hca seed=banana -- true
try "a module nobody makes is refused by name" 125 "'no_such'" --hcas 0 --modules no_such -- true

mkdir "$work/share" "$work/results"
echo shared >"$work/share/file"
try "the command's status comes back" 7 "status 7" --hcas 0 --share "$work/share" \
	--results "$work/results" -- sh -c 'cat /mnt/share/file; echo err >&2; echo kept >/results/kept
	touch /mnt/tree/x 2>/dev/null && echo "the tree is writable"; cat /mnt/tree/Kbuild >/dev/null; exit 7'
[ "$(cat "$work/out")" = "shared
err" ]
result $? "its output is streamed, the share is there, the tree is read-only"
[ "$(cat "$work/results/kept")" = kept ]
result $? "the results folder comes back"
