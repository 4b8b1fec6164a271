// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * The PCI function: probe, remove, shutdown, and the module.
 *
 * The ids are here so that a card nobody owns is bound, but there is no module alias: the
 * distribution's ib_mthca has the same ids and is not to be pushed aside by surprise.
 */
#include <linux/module.h>
#include <linux/pci.h>

#include "debug.h"
#include "layers.h"
#include "params.h"
#include "tavor.h"
#include "trap.h"

MODULE_AUTHOR("The ib_tavor authors");
MODULE_DESCRIPTION("Mellanox MT23108 (Tavor) InfiniBand HCA with asynchronous control verbs");
MODULE_LICENSE("Dual BSD/GPL");

static int tavor_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct tavor_dev *dev;
	int err;

	dev = ib_alloc_device(tavor_dev, ib_dev);
	if (!dev)
		return -ENOMEM;
	dev->pdev = pdev;
	dev->want_msix = tavor_params.msi_x;
	spin_lock_init(&dev->mr_reap_lock);
	INIT_LIST_HEAD(&dev->mr_reap);
	mutex_init(&dev->mr_reap_mutex);
	err = tavor_layers_up(dev);
	if (err) {
		ib_dealloc_device(&dev->ib_dev);
		return err;
	}
	pci_set_drvdata(pdev, dev);
	return 0;
}

static void tavor_remove(struct pci_dev *pdev)
{
	struct tavor_dev *dev = pci_get_drvdata(pdev);

	tavor_layers_down(dev);
	ib_dealloc_device(&dev->ib_dev);
}

/* The next kernel must not find a device that still writes memory. */
static void tavor_shutdown(struct pci_dev *pdev)
{
	struct tavor_dev *dev = pci_get_drvdata(pdev);

	WRITE_ONCE(dev->registered, false);
	vrb_device_stop(dev->vrb, "shutdown");
}

static const struct pci_device_id tavor_ids[] = {
	{ PCI_DEVICE(TAVOR_PCI_MELLANOX, TAVOR_PCI_MT23108) },
	{ PCI_DEVICE(TAVOR_PCI_MELLANOX, TAVOR_PCI_MT25208_COMPAT) },
	{ PCI_DEVICE(TAVOR_PCI_TOPSPIN, TAVOR_PCI_MT23108) },
	{ PCI_DEVICE(TAVOR_PCI_TOPSPIN, TAVOR_PCI_MT25208_COMPAT) },
	{ }
};

static struct pci_driver tavor_driver = {
	.name = TAVOR_NAME,
	.id_table = tavor_ids,
	.probe = tavor_probe,
	.remove = tavor_remove,
	.shutdown = tavor_shutdown,
};

static int __init tavor_module_init(void)
{
	int err;

	err = tavor_params_check();
	if (err)
		return err;
	err = tavor_trap_init();
	if (err)
		return err;
	tavor_debug_init();
	err = pci_register_driver(&tavor_driver);
	if (err) {
		tavor_debug_exit();
		tavor_trap_exit();
	}
	return err;
}

static void __exit tavor_module_exit(void)
{
	pci_unregister_driver(&tavor_driver);
	tavor_debug_exit();
	tavor_trap_exit();
}

module_init(tavor_module_init);
module_exit(tavor_module_exit);
