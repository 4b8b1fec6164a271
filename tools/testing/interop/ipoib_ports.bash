# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
# shellcheck shell=bash
#
# IPoIB between the two ports of one HCA.

# shellcheck source=SCRIPTDIR/ipoib_pair.bash
. "$(dirname "${BASH_SOURCE[0]}")/ipoib_pair.bash"

# interface PORT: the IPoIB interface of a port
interface() {
	local dir
	for dir in /sys/class/net/*; do
		[ "$(cat "$dir/type")" = 32 ] && [ "$(cat "$dir/dev_port")" = $(($1 - 1)) ] &&
			basename "$dir"
	done
	return 0
}

set_up() {
	! paired || return 0
	modprobe ib_ipoib
	until_true 20 prints interface 2
	pair_up "$(interface 1)" "$(interface 2)"
}
