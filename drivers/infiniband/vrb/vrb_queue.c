// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * From the queue into a slot, and out of it: which request is next, encode, post, steps, the end.
 *
 * Everything here runs under vrb_device.lock and calls nobody back but encode and post. Only
 * runnable requests are on the device's lists: those at the head of their object's queue while that
 * object has no command in flight, and those of no object. So picking the next one never has to
 * search.
 */
#include <linux/sched.h>

#include "vrb_internal.h"
#include "vrb_trace.h"

/**
 * vrb_set_queued - note that a request holds no slot
 * @dev: device
 * @vrb: request, idle or issued
 * @list: list of its client to show it on
 *
 * Context: Device lock held.
 */
void vrb_set_queued(struct vrb_device *dev, struct vrb *vrb, struct list_head *list)
{
	lockdep_assert_held(&dev->lock);
	if (vrb->state != VRB_QUEUED) {
		vrb->state = VRB_QUEUED;
		dev->counters.queue_now++;
		dev->counters.queue_max = max(dev->counters.queue_max, dev->counters.queue_now);
	}
	list_move_tail(&vrb->client_entry, list);
}

/* The request leaves the queue: for a slot, or because it is over. */
static void vrb_unqueue(struct vrb_device *dev, struct vrb *vrb)
{
	dev->counters.queue_now--;
	list_del_init(&vrb->entry);
	list_del_init(&vrb->object_entry);
	if (timerqueue_node_queued(&vrb->expiry))
		timerqueue_del(&dev->deadlines, &vrb->expiry);
}

/**
 * vrb_make_runnable - a request may be issued as soon as there is a slot
 * @dev: device
 * @vrb: queued request
 *
 * Context: Device lock held.
 */
void vrb_make_runnable(struct vrb_device *dev, struct vrb *vrb)
{
	lockdep_assert_held(&dev->lock);
	if (list_empty(&vrb->entry))
		list_add_tail(&vrb->entry,
			      &dev->runnable[vrb->class][!!(vrb->flags & VRB_F_USER)]);
}

/**
 * vrb_enqueue - take a request over from its caller
 * @dev: device
 * @vrb: idle request, checked
 *
 * Context: Device lock held.
 */
void vrb_enqueue(struct vrb_device *dev, struct vrb *vrb)
{
	vrb_set_queued(dev, vrb, &vrb->client->queued);
	if (vrb->deadline && !vrb_is_destroy(vrb)) {
		vrb->expiry.expires = vrb->deadline;
		timerqueue_add(&dev->deadlines, &vrb->expiry);
	}
	trace_vrb_queue(vrb);
	if (!vrb->object) {
		vrb_make_runnable(dev, vrb);
	} else if (vrb_is_destroy(vrb)) {
		vrb_destroy_queued(dev, vrb);
	} else {
		list_add_tail(&vrb->object_entry, &vrb->object->queue);
		vrb_object_next(dev, vrb->object);
	}
}

/**
 * vrb_may_issue - whether there is a slot for a request of this kind
 * @dev: device
 * @class: its class
 * @user: whether it is for a user process: these get at most half of the slots together
 *
 * Context: Device lock held.
 */
bool vrb_may_issue(const struct vrb_device *dev, enum vrb_class class, bool user)
{
	unsigned int limit = vrb_limit(dev);

	lockdep_assert_held(&dev->lock);
	if (dev->slots_now >= limit || (user && dev->users_now >= max(1U, limit / 2)))
		return false;
	if (!list_empty(&dev->free_slots))
		return true;
	return class == VRB_CLASS_TEARDOWN &&
	       dev->slots[dev->nr_slots - 1].state == VRB_SLOT_FREE;
}

/* The oldest runnable request of a class for which there is a slot. */
static struct vrb *vrb_head(struct vrb_device *dev, enum vrb_class class)
{
	struct vrb *head[2];
	int user;

	for (user = 0; user < 2; user++) {
		head[user] = list_first_entry_or_null(&dev->runnable[class][user], struct vrb,
						      entry);
		if (head[user] && !vrb_may_issue(dev, class, user))
			head[user] = NULL;
	}
	if (!head[0] || !head[1])
		return head[0] ?: head[1];
	return ktime_before(head[1]->submitted, head[0]->submitted) ? head[1] : head[0];
}

/**
 * vrb_pick - the request to issue now
 * @dev: device
 *
 * None is picked while an encoded command waits for the register: it would only wait behind it,
 * holding a slot.
 *
 * Context: Device lock held.
 */
struct vrb *vrb_pick(struct vrb_device *dev)
{
	struct vrb *teardown, *normal, *background;

	lockdep_assert_held(&dev->lock);
	if (dev->state != VRB_DEV_OK || dev->hold || !list_empty(&dev->ready))
		return NULL;
	teardown = vrb_head(dev, VRB_CLASS_TEARDOWN);
	if (teardown)
		return teardown;
	normal = vrb_head(dev, VRB_CLASS_NORMAL);
	background = vrb_head(dev, VRB_CLASS_BACKGROUND);
	if (!normal || !background)
		return normal ?: background;
	return ktime_before(ktime_add_ms(background->submitted, VRB_AGE_MS), normal->submitted) ?
	       background : normal;
}

static struct vrb_slot *vrb_slot_get(struct vrb_device *dev, struct vrb *vrb)
{
	struct vrb_slot *slot;

	slot = list_first_entry_or_null(&dev->free_slots, struct vrb_slot, entry);
	if (slot)
		list_del_init(&slot->entry);
	else
		slot = &dev->slots[dev->nr_slots - 1];
	slot->state = VRB_SLOT_BUSY;
	slot->vrb = vrb;
	vrb->slot = slot;
	dev->slots_now++;
	dev->users_now += !!(vrb->flags & VRB_F_USER);
	dev->counters.slots_max = max_t(u64, dev->counters.slots_max, dev->slots_now);
	return slot;
}

/* A busy slot loses its request: it becomes free or a zombie. */
static void vrb_slot_detach(struct vrb_device *dev, struct vrb_slot *slot)
{
	struct vrb *vrb = slot->vrb;

	list_del_init(&slot->entry);
	dev->slots_now--;
	dev->users_now -= !!(vrb->flags & VRB_F_USER);
	dev->posted_now -= slot->posted;
	slot->posted = false;
	slot->vrb = NULL;
	vrb->slot = NULL;
	if (!dev->slots_now && dev->hold)
		wake_up_all(&dev->idle);
}

/**
 * vrb_slot_free - a slot can be used again
 * @dev: device
 * @slot: detached slot or reaped zombie
 *
 * Context: Device lock held.
 */
void vrb_slot_free(struct vrb_device *dev, struct vrb_slot *slot)
{
	lockdep_assert_held(&dev->lock);
	slot->state = VRB_SLOT_FREE;
	if (slot->index != dev->nr_slots - 1)
		list_add_tail(&slot->entry, &dev->free_slots);
}

/**
 * vrb_slot_put - a request gives its slot back
 * @dev: device
 * @vrb: issued request
 *
 * Context: Device lock held; the hardware has nothing of the slot.
 */
void vrb_slot_put(struct vrb_device *dev, struct vrb *vrb)
{
	struct vrb_slot *slot = vrb->slot;

	vrb_slot_detach(dev, slot);
	vrb_slot_free(dev, slot);
}

/**
 * vrb_slot_bury - a command is given up: its slot becomes a zombie
 * @dev: device
 * @slot: posted slot
 *
 * The hardware may still write the slot's buffers and change the object, so both stay.
 *
 * Context: Device lock held.
 */
void vrb_slot_bury(struct vrb_device *dev, struct vrb_slot *slot)
{
	struct vrb *vrb = slot->vrb;

	lockdep_assert_held(&dev->lock);
	slot->verb = vrb->verb;
	slot->step = vrb->step;
	slot->object = vrb->object;
	slot->since = ktime_get();
	vrb_slot_detach(dev, slot);
	slot->state = VRB_SLOT_ZOMBIE;
	dev->zombies_now++;
	if (slot->object) {
		slot->object->refs++;
		slot->object->zombies++;
	}
}

/* To the step after this one, or while undoing to the one before it; false if there is none. */
static bool vrb_step(struct vrb *vrb)
{
	if (!vrb->undo)
		vrb->step++;
	else if (!vrb->step--)
		return false;
	return true;
}

static int vrb_encode(struct vrb_device *dev, struct vrb_slot *slot)
{
	struct vrb *vrb = slot->vrb;
	int skipped, ret;

	slot->generation++;
	slot->token = slot->generation << dev->slot_bits | slot->index;
	for (skipped = 0; skipped < VRB_MAX_SKIP; skipped++) {
		ret = vrb->verb->encode(dev, vrb, slot);
		if (ret != VRB_MORE)
			return WARN_ON_ONCE(ret > VRB_LAST) ? -EINVAL : ret;
		if (!vrb_step(vrb))
			return VRB_LAST;
	}
	WARN_ONCE(1, "%s: verb %s never encodes a command\n", dev->name, vrb->verb->name);
	return -ELOOP;
}

/* Encodes the command of the step the request is at, or of the first after it that has one. */
static void vrb_prepare(struct vrb_device *dev, struct vrb_slot *slot)
{
	int ret = vrb_encode(dev, slot);

	if (ret == VRB_LAST) {
		vrb_over(dev, slot->vrb, 0);
		return;
	}
	slot->since = ktime_get();
	slot->result = (struct vrb_result){ .status = ret };
	list_add_tail(&slot->entry, ret ? &dev->completed : &dev->ready);
}

/**
 * vrb_issue - give a request a slot and encode its first command
 * @dev: device
 * @vrb: request that vrb_pick() chose
 *
 * Context: Device lock held.
 */
void vrb_issue(struct vrb_device *dev, struct vrb *vrb)
{
	struct vrb_slot *slot = vrb_slot_get(dev, vrb);

	vrb_unqueue(dev, vrb);
	vrb->state = VRB_ISSUED;
	vrb->issued = ktime_get();
	list_move_tail(&vrb->client_entry, &vrb->client->issued);
	if (vrb->object)
		vrb->object->active = vrb;
	trace_vrb_issue(vrb);
	vrb_prepare(dev, slot);
}

/**
 * vrb_next_step - a step is over and the verb wants another one
 * @dev: device
 * @slot: slot of the request
 *
 * Context: Device lock held.
 */
void vrb_next_step(struct vrb_device *dev, struct vrb_slot *slot)
{
	lockdep_assert_held(&dev->lock);
	if (vrb_step(slot->vrb))
		vrb_prepare(dev, slot);
	else
		vrb_over(dev, slot->vrb, 0);
}

static void vrb_posted(struct vrb_device *dev, struct vrb_slot *slot)
{
	slot->posted = true;
	slot->since = ktime_get();
	list_del_init(&slot->entry);
	if (!dev->posted_now++)
		dev->progress = slot->since;
	dev->counters.steps++;
	dev->retry_ns = VRB_RETRY_MIN_NS;
	dev->poll_ns = VRB_RETRY_MIN_NS;
	dev->poll_at = ktime_add_ns(slot->since, dev->poll_ns);
	trace_vrb_post(dev, slot);
}

static void vrb_register_busy(struct vrb_device *dev, struct vrb_slot *slot)
{
	dev->counters.busy++;
	dev->retry_at = ktime_add_ns(ktime_get(), dev->retry_ns);
	dev->retry_ns = min_t(u64, 2 * dev->retry_ns, VRB_RETRY_MAX_NS);
	trace_vrb_busy(dev, slot);
}

/**
 * vrb_post_ready - hand encoded commands to the hardware, oldest first
 * @dev: device
 *
 * Stops where the register is busy; the timer comes back for the rest.
 *
 * Context: Device lock held.
 */
void vrb_post_ready(struct vrb_device *dev)
{
	struct vrb_slot *slot;
	int ret;

	lockdep_assert_held(&dev->lock);
	while (dev->state == VRB_DEV_OK && !list_empty(&dev->ready)) {
		slot = list_first_entry(&dev->ready, struct vrb_slot, entry);
		ret = dev->ops->post(dev, slot);
		if (ret == -EAGAIN) {
			vrb_register_busy(dev, slot);
			return;
		}
		if (ret)
			vrb_fail_locked(dev, "a command could not be posted");
		else
			vrb_posted(dev, slot);
	}
}

/**
 * vrb_over - the verb is through with its commands
 * @dev: device
 * @vrb: issued request
 * @status: 0, or why it failed
 *
 * Context: Device lock held.
 */
void vrb_over(struct vrb_device *dev, struct vrb *vrb, int status)
{
	lockdep_assert_held(&dev->lock);
	if (vrb_is_destroy(vrb) && !status) {
		vrb_slot_put(dev, vrb);
		vrb_destroyed(dev, vrb);
	} else if (vrb_is_destroy(vrb) && (status != -EBUSY || vrb->step)) {
		vrb_fail_verb(dev, vrb, "a destroy failed");
	} else if (!vrb->undo) {
		vrb_finish(dev, vrb, status);
	} else if (status) {
		vrb_fail_verb(dev, vrb, "a step that undoes another failed");
	} else {
		vrb->step = vrb->failed_step;
		dev->counters.undone++;
		vrb_finish(dev, vrb, vrb->status);
	}
}

/**
 * vrb_finish - a request is over: its result stands, the pump will deliver it
 * @dev: device
 * @vrb: queued or issued request
 * @status: the result
 *
 * Context: Device lock held.
 */
void vrb_finish(struct vrb_device *dev, struct vrb *vrb, int status)
{
	struct vrb_object *object = vrb->object;

	lockdep_assert_held(&dev->lock);
	if (vrb->state == VRB_QUEUED)
		vrb_unqueue(dev, vrb);
	if (vrb->slot)
		vrb_slot_put(dev, vrb);
	list_del_init(&vrb->client_entry);
	list_del_init(&vrb->group_entry);
	vrb->status = status;
	vrb->state = VRB_DONE;
	list_add_tail(&vrb->entry, &dev->done);
	if (!object)
		return;
	if (object->active == vrb)
		object->active = NULL;
	if (vrb_is_destroy(vrb) && status)
		object->dying = false;
	vrb_object_next(dev, object);
}
