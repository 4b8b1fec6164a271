#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: host
#
# Tests that documented.py finds what is not documented in a copy of the tree. By hand: run this
# script.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=SCRIPTDIR/planted.bash
. "$here/planted.bash"

tree=$work/tree
check=tools/testing/static/documented.py

# fresh: copies what the check reads
fresh() {
	rm -rf "$tree"
	mkdir -p "$tree/tools/testing/static"
	cp -r "$here"/../../../{Documentation,drivers,include} "$tree"
	cp -r "$here/../hca" "$tree/tools/testing"
	cp "$here/documented.py" "$tree/$check"
}

echo "TAP version 13"
fresh
judged "the tree as it is" ok
echo 'module_param(planted, uint, 0444);' >>"$tree/drivers/infiniband/vrb/vrb_time.c"
judged "a parameter of the engine" "planted is not documented"
echo 'module_param_named(planted, one, bool, 0644);' >>"$tree/drivers/infiniband/hw/tavor/params.c"
judged "a parameter of the driver" "planted is not documented"
# shellcheck disable=SC2016 # what the document has around a name
sed -i '/``msi_x``/s/msi_x/msi_y/; s/``msi_x``/msi_x/' "$tree/Documentation/administration.rst"
judged "a parameter that is gone" "msi_y is documented, but not there"
sed -i 's/^\tOWN(cq_errors),/&\n\tOWN(planted),/' "$tree/drivers/infiniband/hw/tavor/stats.c"
judged "a counter of the driver" "planted is not documented"
sed -i 's/^\tPORT(lid_events),/&\n\tPORT(planted),/' "$tree/drivers/infiniband/hw/tavor/stats.c"
judged "a counter of a port" "planted is not documented"
sed -i '/debugfs_create_atomic_t("ring_pages",/s/ring_pages/planted/' \
	"$tree/drivers/infiniband/hw/tavor/debug.c"
judged "a number in debugfs" "planted is not documented"
sed -i '/ENGINE(undone)/d' "$tree/drivers/infiniband/hw/tavor/stats.c"
judged "a counter of the engine that the driver does not show" "undone is not shown"
sed -i 's/= "unsent"/= "planted"/' "$tree/drivers/infiniband/ulp/wq_server/wq_main.c"
judged "a counter of a server" "planted is not documented"
printf '\tcount(h, "planted");\n' >>"$tree/tools/testing/hca/device/cmd.c"
judged "a counter of the model" "planted is not documented"
printf '\tcount(h, planted);\n' >>"$tree/tools/testing/hca/device/cmd.c"
judged "a counter of the model without a literal name" \
	"what count(..., planted) counts in tools/testing/hca/device/cmd.c is not documented"
sed -i 's/"db_recv"/"planted"/' "$tree/tools/testing/hca/device/uar.c"
judged "a counter of the model in a table of names" "planted is not documented"
# shellcheck disable=SC2016 # the same
sed -i '/^\.\. begin counters ib_vrb/,/^\.\. end/s/``stray``/stray/' \
	"$tree/Documentation/administration.rst"
judged "a counter of the engine" "stray is not documented"
sed -i 's/^\(\.\. \(begin\|end\) counters\) ib_vrb$/\1 ib_vrb ib_other/' \
	"$tree/Documentation/administration.rst"
judged "a table of nothing" "there are no counters of ib_other"
echo "1..$number"
exit "$failed"
