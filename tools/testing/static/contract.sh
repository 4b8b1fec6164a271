#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: host
#
# Checks that Documentation/vrb-contract.rst names every test of the request engine, and only these.

cd "$(dirname "$0")/../../.." || exit 1
document=Documentation/vrb-contract.rst
echo "TAP version 13"
[ -e $document ] || { echo "1..0 # SKIP no $document" && exit 4; }
echo "1..2"
status=0

# compare WHAT A B: ok if no line of A is missing in B
compare() {
	local missing
	missing=$(comm -23 <(sort -u <<<"$2") <(sort -u <<<"$3"))
	if [ -z "$missing" ]; then
		echo "ok $1"
	else
		echo "# ${missing//$'\n'/$'\n'# }"
		echo "not ok $1"
		status=1
	fi
}

# In a table of tests each entry begins like this: { "name",
tests=$(sed -nE 's/^\t\{ "([a-z0-9_]+)",.*/\1/p' tools/testing/selftests/vrb/mock/test_*.c)
# Fields of the document: ":tested: name, name (remark), ..." up to the next line that is not
# indented.
words=$(awk '/^:tested:/ { on = 1 } /^[^ :]|^$|^:[^t]/ { on = 0 } on' $document |
	sed -E 's/\([^)]*\)//g; s/;.*//' | grep -oE '\b[a-z0-9]+(_[a-z0-9]+)+\b' | grep -v '^vrb_')
compare "1 every test is in the contract" "$tests" "$(grep -oE '[a-z0-9_]+' $document)"
compare "2 every test in the contract exists" "$words" "$tests"
exit "$status"
