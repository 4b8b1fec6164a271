# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
# shellcheck shell=bash
#
# The messages that opensm may write to its log.

# On a machine so busy that opensm answers later than the 300 ms after which the kernel asks again,
# it has two of a request: the second leave of a group names no member any more (1B25), and ib_umad
# refuses the second of two equal answers (5430, which 4C04 follows).
ASKED_TWICE='ERR 1B25: .* delete request|ERR 4C04: '
ASKED_TWICE+='|ERR 5430: .* Method 0x[89][0-9a-f], .*Invalid argument'

# opensm_has_no_error: in any of its logs, but for those. What is no error it may write when it
# ends.
opensm_has_no_error() {
	if cat /results/opensm-*.log | grep -E ' ERR |ERRORS' | grep -vE "$ASKED_TWICE"; then
		fail "unexpected: the lines above"
	fi
	prints ls /results/opensm-*.log
}
