# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
# shellcheck shell=bash
#
# For scenarios in the guest: prints what the model counted during an operation, as lines "COUNT
# case|metric|number".

# The device recovers by itself as often as it does by default.
RECOVERIES=${RECOVERIES:-3}
# shellcheck source=SCRIPTDIR/../../selftests/tavor/faults.bash
. "$(dirname "${BASH_SOURCE[0]}")/../../selftests/tavor/faults.bash"
TEST_DIR=$(mktemp -d)
set -e

report() {
	echo "COUNT $1|$2|$3"
}

stats() {
	model '{"cmd":"stats","hca":0}'
}

# in_stats PART FILE: prints the lines "NAME NUMBER" of one object in the stats
in_stats() {
	sed -E "s/.*\"$1\":\\{([^}]*)\\}.*/\\1/" "$2" | tr ',' '\n' |
		sed -nE 's/^"([A-Za-z0-9_ -]+)":([0-9]+)$/\1 \2/p'
}

# difference PART: prints what grew between before and after
difference() {
	awk 'NR == FNR { old[$1] = $2; next } $2 > old[$1] { print $1, $2 - old[$1] }' \
		<(in_stats "$1" "$TEST_DIR/before") <(in_stats "$1" "$TEST_DIR/after")
}

# counted CASE COMMAND...: reports commands by name, their sum, interrupts and doorbells of the
# command
counted() {
	local case=$1 name n sum=0
	shift
	stats >"$TEST_DIR/before"
	"$@"
	stats >"$TEST_DIR/after"
	while read -r name n; do
		report "$case" "$name" "$n"
		sum=$((sum + n))
	done < <(difference executed)
	report "$case" "commands, all" "$sum"
	while read -r name n; do
		report "$case" "$name" "$n"
	done < <(difference counters | grep -E '^(msi|msix|intx|db_)')
}
