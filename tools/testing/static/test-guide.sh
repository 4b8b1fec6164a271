#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: host
#
# Tests that guide.py finds what the client guide lacks, in a copy of the tree. By hand: run this
# script.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=SCRIPTDIR/planted.bash
. "$here/planted.bash"

tree=$work/tree
check=tools/testing/static/guide.py
page=$tree/Documentation/vrb-client.rst
examples=tools/testing/selftests/vrb/guide

# fresh: copies what the check reads
fresh() {
	rm -rf "$tree"
	mkdir -p "$tree/tools/testing/static" "$tree/$examples" "$tree/Documentation"
	cp "$here/../../../Documentation/vrb-client.rst" "$tree/Documentation"
	cp -r "$here/../../../include" "$tree"
	cp "$here/../../../$examples"/*.c "$tree/$examples"
	cp "$here/guide.py" "$tree/$check"
}

echo "TAP version 13"
fresh
judged "the tree as it is" ok
sed -i 's/^int vrb_wait(/int vrb_planted(struct vrb *vrb);\n&/' "$tree/include/rdma/vrb.h"
judged "a function" "vrb_planted() is not in the guide"
sed -i '/^static inline void vrb_prep_reset_qp(/s/vrb_prep_reset_qp/vrb_prep_planted/' \
	"$tree/include/rdma/vrb_verbs.h"
judged "a function of the header itself" "vrb_prep_planted() is not in the guide"
sed -i '/^   static void pool_query($/d' "$page"
judged "an example that is not shown" "vrb_prep_query_srq() is not in the guide"
sed -i 's/vrb_prep_query_srq(/vrb_prep_planted(/' "$tree/$examples/vrb_guide_srq.c"
judged "an example without the call" "vrb_prep_query_srq() is not in the guide"
printf 'struct vrb_planted {\n\tstruct vrb vrb;\n};\n' >>"$tree/include/rdma/vrb_verbs.h"
judged "a request" "struct vrb_planted is not in the guide"
cp "$tree/$examples/vrb_guide.c" "$tree/$examples/vrb_planted.c"
judged "a file of examples" "vrb_planted.c is not shown in the guide"
echo "1..$number"
exit "$failed"
