// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Flush in software: a failed device no longer completes work requests, so poll completes them.
 * Work requests that were posted to a kernel QP complete with a flush error, in order, after the
 * completions that the hardware had written. Posts to such a device are refused, so the number is
 * bounded.
 *
 * A process polls its CQs itself and must react to the fatal event. Its completion channels are
 * woken.
 *
 * A client that waits for the last WQE of an SRQ on a QP in the error state gets that event.
 */
#include <linux/rcupdate.h>

#include "flush.h"
#include "qp.h"
#include "table.h"
#include "tavor.h"

#define TAVOR_FLUSH_BATCH	256	/* CQs and QPs handled in one run */

enum {
	TAVOR_FLUSH_NOT,
	TAVOR_FLUSH_ON,		/* a callback is queued or running */
	TAVOR_FLUSH_DONE,	/* all have been woken */
	TAVOR_FLUSH_OVER,	/* the device is being taken down */
};

static void tavor_flush_wake(struct vrb_object *object)
{
	struct tavor_hw_cq *cq = container_of(object, struct tavor_hw_cq, object);
	struct ib_cq *ibcq = cq->ibcq;

	/* The client may not know a shell yet whose create has not completed. */
	if ((cq->half.user || READ_ONCE(cq->half.open)) && ibcq->comp_handler)
		ibcq->comp_handler(ibcq, ibcq->cq_context);
	vrb_object_put(object);
}

static bool tavor_flush_has(const struct tavor_hw_qp *qp, const struct tavor_wq *wq)
{
	/* Pairs with the release in post: the work request ids are visible. */
	return !qp->hidden && wq->tail != smp_load_acquire(&wq->head);
}

/*
 * Removes QPs without outstanding work requests from the CQ's list. tavor_flush_anew() reports any
 * that are posted later.
 */
static void tavor_flush_drop_idle(struct tavor_hw_qp *qp)
{
	unsigned long flags;

	spin_lock_irqsave(&qp->send_cq->lock, flags);
	if (!tavor_flush_has(qp, &qp->sq))
		list_del_init(&qp->on_send_cq);
	spin_unlock_irqrestore(&qp->send_cq->lock, flags);
	spin_lock_irqsave(&qp->recv_cq->lock, flags);
	if (!tavor_flush_has(qp, &qp->rq))
		list_del_init(&qp->on_recv_cq);
	spin_unlock_irqrestore(&qp->recv_cq->lock, flags);
}

static void tavor_flush_tell(struct vrb_object *object)
{
	struct tavor_hw_qp *qp = to_hw_qp(object);

	if (!qp->half.user)
		tavor_flush_drop_idle(qp);
	if (qp->srq && !qp->half.user && READ_ONCE(qp->state) == IB_QPS_ERR)
		tavor_qp_last_wqe(qp);
	vrb_object_put(object);
}

/* Handles the next QP, or if there is none, the next CQ; false: there is none left. */
static bool tavor_flush_step(struct tavor_dev *dev)
{
	struct vrb_object *object;

	if (!dev->flush_ready) {
		if (tavor_table_next(&dev->qps, &dev->flush_next, &object)) {
			if (object)
				tavor_flush_tell(object);
			return true;
		}
		dev->flush_next = 0;
		smp_store_release(&dev->flush_ready, true);	/* after the changes of the lists */
	}
	if (!tavor_table_next(&dev->cqs, &dev->flush_next, &object))
		return false;
	if (object)
		tavor_flush_wake(object);
	return true;
}

static void tavor_flush_some(struct rcu_head *rcu)
{
	struct tavor_dev *dev = container_of(rcu, struct tavor_dev, flush_rcu);
	int i;

	for (i = 0; i < TAVOR_FLUSH_BATCH; i++) {
		if (tavor_flush_step(dev))
			continue;
		/* The last access to the device by this flush */
		atomic_cmpxchg(&dev->flushing, TAVOR_FLUSH_ON, TAVOR_FLUSH_DONE);
		return;
	}
	if (atomic_read(&dev->flushing) == TAVOR_FLUSH_ON)
		call_rcu_hurry(&dev->flush_rcu, tavor_flush_some);
}

/**
 * tavor_flush_start() - wakes everything that waits for completions
 * @dev: a device that has failed
 *
 * It acts after an RCU grace period, when every post has seen the failure. The grace period is not
 * lazy, because users drain their queues meanwhile.
 *
 * Context: Any down to softirq.
 */
void tavor_flush_start(struct tavor_dev *dev)
{
	if (atomic_cmpxchg(&dev->flushing, TAVOR_FLUSH_NOT, TAVOR_FLUSH_ON) == TAVOR_FLUSH_NOT)
		call_rcu_hurry(&dev->flush_rcu, tavor_flush_some);
}

/**
 * tavor_flush_stop() - stops the flush: nothing is woken after this
 * @dev: device whose clients are gone
 *
 * Context: Process context, may sleep.
 */
void tavor_flush_stop(struct tavor_dev *dev)
{
	might_sleep();
	if (atomic_xchg(&dev->flushing, TAVOR_FLUSH_OVER) != TAVOR_FLUSH_ON)
		return;
	/* The callback, and the one that it may have queued when it saw that the flush was on */
	rcu_barrier();
	rcu_barrier();
}

/* The oldest work request of a queue, if there is one. */
static bool tavor_flush_one(struct tavor_hw_qp *qp, struct tavor_wq *wq, struct ib_wc *wc)
{
	/* Pairs with the release in post: its work request id is visible. */
	if (wq->tail == smp_load_acquire(&wq->head))
		return false;
	memset(wc, 0, sizeof(*wc));
	tavor_wq_complete(wq, tavor_wq_after(wq, wq->last_comp), wc);
	wc->status = IB_WC_WR_FLUSH_ERR;
	wc->qp = qp->ibqp;
	wc->port_num = qp->attrs.port;
	return true;
}

/* Completes work requests of a QP, at most @num; removes the QP from the list if none is left. */
static int tavor_flush_queue(struct tavor_hw_qp *qp, struct tavor_wq *wq, struct list_head *on_cq,
			     int num, struct ib_wc *wc)
{
	int n = 0;

	while (n < num && !qp->hidden && tavor_flush_one(qp, wq, wc + n))
		n++;
	if (!tavor_flush_has(qp, wq))
		list_del_init(on_cq);
	return n;
}

/**
 * tavor_flush_poll() - completes the remaining work requests of a CQ's QPs
 * @cq: a kernel CQ of a failed device, without completions
 * @num: room in @wc
 * @wc: work completions
 *
 * It looks at no more QPs than it returns completions, not counting QPs that are being destroyed.
 * It returns nothing until the lists contain no QPs without work requests. The CQ's owner is woken
 * after that.
 *
 * Context: Any, the CQ's lock held.
 * Return: the number of completions.
 */
int tavor_flush_poll(struct tavor_hw_cq *cq, int num, struct ib_wc *wc)
{
	struct tavor_hw_qp *qp, *next;
	int n = 0;

	lockdep_assert_held(&cq->lock);
	/* Pairs with the release in tavor_flush_step(): the lists are complete. */
	if (!smp_load_acquire(&cq->dev->flush_ready))
		return 0;
	list_for_each_entry_safe(qp, next, &cq->send_qps, on_send_cq) {
		if (n == num)
			return n;
		n += tavor_flush_queue(qp, &qp->sq, &qp->on_send_cq, num - n, wc + n);
	}
	list_for_each_entry_safe(qp, next, &cq->recv_qps, on_recv_cq) {
		if (n == num)
			return n;
		n += tavor_flush_queue(qp, &qp->rq, &qp->on_recv_cq, num - n, wc + n);
	}
	return n;
}

/**
 * tavor_flush_pending() - whether tavor_flush_poll() would return a completion
 * @cq: a kernel CQ of a failed device
 *
 * Context: Any, the CQ's lock held.
 * Return: true if it would.
 */
bool tavor_flush_pending(struct tavor_hw_cq *cq)
{
	struct tavor_hw_qp *qp;

	lockdep_assert_held(&cq->lock);
	/* Pairs with the release in tavor_flush_step(): the lists are complete. */
	if (!smp_load_acquire(&cq->dev->flush_ready))
		return false;
	list_for_each_entry(qp, &cq->send_qps, on_send_cq)
		if (tavor_flush_has(qp, &qp->sq))
			return true;
	list_for_each_entry(qp, &cq->recv_qps, on_recv_cq)
		if (tavor_flush_has(qp, &qp->rq))
			return true;
	return false;
}

/**
 * tavor_flush_anew() - a work request was posted although the device may have failed
 * @qp: a kernel QP; it must not be destroyed meanwhile
 *
 * Context: Any.
 */
void tavor_flush_anew(struct tavor_hw_qp *qp)
{
	unsigned long flags;

	spin_lock_irqsave(&qp->send_cq->lock, flags);
	if (list_empty(&qp->on_send_cq))
		list_add_tail(&qp->on_send_cq, &qp->send_cq->send_qps);
	spin_unlock_irqrestore(&qp->send_cq->lock, flags);
	spin_lock_irqsave(&qp->recv_cq->lock, flags);
	if (list_empty(&qp->on_recv_cq))
		list_add_tail(&qp->on_recv_cq, &qp->recv_cq->recv_qps);
	spin_unlock_irqrestore(&qp->recv_cq->lock, flags);
}
