# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
# shellcheck shell=bash
#
# Runs groups of tests, several at a time, and shows their results group by group, live for the
# first unfinished one. The files of group N in $WORK are N.tests and N.what (see tests.sh), N.out
# and N.err while it runs, and N.status when it has ended.

# group_command N: sets command to the command that runs the group
group_command() {
	local line options opts args=() limit name runs timeout program
	while IFS='|' read -r name runs _ timeout program _; do
		[[ $runs == guest* ]] || program=$(command_of "$runs" "$program")
		args+=("$name:${timeout:-900}:$program")
	done <"$WORK/$1.tests"
	IFS='|' read -r line _ options <"$WORK/$1.what"
	if [ "$line" = host ]; then
		command=("$VM_DIR/guest/batch" "${args[@]}")
	else
		mapfile -t opts < <(xargs -r -n1 printf '%s\n' <<<"$options")
		# Each test has its own time limit. The guest's catches what is no test's fault.
		limit=$(awk -F'|' '{ sum += $4 ? $4 : 900 } END { print sum + 300 }' \
			"$WORK/$1.tests")
		command=("$VM_DIR/run" --kernel "$line" --timeout "$limit" "${opts[@]}" --
			tools/testing/vm/guest/batch "${args[@]}")
	fi
}

# group_run N: runs as its own process, which ends what it started when it receives a signal
group_run() {
	local command child status=0
	group_command "$1"
	SECONDS=0
	"${command[@]}" >"$WORK/$1.out" 2>"$WORK/$1.err" </dev/null &
	child=$!
	trap 'kill "$child" 2>/dev/null || :; wait "$child" || :; exit 143' TERM
	wait "$child" || status=$?
	echo "$SECONDS" >"$WORK/$1.took"
	echo "$status" >"$WORK/$1.status.new"
	mv "$WORK/$1.status.new" "$WORK/$1.status"
}

# schedule COUNT JOBS: runs all groups, JOBS at a time
schedule() {
	local i
	trap 'kill $(jobs -p) 2>/dev/null || :; wait || :; exit 143' TERM
	for ((i = 0; i < $1; i++)); do
		while [ "$(jobs -rp | wc -l)" -ge "$2" ]; do
			wait -n || :
		done
		group_run "$i" &
	done
	wait
}

# follow N: prints the output of the group as it comes, until the group has ended
# shellcheck disable=SC2154 # check sets scheduler
follow() {
	local ended=
	while [ ! -e "$WORK/$1.out" ]; do
		sleep 0.1
	done
	exec 5<"$WORK/$1.out"
	while [ -z "$ended" ]; do
		[ ! -e "$WORK/$1.status" ] || ended=1
		cat <&5
		[ -n "$ended" ] || { kill -0 "$scheduler" && sleep 0.2; } 2>/dev/null || break
	done
	exec 5<&-
}

# tap_live OPTION...: runs tap.awk on live results; Debian's mawk by default waits for a full block
# of input
tap_live() {
	local live=()
	! awk -W version 2>&1 </dev/null | grep -q ^mawk || live=(-W interactive)
	awk "${live[@]}" "$@" -f "$VM_DIR/lib/tap.awk"
}

# show_group N: shows its results, and for a guest a result about the run itself
show_group() {
	local line text names what p f s
	IFS='|' read -r line text _ <"$WORK/$1.what"
	names=$(cut -d'|' -f1 "$WORK/$1.tests" | tr '\n' ' ')
	what="guest, kernel $line$text"
	[ "$line" != host ] || what="on the host"
	echo "# $what: $names"
	# In the background, since a signal interrupts only "wait".
	follow "$1" | tap_live -v first="$next" -v expect="$names" -v totals="$WORK/totals" |
		tee -a "$WORK/tap" &
	wait $!
	read -r p f s next <"$WORK/totals"
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
	sed 's/^/# /' "$WORK/$1.err"
	echo "# took $(<"$WORK/$1.took") s"
	[ "$line" != host ] || return 0
	if [ "$(cat "$WORK/$1.status")" = 0 ]; then
		one 0 "$what: came up, no complaint, no violation, went down"
	else
		one 1 "$what: $(tail -n 1 "$WORK/$1.err" | sed -E 's/^vm: (FAILED: )?//')"
	fi
}
