#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: host
# Level: ci
# Timeout: 600
#
# Checks the user-space C with clang-format. "format.sh --fix [FILE...]" changes the files instead.

. "$(dirname "$0")/files.sh"

mapfile -t format < <(root_program "$(lint_root)" /usr/bin/clang-format)
if [ "${1:-}" = --fix ]; then
	shift
	[ $# != 0 ] || mapfile -t files < <(user_c)
	exec "${format[@]}" -i "$@" "${files[@]}"
fi
echo "TAP version 13"
while read -r file; do
	output=$("${format[@]}" "$file" | diff -u "$file" - | tail -n +3)
	[ -z "$output" ]
	result $? "$file" "$output"
done < <(user_c)
finish
