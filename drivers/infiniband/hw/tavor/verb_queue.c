// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Verb queues: how requests of a process are passed to the engine, and their completions.
 *
 * The engine gets only as many requests of a queue as can use all slots of processes. The others
 * wait here, where they do not delay other queues. QPs are counted, not requests, because only one
 * request of a QP can have a slot. A QP is charged to the queue whose request is the first of this
 * QP in the engine.
 *
 * A waiting request has a reference to the hardware half of its QP, and the destroy of the QP
 * cancels it. The memory of all requests is allocated with the queue, so nothing here can fail for
 * lack of memory. One lock of the device protects the lists of all queues and QPs; each hold of it
 * is short.
 *
 * When a request is accepted, ib_core has already recorded the port that it names as the QP's. If
 * the request fails or is cancelled, the port that ib_core records is corrected here.
 */
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include <rdma/ib_cache.h>

#include "tavor.h"
#include "verb_queue.h"

#define TAVOR_QUEUE_PORTION	64	/* requests in one hold of the lock */

/* ---- Outstanding requests, by name ---- */

static void tavor_queue_name(struct tavor_queue *queue, struct tavor_queued *req)
{
	struct rb_node **link = &queue->by_name.rb_node, *parent = NULL;

	while (*link) {
		parent = *link;
		if (req->user_data < rb_entry(parent, struct tavor_queued, node)->user_data)
			link = &parent->rb_left;
		else
			link = &parent->rb_right;
	}
	rb_link_node(&req->node, parent, link);
	rb_insert_color(&req->node, &queue->by_name);
}

/* The one submitted last, if there are several. */
static struct tavor_queued *tavor_queue_find(struct tavor_queue *queue, u64 user_data)
{
	struct rb_node *node = queue->by_name.rb_node;
	struct tavor_queued *req, *found = NULL;

	while (node) {
		req = rb_entry(node, struct tavor_queued, node);
		if (user_data < req->user_data) {
			node = node->rb_left;
		} else {
			if (user_data == req->user_data)
				found = req;
			node = node->rb_right;
		}
	}
	return found;
}

/* ---- The port of a QP, as ib_core has recorded it ---- */

/*
 * A request has ended. The port is that of the last outstanding request that names one. If there is
 * none, it is the port that the QP really has: ib_core may have recorded another one for a call
 * that it executed meanwhile.
 */
static void tavor_queue_settle_port(struct tavor_queued *req)
{
	struct tavor_hw_qp *qp = req->qp;
	u32 port;

	lockdep_assert_held(&qp->dev->queues_lock);
	if (!req->port)
		return;
	req->port = 0;
	list_del(&req->port_entry);
	if (!qp->core)
		return;
	port = list_empty(&qp->named) ? READ_ONCE(qp->attrs.port) :
	       list_last_entry(&qp->named, struct tavor_queued, port_entry)->port;
	WRITE_ONCE(qp->core->port, port);
}

/**
 * tavor_queue_name_port() - announces that ib_core is about to record a port as the QP's
 * @req: entry that tavor_queue_get() returned for the request
 * @port: the port
 *
 * Context: Process context.
 */
void tavor_queue_name_port(struct tavor_queued *req, u32 port)
{
	struct tavor_dev *dev = req->queue->dev;

	spin_lock_bh(&dev->queues_lock);
	req->port = port;
	list_add_tail(&req->port_entry, &req->qp->named);
	spin_unlock_bh(&dev->queues_lock);
}

/**
 * tavor_queue_refuse_port() - ib_core has refused the port
 * @req: the request
 *
 * Context: Process context.
 */
void tavor_queue_refuse_port(struct tavor_queued *req)
{
	struct tavor_dev *dev = req->queue->dev;

	spin_lock_bh(&dev->queues_lock);
	tavor_queue_settle_port(req);
	spin_unlock_bh(&dev->queues_lock);
}

/* ---- From the queue to the engine ---- */

static void tavor_queue_over(struct tavor_queued *req, int status)
{
	struct tavor_queue *queue = req->queue;

	lockdep_assert_held(&queue->dev->queues_lock);
	tavor_qp_put_gids(req->gids);
	req->status = status;
	req->state = TAVOR_QUEUED_OVER;
	list_add_tail(&req->entry, &queue->over);
	wake_up_interruptible(&queue->wait);
}

/* Takes back a waiting request; the caller drops its reference to the QP. */
static void tavor_queue_take_back(struct tavor_queued *req)
{
	list_del(&req->entry);
	list_del(&req->qp_entry);
	rb_erase(&req->node, &req->queue->by_name);
	tavor_queue_settle_port(req);
	req->step = 0;
	req->qp_state = READ_ONCE(req->qp->state);
	tavor_queue_over(req, -ECANCELED);
}

static struct tavor_queued *tavor_queue_foremost(struct tavor_hw_qp *qp)
{
	return list_first_entry_or_null(&qp->issued, struct tavor_queued, qp_entry);
}

/* The engine has completed it. The charge for the QP moves to the next request of the QP. */
static void tavor_queue_leaves(struct tavor_queued *req, int status)
{
	struct tavor_hw_qp *qp = req->qp;
	bool foremost = tavor_queue_foremost(qp) == req;
	struct tavor_queued *next;

	list_del(&req->qp_entry);
	rb_erase(&req->node, &req->queue->by_name);
	tavor_queue_settle_port(req);
	if (foremost) {
		req->queue->active--;
		next = tavor_queue_foremost(qp);
		if (next)
			next->queue->active++;
	}
	req->step = req->vrb.step;
	req->qp_state = READ_ONCE(qp->state);
	tavor_queue_over(req, status);
}

/* The oldest waiting request, if it may be passed to the engine now. */
static struct tavor_queued *tavor_queue_next(struct tavor_queue *queue)
{
	struct tavor_queued *req;

	lockdep_assert_held(&queue->dev->queues_lock);
	req = list_first_entry_or_null(&queue->waiting, struct tavor_queued, entry);
	if (req && list_empty(&req->qp->issued) && queue->active >= queue->share)
		return NULL;
	return req;
}

static void tavor_queue_issue(struct tavor_queued *req)
{
	struct tavor_queue *queue = req->queue;
	struct tavor_hw_qp *qp = req->qp;
	int ret;

	queue->active += list_empty(&qp->issued);
	list_del(&req->entry);
	list_move_tail(&req->qp_entry, &qp->issued);
	req->state = TAVOR_QUEUED_ISSUED;
	ret = vrb_submit(vrb_device_client(queue->dev->vrb), &req->vrb);
	/* The QP is being destroyed: the same status as of its requests that were queued before. */
	if (ret == -ESHUTDOWN)
		ret = -ECANCELED;
	if (ret != -EINPROGRESS)
		tavor_queue_leaves(req, ret);
	/* The engine has a reference of its own. */
	vrb_object_put(&qp->object);
}

/* Passes as many requests to the engine as it may have; returns whether there are more. */
static bool tavor_queue_feed(struct tavor_queue *queue)
{
	struct tavor_queued *req;
	unsigned int n;

	for (n = 0; n < TAVOR_QUEUE_PORTION; n++) {
		req = tavor_queue_next(queue);
		if (!req)
			return false;
		tavor_queue_issue(req);
	}
	return tavor_queue_next(queue);
}

static void tavor_queue_done(struct vrb *vrb)
{
	struct tavor_queued *req = container_of(vrb, struct tavor_queued, vrb);
	struct tavor_queue *queue = req->queue;
	struct tavor_dev *dev = queue->dev;

	spin_lock_bh(&dev->queues_lock);
	tavor_queue_leaves(req, vrb->status);
	if (tavor_queue_feed(queue))
		vrb_softirq_sched(&queue->feeder);
	spin_unlock_bh(&dev->queues_lock);
}

static int tavor_queue_run(struct vrb_softirq *softirq, int budget)
{
	struct tavor_queue *queue = container_of(softirq, struct tavor_queue, feeder);
	struct tavor_dev *dev = queue->dev;
	bool more;

	spin_lock_bh(&dev->queues_lock);
	more = tavor_queue_feed(queue);
	/* Under the lock, so that a later request to schedule it is not lost. */
	if (!more)
		vrb_softirq_complete(softirq);
	spin_unlock_bh(&dev->queues_lock);
	return more ? budget : 0;
}

/* ---- Requests of the process ---- */

/**
 * tavor_queue_get() - allocates an entry for a request
 * @queue: queue
 * @qp: QP, which is not destroyed meanwhile
 *
 * The caller fills the request in, but for its struct vrb, and calls tavor_queue_accept() or
 * tavor_queue_refuse().
 *
 * Context: Process context.
 * Return: the entry, or NULL: the queue is full.
 */
struct tavor_queued *tavor_queue_get(struct tavor_queue *queue, struct tavor_hw_qp *qp)
{
	struct tavor_dev *dev = queue->dev;
	struct tavor_queued *req;

	spin_lock_bh(&dev->queues_lock);
	req = list_first_entry_or_null(&queue->free, struct tavor_queued, entry);
	if (req)
		list_del(&req->entry);
	spin_unlock_bh(&dev->queues_lock);
	if (!req)
		return NULL;
	*req = (struct tavor_queued){
		.queue = queue,
		.qp = qp,
		.qp_num = qp->qpn,
	};
	return req;
}

/**
 * tavor_queue_refuse() - completes a request that cannot be submitted
 * @req: entry of tavor_queue_get()
 * @status: negative errno
 *
 * Context: Process context.
 */
void tavor_queue_refuse(struct tavor_queued *req, int status)
{
	struct tavor_dev *dev = req->queue->dev;

	spin_lock_bh(&dev->queues_lock);
	req->qp_state = READ_ONCE(req->qp->state);
	tavor_queue_over(req, status);
	spin_unlock_bh(&dev->queues_lock);
}

/**
 * tavor_queue_accept() - passes a request to the engine, or queues it
 * @req: entry of tavor_queue_get(), filled in; it may have completed when this returns
 * @verb: its verb
 *
 * Context: Process context.
 */
void tavor_queue_accept(struct tavor_queued *req, const struct vrb_verb *verb)
{
	struct tavor_queue *queue = req->queue;
	struct tavor_hw_qp *qp = req->qp;
	struct tavor_dev *dev = queue->dev;
	u8 class = req->vrb.class;
	bool more;

	vrb_prep(&req->vrb, verb, &qp->object);
	req->vrb.class = class;
	req->vrb.done = tavor_queue_done;
	req->vrb.group = &queue->group;
	req->vrb.user = queue->user;
	vrb_object_get(&qp->object);

	spin_lock_bh(&dev->queues_lock);
	req->state = TAVOR_QUEUED_WAITING;
	tavor_queue_name(queue, req);
	list_add_tail(&req->entry, &queue->waiting);
	list_add_tail(&req->qp_entry, &qp->queued);
	more = tavor_queue_feed(queue);
	if (more)
		vrb_softirq_sched(&queue->feeder);
	spin_unlock_bh(&dev->queues_lock);
}

/**
 * tavor_queue_cancel() - cancels a request
 * @queue: queue
 * @user_data: the process's name for it
 *
 * Context: Process context.
 * Return: 0; -EALREADY: the engine has it and can no longer cancel it; -ENOENT: there is none.
 */
int tavor_queue_cancel(struct tavor_queue *queue, u64 user_data)
{
	struct tavor_dev *dev = queue->dev;
	struct vrb_object *object = NULL;
	struct tavor_queued *req;
	int ret = 0;

	spin_lock_bh(&dev->queues_lock);
	req = tavor_queue_find(queue, user_data);
	if (!req) {
		ret = -ENOENT;
	} else if (req->state == TAVOR_QUEUED_WAITING) {
		object = &req->qp->object;
		tavor_queue_take_back(req);
	} else if (vrb_cancel(&req->vrb)) {
		ret = -EALREADY;
	}
	spin_unlock_bh(&dev->queues_lock);
	if (object)
		vrb_object_put(object);
	return ret;
}

/**
 * tavor_queue_forget_qp() - cancels the requests on a QP that wait in any queue
 * @qp: QP on which no request can be submitted any more
 *
 * The QP's destroy cancels the requests that are in the engine.
 *
 * Context: Process context, may sleep.
 */
void tavor_queue_forget_qp(struct tavor_hw_qp *qp)
{
	struct tavor_dev *dev = qp->dev;
	struct tavor_queued *req;
	unsigned int n;

	do {
		spin_lock_bh(&dev->queues_lock);
		qp->core = NULL;
		for (n = 0; n < TAVOR_QUEUE_PORTION; n++) {
			req = list_first_entry_or_null(&qp->queued, struct tavor_queued, qp_entry);
			if (!req)
				break;
			tavor_queue_take_back(req);
			vrb_object_put(&qp->object);
		}
		spin_unlock_bh(&dev->queues_lock);
		cond_resched();
	} while (n == TAVOR_QUEUE_PORTION);
}

/* ---- Completions ---- */

/**
 * tavor_queue_has_news() - whether a reader need not wait
 * @queue: queue
 *
 * Context: Any.
 * Return: whether there is a completion, or the queue is closed.
 */
bool tavor_queue_has_news(struct tavor_queue *queue)
{
	return READ_ONCE(queue->closed) || !list_empty_careful(&queue->over);
}

/**
 * tavor_queue_first() - the oldest completion
 * @queue: queue
 *
 * Context: Process context, &tavor_queue.lock held.
 * Return: its entry, which the caller owns until tavor_queue_put(); or NULL.
 */
struct tavor_queued *tavor_queue_first(struct tavor_queue *queue)
{
	struct tavor_dev *dev = queue->dev;
	struct tavor_queued *req;

	lockdep_assert_held(&queue->lock);
	spin_lock_bh(&dev->queues_lock);
	req = list_first_entry_or_null(&queue->over, struct tavor_queued, entry);
	spin_unlock_bh(&dev->queues_lock);
	return req;
}

/**
 * tavor_queue_put() - frees the entry of a completion that has been read
 * @req: entry of tavor_queue_first()
 *
 * Context: Process context, &tavor_queue.lock held.
 */
void tavor_queue_put(struct tavor_queued *req)
{
	struct tavor_queue *queue = req->queue;
	struct tavor_dev *dev = queue->dev;

	lockdep_assert_held(&queue->lock);
	spin_lock_bh(&dev->queues_lock);
	req->state = TAVOR_QUEUED_FREE;
	list_move(&req->entry, &queue->free);
	spin_unlock_bh(&dev->queues_lock);
}

/* ---- Open and close ---- */

/**
 * tavor_queue_open() - make a verb queue
 * @queue: zeroed memory of the caller
 * @dev: device
 * @user: the process; stays until the queue is closed
 * @depth: requests that can be in it, completions included
 *
 * Context: Process context, may sleep.
 * Return: 0 or -ENOMEM, and nothing has to be closed.
 */
int tavor_queue_open(struct tavor_queue *queue, struct tavor_dev *dev, struct vrb_user *user,
		     u32 depth)
{
	u32 i;

	queue->place = kvcalloc(depth, sizeof(*queue->place), GFP_KERNEL_ACCOUNT);
	if (!queue->place)
		return -ENOMEM;
	queue->dev = dev;
	queue->user = user;
	queue->share = vrb_device_user_slots(dev->vrb);
	queue->by_name = RB_ROOT;
	mutex_init(&queue->lock);
	init_waitqueue_head(&queue->wait);
	INIT_LIST_HEAD(&queue->free);
	INIT_LIST_HEAD(&queue->waiting);
	INIT_LIST_HEAD(&queue->over);
	for (i = 0; i < depth; i++)
		list_add_tail(&queue->place[i].entry, &queue->free);
	vrb_group_init(&queue->group, vrb_device_client(dev->vrb));
	vrb_softirq_init(&queue->feeder, TAVOR_QUEUE_PORTION, tavor_queue_run);
	return 0;
}

/* Handles a bounded number of waiting requests; returns whether there are more. */
static bool tavor_queue_drop_some(struct tavor_queue *queue)
{
	struct tavor_dev *dev = queue->dev;
	struct vrb_object *object;
	struct tavor_queued *req;
	unsigned int n;

	spin_lock_bh(&dev->queues_lock);
	for (n = 0; n < TAVOR_QUEUE_PORTION; n++) {
		req = list_first_entry_or_null(&queue->waiting, struct tavor_queued, entry);
		if (!req)
			break;
		object = &req->qp->object;
		tavor_queue_take_back(req);
		vrb_object_put(object);
	}
	spin_unlock_bh(&dev->queues_lock);
	return n == TAVOR_QUEUE_PORTION;
}

/**
 * tavor_queue_close() - ends a queue
 * @queue: queue, to which no request is submitted any more
 *
 * Cancels queued requests and waits for issued ones, at most until the device fails. From now on
 * readers find that the queue is closed.
 *
 * Context: Process context, may sleep.
 */
void tavor_queue_close(struct tavor_queue *queue)
{
	while (tavor_queue_drop_some(queue))
		cond_resched();
	vrb_group_cancel(&queue->group);
	vrb_group_drain(&queue->group);
	vrb_softirq_stop(&queue->feeder);
	mutex_lock(&queue->lock);
	WRITE_ONCE(queue->closed, true);
	queue->dev = NULL;
	INIT_LIST_HEAD(&queue->over);
	kvfree(queue->place);
	queue->place = NULL;
	mutex_unlock(&queue->lock);
	wake_up_interruptible(&queue->wait);
}
