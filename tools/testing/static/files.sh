# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
# shellcheck shell=bash
#
# Lists the files of the tree by kind, for the static checks. The names are relative to the tree.

# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/../vm/lib/all.sh"
set +e
cd "$TREE" || exit 1

# tree_files PATTERN...: lists files that are tracked, or new and not ignored
tree_files() {
	git -c safe.directory="$TREE" ls-files --cached --others --exclude-standard -- "$@" |
		while read -r file; do
			[ ! -f "$file" ] || echo "$file"
		done | sort -u
}

# Folders whose C is built by Kbuild.
kernel_dirs() {
	tree_files drivers/\* include/\* | xargs -r -n1 dirname | sort -u
	tree_files \*/Kbuild | xargs -r -n1 dirname
}

# Planted mistakes, which a check must find, break rules on purpose.
all_c() {
	tree_files '*.c' '*.h' | grep -v '/fixtures/'
}

kernel_c() {
	local dirs
	dirs=$(kernel_dirs | sort -u)
	all_c | awk -v dirs="$dirs" \
		'BEGIN { n = split(dirs, d, "\n"); for (i = 1; i <= n; i++) k[d[i]] }
		{ dir = $0; sub("/[^/]*$", "", dir); if (dir in k) print }'
}

user_c() {
	all_c | grep -vxFf <(kernel_c)
}

scripts() {
	local file
	tree_files | while read -r file; do
		! head -c 64 "$file" 2>/dev/null | head -n 1 | tr -d '\0' |
			grep -qE '^#! ?/bin/(ba)?sh|^# SPDX.*' || echo "$file"
	done | while read -r file; do
		# A script, or a sourced part that declares its shell.
		if head -n 1 "$file" | grep -qE '^#! ?/bin/(ba)?sh' || sed -n 2p "$file" |
			grep -q '^# shellcheck shell='; then
			echo "$file"
		fi
	done
}

number=0

# result STATUS TEXT [OUTPUT]
result() {
	local output=${3:-}
	number=$((number + 1))
	if [ "$1" = 0 ]; then
		echo "ok $number $2"
	else
		printf "# %s\n" "${output//$'\n'/$'\n'# }" | head -n 60
		echo "not ok $number $2"
		static_failed=1
	fi
}

# finish: the plan, and the exit status
finish() {
	if [ "$number" = 0 ]; then
		echo "1..0 # SKIP the tree has no such file"
		exit 4
	fi
	echo "1..$number"
	exit "${static_failed:-0}"
}
