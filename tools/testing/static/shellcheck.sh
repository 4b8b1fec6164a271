#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: host
# Level: ci
# Timeout: 600
#
# Runs shellcheck on every script. One call for all of them takes half as long as a call for each.

. "$(dirname "$0")/files.sh"

mapfile -t shellcheck < <(root_program "$(lint_root)" /usr/bin/shellcheck)
mapfile -t files < <(scripts)
[ ${#files[@]} != 0 ] || finish
echo "TAP version 13"
output=$("${shellcheck[@]}" -x -f gcc "${files[@]}" 2>&1)
status=$?
for file in "${files[@]}"; do
	found=$(awk -v file="$file:" 'index($0, file) == 1' <<<"$output")
	[ -z "$found" ]
	result $? "$file" "$found"
done
# 1: there are results; anything else is a failure of shellcheck itself
[ "$status" -le 1 ]
result $? "shellcheck has read every script" "$output"
finish
