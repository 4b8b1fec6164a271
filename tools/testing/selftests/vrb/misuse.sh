#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --driver none --hcas 0 --modules "ib_vrb vrb_mock" --expect-complaint "WARNING: .*vrb_"
# Kernels: 6.12
#
# What the request engine refuses with a warning in the kernel's log.
# Usage: misuse.sh [NAME...]

. "$(dirname "$0")/lib.sh"
run_tests misuse "$@"
