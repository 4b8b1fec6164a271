#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# exit.sh ROUNDS QPS CQS MRS: kills a process that has these numbers of objects, while each command
# takes 10 ms. exit.py reads its output.

# shellcheck source=SCRIPTDIR/counts.bash
. "$(dirname "$0")/counts.bash"

ready() {
	grep -qx ready "$TEST_DIR/out"
}

end() {
	local began
	began=$(date +%s%N)
	kill -KILL "$pid"
	wait "$pid" 2>/dev/null || :
	took=$(($(date +%s%N) - began))
}

rounds=$1
shift
ulimit -l unlimited
for ((round = 0; round < rounds; round++)); do
	model_set 0 latency 10us
	: >"$TEST_DIR/out"
	"$TREE/build/bench/programs/holds" "$@" >"$TEST_DIR/out" &
	pid=$!
	until_true 300 ready
	model_set 0 latency 10ms
	counted "exit of a process" end
	report "exit of a process" seconds "$(awk -v t="$took" 'BEGIN { printf "%.3f", t / 1e9 }')"
	stats >"$TEST_DIR/stats"
done
