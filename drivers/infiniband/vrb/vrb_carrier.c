// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * The carrier of the pump: kicks from any context, the softirq that they start, and the objects
 * that are passed to the pump with a kick. Owns vrb_device.kick_lock.
 *
 * A kick is never lost: it sets kicked under the kick lock, and the softirq ends under the same
 * lock only if kicked is not set. After that it does not access the device. The model of this is
 * tools/testing/verification/pump.pml.
 */
#include <linux/delay.h>
#include <linux/export.h>
#include <linux/idr.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>

#include "vrb_internal.h"

struct vrb_carrier vrb_carriers[1 << VRB_CARRIER_BITS];
static DEFINE_IDA(vrb_carrier_ids);

DEFINE_STATIC_KEY_FALSE(vrb_delays);
atomic_t vrb_delay_state;

/**
 * vrb_delay_now - wait up to 20 µs, so that tests provoke races
 *
 * Context: Any.
 */
void vrb_delay_now(void)
{
	udelay((u32)atomic_add_return(0x9e3779b9, &vrb_delay_state) % 997 % 20);
}

/* Kick lock held. */
static void vrb_sched(struct vrb_device *dev)
{
	lockdep_assert_held(&dev->kick_lock);
	dev->kicked = true;
	vrb_softirq_sched(&dev->softirq);
}

/*
 * In process context a raised softirq would be left to ksoftirqd. With BH disabled around the kick
 * it runs when BH is enabled again.
 */
static unsigned long vrb_kick_lock(struct vrb_device *dev, bool *bh)
	__acquires(&dev->kick_lock)
{
	unsigned long flags;

	*bh = vrb_may_lock();
	if (*bh)
		local_bh_disable();
	raw_spin_lock_irqsave(&dev->kick_lock, flags);
	return flags;
}

static void vrb_kick_unlock(struct vrb_device *dev, unsigned long flags, bool bh)
	__releases(&dev->kick_lock)
{
	vrb_sched(dev);
	raw_spin_unlock_irqrestore(&dev->kick_lock, flags);
	if (bh)
		local_bh_enable();
}

/**
 * vrb_kick - make the pump run
 * @dev: device
 *
 * Context: Any but NMI; any lock but kick_lock held.
 */
void vrb_kick(struct vrb_device *dev)
{
	bool bh;
	unsigned long flags = vrb_kick_lock(dev, &bh);

	vrb_kick_unlock(dev, flags, bh);
}

/**
 * vrb_device_kick - report an interrupt of the command event queue
 * @dev: device
 *
 * For the interrupt handler, and for a place where an interrupt may have been lost. The pump calls
 * &vrb_provider_ops.reap, and then &vrb_provider_ops.rearm.
 *
 * Context: Any but NMI.
 */
void vrb_device_kick(struct vrb_device *dev)
{
	bool bh;
	unsigned long flags = vrb_kick_lock(dev, &bh);

	dev->interrupted = true;
	vrb_kick_unlock(dev, flags, bh);
}
EXPORT_SYMBOL_GPL(vrb_device_kick);

/* ---- Events of objects for the pump ---- */

/**
 * vrb_tell - tell the pump of an event of an object
 * @object: object; it is not released before the pump has handled the event
 * @news: VRB_NEWS_*
 *
 * Context: Any but NMI; any lock but kick_lock held.
 */
void vrb_tell(struct vrb_object *object, u8 news)
{
	struct vrb_device *dev = object->dev;
	bool bh;
	unsigned long flags = vrb_kick_lock(dev, &bh);

	object->news |= news;
	if (list_empty(&object->news_entry))
		list_add_tail(&object->news_entry, &dev->news);
	vrb_kick_unlock(dev, flags, bh);
}

/**
 * vrb_untell - revoke an event of an object that the pump has not handled yet
 * @object: object
 * @news: VRB_NEWS_*
 *
 * Context: Device lock held.
 */
void vrb_untell(struct vrb_object *object, u8 news)
{
	struct vrb_device *dev = object->dev;

	lockdep_assert_held(&dev->lock);
	raw_spin_lock_irq(&dev->kick_lock);
	object->news &= ~news;
	raw_spin_unlock_irq(&dev->kick_lock);
}

/**
 * vrb_next_news - the next object with events for the pump
 * @dev: device
 * @news: set to its events, VRB_NEWS_*
 *
 * Context: The pump, device lock held.
 * Return: the object, or NULL.
 */
struct vrb_object *vrb_next_news(struct vrb_device *dev, u8 *news)
{
	struct vrb_object *object;

	raw_spin_lock_irq(&dev->kick_lock);
	object = list_first_entry_or_null(&dev->news, struct vrb_object, news_entry);
	if (object) {
		list_del_init(&object->news_entry);
		*news = object->news;
		object->news = 0;
	}
	raw_spin_unlock_irq(&dev->kick_lock);
	return object;
}

/**
 * vrb_forget_news - revoke all events of an object that will be released
 * @object: object
 *
 * Context: The pump.
 */
void vrb_forget_news(struct vrb_object *object)
{
	raw_spin_lock_irq(&object->dev->kick_lock);
	list_del_init(&object->news_entry);
	raw_spin_unlock_irq(&object->dev->kick_lock);
}

/* ---- Callbacks ---- */

/**
 * vrb_call - call a request's callback
 * @dev: device
 * @vrb: request; its state is %VRB_CALLBACK with a ticket of this carrier
 * @done: its callback; the request may have been freed when it returns
 *
 * Context: The pump, no lock held.
 */
void vrb_call(struct vrb_device *dev, struct vrb *vrb, vrb_done_fn done)
{
	struct vrb_carrier *carrier = &vrb_carriers[dev->carrier];

	done(vrb);
	WRITE_ONCE(carrier->task, NULL);
	atomic64_set_release(&carrier->running, 0);
}

static struct vrb_carrier *vrb_carrier_of(u64 word)
{
	return &vrb_carriers[word >> VRB_STATE_BITS & ((1 << VRB_CARRIER_BITS) - 1)];
}

/**
 * vrb_word_idle - whether a request is idle
 * @word: its &vrb.state
 *
 * Model: tools/testing/verification/ticket.pml.
 *
 * Context: Any.
 */
bool vrb_word_idle(u64 word)
{
	switch (word & ((1 << VRB_STATE_BITS) - 1)) {
	case VRB_IDLE:
		return true;
	case VRB_CALLBACK:
		return atomic64_read_acquire(&vrb_carrier_of(word)->running) != word;
	default:
		return false;
	}
}

/**
 * vrb_word_mine - whether the caller is the request's callback
 * @word: its &vrb.state; not idle
 *
 * Context: Any.
 */
bool vrb_word_mine(u64 word)
{
	return (word & ((1 << VRB_STATE_BITS) - 1)) == VRB_CALLBACK && in_serving_softirq() &&
	       !in_hardirq() && READ_ONCE(vrb_carrier_of(word)->task) == current;
}

/* ---- The softirq ---- */

/*
 * It is called again only if it returns the whole budget. A run that found no work uses nothing of
 * the budget of the CPU's softirq. Model: pump.pml.
 */
static int vrb_carry(struct vrb_softirq *softirq, int budget)
{
	struct vrb_device *dev = container_of(softirq, struct vrb_device, softirq);
	bool interrupted, more;
	int work = 0;

	vrb_delay();
	raw_spin_lock_irq(&dev->kick_lock);
	dev->kicked = false;
	interrupted = dev->interrupted;
	dev->interrupted = false;
	raw_spin_unlock_irq(&dev->kick_lock);

	more = dev->run(dev, interrupted, &work);
	vrb_delay();

	raw_spin_lock_irq(&dev->kick_lock);
	more |= dev->kicked;
	if (!more)
		vrb_softirq_complete(&dev->softirq);
	raw_spin_unlock_irq(&dev->kick_lock);
	return more ? budget : min(work, budget - 1);
}

/**
 * vrb_carrier_init - initialise a new device's carrier
 * @dev: device
 * @run: the pump: called in softirq after a kick, never twice at a time; @interrupted: by
 *	vrb_device_kick(); @work: the work it did, for accounting. Returns whether it must run again
 *
 * Context: Process, may sleep.
 * Return: 0; -ENOSPC: more devices than there are places; -ENOMEM.
 */
int vrb_carrier_init(struct vrb_device *dev,
		     bool (*run)(struct vrb_device *dev, bool interrupted, int *work))
{
	int id = ida_alloc_max(&vrb_carrier_ids, ARRAY_SIZE(vrb_carriers) - 1, GFP_KERNEL);

	if (id < 0)
		return id;
	dev->carrier = id;
	dev->run = run;
	raw_spin_lock_init(&dev->kick_lock);
	INIT_LIST_HEAD(&dev->inbox);
	INIT_LIST_HEAD(&dev->news);
	INIT_LIST_HEAD(&dev->told);
	vrb_softirq_init(&dev->softirq, VRB_BUDGET, vrb_carry);
	return 0;
}

static void vrb_carrier_stopped(struct rcu_head *rcu)
{
}

/**
 * vrb_carrier_stop - stop the pump for good, and wait until released objects have been freed
 * @dev: device without requests
 *
 * Context: Process, may sleep.
 */
void vrb_carrier_stop(struct vrb_device *dev)
{
	might_sleep();
	vrb_softirq_stop_begin(&dev->softirq);
	/*
	 * No run queues callbacks any more. One wait for the tail of the last run and for kicks,
	 * which need a grace period, and for the callbacks that free objects. rcu_barrier() alone
	 * does not wait for a grace period; a callback is called after one.
	 */
	call_rcu(&dev->rcu, vrb_carrier_stopped);
	rcu_barrier();
	vrb_softirq_stop_end(&dev->softirq);
	ida_free(&vrb_carrier_ids, dev->carrier);
}
