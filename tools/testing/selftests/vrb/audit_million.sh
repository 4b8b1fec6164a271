#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --driver none --hcas 0 --modules "ib_vrb vrb_mock"
# Timeout: 3600
# Guest: own
# Level: all
#
# Runs the audit of "exactly once" (audit.sh) with a million requests. "make audit" submits ten
# million.

exec "$(dirname "$0")/audit.sh" 200000 1 2 3 4 5
