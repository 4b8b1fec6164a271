// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * The order of requests on one object. They are executed one after the other, in the order of their
 * submission. A thread starts a request when the previous one is over. The verb queue keeps the
 * order itself, so requests are submitted to it at once, except after a reset: libibverbs resets
 * its own state of the QP after the verb queue's reset, and the next request must wait for that.
 */
#include <unistd.h>
#include "vrbq_internal.h"

static struct bucket *bucket_of(struct vrbq *q, const void *object)
{
	uint64_t hash = (uintptr_t)object * 0x9e3779b97f4a7c15ull;

	return &q->tails[(hash >> 32) & (q->buckets - 1)];
}

/* The object whose requests are ordered; NULL for a create, which has no object yet. */
static const void *object_of(const struct entry *entry)
{
	if (is_qp_op(entry->request.op) || entry->request.op == VRBQ_OP_DEREG_MR)
		return entry->request.object;
	return NULL;
}

/* Returns the last submitted request on @object that is not over, or NULL. */
struct entry *order_last(struct vrbq *q, const void *object)
{
	struct entry *entry;

	LIST_FOREACH(entry, bucket_of(q, object), tail) {
		if (object_of(entry) == object)
			return entry;
	}
	return NULL;
}

static void append(struct vrbq *q, struct entry *entry)
{
	const void *object = object_of(entry);
	struct entry *last;

	entry->before = NULL;
	entry->after = NULL;
	if (!object)
		return;
	last = order_last(q, object);
	if (last) {
		LIST_REMOVE(last, tail);
		last->after = entry;
		entry->before = last;
	}
	LIST_INSERT_HEAD(bucket_of(q, object), entry, tail);
}

/* Returns the next request on the same object, or NULL. */
static struct entry *take_out(struct vrbq *q, struct entry *entry)
{
	struct entry *after = entry->after;

	if (!object_of(entry))
		return NULL;
	if (entry->before)
		entry->before->after = after;
	if (after) {
		after->before = entry->before;
		return after;
	}
	LIST_REMOVE(entry, tail);
	if (entry->before)
		LIST_INSERT_HEAD(bucket_of(q, object_of(entry)), entry->before, tail);
	return NULL;
}

static bool may_begin(const struct entry *entry)
{
	const struct entry *before = entry->before;

	if (!before)
		return true;
	return !entry->by_thread && !before->by_thread && !is_to_reset(&before->request) &&
	       (before->state == STATE_PENDING || before->state == STATE_ISSUED);
}

/* Starts @entry and the requests after it, up to the first that must wait. */
void order_begin(struct vrbq *q, struct entry *entry)
{
	for (; entry && entry->state == STATE_HELD && may_begin(entry); entry = entry->after) {
		if (entry->by_thread) {
			threads_run(q, entry);
		} else {
			entry->state = STATE_PENDING;
			TAILQ_INSERT_TAIL(&q->pending, entry, list);
		}
	}
}

/*
 * Notes the state of the QP for the completion. While an earlier request on the QP is executed,
 * libibverbs may be writing it. Then it is the state noted for that request.
 */
void order_note_state(struct entry *entry)
{
	if (!is_qp_op(entry->request.op) || entry->request.op == VRBQ_OP_DESTROY_QP)
		return;
	entry->result.qp_state =
		entry->before ? entry->before->result.qp_state : (uint32_t)entry->request.qp->state;
}

/* Adds a request that has just been submitted. */
void order_add(struct vrbq *q, struct entry *entry)
{
	entry->state = STATE_HELD;
	append(q, entry);
	order_note_state(entry);
	TAILQ_INSERT_TAIL(&q->outstanding, entry, all);
	q->nr_outstanding++;
	order_begin(q, entry);
}

/* Completes a request, which must have been removed from the list of its state. */
void order_over(struct vrbq *q, struct entry *entry, int status)
{
	struct entry *after = take_out(q, entry);

	entry->result.status = status;
	entry->state = STATE_OVER;
	TAILQ_INSERT_TAIL(&q->done, entry, list);
	q->nr_done++;
	order_begin(q, after);
}

/* Returns whether vrbq_reap() can return something: completions, or the error of a dead queue. */
static bool is_reapable(const struct vrbq *q)
{
	if (!TAILQ_EMPTY(&q->finishing))
		return true;
	if (q->closing)
		return q->nr_done == q->nr_outstanding;
	return q->nr_done || (q->dead && !q->nr_outstanding);
}

/*
 * Must be called before the lock is released. Submits the pending requests to the verb queue, and
 * makes the program's file descriptor readable or not.
 */
void order_leave(struct vrbq *q)
{
	uint64_t one = 1;
	bool want;

	kernel_flush(q);
	want = is_reapable(q);
	if (want == q->signalled)
		return;
	q->signalled = want;
	/* This neither blocks nor fails: the counter of the eventfd changes between 0 and 1. */
	if ((want ? write(q->event, &one, sizeof(one)) : read(q->event, &one, sizeof(one))) < 0)
		q->signalled = !want;
}
