// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Hardware objects: references, parents and children, and when a destroy may go.
 *
 * The owner has one reference from vrb_object_init() on; a child has one to each of its parents,
 * and so has a zombie. A destroy waits until the owner's is the only one left, both before its
 * commands are issued and before it completes; then, after its callback, the owner's is dropped and
 * the object is released. Where the hardware never knew of the object the owner drops its reference
 * by itself.
 */
#include <linux/export.h>

#include "vrb_internal.h"

/**
 * vrb_object_init - make a hardware object known to the engine
 * @object: object, in memory of the provider that lives until vrb_object_type.release
 * @dev: device
 * @type: what it is
 * @id: its number on the device
 *
 * Its destroy request is initialised without a callback; the provider gives it a verb.
 *
 * Context: Any down to softirq.
 */
void vrb_object_init(struct vrb_object *object, struct vrb_device *dev,
		     const struct vrb_object_type *type, u32 id)
{
	memset(object, 0, sizeof(*object));
	object->type = type;
	object->id = id;
	object->dev = dev;
	object->refs = 1;
	INIT_LIST_HEAD(&object->queue);
	vrb_init(&object->destroy, NULL, NULL);
	object->destroy.object = object;

	spin_lock_bh(&dev->lock);
	object->epoch = dev->epoch;
	list_add_tail(&object->entry, &dev->objects);
	dev->nr_objects++;
	spin_unlock_bh(&dev->lock);
}
EXPORT_SYMBOL_GPL(vrb_object_init);

/**
 * vrb_object_add_parent - this object's hardware uses another one
 * @object: the child; not yet known to the hardware
 * @parent: stays until the child has been released
 *
 * Context: Any down to softirq.
 * Return: 0; -EINVAL for an object of another device; -ENOSPC for one parent too many; -ESHUTDOWN
 * if the parent is being destroyed.
 */
int vrb_object_add_parent(struct vrb_object *object, struct vrb_object *parent)
{
	struct vrb_device *dev = object->dev;
	int ret = 0;

	if (parent->dev != dev)
		return -EINVAL;
	spin_lock_bh(&dev->lock);
	if (object->nr_parents == VRB_MAX_PARENTS) {
		ret = -ENOSPC;
	} else if (parent->dying) {
		ret = -ESHUTDOWN;
	} else {
		object->parent[object->nr_parents++] = parent;
		parent->children++;
		parent->refs++;
	}
	spin_unlock_bh(&dev->lock);
	return ret;
}
EXPORT_SYMBOL_GPL(vrb_object_add_parent);

/**
 * vrb_object_get - take a reference
 * @object: object to which the caller has a reference, or that cannot be released under his lock
 *
 * Context: Any down to softirq; not from vrb_verb.encode or vrb_provider_ops.post.
 */
void vrb_object_get(struct vrb_object *object)
{
	spin_lock_bh(&object->dev->lock);
	WARN_ON_ONCE(!object->refs);
	object->refs++;
	vrb_object_next(object->dev, object);	/* a destroy not yet issued has to wait now */
	spin_unlock_bh(&object->dev->lock);
}
EXPORT_SYMBOL_GPL(vrb_object_get);

/**
 * vrb_object_tryget - take a reference to what a table has, unless it is being destroyed
 * @object: object that cannot be released while the caller holds the table's lock
 *
 * Context: Any down to softirq; not from vrb_verb.encode or vrb_provider_ops.post.
 * Return: whether there is one reference more.
 */
bool vrb_object_tryget(struct vrb_object *object)
{
	bool got;

	spin_lock_bh(&object->dev->lock);
	got = object->refs && !object->dying;
	object->refs += got;
	spin_unlock_bh(&object->dev->lock);
	return got;
}
EXPORT_SYMBOL_GPL(vrb_object_tryget);

/**
 * vrb_object_put - drop a reference
 * @object: may be gone afterwards
 *
 * The owner does this only for an object that the hardware never knew; otherwise its destroy does.
 *
 * Context: Any down to softirq; not from vrb_verb.encode or vrb_provider_ops.post. May call
 * vrb_object_type.release.
 */
void vrb_object_put(struct vrb_object *object)
{
	struct vrb_device *dev = object->dev;

	local_bh_disable();
	vrb_lock(dev);
	vrb_object_unref(dev, object);
	vrb_unlock(dev);
	vrb_release_objects(dev);
	local_bh_enable();
}
EXPORT_SYMBOL_GPL(vrb_object_put);

/**
 * vrb_object_busy - whether somebody uses an object besides its owner
 * @object: object
 *
 * For destroy operations that must answer -EBUSY rather than wait for another object.
 *
 * Context: Any down to softirq.
 */
bool vrb_object_busy(struct vrb_object *object)
{
	bool busy;

	spin_lock_bh(&object->dev->lock);
	busy = object->refs - object->zombies > 1;
	spin_unlock_bh(&object->dev->lock);
	return busy;
}
EXPORT_SYMBOL_GPL(vrb_object_busy);

/**
 * vrb_object_dead - whether the hardware has let go of an object
 * @object: object
 *
 * Every failure of the device makes it let go of all objects there were.
 *
 * Context: Device lock held.
 */
bool vrb_object_dead(const struct vrb_object *object)
{
	lockdep_assert_held(&object->dev->lock);
	return object->dead || object->epoch != object->dev->epoch;
}

/**
 * vrb_object_unref - drop a reference under the lock
 * @dev: device
 * @object: goes to the list of released objects with its last reference
 *
 * Context: Device lock held; vrb_release_objects() must follow.
 */
void vrb_object_unref(struct vrb_device *dev, struct vrb_object *object)
{
	lockdep_assert_held(&dev->lock);
	if (WARN_ON_ONCE(!object->refs))
		return;
	if (!--object->refs)
		list_move_tail(&object->entry, &dev->released);
	else
		vrb_object_next(dev, object);
}

/**
 * vrb_object_next - the request at the head of an object's queue may be runnable now
 * @dev: device
 * @object: object
 *
 * Context: Device lock held.
 */
void vrb_object_next(struct vrb_device *dev, struct vrb_object *object)
{
	struct vrb *vrb;

	lockdep_assert_held(&dev->lock);
	vrb = list_first_entry_or_null(&object->queue, struct vrb, object_entry);
	if (!vrb || object->active || object->zombies)
		return;
	if (!vrb_is_destroy(vrb))
		vrb_make_runnable(dev, vrb);
	else if (object->refs > 1)
		list_del_init(&vrb->entry);
	else if (vrb_object_dead(object))
		vrb_finish(dev, vrb, 0);
	else
		vrb_make_runnable(dev, vrb);
}

/**
 * vrb_object_flush - complete what is queued on an object, its destroy excepted
 * @dev: device
 * @object: object
 * @status: the result
 *
 * Context: Device lock held.
 * Return: how many there were.
 */
unsigned int vrb_object_flush(struct vrb_device *dev, struct vrb_object *object, int status)
{
	struct vrb *vrb, *next;
	unsigned int flushed = 0;

	lockdep_assert_held(&dev->lock);
	list_for_each_entry_safe(vrb, next, &object->queue, object_entry) {
		if (vrb_is_destroy(vrb))
			continue;
		vrb_finish(dev, vrb, status);
		flushed++;
	}
	return flushed;
}

/**
 * vrb_destroy_queued - a destroy has been accepted
 * @dev: device
 * @vrb: the destroy
 *
 * Context: Device lock held.
 */
void vrb_destroy_queued(struct vrb_device *dev, struct vrb *vrb)
{
	struct vrb_object *object = vrb->object;

	object->dying = true;
	dev->counters.cancelled += vrb_object_flush(dev, object, -ECANCELED);
	list_add_tail(&vrb->object_entry, &object->queue);
	vrb_object_next(dev, object);
}

/**
 * vrb_destroyed - the hardware has let go of an object
 * @dev: device
 * @vrb: its destroy, without a slot; queued again, it completes with the last reference
 *
 * Context: Device lock held.
 */
void vrb_destroyed(struct vrb_device *dev, struct vrb *vrb)
{
	struct vrb_object *object = vrb->object;

	object->dead = true;
	if (object->active == vrb)
		object->active = NULL;
	vrb_set_queued(dev, vrb, &vrb->client->parked);
	list_move(&vrb->object_entry, &object->queue);
	vrb_object_next(dev, object);
}

static void vrb_release_object(struct vrb_device *dev, struct vrb_object *object)
{
	struct vrb_object *parent[VRB_MAX_PARENTS];
	unsigned int i, nr_parents = object->nr_parents;

	memcpy(parent, object->parent, sizeof(parent));
	object->type->release(object);

	vrb_lock(dev);
	for (i = 0; i < nr_parents; i++) {
		parent[i]->children--;
		vrb_object_unref(dev, parent[i]);
	}
	if (!--dev->nr_objects)
		wake_up_all(&dev->idle);
	vrb_unlock(dev);
}

/**
 * vrb_release_objects - call release for objects without references
 * @dev: device
 *
 * Context: Softirq or BH disabled, no lock held.
 */
void vrb_release_objects(struct vrb_device *dev)
{
	struct vrb_object *object;

	do {
		spin_lock_bh(&dev->lock);
		object = list_first_entry_or_null(&dev->released, struct vrb_object, entry);
		if (object)
			list_del_init(&object->entry);
		spin_unlock_bh(&dev->lock);
		if (object)
			vrb_release_object(dev, object);
	} while (object);
}
