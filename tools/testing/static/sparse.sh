#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Timeout: 1800
# Runs: host
# As: 6.12
# Level: ci
# Runs: host
# As: 7
# Level: all
#
# Compiles the modules from scratch. With W=1 neither the compiler nor modpost prints a warning, nor
# does sparse with its endian checks if Debian's sparse understands the headers (6.12).

. "$(dirname "$0")/files.sh"

mapfile -t dirs < <(tree_files \*/Kbuild | grep -v /fixtures/ | xargs -r -n1 dirname)
[ ${#dirs[@]} != 0 ] || finish
echo "TAP version 13"
[ -z "${TEST_NAME:-}" ] || KERNEL_LINES=${TEST_NAME##*-}
for line in $KERNEL_LINES; do
	output=$("$VM_DIR/kbuild" --strict --kernel "$line" "${dirs[@]}" 2>&1)
	result $? "modules for kernel $line" "$(grep -E -A3 'warning|error|Error' <<<"$output")"
done
finish
