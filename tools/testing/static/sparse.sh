#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: host
# Level: ci
# Timeout: 1800
#
# Compiles the modules with W=1 for both kernels, and with sparse and its endian checks if Debian's
# sparse understands the headers (6.12).

. "$(dirname "$0")/files.sh"

mapfile -t dirs < <(tree_files \*/Kbuild | grep -v /fixtures/ | xargs -r -n1 dirname)
[ ${#dirs[@]} != 0 ] || finish
echo "TAP version 13"
for line in $KERNEL_LINES; do
	output=$("$VM_DIR/kbuild" --strict --kernel "$line" "${dirs[@]}" 2>&1)
	result $? "modules for kernel $line" "$(grep -E -A3 'warning|error|Error' <<<"$output")"
done
finish
