#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --driver none --hcas 0 --modules vrb_mock --expect-complaint ODEBUG --expect-complaint debug_print
# Kernels: debug
# Level: all
#
# Tests that the debug objects warn once if the memory of a request is freed while the engine owns
# it, and that the warning names the callback.

. "$(dirname "$0")/lib.sh"

warnings() {
	dmesg | grep 'ODEBUG: '
}

setup misuse
echo "1..1"
run_one misuse_free_of_a_queued_request
[ "$(warnings | wc -l)" = 1 ] || result=fail
warnings | grep -q 'free active .* type: vrb hint: freed_done' || result=fail
report misuse_free_of_a_queued_request "$result"
exit "$status"
