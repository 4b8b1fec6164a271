// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Time: deadlines of queued requests, timeouts of issued commands, the timer of the pump, and tasks
 * that wait for a condition.
 *
 * Deadlines are in a hierarchical wheel. The cost of adding one, removing one, and finding the next
 * place does not depend on their number. A deadline in the distant future is in a coarse place, and
 * moves to a finer one when it is near. New deadlines are sorted in only when the earliest of them
 * expires: most requests are issued before that.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/moduleparam.h>

#include "vrb_internal.h"
#include "vrb_trace.h"

static uint vrb_nag_seconds = 10;
module_param_named(nag_seconds, vrb_nag_seconds, uint, 0644);
MODULE_PARM_DESC(nag_seconds,
		 "seconds after which a caller that waits for others checks again and logs it; 0: never");

/* ---- The wheel ---- */

static void vrb_wheel_add(struct vrb_wheel *wheel, struct vrb *vrb)
{
	u64 tick = ((u64)max(vrb->deadline, 0) + (1 << VRB_TICK_SHIFT) - 1) >> VRB_TICK_SHIFT;
	unsigned int level, place;

	tick = max(tick, wheel->tick);
	level = tick == wheel->tick ? 0 : (fls64(tick ^ wheel->tick) - 1) / VRB_WHEEL_BITS;
	place = tick >> level * VRB_WHEEL_BITS & (VRB_WHEEL_SIZE - 1);
	wheel->levels |= BIT(level);
	wheel->places[level] |= BIT_ULL(place);
	hlist_add_head(&vrb->expiry, &wheel->list[level][place]);
}

/* Sorts new deadlines into the wheel, within the bounds of this hold of the lock. */
static void vrb_wheel_sort(struct vrb_device *dev)
{
	struct hlist_head *fresh = &dev->wheel.fresh;
	struct vrb *vrb;

	while (vrb_within_budget(dev) && !hlist_empty(fresh)) {
		vrb = hlist_entry(fresh->first, struct vrb, expiry);
		hlist_del_init(&vrb->expiry);
		vrb_handle(dev);
		vrb_wheel_add(&dev->wheel, vrb);
	}
}

/*
 * Finds the first place that may have entries. Returns the tick at which it begins; U64_MAX: none.
 * Of two that begin at the same tick the coarse one is first: its entries may belong into the fine
 * one.
 */
static u64 vrb_wheel_first(struct vrb_wheel *wheel, unsigned int *level, unsigned int *place)
{
	unsigned int i, shift, at;
	u64 tick, first = U64_MAX;

	for_each_set_bit(i, &wheel->levels, VRB_WHEEL_LEVELS) {
		if (!wheel->places[i]) {
			wheel->levels &= ~BIT(i);
			continue;
		}
		at = __ffs64(wheel->places[i]);
		shift = i * VRB_WHEEL_BITS;
		tick = ((wheel->tick >> shift & ~(u64)(VRB_WHEEL_SIZE - 1)) | at) << shift;
		if (tick > first)
			continue;
		first = tick;
		*level = i;
		*place = at;
	}
	return first;
}

/* The next request whose deadline has passed; NULL: none, or the budget is used up. */
static struct vrb *vrb_wheel_pop(struct vrb_device *dev)
{
	struct vrb_wheel *wheel = &dev->wheel;
	u64 now = (u64)dev->now >> VRB_TICK_SHIFT;
	unsigned int level, place;
	struct hlist_head *list;
	struct vrb *vrb;
	u64 tick;

	while (vrb_within_budget(dev)) {
		tick = vrb_wheel_first(wheel, &level, &place);
		if (tick > now) {
			wheel->tick = max(wheel->tick, now);
			return NULL;
		}
		wheel->tick = max(wheel->tick, tick);
		list = &wheel->list[level][place];
		if (hlist_empty(list)) {
			wheel->places[level] &= ~BIT_ULL(place);
			continue;
		}
		vrb = hlist_entry(list->first, struct vrb, expiry);
		hlist_del_init(&vrb->expiry);
		if (!level)
			return vrb;
		vrb_handle(dev);
		vrb_wheel_add(wheel, vrb);
	}
	return NULL;
}

/* When the wheel must be processed. This may be early: removed deadlines leave their bits set. */
static ktime_t vrb_wheel_time(struct vrb_wheel *wheel)
{
	unsigned int level, place;
	u64 tick = vrb_wheel_first(wheel, &level, &place);

	return tick >= KTIME_MAX >> VRB_TICK_SHIFT ? KTIME_MAX : tick << VRB_TICK_SHIFT;
}

/**
 * vrb_deadline_over - complete a request whose deadline has passed
 * @dev: device
 * @vrb: queued request
 *
 * Context: Device lock held.
 */
void vrb_deadline_over(struct vrb_device *dev, struct vrb *vrb)
{
	lockdep_assert_held(&dev->lock);
	dev->counters.deadline++;
	vrb->status = -ETIME;
	trace_vrb_timeout(vrb);
	vrb_finish(dev, vrb, -ETIME);
}

/* ---- Slots ---- */

/*
 * When a slot's command is given up: after one timeout in which it was outstanding and no command
 * completed, or after ten timeouts, even if others complete.
 */
static ktime_t vrb_busy_expiry(const struct vrb_device *dev, const struct vrb_slot *slot)
{
	return min(ktime_add_ns(max(slot->since, dev->progress), dev->timeout_ns),
		   ktime_add_ns(slot->since, VRB_PATIENCE * dev->timeout_ns));
}

/*
 * When the device fails because a destroy waits for a command that was given up.
 */
static ktime_t vrb_zombie_expiry(const struct vrb_device *dev, const struct vrb_slot *slot)
{
	if (!slot->object || !slot->object->dying)
		return KTIME_MAX;
	return ktime_add_ns(max(slot->since, slot->object->destroy.submitted), dev->timeout_ns);
}

static ktime_t vrb_slot_expiry(const struct vrb_device *dev, const struct vrb_slot *slot)
{
	switch (slot->state) {
	case VRB_SLOT_BUSY:
		return vrb_busy_expiry(dev, slot);
	case VRB_SLOT_ZOMBIE:
		return vrb_zombie_expiry(dev, slot);
	default:
		return KTIME_MAX;
	}
}

static void vrb_give_up(struct vrb_device *dev, struct vrb_slot *slot)
{
	const struct vrb_step *step;
	struct vrb *vrb = slot->vrb;

	if (!slot->posted) {
		if (slot == list_first_entry_or_null(&dev->ready, struct vrb_slot, entry))
			vrb_fail_locked(dev, "the command register stays busy");
		return;
	}
	if (vrb_is_destroy(vrb) || vrb->undoing) {
		vrb_fail_verb(dev, vrb, "a command that must not fail was not answered");
		return;
	}
	if (slot == dev->reserved)
		vrb_fail_verb(dev, vrb, "the command in the reserved slot was not answered");
	else if (dev->zombies_now == dev->max_zombies)
		vrb_fail_verb(dev, vrb, "too many commands were not answered");
	dev->counters.timeouts++;
	vrb_slot_bury(dev, slot);
	step = &slot->verb->steps[slot->step];
	if (step->lost)
		step->lost(dev, slot->object);
	vrb->status = -ETIMEDOUT;
	trace_vrb_timeout(vrb);
	vrb_finish(dev, vrb, -ETIMEDOUT);
	/* Nothing may overtake the lost command, and its duration is unknown. */
	if (slot->object) {
		slot->object->flush = slot->object->flush ?: -EUCLEAN;
		vrb_object_flush(dev, slot->object);
	}
}

/* Scans the slots for timeouts, and sets the time of the next scan. */
static void vrb_scan_slots(struct vrb_device *dev)
{
	ktime_t expiry, next = ktime_add_ns(dev->now, dev->timeout_ns);
	struct vrb_slot *slot;
	unsigned int i;

	for (i = 0; i < dev->nr_slots && dev->state == VRB_DEV_OK; i++) {
		slot = &dev->slots[i];
		expiry = vrb_slot_expiry(dev, slot);
		if (ktime_after(expiry, dev->now)) {
			next = min(next, expiry);
		} else if (!vrb_within_budget(dev)) {
			next = dev->now;
			break;
		} else if (slot->state == VRB_SLOT_BUSY) {
			vrb_give_up(dev, slot);
		} else {
			vrb_fail_locked(dev, "a destroy waits for a command that was not answered");
		}
	}
	dev->scan_at = next;
}

/**
 * vrb_expire_deadlines - complete requests past their deadline
 * @dev: device
 *
 * Context: The pump, device lock held.
 */
void vrb_expire_deadlines(struct vrb_device *dev)
{
	struct vrb *vrb;

	lockdep_assert_held(&dev->lock);
	if (dev->state != VRB_DEV_OK || ktime_after(dev->deadline_at, dev->now))
		return;
	vrb_wheel_sort(dev);
	while ((vrb = vrb_wheel_pop(dev)))
		vrb_deadline_over(dev, vrb);
	dev->deadline_at = hlist_empty(&dev->wheel.fresh) ? vrb_wheel_time(&dev->wheel) : dev->now;
}

/**
 * vrb_expire_commands - give up commands that timed out
 * @dev: device
 *
 * Context: The pump, device lock held.
 */
void vrb_expire_commands(struct vrb_device *dev)
{
	lockdep_assert_held(&dev->lock);
	if (dev->state != VRB_DEV_OK || ktime_after(dev->scan_at, dev->now))
		return;
	if (dev->slots_now || dev->zombies_now)
		vrb_scan_slots(dev);
}

/* ---- When the pump has to run next ---- */

/* The next time at which the pump must run even without a kick. */
static ktime_t vrb_next_time(struct vrb_device *dev)
{
	ktime_t next = dev->deadline_at;

	if (dev->state != VRB_DEV_OK)
		return KTIME_MAX;
	if (!list_empty(&dev->ready))
		next = min(next, dev->retry_at);
	if (dev->nr_slots == 1 && dev->posted_now)
		next = min(next, dev->poll_at);
	if (dev->slots_now || dev->zombies_now)
		next = min(next, dev->scan_at);
	return next;
}

/**
 * vrb_set_timer - set the timer that kicks the pump
 * @dev: device
 *
 * The timer is only ever set to an earlier time: firing too early does no harm.
 *
 * Context: Device lock held.
 */
void vrb_set_timer(struct vrb_device *dev)
{
	ktime_t next;

	lockdep_assert_held(&dev->lock);
	/* The common case: it is set for the scan of the slots, and nothing is due earlier. */
	if (!ktime_before(min(dev->scan_at, dev->deadline_at), dev->timer_at) &&
	    list_empty(&dev->ready) && dev->nr_slots > 1)
		return;
	next = vrb_next_time(dev);
	if (!ktime_before(next, dev->timer_at))
		return;
	dev->timer_at = next;
	hrtimer_start(&dev->timer, next, HRTIMER_MODE_ABS_SOFT);
}

/*
 * The run that follows learns from this that the timer is no longer set. It cannot tell from the
 * time: the clock of its CPU may be behind the clock of this one.
 */
static enum hrtimer_restart vrb_timer(struct hrtimer *timer)
{
	struct vrb_device *dev = container_of(timer, struct vrb_device, timer);

	WRITE_ONCE(dev->timer_fired, true);
	vrb_kick(dev);
	return HRTIMER_NORESTART;
}

/**
 * vrb_work - whether the pump has work now
 * @dev: device
 *
 * Commands that wait for the register and requests that wait for a slot are no work: the timer and
 * completions start a run for those.
 *
 * Context: Device lock held.
 */
bool vrb_work(struct vrb_device *dev)
{
	lockdep_assert_held(&dev->lock);
	if (!list_empty(&dev->done) || !list_empty(&dev->sweep) || dev->sweep_again ||
	    !list_empty(&dev->idle_groups))
		return true;
	switch (dev->state) {
	case VRB_DEV_FAILING:
		return true;
	case VRB_DEV_FAILED:
		return vrb_flush_pending(dev);
	default:
		/* A run that begins may be reaping, without the lock; it needs no kick. */
		return READ_ONCE(dev->nr_events) || !list_empty(&dev->working) ||
		       (dev->nr_runnable && vrb_pick(dev));
	}
}

/**
 * vrb_unlock - drop the device lock, and kick the pump if it has work
 * @dev: device
 *
 * The kick comes first: a softirq that becomes pending while softirqs are disabled runs at once
 * when they are enabled again. An active run needs no kick: it checks before it ends. Model:
 * tools/testing/verification/pump.pml.
 *
 * Context: Any down to softirq.
 */
void vrb_unlock(struct vrb_device *dev)
	__releases(&dev->lock)
{
	if (!dev->in_run) {
		if (vrb_work(dev))
			vrb_kick(dev);
		vrb_set_timer(dev);
	}
	spin_unlock_bh(&dev->lock);
}

/**
 * vrb_time_init - initialise the timer of a new device
 * @dev: device
 *
 * Context: Process.
 */
void vrb_time_init(struct vrb_device *dev)
{
	hrtimer_setup(&dev->timer, vrb_timer, CLOCK_MONOTONIC, HRTIMER_MODE_ABS_SOFT);
	dev->retry_ns = VRB_RETRY_MIN_NS;
	dev->poll_ns = VRB_RETRY_MIN_NS;
	dev->timer_at = KTIME_MAX;
	dev->scan_at = KTIME_MAX;
	dev->deadline_at = KTIME_MAX;
	dev->wheel.tick = (u64)ktime_get() >> VRB_TICK_SHIFT;
	init_waitqueue_head(&dev->idle);
}

/**
 * vrb_time_stop - stop the timer for good
 * @dev: device without requests
 *
 * Context: Process, may sleep.
 */
void vrb_time_stop(struct vrb_device *dev)
{
	hrtimer_cancel(&dev->timer);
}

/* ---- Sleeping ---- */

static long vrb_nag_time(void)
{
	unsigned int nag = READ_ONCE(vrb_nag_seconds);

	return nag ? min(nag, 3600U) * HZ : MAX_SCHEDULE_TIMEOUT;
}

/**
 * vrb_wait_logged - sleep until a completion, and log what for if the wait is long
 * @over: completion
 * @device: name of the device, for the message
 * @what: what completes it, for the message
 *
 * If the device may be freed as soon as @over completes, the strings must not be in its memory.
 *
 * Context: Process, may sleep.
 */
void vrb_wait_logged(struct completion *over, const char *device, const char *what)
{
	while (!wait_for_completion_timeout(over, vrb_nag_time()))
		pr_warn_ratelimited("%s: waiting for %s\n", device, what);
}
EXPORT_SYMBOL_GPL(vrb_wait_logged);

static unsigned int vrb_count(struct vrb_device *dev, unsigned int (*count)(const void *of),
			      const void *of)
{
	unsigned int value;

	spin_lock_bh(&dev->lock);
	value = count(of);
	spin_unlock_bh(&dev->lock);
	return value;
}

/**
 * vrb_wait_zero - sleep until a count is zero
 * @dev: device
 * @count: returns the count; called under the device lock. Every change of it is followed by
 *	vrb_wake()
 * @of: argument of @count
 * @what: what is counted, for the message that is logged if the wait is long
 *
 * The wait depends on the wakeup. A wakeup that is missing is a bug and is reported as one. Model:
 * tools/testing/verification/fence.pml.
 *
 * Context: Process, may sleep.
 */
void vrb_wait_zero(struct vrb_device *dev, unsigned int (*count)(const void *of), const void *of,
		   const char *what)
{
	long nag = vrb_nag_time();
	DEFINE_WAIT(wait);
	unsigned int left;

	might_sleep();
	for (;;) {
		prepare_to_wait(&dev->idle, &wait, TASK_UNINTERRUPTIBLE);
		if (!vrb_count(dev, count, of))
			break;
		if (schedule_timeout(nag))
			continue;
		left = vrb_count(dev, count, of);
		WARN_ONCE(!left, "%s: no wakeup when there were no more %s\n", dev->name, what);
		if (left)
			pr_warn("%s: waiting for %u %s\n", dev->name, left, what);
	}
	finish_wait(&dev->idle, &wait);
}
