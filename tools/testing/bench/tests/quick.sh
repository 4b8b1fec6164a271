#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: host
# Level: all
# Timeout: 5400
#
# Tests that the cost of the drivers has not changed: the exact counts of the quick set, the ratio
# of ib_tavor's instructions to those of ib_mthca in the same run, and the instructions of the
# request engine. The expected values and their tolerances are in expected.csv, which
# "tools/testing/bench/run quick --record" writes. Prints TAP. By hand: run this script.

exec "$(dirname "$0")/../run" quick --compare
