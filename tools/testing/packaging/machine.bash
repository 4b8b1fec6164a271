# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
# shellcheck shell=bash
#
# For the tests of the packages: a root of Debian 13 with the guests' kernels and their headers. apt
# installs there from an archive of the packages that it may need, so no network is needed. A test
# sets $place, a folder of its own below build/, first.

# shellcheck source-path=SCRIPTDIR/../vm
. "$(dirname "${BASH_SOURCE[0]}")/../vm/lib/all.sh"
set +e
# shellcheck source-path=SCRIPTDIR
. "$VM_DIR/lib/try.bash"

# What the machine has: the headers of its kernel depend on a compiler. DKMS and the libraries come
# from the archive.
base="gcc libc6-dev pahole pkgconf python3 openssl udev systemd login passwd"
names="ib-vrb-dkms libvrbq1 libvrbq-dev vrb-tools tavor-hca-model"
# shellcheck disable=SC2154 # the test's
root=$place/root
trap 'rm -rf "$work"; clear_dir "$place"' EXIT

# packages_built: builds the packages, also with a newer version
packages_built() {
	clear_dir "$place"
	version=$("$TREE/tools/packaging/version")
	next=$version+next
	"$TREE/tools/packaging/deb" --output "$place/deb" >"$work/out" 2>"$work/err" &&
		"$TREE/tools/packaging/deb" --output "$place/next" --version "$next" \
			>"$work/out" 2>"$work/err" && dpkg --compare-versions "$next" gt "$version"
	local status=$?
	rm -f "$place"/{deb,next}/*-dbgsym_*.deb
	return "$status"
}

# headers: prints the names of the packages with the headers of $releases
headers() {
	printf 'linux-headers-%s\n' "${releases[@]}"
}

# image_made RELEASE: a package in the place of the kernel's, which the headers of some kernels
# depend on. The bench has taken that kernel apart: the guest boots it, and the root has its
# modules.
image_made() {
	local dir=$place/image
	mkdir -p "$dir/DEBIAN"
	cat >"$dir/DEBIAN/control" <<-END
		Package: linux-image-$1
		Version: $(with_apt apt-cache show "linux-headers-$1" |
			sed -n 's/^Version: //p' | head -n 1)
		Architecture: amd64
		Maintainer: nobody <nobody@ib-vrb.invalid>
		Description: the kernel that the test bench boots
	END
	dpkg-deb --root-owner-group -b "$dir" "$place/linux-image-$1.deb"
}

# archive: prints the folder with the packages that the headers, DKMS, driverctl and this tree's
# packages depend on, downloading them if the cache lacks it
archive() {
	local deb depends dir
	depends=$(for deb in "$place"/deb/*.deb; do dpkg-deb -f "$deb" Depends; done)
	dir=$CACHE/archive-$(key "$base" "${releases[*]}" "$depends")
	if [ ! -d "$dir" ]; then
		host_lists
		apt_fresh
		# shellcheck disable=SC2046 # a list of words
		cached "$dir" "downloading what the packages depend on" apt_archive "$root" \
			dkms driverctl $(headers) "$place"/{,deb/}*.deb
	fi
	echo "$dir"
}

# root_made LINE...: makes the root with the kernels of these lines, whose releases are then in
# $releases
root_made() {
	root_filled "$@" >"$work/log" 2>&1 && return
	cat "$work/log" >>"$work/err"
	return 1
}

root_filled() {
	local guest line kernel archive release
	guest=$(guest_root "$base") || return 1
	mkdir -p "$root"
	cp -a "$guest/." "$root/" || return 1
	releases=()
	for line; do
		kernel=$(kernel "$line") || return 1
		release=$(<"$kernel/release")
		mkdir -p "$root/usr/lib/modules"
		cp -a "$kernel/modules/$release" "$root/usr/lib/modules/" || return 1
		image_made "$release" || return 1
		releases+=("$release")
	done
	archive=$(archive) || return 1
	cp -r "$archive" "$root/srv/archive" && cp -r "$place"/{deb,next} "$root/srv/" &&
		cp "$place"/linux-image-*.deb "$root/srv/" || return 1
	# The bench's roots have no documents; a machine has those of its packages.
	rm "$root/etc/dpkg/dpkg.cfg.d/99mmdebstrap"
	echo "deb [trusted=yes] file:/srv/archive ./" >"$root/etc/apt/sources.list"
	# shellcheck disable=SC2046 # a list of words
	apt update && apt install $(headers) $(cd "$root/srv" &&
		printf '/srv/%s\n' linux-image-*.deb)
}

# in_it COMMAND...: runs it in the root; its output is kept for the result
in_it() {
	in_root "$root" -- env HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@" \
		>"$work/out" 2>"$work/err" </dev/null
}

# apt COMMAND...
apt() {
	in_it apt-get -y "$@"
}

# files FILE: writes the list of the root's files
files() {
	"$TREE/tools/testing/packaging/guest/files" "$root" >"$1"
}

# in_guest SECONDS PROGRAM: boots a guest with the root, and runs a program of the folder guest/ in
# it. Its results become results of this test.
in_guest() {
	local line status='' ended=''
	while IFS= read -r line; do
		case $line in
		"ok "* | "not ok "*)
			number=$((number + 1))
			[[ $line == "ok "* ]] || failed=$((failed + 1))
			sed -E "s/^(ok|not ok) [0-9]+/\1 $number/" <<<"$line"
			;;
		"#"*) echo "$line" ;;
		"1.."*) ended=1 ;;
		"status "*) status=${line#status } ;;
		esac
	done < <("$VM_DIR/run" --memory 2048 --share "$root" --timeout "$1" --packages "$base" -- \
		"tools/testing/packaging/guest/$2" 2>"$work/guest.err"; echo "status $?")
	cp "$work/guest.err" "$work/err"
	: >"$work/out"
	[ "$status" = 0 ] && [ -n "$ended" ]
	result $? "the guest ends well, after $2"
}
