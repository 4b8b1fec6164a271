#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: host
# Timeout: 300
#
# What the model sends for ib_mthca is decoded by tshark without a complaint. By hand: run this script.

DRIVER=mthca
# shellcheck source=SCRIPTDIR/capture.bash
. "$(dirname "$0")/capture.bash"

echo "TAP version 13"
sent_by some_of_everything.bash
sent_management_and_sends
finish
