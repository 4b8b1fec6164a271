#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --driver none --hcas 0 --modules "ib_vrb vrb_mock"
# Kernels: 6.12
# Timeout: 900
# Level: all
#
# Tests the rules of the request engine with delays at the places of possible races.
# Usage: rules_delayed.sh [NAME...]

. "$(dirname "$0")/lib.sh"
delayed
run_tests rules "$@"
