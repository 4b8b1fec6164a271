#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: host
# Level: all
# Timeout: 1800
#
# The libFuzzer targets of the HCA model, a fixed number of executions with a fixed seed.

cd "$(dirname "$0")/../../../.." || exit 1
command -v clang >/dev/null || { echo "1..0 # SKIP libFuzzer comes with clang, which is not installed"; exit 4; }
mkdir -p build/hca-check
exec make -s -C tools/testing/hca fuzz OUTPUT="$PWD/build/hca-check"
