/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * Completion queues.
 */
#ifndef TAVOR_CQ_H
#define TAVOR_CQ_H

#include <linux/mutex.h>

#include "hw_cq.h"
#include "object.h"
#include "tavor.h"
#include "uctx.h"

/* The buffer to which a process's CQ is resized */
struct tavor_cq_resize {
	u32 lkey;
	u32 entries;
	struct tavor_pin pin;
};

/**
 * enum tavor_cq_move - where the entries of a kernel CQ are while it is resized
 * @TAVOR_CQ_SETTLED: all are in &tavor_hw_cq.buf; &tavor_hw_cq.spare, if set, is for the next
 *	resize
 * @TAVOR_CQ_LEAVING: the command is outstanding: the hardware writes new entries to either buffer
 * @TAVOR_CQ_LEFT: the hardware writes new entries to &tavor_hw_cq.spare; the driver searches for
 *	the end of the entries in &tavor_hw_cq.buf
 * @TAVOR_CQ_MOVING: the driver copies the old entries, newest first, from &tavor_hw_cq.end
 *	downwards
 * @TAVOR_CQ_MOVED: all are in the new buffer, which is now &tavor_hw_cq.buf; the hardware still
 *	knows both buffers
 */
enum tavor_cq_move {
	TAVOR_CQ_SETTLED,
	TAVOR_CQ_LEAVING,
	TAVOR_CQ_LEFT,
	TAVOR_CQ_MOVING,
	TAVOR_CQ_MOVED,
};

/**
 * struct tavor_hw_cq - a CQ as the hardware sees it
 * @object: parents: for a user's CQ its PD and its MR
 * @dev: device
 * @ibcq: the CQ its events and completions are for
 * @half: what it has in common with other queues
 * @cqn: number; the low bits are its index
 * @vector: its completion EQ, which has room for its events
 * @entries: power of two; one of them always stays free
 * @uar: UAR page of its doorbells
 * @pdn: of the buffer's region
 * @lkey: of the buffer
 * @arm: doorbells that arm it for the next event, and for the next solicited one
 * @lock: protects the following up to @moved, @resize_left, and of a kernel CQ also @entries and
 *	@lkey; must not be taken inside a work queue's lock
 * @cons_index: CQEs consumed since the create; modulo @entries the index of the next one
 * @last_qp: QP whose completion was polled last; in the table and not hidden, or NULL
 * @send_qps: kernel QPs whose sends complete here
 * @recv_qps: kernel QPs whose receives complete here
 * @buf: kernel CQs only
 * @spare: for a resize of a kernel CQ: the next buffer, and afterwards the previous one
 * @spare_entries: number of entries of @spare
 * @move: progress of a resize of a kernel CQ
 * @end: during a move: the index after the last entry of @buf; while that is unknown, the index up
 *	to which it has been searched for
 * @moved: entries from this index on are copies in @spare
 * @pin: the PD and the region of a user's CQ buffer
 * @resize: of a user's CQ, while its command is outstanding
 * @resize_lock: one resize at a time; the others wait
 * @resize_left: @spare is of ib_core's resize, which is in progress or has timed out
 * @drain: wait for the completion EQ, after the hardware has released the CQ
 */
struct tavor_hw_cq {
	struct vrb_object object;
	struct tavor_dev *dev;
	struct ib_cq *ibcq;
	struct tavor_half half;
	u32 cqn;
	u32 vector;
	u32 entries;
	u32 uar;
	u32 pdn;
	u32 lkey;
	__be64 arm[2];

	spinlock_t lock;		/* CQEs */
	u32 cons_index;
	struct tavor_hw_qp *last_qp;
	struct list_head send_qps;
	struct list_head recv_qps;
	struct tavor_buf buf;
	struct tavor_buf spare;
	u32 spare_entries;
	enum tavor_cq_move move;
	u32 end;
	u32 moved;
	struct tavor_pin pin;
	struct tavor_cq_resize resize;
	struct mutex resize_lock;	/* see above */
	bool resize_left;
	struct tavor_eq_drain drain;
};

struct tavor_cq {
	struct ib_cq ib;
	struct tavor_hw_cq *hw;
	struct tavor_owned owned;	/* a process's */
};

static inline struct tavor_hw_cq *to_hw_cq(struct vrb_object *object)
{
	return container_of(object, struct tavor_hw_cq, object);
}

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
int tavor_cq_pin(struct tavor_hw_cq *cq, struct tavor_ucontext *ctx, u32 lkey, u32 entries,
		 struct tavor_pin *pin);
int tavor_cq_buf_alloc(struct tavor_dev *dev, u32 entries, struct tavor_buf *buf, gfp_t gfp);

void tavor_cq_lock_pair(struct tavor_hw_cq *a, struct tavor_hw_cq *b, unsigned long *flags);
void tavor_cq_unlock_pair(struct tavor_hw_cq *a, struct tavor_hw_cq *b, unsigned long flags);

#endif /* TAVOR_CQ_H */
