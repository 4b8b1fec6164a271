// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * debugfs: a folder per device in "ib_tavor" with the driver's state. The engine's state is in
 * "ib_vrb".
 */
#include <linux/debugfs.h>

#include "debug.h"
#include "tavor.h"

static struct dentry *tavor_debugfs;

/**
 * tavor_debug_init() - the folder of the module
 *
 * Context: Process context, may sleep.
 */
void tavor_debug_init(void)
{
	tavor_debugfs = debugfs_create_dir(TAVOR_NAME, NULL);
}

/**
 * tavor_debug_exit() - counterpart of tavor_debug_init()
 *
 * Context: Process context, may sleep.
 */
void tavor_debug_exit(void)
{
	debugfs_remove(tavor_debugfs);
}

/**
 * tavor_debug_add() - creates the folder of a device
 * @dev: the device; its pool for queues has been allocated
 *
 * Context: Process context, may sleep.
 * Return: 0: an error in debugfs is ignored.
 */
int tavor_debug_add(struct tavor_dev *dev)
{
	dev->debugfs = debugfs_create_dir(pci_name(dev->pdev), tavor_debugfs);
	debugfs_create_atomic_t("ring_pages", 0400, dev->debugfs, &dev->buf_pages);
	debugfs_create_atomic_t("ring_pages_used", 0400, dev->debugfs, &dev->buf_blocks);
	return 0;
}

/**
 * tavor_debug_remove() - counterpart of tavor_debug_add()
 * @dev: the device
 *
 * Context: Process context, may sleep.
 */
void tavor_debug_remove(struct tavor_dev *dev)
{
	debugfs_remove(dev->debugfs);
	dev->debugfs = NULL;
}
