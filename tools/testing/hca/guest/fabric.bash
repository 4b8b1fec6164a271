# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
# shellcheck shell=bash
#
# For the scripts of this folder, which judge the model's ports, cables and switch with the distribution's
# driver, opensm and infiniband-diags.

# shellcheck source=SCRIPTDIR/../../selftests/tavor/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../selftests/tavor/lib.sh"

# model JSON: one request on the model's control socket; prints the reply
model() {
	local reply
	stty -F /dev/ttyS1 raw -echo
	exec 9<>/dev/ttyS1
	echo "$1" >&9
	read -r -t 20 reply <&9 || fail "the model does not answer: $1"
	exec 9>&-
	echo "$reply"
}

# model_set HCA KEY VALUE
model_set() {
	model "{\"cmd\":\"set\",\"hca\":$1,\"key\":\"$2\",\"value\":\"$3\"}" | grep -q '"ok":true' ||
		fail "the model refuses $2=$3"
}

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
