// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * The pump: an irq_poll instance per device that finds finished commands, takes their requests a
 * step further, issues what is waiting, and calls the callbacks. Each kind of work is bounded per
 * run.
 *
 * Whoever has set vrb_device.pumping runs it: the softirq, or vrb_poll(). A kick is never lost: it
 * sets kicked under the kick lock, and the softirq gives its irq_poll up under the same lock only
 * if that is not set. After that it touches nothing of the device; vrb_pump_stop() takes the lock
 * once before the device goes.
 */
#include <linux/export.h>

#include "vrb_internal.h"
#include "vrb_trace.h"

/* ---- Kicks and who pumps ---- */

/**
 * vrb_device_kick - have the pump run
 * @dev: device
 *
 * From the interrupt handler of the command event queue. From process context only where softirqs
 * are disabled: they run when they are enabled again, rather than in ksoftirqd.
 *
 * Context: Hard IRQ, softirq, or BH disabled; any lock held.
 */
void vrb_device_kick(struct vrb_device *dev)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&dev->kick_lock, flags);
	dev->kicked = true;
	irq_poll_sched(&dev->iop);
	raw_spin_unlock_irqrestore(&dev->kick_lock, flags);
}
EXPORT_SYMBOL_GPL(vrb_device_kick);

/**
 * vrb_pump_enter - try to become the one who runs the pump
 * @dev: device
 *
 * Context: Softirq or BH disabled.
 * Return: whether that worked.
 */
bool vrb_pump_enter(struct vrb_device *dev)
{
	unsigned long flags;
	bool mine;

	raw_spin_lock_irqsave(&dev->kick_lock, flags);
	mine = !dev->pumping;
	if (mine) {
		dev->pumping = true;
		dev->kicked = false;
	}
	raw_spin_unlock_irqrestore(&dev->kick_lock, flags);
	return mine;
}

/**
 * vrb_pump_leave - stop running the pump outside of the softirq, which takes over
 * @dev: device
 *
 * Context: Softirq or BH disabled, no lock held.
 */
void vrb_pump_leave(struct vrb_device *dev)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&dev->kick_lock, flags);
	dev->pumping = false;
	dev->kicked = true;
	irq_poll_sched(&dev->iop);
	raw_spin_unlock_irqrestore(&dev->kick_lock, flags);
}

/* The softirq has found somebody else pumping, who will kick it when he leaves. */
static bool vrb_pump_yield(struct vrb_device *dev)
{
	unsigned long flags;
	bool yield;

	raw_spin_lock_irqsave(&dev->kick_lock, flags);
	yield = dev->pumping;
	if (yield) {
		irq_poll_complete(&dev->iop);
	} else {
		dev->pumping = true;
		dev->kicked = false;
	}
	raw_spin_unlock_irqrestore(&dev->kick_lock, flags);
	return yield;
}

/*
 * The softirq has finished a run. Nothing of the device may be touched after this if it returns
 * true.
 */
static bool vrb_pump_complete(struct vrb_device *dev, bool more)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&dev->kick_lock, flags);
	dev->pumping = false;
	more |= dev->kicked;
	if (!more)
		irq_poll_complete(&dev->iop);
	raw_spin_unlock_irqrestore(&dev->kick_lock, flags);
	return !more;
}

/* ---- Commands ---- */

static void vrb_late_result(struct vrb_device *dev, struct vrb_slot *slot)
{
	if (slot->verb->late)
		slot->verb->late(dev, slot->object, slot->step, &slot->result);
	spin_lock_bh(&dev->lock);
	dev->counters.zombies_reaped++;
	vrb_zombie_put(dev, slot);
	spin_unlock_bh(&dev->lock);
	vrb_release_objects(dev);
}

/* The slot a token belongs to; NULL if nobody waits for it, or no longer. */
static struct vrb_slot *vrb_slot_find(struct vrb_device *dev, u16 token)
{
	unsigned int index = token & (BIT(dev->slot_bits) - 1);
	struct vrb_slot *slot = &dev->slots[index];

	if (index >= dev->nr_slots || slot->token != token)
		return NULL;
	if (slot->state == VRB_SLOT_ZOMBIE || (slot->state == VRB_SLOT_BUSY && slot->posted))
		return slot;
	return NULL;
}

/**
 * vrb_slot_complete - a command has finished
 * @dev: device
 * @token: vrb_slot.token as the hardware echoed it
 * @result: what the hardware said
 *
 * Context: From vrb_provider_ops.reap alone, no lock held.
 */
void vrb_slot_complete(struct vrb_device *dev, u16 token, const struct vrb_result *result)
{
	struct vrb_slot *slot;
	bool zombie = false;

	WARN_ON_ONCE(!READ_ONCE(dev->pumping));
	spin_lock_bh(&dev->lock);
	slot = vrb_slot_find(dev, token);
	if (!slot) {
		dev->counters.stray++;
	} else {
		dev->progress = ktime_get();
		slot->result = *result;
		zombie = slot->state == VRB_SLOT_ZOMBIE;
	}
	if (slot && !zombie) {
		slot->posted = false;
		dev->posted_now--;
		list_add_tail(&slot->entry, &dev->completed);
		trace_vrb_complete(dev, slot);
	}
	spin_unlock_bh(&dev->lock);
	if (zombie)
		vrb_late_result(dev, slot);
}
EXPORT_SYMBOL_GPL(vrb_slot_complete);

static void vrb_reap(struct vrb_device *dev)
{
	if (READ_ONCE(dev->state) != VRB_DEV_OK || dev->ops->reap(dev, VRB_BUDGET) <= 0)
		return;
	dev->poll_ns = VRB_RETRY_MIN_NS;
}

/* Asks the verb what comes after this result. */
static int vrb_advance(struct vrb_device *dev, struct vrb_slot *slot)
{
	struct vrb *vrb = slot->vrb;
	bool undoing = vrb->undo;
	int verdict;

	if (!undoing) {
		vrb->fw_status = slot->result.fw_status;
		vrb->out = slot->result.out;
	}
	if (!vrb->verb->advance)
		return slot->result.status;
	verdict = vrb->verb->advance(dev, vrb, slot, &slot->result);
	if (WARN_ON_ONCE(verdict > VRB_MORE))
		verdict = -EINVAL;
	if (vrb->undo && !undoing)
		vrb->failed_step = vrb->step;
	if (vrb->undo && vrb_is_destroy(vrb)) {
		vrb->undo = false;	/* there is no way back from a destroy */
		verdict = vrb->status;
	}
	return verdict;
}

static void vrb_advance_all(struct vrb_device *dev)
{
	unsigned int budget = VRB_BUDGET;
	struct vrb_slot *slot;
	int verdict;

	spin_lock_bh(&dev->lock);
	while (budget-- && dev->state == VRB_DEV_OK && !list_empty(&dev->completed)) {
		slot = list_first_entry(&dev->completed, struct vrb_slot, entry);
		list_del_init(&slot->entry);
		spin_unlock_bh(&dev->lock);
		verdict = vrb_advance(dev, slot);
		spin_lock_bh(&dev->lock);
		if (verdict == VRB_MORE)
			vrb_next_step(dev, slot);
		else
			vrb_over(dev, slot->vrb, verdict);
	}
	spin_unlock_bh(&dev->lock);
}

static void vrb_dispatch(struct vrb_device *dev)
{
	unsigned int budget = VRB_BUDGET;
	struct vrb *vrb;

	vrb_post_ready(dev);
	while (budget-- && (vrb = vrb_pick(dev))) {
		vrb_issue(dev, vrb);
		vrb_post_ready(dev);
	}
}

/**
 * vrb_progress - everything the pump does except for calling callbacks
 * @dev: device
 *
 * Context: The pump, no lock held.
 */
void vrb_progress(struct vrb_device *dev)
{
	vrb_reap(dev);
	vrb_advance_all(dev);
	spin_lock_bh(&dev->lock);
	vrb_expire(dev);
	vrb_dispatch(dev);
	dev->poll_at = ktime_add_ns(ktime_get(), dev->poll_ns);
	dev->poll_ns = min_t(u64, 2 * dev->poll_ns, VRB_RETRY_MAX_NS);
	spin_unlock_bh(&dev->lock);
	vrb_fail_proceed(dev);
	if (READ_ONCE(dev->state) == VRB_DEV_FAILED)
		vrb_flush(dev);
}

/* ---- Callbacks ---- */

/**
 * vrb_take_done - a request that is over goes back to its caller
 * @dev: device
 * @vrb: request on the done list
 *
 * Context: Device lock held. With neither callback nor waiter the request may be gone as soon as
 * that is dropped.
 */
void vrb_take_done(struct vrb_device *dev, struct vrb *vrb)
{
	lockdep_assert_held(&dev->lock);
	list_del_init(&vrb->entry);
	dev->counters.completed++;
	dev->counters.failed += vrb->status < 0;
	trace_vrb_done(vrb);
	vrb->state = VRB_IDLE;
	if (vrb->waiter)
		vrb->waiter->status = vrb->status;
}

/**
 * vrb_account_done - a callback has returned
 * @dev: device
 * @client: client of the request
 * @group: its group, or NULL
 *
 * Context: Device lock held.
 */
void vrb_account_done(struct vrb_device *dev, struct vrb_client *client, struct vrb_group *group)
{
	bool idle = !--client->inflight;

	lockdep_assert_held(&dev->lock);
	if (group && !--group->inflight)
		idle = true;
	if (idle)
		wake_up_all(&dev->idle);
}

/*
 * Delivers the oldest request that is over. The callback may free it: nothing of it is used
 * afterwards.
 */
static bool vrb_deliver_one(struct vrb_device *dev)
{
	struct vrb_object *destroyed = NULL;
	struct vrb_waiter *waiter;
	struct vrb_client *client;
	struct vrb_group *group;
	vrb_done_fn done;
	struct vrb *vrb;

	spin_lock_bh(&dev->lock);
	vrb = list_first_entry_or_null(&dev->done, struct vrb, entry);
	if (!vrb) {
		spin_unlock_bh(&dev->lock);
		return false;
	}
	client = vrb->client;
	group = vrb->group;
	waiter = vrb->waiter;
	done = vrb->done;
	if (vrb_is_destroy(vrb) && !vrb->status)
		destroyed = vrb->object;
	vrb_take_done(dev, vrb);
	spin_unlock_bh(&dev->lock);

	if (done)
		done(vrb);

	spin_lock_bh(&dev->lock);
	vrb_account_done(dev, client, group);
	if (destroyed)
		vrb_object_unref(dev, destroyed);
	spin_unlock_bh(&dev->lock);
	vrb_release_objects(dev);
	/* Only now: who has waited for a destroy finds its parents no longer in use. */
	if (waiter)
		complete(&waiter->over);
	return true;
}

static void vrb_deliver(struct vrb_device *dev)
{
	unsigned int budget = VRB_BUDGET;

	while (budget-- && vrb_deliver_one(dev))
		;
}

/* ---- The run ---- */

/*
 * Whether there is something the pump could do now. GO busy and full slots are not: others come
 * back for those.
 */
static bool vrb_work(struct vrb_device *dev)
{
	lockdep_assert_held(&dev->lock);
	if (!list_empty(&dev->done))
		return true;
	if (dev->state == VRB_DEV_FAILING)
		return !dev->quiescing;
	if (dev->state == VRB_DEV_FAILED)
		return vrb_flush_pending(dev);
	return !list_empty(&dev->completed) || vrb_pick(dev);
}

/**
 * vrb_lock - take the device lock outside of the pump
 * @dev: device
 *
 * Context: Any down to softirq.
 */
void vrb_lock(struct vrb_device *dev)
	__acquires(&dev->lock)
{
	spin_lock_bh(&dev->lock);
}

/**
 * vrb_unlock - drop the device lock and have the pump see to what was left for it
 * @dev: device
 *
 * The kick comes first: a softirq that becomes pending while softirqs are disabled runs at once
 * when they are enabled again.
 *
 * Context: Any down to softirq.
 */
void vrb_unlock(struct vrb_device *dev)
	__releases(&dev->lock)
{
	if (vrb_work(dev))
		vrb_device_kick(dev);
	vrb_set_timer(dev);
	spin_unlock_bh(&dev->lock);
}

static bool vrb_run(struct vrb_device *dev)
{
	bool more;
	u64 ns;
	u64 start = ktime_get_ns();

	vrb_progress(dev);
	vrb_deliver(dev);
	if (!vrb_device_polled(dev) && !vrb_device_failed(dev)) {
		dev->ops->rearm(dev);
		vrb_reap(dev);		/* what came before that had any effect */
	}
	ns = ktime_get_ns() - start;

	spin_lock_bh(&dev->lock);
	dev->counters.runs++;
	dev->counters.run_max_ns = max(dev->counters.run_max_ns, ns);
	more = vrb_work(dev);
	if (!more)
		vrb_set_timer(dev);
	spin_unlock_bh(&dev->lock);
	return more;
}

/* An unfinished run answers with the whole weight: only then does irq_poll keep the instance. */
static int vrb_irq_poll(struct irq_poll *iop, int weight)
{
	struct vrb_device *dev = container_of(iop, struct vrb_device, iop);
	bool more;

	if (vrb_pump_yield(dev))
		return 0;
	more = vrb_run(dev);
	return vrb_pump_complete(dev, more) ? weight - 1 : weight;
}

/**
 * vrb_pump_init - make the pump of a new device ready
 * @dev: device
 *
 * Context: Process.
 */
void vrb_pump_init(struct vrb_device *dev)
{
	raw_spin_lock_init(&dev->kick_lock);
	irq_poll_init(&dev->iop, VRB_BUDGET, vrb_irq_poll);
	vrb_time_init(dev);
}

/**
 * vrb_pump_stop - the pump never runs again
 * @dev: device without requests
 *
 * Context: Process.
 */
void vrb_pump_stop(struct vrb_device *dev)
{
	might_sleep();
	irq_poll_disable(&dev->iop);
	hrtimer_cancel(&dev->timer);
	/* A run that has given up its irq_poll may still hold this. */
	raw_spin_lock_irq(&dev->kick_lock);
	raw_spin_unlock_irq(&dev->kick_lock);
}
