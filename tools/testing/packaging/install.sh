#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: host
# Level: all
# Timeout: 7200
#
# Tests the packages in a fresh root of Debian 13 with the headers of the guests' kernels: DKMS
# builds the modules, also from the tree, and skips other kernels; an upgrade of all packages leaves
# nothing of the old version. A guest on this root then boots with udev and systemd (guest/boot).
# Another one passes its card to ib_tavor, and removes the packages (guest/use). DKMS compiles here
# and not in a guest, where emulation would make it take an hour.

# shellcheck source-path=SCRIPTDIR/../vm
. "$(dirname "$0")/../vm/lib/all.sh"
set +e
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/../vm/lib/try.bash"

# Debian's headers depend on pahole and these libraries; here the headers come from the cache, as
# files.
packages="dkms gcc gcc-14 make libc6-dev patch pahole libelf1t64 libssl3t64 libcjson1 python3
	openssl libibverbs-dev pkgconf driverctl udev systemd login passwd"
packages=${packages//[$'\n\t']/ }
root=$BUILD/packaging/root
names="ib-vrb-dkms libvrbq1 libvrbq-dev vrb-tools tavor-hca-model"
# Kernels that the modules cannot be built for: too old, not tested, without InfiniBand, without
# headers
old=5.10.0-1-amd64
untested=6.16.3+deb13-amd64
without=6.12.1-without-amd64
bare=6.12.2-bare-amd64

# kernel_copy LINE: puts a kernel's modules and headers where Debian's packages put them
kernel_copy() {
	local kernel release
	kernel=$(kernel "$1") || return 1
	release=$(<"$kernel/release")
	cp -a "$kernel/usr/." "$root/usr/" &&
		cp -a "$kernel/modules/$release" "$root/usr/lib/modules/" &&
		ln -s "/usr/src/linux-headers-$release" "$root/usr/lib/modules/$release/build"
}

# root_copy: makes a writable copy of the guest's root, with the kernels
root_copy() {
	local guest line
	guest=$(guest_root "$packages") || return 1
	clear_dir "$root"
	mkdir -p "$root"
	cp -a "$guest/." "$root/" || return 1
	for line in $KERNEL_LINES; do
		kernel_copy "$line" || return 1
	done
	for line in "$old" "$untested" "$without"; do
		mkdir -p "$root/usr/lib/modules/$line/build/include"
		printf 'CONFIG_%s=m\n' PCI INFINIBAND INFINIBAND_USER_ACCESS \
			>"$root/usr/lib/modules/$line/build/.config"
	done
	sed -i /INFINIBAND=/d "$root/usr/lib/modules/$without/build/.config"
	mkdir -p "$root/usr/lib/modules/$bare/kernel"
}

# in_it COMMAND...: runs it in the root; its output is kept for the result
in_it() {
	in_root "$root" --bind "$BUILD/deb-test" --bind "$BUILD/deb-next" -- \
		env HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@" \
		>"$work/out" 2>"$work/err" </dev/null
}

# prints PATTERN COMMAND...: the command succeeds, and a line matches
prints() {
	in_it "${@:2}" && grep -qE -- "$1" "$work/out" "$work/err"
}

# said TEXT: the last command said this. Releases contain "+".
said() {
	grep -qF -- "$1" "$work/out" "$work/err"
}

# built VERSION: DKMS has installed the modules for each of the guests' kernels
built() {
	local release
	in_it dkms status ib-vrb || return 1
	for release in "${releases[@]}"; do
		said "ib-vrb/$1, $release, x86_64: installed" || return 1
	done
}

# tree_copy: copies the tracked files of the tree, like a clone
tree_copy() {
	git -c safe.directory="$TREE" -C "$TREE" ls-files -z |
		rsync -a --from0 --files-from=- "$TREE/" "$root/srv/ib-vrb/"
}

# files FILE: writes the list of the root's files
files() {
	"$TREE/tools/testing/packaging/guest/files" "$root" >"$1"
}

# same OLD NEW: fails if a file list has lines that the other one does not have, and prints them
same() {
	diff "$1" "$2" | grep '^[<>]' | sed 's/^</gone:/; s/^>/left:/' >"$work/out"
	[ ! -s "$work/out" ]
}

# all_packages FOLDER: prints the package files of all packages
all_packages() {
	local name
	for name in $names; do
		echo "$BUILD/$1/${name}"_*.deb
	done
}

# all_have VERSION: each package is installed in this version
all_have() {
	local name
	for name in $names; do
		[ "$(dpkg-query --admindir="$root/var/lib/dpkg" -W \
			-f '${db:Status-Status} ${Version}' "$name" 2>"$work/err")" = \
			"installed $1" ] || return 1
	done
}

# programs_say VERSION: each program, and pkg-config, prints this version
programs_say() {
	local name found
	found=$(programs)
	[ "$(wc -w <<<"$found")" -ge 4 ] || return 1
	for name in $found; do
		in_it "$name" --version && [ "$(<"$work/out")" = "$name $1" ] || return 1
	done
	in_it pkg-config --modversion libvrbq && [ "$(<"$work/out")" = "$1" ]
}

# secure_boot VALUE: what postinst sees of the firmware's variable; no /sys is mounted in the root
secure_boot() {
	local folder=$root/sys/firmware/efi/efivars
	mkdir -p "$folder"
	printf '\6\0\0\0%b' "\\$1" >"$folder/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
}

# postinst: what it says without a build by DKMS
postinst() {
	touch "$root/etc/dkms/no-autoinstall"
	in_it /var/lib/dpkg/info/ib-vrb-dkms.postinst configure
	rm "$root/etc/dkms/no-autoinstall"
}

# signed: DKMS has signed the modules with its own key
signed() {
	prints '^DKMS module signing key$' modinfo -k "$release" -F signer "$1"
}

# in_guest SECONDS PROGRAM: boots a guest with the root, and runs a program of the folder guest/ in
# it. Its results become results of this test.
in_guest() {
	local line status=0
	"$VM_DIR/run" --memory 2048 --share "$root" --timeout "$1" --packages "$packages" -- \
		"tools/testing/packaging/guest/$2" >"$work/guest" 2>"$work/guest.err" || status=$?
	while IFS= read -r line; do
		case $line in
		"ok "* | "not ok "*)
			number=$((number + 1))
			[[ $line == "ok "* ]] || failed=$((failed + 1))
			sed -E "s/^(ok|not ok) [0-9]+/\1 $number/" <<<"$line"
			;;
		"#"*) echo "$line" ;;
		esac
	done <"$work/guest"
	cp "$work/guest.err" "$work/err"
	: >"$work/out"
	[ "$status" = 0 ] && grep -q '^1\.\.' "$work/guest"
	result $? "the guest ends well, after $2"
}

# programs: prints the names of the programs in the packages
programs() {
	local deb
	for deb in "${debs[@]}"; do
		dpkg-deb --fsys-tarfile "$deb" | tar -t | sed -n 's|^\./usr/s\?bin/\(.\)|\1|p'
	done
}

# page NAME: prints its man page, without the escapes of groff
page() {
	local deb
	for deb in "${debs[@]}"; do
		dpkg-deb --fsys-tarfile "$deb" |
			tar -xO --wildcards "./usr/share/man/man[18]/$1.[18].gz" 2>/dev/null |
			gzip -dc 2>/dev/null
	done | sed 's/\\-/-/g; s/\\f[A-Z]//g'
}

# long_options: prints the long options in its input
long_options() {
	grep -oE -- '(^|[^A-Za-z0-9-])--[a-z][a-z-]*' | sed 's/^[^-]*//' | LC_ALL=C sort -u
}

# subcommands: prints the subcommands in its input, the text of a --help: they are below a line that
# has only the word for them
subcommands() {
	awk '/^  [^ -][^ ]*$/ { on = 1; next }
		on && /^    [a-z]+( |$)/ { print $1 }
		!/^    / { on = 0 }'
}

# helps NAME [SUBCOMMAND]...: prints its --help, and those of the subcommands below it
helps() {
	local text word
	in_it "$@" --help || return 1
	text=$(<"$work/out")
	echo "$text"
	for word in $(subcommands <<<"$text"); do
		helps "$@" "$word" || return 1
	done
}

# described NAME: the man page describes the options that --help lists, also those of subcommands
described() {
	helps "$1" >"$work/help" || return 1
	page "$1" >"$work/page"
	# Only the beginning of a line, since a text may name the option of another program.
	grep -E '^ +-' "$work/help" | sed -E 's/^ +//; s/  .*//' | long_options >"$work/options"
	long_options <"$work/page" | LC_ALL=C comm -23 "$work/options" - >"$work/out"
	[ -s "$work/options" ] && [ ! -s "$work/out" ]
}

# refuses NAME: it refuses an option that it does not have, with an exit status of the man page
refuses() {
	local status=0
	in_it "$1" --no-such-option || status=$?
	awk '/^\.SH/ { on = /EXIT STATUS/ } on' "$work/page" >"$work/statuses"
	[ "$status" != 0 ] && [ ! -s "$work/out" ] && [ -s "$work/err" ] &&
		grep -qw -- "$status" "$work/statuses"
}

# example: compiles and links an example with what libvrbq-dev has
example() {
	mkdir -p "$root/srv/examples"
	cp "$TREE"/userspace/examples/*.[ch] "$root/srv/examples/"
	# shellcheck disable=SC2016 # expanded inside
	in_it sh -c 'cd /srv/examples && gcc -D_GNU_SOURCE -o /srv/vrbq_first vrbq_first.c \
		device.c $(pkg-config --cflags --libs libvrbq)' || return 1
	rm -r "$root/srv/examples"
}

host_ready
trap 'rm -rf "$work"; clear_dir "$BUILD/packaging"' EXIT
echo "TAP version 13"
version=$("$TREE/tools/packaging/version")
next=$version+next
"$TREE/tools/packaging/deb" --output "$BUILD/deb-test" >"$work/out" 2>"$work/err" &&
	"$TREE/tools/packaging/deb" --output "$BUILD/deb-next" --version "$next" \
		>"$work/out" 2>"$work/err" && dpkg --compare-versions "$next" gt "$version"
result $? "the packages build, also with a newer version"
root_copy >"$work/out" 2>"$work/err"
result $? "there is a root of Debian 13 with the kernels' headers"
releases=()
for line in $KERNEL_LINES; do
	releases+=("$(kernel_resolve "$line")")
done
release=${releases[0]}
# The first command leaves empty folders for what is mounted.
in_it true
files "$work/fresh"

# --- the tree
tree_copy >"$work/out" 2>"$work/err" && in_it dkms add /srv/ib-vrb &&
	in_it dkms install "ib-vrb/$version" -k "$release"
result $? "DKMS builds the modules from the tree, without a package"
in_it dkms status ib-vrb && said "ib-vrb/$version, $release, x86_64: installed" &&
	prints '/updates/dkms/ib_tavor.ko' modinfo -k "$release" -F filename ib_tavor
result $? "DKMS installs the modules from the tree"
in_it dkms build "ib-vrb/$version" -k "$untested"
[ $? = 77 ] && paste -sd' ' "$work/out" "$work/err" | tr -s ' ' >"$work/line" &&
	grep -qF 'includes a BUILD_EXCLUSIVE directive which does not match this kernel' \
		"$work/line"
result $? "it skips a kernel that was not tested, with the message of the guide"
in_it dkms remove "ib-vrb/$version" --all && in_it dkms status ib-vrb && [ ! -s "$work/out" ]
result $? "DKMS removes the modules from the tree"
rm -rf "$root/srv/ib-vrb" "$root/usr/src/ib-vrb-$version"
files "$work/now"
same "$work/fresh" "$work/now"
result $? "nothing is left of them"

# --- installing
mapfile -t debs < <(all_packages deb-test)
secure_boot 1
in_it dpkg -i "${debs[@]}"
result $? "all packages are installed"
cp "$work/out" "$work/installed"
all_have "$version"
result $? "they have the version of the tree"
for skipped in "$old: they are tested with Linux 6.12 and 7.3 only." \
	"$untested: they are tested with Linux 6.12 and 7.3 only." \
	"$without: this kernel has no CONFIG_INFINIBAND." "$bare: its headers are missing."; do
	grep -qxF "ib-vrb-dkms: no modules for Linux $skipped" "$work/installed"
	result $? "the package says why there are no modules for Linux $skipped"
done
grep -qx "ib-vrb-dkms: apt-get install linux-headers-$bare" "$work/installed" &&
	[ "$(grep -c 'no modules for' "$work/installed")" = 4 ]
result $? "it names the headers to install, and has no complaint about other kernels"
grep -qx 'ib-vrb-dkms: mokutil --import /var/lib/dkms/mok.pub, then reboot .*' "$work/installed"
result $? "with Secure Boot, it names the key to enroll"
built "$version"
result $? "DKMS has built the modules for ${releases[*]}"
! grep -qE "$old|$untested|$without|$bare" "$work/out"
result $? "and for no other kernel"
prints '/updates/dkms/ib_tavor.ko' modinfo -k "$release" -F filename ib_tavor
result $? "modprobe finds ib_tavor"
prints 'ib_vrb' modinfo -k "$release" -F depends ib_tavor &&
	in_it modinfo -k "$release" -F alias ib_tavor && [ ! -s "$work/out" ]
result $? "ib_tavor needs ib_vrb, and has no alias"
[ -s "$root/var/lib/dkms/mok.pub" ] && signed ib_vrb && signed ib_tavor
result $? "DKMS has signed the modules with this key"
mv "$root/var/lib/dkms/mok.pub" "$work/mok.pub"
postinst && said 'ib-vrb-dkms: apt-get install openssl, then dpkg-reconfigure ib-vrb-dkms'
result $? "with Secure Boot and without a key, the package says how to get one"
mv "$work/mok.pub" "$root/var/lib/dkms/mok.pub"
secure_boot 0
postinst && ! said 'Secure Boot'
result $? "with Secure Boot off, it says nothing about it"
rm -r "$root/sys/firmware"
programs_say "$version"
result $? "the programs and pkg-config print the version"
files "$work/first"

# --- the upgrade
mapfile -t debs < <(all_packages deb-next)
in_it dpkg -i "${debs[@]}"
result $? "all packages are upgraded"
all_have "$next"
result $? "they have the newer version"
built "$next" && ! said "ib-vrb/$version,"
result $? "DKMS has built the newer modules, and has no others"
programs_say "$next"
result $? "the programs and pkg-config print the newer version"
files "$work/now"
sed "s/${version//./\\.}+next/$version/g" "$work/now" | LC_ALL=C sort >"$work/upgraded"
LC_ALL=C sort "$work/first" >"$work/installed"
same "$work/installed" "$work/upgraded"
result $? "the files are the same as after the installation"
grep -E "/ib-vrb[-/]$version(/|\$)|libvrbq\.so\.1\.$version\$" "$work/now" >"$work/out"
[ ! -s "$work/out" ] && grep -q "/libvrbq\.so\.1\.$version+next\$" "$work/now"
result $? "nothing is left of the old version"
for name in $(programs); do
	described "$name"
	result $? "$name: the man page has each option of --help"
	[ "$name" != tavor-hcactl ] || {
		grep -qx -- --prob "$work/options" && grep -qx -- --down "$work/options"
		result $? "$name: these include the options of its subcommands"
	}
	refuses "$name"
	result $? "$name: it refuses an unknown option, with an exit status of the man page"
done
in_it env XDG_RUNTIME_DIR=/tmp systemd-analyze --user --man=no verify \
	/usr/lib/systemd/user/tavor-hca.service && [ ! -s "$work/err" ]
result $? "systemd has no complaint about the user's service"
example
result $? "an example of libvrbq compiles with libvrbq-dev"
cp "$work/fresh" "$root/files"

# --- the guests
in_guest 1500 boot
in_guest 900 use
echo "1..$number"
[ "$failed" = 0 ]
