#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: host
# Level: all
# Timeout: 1800
#
# Runs the HCA model's unit tests with AddressSanitizer and UBSan.

cd "$(dirname "$0")/../../../.." || exit 1
mkdir -p build/hca-check
exec make -s -C tools/testing/hca check-asan OUTPUT="$PWD/build/hca-check"
