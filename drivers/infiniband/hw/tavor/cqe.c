// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * The entries of a kernel CQ: returns them to the hardware, and removes those of one QP.
 */
#include "cq_move.h"
#include "cqe.h"
#include "srq.h"
#include "tavor.h"

static bool tavor_cqe_of(const struct tavor_cqe *cqe, u32 qpn)
{
	return (be32_to_cpu(cqe->qpn) & TAVOR_QPN_MASK) == qpn;
}

static u32 tavor_cq_producer(struct tavor_hw_cq *cq)
{
	u32 prod = cq->cons_index;

	while (prod - cq->cons_index < cq->entries && tavor_cqe_is_sw(tavor_cqe_at(cq, prod)))
		prod++;
	dma_rmb();
	return prod;
}

/**
 * tavor_cq_clean() - remove the completions of one QP
 * @cq: a CQ; nothing is done to a user's
 * @qpn: QP that the hardware no longer processes
 * @srq: SRQ of its receives, or NULL
 *
 * Context: Any, the CQ's lock held.
 */
void tavor_cq_clean(struct tavor_hw_cq *cq, u32 qpn, struct tavor_hw_srq *srq)
{
	u32 index, removed = 0;

	lockdep_assert_held(&cq->lock);
	if (cq->half.user || !cq->buf.block)
		return;
	if (unlikely(cq->move))
		tavor_cq_gather(cq);
	/* Newest first: what is kept moves up to where something was removed. */
	for (index = tavor_cq_producer(cq); index != cq->cons_index; index--) {
		struct tavor_cqe *cqe = tavor_cqe_at(cq, index - 1);

		if (!tavor_cqe_of(cqe, qpn)) {
			if (removed)
				*tavor_cqe_at(cq, index - 1 + removed) = *cqe;
			continue;
		}
		if (srq && !tavor_cqe_is_send(cqe))
			tavor_srq_complete(srq, be32_to_cpu(cqe->wqe) & TAVOR_CQE_WQE_ADDR);
		removed++;
	}
	if (!removed)
		return;
	for (index = 0; index < removed; index++)
		tavor_cqe_free(cq, tavor_cqe_at(cq, cq->cons_index));
	tavor_cq_consumed(cq, removed);
}
