// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * The life of hardware objects, as far as it is the same for all: a destroy request that is ready
 * from the start, the way out of a creation that failed, and whether anything uses an object yet.
 */
#include <linux/rcupdate.h>

#include "object.h"
#include "tavor.h"

/**
 * tavor_object_init() - a hardware object with its destroy request ready
 * @dev: device
 * @object: in its hardware object; the caller owns the first reference
 * @type: kind and release function
 * @id: number on the device
 * @destroy: verb that destroys it
 *
 * Context: Any down to softirq.
 */
void tavor_object_init(struct tavor_dev *dev, struct vrb_object *object,
		       const struct vrb_object_type *type, u32 id, const struct vrb_verb *destroy)
{
	vrb_object_init(object, dev->vrb, type, id);
	vrb_init(&object->destroy, NULL, NULL);
	object->destroy.verb = destroy;
	object->destroy.object = object;
}

/**
 * tavor_object_destroy() - submits an object's destroy request and waits
 * @dev: device
 * @object: nothing of it may be touched afterwards unless this fails
 *
 * Context: Process context, may sleep.
 * Return: 0, or -EBUSY if the hardware refused and the object lives on.
 */
int tavor_object_destroy(struct tavor_dev *dev, struct vrb_object *object)
{
	return tavor_exec(dev, &object->destroy);
}

/**
 * tavor_object_abandon() - gets rid of an object whose creation failed
 * @dev: device
 * @object: must not be touched afterwards
 * @err: why. After -ETIMEDOUT the hardware may know the object yet: it is destroyed when the lost
 *	command has answered, or the device fails over it, at the latest an issue timeout later
 *
 * Context: Process context, may sleep.
 */
void tavor_object_abandon(struct tavor_dev *dev, struct vrb_object *object, int err)
{
	if (err != -ETIMEDOUT)
		vrb_object_put(object);
	else
		tavor_object_destroy(dev, object);
}

/**
 * tavor_object_in_use() - whether something besides its owner uses an object
 * @object: object
 *
 * Who waited for a child's destroy finds the child released, unless another processor has picked
 * it up to release it and is still at it: with BH disabled, which is a read-side critical section
 * of RCU. Only an object that seems to be in use costs the wait for that.
 *
 * Context: Process context, may sleep.
 * Return: whether.
 */
bool tavor_object_in_use(struct vrb_object *object)
{
	if (!vrb_object_busy(object))
		return false;
	synchronize_rcu();
	return vrb_object_busy(object);
}
