# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Compiles probe/*.c to find out what the kernel's headers offer. The kernel's version does not tell:
# distributions backport. Only include/rdma/vrb_compat.h uses the results, VRB_HAS_*. The Kbuild of
# each module that needs them includes this file after the list of its objects.

vrb-probe-dir := $(dir $(lastword $(MAKEFILE_LIST)))

quiet_cmd_vrb_probe = PROBE   $@
      cmd_vrb_probe = $(CONFIG_SHELL) $(vrb-probe-dir)probe.sh $@ \
		$(sort $(wildcard $(vrb-probe-dir)probe/*.c)) -- \
		$(CC) $(filter-out -Wp$(comma)%,$(NOSTDINC_FLAGS)) $(LINUXINCLUDE) $(KBUILD_CPPFLAGS) \
		$(KBUILD_CFLAGS) $(KBUILD_CFLAGS_MODULE) -DMODULE -DKBUILD_MODNAME='"probe"' \
		-Werror=incompatible-pointer-types -Werror=implicit-function-declaration

$(obj)/generated/vrb_probes.h: $(vrb-probe-dir)probe.sh $(wildcard $(vrb-probe-dir)probe/*.c) FORCE
	$(call if_changed,vrb_probe)

targets += generated/vrb_probes.h
ccflags-y += -I$(obj)/generated
$(addprefix $(obj)/,$(foreach module,$(obj-m:.o=),$($(module)-y))): $(obj)/generated/vrb_probes.h
