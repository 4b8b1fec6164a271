// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * A verb is a table of steps. This file executes a step, acts on its verdict, and undoes earlier
 * steps when one fails. encode, undo and post are called under vrb_device.lock. The pump calls
 * done, undone and work without it, and passes their verdicts on under the lock.
 */
#include "vrb_internal.h"
#include "vrb_trace.h"

/**
 * vrb_verb_ok - whether a verb exists and can be executed
 * @verb: verb, or NULL
 *
 * Context: Any.
 */
bool vrb_verb_ok(const struct vrb_verb *verb)
{
	return verb && verb->name && verb->nr_steps &&
	       (verb->steps[0].encode || verb->steps[0].work);
}

/* ---- The command register ---- */

static void vrb_posted(struct vrb_device *dev, struct vrb_slot *slot)
{
	slot->posted = true;
	slot->since = dev->now;
	dev->posted_now++;
	dev->counters.steps++;
	dev->retry_ns = VRB_RETRY_MIN_NS;
	dev->poll_ns = VRB_RETRY_MIN_NS;
	dev->poll_at = ktime_add_ns(dev->now, VRB_RETRY_MIN_NS);
	trace_vrb_post(dev, slot);
}

/* Returns whether the slot's command was posted. If the register is busy the timer retries. */
static bool vrb_post(struct vrb_device *dev, struct vrb_slot *slot)
{
	int ret = dev->ops->post(dev, slot);

	if (!ret) {
		vrb_posted(dev, slot);
		return true;
	}
	if (ret != -EAGAIN) {
		vrb_fail_locked(dev, "a command could not be posted");
		return false;
	}
	dev->counters.busy++;
	dev->retry_at = ktime_add_ns(ktime_get(), dev->retry_ns);
	dev->retry_ns = min_t(u64, 2 * dev->retry_ns, VRB_RETRY_MAX_NS);
	trace_vrb_busy(dev, slot);
	return false;
}

/**
 * vrb_post_ready - post encoded commands, oldest first, within the bounds of this hold of the lock
 * @dev: device
 *
 * Stops when the register is busy, or at the bounds; the timer continues.
 *
 * Context: Device lock held.
 */
void vrb_post_ready(struct vrb_device *dev)
{
	struct vrb_slot *slot;

	lockdep_assert_held(&dev->lock);
	while (dev->state == VRB_DEV_OK && vrb_within_budget(dev) && !list_empty(&dev->ready)) {
		slot = list_first_entry(&dev->ready, struct vrb_slot, entry);
		if (!vrb_post(dev, slot))
			return;
		vrb_handle(dev);
		list_del_init(&slot->entry);
	}
}

/* ---- Steps ---- */

static const struct vrb_step *vrb_step_of(const struct vrb *vrb)
{
	return &vrb->verb->steps[vrb->step];
}

/**
 * vrb_step_works - whether a request's current step is work for the CPU, not a command
 * @vrb: issued request
 *
 * Context: Device lock held.
 */
bool vrb_step_works(const struct vrb *vrb)
{
	return !vrb->undoing && vrb_step_of(vrb)->work;
}

/* The request has no further step. */
static void vrb_over(struct vrb_device *dev, struct vrb *vrb, int status)
{
	if (vrb_is_destroy(vrb)) {
		if (!status || (status == -EBUSY && vrb->verb->may_refuse && !vrb->step &&
				vrb->waiter))
			vrb_finish(dev, vrb, status);
		else
			vrb_fail_verb(dev, vrb, "a destroy failed");
	} else if (!vrb->undoing) {
		vrb_finish(dev, vrb, status);
	} else {
		vrb->step = vrb->failed_step;
		dev->counters.undone += vrb->undid;
		vrb_finish(dev, vrb, vrb->status);
	}
}

/* Moves to the next step, or while undoing to the previous one; false: there is none. */
static bool vrb_step_next(struct vrb_device *dev, struct vrb *vrb)
{
	if (vrb->undoing && vrb->step) {
		vrb->step--;
		return true;
	}
	if (!vrb->undoing && vrb->step + 1 < vrb->verb->nr_steps) {
		vrb->step++;
		return true;
	}
	vrb_over(dev, vrb, 0);
	return false;
}

/* The first failure is the request's status; the steps before it are undone. */
static bool vrb_step_failed(struct vrb_device *dev, struct vrb *vrb, int err)
{
	if (vrb->undoing) {
		vrb_fail_verb(dev, vrb, "a step that undoes another failed");
		return false;
	}
	if (vrb_is_destroy(vrb) || !vrb->step) {
		vrb_over(dev, vrb, err);
		return false;
	}
	vrb->undoing = true;
	vrb->status = err;
	vrb->failed_step = vrb->step--;
	return true;
}

/*
 * The request gives up its slot while it waits; it stays the active request of its object. Model:
 * tools/testing/verification/resume.pml.
 */
static bool vrb_step_waits(struct vrb_device *dev, struct vrb *vrb, bool after)
{
	int doom;

	if (WARN_ON_ONCE(!vrb->object))
		return vrb_step_failed(dev, vrb, -EINVAL);
	vrb_slot_put(dev, vrb);
	vrb->started = true;
	vrb->waits_after = after;
	vrb_set_state(vrb, VRB_WAITING);
	dev->waiting_now++;
	dev->counters.waits++;
	trace_vrb_wait(vrb);
	/* It could not be cancelled while its command was outstanding; now it can. */
	doom = vrb_doom(vrb) ?: vrb->killers ? -ECANCELED : 0;
	if (doom && vrb_take_back(dev, vrb, doom))
		vrb_count_ended(dev, vrb, doom);
	return false;
}

/* Acts on the verdict of a step. Returns whether vrb_drive() must continue the request. */
static bool vrb_act(struct vrb_device *dev, struct vrb *vrb, int verdict, bool after)
{
	switch (verdict) {
	case VRB_NEXT:
		return vrb_step_next(dev, vrb);
	case VRB_AGAIN:
		return true;
	case VRB_WAIT:
		if (!vrb->undoing)
			return vrb_step_waits(dev, vrb, after);
		/* A resume of the cancelled wait could still come, and end this one. */
		break;
	case VRB_END:
		if (!vrb->undoing) {
			vrb_over(dev, vrb, 0);
			return false;
		}
		break;
	}
	return vrb_step_failed(dev, vrb, WARN_ON_ONCE(verdict > 0) ? -EINVAL : verdict);
}

static int vrb_encode(struct vrb_device *dev, struct vrb *vrb)
{
	const struct vrb_step *step = vrb_step_of(vrb);
	int verdict;

	if (!vrb->undoing)
		return step->encode ? step->encode(dev, vrb, vrb->slot) : -EINVAL;
	if (!step->undo)
		return VRB_NEXT;
	trace_vrb_undo(vrb);
	verdict = step->undo(dev, vrb, vrb->slot);
	vrb->undid |= verdict == VRB_POST;
	return verdict;
}

/*
 * Continues a request up to its next command, its next portion of work, or its end. If the budget
 * of this hold of the lock runs out before, the pump continues it later.
 */
static void vrb_drive(struct vrb_device *dev, struct vrb *vrb)
{
	struct vrb_slot *slot = vrb->slot;
	int verdict;

	for (;;) {
		if (vrb_step_works(vrb) || !vrb_within_budget(dev)) {
			list_add_tail(&slot->entry, &dev->working);
			return;
		}
		vrb_handle(dev);
		slot->result = (struct vrb_result){};
		verdict = vrb_encode(dev, vrb);
		if (verdict == VRB_POST) {
			slot->token = ++slot->generation << dev->slot_bits | slot->index;
			slot->since = dev->now;
			if (!list_empty(&dev->ready) || dev->state != VRB_DEV_OK ||
			    !vrb_post(dev, slot))
				list_add_tail(&slot->entry, &dev->ready);
			return;
		}
		if (!vrb_act(dev, vrb, verdict, false))
			return;
	}
}

/**
 * vrb_issue - give a request a slot and continue it up to its first command
 * @dev: device
 * @vrb: request that vrb_pick() chose, or that was accepted just now and need not be queued; one
 *	that was cancelled meanwhile completes
 *
 * Context: Device lock held.
 */
void vrb_issue(struct vrb_device *dev, struct vrb *vrb)
{
	int doom = vrb_doom(vrb);

	lockdep_assert_held(&dev->lock);
	if (doom && !vrb->undoing) {
		if (vrb_take_back(dev, vrb, doom))
			vrb_count_ended(dev, vrb, doom);
		if (!vrb->started)
			return;
	}
	if (vrb_state(vrb) == VRB_QUEUED)
		vrb_unqueue(dev, vrb);
	vrb_slot_get(dev, vrb);
	vrb_set_state(vrb, VRB_ISSUED);
	if (vrb->object)
		vrb->object->active = vrb;
	trace_vrb_issue(vrb);
	if (vrb->waits_after && !vrb_step_next(dev, vrb))
		return;
	vrb_drive(dev, vrb);
}

/**
 * vrb_step_result - get the verdict of a step whose command has completed
 * @dev: device
 * @slot: its slot, with the result; the verdict is stored in it
 *
 * Context: The pump, no lock held.
 */
void vrb_step_result(struct vrb_device *dev, struct vrb_slot *slot)
{
	struct vrb *vrb = slot->vrb;
	const struct vrb_step *step = vrb_step_of(vrb);

	if (vrb_step_works(vrb)) {
		slot->verdict = step->work(dev, vrb);
		return;
	}
	if (!vrb->undoing)
		vrb->fw_status = slot->result.fw_status;
	if (vrb->undoing ? !step->undone : !step->done)
		slot->verdict = slot->result.status;
	else if (vrb->undoing)
		slot->verdict = step->undone(dev, vrb, slot, &slot->result);
	else
		slot->verdict = step->done(dev, vrb, slot, &slot->result);
}

/**
 * vrb_step_verdict - act on the verdict that vrb_step_result() has stored
 * @dev: device
 * @slot: the slot
 *
 * Context: The pump, device lock held.
 */
void vrb_step_verdict(struct vrb_device *dev, struct vrb_slot *slot)
{
	struct vrb *vrb = slot->vrb;

	lockdep_assert_held(&dev->lock);
	if (vrb_act(dev, vrb, slot->verdict, !vrb_step_works(vrb)))
		vrb_drive(dev, vrb);
}
