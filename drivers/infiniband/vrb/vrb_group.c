// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Groups; and the sweep, which completes what has been taken back many at a time: by a group's
 * cancel, because a client is shut or the provider goes, or because the device has failed.
 *
 * What has been taken back is not issued from that moment on. The sweep only sees to it that it
 * completes soon: a cursor goes through all requests of the device, so many in each run of the
 * pump.
 */
#include <linux/export.h>

#include "vrb_internal.h"

/* ---- The sweep ---- */

/**
 * vrb_sweep_start - have all requests of the device looked at
 * @dev: device
 *
 * Context: Device lock held.
 */
void vrb_sweep_start(struct vrb_device *dev)
{
	lockdep_assert_held(&dev->lock);
	if (list_empty(&dev->sweep))
		list_add(&dev->sweep, &dev->vrbs);
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
		dev->counters.flushed += status != -ECANCELED || vrb->client->shut;
		dev->counters.cancelled += status == -ECANCELED && !vrb->client->shut;
		vrb_take_back(dev, vrb, status);
	} else if (!vrb_is_destroy(vrb)) {
		/* What waits goes when it has been resumed: somebody has its memory till then. */
		if (!waiting)
			vrb_finish(dev, vrb, -EIO);
	} else if (!list_empty(&vrb->entry)) {
		vrb_finish(dev, vrb, 0);
	}
}

/**
 * vrb_sweep - go on with the sweep, as far as may be now
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
		next = vrb_cursor_next(&dev->sweep, &dev->vrbs);
		vrb_handle(dev);
		if (next && next != &dev->vrb_reader)
			vrb_sweep_one(dev, list_entry(next, struct vrb, device_entry));
	}
	if (list_empty(&dev->sweep) && dev->sweep_again) {
		dev->sweep_again = false;
		list_add(&dev->sweep, &dev->vrbs);
	}
}

/* ---- Groups ---- */

/**
 * vrb_group_init - make a group ready for use
 * @group: group
 * @client: whose requests it is going to hold
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
 * vrb_group_poison - refuse what is submitted to a group from now on, with -EPERM
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
 * vrb_group_unpoison - accept again what is submitted to a group
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
 * None of what is queued now is going to be issued. However many there are this takes the same
 * time; their callbacks come one after the other.
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
 * vrb_group_notify - be told when a group is idle
 * @group: group; poison it first if others may submit to it
 * @idle: called once, when no request of the group is in flight: at once if that is so now, but
 *	never inside this call. It may free the group, submit to it, or ask to be told again
 *
 * From now on the group belongs to @idle: nobody drains or frees it meanwhile.
 *
 * Context: Any down to softirq, interrupts enabled; @idle in softirq, no lock held.
 */
void vrb_group_notify(struct vrb_group *group, void (*idle)(struct vrb_group *group))
{
	struct vrb_device *dev = group->client->dev;

	if (WARN_ON_ONCE(!idle || !vrb_may_lock()))
		return;
	spin_lock_bh(&dev->lock);
	/* The client's fence waits for this, too. */
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
 * vrb_group_idle - whether no request of a group is accepted with its callback not yet returned
 * @group: group
 *
 * The engine may still be using the group: vrb_group_drain() or vrb_group_notify() come before the
 * memory is freed.
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
