#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --driver tavor --sm --modules vrb_audit
# Timeout: 3600
# Guest: own
# Level: all
#
# Runs the audit of "exactly once" (audit.sh) with 20 failures of the device, and with 7000 requests
# in each round without a failure. By hand:
#   tools/testing/vm/run --driver tavor --sm --modules vrb_audit -- \
#     tools/testing/selftests/tavor/audit_resets.sh

exec env ROUNDS=20 REQUESTS=7000 "$(dirname "$0")/audit.sh" "$@"
