# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
# shellcheck shell=bash
#
# For the scripts of this folder, which judge the model's ports, cables and switch with the distribution's
# driver, opensm and infiniband-diags.

# shellcheck source=SCRIPTDIR/../../selftests/tavor/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../selftests/tavor/lib.sh"
# shellcheck source=SCRIPTDIR/../../selftests/tavor/diags_opensm.bash
. "$(dirname "${BASH_SOURCE[0]}")/../../selftests/tavor/diags_opensm.bash"

# hca N: the name of the first, second ... RDMA device
hca() {
	rdma_devices | sed -n "$1p" | grep . || fail "there is no RDMA device $1"
}

# port_is STATE PORT DEVICE
port_is() {
	port_file "$2" state "$3" | grep -q "$1"
}

# query PATTERN COMMAND...: the command succeeds and prints a line that matches
query() {
	local pattern=$1
	shift
	"$@" >"$TEST_DIR/query" || { cat "$TEST_DIR/query"; fail "status $?: $*"; }
	cat "$TEST_DIR/query"
	grep -qE -- "$pattern" "$TEST_DIR/query" || fail "no line matches '$pattern': $*"
}

# matches PATTERN: so does another line of the same output
matches() {
	grep -qE -- "$1" "$TEST_DIR/query" || fail "no line matches '$1'"
}

# refused PATTERN COMMAND...: it fails, and says why
refused() {
	local pattern=$1
	shift
	! "$@" >"$TEST_DIR/query" 2>&1 || { cat "$TEST_DIR/query"; fail "succeeded: $*"; }
	matches "$pattern"
}

# port_guid PORT DEVICE: the lower half of its GID
port_guid() {
	echo "0x$(port_file "$1" gids/0 "$2" | cut -d: -f5- | tr -d :)"
}
