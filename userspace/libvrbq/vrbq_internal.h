/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * What the files of libvrbq share.
 *
 *	vrbq.c		a queue is made and goes
 *	prep.c		requests are filled
 *	submit.c	requests come in, and are taken back
 *	order.c		which request on an object comes after which, and what may begin
 *	threads.c	threads, for what libibverbs has to do
 *	verbs.c		one request by libibverbs
 *	kernel.c	the verb queue of the driver
 *	reap.c		completions go out
 */
#ifndef VRBQ_INTERNAL_H
#define VRBQ_INTERNAL_H

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <infiniband/vrbq.h>

#define DEFAULT_THREADS 16
#define STACK_SIZE (256 * 1024)

/**
 * enum state - where a request is
 * @STATE_HELD: one on the same object comes first
 * @STATE_QUEUED: on vrbq.run, for a thread
 * @STATE_RUNNING: a thread has it
 * @STATE_PENDING: on vrbq.pending, to be given to the verb queue before the lock is released
 * @STATE_ISSUED: the verb queue has it
 * @STATE_FINISHING: on vrbq.finishing, or a caller of vrbq_reap() has it: the verb queue is through
 *	with it, and libibverbs has to hear of it
 * @STATE_OVER: on vrbq.done, to be reaped
 */
enum state {
	STATE_HELD,
	STATE_QUEUED,
	STATE_RUNNING,
	STATE_PENDING,
	STATE_ISSUED,
	STATE_FINISHING,
	STATE_OVER,
};

/**
 * struct entry - one request, from its submit until it is reaped
 * @list: of the free ones, or of those in its state
 * @all: vrbq.outstanding, in the order of the submits
 * @tail: its bucket in vrbq.tails, if it is the last on its object
 * @before: the one on the same object that was submitted before it and is not over
 * @after: the one after it
 * @request: as submitted
 * @result: what will be reaped
 * @generation: tells uses of the same entry apart
 * @state: see there
 * @by_thread: libibverbs does it, not the verb queue
 */
struct entry {
	TAILQ_ENTRY(entry) list;
	TAILQ_ENTRY(entry) all;
	LIST_ENTRY(entry) tail;
	struct entry *before, *after;
	struct vrbq_request request;
	struct vrbq_completion result;
	uint32_t generation;
	enum state state;
	bool by_thread;
};

TAILQ_HEAD(entries, entry);
LIST_HEAD(bucket, entry);

/**
 * struct vrbq - a queue
 * @context: the device's
 * @alive: a page that a forked child finds empty
 * @entries: depth of them
 * @tails: a hash of the last requests on each object
 * @buckets: how many, a power of two
 * @event: eventfd; readable if @signalled
 * @epoll: what the program waits for: @event, and @queue_fd if there is one
 * @queue_fd: the verb queue; -1: threads
 * @ops: what the verb queue can do; bit n: operation n of its interface
 * @max_batch: requests in one call of the verb queue
 * @batch: room for one such call
 * @slots: see struct vrbq_info
 * @revision: see struct vrbq_info
 * @lock: for all that follows. A thread that holds it does not wait for the device
 * @wake: threads wait for @run or @stopping
 * @closing: vrbq_destroy() waits until all is over; the program does not reap any more
 * @stopping: threads end
 * @dead: the verb queue is no more: what it had completes with EIO
 * @signalled: @event is readable
 * @nr_done: length of @done
 * @nr_outstanding: length of @outstanding
 * @nr_run: length of @run
 * @nr_idle: threads that wait
 * @nr_threads: of @threads
 */
struct vrbq {
	struct ibv_context *context;
	volatile int *alive;
	struct entry *entries;
	struct bucket *tails;
	uint32_t buckets;
	uint32_t depth;
	uint32_t max_threads;
	int event, epoll, queue_fd;
	uint64_t ops;
	uint32_t max_batch, slots, revision;
	struct kernel_batch *batch;

	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool closing, stopping, dead, signalled;
	struct entries free, run, pending, finishing, done, outstanding;
	uint32_t nr_done, nr_outstanding, nr_run, nr_idle, nr_threads;
	pthread_t *threads;
};

/* errno, and -1 */
static inline int failed(int err)
{
	errno = err;
	return -1;
}

static inline bool is_qp_op(uint32_t op)
{
	return op >= VRBQ_OP_MODIFY_QP && op <= VRBQ_OP_DESTROY_QP;
}

/* Nothing can follow it on its object. */
static inline bool is_last_op(uint32_t op)
{
	return op == VRBQ_OP_DESTROY_QP || op == VRBQ_OP_DEREG_MR;
}

static inline bool is_to_reset(const struct vrbq_request *request)
{
	return request->op == VRBQ_OP_RESET_QP ||
	       (request->op == VRBQ_OP_MODIFY_QP && (request->modify.attr_mask & IBV_QP_STATE) &&
		request->modify.attr.qp_state == IBV_QPS_RESET);
}

/* vrbq.c */
int vrbq_enter(struct vrbq *q);

/* order.c; the lock is held */
struct entry *order_last(struct vrbq *q, const void *object);
void order_add(struct vrbq *q, struct entry *entry);
void order_begin(struct vrbq *q, struct entry *entry);
void order_over(struct vrbq *q, struct entry *entry, int status);
void order_leave(struct vrbq *q);

/* threads.c; the lock is held, but for threads_stop() */
int threads_begin(struct vrbq *q);
void threads_run(struct vrbq *q, struct entry *entry);
void threads_stop(struct vrbq *q);

/* verbs.c; without the lock */
void verbs_execute(struct ibv_context *context, struct entry *entry);
int verbs_destroy_qp(struct ibv_qp *qp);
int verbs_reset(struct ibv_qp *qp);
void verbs_undo(struct entry *entry);

/* kernel.c */
int kernel_open(struct vrbq *q);
bool kernel_has(const struct vrbq *q, const struct vrbq_request *request);
void kernel_flush(struct vrbq *q);
void kernel_pull(struct vrbq *q, uint32_t want);
int kernel_cancel(struct vrbq *q, struct entry *entry);

/* submit.c; the lock is held */
int submit_cancel(struct vrbq *q, struct entry *entry);

/* reap.c; with the lock, which it releases meanwhile */
void reap_collect(struct vrbq *q, uint32_t want);

#endif /* VRBQ_INTERNAL_H */
