#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --driver none --hcas 0 --modules "ib_vrb vrb_mock"
# Kernels: 6.12 debug kcsan 6.12-rt 7-rt
# Timeout: 1200
#
# Tests the rules of the request engine in Documentation/vrb-contract.rst, on a provider without
# hardware.
# Usage: rules.sh [NAME...]

. "$(dirname "$0")/lib.sh"
run_tests rules "$@"
