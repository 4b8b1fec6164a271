/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * Completion queues.
 */
#ifndef TAVOR_CQ_H
#define TAVOR_CQ_H

#include "tavor.h"
#include "hw_cq.h"

struct tavor_hw_qp;
struct tavor_hw_srq;

/* Keeps the PD and the MR of a user's buffer alive; a resize changes one for another. */
struct tavor_cq_pin {
	struct vrb_object object;
};

/* The buffer a resize goes to. */
struct tavor_cq_resize {
	u32 lkey;
	u32 entries;
	bool issued;			/* the pin is the CQ's now */
	struct tavor_cq_pin *pin;
};

/**
 * struct tavor_hw_cq - a CQ as the hardware sees it
 * @ibcq: the CQ its events and completions are for
 * @cqn: number; the low bits are its index
 * @vector: completion EQ
 * @user: the buffer is a process's
 * @hw_owned: SW2HW_CQ has succeeded
 * @entries: power of two; one of them always stays free
 * @uar: page its doorbells come from
 * @pdn: of the buffer's region
 * @lkey: of the buffer
 * @lock: the following; taken inside no work queue's lock
 * @cons_index: CQEs consumed, ever; modulo @entries the next one to look at
 * @buf: kernel CQs only
 * @pin: of the buffer of a user's CQ
 * @resize: while its command is under way; its pin is NULL otherwise
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
	u32 entries;
	u32 uar;
	u32 pdn;
	u32 lkey;

	spinlock_t lock;		/* CQEs and what follows from them */
	u32 cons_index;
	struct tavor_buf buf;
	struct tavor_cq_pin *pin;
	struct tavor_cq_resize resize;
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

int tavor_create_cq(struct ib_cq *ibcq, const struct ib_cq_init_attr *attr,
		    struct uverbs_attr_bundle *attrs);
int tavor_destroy_cq(struct ib_cq *ibcq, struct ib_udata *udata);
int tavor_resize_user_cq(struct ib_cq *ibcq, tavor_resize_cqe_t cqe, struct ib_udata *udata);
int tavor_poll_cq(struct ib_cq *ibcq, int num, struct ib_wc *wc);
int tavor_req_notify_cq(struct ib_cq *ibcq, enum ib_cq_notify_flags flags);

void tavor_cq_consumed(struct tavor_hw_cq *cq, u32 count);
void tavor_cq_clean(struct tavor_hw_cq *cq, u32 qpn, struct tavor_hw_srq *srq);
void tavor_cq_lock_pair(struct tavor_hw_cq *a, struct tavor_hw_cq *b, unsigned long *flags);
void tavor_cq_unlock_pair(struct tavor_hw_cq *a, struct tavor_hw_cq *b, unsigned long flags);

/* Entry of a kernel CQ; @index is free-running. The CQ's lock is held. */
static inline struct tavor_cqe *tavor_cqe_at(struct tavor_hw_cq *cq, u32 index)
{
	lockdep_assert_held(&cq->lock);
	return tavor_buf_at(&cq->buf, (index & (cq->entries - 1)) * sizeof(struct tavor_cqe));
}

static inline bool tavor_cqe_is_sw(const struct tavor_cqe *cqe)
{
	return !(READ_ONCE(cqe->owner) & TAVOR_CQE_OWNER_HW);
}

static inline bool tavor_cqe_is_error(const struct tavor_cqe *cqe)
{
	return (cqe->opcode & TAVOR_CQE_OPCODE_ERR_MASK) == TAVOR_CQE_OPCODE_ERR_MASK;
}

/* Of an error CQE the opcode says it. */
static inline bool tavor_cqe_is_send(const struct tavor_cqe *cqe)
{
	if (tavor_cqe_is_error(cqe))
		return cqe->opcode == TAVOR_CQE_OPCODE_ERR_SEND;
	return cqe->is_send & TAVOR_CQE_SEND;
}

/* The next entry software owns, complete in memory, or NULL. The CQ's lock is held. */
static inline struct tavor_cqe *tavor_cq_next(struct tavor_hw_cq *cq)
{
	struct tavor_cqe *cqe = tavor_cqe_at(cq, cq->cons_index);

	if (!tavor_cqe_is_sw(cqe))
		return NULL;
	dma_rmb();
	return cqe;
}

static inline void tavor_cqe_give_back(struct tavor_cqe *cqe)
{
	WRITE_ONCE(cqe->owner, TAVOR_CQE_OWNER_HW);
}

static inline void tavor_cqe_free(struct tavor_hw_cq *cq, struct tavor_cqe *cqe)
{
	tavor_cqe_give_back(cqe);
	cq->cons_index++;
}

#endif /* TAVOR_CQ_H */
