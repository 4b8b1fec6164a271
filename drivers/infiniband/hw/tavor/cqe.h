/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * The entries of a kernel CQ.
 */
#ifndef TAVOR_CQE_H
#define TAVOR_CQE_H

#include <linux/bitfield.h>

#include "cq.h"

struct tavor_hw_srq;

void tavor_cq_clean(struct tavor_hw_cq *cq, u32 qpn, struct tavor_hw_srq *srq);

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
	return cqe->opcode >= TAVOR_CQE_OPCODE_ERR_RECV;
}

/* In an error CQE the opcode says which queue it is for. */
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

/* Tells the hardware that @count entries are free again, > 0. The CQ's lock is held. */
static inline void tavor_cq_consumed(struct tavor_hw_cq *cq, u32 count)
{
	lockdep_assert_held(&cq->lock);
	tavor_ring(&cq->dev->kar, TAVOR_DB_CQ,
		   FIELD_PREP(TAVOR_CQ_DB_CMD, TAVOR_CQ_DB_INC_CI) | cq->cqn, count - 1);
}

#endif /* TAVOR_CQE_H */
