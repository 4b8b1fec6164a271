// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Work queues of a kernel QP: the ring, and the work request ids.
 */
#include <linux/slab.h>

#include "wq.h"

/**
 * tavor_wq_reset() - empties a work queue
 * @wq: a work queue
 * @last_slot: its last slot, or NULL if it has none
 *
 * Context: Any; there must be no other user of the queue.
 */
void tavor_wq_reset(struct tavor_wq *wq, struct tavor_next_seg *last_slot)
{
	wq->head = 0;
	wq->tail = 0;
	wq->next = 0;
	wq->last_comp = wq->shape.max - 1;
	wq->last = last_slot;
}

/**
 * tavor_wq_alloc() - allocates the software half of a kernel work queue
 * @wq: its shape is set
 * @gfp: how to allocate
 *
 * Context: As @gfp allows.
 * Return: 0 or -ENOMEM.
 */
int tavor_wq_alloc(struct tavor_wq *wq, gfp_t gfp)
{
	spin_lock_init(&wq->lock);
	wq->wrid = kvcalloc(max(wq->shape.max, 1U), sizeof(*wq->wrid), gfp);
	return wq->wrid ? 0 : -ENOMEM;
}

/**
 * tavor_wq_free() - counterpart of tavor_wq_alloc()
 * @wq: a work queue; may be one that was never allocated
 *
 * Context: Any down to softirq.
 */
void tavor_wq_free(struct tavor_wq *wq)
{
	kvfree(wq->wrid);
	wq->wrid = NULL;
}
