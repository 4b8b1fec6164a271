// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * The functions with which a client submits, cancels and waits for requests, and destroys objects.
 *
 * Nothing here calls a callback: the pump does. If the device lock cannot be taken, a request is
 * put into the inbox. While the inbox is not empty every request goes through it, so that none
 * overtakes another. The model of claim and inbox against shut and cancel is
 * tools/testing/verification/inbox.pml.
 */
#include <linux/export.h>
#include <linux/sched/signal.h>

#include "vrb_internal.h"
#include "vrb_trace.h"

/* ---- Checks ---- */

static int vrb_check_request(const struct vrb_client *client, const struct vrb *vrb)
{
	if (vrb_is_await(vrb))
		return vrb_await_check(client, vrb);
	if (!vrb_verb_ok(vrb->verb) || vrb->class >= VRB_CLASS_EVENT || vrb->flags & ~VRB_FLAGS ||
	    vrb_is_destroy(vrb))
		return -EINVAL;
	if (vrb->verb->class == VRB_CLASS_EVENT)
		return -EOPNOTSUPP;
	if (vrb->verb->class == VRB_CLASS_VERB || vrb->verb->class > VRB_CLASS_EVENT)
		return -EINVAL;
	if (vrb->object && vrb->object->dev != client->dev)
		return -EINVAL;
	return vrb->group && vrb->group->client != client ? -EINVAL : 0;
}

/* The checks that the inbox makes too. Either lock held. */
static inline int vrb_check_shut(const struct vrb_client *client, const struct vrb *vrb)
{
	if (vrb_is_destroy(vrb))
		return 0;
	if (client->shut && !vrb->verb->parting)
		return -ESHUTDOWN;
	if (client != &client->dev->own && !client->dev->attached && !vrb->verb->parting)
		return -ENODEV;
	return 0;
}

/* Checked at the submit only: what was accepted is executed or cancelled. Either lock held. */
static inline int vrb_check_poison(const struct vrb *vrb)
{
	if (vrb_is_destroy(vrb))
		return 0;
	return vrb->killers || (vrb->group && vrb->group->poisoned) ? -EPERM : 0;
}

/* Checks the create of the object: submitted before, or this request. */
static int vrb_check_life(const struct vrb_object *object, const struct vrb_verb *verb)
{
	const struct vrb_object *parent;

	if (!verb->creates) {
		if (object->life == VRB_LIFE_SHELL)
			return -EINVAL;
		return object->life == VRB_LIFE_FAILED ? -ENOLINK : 0;
	}
	if (object->life != VRB_LIFE_SHELL && object->life != VRB_LIFE_FAILED)
		return -EINVAL;
	parent = vrb_unborn_parent(object);
	if (!parent)
		return 0;
	if (parent->dying)
		return -ESHUTDOWN;
	if (parent->life == VRB_LIFE_SHELL)
		return -EINVAL;
	return parent->life == VRB_LIFE_FAILED ? -ENOLINK : 0;
}

/* Why else a request cannot be accepted now. A destroy is always accepted. Device lock held. */
static int vrb_check_state(const struct vrb_client *client, const struct vrb *vrb)
{
	const struct vrb_device *dev = client->dev;
	const struct vrb_object *object = vrb->object;

	if (vrb_is_destroy(vrb))
		return 0;
	if (object && object->dying && !vrb->verb->parting)
		return -ESHUTDOWN;
	/* Not earlier: -EIO says that the hardware uses no memory any more. */
	if (dev->state == VRB_DEV_FAILED)
		return -EIO;
	if (!object)
		return vrb->op == VRB_OP_AWAIT_EVENT ? vrb_await_room(client) : 0;
	if (object->epoch != dev->epoch)
		return -ESTALE;
	if (object->zombies)
		return -EUCLEAN;
	return object->flush ?: vrb_check_life(object, vrb->verb);
}

/* ---- Accepting ---- */

/* After this the engine owns the request. Either lock held. */
static void vrb_count_in(struct vrb_client *client, struct vrb *vrb)
{
	if (IS_ENABLED(CONFIG_DEBUG_OBJECTS))
		vrb_debug_accepted(vrb);
	atomic_inc(&client->inflight);
	if (vrb->group) {
		atomic_inc(&vrb->group->inflight);
		vrb->generation = vrb->group->generation;
	}
}

/* Whether nothing is before a request, and there is a slot for it. Device lock held. */
static bool vrb_is_first(const struct vrb_device *dev, const struct vrb *vrb)
{
	return dev->state == VRB_DEV_OK && !dev->nr_runnable && !dev->hold &&
	       list_empty(&dev->ready) && vrb_may_issue(dev, vrb);
}

/* Whether a request can be issued at once, without the pump. Device lock held. */
static bool vrb_goes_now(const struct vrb_device *dev, const struct vrb *vrb)
{
	const struct vrb_object *object = vrb->object;

	if (!vrb_is_first(dev, vrb) || (object && object->active))
		return false;
	if (vrb_is_last(vrb) || vrb_is_await(vrb) || vrb_deadline_past(dev, vrb))
		return false;
	return !vrb->verb->creates || !vrb_unborn_parent(object);
}

/* Issues a destroy if nothing is before it: the pump would do the same. Otherwise queues it. */
static void vrb_destroy_now(struct vrb_device *dev, struct vrb *vrb)
{
	if (vrb->object->epoch == dev->epoch && vrb_is_first(dev, vrb))
		vrb_issue(dev, vrb);
	else
		vrb_object_zero(dev, vrb->object);
}

/* Issues a request or queues it. Device lock held. */
static void vrb_accept(struct vrb_device *dev, struct vrb *vrb)
{
	struct vrb_object *object = vrb->object;

	vrb_handle(dev);
	dev->counters.submitted++;
	list_add_tail(&vrb->device_entry, &dev->vrbs);
	trace_vrb_queue(vrb);
	vrb->after_destroy = object && object->dying;
	if (vrb->verb->creates && object) {
		vrb->creating = true;
		object->life = VRB_LIFE_CREATING;
	}
	if (vrb_goes_now(dev, vrb)) {
		vrb_issue(dev, vrb);
		return;
	}
	vrb_set_queued(dev, vrb);
	if (object && vrb == &object->destroy) {
		if (vrb_destroy_begin(dev, vrb))
			vrb_destroy_now(dev, vrb);
		return;
	}
	if (vrb_is_await(vrb)) {
		vrb_await_begin(dev, vrb);
		return;
	}
	if (vrb->deadline && !vrb_deadline_add(dev, vrb))
		return;
	if (!object) {
		vrb_make_runnable(dev, vrb, false);
	} else if (vrb->verb->creates) {
		vrb_create_begin(dev, vrb);
	} else {
		list_add_tail(&vrb->object_entry, &object->queue);
		vrb_object_next(dev, object);
	}
	if ((!object || !list_empty(&vrb->entry)) && list_empty(&dev->free_slots))
		dev->counters.no_slot++;
}

/* Device lock held. -EAGAIN: it must go through the inbox. */
static int vrb_submit_direct(struct vrb_client *client, struct vrb *vrb)
{
	struct vrb_device *dev = client->dev;
	int ret;

	if (!list_empty(&dev->inbox))
		return -EAGAIN;
	ret = vrb_check_shut(client, vrb) ?: vrb_check_poison(vrb) ?: vrb_check_state(client, vrb);
	if (ret)
		return ret;
	vrb_count_in(client, vrb);
	vrb_accept(dev, vrb);
	return -EINPROGRESS;
}

static int vrb_submit_inbox(struct vrb_client *client, struct vrb *vrb)
{
	struct vrb_device *dev = client->dev;
	unsigned long flags;
	int ret;

	raw_spin_lock_irqsave(&dev->kick_lock, flags);
	ret = vrb_check_shut(client, vrb) ?: vrb_check_poison(vrb);
	if (!ret) {
		vrb_count_in(client, vrb);
		vrb_set_state(vrb, VRB_INBOX);
		list_add_tail(&vrb->entry, &dev->inbox);
		trace_vrb_inbox(vrb);
	}
	raw_spin_unlock_irqrestore(&dev->kick_lock, flags);
	if (!ret)
		vrb_kick(dev);
	return ret ?: -EINPROGRESS;
}

/* If a check fails only now, its errno is the request's status. */
static void vrb_accept_late(struct vrb_device *dev, struct vrb *vrb)
{
	int ret = vrb_check_shut(vrb->client, vrb);

	ret = ret ?: vrb_check_state(vrb->client, vrb);
	ret = ret ?: vrb_doom(vrb);
	list_del_init(&vrb->entry);
	dev->counters.inbox++;
	if (!ret) {
		vrb_accept(dev, vrb);
		return;
	}
	dev->counters.submitted++;
	list_add_tail(&vrb->device_entry, &dev->vrbs);
	trace_vrb_queue(vrb);
	vrb_set_queued(dev, vrb);
	vrb_finish(dev, vrb, ret);
}

/**
 * vrb_accept_inbox - accept requests from the inbox, within the bounds of this hold of the lock
 * @dev: device
 *
 * Context: The pump, device lock held.
 */
void vrb_accept_inbox(struct vrb_device *dev)
{
	struct vrb *vrb;

	lockdep_assert_held(&dev->lock);
	while (vrb_within_budget(dev) && !list_empty(&dev->inbox)) {
		raw_spin_lock_irq(&dev->kick_lock);
		vrb = list_first_entry(&dev->inbox, struct vrb, entry);
		list_del_init(&vrb->entry);
		raw_spin_unlock_irq(&dev->kick_lock);
		vrb_accept_late(dev, vrb);
	}
}

/* ---- Submitting ---- */

/*
 * Of two callers that submit the same request one succeeds. @was: the state to restore if it is
 * refused later.
 * Models: inbox.pml, ticket.pml.
 */
static int vrb_claim(struct vrb *vrb, u64 *was)
{
	u64 word = atomic64_read_acquire(&vrb->state);	/* before the running ticket */

	if (!vrb_word_idle(word) && !vrb_word_mine(word))
		return -EBUSY;
	if (atomic64_cmpxchg(&vrb->state, word, VRB_CLAIMED) != word)
		return -EBUSY;
	*was = word;
	return 0;
}

static int vrb_submit_claimed(struct vrb_client *client, struct vrb *vrb)
{
	struct vrb_device *dev = client->dev;
	int ret;

	if (!vrb_may_lock()) {
		vrb_begin(vrb, client, ktime_get());
		return vrb_submit_inbox(client, vrb);
	}
	spin_lock_bh(&dev->lock);
	/* Read under the lock: a time from before the wait for it could be older than dev->now. */
	vrb_begin(vrb, client, ktime_get());
	dev->now = vrb->submitted;
	dev->handled = 0;
	ret = vrb_submit_direct(client, vrb);
	vrb_unlock(dev);
	return ret == -EAGAIN ? vrb_submit_inbox(client, vrb) : ret;
}

/* Takes a reference to the object; an accepted request keeps it. */
static int vrb_submit_object(struct vrb_client *client, struct vrb *vrb)
{
	int ret = vrb->op ? vrb_resolve(client, vrb) : 0;

	ret = ret ?: vrb_check_request(client, vrb);
	if (ret)
		return ret;
	if (vrb->object && !refcount_inc_not_zero(&vrb->object->refs))
		return -ESHUTDOWN;
	ret = vrb_submit_claimed(client, vrb);
	if (ret != -EINPROGRESS && vrb->object)
		vrb_object_put(vrb->object);
	return ret;
}

static int vrb_refuse(struct vrb_device *dev, struct vrb *vrb, int ret)
{
	atomic64_inc(&dev->refused);
	trace_vrb_refuse(dev, vrb, ret);
	return ret;
}

static int vrb_submit_for(struct vrb_client *client, struct vrb *vrb, struct vrb_waiter *waiter)
{
	struct vrb_device *dev = client->dev;
	u64 was;
	int ret;

	if (WARN_ON_ONCE(in_nmi()))
		return -EINVAL;
	ret = vrb_claim(vrb, &was);
	if (ret)
		return vrb_refuse(dev, vrb, ret);
	vrb->waiter = waiter;
	WRITE_ONCE(vrb->client, client);
	ret = vrb_submit_object(client, vrb);
	if (ret == -EINPROGRESS)
		return ret;
	/* A caller that ignores the return value and waits must get this error. */
	vrb->status = vrb_refuse(dev, vrb, ret);
	atomic64_set_release(&vrb->state, was);
	/* vrb_kill() may have seen it claimed, and waits for a run. @vrb may have been freed. */
	vrb_kick(dev);
	return ret;
}

/**
 * vrb_submit - submit a request
 * @client: the submitting client
 * @vrb: idle request, or the one whose callback calls this
 *
 * Never sleeps or allocates, and posts at most one command, with at most one register read. The
 * callback may run before this returns: on another CPU at any time, on this one only if BH is
 * enabled. A caller that must do something before it runs holds a lock that the callback takes.
 *
 * Context: Any but NMI; the caller may hold any of its locks, also with interrupts off.
 * Return: -EINPROGRESS: accepted, the callback runs exactly once. Anything else: refused, the
 * callback never runs: -EINVAL for a malformed request, an object of another device, or a group
 * of another client; -EBUSY if @vrb is not idle, or the client has eight requests for events of the
 * device; -EOPNOTSUPP if the provider lacks the verb, or its verb is of the event class; -ESHUTDOWN
 * if the object is being destroyed or the client is shut; -ENODEV if the provider is being removed;
 * -EPERM if the group is poisoned or @vrb is being killed; -EIO if the device has failed; -ENOLINK
 * if a create that this depends on has failed; -EACCES for a process's object, or a change that
 * ib_core's security modules must check; -ESTALE, -EUCLEAN: see <rdma/vrb.h>. For a request in the
 * inbox, an error that is found later is its status.
 */
int vrb_submit(struct vrb_client *client, struct vrb *vrb)
{
	return vrb_submit_for(client, vrb, NULL);
}
EXPORT_SYMBOL_GPL(vrb_submit);

static int vrb_destroy_for(struct vrb_client *client, struct vrb_object *object,
			   void (*gone)(void *context), void *context, struct vrb_waiter *waiter)
{
	struct vrb *vrb = &object->destroy;
	u64 was;
	int ret;

	if (WARN_ON_ONCE(in_nmi()) || object->dev != client->dev || !vrb_verb_ok(vrb->verb) ||
	    vrb_claim(vrb, &was))
		return vrb_refuse(client->dev, vrb, -EINVAL);
	vrb->waiter = waiter;
	object->gone = gone;
	object->gone_context = context;
	ret = vrb_submit_claimed(client, vrb);
	WARN_ON_ONCE(ret != -EINPROGRESS);
	return ret;
}

/**
 * vrb_destroy - destroy an object
 * @client: the calling client
 * @object: object, which the caller must not use any more
 * @gone: called when all resources have been freed, or NULL
 * @context: argument of @gone
 *
 * Queued requests on the object are cancelled, new ones are refused. This takes over the owner's
 * reference. The commands are issued when there is no other reference, so the destroy of a parent
 * stays pending until its children are gone. It never fails, needs no memory, and is accepted while
 * the client is shut, the provider is being removed, or the device has failed.
 *
 * Context: Any but NMI; @gone in softirq, no lock held.
 * Return: -EINPROGRESS; -EINVAL: an object of another device, or its destroy is pending.
 */
int vrb_destroy(struct vrb_client *client, struct vrb_object *object, void (*gone)(void *context),
		void *context)
{
	return vrb_destroy_for(client, object, gone, context, NULL);
}
EXPORT_SYMBOL_GPL(vrb_destroy);

/**
 * vrb_destroy_wait - destroy an object and sleep until it is gone
 * @client: the calling client
 * @object: gone afterwards, unless this fails
 *
 * For ib_device_ops, which must check for children first: vrb_object_has_children().
 *
 * Context: Process, may sleep.
 * Return: 0; -EBUSY: the hardware refused, the object still exists; -EINVAL: see vrb_destroy().
 */
int vrb_destroy_wait(struct vrb_client *client, struct vrb_object *object)
{
	struct vrb_waiter waiter;
	int ret;

	might_sleep();
	init_completion(&waiter.over);
	ret = vrb_destroy_for(client, object, NULL, NULL, &waiter);
	if (ret != -EINPROGRESS)
		return ret;
	wait_for_completion(&waiter.over);
	return waiter.status;
}
EXPORT_SYMBOL_GPL(vrb_destroy_wait);

/* ---- Cancelling ---- */

static int vrb_cancel_inbox(struct vrb_device *dev, struct vrb *vrb)
{
	raw_spin_lock_irq(&dev->kick_lock);
	list_del_init(&vrb->entry);
	raw_spin_unlock_irq(&dev->kick_lock);
	dev->counters.submitted++;
	list_add_tail(&vrb->device_entry, &dev->vrbs);
	trace_vrb_queue(vrb);
	vrb_set_queued(dev, vrb);
	vrb_finish(dev, vrb, -ECANCELED);
	return 0;
}

/* Device lock held: the state does not change, unless it is CLAIMED or idle. */
static int vrb_cancel_locked(struct vrb_device *dev, struct vrb *vrb)
{
	if (vrb_word_idle(atomic64_read(&vrb->state)))
		return -ENOENT;
	if (vrb_is_destroy(vrb))
		return -EALREADY;
	switch (vrb_state(vrb)) {
	case VRB_INBOX:
		dev->counters.cancelled++;
		return vrb_cancel_inbox(dev, vrb);
	case VRB_QUEUED:
	case VRB_WAITING:
		if (vrb->undoing || (vrb->started && dev->state != VRB_DEV_OK))
			return -EALREADY;
		dev->counters.cancelled++;
		vrb_take_back(dev, vrb, -ECANCELED);
		return 0;
	default:
		return -EALREADY;
	}
}

/*
 * The state of a request, which may change meanwhile: 0 the engine owns it, -EALREADY it is being
 * submitted, -ENOENT idle. Between the reads of its ticket and of the running ticket its callback
 * may submit it again and return. So it is idle only if it still has the same ticket afterwards.
 * Model: ticket.pml.
 */
static int vrb_look(const struct vrb *vrb)
{
	u64 word;

	for (;;) {
		word = atomic64_read_acquire(&vrb->state);
		vrb_delay();
		if (!vrb_word_idle(word))
			return vrb_word_state(word) == VRB_CLAIMED ? -EALREADY : 0;
		smp_rmb();	/* pairs with the release of the ticket in vrb_call() */
		if (atomic64_read(&vrb->state) == word)
			return -ENOENT;
	}
}

/**
 * vrb_cancel - cancel a request
 * @vrb: request; it must not be submitted to another device meanwhile
 *
 * Context: Any down to softirq, interrupts enabled.
 * Return: 0: it was queued or waiting, and completes with -ECANCELED, after its steps have been
 * undone if there were any. -EALREADY: it has a slot, is being submitted or undone, has completed,
 * or its callback runs; the callback gets the actual result. -ENOENT: it is idle. -EINVAL: it must
 * not be called in this context.
 */
int vrb_cancel(struct vrb *vrb)
{
	struct vrb_device *dev;
	int ret;

	if (WARN_ON_ONCE(!vrb_may_lock()))
		return -EINVAL;
	ret = vrb_look(vrb);
	if (ret)
		return ret;
	/* Its callback may submit it again meanwhile. */
	dev = READ_ONCE(vrb->client)->dev;
	vrb_lock(dev);
	ret = vrb_cancel_locked(dev, vrb);
	vrb_unlock(dev);
	return ret;
}
EXPORT_SYMBOL_GPL(vrb_cancel);

static void vrb_count_killers(struct vrb_device *dev, struct vrb *vrb, int by)
{
	raw_spin_lock_irq(&dev->kick_lock);
	vrb->killers += by;
	raw_spin_unlock_irq(&dev->kick_lock);
	dev->watchers += by;
}

static unsigned int vrb_not_idle(const void *vrb)
{
	return !vrb_word_idle(atomic64_read(&((const struct vrb *)vrb)->state));
}

/**
 * vrb_kill - cancel a request and sleep until it is idle
 * @vrb: request that its callback does not free; it must not be submitted to another device
 *
 * Meanwhile every submit of it is refused with -EPERM, also from its callback.
 *
 * Context: Process, may sleep; not its callback.
 */
void vrb_kill(struct vrb *vrb)
{
	struct vrb_device *dev;
	int where;

	might_sleep();
	/* The CPU inside the submit spins for the lock or is interrupted: let it continue. */
	while ((where = vrb_look(vrb)) == -EALREADY)
		schedule_timeout_uninterruptible(1);
	if (where)
		return;
	dev = READ_ONCE(vrb->client)->dev;
	vrb_lock(dev);
	vrb_count_killers(dev, vrb, 1);
	vrb_cancel_locked(dev, vrb);
	vrb_unlock(dev);
	vrb_wait_zero(dev, vrb_not_idle, vrb, "requests that are killed");
	vrb_lock(dev);
	vrb_count_killers(dev, vrb, -1);
	vrb_unlock(dev);
}
EXPORT_SYMBOL_GPL(vrb_kill);

/* ---- Waiting ---- */

/*
 * 1: it has not completed; 0: it has a status; -EAGAIN: it is inside a submit that may still be
 * refused.
 */
static int vrb_wait_begin(struct vrb_device *dev, struct vrb *vrb, struct vrb_waiter *waiter)
{
	int wait = 0;
	u64 word;

	init_completion(&waiter->over);
	spin_lock_bh(&dev->lock);
	word = atomic64_read_acquire(&vrb->state);
	waiter->status = vrb->status;
	if (vrb_word_state(word) == VRB_CLAIMED) {
		wait = -EAGAIN;
	} else if (!vrb_word_idle(word)) {
		wait = !WARN_ON_ONCE(vrb->waiter);
		if (wait)
			vrb->waiter = waiter;
		else
			waiter->status = -EBUSY;
	}
	spin_unlock_bh(&dev->lock);
	return wait;
}

static int vrb_wait_for(struct vrb *vrb, bool killable)
{
	struct vrb_waiter waiter;
	struct vrb_device *dev;
	bool over = true;
	int wait;

	might_sleep();
	if (WARN_ON_ONCE(!READ_ONCE(vrb->client) || vrb->done || vrb_is_destroy(vrb)))
		return -EINVAL;
	/* Its client may have been freed. */
	if (vrb_word_idle(atomic64_read_acquire(&vrb->state)))
		return vrb->status;
	dev = READ_ONCE(vrb->client)->dev;
	while ((wait = vrb_wait_begin(dev, vrb, &waiter)) == -EAGAIN)
		schedule_timeout_uninterruptible(1);
	if (!wait)
		return waiter.status;
	if (!killable) {
		wait_for_completion(&waiter.over);
	} else if (wait_for_completion_killable(&waiter.over)) {
		spin_lock_bh(&dev->lock);
		over = vrb->waiter != &waiter;
		if (!over)
			vrb->waiter = NULL;
		spin_unlock_bh(&dev->lock);
		if (over)
			wait_for_completion(&waiter.over);
	}
	return over ? waiter.status : -EINTR;
}

/**
 * vrb_wait - sleep until a request has completed
 * @vrb: request without a callback that has been submitted
 *
 * Uninterruptible. Returns at once if the request is idle.
 *
 * Context: Process, may sleep.
 * Return: the request's status, or the errno of a refused submit; -EINVAL if it has a callback or
 * was never submitted; -EBUSY if there is a waiter already.
 */
int vrb_wait(struct vrb *vrb)
{
	return vrb_wait_for(vrb, false);
}
EXPORT_SYMBOL_GPL(vrb_wait);

/**
 * vrb_wait_killable - sleep until a request has completed, or until a fatal signal
 * @vrb: as for vrb_wait(), and not on the stack: after -EINTR the engine still owns it
 *
 * Context: Process, may sleep.
 * Return: as vrb_wait(), and -EINTR.
 */
int vrb_wait_killable(struct vrb *vrb)
{
	return vrb_wait_for(vrb, true);
}
EXPORT_SYMBOL_GPL(vrb_wait_killable);

/**
 * vrb_submit_wait - submit a request and sleep until it has completed
 * @client: the submitting client
 * @vrb: idle request without a callback
 *
 * Context: Process, may sleep.
 * Return: the request's status, or the errno of a refused submit: see vrb_submit().
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
