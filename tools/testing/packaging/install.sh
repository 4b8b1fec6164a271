#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: host
# Level: all
# Timeout: 7200
#
# Tests the packages in a fresh root of Debian 13 with the headers of the guests' kernels: apt
# installs, upgrades and removes them; DKMS builds the modules, also from the tree, and skips other
# kernels; nothing is left of an old version, nor of a removed package. A guest on this root boots
# with udev and systemd (guest/boot). Another one passes its card to ib_tavor, and removes the
# packages, too (guest/use). DKMS compiles here and not in a guest, where emulation makes it take
# too long: on a busy machine it had compiled no file after twenty minutes.

place=$(cd "$(dirname "$0")/../../.." && pwd)/build/packaging/install
# shellcheck source=SCRIPTDIR/machine.bash
. "$(dirname "$0")/machine.bash"

# Kernels that the modules cannot be built for: too old, not tested, without InfiniBand, without
# headers
old=5.10.0-1-amd64
untested=6.16.3+deb13-amd64
without=6.12.1-without-amd64
bare=6.12.2-bare-amd64

# others_made: adds the kernels that are skipped to the root
others_made() {
	local line
	for line in "$old" "$untested" "$without"; do
		mkdir -p "$root/usr/lib/modules/$line/build/include"
		printf 'CONFIG_%s=m\n' PCI INFINIBAND INFINIBAND_USER_ACCESS \
			>"$root/usr/lib/modules/$line/build/.config"
	done
	sed -i /INFINIBAND=/d "$root/usr/lib/modules/$without/build/.config"
	mkdir -p "$root/usr/lib/modules/$bare/kernel"
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

# same OLD NEW: fails if a file list has lines that the other one does not have, and prints them
same() {
	diff "$1" "$2" | grep '^[<>]' | sed 's/^</gone:/; s/^>/left:/' >"$work/out"
	[ ! -s "$work/out" ]
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

# programs: prints the names of the programs in the packages
programs() {
	local deb
	for deb in "$place"/deb/*.deb; do
		dpkg-deb --fsys-tarfile "$deb" | tar -t | sed -n 's|^\./usr/s\?bin/\(.\)|\1|p'
	done
}

# page NAME: prints its man page, without the escapes of groff
page() {
	local deb
	for deb in "$place"/deb/*.deb; do
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
echo "TAP version 13"
packages_built
result $? "the packages build, also with a newer version"
# shellcheck disable=SC2086 # a list of words
root_made $KERNEL_LINES && others_made
result $? "there is a root of Debian 13 with the kernels' headers"
release=${releases[0]}
apt install dkms driverctl
result $? "apt installs DKMS and driverctl"
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
secure_boot 1
in_it sh -c 'apt-get -y install /srv/deb/*.deb'
result $? "apt installs all packages, with what they depend on"
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
grep -qx 'ib-vrb-dkms: mokutil --import /var/lib/dkms/mok.pub, then reboot, and "Enroll MOK".' \
	"$work/installed" && grep -qx 'ib-vrb-dkms: apt-get install mokutil' "$work/installed"
result $? "with Secure Boot, it names the key to enroll, and the package that does it"
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
in_it sh -c 'apt-get -y install /srv/next/*.deb'
result $? "apt upgrades all packages"
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

# --- the removal
# shellcheck disable=SC2086 # a list of words
apt purge --autoremove $names
result $? "apt removes all packages, and what they alone needed"
in_it dkms status ib-vrb && [ ! -s "$work/out" ]
result $? "DKMS no longer lists the modules"
for line in "${releases[@]}"; do
	find "$root/usr/lib/modules/$line/" -name 'ib_vrb*' -o -name 'ib_tavor*' | grep .
done >"$work/out"
[ ! -s "$work/out" ]
result $? "no kernel has the modules"
files "$work/now"
same "$work/fresh" "$work/now"
result $? "nothing is left of any package"
echo "1..$number"
[ "$failed" = 0 ]
