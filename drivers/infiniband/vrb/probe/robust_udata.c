// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/* A driver can state that it checks all driver data: ib_device_ops.uverbs_robust_udata. */
#include <rdma/ib_verbs.h>

const struct ib_device_ops probe = { .uverbs_robust_udata = 1 };
