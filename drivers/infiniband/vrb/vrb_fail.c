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
	strscpy(dev->reason, reason, sizeof(dev->reason));
	/* From here on another CPU may report it. */
	smp_store_release(&dev->state, VRB_DEV_FAILING);
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
	u8 status = vrb->slot ? vrb->slot->result.fw_status : vrb->fw_status;
	char reason[sizeof(dev->reason)];

	snprintf(reason, sizeof(reason), "%s: %s, step %s, firmware status %#x %s", what,
		 vrb_verb_name(vrb->verb), vrb_step_name(vrb->verb, vrb->step), status,
		 vrb_status_name(dev, status));
	vrb_fail_locked(dev, reason);
}

/**
 * vrb_fail_proceed - stop the hardware of a device that is failing
 * @dev: device
 *
 * When this returns it has been stopped, by whomever: where another CPU is at it this one waits for
 * it, as for any spin lock.
 *
 * Context: Any down to softirq, no lock held.
 */
void vrb_fail_proceed(struct vrb_device *dev)
{
	spin_lock_bh(&dev->quiesce_lock);
	/* With it its reason and whether it is in order. */
	if (smp_load_acquire(&dev->state) == VRB_DEV_FAILING) {
		if (dev->orderly)
			pr_info("%s: stopped: %s\n", dev->name, dev->reason);
		else
			pr_err("%s: device has failed: %s\n", dev->name, dev->reason);
		dev->ops->quiesce(dev);
		spin_lock(&dev->lock);
		/* The hardware has been stopped: see vrb_device_quiesced(). */
		smp_store_release(&dev->state, VRB_DEV_FAILED);
		dev->epoch++;
		list_move(&dev->sweep, &dev->vrbs);
		vrb_kick(dev);
		spin_unlock(&dev->lock);
	}
	spin_unlock_bh(&dev->quiesce_lock);
}

static void vrb_device_end(struct vrb_device *dev, const char *reason, bool orderly)
{
	spin_lock_bh(&dev->lock);
	if (dev->state == VRB_DEV_OK)
		dev->orderly = orderly;
	vrb_fail_locked(dev, reason);
	spin_unlock_bh(&dev->lock);
	vrb_fail_proceed(dev);
}

/**
 * vrb_device_fail - the device is beyond help: complete everything
 * @dev: device
 * @reason: for the log; a short phrase
 *
 * Requests complete with -EIO, destroys with success, all from the pump. Only the first failure
 * counts until vrb_device_revive(). When this returns the hardware writes nothing any more, also if
 * another CPU was first: this one waits until that one's ops->quiesce() has returned, for which
 * spinning is enough, in any context.
 *
 * Context: Any down to softirq, no lock held under which ops->quiesce() may not be called; not from
 * ops->quiesce(), encode, undo or post.
 */
void vrb_device_fail(struct vrb_device *dev, const char *reason)
{
	vrb_device_end(dev, reason, false);
}
EXPORT_SYMBOL_GPL(vrb_device_fail);

/**
 * vrb_device_stop - the provider stops the hardware, in good order
 * @dev: device
 * @reason: for the log, which has it as no error: "suspend", "shutdown"
 *
 * Otherwise as vrb_device_fail().
 *
 * Context: as vrb_device_fail().
 */
void vrb_device_stop(struct vrb_device *dev, const char *reason)
{
	vrb_device_end(dev, reason, true);
}
EXPORT_SYMBOL_GPL(vrb_device_stop);

/**
 * vrb_device_failed - whether the device posts no more
 * @dev: device
 *
 * The hardware may still write: see vrb_device_quiesced().
 *
 * Context: Any.
 */
bool vrb_device_failed(const struct vrb_device *dev)
{
	/* Pairs with the stores of it in this file. */
	return smp_load_acquire(&dev->state) != VRB_DEV_OK;
}
EXPORT_SYMBOL_GPL(vrb_device_failed);

/**
 * vrb_device_quiesced - whether the hardware of a failed device writes no more
 * @dev: device
 *
 * What it had may be freed once this is true.
 *
 * Context: Any.
 */
bool vrb_device_quiesced(const struct vrb_device *dev)
{
	/* What the hardware wrote before it was stopped is seen after this. */
	return smp_load_acquire(&dev->state) == VRB_DEV_FAILED;
}
EXPORT_SYMBOL_GPL(vrb_device_quiesced);

/**
 * vrb_zombie_put - the hardware is through with a command that had been given up
 * @dev: device
 * @slot: its slot
 *
 * Context: Device lock held.
 */
void vrb_zombie_put(struct vrb_device *dev, struct vrb_slot *slot)
{
	struct vrb_object *object = slot->object;

	lockdep_assert_held(&dev->lock);
	vrb_handle(dev);
	trace_vrb_zombie(dev, slot);
	slot->object = NULL;
	slot->verb = NULL;
	dev->zombies_now--;
	vrb_slot_free(dev, slot);
	vrb_wake(dev);
	if (!object)
		return;
	object->zombies--;
	vrb_object_next(dev, object);
	vrb_object_unref(dev, object);
}

/**
 * vrb_flush_pending - whether a failed device still has something to complete
 * @dev: device
 *
 * Context: Device lock held.
 */
bool vrb_flush_pending(const struct vrb_device *dev)
{
	lockdep_assert_held(&dev->lock);
	return dev->slots_now || dev->zombies_now || !dev->fail_reported ||
	       !list_empty(&dev->sweep);
}

static void vrb_flush_slot(struct vrb_device *dev, struct vrb_slot *slot)
{
	if (slot->state == VRB_SLOT_BUSY)
		vrb_finish(dev, slot->vrb, vrb_is_destroy(slot->vrb) ? 0 : -EIO);
	else if (slot->state == VRB_SLOT_ZOMBIE)
		vrb_zombie_put(dev, slot);
}

/**
 * vrb_flush - complete what a failed device had in its slots
 * @dev: device
 *
 * What is queued goes with the sweep.
 *
 * Context: The pump, no lock held.
 */
void vrb_flush(struct vrb_device *dev)
{
	bool report;
	unsigned int i;

	vrb_lock(dev);
	if (dev->state != VRB_DEV_FAILED) {
		/* It has been revived meanwhile: what is in its slots is the new life's. */
		spin_unlock_bh(&dev->lock);
		return;
	}
	report = !dev->fail_reported;
	dev->fail_reported = true;
	for (i = 0; i < dev->nr_slots && vrb_within_budget(dev); i++)
		vrb_flush_slot(dev, &dev->slots[i]);
	spin_unlock_bh(&dev->lock);

	if (report && dev->ops->failed)
		dev->ops->failed(dev, dev->reason);
}

/**
 * vrb_device_revive - a failed device works again, after a reset
 * @dev: device, failed and with nothing in flight
 *
 * Counters go on. For the engine the hardware has let go of every object there was before: requests
 * on those are refused with -ESTALE, their destroys complete without a command. The device has one
 * slot, its commands found by looking.
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
	} else if (vrb_flush_pending(dev) || dev->waiting_now) {
		ret = -EBUSY;
	} else {
		vrb_lay_out_slots(dev, 1);
		dev->fail_reported = false;
		dev->orderly = false;
		dev->hold = true;
		WRITE_ONCE(dev->state, VRB_DEV_OK);
	}
	spin_unlock_bh(&dev->lock);
	if (ret)
		return ret;
	if (dev->ops->slots)
		dev->ops->slots(dev, 1);
	spin_lock_bh(&dev->lock);
	dev->hold = false;
	vrb_kick(dev);
	spin_unlock_bh(&dev->lock);
	return 0;
}
EXPORT_SYMBOL_GPL(vrb_device_revive);
