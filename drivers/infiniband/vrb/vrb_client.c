// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Clients, and the registry in which a client finds the provider of an ib_device.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/export.h>
#include <linux/rculist.h>
#include <linux/slab.h>

#include "vrb_internal.h"

static LIST_HEAD(vrb_registry);		/* RCU */
static DEFINE_SPINLOCK(vrb_registry_lock);

/* ---- Registry ---- */

/* What has come by way of the inbox is checked against this too. */
static bool vrb_set_attached(struct vrb_device *dev, bool attached)
{
	bool was;

	vrb_lock(dev);
	raw_spin_lock_irq(&dev->kick_lock);
	was = dev->attached;
	dev->attached = attached;
	raw_spin_unlock_irq(&dev->kick_lock);
	if (was && !attached)
		vrb_sweep_start(dev);
	vrb_unlock(dev);
	return was;
}

/**
 * vrb_device_attach - let clients of an ib_device find its provider
 * @dev: device
 * @ibdev: what the provider registers with ib_core; only its address is used unless there are
 *	@verbs
 * @verbs: for typed requests; NULL: there are none
 *
 * Before ib_register_device(), so that clients that ib_core tells of the new device find it.
 *
 * Context: Process.
 * Return: 0; -EBUSY if @dev is attached already.
 */
int vrb_device_attach(struct vrb_device *dev, struct ib_device *ibdev,
		      const struct vrb_verbs *verbs)
{
	might_sleep();
	if (vrb_set_attached(dev, true))
		return -EBUSY;
	dev->ibdev = ibdev;
	dev->verbs = verbs;
	spin_lock(&vrb_registry_lock);
	list_add_tail_rcu(&dev->entry, &vrb_registry);
	spin_unlock(&vrb_registry_lock);
	return 0;
}
EXPORT_SYMBOL_GPL(vrb_device_attach);

static unsigned int vrb_clients(const void *dev)
{
	return ((const struct vrb_device *)dev)->nr_clients;
}

/**
 * vrb_device_detach - the provider goes: no client finds it any more
 * @dev: device; nothing happens if it is not attached
 *
 * After ib_unregister_device(). Clients' submits are refused with -ENODEV except for destroys and
 * detaches, what they have queued completes with that, and this returns when the last of them has
 * unregistered. The provider's own client goes on.
 *
 * Context: Process, may sleep.
 */
void vrb_device_detach(struct vrb_device *dev)
{
	might_sleep();
	if (!vrb_set_attached(dev, false))
		return;
	spin_lock(&vrb_registry_lock);
	list_del_rcu(&dev->entry);
	spin_unlock(&vrb_registry_lock);
	synchronize_rcu();
	vrb_wait_zero(dev, vrb_clients, dev, "clients");
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
	INIT_LIST_HEAD(&client->shells);
	INIT_LIST_HEAD(&client->awaiting);
	raw_spin_lock_irq(&dev->kick_lock);
	list_add_tail(&client->entry, &dev->clients);
	raw_spin_unlock_irq(&dev->kick_lock);
}

static int vrb_client_join(struct vrb_device *dev, struct vrb_client *client, const char *name)
{
	int ret = 0;

	spin_lock_bh(&dev->lock);
	if (!dev->attached) {
		ret = -ENODEV;
	} else if (dev->nr_clients == VRB_MAX_CLIENTS) {
		ret = -ENOSPC;
	} else {
		vrb_client_init(client, dev, name);
		dev->nr_clients++;
	}
	spin_unlock_bh(&dev->lock);
	return ret;
}

/**
 * vrb_client_register - become a client of an ib_device's provider
 * @ibdev: the ib_device
 * @name: for debugfs and the tracepoints; copied, at most 31 characters count
 *
 * As any client of ib_core's, between &ib_client.add and the return of &ib_client.remove, by which
 * vrb_client_unregister() must have been called: the end of the ib_device waits for it. The
 * provider's module is not held, so that it can be unloaded like any other driver.
 *
 * Context: Process, may sleep.
 * Return: the client; ERR_PTR(-EOPNOTSUPP) if @ibdev's driver does not take requests, -ENODEV if it
 * is going, -ENOSPC if it has 64 clients, -ENOMEM.
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
 * vrb_client_shut - refuse what a client submits from now on, but for destroys and detaches
 * @client: client
 *
 * And cancel what it has queued, one callback after the other. A client shuts itself, stops what
 * has it submit, and then unregisters.
 *
 * Context: Any down to softirq, interrupts enabled.
 */
void vrb_client_shut(struct vrb_client *client)
{
	struct vrb_device *dev = client->dev;

	if (WARN_ON_ONCE(!vrb_may_lock()))
		return;
	vrb_lock(dev);
	raw_spin_lock_irq(&dev->kick_lock);
	client->shut = true;
	raw_spin_unlock_irq(&dev->kick_lock);
	vrb_sweep_start(dev);
	vrb_unlock(dev);
}
EXPORT_SYMBOL_GPL(vrb_client_shut);

/* Requests of a client that come to an end by themselves. */
static unsigned int vrb_client_running(const void *of)
{
	const struct vrb_client *client = of;

	return atomic_read(&client->inflight) - client->held;
}

/**
 * vrb_client_fence - wait until a client has nothing left but destroys that wait for children
 * @client: client
 *
 * Context: Process, may sleep; not a callback of the client.
 */
void vrb_client_fence(struct vrb_client *client)
{
	vrb_wait_zero(client->dev, vrb_client_running, client, "requests");
}

/* Whether an object is what a client's destroy waits for others to let go of. Device lock held. */
static bool vrb_client_holds(const struct vrb_client *client, const struct vrb_object *object)
{
	return object->dying && object->destroy.client == client && object->children;
}

/* The hardware lets go of what the object's owner may free from now on. */
static void vrb_client_leave_hardware(struct vrb_device *dev, struct vrb_object *object)
{
	struct vrb vrb;
	int ret;

	if (!object->type->leave || object->life != VRB_LIFE_CREATED)
		return;
	vrb_prep(&vrb, object->type->leave, object);
	ret = vrb_submit_wait(&dev->own, &vrb);
	/* Of a device that has failed since the object was made, it has let go. */
	if (ret && ret != -EIO && ret != -ESTALE)
		vrb_device_fail(dev, "the hardware does not let go of an object");
}

static void vrb_client_quiet(struct vrb_client *client, struct vrb_object *object)
{
	struct vrb_device *dev = client->dev;

	pr_warn("%s: client %s goes before %s %#x does, which has %u children\n",
		dev->name, client->name, object->type->name, object->id, object->children);
	vrb_object_get(object);
	vrb_unlock(dev);
	vrb_client_leave_hardware(dev, object);
	vrb_object_put(object);
	vrb_lock(dev);
}

static void vrb_client_leave(struct vrb_client *client, struct vrb_object *object)
{
	vrb_tell(object, VRB_NEWS_LEFT);
}

/* What is to be done with each object that a client's destroys wait for; it may drop the lock. */
static void vrb_client_each_held(struct vrb_client *client,
				 void (*act)(struct vrb_client *client, struct vrb_object *object))
{
	struct vrb_device *dev = client->dev;
	struct vrb_object *object;
	struct list_head *next;

	mutex_lock(&dev->read_lock);
	vrb_lock(dev);
	list_add(&dev->object_reader, &dev->objects);
	while ((next = vrb_cursor_next(&dev->object_reader, &dev->objects))) {
		vrb_handle(dev);
		object = list_entry(next, struct vrb_object, entry);
		if (vrb_client_holds(client, object))
			act(client, object);
		if (vrb_within_budget(dev))
			continue;
		vrb_unlock(dev);
		vrb_lock(dev);
	}
	vrb_unlock(dev);
	mutex_unlock(&dev->read_lock);
}

/*
 * Its destroys that wait for objects that nobody may ever destroy. Whoever waits for those from now
 * on, the client does not: it is told of each, and the provider keeps them. Before that the
 * hardware lets go of them, and handlers that were running, which the destroys have waited for
 * otherwise, have returned.
 */
static void vrb_client_leave_held(struct vrb_client *client)
{
	vrb_client_each_held(client, vrb_client_quiet);
	synchronize_rcu();
	vrb_client_each_held(client, vrb_client_leave);
}

static unsigned int vrb_client_inflight(const void *client)
{
	return atomic_read(&((const struct vrb_client *)client)->inflight);
}

/**
 * vrb_client_unregister - the unload fence
 * @client: client; gone afterwards
 *
 * Shuts the client, destroys the objects it has left and names them, waits for what is issued and
 * for its destroys. When this returns no callback of the client runs or is going to run, and the
 * hardware uses no memory of its. It does not wait for hardware that is dead (rules 8 and 10 of the
 * contract), nor for objects of others: a destroy that waits for a child which nobody destroys, or
 * for a multicast group, is told of as if the object were gone, and is the provider's from then on,
 * after the hardware has let go of it: a QP is reset. Model: tools/testing/verification/fence.pml.
 *
 * Context: Process, may sleep; not a callback of the client.
 */
void vrb_client_unregister(struct vrb_client *client)
{
	struct vrb_device *dev = client->dev;

	vrb_client_shut(client);
	vrb_destroy_shells(client);
	vrb_client_fence(client);
	if (atomic_read(&client->inflight)) {
		vrb_client_leave_held(client);
		vrb_wait_zero(dev, vrb_client_inflight, client, "destroys");
	}
	spin_lock_bh(&dev->lock);
	raw_spin_lock_irq(&dev->kick_lock);
	list_del(&client->entry);
	raw_spin_unlock_irq(&dev->kick_lock);
	dev->nr_clients--;
	vrb_wake(dev);
	spin_unlock_bh(&dev->lock);
	/* The device may go from here on, and its provider. */
	kfree(client);
}
EXPORT_SYMBOL_GPL(vrb_client_unregister);
