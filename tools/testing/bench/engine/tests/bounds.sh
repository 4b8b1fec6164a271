#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: host
# Level: ci
# Timeout: 600
#
# Tests that a request takes no more guest instructions than section "Bounds" of
# Documentation/vrb-contract.rst allows. Prints TAP. By hand: run this script.

exec "$(dirname "$0")/../cost" --bounds
