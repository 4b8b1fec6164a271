#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: host
# Level: all
# Timeout: 5400
#
# Two guests with ib_tavor joined by a cable.
# By hand: run this script.

SERVER_DRIVER=tavor
CLIENT_DRIVER=tavor
SERVER_CABLE=0.1-@
# shellcheck source=SCRIPTDIR/two_guests.bash
. "$(dirname "$0")/two_guests.bash"
