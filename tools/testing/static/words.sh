#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: host
#
# Checks that the tree has no text that is not allowed. By hand: run this script.

cd "$(dirname "$0")/../../.." || exit 1
number=0
failed=0

# The tree may belong to another user.
git() {
	command git -c safe.directory="$PWD" "$@"
}

# none TEXT PATTERN PATH...: no line of these files matches; an empty pattern is skipped
none() {
	local text=$1 pattern=$2 status=0 out
	shift 2
	number=$((number + 1))
	if [ -z "$pattern" ]; then
		echo "ok $number $text # SKIP nothing to look for"
		return
	fi
	out=$(git grep -nIE -e "$pattern" -- "$@" ':!tools/testing/static/words.sh' 2>&1) ||
		status=$?
	# A status above 1 is an error of git itself.
	if [ "$status" != 1 ]; then
		head -n 20 <<<"$out" | cut -c1-160 | sed 's/^/# /'
		echo "not ok $number $text"
		failed=1
	else
		echo "ok $number $text"
	fi
}

# The first two lines have the licence, as the kernel's Documentation/process/license-rules.rst
# requires.
without_licence() {
	git ls-files -- '*.c' '*.h' '*.py' '*.sh' '*.bash' '*.def' '*.rst' '*Makefile' '*Kbuild' |
		while read -r file; do
			# A file that a commit in progress has not written yet, or that was removed,
			# is skipped.
			[ -s "$file" ] || continue
			head -n 2 "$file" | grep -q 'SPDX-License-Identifier: ' || echo "$file"
		done
}

# The tree's parent and the home folder, unless they are too general to look for.
places() {
	local dir
	for dir in "$(dirname "$PWD")" "${HOME:-/root}"; do
		case $dir in
		/ | /tmp | /var/tmp | "${TMPDIR:-/tmp}") ;;
		*) sed 's/[][\.*^$+?(){}|]/\\&/g; s/$/\//' <<<"$dir" ;;
		esac
	done | paste -sd'|'
}

hosts() {
	# shellcheck disable=SC2016 # apt's own variable
	apt-get indextargets --format '$(REPO_URI)' 2>/dev/null |
		sed -E 's#^[a-z]+://([^/:]+).*#\1#' |
		sort -u | sed 's/\./\\./g' | paste -sd'|'
}

git rev-parse --git-dir >/dev/null 2>&1 || { echo "1..0 # SKIP not a git tree"; exit 4; }
echo "TAP version 13"
none "nothing is left to do: no line has such a mark" '\b(TO[D]O|FIX[M]E|XX[X]|HAC[K])\b' .
here=$(places)
none "no path of the machine it was written on" "${here:-a^}" .
mirror=$(hosts)
none "no name of a package archive's host" "$mirror" .
none "the modules have no BUG_ON" '\bBUG(_ON)?\(' drivers include
sleepers='queue_work|queue_delayed_work|schedule_delayed_work|alloc(_ordered)?_workqueue'
sleepers+='|INIT_DELAYED_WORK|kthread_run|kthread_create|tasklet_setup|DECLARE_TASKLET'
sleepers+='|down_interruptible|init_rwsem'
# wq_server works like existing users of verbs, so that others can be compared with it.
sleeps=':!drivers/infiniband/ulp/wq_server/*'
none "the modules have no work queue, thread, tasklet or semaphore" \
	"\\b($sleepers)\\b" \
	drivers include "$sleeps"
none "only recovery.c has a work item" \
	'\b(INIT_WORK|DECLARE_WORK|schedule_work)\b' drivers include \
	':!drivers/infiniband/hw/tavor/recovery.c' "$sleeps"
# vrb_wait_zero() sleeps until it is woken, and warns where that takes long.
none "the modules do not poll with long delays" \
	'\b(mdelay|schedule_timeout|msleep_interruptible)\b' drivers include \
	':!drivers/infiniband/vrb/vrb_time.c'
none "no white space at the end of a line" '[[:space:]]$' '*.c' '*.h' '*.py' '*.sh' '*.bash' \
	'*.rst' '*.def'
number=$((number + 1))
out=$(without_licence)
if [ -n "$out" ]; then
	printf '# %s\n' "${out//$'\n'/, }"
	echo "not ok $number every source file names its licence"
	failed=1
else
	echo "ok $number every source file names its licence"
fi
echo "1..$number"
exit "$failed"
