// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Threads that execute the requests on vrbq.run. A thread is created when more requests are queued
 * than threads are idle. Their number is bounded by max_threads.
 */
#include <signal.h>
#include "vrbq_internal.h"

/* Returns the next request, or NULL if the threads must stop; the remaining ones do not start. */
static struct entry *next(struct vrbq *q)
{
	struct entry *entry;

	while (TAILQ_EMPTY(&q->run) && !q->stopping) {
		q->nr_idle++;
		pthread_cond_wait(&q->wake, &q->lock);
		q->nr_idle--;
	}
	if (q->stopping)
		return NULL;
	entry = TAILQ_FIRST(&q->run);
	TAILQ_REMOVE(&q->run, entry, list);
	q->nr_run--;
	entry->state = STATE_RUNNING;
	return entry;
}

static void *work(void *arg)
{
	struct entry *entry;
	struct vrbq *q = arg;

	pthread_mutex_lock(&q->lock);
	while ((entry = next(q))) {
		pthread_mutex_unlock(&q->lock);
		verbs_execute(q->context, entry);
		pthread_mutex_lock(&q->lock);
		order_note_state(entry);
		order_over(q, entry, entry->result.status);
		order_leave(q);
	}
	pthread_mutex_unlock(&q->lock);
	return NULL;
}

/*
 * Creates a thread with a small stack. The thread-local variables of the program are in it, too: if
 * they do not fit, the stack has the usual size. Returns 0 or an errno.
 */
static int create(struct vrbq *q)
{
	pthread_t *thread = &q->threads[q->nr_threads];
	pthread_attr_t attr;
	int ret = pthread_attr_init(&attr);

	if (ret)
		return ret;
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	ret = pthread_create(thread, &attr, work, q);
	pthread_attr_destroy(&attr);
	return ret == EINVAL ? pthread_create(thread, NULL, work, q) : ret;
}

/* Creates a thread, with all signals blocked. Returns 0 or an errno. */
int threads_begin(struct vrbq *q)
{
	sigset_t all, old;
	int ret;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	ret = create(q);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (!ret)
		q->nr_threads++;
	return ret;
}

void threads_run(struct vrbq *q, struct entry *entry)
{
	entry->state = STATE_QUEUED;
	TAILQ_INSERT_TAIL(&q->run, entry, list);
	q->nr_run++;
	/* If no thread can be created, the existing ones execute it; there is at least one. */
	if (q->nr_run > q->nr_idle && q->nr_threads < q->max_threads)
		threads_begin(q);
	pthread_cond_signal(&q->wake);
}

void threads_stop(struct vrbq *q)
{
	uint32_t i;

	pthread_mutex_lock(&q->lock);
	q->stopping = true;
	pthread_cond_broadcast(&q->wake);
	pthread_mutex_unlock(&q->lock);
	for (i = 0; i < q->nr_threads; i++)
		pthread_join(q->threads[i], NULL);
}
