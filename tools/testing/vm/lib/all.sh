# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
# shellcheck shell=bash
#
# Sources all parts of the bench, for the scripts that need them all.

for part in common apt host toolbox roots kernels debugkernel cross modules model source \
	programs; do
	# shellcheck disable=SC1090
	. "$(dirname "${BASH_SOURCE[0]}")/$part.sh"
done
unset part
