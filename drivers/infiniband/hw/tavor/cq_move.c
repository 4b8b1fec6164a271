// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Moves the entries of a kernel CQ from one buffer to another.
 *
 * After RESIZE_CQ the hardware writes new entries to the new buffer, and nothing to the old one.
 * The first new entry has the index (old producer index modulo old size), modulo the new size. The
 * entries that were outstanding belong in front of it. The driver copies them there, newest first
 * and in portions, so that no lock is held for long. Meanwhile poll reads from the old buffer. An
 * entry that has been copied is given back to the hardware in the old buffer. When the old buffer
 * has no more entries, poll continues in the new one, even if the completion of the command has not
 * been seen yet.
 */
#include "cq_move.h"
#include "tavor.h"

#define TAVOR_CQ_PORTION	64U	/* entries in one hold of the CQ's lock */

/* Entry of the buffer that the CQ moves to; @index is free-running. */
static struct tavor_cqe *tavor_cqe_ahead(struct tavor_hw_cq *cq, u32 index)
{
	lockdep_assert_held(&cq->lock);
	return tavor_buf_at(&cq->spare,
			    (index & (cq->spare_entries - 1)) * sizeof(struct tavor_cqe));
}

/* Index in the new buffer of the entry at @moved, if the old buffer's entries end at @end. */
static u32 tavor_cq_index_ahead(const struct tavor_hw_cq *cq, u32 end, u32 moved)
{
	return (end & (cq->entries - 1)) - (end - moved);
}

/* Switches to the new buffer, which has all outstanding entries, from @first on. */
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
 * tavor_cq_follow() - continues in the new buffer, if that has an entry
 * @cq: a kernel CQ that is being resized; no entry was found in its buffer
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
	/* Entries that the hardware wrote to the old buffer before this one are visible now. */
	dma_rmb();
	if (!tavor_cq_next(cq))
		tavor_cq_switch(cq, first);
	return true;
}

/**
 * tavor_cq_left() - the hardware no longer writes the old buffer
 * @cq: a kernel CQ whose RESIZE_CQ has been executed
 *
 * Context: Any, the CQ's lock held.
 */
void tavor_cq_left(struct tavor_hw_cq *cq)
{
	lockdep_assert_held(&cq->lock);
	/* Poll may have noticed this before. */
	if (cq->move != TAVOR_CQ_LEAVING)
		return;
	cq->move = TAVOR_CQ_LEFT;
	cq->end = cq->cons_index;
}

static void tavor_cq_find_end(struct tavor_hw_cq *cq)
{
	u32 n;

	/* Poll may be ahead of the search. */
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
 * tavor_cq_move_some() - moves a portion of the entries in the old buffer
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

/* Whether the hardware has written to the new buffer before the command's completion was seen. */
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
 * tavor_cq_gather() - moves all entries to one buffer
 * @cq: a kernel CQ. While its RESIZE_CQ is outstanding the hardware may write new entries to
 *	either buffer, but none for a QP that it has released
 *
 * The duration is bounded by the number of entries.
 *
 * Context: Any, the CQ's lock held.
 */
void tavor_cq_gather(struct tavor_hw_cq *cq)
{
	lockdep_assert_held(&cq->lock);
	if (cq->move == TAVOR_CQ_LEAVING && tavor_cq_has_left(cq))
		tavor_cq_left(cq);
	while (tavor_cq_move_some(cq))
		;
}
