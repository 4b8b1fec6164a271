// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Creation and end of devices, and the module.
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
	if (config->slots < 1 || config->slots > VRB_MAX_SLOTS) {
		pr_err("%s: slots is %u, must be 1 .. %u\n", config->name, config->slots,
		       VRB_MAX_SLOTS);
		return -EINVAL;
	}
	return 0;
}

static void vrb_device_setup(struct vrb_device *dev, const struct vrb_device_config *config)
{
	strscpy(dev->name, config->name, sizeof(dev->name));
	spin_lock_init(&dev->lock);
	spin_lock_init(&dev->quiesce_lock);
	mutex_init(&dev->read_lock);
	INIT_LIST_HEAD(&dev->sweep);
	INIT_LIST_HEAD(&dev->sweep_end);
	INIT_LIST_HEAD(&dev->objects);
	INIT_LIST_HEAD(&dev->clients);
	dev->timeout_ns = (s64)(config->issue_timeout_ms ?: VRB_TIMEOUT_MS) * NSEC_PER_MSEC;
	dev->max_slots = config->slots;
	dev->want_zombies = config->max_zombies;
	dev->slot_bits = order_base_2(config->slots);
	vrb_queue_init(dev);
	vrb_time_init(dev);
	vrb_client_init(&dev->own, dev, "provider");
	vrb_lay_out_slots(dev, 1);
}

/**
 * vrb_device_create - create the engine's side of a provider's device
 * @ops: the provider's functions
 * @priv: the provider's pointer, see vrb_device_priv()
 * @config: its configuration; copied
 *
 * The device has one slot, and completions are polled for: see vrb_device_set_slots().
 *
 * Context: Process, may sleep.
 * Return: the device; ERR_PTR(-EINVAL), with the reason in the log, ERR_PTR(-ENOSPC) if there are
 * too many devices, or ERR_PTR(-ENOMEM).
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
	ret = -ENOMEM;
	dev->slots = kcalloc(config->slots, sizeof(*dev->slots), GFP_KERNEL);
	if (!dev->slots)
		goto free_dev;
	ret = vrb_carrier_init(dev, vrb_run);
	if (ret)
		goto free_slots;
	dev->ops = ops;
	dev->priv = priv;
	vrb_device_setup(dev, config);
	vrb_debugfs_add(dev);
	return dev;

free_slots:
	kfree(dev->slots);
free_dev:
	kfree(dev);
	return ERR_PTR(ret);
}
EXPORT_SYMBOL_GPL(vrb_device_create);

/* Nobody else uses the device any more. */
static void vrb_report_objects(struct vrb_device *dev)
{
	unsigned int left = VRB_BUDGET;
	struct vrb_object *object;

	list_for_each_entry(object, &dev->objects, entry) {
		if (!left--)
			break;
		pr_err("%s: %s %#x was never destroyed (%u references, %u children)\n", dev->name,
		       object->type->name, object->id, refcount_read(&object->refs),
		       object->children);
	}
	pr_err("%s: %u objects are left\n", dev->name, dev->nr_objects);
}

static unsigned int vrb_zombies(const void *dev)
{
	return ((const struct vrb_device *)dev)->zombies_now;
}

static unsigned int vrb_news(const void *dev)
{
	return !list_empty(&((const struct vrb_device *)dev)->news);
}

/**
 * vrb_device_destroy - destroy what vrb_device_create() has created
 * @dev: device, detached; the provider has shut down its hardware
 *
 * If a request is in flight or a command has timed out, the device is stopped first, so that this
 * does not wait for hardware. Objects that were never destroyed are reported; their memory, that of
 * their parents and that of the device are not freed.
 *
 * Context: Process, may sleep.
 */
void vrb_device_destroy(struct vrb_device *dev)
{
	might_sleep();
	vrb_device_detach(dev);
	vrb_client_shut(&dev->own);
	if (atomic_read(&dev->own.inflight) || READ_ONCE(dev->zombies_now))
		vrb_device_stop(dev, "its provider goes with requests in flight");
	vrb_client_fence(&dev->own);
	vrb_wait_zero(dev, vrb_zombies, dev, "commands that were given up");
	vrb_lock(dev);
	dev->watchers++;
	vrb_unlock(dev);
	vrb_wait_zero(dev, vrb_news, dev, "objects to see to");
	vrb_client_fence(&dev->own);
	vrb_carrier_stop(dev);
	vrb_time_stop(dev);
	vrb_debugfs_remove(dev);
	if (dev->nr_objects) {
		vrb_report_objects(dev);
		return;
	}
	kfree(dev->slots);
	kfree(dev);
}
EXPORT_SYMBOL_GPL(vrb_device_destroy);

/**
 * vrb_device_priv - the provider's pointer, as passed to vrb_device_create()
 * @dev: device
 *
 * Context: Any.
 */
void *vrb_device_priv(const struct vrb_device *dev)
{
	return dev->priv;
}
EXPORT_SYMBOL_GPL(vrb_device_priv);

static unsigned int vrb_busy_slots(const void *dev)
{
	return ((const struct vrb_device *)dev)->slots_now;
}

static unsigned int vrb_runs(const void *dev)
{
	return ((const struct vrb_device *)dev)->in_run;
}

static void vrb_watch_runs(struct vrb_device *dev, int by)
{
	vrb_lock(dev);
	dev->watchers += by;
	vrb_unlock(dev);
}

/*
 * A run that began before the number of slots changed may still request an interrupt. This waits
 * until there is none. A run that begins later sees the new number.
 */
static void vrb_wait_rearmed(struct vrb_device *dev)
{
	vrb_watch_runs(dev, 1);
	vrb_wait_zero(dev, vrb_runs, dev, "runs of the pump");
	vrb_watch_runs(dev, -1);
}

/**
 * vrb_device_set_slots - set the number of slots, and how completions are noticed
 * @dev: device
 * @slots: 1: completions are polled for. More, up to &vrb_device_config.slots: one slot is reserved
 *	for teardown, and completions are noticed after vrb_device_kick()
 *
 * Waits until no command is outstanding, so that each completes in the mode in which it was posted;
 * then calls &vrb_provider_ops.slots. Nothing is issued meanwhile. When it has returned 0 for one
 * slot, &vrb_provider_ops.rearm is not running and will not be called. &vrb_provider_ops.reap may
 * still be looking for completions in the old way until an RCU grace period has passed.
 *
 * Context: Process, may sleep; one caller at a time.
 * Return: 0; -EINVAL if out of range; -EBUSY if a command that timed out is still outstanding: the
 * number does not change, and the provider must stop or fail the device.
 */
int vrb_device_set_slots(struct vrb_device *dev, unsigned int slots)
{
	int ret = 0;

	might_sleep();
	if (slots < 1 || slots > dev->max_slots)
		return -EINVAL;
	vrb_lock(dev);
	dev->hold = true;
	vrb_unlock(dev);
	vrb_wait_zero(dev, vrb_busy_slots, dev, "commands");
	if (READ_ONCE(dev->zombies_now))
		ret = -EBUSY;
	else if (dev->ops->slots)
		dev->ops->slots(dev, slots);
	vrb_lock(dev);
	if (!ret)
		vrb_lay_out_slots(dev, slots);
	dev->hold = false;
	if (!ret && slots > 1)
		vrb_device_kick(dev);		/* which arms the interrupt */
	vrb_unlock(dev);
	if (!ret && slots == 1)
		vrb_wait_rearmed(dev);
	return ret;
}
EXPORT_SYMBOL_GPL(vrb_device_set_slots);

static int __init vrb_module_init(void)
{
	vrb_debugfs_init();
	return 0;
}

static void __exit vrb_module_exit(void)
{
	vrb_debugfs_exit();
	/* As every module with call_rcu(); each device has waited for its own callbacks. */
	rcu_barrier();
}

module_init(vrb_module_init);
module_exit(vrb_module_exit);
