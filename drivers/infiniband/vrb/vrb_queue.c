// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Runnable requests and slots: which request is issued next.
 *
 * Only runnable requests are on the device's lists: requests without an object, and the request at
 * the head of an object's queue while that object has no command in flight. So the next request is
 * found without a search. Each class has a delay, and the request whose delay ended first is next.
 * Among processes, the one that holds the fewest slots is next. What every queued request of the
 * kernel needs is inlined: it is in vrb_internal.h. Everything here runs under vrb_device.lock and
 * calls no other layer.
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
 * vrb_queue_init - initialise the lists of a new device
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
 * vrb_user_init - initialise the account of a process that will have requests
 * @user: account, in the provider's structure of the process
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
 * Updates the place of a process in the trees of processes with runnable requests: it holds @slots
 * more slots than before, or its number of runnable requests has changed.
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

/* A process holds @slots more slots. It has a place only while it has runnable requests. */
static void vrb_user_holds(struct vrb_device *dev, struct vrb_user *user, int slots)
{
	if (user->nr_runnable)
		vrb_user_place(dev, user, slots);
	else
		user->slots += slots;
}

/* How many slots all processes together may hold, without the one reserved for teardown. */
static unsigned int vrb_user_limit(const struct vrb_device *dev)
{
	return dev->nr_slots > 3 ? dev->nr_slots - 2 : max(1U, dev->nr_slots - 1);
}

/**
 * vrb_device_user_slots - how many slots all processes together may hold, without the reserved one
 * @dev: device
 *
 * Context: Any.
 * Return: the number; one process may hold as many while no other process needs one.
 */
unsigned int vrb_device_user_slots(const struct vrb_device *dev)
{
	return vrb_user_limit(dev);
}
EXPORT_SYMBOL_GPL(vrb_device_user_slots);

/* ---- Runnable requests ---- */

/*
 * The same number less the zombies: a slot that is lost must not be one of the kernel's. If there
 * are as many zombies as slots for processes, processes may still have one slot. Not inlined:
 * requests of the kernel do not need it.
 */
static noinline unsigned int vrb_user_limit_now(const struct vrb_device *dev)
{
	unsigned int limit = vrb_user_limit(dev), zombies = dev->zombies_now;

	if (dev->reserved && dev->reserved->state == VRB_SLOT_ZOMBIE)
		zombies--;
	return limit > zombies ? limit - zombies : 1;
}

/* Whether an unreserved slot is free, and for a process, within the limit for processes. */
static bool vrb_may_share(const struct vrb_device *dev, bool user)
{
	return !list_empty(&dev->free_slots) && (!user || dev->users_now < vrb_user_limit_now(dev));
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

/**
 * vrb_make_user_runnable - vrb_make_runnable() for a request of a process
 * @dev: device
 * @vrb: queued request
 * @resumed: it has been resumed after a wait
 *
 * Context: Device lock held.
 */
void vrb_make_user_runnable(struct vrb_device *dev, struct vrb *vrb, bool resumed)
{
	struct vrb_user *user = vrb->user;

	lockdep_assert_held(&dev->lock);
	vrb_line_up(dev, vrb, user->runnable, resumed);
	user->nr_runnable++;
	vrb_user_place(dev, user, 0);
}

/**
 * vrb_user_lost - a process has one runnable request less
 * @dev: device
 * @user: account of the process
 *
 * Context: Device lock held.
 */
void vrb_user_lost(struct vrb_device *dev, struct vrb_user *user)
{
	lockdep_assert_held(&dev->lock);
	user->nr_runnable--;
	vrb_user_place(dev, user, 0);
}

/* The next request of a process: of the process that holds the fewest slots. */
static struct vrb *vrb_first_of_users(const struct vrb_device *dev)
{
	struct rb_node *node;

	if (vrb_may_share(dev, true)) {
		node = rb_first_cached(&dev->users);
		return node ? vrb_first(rb_entry(node, struct vrb_user, any)->runnable) : NULL;
	}
	node = vrb_reserved_free(dev) ? rb_first_cached(&dev->users_teardown) : NULL;
	return node ? vrb_sooner(NULL, &rb_entry(node, struct vrb_user, teardown)->
				 runnable[VRB_CLASS_TEARDOWN]) : NULL;
}

/**
 * vrb_pick_any - vrb_pick() if processes have requests, or only the reserved slot may be free
 * @dev: device that may issue a request
 * @all: requests of the kernel of all classes may be issued; otherwise only teardown
 *
 * Context: Device lock held.
 * Return: the request, or NULL.
 */
struct vrb *vrb_pick_any(struct vrb_device *dev, bool all)
{
	struct vrb *kernel, *user = vrb_first_of_users(dev);

	lockdep_assert_held(&dev->lock);
	kernel = all ? vrb_first(dev->runnable) :
		 vrb_sooner(NULL, &dev->runnable[VRB_CLASS_TEARDOWN]);
	if (!kernel || !user)
		return kernel ?: user;
	return vrb_due(user) < vrb_due(kernel) ? user : kernel;
}

/* ---- Slots ---- */

/**
 * vrb_lay_out_slots - initialise the slots as free; of two or more the last one is reserved
 * @dev: device without a slot in use
 * @slots: number of slots
 *
 * The number of zombies is bounded, whatever the provider has configured: until the device fails
 * one slot is left for normal requests.
 *
 * Context: Device lock held, or nobody else knows the device.
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
	WRITE_ONCE(dev->nr_slots, slots);	/* vrb_run() reads it without the lock */
	dev->max_zombies = slots < 3 ? 0 :
			   min(dev->want_zombies ?: max(1U, slots / 4), slots - 2);
}

/**
 * vrb_slot_get - give a request a slot
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
		vrb_user_holds(dev, vrb->user, 1);
	}
	dev->counters.slots_max = max_t(u64, dev->counters.slots_max, dev->slots_now);
}

/* Takes the request out of a busy slot, which then becomes free or a zombie. */
static void vrb_slot_detach(struct vrb_device *dev, struct vrb_slot *slot)
{
	struct vrb *vrb = slot->vrb;

	if (!list_empty(&slot->entry))
		list_del_init(&slot->entry);
	dev->slots_now--;
	dev->posted_now -= slot->posted;
	if (vrb->user) {
		dev->users_now -= slot != dev->reserved;
		vrb_user_holds(dev, vrb->user, -1);
	}
	slot->posted = false;
	slot->vrb = NULL;
	vrb->slot = NULL;
	if (dev->hold)
		vrb_wake(dev);
}

/**
 * vrb_slot_free - make a slot free
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
 * vrb_slot_put - take a request's slot back
 * @dev: device
 * @vrb: issued request
 *
 * Context: Device lock held; the slot has no posted command.
 */
void vrb_slot_put(struct vrb_device *dev, struct vrb *vrb)
{
	struct vrb_slot *slot = vrb->slot;

	vrb_slot_detach(dev, slot);
	vrb_slot_free(dev, slot);
}

/**
 * vrb_slot_bury - give up a command: its slot becomes a zombie
 * @dev: device
 * @slot: posted slot
 *
 * The hardware may still write the slot's buffers and change the object, so neither is released.
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
	WRITE_ONCE(dev->zombies_now, dev->zombies_now + 1);
	if (slot->object) {
		refcount_inc(&slot->object->refs);
		WRITE_ONCE(slot->object->zombies, slot->object->zombies + 1);
	}
}

/**
 * vrb_device_counters - read the engine's counters
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
