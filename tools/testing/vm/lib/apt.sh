# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
# shellcheck shell=bash
#
# Debian packages: the bench has its own apt state for each suite that it uses, apart from the
# machine's, so that nothing here depends on the machine's own release. It uses the machine's
# mirrors.

# The bench uses this suite for everything, except in what in_suite() runs.
BENCH_SUITE=trixie
SUITE=${IB_VRB_SUITE:-$BENCH_SUITE}
KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg
APT=$CACHE/apt
[ "$SUITE" = "$BENCH_SUITE" ] || APT+=-$SUITE

# in_suite SUITE FUNCTION...: runs one function of the bench with another suite, in its own shell.
# The environment also hands the suite to the shells that cached() and slow() start.
in_suite() {
	IB_VRB_SUITE=$1 "$BASH" "$VM_DIR/lib/do" "${@:2}"
}

# The machine's Debian archive (or, with "-security", its security archive).
apt_mirror() {
	local uri
	# shellcheck disable=SC2016 # apt's own variables
	uri=$(apt-get indextargets --format '$(ORIGIN) $(RELEASE) $(REPO_URI)' \
		'Created-By: Packages' |
		awk -v want="$1" '$1 == "Debian" && $2 !~ /-backports$/ {
			security = ($2 ~ /-security$/)
			if (security == (want == "-security")) { print $3; exit } }')
	[ -n "$uri" ] || return 1
	echo "${uri%/}"
}

apt_sources() {
	local main security suite
	main=$(apt_mirror "") ||
		die "apt knows no Debian archive here: check its sources, then 'apt-get update'"
	security=$(apt_mirror -security) || security=
	for suite in "$SUITE" "$SUITE-updates"; do
		echo "deb [signed-by=$KEYRING] $main $suite main"
	done
	# QEMU and the newer kernels come from the backports. Other suites do without theirs, which
	# leave the mirrors first.
	[ "$SUITE" != "$BENCH_SUITE" ] ||
		echo "deb [signed-by=$KEYRING] $main $SUITE-backports main"
	[ -z "$security" ] || echo "deb [signed-by=$KEYRING] $security $SUITE-security main"
}

# with_apt PROGRAM ARGS...: runs apt-get or apt-cache on the bench's state
with_apt() {
	local program=$1
	shift
	"$program" -q -o Dir::Etc::SourceList="$APT/sources.list" -o \
		Dir::Etc::SourceParts=/dev/null \
		-o Dir::Etc::Preferences=/dev/null -o Dir::Etc::PreferencesParts=/dev/null \
		-o Dir::State::Lists="$APT/lists" -o Dir::State::status=/dev/null \
		-o Dir::Cache="$APT" -o APT::Architecture=amd64 -o APT::Sandbox::User=root "$@"
}

# apt_fresh: updates package lists that are older than a day
apt_fresh() {
	[ -z "$(find "$APT/stamp" -mmin -1440 2>/dev/null)" ] || return 0
	mkdir -p "$APT/lists/partial" "$APT/archives/partial" "$CACHE/lock"
	(
		flock 9
		[ -z "$(find "$APT/stamp" -mmin -1440 2>/dev/null)" ] || exit 0
		apt_sources >"$APT/sources.list.new" &&
			mv "$APT/sources.list.new" "$APT/sources.list" &&
			slow "package lists of $SUITE" with_apt apt-get update \
			--error-on=any 9>&- &&
			touch "$APT/stamp"
	) 9>"$CACHE/lock/${APT##*/}" ||
		die "could not read Debian's package lists: is an archive reachable?"
}

# apt_unpack DIR [--files PATTERN] PACKAGE...: fetch packages and unpack them below DIR, without
# running their scripts. What a failed download leaves is in DIR, too.
apt_unpack() {
	local dir=$1 deb debs pattern=()
	shift
	if [ "$1" = --files ]; then
		pattern=(--wildcards "$2")
		shift 2
	fi
	debs=$(mktemp -d "$dir/debs.XXXXXX")
	(cd "$debs" && with_apt apt-get download "$@")
	for deb in "$debs"/*.deb; do
		dpkg-deb --fsys-tarfile "$deb" |
			tar -x -C "$dir" --keep-directory-symlink --no-same-owner "${pattern[@]}"
	done
	rm -rf "$debs"
}

# apt_archive ROOT PACKAGE... DIR: fills DIR with what apt would download to install these in a
# root, and with the index that makes it an archive of its own
apt_archive() {
	local root=$1 dir=${!#} deb
	mkdir "$dir/partial"
	with_apt apt-get -y --download-only --no-install-recommends -o Dir::Cache::archives="$dir" \
		-o Dir::State::status="$root/var/lib/dpkg/status" install "${@:2:$#-2}"
	rm -rf "$dir"/{partial,lock}
	for deb in "$dir"/*.deb; do
		dpkg-deb -f "$deb"
		printf 'Filename: ./%s\nSize: %s\nSHA256: %s\n\n' "${deb##*/}" \
			"$(stat -c %s "$deb")" "$(sha256sum "$deb" | cut -d' ' -f1)"
	done >"$dir/Packages"
}
