/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * Where the kernels we build for differ. TAVOR_HAS_* come from compile probes (probe/); nothing
 * here asks for a kernel version. The rest of the driver reads like mainline.
 */
#ifndef TAVOR_COMPAT_H
#define TAVOR_COMPAT_H

#include <linux/timer.h>
#include <rdma/ib_umem.h>
#include <rdma/ib_verbs.h>

#include "probes.h"

#ifndef TAVOR_HAS_TIMER_CONTAINER_OF
#define timer_container_of(var, callback_timer, timer_fieldname) \
	from_timer(var, callback_timer, timer_fieldname)
#endif

#ifndef TAVOR_HAS_UMEM_GET_VA
static inline struct ib_umem *ib_umem_get_va(struct ib_device *device, unsigned long addr,
					     size_t size, int access)
{
	return ib_umem_get(device, addr, size, access);
}
#endif

#ifdef TAVOR_HAS_RESIZE_USER_CQ
#define tavor_resize_cqe_t unsigned int
#define TAVOR_RESIZE_CQ_OP(fn) .resize_user_cq = (fn)
#else
#define tavor_resize_cqe_t int
#define TAVOR_RESIZE_CQ_OP(fn) .resize_cq = (fn)
#endif

/* In the parameters of reg_user_mr(): the DMA handle, which no device of ours has. */
#ifdef TAVOR_HAS_REG_MR_DMAH
#define TAVOR_DMAH_PARAM struct ib_dmah *dmah,
#define TAVOR_DMAH_GIVEN (!!dmah)
#else
#define TAVOR_DMAH_PARAM
#define TAVOR_DMAH_GIVEN false
#endif

#endif /* TAVOR_COMPAT_H */
