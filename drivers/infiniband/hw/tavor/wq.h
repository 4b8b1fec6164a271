/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * Work queues of a kernel QP: ring bookkeeping.
 */
#ifndef TAVOR_WQ_H
#define TAVOR_WQ_H

#include <linux/spinlock.h>
#include <rdma/ib_verbs.h>
#include "hw_wqe.h"
#include "wq_layout.h"

/**
 * struct tavor_wq - one direction of a kernel QP
 * @shape: see there
 * @lock: posting; the lock of a CQ must not be taken inside it
 * @open: posts are accepted. It is cleared under @lock; afterwards no post is in progress
 * @head: WQEs posted since the reset
 * @tail: WQEs completed since the reset; under the CQ's lock
 * @next: slot the next post takes
 * @last_comp: slot that was completed last; under the CQ's lock
 * @last: the WQE accepted last, whose link the next post writes; NULL when there are no slots
 * @wrid: work request ids by slot
 */
struct tavor_wq {
	struct tavor_wq_shape shape;
	spinlock_t lock;		/* posting */
	bool open;
	u32 head;
	u32 tail;
	u32 next;
	u32 last_comp;
	struct tavor_next_seg *last;
	u64 *wrid;
};

void tavor_wq_reset(struct tavor_wq *wq, struct tavor_next_seg *last_slot);
int tavor_wq_alloc(struct tavor_wq *wq, gfp_t gfp);
void tavor_wq_free(struct tavor_wq *wq);

static inline u32 tavor_wq_after(const struct tavor_wq *wq, u32 slot)
{
	return slot + 1 == wq->shape.max ? 0 : slot + 1;
}

/* Of a slot, in the QP's buffer */
static inline u32 tavor_wq_addr(const struct tavor_wq *wq, u32 slot)
{
	return wq->shape.offset + (slot << wq->shape.shift);
}

/* Frees all slots up to this one: sends before it may have had no completion of their own. */
static inline void tavor_wq_complete(struct tavor_wq *wq, u32 slot, struct ib_wc *wc)
{
	u32 done = slot - wq->last_comp;

	if (slot <= wq->last_comp)
		done += wq->shape.max;
	wc->wr_id = wq->wrid[slot];
	wq->last_comp = slot;
	/* Pairs with the acquire in post: after this the slot may be overwritten. */
	smp_store_release(&wq->tail, wq->tail + done);
}

static inline void tavor_set_data_seg(struct tavor_data_seg *seg, const struct ib_sge *sge)
{
	seg->byte_count = cpu_to_be32(sge->length);
	seg->lkey = cpu_to_be32(sge->lkey);
	seg->addr = cpu_to_be64(sge->addr);
}

#endif /* TAVOR_WQ_H */
