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

/*
 * Whether a queue can be created in a region. It cannot from the time at which a verb begins to
 * take the region back from the hardware, before the region is deregistered. If the hardware
 * refuses that, queues can be created in it again.
 */
enum {
	TAVOR_MR_IN_USE,	/* it can */
	TAVOR_MR_QUIESCED,	/* the quiesce of the QP whose rings are in the region */
	TAVOR_MR_WITHDRAWN,	/* a reregistration, which replaces the region by a new one */
};

/**
 * struct tavor_hw_mr - a memory region or a memory window as the hardware sees it
 * @object: its parent is the PD
 * @dev: device
 * @process: the process that has registered the region; NULL: the kernel's region, or a window
 * @mpt: key, access rights and translations
 * @umem: pinned pages of a process's region; otherwise NULL
 * @retired: TAVOR_MR_*
 * @is_ring: a process's region for the rings of a queue: its registration does not wait
 * @ring: that registration; used if @is_ring is set
 * @named: a process's region: how a create of a queue finds it by its key
 * @reap: a process's region: in &tavor_process.released, until its pages are unpinned
 * @memory: references to this structure, except for a shell's region: see tavor_half_put()
 */
struct tavor_hw_mr {
	struct vrb_object object;
	struct tavor_dev *dev;
	struct tavor_process *process;
	struct tavor_mpt mpt;
	struct ib_umem *umem;
	u8 retired;
	bool is_ring;
	struct tavor_ring ring;
	struct tavor_named named;
	struct list_head reap;
	refcount_t memory;
};

struct tavor_mr {
	struct ib_mr ib;
	struct tavor_hw_mr *hw;
	struct tavor_owned owned;	/* a process's region only */
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
