// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Device failure. First nothing is posted any more (FAILING), then the provider makes sure that the
 * hardware writes nothing (ops->quiesce), and only then (FAILED) are requests completed and buffers
 * reused: by the pump, -EIO for all but destroys, for which the hardware being gone is success.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/device.h>
#include <linux/export.h>

#include "vrb_internal.h"
#include "vrb_trace.h"

/**
 * vrb_fail_locked - note that the device has failed
 * @dev: device
 * @reason: for the log
 *
 * Context: Device lock held; vrb_fail_proceed() must follow without it, if need be from the pump.
 */
void vrb_fail_locked(struct vrb_device *dev, const char *reason)
{
	lockdep_assert_held(&dev->lock);
	if (dev->state != VRB_DEV_OK)
		return;
	dev->state = VRB_DEV_FAILING;
	strscpy(dev->reason, reason, sizeof(dev->reason));
	trace_vrb_fail(dev);
}

/**
 * vrb_fail_verb - note that the device has failed over a request
 * @dev: device
 * @vrb: request; it is named in the log with the step it is at
 * @what: what has happened to it
 *
 * Context: as vrb_fail_locked().
 */
void vrb_fail_verb(struct vrb_device *dev, const struct vrb *vrb, const char *what)
{
	char reason[sizeof(dev->reason)];

	snprintf(reason, sizeof(reason), "%s: %s step %u, firmware status %#x", what,
		 vrb->verb->name, vrb->step, vrb->fw_status);
	vrb_fail_locked(dev, reason);
}

/**
 * vrb_fail_proceed - stop the hardware of a device that is failing
 * @dev: device
 *
 * Context: Any down to softirq, no lock held.
 */
void vrb_fail_proceed(struct vrb_device *dev)
{
	bool mine;

	spin_lock_bh(&dev->lock);
	mine = dev->state == VRB_DEV_FAILING && !dev->quiescing;
	if (mine)
		dev->quiescing = true;
	spin_unlock_bh(&dev->lock);
	if (!mine)
		return;

	pr_err("%s: device has failed: %s\n", dev->name, dev->reason);
	dev->ops->quiesce(dev);

	vrb_lock(dev);
	dev->quiescing = false;
	dev->state = VRB_DEV_FAILED;
	dev->epoch++;
	vrb_unlock(dev);
}

/**
 * vrb_device_fail - the device is beyond help: complete everything
 * @dev: device
 * @reason: for the log; a short phrase
 *
 * Requests complete with -EIO, destroys with 0, all from the pump. Only the first failure counts
 * until vrb_device_revive().
 *
 * Context: Any down to softirq, no lock held under which ops->quiesce() may not be called.
 */
void vrb_device_fail(struct vrb_device *dev, const char *reason)
{
	spin_lock_bh(&dev->lock);
	vrb_fail_locked(dev, reason);
	spin_unlock_bh(&dev->lock);
	vrb_fail_proceed(dev);
}
EXPORT_SYMBOL_GPL(vrb_device_fail);

/**
 * vrb_device_failed - whether the device has failed
 * @dev: device
 *
 * Once this is true nothing is posted any more; the hardware has been stopped when requests
 * complete.
 *
 * Context: Any.
 */
bool vrb_device_failed(const struct vrb_device *dev)
{
	return READ_ONCE(dev->state) != VRB_DEV_OK;
}
EXPORT_SYMBOL_GPL(vrb_device_failed);

/**
 * vrb_zombie_put - the hardware is through with a command that had been given up
 * @dev: device
 * @slot: its slot
 *
 * Context: Device lock held; vrb_release_objects() must follow.
 */
void vrb_zombie_put(struct vrb_device *dev, struct vrb_slot *slot)
{
	struct vrb_object *object = slot->object;

	lockdep_assert_held(&dev->lock);
	trace_vrb_zombie(dev, slot);
	slot->object = NULL;
	slot->verb = NULL;
	if (!--dev->zombies_now)
		wake_up_all(&dev->idle);
	vrb_slot_free(dev, slot);
	if (object) {
		object->zombies--;
		vrb_object_unref(dev, object);
	}
}

static void vrb_flush_request(struct vrb_device *dev, struct vrb *vrb)
{
	if (vrb->slot)
		vrb_slot_put(dev, vrb);
	if (vrb_is_destroy(vrb))
		vrb_destroyed(dev, vrb);
	else
		vrb_finish(dev, vrb, -EIO);
}

static void vrb_flush_slots(struct vrb_device *dev)
{
	unsigned int i;

	for (i = 0; i < dev->nr_slots; i++) {
		if (dev->slots[i].state == VRB_SLOT_BUSY)
			vrb_flush_request(dev, dev->slots[i].vrb);
		else if (dev->slots[i].state == VRB_SLOT_ZOMBIE)
			vrb_zombie_put(dev, &dev->slots[i]);
	}
}

static struct vrb *vrb_first_queued(struct vrb_device *dev)
{
	struct vrb_client *client;

	list_for_each_entry(client, &dev->clients, entry) {
		if (!list_empty(&client->queued))
			return list_first_entry(&client->queued, struct vrb, client_entry);
	}
	return NULL;
}

/**
 * vrb_flush_pending - whether a failed device still has requests to complete
 * @dev: device
 *
 * Context: Device lock held.
 */
bool vrb_flush_pending(struct vrb_device *dev)
{
	lockdep_assert_held(&dev->lock);
	return dev->state == VRB_DEV_FAILED &&
	       (dev->slots_now || dev->zombies_now || !dev->fail_reported || vrb_first_queued(dev));
}

/**
 * vrb_flush - complete requests of a failed device
 * @dev: device
 *
 * Context: The pump, no lock held.
 */
void vrb_flush(struct vrb_device *dev)
{
	unsigned int budget = VRB_BUDGET;
	struct vrb *vrb;
	bool report;

	spin_lock_bh(&dev->lock);
	report = !dev->fail_reported;
	dev->fail_reported = true;
	vrb_flush_slots(dev);
	while (budget-- && (vrb = vrb_first_queued(dev)))
		vrb_flush_request(dev, vrb);
	spin_unlock_bh(&dev->lock);

	if (report && dev->ops->failed)
		dev->ops->failed(dev, dev->reason);
	vrb_release_objects(dev);
}

/**
 * vrb_device_revive - a failed device works again, after a reset
 * @dev: device, failed and with nothing in flight
 *
 * Counters go on. For the engine the hardware has let go of every object there was before: requests
 * on those are refused, their destroys complete without a command. The device is in the polled
 * phase.
 *
 * Context: Process.
 * Return: 0; -EINVAL if it has not failed; -EBUSY if requests are still being completed.
 */
int vrb_device_revive(struct vrb_device *dev)
{
	int ret = 0;

	might_sleep();
	spin_lock_bh(&dev->lock);
	if (dev->state != VRB_DEV_FAILED) {
		ret = -EINVAL;
	} else if (vrb_flush_pending(dev)) {
		ret = -EBUSY;
	} else {
		dev->state = VRB_DEV_OK;
		dev->fail_reported = false;
		WRITE_ONCE(dev->polled, true);
	}
	spin_unlock_bh(&dev->lock);
	return ret;
}
EXPORT_SYMBOL_GPL(vrb_device_revive);
