/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * User contexts, and what a process may name.
 */
#ifndef TAVOR_UCTX_H
#define TAVOR_UCTX_H

#include <linux/mutex.h>
#include <linux/xarray.h>

#include <rdma/ib_verbs.h>
#include <rdma/uverbs_ioctl.h>

#include <rdma/vrb_provider.h>

#include "uar.h"

/* What a queue of a process lies in; both are its parents. */
struct tavor_pin {
	struct vrb_object *pd;
	struct vrb_object *region;
};

/**
 * struct tavor_ucontext - one open of the device by a process
 * @user: the process, among those that share the command slots
 * @lock: orders a lookup in @pds and @mrs with the removal from them
 * @pds: tavor_hw_pd by number
 * @mrs: tavor_hw_mr by key
 *
 * The ABI passes raw numbers: whatever is not found here belongs to somebody else.
 */
struct tavor_ucontext {
	struct ib_ucontext ib;
	struct tavor_uar uar;
	struct vrb_user user;
	struct mutex lock;	/* see above */
	struct xarray pds;
	struct xarray mrs;
};

static inline struct tavor_ucontext *to_tctx(struct ib_ucontext *ibctx)
{
	return container_of(ibctx, struct tavor_ucontext, ib);
}

int tavor_uctx_pin(struct tavor_ucontext *ctx, u32 pdn, u32 lkey, u64 bytes, bool write,
		   struct vrb_object *child, struct tavor_pin *pin);
void tavor_uctx_unpin(struct vrb_object *child, const struct tavor_pin *pin);

int tavor_alloc_ucontext(struct ib_ucontext *ibctx, struct ib_udata *udata);
void tavor_dealloc_ucontext(struct ib_ucontext *ibctx);
void tavor_disassociate_ucontext(struct ib_ucontext *ibctx);
int tavor_mmap(struct ib_ucontext *ibctx, struct vm_area_struct *vma);

#endif /* TAVOR_UCTX_H */
