#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --driver tavor --sm --modules vrb_guide
# Level: ci
# Timeout: 180
# Runs: guest --driver mthca --sm --modules vrb_guide
# Level: all
# Timeout: 180
#
# Tests the example of Documentation/vrb-client.rst for a client of any device: with requests on
# ib_tavor, and with the verbs of ib_core on ib_mthca, which does not support requests. By hand,
# with either driver:
#   tools/testing/vm/run --driver mthca --sm --modules vrb_guide -- \
#	tools/testing/selftests/vrb/guide_fallback.sh

example=vrb_guide_fallback
# shellcheck source=SCRIPTDIR/guide.bash
. "$(dirname "$0")/guide.bash"

# The client is unloaded while it may be anywhere.
unloaded_at_once() {
	local try
	for try in {1..5}; do
		begin && rmmod "$example" || return 1
		! stage connected || stage gone || return 1
		nothing_left_by || return 1
	done
}

echo "TAP version 13"
case $DRIVER in
tavor) way="requests: " ;;
*) way="sleeping verbs: " ;;
esac
echo "1..4"
stages connected written gone
verdict "the client can be unloaded at once, and leaves nothing" unloaded_at_once
exit "$status"
