/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * Moves the entries of a kernel CQ from one buffer to another.
 */
#ifndef TAVOR_CQ_MOVE_H
#define TAVOR_CQ_MOVE_H

#include "cqe.h"

bool tavor_cq_follow(struct tavor_hw_cq *cq);
void tavor_cq_gather(struct tavor_hw_cq *cq);
void tavor_cq_left(struct tavor_hw_cq *cq);
bool tavor_cq_move_some(struct tavor_hw_cq *cq);

/* Whether a CQ whose buffer has no entry has one in the new buffer. The CQ's lock is held. */
static inline bool tavor_cq_goes_on(struct tavor_hw_cq *cq)
{
	return unlikely(cq->move) && tavor_cq_follow(cq);
}

#endif /* TAVOR_CQ_MOVE_H */
