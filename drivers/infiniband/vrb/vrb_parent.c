// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Parents and children: which objects use an object. A child has a reference to each of its
 * parents, so that their destroys wait. See vrb_object.c for what happens when it is dropped.
 */
#include <linux/export.h>

#include "vrb_internal.h"

/**
 * vrb_object_add_parent - keep an object that this one uses
 * @object: the child; the hardware does not know it yet
 * @parent: the object that is used; it stays until the child has been released
 *
 * Context: Any down to softirq.
 * Return: 0; -EINVAL for an object of another device; -ENOSPC if there are too many parents;
 * -ESHUTDOWN if the parent is being destroyed; -ESTALE if the hardware lost the parent in a reset.
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
	} else if (dev->state == VRB_DEV_OK && parent->epoch != object->epoch) {
		ret = -ESTALE;
	} else {
		object->parent[object->nr_parents++] = parent;
		WRITE_ONCE(parent->children, parent->children + 1);
		refcount_inc(&parent->refs);
	}
	spin_unlock_bh(&dev->lock);
	return ret;
}
EXPORT_SYMBOL_GPL(vrb_object_add_parent);

/**
 * vrb_object_drop_parent - end what vrb_object_add_parent() began, before the release
 * @object: the child
 * @parent: one of its parents; if it was added several times, one of these ends
 *
 * Context: Any down to softirq.
 */
void vrb_object_drop_parent(struct vrb_object *object, struct vrb_object *parent)
{
	struct vrb_device *dev = object->dev;
	unsigned int i = 0;

	spin_lock_bh(&dev->lock);
	while (i < object->nr_parents && object->parent[i] != parent)
		i++;
	if (!WARN_ON_ONCE(i == object->nr_parents)) {
		object->parent[i] = object->parent[--object->nr_parents];
		vrb_parents_put(dev, &parent, 1);
		vrb_kick(dev);
	}
	spin_unlock_bh(&dev->lock);
}
EXPORT_SYMBOL_GPL(vrb_object_drop_parent);

/**
 * vrb_object_has_children - whether other objects use this one
 * @object: object
 *
 * For destroy operations that must return -EBUSY instead of waiting for another object. A child
 * whose destroy a caller has waited for is not counted any more.
 *
 * Context: Any down to softirq.
 */
bool vrb_object_has_children(struct vrb_object *object)
{
	return READ_ONCE(object->children);
}
EXPORT_SYMBOL_GPL(vrb_object_has_children);

/**
 * vrb_object_has_one_child - whether exactly one other object uses this one
 * @object: object
 *
 * For a step of that child that removes something from the hardware if no other object needs it. A
 * child that is added afterwards sees what the step has written.
 *
 * Context: &vrb_step.encode: the device lock held.
 */
bool vrb_object_has_one_child(const struct vrb_object *object)
{
	lockdep_assert_held(&object->dev->lock);
	return object->children == 1;
}
EXPORT_SYMBOL_GPL(vrb_object_has_one_child);

/**
 * vrb_object_hold - keep an object in use, as a child does
 * @object: object, to which the caller has a reference
 *
 * For users that are no objects themselves, such as a multicast group that a QP is attached to.
 * The object's destroy waits for vrb_object_unhold(). When the device fails the provider must call
 * that: &vrb_provider_ops.failed.
 *
 * Context: Any down to softirq, no lock of the engine held.
 */
void vrb_object_hold(struct vrb_object *object)
{
	struct vrb_device *dev = object->dev;

	spin_lock_bh(&dev->lock);
	if (!object->children && object->dying) {
		object->destroy.client->held++;
		vrb_wake(dev);
	}
	WRITE_ONCE(object->children, object->children + 1);
	refcount_inc(&object->refs);
	spin_unlock_bh(&dev->lock);
}
EXPORT_SYMBOL_GPL(vrb_object_hold);

/**
 * vrb_object_unhold - counterpart of vrb_object_hold()
 * @object: its destroy may proceed afterwards
 *
 * Context: Any down to softirq, no lock of the engine held.
 */
void vrb_object_unhold(struct vrb_object *object)
{
	struct vrb_device *dev = object->dev;

	spin_lock_bh(&dev->lock);
	vrb_parents_put(dev, &object, 1);
	vrb_kick(dev);
	spin_unlock_bh(&dev->lock);
}
EXPORT_SYMBOL_GPL(vrb_object_unhold);
