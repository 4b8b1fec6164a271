// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Lets a guest of the bench suspend. Its files are on virtiofs, whose driver refuses to suspend, so
 * that the machine cannot. While this module is loaded, virtio devices are not suspended. They stay
 * in use, so the suspend must be one of those that /sys/power/pm_test offers. The machine keeps its
 * power then. If the suspend comes as far as it does with "core", this module takes from the HCA
 * the configuration that it would lose with the power, and on request all else that it would lose.
 * For suspend.sh and power_lost.sh.
 */
#include <linux/device.h>
#include <linux/io.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/pci_ids.h>
#include <linux/pm.h>
#include <linux/syscore_ops.h>

#include "hca.h"

static unsigned int lost;
module_param(lost, uint, 0444);
MODULE_PARM_DESC(lost, "how often the HCA has lost its configuration");

static bool state;
module_param(state, bool, 0644);
MODULE_PARM_DESC(state, "the HCA also loses its state, which a driver may have done before");

static void leave_out(bool out)
{
	struct pci_dev *pdev = NULL;

	while ((pdev = pci_get_device(PCI_VENDOR_ID_REDHAT_QUMRANET, PCI_ANY_ID, pdev)))
		dev_pm_syscore_device(&pdev->dev, out);
}

#ifdef HAS_SYSCORE
#define RESET_REGISTER	0xf0010

static struct pci_dev *hca;
static void __iomem *reset;

/* The model's reset takes no time (reset_time=0): the sleep lasts longer than a reset. */
static void lose_state(void)
{
	u16 command;

	pci_read_config_word(hca, PCI_COMMAND, &command);
	pci_write_config_word(hca, PCI_COMMAND, command | PCI_COMMAND_MEMORY);
	iowrite32be(1, reset);
}

/* All devices have been suspended; interrupts are off. */
static int lose_power(void *data)
{
	u32 bar;

	if (state)
		lose_state();
	hca_forget_config(hca);
	pci_read_config_dword(hca, PCI_BASE_ADDRESS_0, &bar);
	if (!(bar & PCI_BASE_ADDRESS_MEM_MASK))
		lost++;
	return 0;
}

static const struct syscore_ops power_ops = {
	.suspend = lose_power,
};

static struct syscore power = {
	.ops = &power_ops,
};

static int __init power_init(void)
{
	hca = hca_find();
	if (!hca)
		return -ENODEV;
	reset = ioremap(pci_resource_start(hca, 0) + RESET_REGISTER, sizeof(u32));
	if (!reset) {
		pci_dev_put(hca);
		return -ENOMEM;
	}
	register_syscore(&power);
	return 0;
}

static void __exit power_exit(void)
{
	unregister_syscore(&power);
	iounmap(reset);
	pci_dev_put(hca);
}
#else
static int __init power_init(void)
{
	return 0;
}

static void __exit power_exit(void)
{
}
#endif

static int __init tavor_awake_init(void)
{
	int ret = power_init();

	if (!ret)
		leave_out(true);
	return ret;
}

static void __exit tavor_awake_exit(void)
{
	leave_out(false);
	power_exit();
}

module_init(tavor_awake_init);
module_exit(tavor_awake_exit);

MODULE_DESCRIPTION("Leaves virtio devices out of a sleep, and the HCA without power");
MODULE_LICENSE("Dual BSD/GPL");
