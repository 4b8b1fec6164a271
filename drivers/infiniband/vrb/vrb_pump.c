// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * The pump: a run reaps completed commands, executes the next steps of their requests, issues
 * runnable requests, and calls callbacks. Each kind of work is bounded per run, and their sum per
 * hold of the device lock.
 */
#include <linux/export.h>
#include <linux/sched.h>

#include "vrb_internal.h"
#include "vrb_trace.h"

/* Takes the device lock in the middle of a run; the count for this hold restarts at 0. */
static void vrb_relock(struct vrb_device *dev)
	__acquires(&dev->lock)
{
	spin_lock(&dev->lock);
	dev->handled = 0;
}

/* ---- Commands ---- */

/**
 * vrb_slot_complete - report a completed command
 * @dev: device
 * @token: &vrb_slot.token as the hardware returned it
 * @result: the result of the command
 *
 * Context: From &vrb_provider_ops.reap alone, no lock held.
 */
void vrb_slot_complete(struct vrb_device *dev, u16 token, const struct vrb_result *result)
{
	struct vrb_event *event = &dev->event[dev->nr_events];

	if (WARN_ON_ONCE(dev->nr_events >= VRB_BUDGET))
		return;
	event->token = token;
	event->result = *result;
	WRITE_ONCE(dev->nr_events, dev->nr_events + 1);
}
EXPORT_SYMBOL_GPL(vrb_slot_complete);

static unsigned int vrb_reap(struct vrb_device *dev)
{
	unsigned int before = dev->nr_events;

	if (READ_ONCE(dev->state) == VRB_DEV_OK && before < VRB_BUDGET)
		dev->ops->reap(dev, VRB_BUDGET - before);
	return dev->nr_events - before;
}

/* The slot of a token; NULL if no outstanding command has this token. */
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

static void vrb_take_result(struct vrb_device *dev, const struct vrb_event *event,
			    struct list_head *finished, struct list_head *late)
{
	struct vrb_slot *slot = vrb_slot_find(dev, event->token);

	if (!slot) {
		dev->counters.stray++;
		return;
	}
	dev->progress = dev->now;
	slot->result = event->result;
	if (slot->state == VRB_SLOT_ZOMBIE) {
		/* Its entry is in no list; a second completion has a stale token. */
		slot->token = ~slot->token;
		list_add_tail(&slot->entry, late);
		return;
	}
	slot->posted = false;
	dev->posted_now--;
	list_add_tail(&slot->entry, finished);
	trace_vrb_complete(dev, slot);
}

/*
 * Slots whose requests can continue. Those with a next command only need the lock. Of all the
 * others together, a run executes one portion of work.
 */
static void vrb_take_working(struct vrb_device *dev, struct list_head *finished,
			     struct list_head *driven)
{
	struct vrb_slot *slot, *next;
	unsigned int nr = 0;
	bool works = false;

	if (dev->state != VRB_DEV_OK)
		return;
	list_for_each_entry_safe(slot, next, &dev->working, entry) {
		if (!vrb_step_works(slot->vrb) && nr++ < VRB_BUDGET) {
			slot->verdict = VRB_AGAIN;
			list_move_tail(&slot->entry, driven);
		} else if (vrb_step_works(slot->vrb) && !works) {
			works = true;
			list_move_tail(&slot->entry, finished);
		}
	}
}

static void vrb_late_result(struct vrb_device *dev, struct vrb_slot *slot)
{
	const struct vrb_step *step = &slot->verb->steps[slot->step];

	if (step->late)
		step->late(dev, slot->object, &slot->result);
	vrb_relock(dev);
	list_del_init(&slot->entry);
	if (dev->state == VRB_DEV_OK) {
		dev->counters.zombies_reaped++;
		vrb_zombie_put(dev, slot);
	}
	spin_unlock(&dev->lock);
}

/* Not inlined: the rest of a run keeps its registers. */
static noinline void vrb_dispatch(struct vrb_device *dev)
{
	struct vrb *vrb;

	vrb_post_ready(dev);
	while (vrb_within_budget(dev) && (vrb = vrb_pick(dev)))
		vrb_issue(dev, vrb);
}

/*
 * Executes the verdicts of steps. On a failing device vrb_flush() completes these requests, except
 * those whose step has returned VRB_WAIT: the provider uses them until it resumes them.
 */
static void vrb_act_all(struct vrb_device *dev, struct list_head *finished)
{
	struct vrb_slot *slot;

	if (list_empty(finished))
		return;
	vrb_relock(dev);
	while (!list_empty(finished)) {
		slot = list_first_entry(finished, struct vrb_slot, entry);
		list_del_init(&slot->entry);
		if (dev->state != VRB_DEV_OK && slot->verdict != VRB_WAIT)
			continue;
		vrb_step_verdict(dev, slot);
	}
	spin_unlock(&dev->lock);
}

/* Handles events of clients and objects. */
static void vrb_take_in(struct vrb_device *dev)
{
	struct vrb_object *object;
	u8 news;

	vrb_await_clients(dev);
	while (vrb_within_budget(dev) && !list_empty(&dev->news)) {
		object = vrb_next_news(dev, &news);
		vrb_handle(dev);
		if (news & VRB_NEWS_BORN)
			vrb_create_over(dev, object);
		if (news & VRB_NEWS_EVENT)
			vrb_await_object(dev, object);
		vrb_object_news(dev, object, news);
	}
}

/* Reaps completed commands and continues requests. */
static void vrb_take_results(struct vrb_device *dev)
{
	LIST_HEAD(finished);
	LIST_HEAD(driven);
	LIST_HEAD(late);
	struct vrb_slot *slot, *next;
	unsigned int i;

	vrb_relock(dev);
	for (i = 0; i < dev->nr_events; i++)
		vrb_take_result(dev, &dev->event[i], &finished, &late);
	dev->nr_events = 0;
	vrb_take_working(dev, &finished, &driven);
	spin_unlock(&dev->lock);

	list_for_each_entry_safe(slot, next, &late, entry)
		vrb_late_result(dev, slot);
	list_for_each_entry(slot, &finished, entry)
		vrb_step_result(dev, slot);

	vrb_act_all(dev, &finished);
	vrb_act_all(dev, &driven);
}

/*
 * After one kind of work, before the next: if there was any, the count for this hold restarts at
 * 0, so that no kind of work can keep another from its turn. Returns how much there was.
 */
static int vrb_next_kind(struct vrb_device *dev)
	__must_hold(&dev->lock)
{
	int work = dev->handled;

	if (work) {
		spin_unlock(&dev->lock);
		vrb_relock(dev);
	}
	return work;
}

/* Everything but callbacks. */
static int vrb_progress(struct vrb_device *dev, ktime_t now)
{
	int work;

	spin_lock(&dev->lock);
	dev->in_run = true;
	dev->now = now;
	if (READ_ONCE(dev->timer_fired)) {
		WRITE_ONCE(dev->timer_fired, false);
		dev->timer_at = KTIME_MAX;
	}
	work = dev->nr_events;
	spin_unlock(&dev->lock);
	if (work || !list_empty(&dev->working))
		vrb_take_results(dev);

	vrb_relock(dev);
	vrb_accept_inbox(dev);
	work += vrb_next_kind(dev);
	vrb_take_in(dev);
	work += vrb_next_kind(dev);
	vrb_await_told_all(dev);
	work += vrb_next_kind(dev);
	vrb_expire_deadlines(dev);
	work += vrb_next_kind(dev);
	vrb_expire_commands(dev);
	work += vrb_next_kind(dev);
	vrb_sweep(dev);
	work += vrb_next_kind(dev);
	vrb_dispatch(dev);
	work += dev->handled;
	spin_unlock(&dev->lock);
	return work;
}

/* ---- Callbacks ---- */

/*
 * Calls the callback of the oldest completed request. The device lock is held, and dropped
 * meanwhile. The callback may free the request, so it is not accessed afterwards. Model of its
 * ticket: tools/testing/verification/ticket.pml.
 */
static void vrb_deliver_one(struct vrb_device *dev, struct vrb *vrb)
	__releases(&dev->lock) __acquires(&dev->lock)
{
	struct vrb_carrier *carrier = &vrb_carriers[dev->carrier];
	struct vrb_object *object = vrb->object;
	struct vrb_waiter *waiter = vrb->waiter;
	struct vrb_client *client = vrb->client;
	struct vrb_group *group = vrb->group;
	vrb_done_fn done = vrb->done;
	u64 ticket;

	if (IS_ENABLED(CONFIG_DEBUG_OBJECTS))
		vrb_debug_over(vrb);
	list_del_init(&vrb->device_entry);
	list_del_init(&vrb->entry);
	dev->counters.completed++;
	dev->counters.failed += vrb->status < 0;
	trace_vrb_done(vrb);
	if (vrb_is_destroy(vrb) && !vrb->status) {
		list_del(&object->entry);
		spin_unlock(&dev->lock);
		vrb_object_release(dev, vrb);
		spin_lock(&dev->lock);
		return;
	}
	if (vrb_is_destroy(vrb))
		object = NULL;		/* the destroy was refused: the object has an owner again */
	if (waiter)
		waiter->status = vrb->status;
	if (done) {
		ticket = (++carrier->tickets << VRB_CARRIER_BITS | dev->carrier) << VRB_STATE_BITS |
			 VRB_CALLBACK;
		dev->calling = (struct vrb_calling){ vrb->verb, client, done, vrb->submitted };
		WRITE_ONCE(carrier->task, current);
		atomic64_set(&carrier->running, ticket);
		atomic64_set_release(&vrb->state, ticket);
		spin_unlock(&dev->lock);
		vrb_call(dev, vrb, done);
		vrb_delay();
		spin_lock(&dev->lock);
		dev->calling.verb = NULL;
	} else {
		vrb->waiter = NULL;
		atomic64_set_release(&vrb->state, VRB_IDLE);
	}
	vrb_account(dev, client, group);
	if (object)
		vrb_object_unref(dev, object);
	if (!waiter)
		return;
	spin_unlock(&dev->lock);
	complete(&waiter->over);
	spin_lock(&dev->lock);
}

/*
 * Calls the idle functions of groups that are idle. A group may have been freed afterwards. The
 * device lock is held, and dropped meanwhile.
 */
static void vrb_tell_groups(struct vrb_device *dev)
	__releases(&dev->lock) __acquires(&dev->lock)
{
	void (*notify)(struct vrb_group *group);
	struct vrb_client *client;
	struct vrb_group *group;
	int n;

	for (n = 0; n < VRB_BUDGET && !list_empty(&dev->idle_groups); n++) {
		group = list_first_entry(&dev->idle_groups, struct vrb_group, entry);
		list_del_init(&group->entry);
		notify = group->notify;
		/* More requests were submitted to it meanwhile: it is called later. */
		if (!notify || atomic_read(&group->inflight))
			continue;
		group->notify = NULL;
		client = group->client;
		spin_unlock(&dev->lock);
		notify(group);
		spin_lock(&dev->lock);
		vrb_account(dev, client, NULL);
	}
}

/*
 * What completes because of a callback waits for the next run. Otherwise a callback whose request
 * completes at once when it is submitted again would be called many times before other softirqs
 * run.
 */
static int vrb_deliver(struct vrb_device *dev)
{
	struct list_head *last;
	bool more;
	int work;

	vrb_relock(dev);
	last = dev->done.prev;
	more = !list_empty(&dev->done);
	for (work = 0; more && work < VRB_BUDGET; work++) {
		more = dev->done.next != last;
		vrb_deliver_one(dev, list_first_entry(&dev->done, struct vrb, entry));
		dev->handled = 0;
	}
	vrb_tell_groups(dev);
	spin_unlock(&dev->lock);
	return work;
}

/* ---- The run ---- */

/**
 * vrb_run - one run of the pump
 * @dev: device
 * @interrupted: the command event queue has fired
 * @work: set to the amount of work done
 *
 * The interrupt is armed again only if it came or if commands were reaped. After the arming the run
 * reaps once more, for commands that completed before it took effect. Model:
 * tools/testing/verification/pump.pml.
 *
 * Context: Softirq, from the carrier.
 * Return: whether there is more to do now.
 */
bool vrb_run(struct vrb_device *dev, bool interrupted, int *work)
{
	ktime_t start = ktime_get();
	unsigned int found = vrb_reap(dev);
	bool more;

	*work = vrb_progress(dev, start);
	if (READ_ONCE(dev->state) == VRB_DEV_FAILING)
		vrb_fail_proceed(dev);
	if (READ_ONCE(dev->state) == VRB_DEV_FAILED)
		vrb_flush(dev);
	*work += vrb_deliver(dev);
	if ((found || interrupted) && READ_ONCE(dev->nr_slots) > 1 &&
	    READ_ONCE(dev->state) == VRB_DEV_OK) {
		dev->ops->rearm(dev);
		vrb_reap(dev);
	}

	vrb_relock(dev);
	dev->now = ktime_get();
	dev->in_run = false;
	if (dev->nr_slots == 1 && dev->posted_now) {
		dev->poll_at = ktime_add_ns(dev->now, dev->poll_ns);
		dev->poll_ns = min_t(u64, 2 * dev->poll_ns, VRB_RETRY_MAX_NS);
	}
	if (dev->watchers)
		vrb_wake(dev);
	dev->counters.runs++;
	dev->counters.run_max_ns = max_t(u64, dev->counters.run_max_ns,
					 ktime_to_ns(ktime_sub(dev->now, start)));
	more = vrb_work(dev) || !list_empty(&dev->inbox) || !list_empty(&dev->news) ||
	       !list_empty(&dev->told);
	if (!more)
		vrb_set_timer(dev);
	spin_unlock(&dev->lock);
	return more;
}
