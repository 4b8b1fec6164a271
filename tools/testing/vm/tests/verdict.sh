#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: host
#
# Tests how a run reports the records of the model: a violation is reported with its rule and with
# what would have been right. Needs no guest.

folder=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=SCRIPTDIR/../lib/try.bash
. "$folder/lib/try.bash"
# shellcheck source=SCRIPTDIR/../lib/all.sh
. "$folder/lib/all.sh"
set +e

violation='{"violation":"hcr-busy","hca":0,"time":1.25,"object":"HCR","detail":"0x1 {written}",'
violation+='"rule":"Not while GO is set (4.1).","right":"Wait for GO."}'
waived=${violation/violation/waived}
summary='{"summary":{"violations":1,"time":9.5,"hcas":[]}}'

# verdict TEXT WANTED LINE...: the verdict on a report with these lines
verdict() {
	printf '%s\n' "${@:3}" >"$work/report"
	model_verdict "$work/report" >"$work/out" 2>"$work/err"
	[ "$(<"$work/out")" = "$2" ] && [ ! -s "$work/err" ]
	result $? "$1"
}

echo "TAP version 13"
verdict "no violation is no reason to fail" "" "$waived" "$summary"
model_verdict "$work/none" >"$work/out" 2>"$work/err" && [ ! -s "$work/out" ]
result $? "a missing report is no reason to fail"
said="hcr-busy (HCA 0, HCR: 0x1 {written}). Rule: Not while GO is set (4.1). Right: Wait for GO."
verdict "a violation is reported with its rule and with what is right" \
	"1 violation of the hardware interface: $said" "$violation" "$summary"
verdict "of several violations, the first one is reported" \
	"2 violations of the hardware interface, first: $said" "$waived" "$violation" \
	"${violation/hcr-busy/other}" "$summary"
verdict "a line that the model did not finish is ignored" \
	"1 violation of the hardware interface: $said" "$violation" "${violation:0:40}"
echo "1..$number"
exit $((failed != 0))
