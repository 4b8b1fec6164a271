// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Clients, groups, and the registry in which a client finds the provider of an ib_device.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/export.h>
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/rculist.h>
#include <linux/slab.h>

#include "vrb_internal.h"

#define VRB_NAG_SECONDS	10	/* how often somebody who waits for others says so */

static LIST_HEAD(vrb_registry);		/* RCU */
static DEFINE_SPINLOCK(vrb_registry_lock);

/**
 * vrb_read - read a counter of requests
 * @dev: device
 * @count: guarded by its lock
 *
 * Context: Any down to softirq.
 */
unsigned int vrb_read(struct vrb_device *dev, const unsigned int *count)
{
	unsigned int value;

	spin_lock_bh(&dev->lock);
	value = *count;
	spin_unlock_bh(&dev->lock);
	return value;
}

/**
 * vrb_wait_zero - sleep until a counter of requests is 0
 * @dev: device
 * @count: guarded by its lock; whoever brings it to 0 wakes vrb_device.idle
 * @what: of what, for the message that comes if it takes long
 *
 * Context: Process, may sleep.
 */
void vrb_wait_zero(struct vrb_device *dev, const unsigned int *count, const char *what)
{
	might_sleep();
	while (!wait_event_timeout(dev->idle, !vrb_read(dev, count), VRB_NAG_SECONDS * HZ))
		pr_warn("%s: waiting for %u %s\n", dev->name, vrb_read(dev, count), what);
}

/* ---- Registry ---- */

/**
 * vrb_device_attach - let clients of an ib_device find its provider
 * @dev: device
 * @ibdev: what the provider registers with ib_core; only its address is used
 *
 * Before ib_register_device(), so that clients that ib_core tells of the new device find it.
 *
 * Context: Process.
 * Return: 0; -EBUSY if @dev is attached already.
 */
int vrb_device_attach(struct vrb_device *dev, struct ib_device *ibdev)
{
	int ret = 0;

	might_sleep();
	spin_lock_bh(&dev->lock);
	if (dev->attached)
		ret = -EBUSY;
	else
		dev->ibdev = ibdev;
	dev->attached = true;
	spin_unlock_bh(&dev->lock);
	if (ret)
		return ret;
	spin_lock(&vrb_registry_lock);
	list_add_tail_rcu(&dev->entry, &vrb_registry);
	spin_unlock(&vrb_registry_lock);
	return 0;
}
EXPORT_SYMBOL_GPL(vrb_device_attach);

static void vrb_client_flush(struct vrb_client *client, int status)
{
	struct vrb_device *dev = client->dev;
	struct vrb *vrb, *next;

	list_for_each_entry_safe(vrb, next, &client->queued, client_entry) {
		if (vrb_is_destroy(vrb))
			continue;
		dev->counters.cancelled++;
		vrb_finish(dev, vrb, status);
	}
}

/**
 * vrb_device_detach - the provider goes: no client finds it any more
 * @dev: device; nothing happens if it is not attached
 *
 * After ib_unregister_device(). Clients' submits are refused with -ENODEV except for destroys, what
 * they have queued completes with that, and this returns when the last of them has unregistered.
 * The provider's own client goes on.
 *
 * Context: Process, may sleep.
 */
void vrb_device_detach(struct vrb_device *dev)
{
	struct vrb_client *client;
	bool attached;

	might_sleep();
	vrb_lock(dev);
	attached = dev->attached;
	dev->attached = false;
	list_for_each_entry(client, &dev->clients, entry) {
		if (attached && client != &dev->own)
			vrb_client_flush(client, -ENODEV);
	}
	vrb_unlock(dev);
	if (!attached)
		return;
	spin_lock(&vrb_registry_lock);
	list_del_rcu(&dev->entry);
	spin_unlock(&vrb_registry_lock);
	synchronize_rcu();
	vrb_wait_zero(dev, &dev->nr_clients, "clients to unregister");
}
EXPORT_SYMBOL_GPL(vrb_device_detach);

/* ---- Clients ---- */

/**
 * vrb_device_client - the client as which a provider submits its own requests
 * @dev: device
 *
 * Context: Any.
 */
struct vrb_client *vrb_device_client(struct vrb_device *dev)
{
	return &dev->own;
}
EXPORT_SYMBOL_GPL(vrb_device_client);

/**
 * vrb_client_init - initialise a client and add it to its device
 * @client: client
 * @dev: device
 * @name: for debugfs and the tracepoints
 *
 * Context: Device lock held, or nobody else knows of the device.
 */
void vrb_client_init(struct vrb_client *client, struct vrb_device *dev, const char *name)
{
	client->dev = dev;
	strscpy(client->name, name, sizeof(client->name));
	INIT_LIST_HEAD(&client->queued);
	INIT_LIST_HEAD(&client->issued);
	INIT_LIST_HEAD(&client->parked);
	list_add_tail(&client->entry, &dev->clients);
}

static int vrb_client_join(struct vrb_device *dev, struct vrb_client *client, const char *name)
{
	int ret = 0;

	if (!try_module_get(dev->ops->owner))
		return -ENODEV;
	spin_lock_bh(&dev->lock);
	if (dev->attached) {
		vrb_client_init(client, dev, name);
		dev->nr_clients++;
	} else {
		ret = -ENODEV;
	}
	spin_unlock_bh(&dev->lock);
	if (ret)
		module_put(dev->ops->owner);
	return ret;
}

/**
 * vrb_client_register - become a client of an ib_device's provider
 * @ibdev: the ib_device
 * @name: for debugfs and the tracepoints; copied, at most 31 characters count
 *
 * The provider's module cannot be unloaded until vrb_client_unregister().
 *
 * Context: Process, may sleep.
 * Return: the client; ERR_PTR(-EOPNOTSUPP) if @ibdev's driver does not take requests, -ENODEV if it
 * is going, -ENOMEM.
 */
struct vrb_client *vrb_client_register(struct ib_device *ibdev, const char *name)
{
	struct vrb_client *client;
	struct vrb_device *dev;
	int ret = -EOPNOTSUPP;

	might_sleep();
	client = kzalloc(sizeof(*client), GFP_KERNEL);
	if (!client)
		return ERR_PTR(-ENOMEM);
	rcu_read_lock();
	list_for_each_entry_rcu(dev, &vrb_registry, entry) {
		if (dev->ibdev != ibdev)
			continue;
		ret = vrb_client_join(dev, client, name);
		break;
	}
	rcu_read_unlock();
	if (!ret)
		return client;
	kfree(client);
	return ERR_PTR(ret);
}
EXPORT_SYMBOL_GPL(vrb_client_register);

/**
 * vrb_client_fence - complete all of a client's requests and let it submit no more
 * @client: client
 * @status: for requests that are queued
 *
 * Context: Process, may sleep; not a callback of the client.
 */
void vrb_client_fence(struct vrb_client *client, int status)
{
	struct vrb_device *dev = client->dev;

	might_sleep();
	vrb_lock(dev);
	client->leaving = true;
	vrb_client_flush(client, status);
	vrb_unlock(dev);
	vrb_wait_zero(dev, &client->inflight, "requests to complete");
}

/**
 * vrb_client_unregister - the unload fence
 * @client: client; gone afterwards
 *
 * Cancels what is queued, waits for what is issued and for destroys. When this returns no callback
 * of the client runs or is going to run. It does not wait for hardware that is dead: see rule 8 and
 * 10 of the contract.
 *
 * Context: Process, may sleep; not a callback of the client.
 */
void vrb_client_unregister(struct vrb_client *client)
{
	struct vrb_device *dev = client->dev;
	struct module *owner = dev->ops->owner;

	vrb_client_fence(client, -ECANCELED);
	spin_lock_bh(&dev->lock);
	list_del(&client->entry);
	if (!--dev->nr_clients)
		wake_up_all(&dev->idle);
	spin_unlock_bh(&dev->lock);
	/* The device may go from here on. */
	module_put(owner);
	kfree(client);
}
EXPORT_SYMBOL_GPL(vrb_client_unregister);

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
	group->dev = client->dev;
	INIT_LIST_HEAD(&group->vrbs);
}
EXPORT_SYMBOL_GPL(vrb_group_init);

/**
 * vrb_group_poison - refuse what is submitted to a group from now on, with -EPERM
 * @group: group
 *
 * For good. Destroys are still accepted.
 *
 * Context: Any down to softirq, interrupts enabled.
 */
void vrb_group_poison(struct vrb_group *group)
{
	spin_lock_bh(&group->dev->lock);
	group->poisoned = true;
	spin_unlock_bh(&group->dev->lock);
}
EXPORT_SYMBOL_GPL(vrb_group_poison);

/**
 * vrb_group_cancel - vrb_cancel() for each request of a group
 * @group: group
 *
 * Context: Any down to softirq, interrupts enabled.
 */
void vrb_group_cancel(struct vrb_group *group)
{
	struct vrb_device *dev = group->dev;
	struct vrb *vrb, *next;

	vrb_lock(dev);
	list_for_each_entry_safe(vrb, next, &group->vrbs, group_entry) {
		if (vrb->state != VRB_QUEUED || vrb_is_destroy(vrb))
			continue;
		dev->counters.cancelled++;
		vrb_finish(dev, vrb, -ECANCELED);
	}
	vrb_unlock(dev);
}
EXPORT_SYMBOL_GPL(vrb_group_cancel);

/**
 * vrb_group_idle - whether no request of a group is accepted with its callback not yet returned
 * @group: group
 *
 * Context: Any down to softirq, interrupts enabled.
 */
bool vrb_group_idle(struct vrb_group *group)
{
	return !vrb_read(group->dev, &group->inflight);
}
EXPORT_SYMBOL_GPL(vrb_group_idle);

/**
 * vrb_group_drain - sleep until a group is idle
 * @group: group; poison it first if others may submit to it
 *
 * Context: Process, may sleep; not a callback of the group.
 */
void vrb_group_drain(struct vrb_group *group)
{
	vrb_wait_zero(group->dev, &group->inflight, "requests of a group to complete");
}
EXPORT_SYMBOL_GPL(vrb_group_drain);
