#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: host
#
# Checks that numbers in the documents are those of the sources: the servers' lines of C, and the
# disk space that the bench requires. By hand: run this script.

tree=$(cd "$(dirname "$0")/../../.." && pwd)
# shellcheck source=SCRIPTDIR/../vm/lib/try.bash
. "$tree/tools/testing/vm/lib/try.bash"
cd "$tree" || exit 1
servers=drivers/infiniband/ulp
page=Documentation/vrb-servers.rst

# lines FILE...: how many lines these have without comments and empty lines
lines() {
	local file
	for file; do
		gcc -fpreprocessed -dD -E -P "$file"
	done | grep -c '[^[:space:]]'
}

# says DOCUMENT TEXT: the document has this text, whatever its line breaks
says() {
	echo "$1 does not say: $2" >"$work/out"
	tr -s ' \n' '  ' <"$1" | grep -qF -- "$2"
}

echo "TAP version 13"
wq=$(lines $servers/wq_server/*.[ch])
softirq=$(lines $servers/softirq_server/*.[ch])
says $page "* - lines of C - $wq - $softirq "
result $? "vrb-servers.rst: the servers have $wq and $softirq lines"
says $page "\`\`ib_softirq_server\`\` has $((softirq - wq)) more lines."
result $? "vrb-servers.rst: one has $((softirq - wq)) lines more"
table=$(lines $servers/conn_table.h)
says $page "\`\`conn_table.h\`\` ($table lines)"
result $? "vrb-servers.rst: what they share has $table lines"
# shellcheck disable=SC2016 # the text of host.sh
space=$(sed -n 's/.*need_space "$CACHE" \([0-9]*\)$/\1/p' tools/testing/vm/lib/host.sh)
for document in README.md Documentation/tutorial.rst Documentation/bench.rst; do
	[ -n "$space" ] && says $document "$space MiB"
	result $? "$document: the first use needs $space MiB of free space"
done
echo "1..$number"
[ "$failed" = 0 ]
