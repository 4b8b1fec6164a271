#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: host
# Level: ci
# Timeout: 600
#
# What a request may cost in guest instructions: section "Bounds" of
# Documentation/vrb-contract.rst. Prints TAP. By hand: run this script.

exec "$(dirname "$0")/../cost" --bounds
