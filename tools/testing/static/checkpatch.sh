#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: host
# Level: ci
# Timeout: 900
#
# Runs checkpatch --strict, the kernel's own script, on the kernel code.

. "$(dirname "$0")/files.sh"

source=$(kernel_source) || exit 1
echo "TAP version 13"
while read -r file; do
	# The first two concern patches and Kconfig; the third recommends a function that 6.12
	# lacks.
	output=$(perl "$source/scripts/checkpatch.pl" --no-tree --strict --terse --quiet \
		--max-line-length=100 --no-summary --show-types \
		--ignore FILE_PATH_CHANGES,CONFIG_DESCRIPTION,ALLOC_WITH_SIZEOF -f "$file" 2>&1)
	result $? "$file" "$output"
done < <(kernel_c)
finish
