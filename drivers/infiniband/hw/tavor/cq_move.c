// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * The entries of a kernel CQ that goes from one buffer to another.
 *
 * The hardware writes what comes after RESIZE_CQ to the new buffer, and nothing to the old one. It
 * goes on at its old producer index modulo the old size, which is modulo the new size where the
 * first new entry comes; what was outstanding counts as in front of that. There it is copied,
 * newest first and in portions, so that no lock is held for long. Meanwhile who polls takes the
 * rest from the old buffer: where an entry has been copied the old one is the hardware's again, and
 * when there is nothing more of it he goes on in the new one, even before the command is known to
 * be done.
 */
#include "cq_move.h"
#include "tavor.h"

#define TAVOR_CQ_PORTION	64U	/* entries in one hold of the CQ's lock */

/* Entry of the buffer that the CQ goes to; @index is free-running. */
static struct tavor_cqe *tavor_cqe_ahead(struct tavor_hw_cq *cq, u32 index)
{
	lockdep_assert_held(&cq->lock);
	return tavor_buf_at(&cq->spare,
			    (index & (cq->spare_entries - 1)) * sizeof(struct tavor_cqe));
}

/* Of the entry at @index, or the copy of the one at @moved, the index in the other buffer. */
static u32 tavor_cq_index_ahead(const struct tavor_hw_cq *cq, u32 end, u32 moved)
{
	return (end & (cq->entries - 1)) - (end - moved);
}

/* All that is outstanding is in the other buffer, from @first on. */
static void tavor_cq_switch(struct tavor_hw_cq *cq, u32 first)
{
	swap(cq->buf, cq->spare);
	swap(cq->entries, cq->spare_entries);
	cq->lkey = cq->buf.mpt.key;
	cq->cons_index = first;
	cq->move = TAVOR_CQ_MOVED;
	WRITE_ONCE(cq->ibcq->cqe, cq->entries - 1);
}

/**
 * tavor_cq_follow() - go on in the other buffer, if there is something
 * @cq: a kernel CQ that is being resized; its buffer had nothing more when it was looked at
 *
 * Context: Any, the CQ's lock held.
 * Return: whether there is an entry to be polled.
 */
bool tavor_cq_follow(struct tavor_hw_cq *cq)
{
	u32 end = cq->move == TAVOR_CQ_MOVING ? cq->end : cq->cons_index;
	u32 first = tavor_cq_index_ahead(cq, end, cq->cons_index);

	lockdep_assert_held(&cq->lock);
	if (cq->move != TAVOR_CQ_LEAVING && cq->move != TAVOR_CQ_LEFT &&
	    cq->move != TAVOR_CQ_MOVING)
		return false;
	if (!tavor_cqe_is_sw(tavor_cqe_ahead(cq, first)))
		return false;
	/* What the hardware has written before is in the old buffer, and visible with this. */
	dma_rmb();
	if (!tavor_cq_next(cq))
		tavor_cq_switch(cq, first);
	return true;
}

/**
 * tavor_cq_left() - the hardware does not write the buffer any more
 * @cq: a kernel CQ whose RESIZE_CQ has been executed
 *
 * Context: Any, the CQ's lock held.
 */
void tavor_cq_left(struct tavor_hw_cq *cq)
{
	lockdep_assert_held(&cq->lock);
	/* Unless who polls has noticed before. */
	if (cq->move != TAVOR_CQ_LEAVING)
		return;
	cq->move = TAVOR_CQ_LEFT;
	cq->end = cq->cons_index;
}

static void tavor_cq_find_end(struct tavor_hw_cq *cq)
{
	u32 n;

	/* Who polls may be ahead of the search. */
	if ((s32)(cq->end - cq->cons_index) < 0)
		cq->end = cq->cons_index;
	for (n = 0; n < TAVOR_CQ_PORTION; n++, cq->end++) {
		if (cq->end - cq->cons_index < cq->entries &&
		    tavor_cqe_is_sw(tavor_cqe_at(cq, cq->end)))
			continue;
		dma_rmb();
		cq->moved = cq->end;
		cq->move = TAVOR_CQ_MOVING;
		return;
	}
}

static void tavor_cq_copy_some(struct tavor_hw_cq *cq)
{
	u32 to = tavor_cq_index_ahead(cq, cq->end, cq->moved);
	struct tavor_cqe *cqe;
	u32 n;

	for (n = 0; n < TAVOR_CQ_PORTION && cq->moved != cq->cons_index; n++) {
		cqe = tavor_cqe_at(cq, --cq->moved);
		*tavor_cqe_ahead(cq, --to) = *cqe;
		tavor_cqe_give_back(cqe);
	}
	if (cq->moved == cq->cons_index)
		tavor_cq_switch(cq, to);
}

/**
 * tavor_cq_move_some() - a portion of what the hardware has left behind
 * @cq: a kernel CQ after tavor_cq_left()
 *
 * Context: Any, the CQ's lock held.
 * Return: whether there is more to do.
 */
bool tavor_cq_move_some(struct tavor_hw_cq *cq)
{
	lockdep_assert_held(&cq->lock);
	if (cq->move == TAVOR_CQ_LEFT)
		tavor_cq_find_end(cq);
	else if (cq->move == TAVOR_CQ_MOVING)
		tavor_cq_copy_some(cq);
	return cq->move == TAVOR_CQ_LEFT || cq->move == TAVOR_CQ_MOVING;
}

/* Whether the hardware has written to the other buffer before its command is known to be done. */
static bool tavor_cq_has_left(struct tavor_hw_cq *cq)
{
	u32 end = cq->cons_index;

	while (end - cq->cons_index < cq->entries && tavor_cqe_is_sw(tavor_cqe_at(cq, end)))
		end++;
	if (!tavor_cqe_is_sw(tavor_cqe_ahead(cq, tavor_cq_index_ahead(cq, end, end))))
		return false;
	dma_rmb();
	return true;
}

/**
 * tavor_cq_gather() - all entries to one buffer
 * @cq: a kernel CQ. While its RESIZE_CQ is under way entries may yet come to either, but none of a
 *	QP that the hardware has let go of
 *
 * Context: Any, the CQ's lock held. As long as there are entries.
 */
void tavor_cq_gather(struct tavor_hw_cq *cq)
{
	lockdep_assert_held(&cq->lock);
	if (cq->move == TAVOR_CQ_LEAVING && tavor_cq_has_left(cq))
		tavor_cq_left(cq);
	while (tavor_cq_move_some(cq))
		;
}
