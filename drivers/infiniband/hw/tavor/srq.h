/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * Shared receive queues.
 */
#ifndef TAVOR_SRQ_H
#define TAVOR_SRQ_H

#include "hw_qp.h"
#include "hw_wqe.h"
#include "object.h"
#include "pd.h"
#include "tavor.h"
#include "uctx.h"

/**
 * struct tavor_hw_srq - an SRQ as the hardware sees it
 * @object: parents: its PD, and for a user's SRQ its MR
 * @dev: device
 * @ibsrq: SRQ of its events
 * @half: what it has in common with other queues
 * @pd: its PD
 * @srqn: number; the low bits are its index
 * @slots: WQE slots, one more than can be posted
 * @max_gs: data segments per WQE
 * @shift: log2 of the stride
 * @lkey: of its ring
 * @uar: UAR page of its doorbells
 * @region: the region in which a user's ring lies; NULL: a kernel SRQ
 * @ring_wait: waits for the registration of that region
 * @lock: free list and ring; kernel SRQs only
 * @first_free: next slot to post
 * @last_free: end of the free list, never posted: the hardware's chain ends there
 * @next_free: free list by slot; it is also the chain of the WQEs' links
 * @last: WQE posted last
 * @wrid: work request ids by slot
 * @buf: its ring; kernel SRQs only
 */
struct tavor_hw_srq {
	struct vrb_object object;
	struct tavor_dev *dev;
	struct ib_srq *ibsrq;
	struct tavor_half half;
	struct tavor_hw_pd *pd;
	u32 srqn;
	u32 slots;
	u32 max_gs;
	u32 shift;
	u32 lkey;
	u32 uar;

	struct tavor_hw_mr *region;
	struct tavor_waiter ring_wait;
	spinlock_t lock;		/* free list and ring */
	u32 first_free;
	u32 last_free;
	u32 *next_free;
	struct tavor_next_seg *last;
	u64 *wrid;
	struct tavor_buf buf;
};

struct tavor_srq {
	struct ib_srq ib;
	struct tavor_hw_srq *hw;
	struct tavor_owned owned;	/* a process's */
};

static inline struct tavor_srq *to_tsrq(struct ib_srq *ibsrq)
{
	return container_of(ibsrq, struct tavor_srq, ib);
}

int tavor_srq_table_init(struct tavor_dev *dev);
void tavor_srq_table_cleanup(struct tavor_dev *dev);
void tavor_srq_event(struct tavor_dev *dev, u32 srqn, enum ib_event_type type);

extern const struct vrb_verb tavor_verb_create_srq, tavor_verb_modify_srq, tavor_verb_query_srq;
int tavor_init_srq(struct ib_srq *ibsrq, struct ib_srq_init_attr *attr, gfp_t gfp);
struct vrb_object *tavor_srq_object(struct ib_srq *ibsrq);
int tavor_create_srq(struct ib_srq *ibsrq, struct ib_srq_init_attr *attr, struct ib_udata *udata);
int tavor_modify_srq(struct ib_srq *ibsrq, struct ib_srq_attr *attr, enum ib_srq_attr_mask mask,
		     struct ib_udata *udata);
int tavor_query_srq(struct ib_srq *ibsrq, struct ib_srq_attr *attr);
int tavor_destroy_srq(struct ib_srq *ibsrq, struct ib_udata *udata);
int tavor_post_srq_recv(struct ib_srq *ibsrq, const struct ib_recv_wr *wr,
			const struct ib_recv_wr **bad_wr);
u64 tavor_srq_complete(struct tavor_hw_srq *srq, u32 wqe_addr);

#endif /* TAVOR_SRQ_H */
