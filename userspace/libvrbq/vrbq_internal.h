/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * Declarations that the files of libvrbq share.
 *
 *	vrbq.c		creates, queries and destroys a queue
 *	prep.c		fills requests
 *	submit.c	accepts requests, and cancels them
 *	order.c		orders the requests on one object, and starts them
 *	threads.c	threads, which call libibverbs
 *	verbs.c		executes one request through libibverbs
 *	kernel.c	uses the verb queue of the driver
 *	reap.c		returns completions
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
 * enum state - the state of a request
 * @STATE_HELD: waits for an earlier request on the same object
 * @STATE_QUEUED: on vrbq.run, waits for a thread
 * @STATE_RUNNING: a thread executes it
 * @STATE_PENDING: on vrbq.pending; is submitted to the verb queue before the lock is released
 * @STATE_ISSUED: the verb queue has accepted it
 * @STATE_FINISHING: the verb queue has completed it, and libibverbs must be called for it; on
 *	vrbq.finishing, or a caller of vrbq_reap() is calling libibverbs
 * @STATE_OVER: on vrbq.done, can be reaped
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
 * @list: links the free entries, or the entries of one state
 * @all: links vrbq.outstanding, in the order of submission
 * @tail: links the bucket in vrbq.tails, if this is the last request on its object
 * @before: the previous request on the same object, if it is not over
 * @after: the next request on the same object
 * @request: as submitted
 * @result: the completion to be reaped. The thread that executes the request writes it without
 *	the lock, except for the state of the QP
 * @generation: distinguishes the uses of one entry
 * @state: enum state
 * @by_thread: a thread executes it, not the verb queue
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
 * @context: the device
 * @alive: a page that is zeroed in a forked child
 * @entries: array of @depth entries
 * @tails: hash table of the last request on each object
 * @buckets: size of @tails, a power of two
 * @event: eventfd; readable if @signalled
 * @epoll: descriptor for the program; watches @event, and @queue_fd if there is one
 * @queue_fd: the verb queue; -1: there is none, and threads execute all requests
 * @ops: operations of the verb queue; bit n is operation n of its interface
 * @max_batch: maximum number of requests in one submit to the verb queue
 * @batch: memory for one such submit
 * @slots: see struct vrbq_info
 * @revision: see struct vrbq_info
 * @lock: protects all members below. A thread that holds it must not wait for the device
 * @wake: threads wait on it for @run or @stopping
 * @closing: vrbq_destroy() waits until all requests are over; the program no longer reaps
 * @stopping: the threads must exit
 * @dead: the verb queue no longer exists, or its descriptor; its requests complete with EIO
 * @signalled: @event is readable
 * @nr_done: length of @done
 * @nr_outstanding: length of @outstanding
 * @nr_run: length of @run
 * @nr_idle: threads that wait on @wake
 * @nr_threads: length of @threads
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

/* Sets errno and returns -1. */
static inline int failed(int err)
{
	errno = err;
	return -1;
}

static inline bool is_qp_op(uint32_t op)
{
	return op >= VRBQ_OP_MODIFY_QP && op <= VRBQ_OP_DESTROY_QP;
}

/* No other request can follow it on its object. */
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
int vrbq_enter(struct vrbq *q, int *cancel);
void vrbq_leave(struct vrbq *q, int cancel);

/* order.c; called with the lock held */
struct entry *order_last(struct vrbq *q, const void *object);
void order_add(struct vrbq *q, struct entry *entry);
void order_begin(struct vrbq *q, struct entry *entry);
void order_over(struct vrbq *q, struct entry *entry, int status);
void order_note_state(struct entry *entry);
void order_leave(struct vrbq *q);

/* threads.c; called with the lock held, except for threads_stop() */
int threads_begin(struct vrbq *q);
void threads_run(struct vrbq *q, struct entry *entry);
void threads_stop(struct vrbq *q);

/* verbs.c; called without the lock */
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
void kernel_die(struct vrbq *q);

/* submit.c; called with the lock held */
int submit_cancel(struct vrbq *q, struct entry *entry);

/* reap.c; called with the lock held, and releases it meanwhile */
void reap_collect(struct vrbq *q, uint32_t want);

#endif /* VRBQ_INTERNAL_H */
