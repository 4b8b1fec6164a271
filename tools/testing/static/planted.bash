# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
# shellcheck shell=bash
#
# For the tests of static checks, which plant mistakes in their own tree. The test sets the tree
# ($tree) and the command to run there ($check), and defines how the tree is created (fresh).

# shellcheck source=SCRIPTDIR/../vm/lib/try.bash
. "$(dirname "${BASH_SOURCE[0]}")/../vm/lib/try.bash"

# judged TEXT LINE: the check prints this line and has one result that is "not ok"; for the line
# "ok", all results are. Afterwards the tree is created anew.
judged() {
	local status=0
	# shellcheck disable=SC2154 # the test's
	"$tree/$check" >"$work/out" 2>"$work/err" || status=$?
	if [ "$2" = ok ]; then
		[ "$status" = 0 ]
	else
		[ "$status" = 1 ] && grep -qxF "# $2" "$work/out" &&
			[ "$(grep -c '^not ok' "$work/out")" = 1 ]
	fi
	result $? "$1"
	fresh
}
