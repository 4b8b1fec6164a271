// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Devices from creation to the end, and the module.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/export.h>
#include <linux/log2.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "vrb_internal.h"

#define CREATE_TRACE_POINTS
#include "vrb_trace.h"

MODULE_DESCRIPTION("Verbs request engine: RDMA control verbs that never sleep");
MODULE_LICENSE("Dual BSD/GPL");

static int vrb_check_provider(const struct vrb_provider_ops *ops,
			      const struct vrb_device_config *config)
{
	if (!config->name || !*config->name) {
		pr_err("a provider without a name\n");
		return -EINVAL;
	}
	if (!ops->post || !ops->reap || !ops->rearm || !ops->quiesce) {
		pr_err("%s: provider lacks one of post, reap, rearm, quiesce\n", config->name);
		return -EINVAL;
	}
	if (config->slots < 2 || config->slots > VRB_MAX_SLOTS) {
		pr_err("%s: slots is %u, must be 2 .. %u\n", config->name, config->slots,
		       VRB_MAX_SLOTS);
		return -EINVAL;
	}
	return 0;
}

/* All slots free; the highest one stays off the list. */
static void vrb_lay_out_slots(struct vrb_device *dev, unsigned int slots)
{
	unsigned int i;

	INIT_LIST_HEAD(&dev->free_slots);
	for (i = 0; i < slots; i++) {
		INIT_LIST_HEAD(&dev->slots[i].entry);
		dev->slots[i].index = i;
		dev->slots[i].state = VRB_SLOT_FREE;
		if (i < slots - 1)
			list_add_tail(&dev->slots[i].entry, &dev->free_slots);
	}
	dev->nr_slots = slots;
}

/* However many were asked for: as long as the device lives a slot is left for normal requests. */
static void vrb_bound_zombies(struct vrb_device *dev)
{
	dev->max_zombies = min(dev->want_zombies ?: max(1U, dev->nr_slots / 4), dev->nr_slots - 2);
}

static void vrb_device_setup(struct vrb_device *dev, const struct vrb_device_config *config)
{
	int class;

	strscpy(dev->name, config->name, sizeof(dev->name));
	spin_lock_init(&dev->lock);
	for (class = 0; class < VRB_CLASS_EVENT; class++) {
		INIT_LIST_HEAD(&dev->runnable[class][0]);
		INIT_LIST_HEAD(&dev->runnable[class][1]);
	}
	INIT_LIST_HEAD(&dev->ready);
	INIT_LIST_HEAD(&dev->completed);
	INIT_LIST_HEAD(&dev->done);
	INIT_LIST_HEAD(&dev->released);
	INIT_LIST_HEAD(&dev->objects);
	INIT_LIST_HEAD(&dev->clients);
	timerqueue_init_head(&dev->deadlines);
	init_waitqueue_head(&dev->idle);
	dev->polled = true;
	dev->timeout_ns = (u64)(config->issue_timeout_ms ?: VRB_TIMEOUT_MS) * NSEC_PER_MSEC;
	dev->max_slots = config->slots;
	dev->want_zombies = config->max_zombies;
	dev->slot_bits = order_base_2(config->slots);
	vrb_client_init(&dev->own, dev, "provider");
	vrb_pump_init(dev);
}

/**
 * vrb_device_create - start an engine for a provider's device
 * @ops: the provider
 * @priv: the provider's
 * @config: what it asks for; copied
 *
 * The device is in the polled phase: one command at a time, found by looking.
 *
 * Context: Process, may sleep.
 * Return: the device; ERR_PTR(-EINVAL), the reason in the log, or ERR_PTR(-ENOMEM).
 */
struct vrb_device *vrb_device_create(const struct vrb_provider_ops *ops, void *priv,
				     const struct vrb_device_config *config)
{
	struct vrb_device *dev;
	int ret;

	ret = vrb_check_provider(ops, config);
	if (ret)
		return ERR_PTR(ret);
	dev = kzalloc(sizeof(*dev), GFP_KERNEL);
	if (!dev)
		return ERR_PTR(-ENOMEM);
	dev->slots = kcalloc(config->slots, sizeof(*dev->slots), GFP_KERNEL);
	if (!dev->slots) {
		kfree(dev);
		return ERR_PTR(-ENOMEM);
	}
	dev->ops = ops;
	dev->priv = priv;
	vrb_device_setup(dev, config);
	vrb_lay_out_slots(dev, config->slots);
	vrb_bound_zombies(dev);
	vrb_debugfs_add(dev);
	return dev;
}
EXPORT_SYMBOL_GPL(vrb_device_create);

static void vrb_report_objects(struct vrb_device *dev)
{
	struct vrb_object *object;

	spin_lock_bh(&dev->lock);
	list_for_each_entry(object, &dev->objects, entry)
		pr_err("%s: %s %#x was never destroyed (%u references, %u children)\n", dev->name,
		       object->type->name, object->id, object->refs, object->children);
	spin_unlock_bh(&dev->lock);
}

/**
 * vrb_device_destroy - end an engine
 * @dev: device, detached; its hardware has been told to stop
 *
 * If anything is in flight or was given up, the device is failed first, so that this need not wait
 * for hardware. Objects that were never destroyed are reported, and their memory and the device's
 * stay.
 *
 * Context: Process, may sleep.
 */
void vrb_device_destroy(struct vrb_device *dev)
{
	might_sleep();
	vrb_device_detach(dev);
	if (vrb_read(dev, &dev->own.inflight) || vrb_read(dev, &dev->zombies_now))
		vrb_device_fail(dev, "its provider goes with requests in flight");
	vrb_client_fence(&dev->own, -ENODEV);
	vrb_wait_zero(dev, &dev->zombies_now, "commands that were given up");
	vrb_pump_stop(dev);
	vrb_debugfs_remove(dev);
	/* The pump, or who dropped the last reference of an object, may not have returned yet. */
	synchronize_rcu();
	if (vrb_read(dev, &dev->nr_objects)) {
		vrb_report_objects(dev);
		return;
	}
	kfree(dev->slots);
	kfree(dev);
}
EXPORT_SYMBOL_GPL(vrb_device_destroy);

/**
 * vrb_device_priv - what the provider gave to vrb_device_create()
 * @dev: device
 *
 * Context: Any.
 */
void *vrb_device_priv(const struct vrb_device *dev)
{
	return dev->priv;
}
EXPORT_SYMBOL_GPL(vrb_device_priv);

/**
 * vrb_device_set_slots - how many commands the hardware turned out to take
 * @dev: device
 * @slots: 2 .. &vrb_device_config.slots
 *
 * Context: Process.
 * Return: 0; -EINVAL if out of range; -EBUSY if a slot is in use.
 */
int vrb_device_set_slots(struct vrb_device *dev, unsigned int slots)
{
	int ret = 0;

	if (slots < 2 || slots > dev->max_slots)
		return -EINVAL;
	vrb_lock(dev);
	if (dev->slots_now || dev->zombies_now) {
		ret = -EBUSY;
	} else {
		vrb_lay_out_slots(dev, slots);
		vrb_bound_zombies(dev);
	}
	vrb_unlock(dev);
	return ret;
}
EXPORT_SYMBOL_GPL(vrb_device_set_slots);

/**
 * vrb_device_set_polled - whether finished commands are found by looking or by interrupts
 * @dev: device
 * @polled: true: one command at a time, reap() is called by a timer. False: all slots, reap() after
 *	a kick
 *
 * Waits until no command is in flight, so that each is found the way it was posted.
 *
 * Context: Process, may sleep; one caller at a time.
 */
void vrb_device_set_polled(struct vrb_device *dev, bool polled)
{
	might_sleep();
	vrb_lock(dev);
	dev->hold = true;
	vrb_unlock(dev);
	vrb_wait_zero(dev, &dev->slots_now, "commands to finish");
	vrb_lock(dev);
	dev->hold = false;
	WRITE_ONCE(dev->polled, polled);
	vrb_device_kick(dev);		/* which arms the interrupt */
	vrb_unlock(dev);
}
EXPORT_SYMBOL_GPL(vrb_device_set_polled);

/**
 * vrb_device_polled - whether the device is in the polled phase
 * @dev: device
 *
 * Context: Any.
 */
bool vrb_device_polled(const struct vrb_device *dev)
{
	return READ_ONCE(dev->polled);
}
EXPORT_SYMBOL_GPL(vrb_device_polled);

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
	dev->counters.slots_now = dev->slots_now;
	*counters = dev->counters;
	spin_unlock_bh(&dev->lock);
}
EXPORT_SYMBOL_GPL(vrb_device_counters);

static int __init vrb_module_init(void)
{
	vrb_debugfs_init();
	return 0;
}

static void __exit vrb_module_exit(void)
{
	vrb_debugfs_exit();
}

module_init(vrb_module_init);
module_exit(vrb_module_exit);
