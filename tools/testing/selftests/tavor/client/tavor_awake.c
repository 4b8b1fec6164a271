// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Lets a guest of the bench suspend. Its files are on virtiofs, whose driver refuses to suspend, so
 * that the machine cannot. While this module is loaded, virtio devices are not suspended. They stay
 * in use, so the suspend must be one of those that /sys/power/pm_test offers. For suspend.sh.
 */
#include <linux/device.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/pci_ids.h>
#include <linux/pm.h>

static void leave_out(bool out)
{
	struct pci_dev *pdev = NULL;

	while ((pdev = pci_get_device(PCI_VENDOR_ID_REDHAT_QUMRANET, PCI_ANY_ID, pdev)))
		dev_pm_syscore_device(&pdev->dev, out);
}

static int __init tavor_awake_init(void)
{
	leave_out(true);
	return 0;
}

static void __exit tavor_awake_exit(void)
{
	leave_out(false);
}

module_init(tavor_awake_init);
module_exit(tavor_awake_exit);

MODULE_DESCRIPTION("Leaves virtio devices out of a sleep");
MODULE_LICENSE("Dual BSD/GPL");
