#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# memory.sh MANY...: runs memory_user, and sets how long a command takes when the program asks for
# it. memory.py reads the output.

# shellcheck source=SCRIPTDIR/counts.bash
. "$(dirname "$0")/counts.bash"

# The subnet manager would allocate and free memory. The port stays active without it.
sm_stop
[ -e /sys/kernel/tracing/trace ] || mount -t tracefs none /sys/kernel/tracing
echo 16384 >/sys/kernel/tracing/buffer_size_kb
ulimit -l unlimited
coproc "$TREE/build/bench/programs/memory_user" "$@"
pid=$COPROC_PID
exec 3<&"${COPROC[0]}" 4>&"${COPROC[1]}"
while read -r line <&3; do
	case $line in
	slow) model_set 0 latency 5ms ;;
	fast) model_set 0 latency 1us ;;
	*)
		echo "$line"
		continue
		;;
	esac
	echo >&4
done
wait "$pid"
