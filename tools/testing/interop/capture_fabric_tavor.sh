#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: host
# Level: all
# Timeout: 1800
#
# Two HCAs on a switch with ib_tavor: all transports and operations, IPoIB, the connection manager, what opensm
# and infiniband-diags ask; tshark decodes it without a complaint. By hand: run this script.

DRIVER=tavor
# shellcheck source=SCRIPTDIR/capture_fabric.bash
. "$(dirname "$0")/capture_fabric.bash"
