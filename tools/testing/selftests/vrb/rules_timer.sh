#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --driver none --hcas 0 --modules "ib_vrb vrb_mock"
# Kernels: 6.12 7 debug 6.12-rt 7-rt
# Timeout: 600
# Level: all
#
# Tests the rules of the request engine when a timer runs its pump, as on kernels where irq_poll may
# run twice at a time.
# Usage: rules_timer.sh [NAME...]

. "$(dirname "$0")/lib.sh"
timed
run_tests rules "$@"
