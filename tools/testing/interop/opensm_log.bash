# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
# shellcheck shell=bash
#
# The errors that opensm may write to its log.

# The kernel repeats a request after 300 ms. On a busy machine opensm may answer later and then sees
# the request twice: the second leave of a group no longer finds the member (1B25), and ib_umad
# refuses the second of two equal answers (5430, followed by 4C04).
ASKED_TWICE='ERR 1B25: .* delete request|ERR 4C04: '
ASKED_TWICE+='|ERR 5430: .* Method 0x[89][0-9a-f], .*Invalid argument'

# opensm_has_no_error: no log of opensm has an error other than these. opensm may write other
# messages only when it ends.
opensm_has_no_error() {
	if cat /results/opensm-*.log | grep -E ' ERR |ERRORS' | grep -vE "$ASKED_TWICE"; then
		fail "unexpected: the lines above"
	fi
	prints ls /results/opensm-*.log
}
