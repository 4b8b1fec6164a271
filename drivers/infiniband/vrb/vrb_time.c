// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Time: deadlines of queued requests, timeouts of issued commands, and the one timer of a device,
 * which kicks the pump when any of them, or a busy command register, has to be looked at.
 */
#include "vrb_internal.h"
#include "vrb_trace.h"

static ktime_t vrb_later(ktime_t a, ktime_t b)
{
	return ktime_after(a, b) ? a : b;
}

static ktime_t vrb_sooner(ktime_t a, ktime_t b)
{
	return ktime_before(a, b) ? a : b;
}

/*
 * When a slot's command is given up: a whole period after it was posted in which no command
 * completed.
 */
static ktime_t vrb_slot_expiry(const struct vrb_device *dev, const struct vrb_slot *slot)
{
	return ktime_add_ns(vrb_later(slot->since, dev->progress), dev->timeout_ns);
}

/*
 * When the device fails because a destroy waits for a command whose completion is never going to
 * come.
 */
static ktime_t vrb_zombie_expiry(const struct vrb_device *dev, const struct vrb_slot *slot)
{
	if (!slot->object || !slot->object->dying)
		return KTIME_MAX;
	return ktime_add_ns(vrb_later(slot->since, slot->object->destroy.submitted),
			    dev->timeout_ns);
}

static ktime_t vrb_slots_expiry(struct vrb_device *dev)
{
	ktime_t first = KTIME_MAX;
	unsigned int i;

	for (i = 0; i < dev->nr_slots; i++) {
		if (dev->slots[i].state == VRB_SLOT_BUSY)
			first = vrb_sooner(first, vrb_slot_expiry(dev, &dev->slots[i]));
		else if (dev->slots[i].state == VRB_SLOT_ZOMBIE)
			first = vrb_sooner(first, vrb_zombie_expiry(dev, &dev->slots[i]));
	}
	return first;
}

/* The next time at which the pump has to run although nobody kicks it. */
static ktime_t vrb_next_time(struct vrb_device *dev, ktime_t now)
{
	struct timerqueue_node *deadline = timerqueue_getnext(&dev->deadlines);
	ktime_t lazy = ktime_add_ns(dev->progress, dev->timeout_ns);
	ktime_t next = KTIME_MAX;

	if (dev->state != VRB_DEV_OK)
		return KTIME_MAX;
	if (!list_empty(&dev->ready))
		next = dev->retry_at;
	if (dev->polled && dev->posted_now)
		next = vrb_sooner(next, dev->poll_at);
	if (deadline)
		next = vrb_sooner(next, deadline->expires);
	/*
	 * No slot expires before lazy does: while that is ahead there is no need to look at each.
	 */
	if (dev->zombies_now || (dev->slots_now && !ktime_after(lazy, now)))
		next = vrb_sooner(next, vrb_slots_expiry(dev));
	else if (dev->slots_now)
		next = vrb_sooner(next, lazy);
	return next;
}

/**
 * vrb_set_timer - have the pump kicked when it is time
 * @dev: device
 *
 * A timer that fires too early does no harm: it is only moved forward.
 *
 * Context: Device lock held.
 */
void vrb_set_timer(struct vrb_device *dev)
{
	ktime_t now = ktime_get();
	ktime_t next = vrb_next_time(dev, now);

	if (next == KTIME_MAX)
		return;
	if (ktime_after(dev->timer_at, now) && !ktime_after(dev->timer_at, next))
		return;
	dev->timer_at = next;
	hrtimer_start(&dev->timer, next, HRTIMER_MODE_ABS_SOFT);
}

static enum hrtimer_restart vrb_timer(struct hrtimer *timer)
{
	vrb_device_kick(container_of(timer, struct vrb_device, timer));
	return HRTIMER_NORESTART;
}

static void vrb_expire_queued(struct vrb_device *dev, ktime_t now)
{
	unsigned int budget = VRB_BUDGET;
	struct timerqueue_node *node;
	struct vrb *vrb;

	while (budget-- && (node = timerqueue_getnext(&dev->deadlines))) {
		if (ktime_after(node->expires, now))
			return;
		vrb = container_of(node, struct vrb, expiry);
		dev->counters.deadline++;
		trace_vrb_timeout(vrb);
		vrb_finish(dev, vrb, -ETIMEDOUT);
	}
}

static void vrb_give_up(struct vrb_device *dev, struct vrb_slot *slot)
{
	struct vrb *vrb = slot->vrb;

	if (!slot->posted) {
		/* Otherwise its result is there and has not been looked at yet. */
		if (slot == list_first_entry_or_null(&dev->ready, struct vrb_slot, entry))
			vrb_fail_locked(dev, "the command register stays busy");
		return;
	}
	if (vrb_is_destroy(vrb) || vrb->undo) {
		vrb_fail_verb(dev, vrb, "a command that must not fail was not answered");
		return;
	}
	dev->counters.timeouts++;
	trace_vrb_timeout(vrb);
	vrb_slot_bury(dev, slot);
	vrb_finish(dev, vrb, -ETIMEDOUT);
	/* Nothing may overtake the lost command, and nobody knows how long it takes. */
	if (slot->object)
		vrb_object_flush(dev, slot->object, -EIO);
	if (slot->index == dev->nr_slots - 1)
		vrb_fail_verb(dev, vrb, "the command in the reserved slot was not answered");
	else if (dev->zombies_now > dev->max_zombies)
		vrb_fail_verb(dev, vrb, "too many commands were not answered");
}

static void vrb_expire_issued(struct vrb_device *dev, ktime_t now)
{
	struct vrb_slot *slot;
	unsigned int i;

	for (i = 0; i < dev->nr_slots && dev->state == VRB_DEV_OK; i++) {
		slot = &dev->slots[i];
		if (slot->state == VRB_SLOT_BUSY && !ktime_after(vrb_slot_expiry(dev, slot), now))
			vrb_give_up(dev, slot);
		else if (slot->state == VRB_SLOT_ZOMBIE &&
			 !ktime_after(vrb_zombie_expiry(dev, slot), now))
			vrb_fail_locked(dev, "a destroy waits for a command that was not answered");
	}
}

/**
 * vrb_expire - see to what has waited too long
 * @dev: device
 *
 * Context: The pump, device lock held.
 */
void vrb_expire(struct vrb_device *dev)
{
	ktime_t now = ktime_get();

	if (dev->state != VRB_DEV_OK)
		return;
	vrb_expire_queued(dev, now);
	if (dev->zombies_now ||
	    (dev->slots_now && !ktime_after(ktime_add_ns(dev->progress, dev->timeout_ns), now)))
		vrb_expire_issued(dev, now);
}

/**
 * vrb_time_init - make the timer of a new device ready
 * @dev: device
 *
 * Context: Process.
 */
void vrb_time_init(struct vrb_device *dev)
{
	hrtimer_setup(&dev->timer, vrb_timer, CLOCK_MONOTONIC, HRTIMER_MODE_ABS_SOFT);
	dev->retry_ns = VRB_RETRY_MIN_NS;
	dev->poll_ns = VRB_RETRY_MIN_NS;
}
