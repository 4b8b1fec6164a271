/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * Memory regions.
 */
#ifndef TAVOR_MR_H
#define TAVOR_MR_H

#include <rdma/ib_umem.h>
#include <rdma/ib_verbs.h>
#include <rdma/vrb_provider.h>

#include "mpt.h"
#include "object.h"
#include "uctx.h"

struct tavor_dev;

/**
 * struct tavor_ring - registration of a region that contains a queue of a process
 * @create: the registration; only the queue's first command waits for it
 * @coming: it is in progress; guarded by &tavor_dev.rings_lock, like @waiting
 * @status: its result
 * @waiting: queues that wait for it, by their tavor_waiter
 */
struct tavor_ring {
	struct vrb create;
	bool coming;
	int status;
	struct list_head waiting;
};

/* Why the hardware does not know a region any more, or may not */
enum {
	TAVOR_MR_IN_USE,
	TAVOR_MR_QUIESCED,	/* by the queue in it */
	TAVOR_MR_WITHDRAWN,	/* by a reregistration */
};

/* A region, or a window: this has no memory, and counts as no process's. */
struct tavor_hw_mr {
	struct vrb_object object;
	struct tavor_dev *dev;
	struct tavor_process *process;	/* of a process's; otherwise NULL */
	struct tavor_mpt mpt;
	struct ib_umem *umem;		/* a process's; otherwise NULL */
	u8 retired;			/* TAVOR_MR_*; if it is not 0, no queue can be made in it */
	bool is_ring;
	struct tavor_ring ring;		/* if is_ring is set */
	struct tavor_named named;	/* a process's */
	struct list_head reap;		/* a process's, when it has been released */
	refcount_t memory;		/* of ib_core's: see tavor_half_put() */
};

struct tavor_mr {
	struct ib_mr ib;
	struct tavor_hw_mr *hw;
	struct tavor_owned owned;	/* a process's */
};

static inline struct tavor_hw_mr *to_hw_mr(struct vrb_object *object)
{
	return container_of(object, struct tavor_hw_mr, object);
}

static inline struct tavor_mr *to_tmr(struct ib_mr *ibmr)
{
	return container_of(ibmr, struct tavor_mr, ib);
}

extern const struct ib_device_ops tavor_mr_ops;
extern const struct vrb_step tavor_mr_create_steps[1], tavor_mr_destroy_steps[1];
extern const struct vrb_verb tavor_verb_create_mr, tavor_verb_reg_mr, tavor_verb_unreg_mr;

int tavor_init_mr(struct ib_mr *ibmr, u32 max_pages, gfp_t gfp);
struct vrb_object *tavor_mr_object(struct ib_mr *ibmr);

void tavor_mr_release(struct vrb_object *object);
bool tavor_mr_reap(struct tavor_process *process);

int tavor_ring_ready(struct tavor_hw_mr *mr, struct tavor_waiter *wait);
void tavor_ring_forget(struct tavor_dev *dev, struct tavor_waiter *wait);

#endif /* TAVOR_MR_H */
