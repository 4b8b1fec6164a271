/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * Work queues of a QP: the WQE layout both sides must agree on, and ring bookkeeping.
 */
#ifndef TAVOR_WQ_H
#define TAVOR_WQ_H

#include <linux/spinlock.h>
#include <rdma/ib_verbs.h>
#include "hw_qp.h"
#include "hw_wqe.h"

/**
 * struct tavor_wq_shape - geometry of one work queue
 * @max: slots; exactly what the consumer asked for, because user space computes the same ring
 * @max_gs: data segments one WQE has room for
 * @shift: log2 of the stride in bytes
 * @offset: of the first slot in the QP's buffer
 */
struct tavor_wq_shape {
	u32 max;
	u32 max_gs;
	u32 shift;
	u32 offset;
};

/**
 * struct tavor_wq - one direction of a kernel QP
 * @shape: see there
 * @lock: posting; no other lock but the CQ's is taken inside it
 * @head: WQEs posted, ever
 * @tail: WQEs completed, ever; under the CQ's lock
 * @next: slot the next post takes
 * @last_comp: slot that completed last; under the CQ's lock
 * @last: the WQE accepted last, whose link the next post writes; NULL when there are no slots
 * @wrid: work request ids by slot
 */
struct tavor_wq {
	struct tavor_wq_shape shape;
	spinlock_t lock;		/* posting */
	u32 head;
	u32 tail;
	u32 next;
	u32 last_comp;
	struct tavor_next_seg *last;
	u64 *wrid;
};

/**
 * struct tavor_wq_limits - of the device, as the layout needs them
 * @max_wqes: per queue
 * @max_sg: data segments per WQE
 * @max_desc: bytes per WQE
 */
struct tavor_wq_limits {
	u32 max_wqes;
	u32 max_sg;
	u32 max_desc;
};

/**
 * struct tavor_wq_layout - the two queues of a QP in their buffer
 * @recv: receive queue, first in the buffer
 * @send: send queue
 * @max_inline: bytes a send may carry inline
 * @size: bytes of both queues
 */
struct tavor_wq_layout {
	struct tavor_wq_shape recv;
	struct tavor_wq_shape send;
	u32 max_inline;
	u32 size;
};

u32 tavor_wqe_shift(u32 bytes);
int tavor_wq_plan(const struct tavor_wq_limits *limits, enum tavor_qp_service service,
		  const struct ib_qp_cap *cap, struct tavor_wq_layout *layout);
void tavor_wq_reset(struct tavor_wq *wq, struct tavor_next_seg *last_slot);
int tavor_wq_alloc(struct tavor_wq *wq, gfp_t gfp);
void tavor_wq_free(struct tavor_wq *wq);

static inline u32 tavor_wq_after(const struct tavor_wq *wq, u32 slot)
{
	return slot + 1 == wq->shape.max ? 0 : slot + 1;
}

static inline void tavor_set_data_seg(struct tavor_data_seg *seg, const struct ib_sge *sge)
{
	seg->byte_count = cpu_to_be32(sge->length);
	seg->lkey = cpu_to_be32(sge->lkey);
	seg->addr = cpu_to_be64(sge->addr);
}

#endif /* TAVOR_WQ_H */
