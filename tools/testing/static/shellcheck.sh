#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: host
# Level: ci
# Timeout: 600
#
# Runs shellcheck on every script.

. "$(dirname "$0")/files.sh"

mapfile -t shellcheck < <(root_program "$(lint_root)" /usr/bin/shellcheck)
echo "TAP version 13"
while read -r file; do
	output=$("${shellcheck[@]}" -x "$file" 2>&1)
	result $? "$file" "$output"
done < <(scripts)
finish
