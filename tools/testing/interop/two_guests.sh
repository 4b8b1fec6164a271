#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: host
# Level: all
# Timeout: 5400
#
# Two guests with ib_mthca joined by a cable.
# By hand: run this script.

SERVER_DRIVER=mthca
CLIENT_DRIVER=mthca
SERVER_CABLE=0.1-@
# shellcheck source=SCRIPTDIR/two_guests.bash
. "$(dirname "$0")/two_guests.bash"
