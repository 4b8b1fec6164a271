// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Returns completions to the program.
 */
#include "vrbq_internal.h"

/* Finishes a request of the verb queue through libibverbs. Called without the lock. */
static int finish(const struct entry *entry)
{
	return entry->request.op == VRBQ_OP_DESTROY_QP ? verbs_destroy_qp(entry->request.qp) :
							 verbs_reset(entry->request.qp);
}

static void finish_all(struct vrbq *q, uint32_t most)
{
	struct entry *entry;
	int ret;

	while (most-- && (entry = TAILQ_FIRST(&q->finishing))) {
		TAILQ_REMOVE(&q->finishing, entry, list);
		pthread_mutex_unlock(&q->lock);
		ret = finish(entry);
		pthread_mutex_lock(&q->lock);
		order_note_state(entry);
		order_over(q, entry, ret);
	}
}

/* Collects up to @want completions in vrbq.done. Releases the lock meanwhile. */
void reap_collect(struct vrbq *q, uint32_t want)
{
	if (q->nr_done < want)
		kernel_pull(q, want - q->nr_done);
	if (q->nr_done < want)
		finish_all(q, want - q->nr_done);
}

static void give_back(struct vrbq *q, struct entry *entry)
{
	TAILQ_REMOVE(&q->done, entry, list);
	q->nr_done--;
	TAILQ_REMOVE(&q->outstanding, entry, all);
	q->nr_outstanding--;
	TAILQ_INSERT_HEAD(&q->free, entry, list);
}

int vrbq_reap(struct vrbq *q, struct vrbq_completion *completions, int n)
{
	struct entry *entry;
	int i, cancel, ret = vrbq_enter(q, &cancel);

	if (ret)
		return failed(ret);
	if (!completions || n < 1) {
		vrbq_leave(q, cancel);
		return failed(EINVAL);
	}
	reap_collect(q, n);
	/* If the device is gone, this completes the requests that were held until now. */
	kernel_flush(q);
	for (i = 0; i < n && (entry = TAILQ_FIRST(&q->done)); i++) {
		completions[i] = entry->result;
		give_back(q, entry);
	}
	ret = !i && q->dead && !q->nr_outstanding ? EIO : 0;
	order_leave(q);
	vrbq_leave(q, cancel);
	return ret ? failed(ret) : i;
}
