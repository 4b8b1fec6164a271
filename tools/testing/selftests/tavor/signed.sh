#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Runs: guest --hcas 0 --append module.sig_enforce=1
# Timeout: 300
# Level: all
# Needs: modules
#
# Tests that a kernel that only accepts signed modules, as with Secure Boot, refuses these modules.
# Documentation/administration.rst describes the message.

# shellcheck source=SCRIPTDIR/../../vm/guest/query.bash
. "$(dirname "$0")/../../vm/guest/query.bash"

test_an_unsigned_module_is_refused() {
	refused 'Key was rejected by service' insmod "$TREE/build/modules/$KERNEL/ib_vrb.ko"
}

test_signed_modules_of_the_kernel_are_loaded() {
	modprobe ib_uverbs
}

run_tests "$@"
