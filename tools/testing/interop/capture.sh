#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Timeout: 300
# Runs: host DRIVER=mthca
# Runs: host DRIVER=tavor
# Level: ci
#
# Tests that tshark decodes the packets of a driver without a complaint. By hand:
#   DRIVER=tavor tools/testing/interop/capture.sh

# shellcheck source=SCRIPTDIR/capture.bash
. "$(dirname "$0")/capture.bash"

echo "TAP version 13"
sent_by some_of_everything.bash
sent_management_and_sends
finish
