#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --driver tavor --sm
# Timeout: 900
# Level: ci
#
# Runs comp_eqs.c: the event queues for completions have room for everything that the device's CQs
# can write at once, and there are no more CQs than that. By hand:
#   tools/testing/vm/run --driver tavor --sm -- tools/testing/selftests/tavor/comp_eqs.sh

# shellcheck source=SCRIPTDIR/faults.bash
. "$(dirname "$0")/faults.bash"

strict
sm_around reload num_cq=1024
# It would cause commands and completions of its own.
sm_away
trap 'reload; sm_restart; until_true 60 any_port_active' EXIT
"${TEST_BIN:-$TREE/build/guest/tavor}/comp_eqs"
