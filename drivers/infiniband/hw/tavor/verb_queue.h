/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * Verb queues: requests of a process and their completions.
 */
#ifndef TAVOR_VERB_QUEUE_H
#define TAVOR_VERB_QUEUE_H

#include <linux/list.h>
#include <linux/rbtree.h>
#include <linux/wait.h>

#include <rdma/ib_verbs.h>
#include <rdma/vrb_provider.h>

#include "qp.h"

struct tavor_dev;
struct tavor_queue;

enum tavor_queued_state {
	TAVOR_QUEUED_FREE,	/* or being filled in */
	TAVOR_QUEUED_WAITING,
	TAVOR_QUEUED_ISSUED,	/* the engine has it */
	TAVOR_QUEUED_OVER,
};

/**
 * struct tavor_queued - one entry of a verb queue, and the request in it
 * @vrb: common to all requests
 * @modify: its inputs
 * @connect: its inputs; the attributes of both are in the same place
 * @reset: of a reset or a quiesce
 * @query: its results
 * @queue: the queue that the entry belongs to
 * @qp: of a request that waits or is issued. A waiting request has a reference to it
 * @gids: held for the paths in its attributes; NULL: none
 * @taken: ib_core has passed its attributes to the driver
 * @state: enum tavor_queued_state; under &tavor_dev.queues_lock, as is what follows
 * @entry: in the queue's list of entries in the same state
 * @qp_entry: in the list of the QP's requests that are
 * @port: the port that it names, as long as its result is not known; 0: none
 * @port_entry: in the list of the QP's requests with a @port
 * @node: in the tree of outstanding requests, by @user_data
 * @user_data: the process's name for it
 * @op: enum vrb_queue_op, as the process passed it
 * @qp_num: number of the QP
 * @status: 0 or a negative errno
 * @step: &vrb.step
 * @qp_state: of the QP after the request
 */
struct tavor_queued {
	union {
		struct vrb vrb;
		struct vrb_modify_qp modify;
		struct tavor_connect_user_qp connect;
		struct vrb_reset_qp reset;
		struct vrb_query_qp query;
	};
	struct tavor_queue *queue;
	struct tavor_hw_qp *qp;
	const struct ib_gid_attr *gids[2];
	bool taken;
	enum tavor_queued_state state;
	struct list_head entry;
	struct list_head qp_entry;
	u32 port;
	struct list_head port_entry;
	struct rb_node node;
	u64 user_data;
	u32 op;
	u32 qp_num;
	int status;
	u32 step;
	enum ib_qp_state qp_state;
};

/**
 * struct tavor_queue - a verb queue
 * @dev: the device; NULL once the queue is closed
 * @user: the process, among those that share the command slots
 * @group: its requests in the engine
 * @feeder: continues where a run had to stop
 * @wait: readers that wait for completions
 * @place: all entries
 * @free: entries without a request; this and all that follows are under &tavor_dev.queues_lock,
 *	except that readers hold @lock
 * @waiting: requests that the engine does not have yet, oldest first
 * @over: completions, oldest first
 * @by_name: outstanding requests, by &tavor_queued.user_data
 * @active: number of QPs whose first request in the engine is this queue's
 * @share: limit of @active
 * @closed: nothing completes any more
 * @lock: serializes readers; also keeps the queue from being closed meanwhile
 */
struct tavor_queue {
	struct tavor_dev *dev;
	struct vrb_user *user;
	struct vrb_group group;
	struct vrb_softirq feeder;
	wait_queue_head_t wait;
	struct tavor_queued *place;
	struct list_head free;
	struct list_head waiting;
	struct list_head over;
	struct rb_root by_name;
	unsigned int active;
	unsigned int share;
	bool closed;
	struct mutex lock;	/* see above */
};

int tavor_queue_open(struct tavor_queue *queue, struct tavor_dev *dev, struct vrb_user *user,
		     u32 depth);
void tavor_queue_close(struct tavor_queue *queue);

struct tavor_queued *tavor_queue_get(struct tavor_queue *queue, struct tavor_hw_qp *qp);
void tavor_queue_name_port(struct tavor_queued *req, u32 port);
void tavor_queue_refuse_port(struct tavor_queued *req);
void tavor_queue_refuse(struct tavor_queued *req, int status);
void tavor_queue_accept(struct tavor_queued *req, const struct vrb_verb *verb);
int tavor_queue_cancel(struct tavor_queue *queue, u64 user_data);
void tavor_queue_forget_qp(struct tavor_hw_qp *qp);

bool tavor_queue_has_news(struct tavor_queue *queue);
struct tavor_queued *tavor_queue_first(struct tavor_queue *queue);
void tavor_queue_put(struct tavor_queued *req);

#endif /* TAVOR_VERB_QUEUE_H */
