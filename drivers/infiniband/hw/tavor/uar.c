// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * UAR pages: doorbell pages in BAR2, one per user context and one for the driver
 * (tavor-hw 14). UAR 0 .. reserved - 1 are the firmware's; UAR 1 rings for any context, so no user
 * ever gets it.
 */
#include "tavor.h"
#include "uar.h"

/**
 * tavor_uar_init() - creates the allocator of pages, and maps the driver's own page
 * @dev: device with its limits made
 *
 * Context: Process context, may sleep.
 * Return: 0 or a negative errno.
 */
int tavor_uar_init(struct tavor_dev *dev)
{
	u32 reserved = max(dev->lim.reserved_uars + 1, 2U);
	int err;

#ifndef CONFIG_64BIT
	spin_lock_init(&dev->kar.lock);
#endif
	err = tavor_alloc_init(&dev->uar_alloc, "UAR pages", dev->limits.num_uars,
			       dev->limits.num_uars - 1, reserved);
	if (err)
		return err;
	err = tavor_uar_alloc(dev, &dev->kar.uar);
	if (err)
		goto destroy_alloc;
	dev->kar.map = ioremap((phys_addr_t)dev->kar.uar.pfn << PAGE_SHIFT, PAGE_SIZE);
	if (dev->kar.map)
		return 0;
	err = -ENOMEM;
	tavor_uar_free(dev, &dev->kar.uar);
destroy_alloc:
	tavor_alloc_destroy(dev, &dev->uar_alloc);
	return err;
}

/**
 * tavor_uar_cleanup() - counterpart of tavor_uar_init()
 * @dev: device
 *
 * Context: Process context, may sleep.
 */
void tavor_uar_cleanup(struct tavor_dev *dev)
{
	iounmap(dev->kar.map);
	tavor_uar_free(dev, &dev->kar.uar);
	tavor_alloc_destroy(dev, &dev->uar_alloc);
}

/**
 * tavor_uar_alloc() - allocates a doorbell page
 * @dev: device
 * @uar: result
 *
 * Context: Any down to softirq.
 * Return: 0 or -ENOMEM.
 */
int tavor_uar_alloc(struct tavor_dev *dev, struct tavor_uar *uar)
{
	int err = tavor_alloc_get(&dev->uar_alloc, &uar->index);

	if (!err)
		uar->pfn = (pci_resource_start(dev->pdev, 2) >> PAGE_SHIFT) + uar->index;
	return err;
}

/**
 * tavor_uar_free() - returns a doorbell page that is not mapped any more
 * @dev: device
 * @uar: page
 *
 * Context: Any down to softirq.
 */
void tavor_uar_free(struct tavor_dev *dev, struct tavor_uar *uar)
{
	tavor_alloc_put(&dev->uar_alloc, uar->index);
}
