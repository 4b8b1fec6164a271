/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * Where the kernels we build for differ. TAVOR_HAS_* come from compile probes (probe/); nothing here asks for a
 * kernel version. The rest of the driver reads like mainline.
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
typedef unsigned int tavor_resize_cqe_t;
#define TAVOR_RESIZE_CQ_OP(fn) .resize_user_cq = (fn)
#else
typedef int tavor_resize_cqe_t;
#define TAVOR_RESIZE_CQ_OP(fn) .resize_cq = (fn)
#endif

/* A driver's reg_user_mr() without the DMA handle; one that is given is refused. */
#ifdef TAVOR_HAS_REG_MR_DMAH
#define TAVOR_REG_USER_MR(name, impl)							\
static struct ib_mr *name(struct ib_pd *pd, u64 start, u64 length, u64 iova, int access,	\
			  struct ib_dmah *dmah, struct ib_udata *udata)			\
{											\
	return dmah ? ERR_PTR(-EOPNOTSUPP) : impl(pd, start, length, iova, access, udata);	\
}
#else
#define TAVOR_REG_USER_MR(name, impl)							\
static struct ib_mr *name(struct ib_pd *pd, u64 start, u64 length, u64 iova, int access,	\
			  struct ib_udata *udata)					\
{											\
	return impl(pd, start, length, iova, access, udata);				\
}
#endif

#endif /* TAVOR_COMPAT_H */
