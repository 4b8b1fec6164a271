// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * The life of hardware objects, as far as it is the same for all.
 */
#include "object.h"
#include "tavor.h"

/**
 * tavor_object_destroy() - destroys an object and waits until it has been given back
 * @dev: device
 * @object: nothing of it may be touched afterwards unless this fails. One whose creation was not
 *	answered may yet be known to the hardware: its destroy goes when the lost command has been
 *	answered, or the device fails over it, at the latest an issue timeout later
 *
 * Context: Process context, may sleep.
 * Return: 0, or -EBUSY if the hardware refused and the object lives on.
 */
int tavor_object_destroy(struct tavor_dev *dev, struct vrb_object *object)
{
	return vrb_destroy_wait(vrb_device_client(dev->vrb), object);
}
