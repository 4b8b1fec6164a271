// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * What a client does with a request: submit, cancel, wait, poll.
 *
 * Nothing here calls a callback: whatever becomes of a request, the pump delivers it.
 */
#include <linux/export.h>
#include <linux/preempt.h>

#include "vrb_internal.h"

/**
 * vrb_init - make a request ready for use
 * @vrb: request; nothing of what it held is looked at
 * @done: callback, or NULL if somebody is going to wait with vrb_wait() or only the object's
 *	release matters
 * @context: the caller's
 *
 * Once; after its callback a request can be submitted again as it is.
 *
 * Context: Any.
 */
void vrb_init(struct vrb *vrb, vrb_done_fn done, void *context)
{
	memset(vrb, 0, sizeof(*vrb));
	vrb->done = done;
	vrb->context = context;
	INIT_LIST_HEAD(&vrb->entry);
	INIT_LIST_HEAD(&vrb->object_entry);
	INIT_LIST_HEAD(&vrb->group_entry);
	INIT_LIST_HEAD(&vrb->client_entry);
	timerqueue_init(&vrb->expiry);
}
EXPORT_SYMBOL_GPL(vrb_init);

/**
 * vrb_set_group - make a request part of a group from its next submit on
 * @vrb: idle request
 * @group: group of the same client, or NULL
 *
 * Context: Any.
 */
void vrb_set_group(struct vrb *vrb, struct vrb_group *group)
{
	vrb->group = group;
}
EXPORT_SYMBOL_GPL(vrb_set_group);

/* The lock is one that softirqs take: it cannot be taken where they may have been interrupted. */
static bool vrb_context_ok(void)
{
	return !WARN_ON_ONCE(in_nmi() || in_hardirq() || irqs_disabled());
}

static int vrb_check_request(const struct vrb_device *dev, const struct vrb *vrb)
{
	const struct vrb_verb *verb = vrb->verb;

	if (!verb || !verb->encode || !verb->name || verb->class >= VRB_NR_CLASSES)
		return -EINVAL;
	if (verb->class == VRB_CLASS_EVENT)
		return -EOPNOTSUPP;
	if (vrb->object && vrb->object->dev != dev)
		return -EINVAL;
	if (vrb->group && vrb->group->dev != dev)
		return -EINVAL;
	if ((verb->flags & VRB_VERB_DESTROY) && (!vrb->object || vrb != &vrb->object->destroy))
		return -EINVAL;
	return 0;
}

/*
 * Why a request cannot be accepted now. A destroy is refused only if there is none to do, or nobody
 * to do it for.
 */
static int vrb_check_state(const struct vrb_client *client, const struct vrb *vrb)
{
	const struct vrb_device *dev = client->dev;
	const struct vrb_object *object = vrb->object;

	if (WARN_ON_ONCE(vrb->state != VRB_IDLE))
		return -EBUSY;
	if (client->leaving || (object && object->dying))
		return -ESHUTDOWN;
	if (vrb_is_destroy(vrb))
		return 0;
	if (client != &dev->own && !dev->attached)
		return -ENODEV;
	if (dev->state != VRB_DEV_OK)
		return -EIO;
	if (object && (object->zombies || vrb_object_dead(object)))
		return -EIO;
	if (vrb->group && vrb->group->poisoned)
		return -EPERM;
	return 0;
}

static void vrb_accept(struct vrb_client *client, struct vrb *vrb, struct vrb_waiter *waiter)
{
	struct vrb_device *dev = client->dev;

	vrb->dev = dev;
	vrb->client = client;
	vrb->waiter = waiter;
	vrb->class = vrb_is_destroy(vrb) ? VRB_CLASS_TEARDOWN : vrb->verb->class;
	vrb->status = 0;
	vrb->step = 0;
	vrb->fw_status = 0;
	vrb->out = 0;
	vrb->undo = false;
	vrb->slot = NULL;
	vrb->submitted = ktime_get();
	client->inflight++;
	if (vrb->group) {
		vrb->group->inflight++;
		list_add_tail(&vrb->group_entry, &vrb->group->vrbs);
	}
	dev->counters.submitted++;
	vrb_enqueue(dev, vrb);
}

/* If nobody is before it the request need not wait for the pump. */
static void vrb_try_now(struct vrb_device *dev, struct vrb *vrb)
{
	if (vrb_pick(dev) == vrb) {
		vrb_issue(dev, vrb);
		vrb_post_ready(dev);
	} else if (!list_empty(&vrb->entry) && vrb->state == VRB_QUEUED &&
		   !vrb_may_issue(dev, vrb->class, vrb->flags & VRB_F_USER)) {
		dev->counters.no_slot++;
	}
}

static int vrb_submit_for(struct vrb_client *client, struct vrb *vrb, struct vrb_waiter *waiter)
{
	struct vrb_device *dev = client->dev;
	int ret;

	if (!vrb_context_ok())
		return -EINVAL;
	ret = vrb_check_request(dev, vrb);

	vrb_lock(dev);
	if (!ret)
		ret = vrb_check_state(client, vrb);
	if (ret) {
		dev->counters.refused++;
	} else {
		vrb_accept(client, vrb, waiter);
		vrb_try_now(dev, vrb);
		ret = -EINPROGRESS;
	}
	vrb_unlock(dev);
	return ret;
}

/**
 * vrb_submit - have a verb done
 * @client: on whose behalf
 * @vrb: idle request; verb, object, arguments, deadline, flags and group set
 *
 * Never sleeps or allocates, and posts at most one command itself: at most one register read.
 *
 * Context: Any down to softirq, interrupts enabled; a callback too.
 * Return: -EINPROGRESS: accepted, the callback is going to run exactly once. Anything else:
 * refused, it never runs: -EINVAL for a malformed request or from a wrong context; -EBUSY if @vrb
 * is not idle; -EOPNOTSUPP for event verbs; -EIO if the device has failed or an earlier command on
 * the object was never answered; -ENODEV after the provider has gone; -ESHUTDOWN if the object is
 * being destroyed or the client unregistered; -EPERM if the group is poisoned.
 */
int vrb_submit(struct vrb_client *client, struct vrb *vrb)
{
	return vrb_submit_for(client, vrb, NULL);
}
EXPORT_SYMBOL_GPL(vrb_submit);

/**
 * vrb_cancel - take a request back
 * @vrb: request that has been submitted at least once
 *
 * Context: Any down to softirq, interrupts enabled.
 * Return: 0: it was queued, its callback comes with -ECANCELED. -EALREADY: it has a slot, is over,
 * or is a destroy; the callback comes with the true result. -ENOENT: it is idle. -EINVAL: wrong
 * context.
 */
int vrb_cancel(struct vrb *vrb)
{
	struct vrb_device *dev = vrb->dev;
	int ret = -EALREADY;

	if (!vrb_context_ok())
		return -EINVAL;
	if (!dev)
		return -ENOENT;
	vrb_lock(dev);
	if (vrb->state == VRB_IDLE) {
		ret = -ENOENT;
	} else if (vrb->state == VRB_QUEUED && !vrb_is_destroy(vrb)) {
		dev->counters.cancelled++;
		vrb_finish(dev, vrb, -ECANCELED);
		ret = 0;
	}
	vrb_unlock(dev);
	return ret;
}
EXPORT_SYMBOL_GPL(vrb_cancel);

/**
 * vrb_wait - sleep until a request is over
 * @vrb: request without a callback that has been submitted; not a destroy, which takes its object
 *	and so itself away: see vrb_submit_wait()
 *
 * Uninterruptible. Returns at once if the request is idle.
 *
 * Context: Process, may sleep.
 * Return: the request's status; -EINVAL if it has a callback, is a destroy, or was never submitted;
 * -EBUSY if somebody waits for it already.
 */
int vrb_wait(struct vrb *vrb)
{
	struct vrb_device *dev = vrb->dev;
	struct vrb_waiter waiter;

	might_sleep();
	if (WARN_ON_ONCE(!dev || vrb->done || vrb_is_destroy(vrb)))
		return -EINVAL;
	init_completion(&waiter.over);
	spin_lock_bh(&dev->lock);
	waiter.status = vrb->status;
	if (vrb->state == VRB_IDLE) {
		complete(&waiter.over);
	} else if (WARN_ON_ONCE(vrb->waiter)) {
		waiter.status = -EBUSY;
		complete(&waiter.over);
	} else {
		vrb->waiter = &waiter;
	}
	spin_unlock_bh(&dev->lock);
	wait_for_completion(&waiter.over);
	return waiter.status;
}
EXPORT_SYMBOL_GPL(vrb_wait);

/**
 * vrb_submit_wait - have a verb done and sleep until it is over
 * @client: on whose behalf
 * @vrb: idle request without a callback; may be the destroy of an object, which may be gone
 *	afterwards
 *
 * Context: Process, may sleep.
 * Return: the request's status, or why it was refused: see vrb_submit().
 */
int vrb_submit_wait(struct vrb_client *client, struct vrb *vrb)
{
	struct vrb_waiter waiter;
	int ret;

	might_sleep();
	if (WARN_ON_ONCE(vrb->done))
		return -EINVAL;
	init_completion(&waiter.over);
	ret = vrb_submit_for(client, vrb, &waiter);
	if (ret != -EINPROGRESS)
		return ret;
	wait_for_completion(&waiter.over);
	return waiter.status;
}
EXPORT_SYMBOL_GPL(vrb_submit_wait);

/* Whether a request is over; one that nobody else is going to take goes back to its caller. */
static bool vrb_poll_over(struct vrb_device *dev, struct vrb *vrb)
{
	bool over;

	spin_lock_bh(&dev->lock);
	over = vrb->state == VRB_IDLE || vrb->state == VRB_DONE;
	if (vrb->state == VRB_DONE && !vrb->done && !vrb->waiter) {
		vrb_take_done(dev, vrb);
		vrb_account_done(dev, vrb->client, vrb->group);
	}
	spin_unlock_bh(&dev->lock);
	return over;
}

static int vrb_poll_until(struct vrb_device *dev, struct vrb *vrb, u64 end)
{
	for (;;) {
		vrb_progress(dev);
		if (vrb_poll_over(dev, vrb))
			return 0;
		if (ktime_get_ns() >= end)
			return -EINPROGRESS;
		cpu_relax();
	}
}

/**
 * vrb_poll - look for the end of a request where sleeping is not possible
 * @vrb: request that has been submitted; not a destroy
 * @bound_ns: how long to look at most, in nanoseconds; not 0
 *
 * Runs the pump without calling any callback: those are left to the softirq, that of @vrb included.
 *
 * Context: Any down to softirq, interrupts enabled.
 * Return: 0: it is over, its result is in &vrb.status (with a callback, for as long as that leaves
 * it alone); -EINPROGRESS: not within the bound; -EBUSY: the pump runs elsewhere now; -EINVAL: no
 * bound, a destroy, a request never submitted, or a wrong context.
 */
int vrb_poll(struct vrb *vrb, u64 bound_ns)
{
	struct vrb_device *dev = vrb->dev;
	u64 end = ktime_get_ns() + bound_ns;
	int ret = -EBUSY;

	if (!vrb_context_ok() || !bound_ns || !dev || vrb_is_destroy(vrb))
		return -EINVAL;
	local_bh_disable();
	if (vrb_poll_over(dev, vrb)) {
		ret = 0;
	} else if (vrb_pump_enter(dev)) {
		ret = vrb_poll_until(dev, vrb, end);
		vrb_pump_leave(dev);
	}
	local_bh_enable();
	return ret;
}
EXPORT_SYMBOL_GPL(vrb_poll);
