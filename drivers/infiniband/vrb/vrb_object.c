// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Hardware objects: references, and when a destroy may be issued; and the completion of a request,
 * after which the next one of its object may be issued.
 *
 * The owner has one reference from vrb_object_init() on. A child has one to each of its parents, a
 * request has one until its callback has returned, and so has a command that timed out. A destroy
 * takes over the owner's. When the last reference is dropped the pump issues the destroy's commands
 * and then releases the object. At zero a lookup does not find the object any more. If the hardware
 * never knew the object, the owner drops its reference itself. The model of the last put against
 * lookup is tools/testing/verification/put.pml.
 */
#include <linux/export.h>

#include "vrb_internal.h"
#include "vrb_trace.h"

/* ---- References ---- */

/**
 * vrb_object_init - initialise an object that the hardware knows
 * @object: object, in memory of the provider that stays until &vrb_object_type.free
 * @dev: device
 * @type: its kind
 * @id: its number on the device
 * @destroy: the verb that destroys it; NULL if the owner only drops its reference
 *
 * Context: Any down to softirq.
 */
void vrb_object_init(struct vrb_object *object, struct vrb_device *dev,
		     const struct vrb_object_type *type, u32 id, const struct vrb_verb *destroy)
{
	memset(object, 0, sizeof(*object));
	object->type = type;
	object->id = id;
	object->dev = dev;
	refcount_set(&object->refs, 1);
	INIT_LIST_HEAD(&object->queue);
	INIT_LIST_HEAD(&object->news_entry);
	INIT_LIST_HEAD(&object->visitors);
	INIT_LIST_HEAD(&object->awaiting);
	INIT_LIST_HEAD(&object->shell_entry);
	vrb_prep(&object->destroy, destroy, object);

	spin_lock_bh(&dev->lock);
	object->epoch = dev->epoch;
	list_add_tail(&object->entry, &dev->objects);
	dev->nr_objects++;
	spin_unlock_bh(&dev->lock);
	trace_vrb_object_init(object);
}
EXPORT_SYMBOL_GPL(vrb_object_init);

/**
 * vrb_object_init_shell - initialise an object that a verb will create in the hardware
 * @object: object
 * @dev: device
 * @type: its kind
 * @id: its number on the device
 * @destroy: the verb that destroys it
 *
 * The first request on it must be its create, a verb with &vrb_verb.creates. A create that has
 * failed may be submitted again.
 *
 * Context: Any down to softirq.
 */
void vrb_object_init_shell(struct vrb_object *object, struct vrb_device *dev,
			   const struct vrb_object_type *type, u32 id,
			   const struct vrb_verb *destroy)
{
	vrb_object_init(object, dev, type, id, destroy);
	object->life = VRB_LIFE_SHELL;
}
EXPORT_SYMBOL_GPL(vrb_object_init_shell);

/**
 * vrb_object_get - take a reference
 * @object: object to which the caller has a reference
 *
 * Context: Any.
 */
void vrb_object_get(struct vrb_object *object)
{
	refcount_inc(&object->refs);
}
EXPORT_SYMBOL_GPL(vrb_object_get);

/**
 * vrb_object_tryget - take a reference to an object that was found in a table
 * @object: object that cannot be freed meanwhile: found under rcu_read_lock()
 *
 * A destroy that is still in the inbox has not begun, and waits for this reference.
 *
 * Context: Any.
 * Return: whether it was taken; not if the object is being destroyed.
 */
bool vrb_object_tryget(struct vrb_object *object)
{
	return !READ_ONCE(object->dying) && refcount_inc_not_zero(&object->refs);
}
EXPORT_SYMBOL_GPL(vrb_object_tryget);

/**
 * vrb_object_put - drop a reference
 * @object: object; the caller must not access it after this call
 *
 * The owner calls this only for an object that the hardware never knew; otherwise the destroy drops
 * the owner's reference. Nothing is released here: the pump does that after the last put.
 *
 * Context: Any but NMI; the caller may hold any lock.
 */
void vrb_object_put(struct vrb_object *object)
{
	if (refcount_dec_and_test(&object->refs))
		vrb_tell(object, VRB_NEWS_ZERO);
}
EXPORT_SYMBOL_GPL(vrb_object_put);

/**
 * vrb_parents_put - an object does not use these parents any more
 * @dev: device
 * @parent: the parents
 * @nr: their number
 *
 * Context: Device lock held.
 */
void vrb_parents_put(struct vrb_device *dev, struct vrb_object **parent, unsigned int nr)
{
	struct vrb_client *client;
	unsigned int i;

	for (i = 0; i < nr; i++) {
		WRITE_ONCE(parent[i]->children, parent[i]->children - 1);
		client = parent[i]->destroy.client;
		if (!parent[i]->children && parent[i]->dying)
			client->held--;
		vrb_object_unref(dev, parent[i]);
	}
}

/**
 * vrb_object_is_quiet - whether an object has no request, and accepts requests
 * @object: object that the hardware knows
 *
 * For operations that need not submit a request if the object is already in the requested state.
 * The caller must read the state after this call. It is then the state after all requests that were
 * submitted before the call.
 *
 * Context: Any down to softirq, no lock of the engine held.
 */
bool vrb_object_is_quiet(struct vrb_object *object)
{
	struct vrb_device *dev = object->dev;
	bool quiet;

	spin_lock_bh(&dev->lock);
	quiet = dev->state == VRB_DEV_OK && object->epoch == dev->epoch && !object->dying &&
		!object->zombies && !object->flush && !object->active &&
		list_empty(&object->queue) && list_empty(&dev->inbox);
	spin_unlock_bh(&dev->lock);
	return quiet;
}
EXPORT_SYMBOL_GPL(vrb_object_is_quiet);

/**
 * vrb_resume - continue an object's request that waits in a step
 * @object: object whose request's step returns, or has returned, %VRB_WAIT
 *
 * Must be called once for each wait, and not before the function that returns %VRB_WAIT has been
 * called.
 *
 * Context: Any but NMI; the caller may hold any lock.
 */
void vrb_resume(struct vrb_object *object)
{
	vrb_tell(object, VRB_NEWS_RESUME);
}
EXPORT_SYMBOL_GPL(vrb_resume);

/* After a failure of the device the hardware does not know the objects from before. */
static bool vrb_object_dead(const struct vrb_device *dev, const struct vrb_object *object)
{
	return dev->state == VRB_DEV_FAILED || object->epoch != dev->epoch;
}

static bool vrb_destroy_is_void(const struct vrb_object *object)
{
	const struct vrb_verb *verb = object->destroy.verb;

	return verb->is_void && verb->is_void(object);
}

/* The owner has dropped an object that the hardware never knew: a destroy without a command. */
static void vrb_object_dropped(struct vrb_device *dev, struct vrb_object *object)
{
	struct vrb *vrb = &object->destroy;

	WRITE_ONCE(object->dying, true);
	vrb_begin(vrb, &dev->own, dev->now);
	vrb->waiter = NULL;
	if (IS_ENABLED(CONFIG_DEBUG_OBJECTS))
		vrb_debug_accepted(vrb);
	atomic_inc(&dev->own.inflight);
	dev->counters.submitted++;
	list_add_tail(&vrb->device_entry, &dev->vrbs);
	trace_vrb_queue(vrb);
	vrb_set_queued(dev, vrb);
	vrb_finish(dev, vrb, 0);
}

/**
 * vrb_object_zero - the last reference has been dropped
 * @dev: device
 * @object: object; its destroy may proceed. Model: put.pml
 *
 * Context: Device lock held.
 */
void vrb_object_zero(struct vrb_device *dev, struct vrb_object *object)
{
	lockdep_assert_held(&dev->lock);
	if (!object->dying)
		vrb_object_dropped(dev, object);
	else if (vrb_object_dead(dev, object) || vrb_destroy_is_void(object))
		vrb_finish(dev, &object->destroy, 0);
	else
		vrb_make_runnable(dev, &object->destroy, false);
}

/**
 * vrb_object_unref - drop a reference under the lock
 * @dev: device
 * @object: its destroy may proceed afterwards
 *
 * Context: Device lock held.
 */
void vrb_object_unref(struct vrb_device *dev, struct vrb_object *object)
{
	lockdep_assert_held(&dev->lock);
	if (refcount_dec_and_test(&object->refs))
		vrb_object_zero(dev, object);
}

/* ---- Requests of an object ---- */

static struct vrb *vrb_first_of(struct list_head *list)
{
	return list_first_entry_or_null(list, struct vrb, object_entry);
}

/**
 * vrb_object_next - make the request at the head of an object's queue runnable if it may be issued
 * @dev: device
 * @object: object
 *
 * Context: Device lock held.
 */
void vrb_object_next(struct vrb_device *dev, struct vrb_object *object)
{
	struct vrb *vrb = vrb_first_of(&object->queue);

	lockdep_assert_held(&dev->lock);
	if (vrb && list_empty(&vrb->entry) && !object->active && !object->zombies &&
	    !object->flush && (!object->dying || vrb->verb->parting))
		vrb_make_runnable(dev, vrb, false);
}

/*
 * The next queued request that completes because the object is being destroyed or its create has
 * failed. Requests that were accepted after the destroy are executed before it, if the hardware
 * knows the object.
 */
static struct vrb *vrb_object_doomed(struct vrb_object *object)
{
	struct vrb *vrb = vrb_first_of(&object->queue);

	if (vrb && (!vrb->after_destroy || object->life == VRB_LIFE_FAILED))
		return vrb;
	vrb = NULL;
	if (object->dying || object->life == VRB_LIFE_FAILED)
		vrb = vrb_first_of(&object->visitors);
	if (!vrb && object->dying)
		vrb = vrb_first_of(&object->awaiting);
	return vrb;
}

/**
 * vrb_object_flush - complete queued requests of an object, within the bounds of this hold
 * @dev: device
 * @object: object that is being destroyed, whose create failed, or whose command timed out
 *
 * Context: Device lock held.
 */
void vrb_object_flush(struct vrb_device *dev, struct vrb_object *object)
{
	struct vrb *vrb;
	int status;

	lockdep_assert_held(&dev->lock);
	while ((vrb = vrb_object_doomed(object))) {
		if (!vrb_within_budget(dev)) {
			vrb_tell(object, VRB_NEWS_FLUSH);
			return;
		}
		dev->counters.flushed++;
		status = object->dying ? -ECANCELED : object->flush;
		vrb_finish(dev, vrb, vrb->after_destroy ? -ENOLINK : status);
	}
	object->flush = 0;
	/* While requests were being completed, none was made runnable. */
	vrb_object_next(dev, object);
}

/* Handles the result of a create. If it failed, requests queued behind it fail too. */
static void vrb_object_created(struct vrb_device *dev, struct vrb_object *object, int status)
{
	object->life = status ? VRB_LIFE_FAILED : VRB_LIFE_CREATED;
	if (status) {
		object->flush = object->flush ?: -ENOLINK;
		vrb_object_flush(dev, object);
	} else if (!list_empty(&object->visitors)) {
		vrb_tell(object, VRB_NEWS_BORN);
	}
}

/**
 * vrb_destroy_begin - a destroy has been accepted
 * @dev: device
 * @vrb: the destroy
 *
 * Context: Device lock held.
 * Return: true if nothing delays it, so that the caller must issue it; otherwise it is or becomes
 * runnable.
 */
bool vrb_destroy_begin(struct vrb_device *dev, struct vrb *vrb)
{
	struct vrb_object *object = vrb->object;
	struct vrb *active;

	WRITE_ONCE(object->dying, true);
	list_del_init(&object->shell_entry);
	if (object->children) {
		vrb->client->held++;
		vrb_wake(dev);
	}
	vrb_object_flush(dev, object);
	active = object->active;
	if (active && (vrb_state(active) == VRB_WAITING || vrb_state(active) == VRB_QUEUED) &&
	    vrb_take_back(dev, active, -ECANCELED))
		vrb_count_ended(dev, active, -ECANCELED);
	return refcount_dec_and_test(&object->refs);
}

/* A waiting request needs a slot again. */
static void vrb_object_unwait(struct vrb_device *dev, struct vrb *vrb)
{
	dev->waiting_now--;
	trace_vrb_resume(vrb);
	vrb_set_queued(dev, vrb);
	vrb_make_runnable(dev, vrb, true);
}

/* Continues a request that vrb_resume() was called for. Model: resume.pml. */
static void vrb_object_resumed(struct vrb_device *dev, struct vrb *vrb)
{
	if (!vrb || vrb_state(vrb) != VRB_WAITING)
		return;
	if (dev->state == VRB_DEV_FAILED)
		vrb_finish_failed(dev, vrb);
	else
		vrb_object_unwait(dev, vrb);
}

/* A destroy outlives its client: gone is called now, and the provider owns the destroy. */
static void vrb_object_left(struct vrb_device *dev, struct vrb_object *object)
	__releases(&dev->lock) __acquires(&dev->lock)
{
	void (*gone)(void *context) = object->gone;
	struct vrb_client *client = object->destroy.client;

	object->gone = NULL;
	if (object->owner)
		WRITE_ONCE(object->owner, &dev->own);
	object->destroy.client = &dev->own;
	atomic_inc(&dev->own.inflight);
	if (object->children) {
		dev->own.held++;
		client->held--;
	}
	spin_unlock(&dev->lock);
	if (gone)
		gone(object->gone_context);
	spin_lock(&dev->lock);
	vrb_account(dev, client, NULL);
}

/**
 * vrb_object_news - handle the events of an object
 * @dev: device
 * @object: object
 * @news: VRB_NEWS_*
 *
 * Context: The pump, device lock held; it is dropped meanwhile if gone has to be called.
 */
void vrb_object_news(struct vrb_device *dev, struct vrb_object *object, u8 news)
{
	lockdep_assert_held(&dev->lock);
	if (news & VRB_NEWS_LEFT)
		vrb_object_left(dev, object);
	if (news & VRB_NEWS_FLUSH)
		vrb_object_flush(dev, object);
	if (news & VRB_NEWS_RESUME)
		vrb_object_resumed(dev, object->active);
	if (news & VRB_NEWS_ZERO)
		vrb_object_zero(dev, object);
}

/* ---- The end of a request ---- */

/**
 * vrb_finish - complete a request: set its result; the pump calls its callback
 * @dev: device
 * @vrb: queued, waiting or issued request
 * @status: the result
 *
 * Context: Device lock held.
 */
void vrb_finish(struct vrb_device *dev, struct vrb *vrb, int status)
{
	struct vrb_object *object = vrb->object;

	lockdep_assert_held(&dev->lock);
	vrb_handle(dev);
	if (vrb_state(vrb) == VRB_QUEUED)
		vrb_unqueue(dev, vrb);
	else if (vrb_state(vrb) == VRB_WAITING)
		dev->waiting_now--;
	if (vrb->slot)
		vrb_slot_put(dev, vrb);
	vrb->status = status;
	vrb_set_state(vrb, VRB_DONE);
	list_add_tail(&vrb->entry, &dev->done);
	trace_vrb_over(vrb);
	if (!object)
		return;
	if (object->active == vrb)
		object->active = NULL;
	/* Its resume may have come during its undo; it must not resume the next request. */
	if (vrb->started)
		vrb_untell(object, VRB_NEWS_RESUME);
	if (vrb->creating)
		vrb_object_created(dev, object, status);
	if (vrb_is_destroy(vrb) && status) {
		refcount_set(&object->refs, 1);
		WRITE_ONCE(object->dying, false);
	}
	vrb_object_next(dev, object);
}

/**
 * vrb_finish_failed - complete a request of a device that has failed
 * @dev: device, FAILED
 * @vrb: queued, waiting or issued request
 *
 * Context: Device lock held.
 */
void vrb_finish_failed(struct vrb_device *dev, struct vrb *vrb)
{
	lockdep_assert_held(&dev->lock);
	if (!vrb_is_destroy(vrb))
		dev->counters.flushed++;
	vrb_finish(dev, vrb, vrb_is_destroy(vrb) ? 0 : -EIO);
}

/**
 * vrb_take_back - end a request that is not issued
 * @dev: device
 * @vrb: queued or waiting request, no destroy
 * @status: its result; if it waits in a step, that step and the earlier ones are undone first
 *
 * Context: Device lock held.
 * Return: whether it ends with this status; a request that is undoing has one, and one that waits
 * in a step when the device fails gets -EIO.
 */
bool vrb_take_back(struct vrb_device *dev, struct vrb *vrb, int status)
{
	lockdep_assert_held(&dev->lock);
	if (!vrb->started) {
		vrb_finish(dev, vrb, status);
		return true;
	}
	/* On a failed device nothing is undone, and every waiting request is resumed. */
	if (vrb->undoing || dev->state != VRB_DEV_OK)
		return false;
	vrb_handle(dev);
	vrb->undoing = true;
	vrb->status = status;
	vrb->failed_step = vrb->step;
	vrb->waits_after = false;
	if (vrb_state(vrb) == VRB_WAITING)
		vrb_object_unwait(dev, vrb);
	return true;
}

/**
 * vrb_count_ended - count a request that the engine ends before its time
 * @dev: device
 * @vrb: request, no destroy
 * @status: its result: -ECANCELED is its submitter's doing unless its client or object ends
 *
 * Context: Device lock held.
 */
void vrb_count_ended(struct vrb_device *dev, const struct vrb *vrb, int status)
{
	bool ends = vrb->client->shut || (vrb->object && vrb->object->dying);

	lockdep_assert_held(&dev->lock);
	if (status == -ECANCELED && !ends)
		dev->counters.cancelled++;
	else
		dev->counters.flushed++;
}

/**
 * vrb_account - update the counts of client and group after a callback
 * @dev: device
 * @client: client of the request
 * @group: its group, or NULL
 *
 * Context: Device lock held.
 */
void vrb_account(struct vrb_device *dev, struct vrb_client *client, struct vrb_group *group)
{
	bool idle = atomic_dec_return(&client->inflight) == client->held;

	lockdep_assert_held(&dev->lock);
	if (group && atomic_dec_and_test(&group->inflight)) {
		idle = true;
		if (group->notify && list_empty(&group->entry))
			list_add_tail(&group->entry, &dev->idle_groups);
	}
	if (idle)
		vrb_wake(dev);
}

static void vrb_object_free(struct rcu_head *rcu)
{
	struct vrb_object *object = container_of(rcu, struct vrb_object, rcu);

	object->type->free(object);
}

/**
 * vrb_object_abandon - end an object whose initialisation failed half way
 * @object: object that only the caller knows, and that the hardware never knew; its memory is freed
 *	after an RCU grace period
 *
 * The object is released before this returns, so that its parents do not count it any more.
 *
 * Context: Any down to softirq.
 */
void vrb_object_abandon(struct vrb_object *object)
{
	struct vrb_object *parent[VRB_MAX_PARENTS];
	const struct vrb_object_type *type = object->type;
	unsigned int nr_parents = object->nr_parents;
	struct vrb_device *dev = object->dev;

	WARN_ON_ONCE(refcount_read(&object->refs) != 1);
	memcpy(parent, object->parent, sizeof(parent));
	local_bh_disable();
	spin_lock(&dev->lock);
	list_del(&object->entry);
	spin_unlock(&dev->lock);
	trace_vrb_object_gone(object);
	/* This may free the object if the type has no free(). */
	type->release(object);
	spin_lock(&dev->lock);
	dev->nr_objects--;
	vrb_parents_put(dev, parent, nr_parents);
	vrb_kick(dev);
	spin_unlock(&dev->lock);
	if (type->free)
		call_rcu(&object->rcu, vrb_object_free);
	local_bh_enable();
}
EXPORT_SYMBOL_GPL(vrb_object_abandon);

/**
 * vrb_object_release - release an object after its destroy, and call gone or wake the waiter
 * @dev: device
 * @vrb: its destroy, completed with success, on no list; freed afterwards
 *
 * After a wait for a child's destroy its parents do not count the child any more.
 *
 * Context: The pump, no lock held.
 */
void vrb_object_release(struct vrb_device *dev, struct vrb *vrb)
{
	struct vrb_object *object = vrb->object, *parent[VRB_MAX_PARENTS];
	const struct vrb_object_type *type = object->type;
	void (*gone)(void *context) = object->gone;
	void (*shell_release)(void *shell) = object->shell_release;
	void *shell = object->shell;
	unsigned int nr_parents = object->nr_parents;
	struct vrb_waiter *waiter = vrb->waiter;
	struct vrb_client *client = vrb->client;
	void *context = object->gone_context;

	memcpy(parent, object->parent, sizeof(parent));
	vrb_forget_news(object);
	vrb_delay();
	trace_vrb_object_gone(object);
	type->release(object);		/* may free it if the type has no free() */
	if (shell_release)
		shell_release(shell);
	if (type->free)
		call_rcu(&object->rcu, vrb_object_free);

	vrb_delay();
	spin_lock_bh(&dev->lock);
	vrb_parents_put(dev, parent, nr_parents);
	dev->nr_objects--;
	spin_unlock_bh(&dev->lock);
	if (gone)
		gone(context);
	if (waiter) {
		waiter->status = 0;
		complete(&waiter->over);
	}
	spin_lock_bh(&dev->lock);
	vrb_account(dev, client, NULL);
	spin_unlock_bh(&dev->lock);
}
