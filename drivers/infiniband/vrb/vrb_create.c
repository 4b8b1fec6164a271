// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Creates that wait for the creates of parents. The create of a QP is on a list of its send CQ,
 * then of its receive CQ, then of its SRQ, until each has been created. Requests that wait for
 * events of a CQ whose create is outstanding are on that list too.
 */
#include "vrb_internal.h"

/**
 * vrb_unborn_parent - the first parent that a create must wait for, or because of which it fails
 * @object: the child
 *
 * Context: Device lock held.
 * Return: the parent: its create is outstanding or failed, or it is being destroyed; NULL: none.
 */
struct vrb_object *vrb_unborn_parent(const struct vrb_object *object)
{
	unsigned int i;

	for (i = 0; i < object->nr_parents; i++) {
		if (object->parent[i]->life != VRB_LIFE_CREATED || object->parent[i]->dying)
			return object->parent[i];
	}
	return NULL;
}

/**
 * vrb_create_begin - a create has been accepted, and cannot be issued at once
 * @dev: device
 * @vrb: the create, queued, in no object's queue
 *
 * Until it enters its own object's queue it is the active request of that object, so that requests
 * queued behind it wait.
 *
 * Context: Device lock held.
 */
void vrb_create_begin(struct vrb_device *dev, struct vrb *vrb)
{
	lockdep_assert_held(&dev->lock);
	vrb->object->active = vrb;
	vrb_create_proceed(dev, vrb);
}

/**
 * vrb_create_proceed - let a create wait for the next parent whose create is outstanding
 * @dev: device
 * @vrb: the create, in no object's queue
 *
 * Context: Device lock held.
 */
void vrb_create_proceed(struct vrb_device *dev, struct vrb *vrb)
{
	struct vrb_object *object = vrb->object, *parent = vrb_unborn_parent(object);

	lockdep_assert_held(&dev->lock);
	if (!parent) {
		object->active = NULL;
		list_add(&vrb->object_entry, &object->queue);
		vrb_object_next(dev, object);
	} else if (parent->dying || parent->life != VRB_LIFE_CREATING) {
		dev->counters.flushed++;
		vrb_finish(dev, vrb, parent->dying ? -ECANCELED : -ENOLINK);
	} else {
		list_add_tail(&vrb->object_entry, &parent->visitors);
	}
}

/**
 * vrb_create_over - continue the requests that wait for an object's create
 * @dev: device
 * @object: the object, which has been created
 *
 * Context: Device lock held.
 */
void vrb_create_over(struct vrb_device *dev, struct vrb_object *object)
{
	struct vrb *vrb;

	while ((vrb = list_first_entry_or_null(&object->visitors, struct vrb, object_entry))) {
		if (!vrb_within_budget(dev)) {
			vrb_tell(object, VRB_NEWS_BORN);
			return;
		}
		vrb_handle(dev);
		list_del_init(&vrb->object_entry);
		if (vrb_is_await(vrb))
			vrb_await_begin(dev, vrb);
		else
			vrb_create_proceed(dev, vrb);
	}
}
