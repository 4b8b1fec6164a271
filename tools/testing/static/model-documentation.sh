#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: host
# Timeout: 60
#
# Checks that Documentation/hca-model.rst lists the rules, options and control verbs of the sources.

cd "$(dirname "$0")/../hca" || exit 1
echo "1..2"
if out=$(./doc-tables --check 2>&1); then
	echo "ok 1 tables agree with the sources"
else
	printf '%s\n' "$out" | while read -r line; do echo "# $line"; done
	echo "not ok 1 tables agree with the sources"
fi

# The check must be able to fail: here, with an undocumented option.
copy=$(mktemp -d) || exit 1
trap 'rm -rf "$copy"' EXIT
mkdir -p "$copy/tools/testing" "$copy/Documentation"
cp -r . "$copy/tools/testing/hca"
cp ../../../Documentation/hca-model.rst "$copy/Documentation"
echo 'OPTION(planted, U64, "0", 0, 1, LIVE, "planted")' >>"$copy/tools/testing/hca/core/options.def"
if "$copy/tools/testing/hca/doc-tables" --check >/dev/null 2>&1; then
	echo "# ${BASH_SOURCE[0]##*/}:$((LINENO - 1)): doc-tables --check finds no option 'planted'"
	echo "not ok 2 a planted difference is found"
else
	echo "ok 2 a planted difference is found"
fi
