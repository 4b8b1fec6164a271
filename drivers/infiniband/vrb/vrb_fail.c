// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Device failure. First nothing is posted any more (FAILING), then the provider makes sure that
 * the hardware writes nothing (ops->quiesce), and only then (FAILED) does the pump complete
 * requests and reuse buffers. Requests complete with -EIO, destroys with success.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/device.h>
#include <linux/export.h>

#include "vrb_internal.h"
#include "vrb_trace.h"

/**
 * vrb_fail_locked - record that the device has failed
 * @dev: device
 * @reason: for the log
 *
 * Context: Device lock held; vrb_fail_proceed() must follow without it, or the pump calls it.
 */
void vrb_fail_locked(struct vrb_device *dev, const char *reason)
{
	lockdep_assert_held(&dev->lock);
	if (dev->state != VRB_DEV_OK)
		return;
	strscpy(dev->reason, reason, sizeof(dev->reason));
	/* From here on another CPU may log it. */
	smp_store_release(&dev->state, VRB_DEV_FAILING);
	trace_vrb_fail(dev);
}

/**
 * vrb_fail_verb - record that the device has failed because of a request
 * @dev: device
 * @vrb: request; the log names it and its step
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
 * When this returns the hardware has been stopped. If another CPU is stopping it, this one spins
 * until that one has finished.
 *
 * Context: Any down to softirq, no lock held.
 */
void vrb_fail_proceed(struct vrb_device *dev)
{
	spin_lock_bh(&dev->quiesce_lock);
	/* The state is read together with the reason. */
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
		vrb_sweep_from_start(dev);
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
 * vrb_device_fail - fail a device: stop its hardware and complete everything
 * @dev: device
 * @reason: for the log; a short phrase
 *
 * The pump completes requests with -EIO, destroys with success. Until vrb_device_revive() only the
 * first failure has an effect. When this returns the hardware writes nothing any more: if another
 * CPU was first, this one spins until that one's ops->quiesce() has returned.
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
 * vrb_device_stop - stop a device in good order
 * @dev: device
 * @reason: for the log, where it is not an error: "suspend", "shutdown"
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
 * vrb_zombie_put - end a zombie: its command has completed late, or the hardware was stopped
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
	WRITE_ONCE(dev->zombies_now, dev->zombies_now - 1);
	vrb_slot_free(dev, slot);
	vrb_wake(dev);
	if (!object)
		return;
	WRITE_ONCE(object->zombies, object->zombies - 1);
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
		vrb_finish_failed(dev, slot->vrb);
	else if (slot->state == VRB_SLOT_ZOMBIE)
		vrb_zombie_put(dev, slot);
}

/**
 * vrb_flush - complete the requests in the slots of a failed device
 * @dev: device
 *
 * The sweep completes queued requests.
 *
 * Context: The pump, no lock held.
 */
void vrb_flush(struct vrb_device *dev)
{
	bool report;
	unsigned int i;

	vrb_lock(dev);
	if (dev->state != VRB_DEV_FAILED) {
		/* The device has been revived meanwhile: its slots have new requests. */
		spin_unlock_bh(&dev->lock);
		return;
	}
	report = !dev->fail_reported;
	for (i = 0; i < dev->nr_slots && vrb_within_budget(dev); i++)
		vrb_flush_slot(dev, &dev->slots[i]);
	spin_unlock_bh(&dev->lock);

	if (!report)
		return;
	if (dev->ops->failed)
		dev->ops->failed(dev, dev->reason);
	/* Not before: the device must not be revived while the provider ends its last life. */
	vrb_lock(dev);
	dev->fail_reported = true;
	spin_unlock_bh(&dev->lock);
}

static int vrb_check_revive(const struct vrb_device *dev)
{
	if (dev->state != VRB_DEV_FAILED)
		return -EINVAL;
	return vrb_flush_pending(dev) || dev->waiting_now ? -EBUSY : 0;
}

/**
 * vrb_device_revive - use a failed device again, after a reset
 * @dev: device, failed and with nothing in flight
 *
 * Counters keep their values. The hardware no longer knows any object from before: requests on
 * those are refused with -ESTALE, and their destroys complete without a command. The device has
 * one slot, and completions are polled for.
 *
 * Context: Process, may sleep; not beside vrb_device_set_slots().
 * Return: 0; -EINVAL if it has not failed; -EBUSY if requests are still being completed: call it
 * again.
 */
int vrb_device_revive(struct vrb_device *dev)
{
	int ret;

	might_sleep();
	spin_lock_bh(&dev->lock);
	ret = vrb_check_revive(dev);
	if (!ret)
		vrb_lay_out_slots(dev, 1);
	spin_unlock_bh(&dev->lock);
	if (ret)
		return ret;
	/* A run that still sees the old number of slots must not see a device that works. */
	synchronize_rcu();
	spin_lock_bh(&dev->lock);
	ret = vrb_check_revive(dev);
	if (!ret) {
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
