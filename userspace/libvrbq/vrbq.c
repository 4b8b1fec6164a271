// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Creates, queries and destroys a queue.
 */
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include "vrbq_internal.h"

#define PAGE 4096
#define LOOK_MS 10

/*
 * Takes the lock and returns 0, or returns an errno: EPERM in a child of the process that created
 * the queue. pthread_cancel() has no effect until vrbq_leave(): the thread must not end with the
 * lock held. @cancel gets the state to be restored.
 */
int vrbq_enter(struct vrbq *q, int *cancel)
{
	if (!q)
		return EINVAL;
	if (!*q->alive)
		return EPERM;
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, cancel);
	pthread_mutex_lock(&q->lock);
	return 0;
}

void vrbq_leave(struct vrbq *q, int cancel)
{
	pthread_mutex_unlock(&q->lock);
	pthread_setcancelstate(cancel, NULL);
}

static int check_attr(const struct ibv_context *context, const struct vrbq_attr *attr)
{
	if (!context || !attr || attr->comp_mask || attr->backend > VRBQ_BACKEND_VERB_QUEUE ||
	    !attr->depth || attr->depth > VRBQ_MAX_DEPTH || attr->max_threads > VRBQ_MAX_THREADS)
		return EINVAL;
	return 0;
}

static int open_fds(struct vrbq *q)
{
	struct epoll_event event = { .events = EPOLLIN };

	q->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	q->epoll = epoll_create1(EPOLL_CLOEXEC);
	event.data.fd = q->event;
	if (q->event < 0 || q->epoll < 0 || epoll_ctl(q->epoll, EPOLL_CTL_ADD, q->event, &event))
		return errno;
	return 0;
}

/* After fork() the child has a zeroed page in place of this one. */
static int open_page(struct vrbq *q)
{
	void *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		return errno;
	q->alive = page;
	if (madvise(page, PAGE, MADV_WIPEONFORK))
		return errno;
	*q->alive = 1;
	return 0;
}

static int open_memory(struct vrbq *q)
{
	uint32_t i;

	for (q->buckets = 1; q->buckets < q->depth; q->buckets *= 2)
		;
	q->entries = calloc(q->depth, sizeof(*q->entries));
	q->tails = calloc(q->buckets, sizeof(*q->tails));
	q->threads = calloc(q->max_threads, sizeof(*q->threads));
	if (!q->entries || !q->tails || !q->threads)
		return ENOMEM;
	for (i = 0; i < q->depth; i++)
		TAILQ_INSERT_TAIL(&q->free, &q->entries[i], list);
	return 0;
}

static int open_backend(struct vrbq *q, uint32_t backend)
{
	int ret;

	if (backend != VRBQ_BACKEND_THREADS) {
		ret = kernel_open(q);
		if ((ret != EOPNOTSUPP && ret != EPROTO) || backend == VRBQ_BACKEND_VERB_QUEUE)
			return ret;
	}
	return threads_begin(q);
}

static void release(struct vrbq *q)
{
	threads_stop(q);
	if (q->queue_fd >= 0)
		close(q->queue_fd);
	if (q->epoll >= 0)
		close(q->epoll);
	if (q->event >= 0)
		close(q->event);
	if (q->alive)
		munmap((void *)q->alive, PAGE);
	pthread_cond_destroy(&q->wake);
	pthread_mutex_destroy(&q->lock);
	free(q->batch);
	free(q->threads);
	free(q->tails);
	free(q->entries);
	free(q);
}

static struct vrbq *new(struct ibv_context *context, const struct vrbq_attr *attr)
{
	struct vrbq *q = calloc(1, sizeof(*q));

	if (!q)
		return NULL;
	q->context = context;
	q->depth = attr->depth;
	q->max_threads = attr->max_threads ? attr->max_threads : DEFAULT_THREADS;
	q->event = -1;
	q->epoll = -1;
	q->queue_fd = -1;
	pthread_mutex_init(&q->lock, NULL);
	pthread_cond_init(&q->wake, NULL);
	TAILQ_INIT(&q->free);
	TAILQ_INIT(&q->run);
	TAILQ_INIT(&q->pending);
	TAILQ_INIT(&q->finishing);
	TAILQ_INIT(&q->done);
	TAILQ_INIT(&q->outstanding);
	return q;
}

static int open_all(struct vrbq *q, uint32_t backend)
{
	int ret = open_memory(q);

	if (!ret)
		ret = open_page(q);
	if (!ret)
		ret = open_fds(q);
	return ret ? ret : open_backend(q, backend);
}

struct vrbq *vrbq_create(struct ibv_context *context, const struct vrbq_attr *attr)
{
	int cancel, ret = check_attr(context, attr);
	struct vrbq *q;

	if (ret) {
		errno = ret;
		return NULL;
	}
	q = new (context, attr);
	if (!q)
		return NULL;
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
	ret = open_all(q, attr->backend);
	if (ret)
		release(q);
	pthread_setcancelstate(cancel, NULL);
	if (!ret)
		return q;
	errno = ret;
	return NULL;
}

static void cancel_all(struct vrbq *q)
{
	struct entry *entry;

	TAILQ_FOREACH(entry, &q->outstanding, all) {
		if (!is_last_op(entry->request.op))
			submit_cancel(q, entry);
	}
}

/*
 * Waits for a request that is over. Called without the lock. Returns false if the program has
 * closed the descriptor. Then threads are waited for by looking often.
 */
static bool drain_wait(const struct vrbq *q)
{
	struct pollfd fd = { .fd = q->epoll, .events = POLLIN };

	if (poll(&fd, 1, -1) < 0 ? errno == EINTR : !(fd.revents & POLLNVAL))
		return true;
	poll(NULL, 0, LOOK_MS);
	return false;
}

/*
 * Waits until all requests that have started, and all destroys, are over. Then order_leave() makes
 * the descriptor readable.
 */
static void drain(struct vrbq *q)
{
	bool good;

	while (q->nr_done < q->nr_outstanding) {
		reap_collect(q, q->nr_outstanding);
		order_leave(q);
		if (q->nr_done == q->nr_outstanding)
			break;
		pthread_mutex_unlock(&q->lock);
		good = drain_wait(q);
		pthread_mutex_lock(&q->lock);
		if (!good)
			kernel_die(q);
	}
}

int vrbq_destroy(struct vrbq *q)
{
	struct entry *entry;
	int ret, cancel;

	if (!q)
		return 0;
	ret = vrbq_enter(q, &cancel);
	if (ret)
		return failed(ret);
	q->closing = true;
	cancel_all(q);
	drain(q);
	pthread_mutex_unlock(&q->lock);
	TAILQ_FOREACH(entry, &q->done, list)
		verbs_undo(entry);
	release(q);
	pthread_setcancelstate(cancel, NULL);
	return 0;
}

int vrbq_fd(struct vrbq *q)
{
	if (!q)
		return failed(EINVAL);
	return *q->alive ? q->epoll : failed(EPERM);
}

enum vrbq_backend vrbq_backend(struct vrbq *q)
{
	return q->queue_fd < 0 ? VRBQ_BACKEND_THREADS : VRBQ_BACKEND_VERB_QUEUE;
}

int vrbq_query(struct vrbq *q, struct vrbq_info *info, size_t size)
{
	struct vrbq_info full = {};
	int cancel, ret = vrbq_enter(q, &cancel);

	if (ret)
		return failed(ret);
	full.backend = vrbq_backend(q);
	full.depth = q->depth;
	full.outstanding = q->nr_outstanding;
	full.max_threads = q->max_threads;
	full.threads = q->nr_threads;
	full.slots = q->slots;
	full.revision = q->revision;
	vrbq_leave(q, cancel);
	if (!info || !size)
		return failed(EINVAL);
	/* A program with a larger structure gets 0 in the members that this library lacks. */
	memset(info, 0, size);
	memcpy(info, &full, size < sizeof(full) ? size : sizeof(full));
	return 0;
}
