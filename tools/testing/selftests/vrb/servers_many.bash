# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
# shellcheck shell=bash
#
# Ten thousand connections to a server, SERVER of servers.bash.

# shellcheck source=SCRIPTDIR/servers.bash
. "$(dirname "${BASH_SOURCE[0]}")/servers.bash"

TEST_SECONDS=900

test_10000_connections_one_after_another() {
	connections 10000
}

test_10000_connections_256_at_a_time() {
	connections 10000 --at-a-time 256
}

[ $# != 0 ] ||
	set -- test_10000_connections_one_after_another test_10000_connections_256_at_a_time
run_tests "$@"
