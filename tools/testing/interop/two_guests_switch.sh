#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: host
# Level: all
# Timeout: 5400
#
# ib_mthca and ib_tavor in two guests, joined by a switch in the server's model.
# By hand: run this script.

SERVER_DRIVER=mthca
CLIENT_DRIVER=tavor
SERVER_CABLE=0.1-s0.1,0.2-s0.2,s0.8-@
# shellcheck source=SCRIPTDIR/two_guests.bash
. "$(dirname "$0")/two_guests.bash"
