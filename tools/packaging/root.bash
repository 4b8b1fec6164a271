# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
# shellcheck shell=bash
#
# The root file system in which the packages are built, with the build dependencies of
# debian/control.

PACKAGES_PACKAGES="build-essential debhelper dh-dkms lintian libcjson-dev libibverbs-dev
	librdmacm-dev pkgconf python3 python3-sphinx"

packages_root() {
	root packages "$SUITE" "$PACKAGES_PACKAGES"
}
