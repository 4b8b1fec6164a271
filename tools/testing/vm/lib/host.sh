# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
# shellcheck shell=bash
#
# What the bench requires of the machine it runs on.

HOST_TOOLS="mmdebstrap:mmdebstrap zstd:zstd xz:xz-utils make:make gcc:gcc flock:util-linux
	mount:mount ps:procps setpriv:util-linux rsync:rsync git:git python3:python3
	pkg-config:pkgconf"

host_missing() {
	local pair
	for pair in $HOST_TOOLS; do
		command -v "${pair%%:*}" >/dev/null || echo "${pair##*:}"
	done
	# What the parts that are built on the host declare to need.
	cat "$TREE"/tools/testing/*/packages.txt 2>/dev/null | while read -r pair; do
		[ -z "$pair" ] || dpkg-query -W -f '${db:Status-Abbrev}' "$pair" 2>/dev/null |
			grep -q ^ii ||
			echo "$pair"
	done
	[ -e "$KEYRING" ] || echo debian-archive-keyring
}

host_install() {
	local missing
	missing=$(host_missing | sort -u | tr '\n' ' ')
	[ -n "$missing" ] || return 0
	need_root "installing $missing"
	command -v apt-get >/dev/null ||
		die "missing packages ($missing) and no apt-get to install them"
	slow "package lists of this machine" apt-get -q update || die "apt-get update failed"
	# shellcheck disable=SC2086 # a list of words
	DEBIAN_FRONTEND=noninteractive slow "installing $missing" \
		apt-get -q install -y --no-install-recommends $missing ||
		die "could not install $missing"
}

# apt_mirror needs the machine's own lists once
host_lists() {
	apt_mirror "" >/dev/null || slow "package lists of this machine" apt-get -q update ||
		die "apt-get update failed"
}

host_ready() {
	need_root "the test bench"
	[ "$(dpkg --print-architecture 2>/dev/null)" = amd64 ] ||
		die "not a Debian amd64 machine: the bench builds on Debian's packages"
	host_install
	mkdir -p "$CACHE" || die "cannot create the cache $CACHE"
	# An empty cache needs space for two roots and two kernels, and for unpacking them.
	[ -e "$CACHE/kernels/7.release" ] || need_space "$CACHE" 5000
}
