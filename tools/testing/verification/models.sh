#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: host BOUNDS=Small
# As: small
# Timeout: 900
# Runs: host BOUNDS=Large
# As: large
# Level: all
# Timeout: 7200
#
# Tests models of the engine with spin, to the end of their state spaces; see
# Documentation/vrb-verification.rst. Each model must hold, and each deliberate mistake in it must
# be found. By hand: models.sh [MODEL...], with BOUNDS=Large for larger bounds.

# shellcheck source=SCRIPTDIR/../vm/lib/all.sh
. "$(dirname "$0")/../vm/lib/all.sh"

HERE=$(cd "$(dirname "$0")" && pwd)
BOUNDS=${BOUNDS:-Small}
DEPTH=1000000
export OPTIMIZE=-O0
[ "$BOUNDS" = Small ] || OPTIMIZE="-O2 -DCOLLAPSE"
number=0
failed=0

# result STATUS TEXT [SKIP]
result() {
	number=$((number + 1))
	if [ "$1" = 0 ]; then
		echo "ok $number $2${3:+ # SKIP $3}"
	else
		echo "not ok $number $2"
		failed=1
	fi
}

# bounds MODEL KIND: prints the options of that kind in the model's head, a line each
bounds() {
	sed -n "s/^ \* $2: //p" "$1"
}

# mistakes MODEL
mistakes() {
	grep -o '\<MISTAKE_[A-Z0-9_]*' "$1" | sort -u
}

# with_spin COMMAND: runs it on the host, or in the bench's own root
with_spin() {
	if [ -z "$spin" ]; then
		"$@"
	else
		in_root "$spin" --bind "$HERE" --bind "$WORK" --cwd "$WORK" -- "$@"
	fi
}

# check MODEL OPTION...: writes the checker's output to $WORK/log; fails if it can't be run
check() {
	# shellcheck disable=SC2016 # expanded inside
	with_spin /bin/sh -c 'rm -f pan* *.trail && spin -a "$@" &&
		gcc $OPTIMIZE -DSAFETY -DNOCLAIM -DNOFAIR -w -o pan pan.c &&
		nice ./pan -m'"$DEPTH"'' \
		sh "${@:2}" "$1" >"$WORK/log" 2>&1
}

# whole: the search was complete, within its depth and memory
whole() {
	! grep -qE 'max search depth too small|Search not completed|out of memory' "$WORK/log"
}

# trace MODEL OPTION...: prints the steps that lead to the error
trace() {
	cp -- *.trail "${1##*/}.trail" 2>/dev/null || :
	with_spin spin -t -p "${@:2}" "$1" 2>&1 | sed 's/^/# /'
}

holds() {
	local model=$1 text
	shift
	text="${model##*/}: holds with $*"
	if ! check "$model" "$@"; then
		sed 's/^/# /' "$WORK/log"
		result 1 "$text"
	elif whole && grep -q 'errors: 0$' "$WORK/log"; then
		echo "# $(grep -o '[0-9.e+]* states, stored' "$WORK/log"), depth" \
			"$(grep -o 'depth reached [0-9]*' "$WORK/log" | grep -o '[0-9]*$')"
		result 0 "$text"
	else
		grep -E '^pan|errors:|depth|memory' "$WORK/log" | sed 's/^/# /'
		trace "$model" "$@"
		result 1 "$text"
	fi
}

finds() {
	local model=$1 mistake=$2 text
	shift 2
	text="${model##*/}: $mistake is found"
	if check "$model" "-D$mistake" "$@" && grep -q 'errors: [1-9]' "$WORK/log"; then
		grep -m 1 '^pan:1:' "$WORK/log" | sed 's/^pan:1/# /'
		result 0 "$text"
	else
		grep -E '^pan|errors:|rror' "$WORK/log" | sed 's/^/# /'
		result 1 "$text"
	fi
}

one_model() {
	local model=$1 line mistake
	local -a options
	while read -r line; do
		read -ra options <<<"$line"
		holds "$model" "${options[@]}"
	done < <(bounds "$model" "$BOUNDS")
	[ "$BOUNDS" = Small ] || return 0
	for mistake in $(mistakes "$model"); do
		line=$(bounds "$model" "$mistake")
		read -ra options <<<"${line:-$(bounds "$model" Mistakes)}"
		finds "$model" "$mistake" "${options[@]}"
	done
}

models=("$@")
[ ${#models[@]} != 0 ] || models=("$HERE"/*.pml)
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
cd "$WORK" || exit 1
echo "TAP version 13"
spin=
if ! command -v spin >/dev/null || ! command -v gcc >/dev/null; then
	if ! spin=$(host_ready >&2 && spin_root); then
		echo "1..0 # SKIP there is no spin or no compiler, and no root of them can be made"
		exit 4
	fi
fi
for model in "${models[@]}"; do
	[[ $model = */* ]] || model=$HERE/${model%.pml}.pml
	one_model "$model"
done
echo "1..$number"
exit "$failed"
