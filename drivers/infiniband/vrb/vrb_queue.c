// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * From the queue into a slot, and out of it: which request is next.
 *
 * Only runnable requests are on the device's lists: those at the head of their object's queue while
 * that object has no command in flight, and those of no object. So picking the next one never has
 * to search. The one goes first that has waited longest beyond what its class has to; of those of
 * processes, the first of the process that holds the fewest slots. Everything here runs under
 * vrb_device.lock and calls nobody.
 */
#include <linux/export.h>

#include "vrb_internal.h"
#include "vrb_trace.h"

static void vrb_init_runnable(struct list_head *runnable)
{
	int class;

	for (class = 0; class < VRB_CLASS_EVENT; class++)
		INIT_LIST_HEAD(&runnable[class]);
}

/**
 * vrb_queue_init - make the lists of a new device ready
 * @dev: device
 *
 * Context: Process.
 */
void vrb_queue_init(struct vrb_device *dev)
{
	vrb_init_runnable(dev->runnable);
	dev->users = RB_ROOT_CACHED;
	dev->users_teardown = RB_ROOT_CACHED;
	INIT_LIST_HEAD(&dev->ready);
	INIT_LIST_HEAD(&dev->working);
	INIT_LIST_HEAD(&dev->done);
	INIT_LIST_HEAD(&dev->idle_groups);
	INIT_LIST_HEAD(&dev->vrbs);
}

/* ---- Processes ---- */

/**
 * vrb_user_init - a process that is going to have requests
 * @user: in what the provider keeps for the process
 *
 * Context: Any.
 */
void vrb_user_init(struct vrb_user *user)
{
	user->slots = 0;
	user->nr_runnable = 0;
	vrb_init_runnable(user->runnable);
	RB_CLEAR_NODE(&user->any);
	RB_CLEAR_NODE(&user->teardown);
}
EXPORT_SYMBOL_GPL(vrb_user_init);

static bool vrb_any_less(struct rb_node *a, const struct rb_node *b)
{
	return rb_entry(a, struct vrb_user, any)->slots < rb_entry(b, struct vrb_user, any)->slots;
}

static bool vrb_teardown_less(struct rb_node *a, const struct rb_node *b)
{
	return rb_entry(a, struct vrb_user, teardown)->slots <
	       rb_entry(b, struct vrb_user, teardown)->slots;
}

static void vrb_user_remove(struct rb_root_cached *root, struct rb_node *node)
{
	if (RB_EMPTY_NODE(node))
		return;
	rb_erase_cached(node, root);
	RB_CLEAR_NODE(node);
}

/*
 * A process holds @slots more than before, or has got or lost a runnable request: its place among
 * those that have some.
 */
static void vrb_user_place(struct vrb_device *dev, struct vrb_user *user, int slots)
{
	if (slots) {
		vrb_user_remove(&dev->users, &user->any);
		vrb_user_remove(&dev->users_teardown, &user->teardown);
		user->slots += slots;
	}
	if (!user->nr_runnable)
		vrb_user_remove(&dev->users, &user->any);
	else if (RB_EMPTY_NODE(&user->any))
		rb_add_cached(&user->any, &dev->users, vrb_any_less);
	if (list_empty(&user->runnable[VRB_CLASS_TEARDOWN]))
		vrb_user_remove(&dev->users_teardown, &user->teardown);
	else if (RB_EMPTY_NODE(&user->teardown))
		rb_add_cached(&user->teardown, &dev->users_teardown, vrb_teardown_less);
}

/* It has so many runnable requests more. Out of line: the kernel's own requests never come here. */
static noinline void vrb_user_gained(struct vrb_device *dev, struct vrb_user *user, int requests)
{
	user->nr_runnable += requests;
	vrb_user_place(dev, user, 0);
}

/* How many slots processes may hold together, besides the one reserved for teardown. */
static unsigned int vrb_user_limit(const struct vrb_device *dev)
{
	return dev->nr_slots > 3 ? dev->nr_slots - 2 : max(1U, dev->nr_slots - 1);
}

/**
 * vrb_device_user_slots - how many slots processes may hold together, besides the reserved one
 * @dev: device
 *
 * Context: Any.
 * Return: the number, which is what one process may hold while no other wants one.
 */
unsigned int vrb_device_user_slots(const struct vrb_device *dev)
{
	return vrb_user_limit(dev);
}
EXPORT_SYMBOL_GPL(vrb_device_user_slots);

/* ---- Runnable requests ---- */

/**
 * vrb_make_runnable - a request may be issued as soon as there is a slot
 * @dev: device
 * @vrb: queued request that is not runnable yet; one that has waited in the middle of its steps
 *	goes in front
 *
 * Context: Device lock held.
 */
void vrb_make_runnable(struct vrb_device *dev, struct vrb *vrb)
{
	struct vrb_user *user = vrb->user;
	struct list_head *list = (user ? user->runnable : dev->runnable) + vrb->real_class;

	lockdep_assert_held(&dev->lock);
	dev->nr_runnable++;
	if (vrb->started) {
		vrb->since = vrb->submitted;
		list_add(&vrb->entry, list);
	} else {
		vrb->since = dev->now;
		list_add_tail(&vrb->entry, list);
	}
	if (user)
		vrb_user_gained(dev, user, 1);
}

/**
 * vrb_unqueue - a request leaves the queue: for a slot, or because it is over
 * @dev: device
 * @vrb: queued request
 *
 * Context: Device lock held.
 */
void vrb_unqueue(struct vrb_device *dev, struct vrb *vrb)
{
	lockdep_assert_held(&dev->lock);
	dev->counters.queue_now--;
	if (!list_empty(&vrb->object_entry))
		list_del_init(&vrb->object_entry);
	hlist_del_init(&vrb->expiry);
	if (list_empty(&vrb->entry))
		return;
	list_del_init(&vrb->entry);
	dev->nr_runnable--;
	if (vrb->user)
		vrb_user_gained(dev, vrb->user, -1);
}

/* Whether there is one of the slots that are not reserved. */
static bool vrb_may_share(const struct vrb_device *dev, bool user)
{
	return !list_empty(&dev->free_slots) && (!user || dev->users_now < vrb_user_limit(dev));
}

static bool vrb_reserved_free(const struct vrb_device *dev)
{
	return dev->reserved && dev->reserved->state == VRB_SLOT_FREE;
}

/**
 * vrb_may_issue - whether there is a slot for a request
 * @dev: device
 * @vrb: runnable request
 *
 * Context: Device lock held.
 */
bool vrb_may_issue(const struct vrb_device *dev, const struct vrb *vrb)
{
	lockdep_assert_held(&dev->lock);
	return vrb_may_share(dev, vrb->user) ||
	       (vrb->real_class == VRB_CLASS_TEARDOWN && vrb_reserved_free(dev));
}

/* When it is a request's turn. */
static ktime_t vrb_due(const struct vrb *vrb)
{
	return vrb->since + (s64)vrb->real_class * VRB_AGE_MS * NSEC_PER_MSEC;
}

/* Whose turn it is, of all classes or of teardown alone. */
static struct vrb *vrb_first(struct list_head *runnable, bool all)
{
	int class, last = all ? VRB_CLASS_BACKGROUND : VRB_CLASS_TEARDOWN;
	struct vrb *vrb, *first = NULL;

	for (class = VRB_CLASS_TEARDOWN; class <= last; class++) {
		if (list_empty(&runnable[class]))
			continue;
		vrb = list_first_entry(&runnable[class], struct vrb, entry);
		if (!first || vrb_due(vrb) < vrb_due(first))
			first = vrb;
	}
	return first;
}

/* The request of a process that is next: of the one that holds the fewest slots. */
static struct vrb *vrb_first_of_users(const struct vrb_device *dev)
{
	struct rb_node *node;

	if (vrb_may_share(dev, true)) {
		node = rb_first_cached(&dev->users);
		return node ? vrb_first(rb_entry(node, struct vrb_user, any)->runnable, true) :
		       NULL;
	}
	node = vrb_reserved_free(dev) ? rb_first_cached(&dev->users_teardown) : NULL;
	return node ? vrb_first(rb_entry(node, struct vrb_user, teardown)->runnable, false) : NULL;
}

/**
 * vrb_pick - the request to issue now
 * @dev: device
 *
 * None is picked while an encoded command waits for the register: it would only wait behind it,
 * holding a slot.
 *
 * Context: Device lock held.
 * Return: the request, or NULL.
 */
struct vrb *vrb_pick(struct vrb_device *dev)
{
	struct vrb *kernel, *user;
	bool all;

	lockdep_assert_held(&dev->lock);
	if (!dev->nr_runnable || dev->state != VRB_DEV_OK || dev->hold || !list_empty(&dev->ready))
		return NULL;
	all = vrb_may_share(dev, false);
	if (!all && !vrb_reserved_free(dev))
		return NULL;
	kernel = vrb_first(dev->runnable, all);
	if (RB_EMPTY_ROOT(&dev->users.rb_root))
		return kernel;
	user = vrb_first_of_users(dev);
	if (!kernel || !user)
		return kernel ?: user;
	return vrb_due(user) < vrb_due(kernel) ? user : kernel;
}

/* ---- Slots ---- */

/**
 * vrb_lay_out_slots - all slots are free; where there are two or more the highest is reserved
 * @dev: device, none of whose slots is in use
 * @slots: how many
 *
 * However many zombies the provider asked for: as long as the device lives a slot is left for
 * normal requests.
 *
 * Context: Device lock held, or nobody else knows of the device.
 */
void vrb_lay_out_slots(struct vrb_device *dev, unsigned int slots)
{
	unsigned int i;

	INIT_LIST_HEAD(&dev->free_slots);
	for (i = 0; i < slots; i++) {
		INIT_LIST_HEAD(&dev->slots[i].entry);
		dev->slots[i].index = i;
		dev->slots[i].state = VRB_SLOT_FREE;
		if (slots == 1 || i < slots - 1)
			list_add_tail(&dev->slots[i].entry, &dev->free_slots);
	}
	dev->reserved = slots > 1 ? &dev->slots[slots - 1] : NULL;
	dev->nr_slots = slots;
	dev->max_zombies = slots < 3 ? 0 :
			   min(dev->want_zombies ?: max(1U, slots / 4), slots - 2);
}

/**
 * vrb_slot_get - a request gets a slot
 * @dev: device
 * @vrb: request that may be issued
 *
 * Context: Device lock held.
 */
void vrb_slot_get(struct vrb_device *dev, struct vrb *vrb)
{
	struct vrb_slot *slot = dev->reserved;

	lockdep_assert_held(&dev->lock);
	if (vrb_may_share(dev, vrb->user)) {
		slot = list_first_entry(&dev->free_slots, struct vrb_slot, entry);
		list_del_init(&slot->entry);
	}
	slot->state = VRB_SLOT_BUSY;
	slot->vrb = vrb;
	vrb->slot = slot;
	dev->slots_now++;
	dev->scan_at = min(dev->scan_at, ktime_add_ns(dev->now, dev->timeout_ns));
	if (vrb->user) {
		dev->users_now += slot != dev->reserved;
		vrb_user_place(dev, vrb->user, 1);
	}
	dev->counters.slots_max = max_t(u64, dev->counters.slots_max, dev->slots_now);
}

/* A busy slot loses its request: it becomes free or a zombie. */
static void vrb_slot_detach(struct vrb_device *dev, struct vrb_slot *slot)
{
	struct vrb *vrb = slot->vrb;

	list_del_init(&slot->entry);
	dev->slots_now--;
	dev->posted_now -= slot->posted;
	if (vrb->user) {
		dev->users_now -= slot != dev->reserved;
		vrb_user_place(dev, vrb->user, -1);
	}
	slot->posted = false;
	slot->vrb = NULL;
	vrb->slot = NULL;
	if (dev->hold)
		vrb_wake(dev);
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
	if (slot != dev->reserved)
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
	slot->since = dev->now;
	vrb_slot_detach(dev, slot);
	slot->state = VRB_SLOT_ZOMBIE;
	dev->zombies_now++;
	if (slot->object) {
		refcount_inc(&slot->object->refs);
		slot->object->zombies++;
	}
}

/**
 * vrb_device_counters - what the engine has counted
 * @dev: device
 * @counters: filled in
 *
 * Context: Any down to softirq.
 */
void vrb_device_counters(struct vrb_device *dev, struct vrb_counters *counters)
{
	spin_lock_bh(&dev->lock);
	*counters = dev->counters;
	counters->slots_now = dev->slots_now;
	spin_unlock_bh(&dev->lock);
	counters->refused = atomic64_read(&dev->refused);
}
EXPORT_SYMBOL_GPL(vrb_device_counters);
