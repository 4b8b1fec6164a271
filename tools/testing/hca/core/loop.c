// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * The event loop: descriptors (epoll), timers (a binary heap) and deferred work (a list).
 *
 * A turn serves the descriptors that are ready, then the timers that are due, then the work that
 * was queued when the turn began. Work that schedules itself again waits for the next turn, so a
 * busy queue pair cannot starve the client. Timers and work items need no allocation: a timer
 * stores its own index in the heap.
 */
#define _GNU_SOURCE
#include "core/hca.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define MAX_EVENTS 16

struct heap_entry {
	u64 when;
	u64 seq; /* timers with equal times run in the order in which they were armed */
	struct hca_timer *timer;
};

static struct heap_entry *heap;
static size_t heap_len, heap_room;
static u64 heap_seq;
static struct hca_work *work_head, **work_tail = &work_head;
static int epoll_fd = -1;
static bool stopping;

u64 now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (u64)ts.tv_sec * 1000000000u + ts.tv_nsec;
}

/* --- timers ----------------------------------------------------------------------------------- */

static bool heap_before(size_t a, size_t b)
{
	if (heap[a].when != heap[b].when)
		return heap[a].when < heap[b].when;
	return heap[a].seq < heap[b].seq;
}

/* priv is the index in the heap plus one, so that NULL means "not armed" */
static void heap_note(size_t i)
{
	heap[i].timer->priv = (void *)(uintptr_t)(i + 1);
}

static void heap_swap(size_t a, size_t b)
{
	struct heap_entry tmp = heap[a];

	heap[a] = heap[b];
	heap[b] = tmp;
	heap_note(a);
	heap_note(b);
}

static void heap_up(size_t i)
{
	while (i > 0 && heap_before(i, (i - 1) / 2)) {
		heap_swap(i, (i - 1) / 2);
		i = (i - 1) / 2;
	}
}

static void heap_down(size_t i)
{
	for (;;) {
		size_t least = i;

		if (2 * i + 1 < heap_len && heap_before(2 * i + 1, least))
			least = 2 * i + 1;
		if (2 * i + 2 < heap_len && heap_before(2 * i + 2, least))
			least = 2 * i + 2;
		if (least == i)
			return;
		heap_swap(i, least);
		i = least;
	}
}

static void heap_grow(void)
{
	heap_room = heap_room ? heap_room * 2 : 256;
	heap = realloc(heap, heap_room * sizeof(*heap));
	if (!heap) {
		fprintf(stderr, "tavor-hca: out of memory for timers\n");
		exit(1);
	}
}

void timer_setup(struct hca_timer *t, void (*fn)(struct hca_timer *t))
{
	t->fn = fn;
	t->priv = NULL;
}

bool timer_armed(const struct hca_timer *t)
{
	return t->priv;
}

void timer_arm(struct hca_timer *t, u64 ns)
{
	u64 when = ns ? now_ns() + ns : 0;
	size_t i;

	if (t->priv) {
		i = (uintptr_t)t->priv - 1;
	} else {
		if (heap_len == heap_room)
			heap_grow();
		i = heap_len++;
		heap[i].timer = t;
		heap_note(i);
	}
	heap[i].when = when;
	heap[i].seq = heap_seq++;
	heap_up(i);
	heap_down((uintptr_t)t->priv - 1);
}

void timer_cancel(struct hca_timer *t)
{
	size_t i = (uintptr_t)t->priv - 1;

	if (!t->priv)
		return;
	t->priv = NULL;
	heap_len--;
	if (i == heap_len)
		return;
	heap[i] = heap[heap_len];
	heap_note(i);
	t = heap[i].timer;
	heap_up(i);
	heap_down((uintptr_t)t->priv - 1);
}

/* A timer that another timer arms here waits for the next turn, even if it is already due. */
static void timers_run(void)
{
	u64 last = heap_seq;
	u64 now;

	if (!heap_len)
		return;
	now = now_ns();
	while (heap_len && heap[0].when <= now && heap[0].seq < last) {
		struct hca_timer *t = heap[0].timer;

		timer_cancel(t);
		t->fn(t);
	}
}

/* --- work ------------------------------------------------------------------------------------- */

void work_schedule(struct hca_work *w)
{
	if (w->queued)
		return;
	w->queued = true;
	w->next = NULL;
	w->at = work_tail;
	*work_tail = w;
	work_tail = &w->next;
}

void work_cancel(struct hca_work *w)
{
	if (!w->queued)
		return;
	*w->at = w->next;
	if (w->next)
		w->next->at = w->at;
	else
		work_tail = w->at;
	w->queued = false;
}

/*
 * A mark at the end of the list ends this turn. It is an ordinary element of the list, so work may
 * cancel any other work.
 */
static void work_run(void)
{
	static struct hca_work mark;

	if (!work_head)
		return;
	work_schedule(&mark);
	while (work_head != &mark) {
		struct hca_work *w = work_head;

		work_cancel(w);
		w->fn(w);
	}
	work_cancel(&mark);
}

/* --- descriptors ------------------------------------------------------------------------------ */

static int loop_ctl(int op, struct hca_fd *f, u32 events)
{
	struct epoll_event ev = { .events = events, .data.ptr = f };

	if (epoll_fd < 0)
		epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (epoll_fd < 0 || epoll_ctl(epoll_fd, op, f->fd, &ev))
		return -errno;
	return 0;
}

int loop_add(struct hca_fd *f, u32 events)
{
	return loop_ctl(EPOLL_CTL_ADD, f, events);
}

int loop_modify(struct hca_fd *f, u32 events)
{
	return loop_ctl(EPOLL_CTL_MOD, f, events);
}

/*
 * The events of this turn that are not delivered yet. loop_remove() removes those of its
 * descriptor.
 */
static struct epoll_event ready[MAX_EVENTS];
static int ready_len;

void loop_remove(struct hca_fd *f)
{
	int i;

	loop_ctl(EPOLL_CTL_DEL, f, 0);
	for (i = 0; i < ready_len; i++)
		if (ready[i].data.ptr == f)
			ready[i].data.ptr = NULL;
}

/* Whether the file is a socket that nobody uses any longer, or does not exist. */
static int loop_check_stale(const struct sockaddr_un *addr)
{
	struct stat st;
	int fd, ret = 0;

	if (lstat(addr->sun_path, &st))
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return -EEXIST;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (!connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) || errno == EAGAIN)
		ret = -EADDRINUSE;
	else if (errno != ECONNREFUSED)
		ret = -errno;
	close(fd);
	return ret;
}

int loop_listen(struct hca_fd *f, const char *path, int backlog)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int ret;

	if (strlen(path) >= sizeof(addr.sun_path))
		return -ENAMETOOLONG;
	strcpy(addr.sun_path, path);
	ret = loop_check_stale(&addr);
	if (ret)
		return ret;
	unlink(path);
	f->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (f->fd < 0)
		return -errno;
	if (!bind(f->fd, (struct sockaddr *)&addr, sizeof(addr)) && !listen(f->fd, backlog))
		return loop_add(f, EPOLLIN);
	ret = -errno;
	close(f->fd);
	f->fd = -1;
	return ret;
}

static void fds_run(const struct timespec *wait)
{
	int i;

	if (epoll_fd < 0)
		epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	ready_len = epoll_pwait2(epoll_fd, ready, MAX_EVENTS, wait, NULL);
	for (i = 0; i < ready_len; i++) {
		struct hca_fd *f = ready[i].data.ptr;

		if (f)
			f->fn(f, ready[i].events);
	}
	ready_len = 0;
}

/*
 * Work runs last, because timers and descriptors of the same turn may have scheduled it. If any is
 * left, the next turn does not sleep.
 */
void loop_turn(bool block)
{
	struct timespec ts = { 0 };
	const struct timespec *wait = &ts;

	if (block && !work_head) {
		if (!heap_len) {
			wait = NULL;
		} else {
			u64 now = now_ns();
			u64 left = heap[0].when > now ? heap[0].when - now : 0;

			ts.tv_sec = left / 1000000000u;
			ts.tv_nsec = left % 1000000000u;
		}
	}
	fds_run(wait);
	timers_run();
	work_run();
}

void loop_run(void)
{
	stopping = false;
	while (!stopping)
		loop_turn(true);
}

void loop_stop(void)
{
	stopping = true;
}
