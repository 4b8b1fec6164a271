// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/* There is ib_device_ops.ufile_hw_cleanup. */
#include <rdma/ib_verbs.h>
#include <rdma/uverbs_types.h>

struct ib_ucontext *probe_ucontext;
static void probe_cleanup(struct ib_uverbs_file *ufile)
{
	probe_ucontext = ufile->ucontext;
}

const struct ib_device_ops probe = { .ufile_hw_cleanup = probe_cleanup };
