/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * Completion queues.
 */
#ifndef TAVOR_CQ_H
#define TAVOR_CQ_H

#include <linux/mutex.h>

#include "hw_cq.h"
#include "tavor.h"
#include "uctx.h"

/* The buffer a resize goes to */
struct tavor_cq_resize {
	u32 lkey;
	u32 entries;
	struct tavor_pin pin;
};

/**
 * struct tavor_hw_cq - a CQ as the hardware sees it
 * @ibcq: the CQ its events and completions are for
 * @cqn: number; the low bits are its index
 * @vector: its completion EQ, which has room for its events
 * @user: the buffer is a process's
 * @hw_owned: SW2HW_CQ has succeeded
 * @open: a kernel CQ that has been created: it may be polled and armed
 * @entries: power of two; one of them always stays free
 * @uar: page its doorbells come from
 * @pdn: of the buffer's region
 * @lkey: of the buffer
 * @lock: the following; taken inside no work queue's lock
 * @cons_index: CQEs consumed, ever; modulo @entries the next one to look at
 * @buf: kernel CQs only
 * @pin: what the buffer of a user's CQ lies in
 * @resize: while its command is under way
 * @resize_lock: one resize at a time; the others wait
 * @drain: wait for the completion EQ, when the hardware has let go
 */
struct tavor_hw_cq {
	struct vrb_object object;
	struct tavor_dev *dev;
	struct ib_cq *ibcq;
	u32 cqn;
	u32 vector;
	bool user;
	bool hw_owned;
	bool open;
	u32 entries;
	u32 uar;
	u32 pdn;
	u32 lkey;

	spinlock_t lock;		/* CQEs and what follows from them */
	u32 cons_index;
	struct list_head send_qps;	/* kernel QPs that complete here; under lock */
	struct list_head recv_qps;
	struct tavor_buf buf;
	struct tavor_pin pin;
	struct tavor_cq_resize resize;
	struct mutex resize_lock;	/* see above */
	struct tavor_eq_drain drain;
};

struct tavor_cq {
	struct ib_cq ib;
	struct tavor_hw_cq *hw;
};

static inline struct tavor_cq *to_tcq(struct ib_cq *ibcq)
{
	return container_of(ibcq, struct tavor_cq, ib);
}

int tavor_cq_table_init(struct tavor_dev *dev);
void tavor_cq_table_cleanup(struct tavor_dev *dev);
void tavor_cq_completion(struct tavor_dev *dev, u32 cqn);
void tavor_cq_error(struct tavor_dev *dev, u32 cqn, bool overrun);

extern const struct vrb_verb tavor_verb_create_cq;
int tavor_init_cq(struct ib_cq *ibcq, const struct ib_cq_init_attr *attr, gfp_t gfp);
struct vrb_object *tavor_cq_object(struct ib_cq *ibcq);
int tavor_create_cq(struct ib_cq *ibcq, const struct ib_cq_init_attr *attr,
		    struct uverbs_attr_bundle *attrs);
int tavor_destroy_cq(struct ib_cq *ibcq, struct ib_udata *udata);
int tavor_resize_user_cq(struct ib_cq *ibcq, vrb_resize_cqe_t cqe, struct ib_udata *udata);

void tavor_cq_lock_pair(struct tavor_hw_cq *a, struct tavor_hw_cq *b, unsigned long *flags);
void tavor_cq_unlock_pair(struct tavor_hw_cq *a, struct tavor_hw_cq *b, unsigned long flags);

#endif /* TAVOR_CQ_H */
