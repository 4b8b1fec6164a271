#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: host
#
# Checks that each mutation of tools/testing/mutation still finds its text in the engine and its
# tests among the rule tests. Runs no mutation. By hand: run this script.

cd "$(dirname "$0")/../../.." || exit 1

echo "TAP version 13"
echo "1..1"
if tools/testing/mutation/run --check; then
	echo "ok 1 each mutation finds its text and its tests"
else
	echo "not ok 1 each mutation finds its text and its tests"
	exit 1
fi
