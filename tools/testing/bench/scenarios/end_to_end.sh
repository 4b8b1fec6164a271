#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# end_to_end.sh ROUNDS: runs the intervals of the kernel client, then those of the process.

# shellcheck source=SCRIPTDIR/../../vm/guest/functions
. /mnt/tree/tools/testing/vm/guest/functions
set -e
load_own verbs_control "times=$1"
/mnt/tree/build/bench/programs/verbs_user "$1"
