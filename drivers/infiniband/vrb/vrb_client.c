// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Clients, and the registry in which a client finds the provider of an ib_device.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/export.h>
#include <linux/list.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include "vrb_internal.h"

static LIST_HEAD(vrb_registry);
static DEFINE_SPINLOCK(vrb_registry_lock);	/* taken outside of a device's lock */

/* ---- Registry ---- */

/* Requests from the inbox are checked against this too. */
static bool vrb_set_attached(struct vrb_device *dev, bool attached)
{
	bool was;

	vrb_lock(dev);
	raw_spin_lock_irq(&dev->kick_lock);
	was = dev->attached;
	WRITE_ONCE(dev->attached, attached);	/* vrb_alloc_*() read it without a lock */
	raw_spin_unlock_irq(&dev->kick_lock);
	if (was && !attached)
		vrb_sweep_start(dev);
	vrb_unlock(dev);
	return was;
}

/**
 * vrb_device_attach - let clients of an ib_device find its provider
 * @dev: device
 * @ibdev: the ib_device that the provider registers with ib_core; without @verbs only its address
 *	is used
 * @verbs: for typed requests; NULL: there are none
 *
 * Must be called before ib_register_device(), so that the clients that ib_core then calls find the
 * provider.
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
	list_add_tail(&dev->entry, &vrb_registry);
	spin_unlock(&vrb_registry_lock);
	return 0;
}
EXPORT_SYMBOL_GPL(vrb_device_attach);

static unsigned int vrb_clients(const void *dev)
{
	return ((const struct vrb_device *)dev)->nr_clients;
}

/**
 * vrb_device_detach - end what vrb_device_attach() began
 * @dev: device; nothing happens if it is not attached
 *
 * Must be called after ib_unregister_device(). Submits of clients are refused with -ENODEV except
 * for destroys and detaches, and their queued requests complete with it. This returns when the last
 * client has unregistered. The provider's own client is not affected.
 *
 * Context: Process, may sleep.
 */
void vrb_device_detach(struct vrb_device *dev)
{
	might_sleep();
	if (!vrb_set_attached(dev, false))
		return;
	spin_lock(&vrb_registry_lock);
	list_del(&dev->entry);
	spin_unlock(&vrb_registry_lock);
	/* From here on no client is added. */
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
 * Context: Device lock held, or nobody else knows the device.
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
 * A client of ib_core calls this in &ib_client.add or later, and must have called
 * vrb_client_unregister() when its &ib_client.remove returns: the removal of the ib_device waits
 * for it. This takes no reference to the provider's module, so that it can be unloaded like any
 * other driver.
 *
 * Context: Process, may sleep.
 * Return: the client; ERR_PTR(-EOPNOTSUPP) if @ibdev's driver does not support requests, or has
 * detached its device; -ENODEV if it is detaching it at this moment; -ENOSPC if it has 64 clients;
 * -ENOMEM.
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
	/* A device in the registry exists, and stays there until it is added as the client's. */
	spin_lock(&vrb_registry_lock);
	list_for_each_entry(dev, &vrb_registry, entry) {
		if (dev->ibdev != ibdev)
			continue;
		ret = vrb_client_join(dev, client, name);
		break;
	}
	spin_unlock(&vrb_registry_lock);
	if (!ret)
		return client;
	kfree(client);
	return ERR_PTR(ret);
}
EXPORT_SYMBOL_GPL(vrb_client_register);

/**
 * vrb_client_shut - refuse further submits of a client, except for destroys and detaches
 * @client: client
 *
 * Its queued requests are cancelled. A client shuts itself, stops its timers and other sources of
 * submits, and then unregisters.
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
	WRITE_ONCE(client->shut, true);		/* likewise */
	raw_spin_unlock_irq(&dev->kick_lock);
	vrb_sweep_start(dev);
	vrb_unlock(dev);
}
EXPORT_SYMBOL_GPL(vrb_client_shut);

/* Number of requests of a client that complete without an act of others. */
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

/* Whether a destroy of the client's waits for others to release this object. Device lock held. */
static bool vrb_client_holds(const struct vrb_client *client, const struct vrb_object *object)
{
	return object->dying && object->destroy.client == client && object->children;
}

/* Makes the hardware stop using memory that the object's owner may free after this. */
static void vrb_client_leave_hardware(struct vrb_device *dev, struct vrb_object *object)
{
	struct vrb vrb;
	int ret;

	if (!object->type->leave || object->life != VRB_LIFE_CREATED)
		return;
	vrb_prep(&vrb, object->type->leave, object);
	ret = vrb_submit_wait(&dev->own, &vrb);
	/* The hardware of a device that has failed since then uses it no more. */
	if (ret && ret != -EIO && ret != -ESTALE)
		vrb_device_fail(dev, "the hardware does not let go of an object");
}

/* Calls a function for each object that a client's destroys wait for, until it returns false. */
static void vrb_client_each_held(struct vrb_client *client,
				 bool (*act)(struct vrb_object *object, void *context),
				 void *context)
{
	struct vrb_device *dev = client->dev;
	struct vrb_object *object;
	struct list_head *next;
	bool more = true;

	mutex_lock(&dev->read_lock);
	vrb_lock(dev);
	list_add(&dev->object_reader, &dev->objects);
	while (more && (next = vrb_cursor_next(&dev->object_reader, &dev->objects))) {
		vrb_handle(dev);
		object = list_entry(next, struct vrb_object, entry);
		if (vrb_client_holds(client, object))
			more = act(object, context);
		if (vrb_within_budget(dev))
			continue;
		vrb_unlock(dev);
		vrb_lock(dev);
	}
	list_del_init(&dev->object_reader);
	vrb_unlock(dev);
	mutex_unlock(&dev->read_lock);
}

struct vrb_held {
	struct vrb_object *object[16];
	unsigned int n;
};

/* Collects some objects, each once, with a reference. */
static bool vrb_client_collect(struct vrb_object *object, void *context)
{
	struct vrb_held *held = context;

	if (object->left)
		return true;
	object->left = true;
	vrb_object_get(object);
	held->object[held->n++] = object;
	return held->n < ARRAY_SIZE(held->object);
}

/* No lock is held while the hardware lets go: other clients may unregister meanwhile. */
static void vrb_client_quiet_held(struct vrb_client *client)
{
	struct vrb_device *dev = client->dev;
	struct vrb_object *object;
	struct vrb_held held;
	unsigned int i;

	do {
		held.n = 0;
		vrb_client_each_held(client, vrb_client_collect, &held);
		for (i = 0; i < held.n; i++) {
			object = held.object[i];
			pr_warn("%s: client %s goes before %s %#x does, which has %u children\n",
				dev->name, client->name, object->type->name, object->id,
				READ_ONCE(object->children));
			vrb_client_leave_hardware(dev, object);
			vrb_object_put(object);
		}
	} while (held.n);
}

/* The pump calls gone, and makes the destroy the provider's. */
static bool vrb_client_tell(struct vrb_object *object, void *context)
{
	vrb_tell(object, VRB_NEWS_LEFT);
	return true;
}

/*
 * Destroys of the client that wait for objects of others, which may never be destroyed. The client
 * does not wait for those: its gone callbacks are called, and the destroys become the provider's.
 * Before that the hardware stops using the client's memory, and running handlers have returned, for
 * which the destroys would have waited otherwise.
 */
static void vrb_client_leave_held(struct vrb_client *client)
{
	vrb_client_quiet_held(client);
	/* The handlers that are running */
	synchronize_rcu();
	vrb_client_each_held(client, vrb_client_tell, NULL);
}

static unsigned int vrb_client_inflight(const void *client)
{
	return atomic_read(&((const struct vrb_client *)client)->inflight);
}

/**
 * vrb_client_unregister - the unload fence
 * @client: client; gone afterwards
 *
 * Shuts the client, destroys the objects that it has left and names them in the log, and waits for
 * issued requests and for its destroys. When this returns, no callback of the client runs or will
 * run, and the hardware uses none of its memory. It does not wait for dead hardware (rules 8 and 10
 * of the contract), nor for objects of others. If a destroy waits for a child that nobody destroys,
 * or for a multicast group, the hardware is made to stop using the object (a QP is reset), the
 * client's gone callback is called, and the destroy becomes the provider's. Model:
 * tools/testing/verification/fence.pml.
 *
 * Context: Process, may sleep; not a callback of the client.
 */
void vrb_client_unregister(struct vrb_client *client)
{
	struct vrb_device *dev = client->dev;

	vrb_client_shut(client);
	/*
	 * A callback that the shut has cancelled may still destroy shells, and one that has passed
	 * the check of the shut may still allocate one.
	 */
	do {
		vrb_client_fence(client);
	} while (vrb_destroy_shells(client));
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
	/* From here on the device and its provider may be removed. */
	kfree(client);
}
EXPORT_SYMBOL_GPL(vrb_client_unregister);
