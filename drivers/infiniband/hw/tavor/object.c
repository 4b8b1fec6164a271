// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Functions for all types of hardware objects.
 */
#include "object.h"
#include "tavor.h"

/**
 * tavor_object_destroy() - destroys an object and waits until it has been released
 * @dev: device
 * @object: must not be used afterwards unless this fails. If the command that created it has timed
 *	out, the destroy waits until that command has completed; after one more timeout the device
 *	fails
 *
 * Context: Process context, may sleep.
 * Return: 0; -EBUSY: the hardware refused, the object still exists.
 */
int tavor_object_destroy(struct tavor_dev *dev, struct vrb_object *object)
{
	return vrb_destroy_wait(vrb_device_client(dev->vrb), object);
}

/**
 * tavor_waiter_init() - initialises a waiter that is on no list
 * @waiter: waiter
 * @object: the object it is part of
 *
 * Context: Any.
 */
void tavor_waiter_init(struct tavor_waiter *waiter, struct vrb_object *object)
{
	INIT_LIST_HEAD(&waiter->entry);
	waiter->object = object;
}

/**
 * tavor_waiter_add() - adds an object to the end of a list, unless it is on it
 * @waiter: waiter
 * @list: the list
 *
 * Context: Any, with the list's lock held.
 */
void tavor_waiter_add(struct tavor_waiter *waiter, struct list_head *list)
{
	if (!list_empty(&waiter->entry))
		return;
	vrb_object_get(waiter->object);
	list_add_tail(&waiter->entry, list);
}

/**
 * tavor_waiter_remove() - removes an object from its list, if it is on one
 * @waiter: waiter; it may be freed after the list's lock has been released
 *
 * Context: Any, with the list's lock held.
 */
void tavor_waiter_remove(struct tavor_waiter *waiter)
{
	if (list_empty(&waiter->entry))
		return;
	list_del_init(&waiter->entry);
	vrb_object_put(waiter->object);
}

/**
 * tavor_waiter_resume() - resumes the request of an object and removes the object from its list
 * @waiter: waiter, on a list; it may be freed after the list's lock has been released
 *
 * Context: Any, with the list's lock held.
 */
void tavor_waiter_resume(struct tavor_waiter *waiter)
{
	vrb_resume(waiter->object);
	tavor_waiter_remove(waiter);
}
