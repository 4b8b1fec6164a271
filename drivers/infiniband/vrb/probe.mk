# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# What the kernel's headers offer, found by compiling and not by version: distributions backport. The answers
# are used in include/rdma/vrb_compat.h alone.

vrb-probe = $(call try-run, \
	printf '%b' '$(2)' | $(CC) $(NOSTDINC_FLAGS) $(LINUXINCLUDE) $(KBUILD_CPPFLAGS) \
		$(filter-out -Wp$(comma)%,$(KBUILD_CFLAGS)) $(KBUILD_CFLAGS_MODULE) -DMODULE \
		-Werror=implicit-function-declaration -c -x c - -o "$$TMP",-D$(1))

vrb-probes := $(call vrb-probe,VRB_HAS_HRTIMER_SETUP,\043include <linux/hrtimer.h>\nvoid *probe(void);\nvoid *probe(void) { return hrtimer_setup; }\n)
