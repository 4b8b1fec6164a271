#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: host
# Timeout: 1800
#
# Runs the HCA model's unit tests.

cd "$(dirname "$0")/../../../.." || exit 1
mkdir -p build/hca-check
exec make -s -C tools/testing/hca check OUTPUT="$PWD/build/hca-check"
