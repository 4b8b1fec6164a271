#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: host
# Level: all
# Timeout: 5400
#
# What the drivers cost is what it was: of the quick set, exact counts, and ib_tavor's instructions
# as a ratio to those of ib_mthca in the same run. What is expected is expected.csv, which
# "tools/testing/bench/run quick --record" writes. Prints TAP. By hand: run this script.

exec "$(dirname "$0")/../run" quick --compare
