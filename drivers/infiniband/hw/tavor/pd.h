/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * Protection domains.
 */
#ifndef TAVOR_PD_H
#define TAVOR_PD_H

#include <rdma/ib_verbs.h>
#include <rdma/vrb_provider.h>

#include "mpt.h"
#include "uctx.h"

struct tavor_dev;

/*
 * A kernel PD has an untranslated region of its own: AVs and MLX headers are fetched through its
 * key.
 */
struct tavor_hw_pd {
	struct vrb_object object;
	struct tavor_dev *dev;
	u32 pdn;
	struct tavor_named named;	/* a process's */
	struct tavor_mpt ntmr;		/* key 0 for a user's PD */
	bool user;
};

struct tavor_pd {
	struct ib_pd ib;
	struct tavor_hw_pd *hw;
	struct tavor_ucontext *ctx;	/* NULL: the kernel's */
};

static inline struct tavor_pd *to_tpd(struct ib_pd *ibpd)
{
	return container_of(ibpd, struct tavor_pd, ib);
}

struct tavor_hw_pd *tavor_hw_pd_create(struct tavor_dev *dev, bool user);
int tavor_hw_pd_destroy(struct tavor_hw_pd *pd);
int tavor_alloc_pd(struct ib_pd *ibpd, struct ib_udata *udata);
int tavor_dealloc_pd(struct ib_pd *ibpd, struct ib_udata *udata);

#endif /* TAVOR_PD_H */
