// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Groups; and the sweep, which completes requests that were cancelled together: by the cancel of a
 * group, because a client is shut or the provider is removed, or because the device has failed.
 *
 * Such a request is not issued any more from that moment. The sweep only completes it: a cursor
 * goes through all requests of the device, a bounded number in each run of the pump.
 */
#include <linux/export.h>

#include "vrb_internal.h"

/* ---- The sweep ---- */

/**
 * vrb_sweep_start - start a sweep over all requests of the device
 * @dev: device
 *
 * Context: Device lock held.
 */
void vrb_sweep_start(struct vrb_device *dev)
{
	lockdep_assert_held(&dev->lock);
	if (list_empty(&dev->sweep))
		vrb_sweep_from_start(dev);
	else
		dev->sweep_again = true;
}

static void vrb_sweep_one(struct vrb_device *dev, struct vrb *vrb)
{
	bool waiting = vrb_state(vrb) == VRB_WAITING;
	int status = vrb_doom(vrb);

	if (!waiting && vrb_state(vrb) != VRB_QUEUED)
		return;
	if (dev->state != VRB_DEV_FAILED) {
		if (!status || vrb->undoing)
			return;
		if (vrb_take_back(dev, vrb, status))
			vrb_count_ended(dev, vrb, status);
	} else if (!vrb_is_destroy(vrb)) {
		/* A waiting request completes once resumed: the provider uses it till then. */
		if (!waiting)
			vrb_finish_failed(dev, vrb);
	} else if (!list_empty(&vrb->entry)) {
		vrb_finish_failed(dev, vrb);
	}
}

/**
 * vrb_sweep - continue the sweep, within the bounds of this hold of the lock
 * @dev: device
 *
 * Model: tools/testing/verification/inbox.pml.
 *
 * Context: The pump, device lock held.
 */
void vrb_sweep(struct vrb_device *dev)
{
	struct list_head *next;

	lockdep_assert_held(&dev->lock);
	while (!list_empty(&dev->sweep) && vrb_within_budget(dev)) {
		next = vrb_cursor_next(&dev->sweep, &dev->sweep_end);
		vrb_handle(dev);
		if (next && next != &dev->vrb_reader)
			vrb_sweep_one(dev, list_entry(next, struct vrb, device_entry));
	}
	if (!list_empty(&dev->sweep))
		return;
	list_del_init(&dev->sweep_end);
	if (dev->sweep_again) {
		dev->sweep_again = false;
		vrb_sweep_from_start(dev);
	}
}

/* ---- Groups ---- */

/**
 * vrb_group_init - initialise a group
 * @group: group
 * @client: the client of its requests
 *
 * Context: Any.
 */
void vrb_group_init(struct vrb_group *group, struct vrb_client *client)
{
	memset(group, 0, sizeof(*group));
	group->client = client;
	INIT_LIST_HEAD(&group->entry);
}
EXPORT_SYMBOL_GPL(vrb_group_init);

static void vrb_group_set_poisoned(struct vrb_group *group, bool poisoned)
{
	struct vrb_device *dev = group->client->dev;

	if (WARN_ON_ONCE(!vrb_may_lock()))
		return;
	spin_lock_bh(&dev->lock);
	raw_spin_lock_irq(&dev->kick_lock);
	group->poisoned = poisoned;
	raw_spin_unlock_irq(&dev->kick_lock);
	spin_unlock_bh(&dev->lock);
}

/**
 * vrb_group_poison - refuse further submits to a group with -EPERM
 * @group: group
 *
 * Context: Any down to softirq, interrupts enabled.
 */
void vrb_group_poison(struct vrb_group *group)
{
	vrb_group_set_poisoned(group, true);
}
EXPORT_SYMBOL_GPL(vrb_group_poison);

/**
 * vrb_group_unpoison - accept submits to a group again
 * @group: group
 *
 * Context: Any down to softirq, interrupts enabled.
 */
void vrb_group_unpoison(struct vrb_group *group)
{
	vrb_group_set_poisoned(group, false);
}
EXPORT_SYMBOL_GPL(vrb_group_unpoison);

/**
 * vrb_group_cancel - vrb_cancel() for each request of a group
 * @group: group
 *
 * No request of the group that is queued now is issued any more. The duration of this call does not
 * depend on their number; their callbacks follow.
 *
 * Context: Any down to softirq, interrupts enabled.
 */
void vrb_group_cancel(struct vrb_group *group)
{
	struct vrb_device *dev = group->client->dev;

	if (WARN_ON_ONCE(!vrb_may_lock()))
		return;
	vrb_lock(dev);
	raw_spin_lock_irq(&dev->kick_lock);
	group->generation++;
	raw_spin_unlock_irq(&dev->kick_lock);
	if (atomic_read(&group->inflight))
		vrb_sweep_start(dev);
	vrb_unlock(dev);
}
EXPORT_SYMBOL_GPL(vrb_group_cancel);

/**
 * vrb_group_notify - call a function when a group is idle
 * @group: group; poison it first if others may submit to it
 * @idle: called once, when no request of the group is in flight: soon if none is now, but never
 *	inside this call. It may free the group, submit to it, or call this function again
 *
 * Until @idle is called the group must not be drained or freed.
 *
 * Context: Any down to softirq, interrupts enabled; @idle in softirq, no lock held.
 */
void vrb_group_notify(struct vrb_group *group, void (*idle)(struct vrb_group *group))
{
	struct vrb_device *dev = group->client->dev;

	if (WARN_ON_ONCE(!idle || !vrb_may_lock()))
		return;
	spin_lock_bh(&dev->lock);
	/* vrb_client_unregister() waits for this too. */
	if (!group->notify)
		atomic_inc(&group->client->inflight);
	group->notify = idle;
	if (!atomic_read(&group->inflight) && list_empty(&group->entry))
		list_add_tail(&group->entry, &dev->idle_groups);
	vrb_kick(dev);
	spin_unlock_bh(&dev->lock);
}
EXPORT_SYMBOL_GPL(vrb_group_notify);

/**
 * vrb_group_idle - whether the callbacks of all accepted requests of a group have returned
 * @group: group
 *
 * The engine may still use the group: before its memory is freed, call vrb_group_drain() or
 * vrb_group_notify().
 *
 * Context: Any.
 */
bool vrb_group_idle(struct vrb_group *group)
{
	return !atomic_read(&group->inflight);
}
EXPORT_SYMBOL_GPL(vrb_group_idle);

static unsigned int vrb_group_count(const void *group)
{
	return atomic_read(&((const struct vrb_group *)group)->inflight);
}

/**
 * vrb_group_drain - sleep until a group is idle
 * @group: group; poison it first if others may submit to it
 *
 * Context: Process, may sleep; not a callback of the group.
 */
void vrb_group_drain(struct vrb_group *group)
{
	vrb_wait_zero(group->client->dev, vrb_group_count, group, "requests of a group");
}
EXPORT_SYMBOL_GPL(vrb_group_drain);
