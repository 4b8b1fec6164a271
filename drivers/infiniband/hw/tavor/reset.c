// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Reset of the HCA, before every probe, because a boot ROM or another driver may have left it
 * running. The reset also clears the configuration space, which is saved and restored. A PCI-X card
 * has a bridge of its own, which is reset with it. This file also has the DMA fence, which stops an
 * HCA at once.
 */
#include <linux/delay.h>
#include <linux/pci.h>
#include <linux/slab.h>

#include "reset.h"
#include "tavor.h"

#define RESET_WAIT_MS		1000
#define RESET_POLL_MS		100
#define RESET_POLLS		100
#define CONFIG_DWORDS		64
#define HEADER_DWORDS		16
#define PCIX_UPSTREAM_SPLIT	8	/* of the bridge's PCI-X capability */
#define PCIX_DOWNSTREAM_SPLIT	12

struct saved_config {
	struct pci_dev *pdev;
	u32 dword[CONFIG_DWORDS];
};

static struct pci_dev *tavor_reset_find_bridge(struct pci_dev *hca)
{
	struct pci_dev *bridge = NULL;

	while ((bridge = pci_get_device(hca->vendor, hca->device + 2, bridge)))
		if (bridge->hdr_type == PCI_HEADER_TYPE_BRIDGE &&
		    bridge->subordinate == hca->bus)
			return bridge;
	dev_warn(&hca->dev, "no bridge of its own found, resetting without it\n");
	return NULL;
}

/* Dwords 22 and 23 are a gateway to the HCA's registers: touching them has effects. */
static int tavor_reset_save_config(struct saved_config *config, struct pci_dev *pdev)
{
	unsigned int i;
	int err;

	config->pdev = pdev;
	for (i = 0; i < CONFIG_DWORDS; i++) {
		if (i == 22 || i == 23)
			continue;
		err = pci_read_config_dword(pdev, i * 4, &config->dword[i]);
		if (err)
			return pcibios_err_to_errno(err);
	}
	return 0;
}

static int tavor_reset_restore_dword(const struct saved_config *config, unsigned int offset)
{
	return pcibios_err_to_errno(pci_write_config_dword(config->pdev, offset,
							   config->dword[offset / 4]));
}

/*
 * Restores the header, the command register last: BARs must not be decoded before all are restored.
 */
static int tavor_reset_restore_header(const struct saved_config *config)
{
	unsigned int i;
	int err;

	for (i = 0; i < HEADER_DWORDS; i++) {
		if (i * 4 == PCI_COMMAND)
			continue;
		err = tavor_reset_restore_dword(config, i * 4);
		if (err)
			return err;
	}
	return tavor_reset_restore_dword(config, PCI_COMMAND);
}

static int tavor_reset_restore_bridge(const struct saved_config *config)
{
	int cap = pci_find_capability(config->pdev, PCI_CAP_ID_PCIX);
	int err;

	err = tavor_reset_restore_dword(config, cap + PCIX_UPSTREAM_SPLIT);
	err = err ?: tavor_reset_restore_dword(config, cap + PCIX_DOWNSTREAM_SPLIT);
	return err ?: tavor_reset_restore_header(config);
}

/* The other half of the dword is a status register; writing back what was read clears its bits. */
static int tavor_reset_restore_word(const struct saved_config *config, unsigned int offset)
{
	u32 dword = config->dword[offset / 4];

	return pcibios_err_to_errno(pci_write_config_word(config->pdev, offset,
							  offset & 2 ? dword >> 16 : dword));
}

static int tavor_reset_restore_hca(const struct saved_config *config, int pcix_cap, int pcie_cap)
{
	int err = 0;

	if (pcix_cap)
		err = tavor_reset_restore_dword(config, pcix_cap);
	if (!err && pcie_cap)
		err = tavor_reset_restore_word(config, pcie_cap + PCI_EXP_DEVCTL);
	if (!err && pcie_cap)
		err = tavor_reset_restore_word(config, pcie_cap + PCI_EXP_LNKCTL);
	return err ?: tavor_reset_restore_header(config);
}

static int tavor_reset_trigger(struct tavor_dev *dev)
{
	void __iomem *reset = ioremap(pci_resource_start(dev->pdev, 0) + TAVOR_RESET, 4);

	if (!reset)
		return -ENOMEM;
	iowrite32be(1, reset);
	iounmap(reset);
	return 0;
}

/*
 * Other users of the function wait meanwhile, because its configuration space is not valid before
 * it has been restored.
 *
 * Context: Process context, sleeps: tavor_reset() makes sure of it.
 */
static int tavor_reset_wait_alive(struct pci_dev *pdev, struct pci_dev *hca)
{
	unsigned int i;
	u32 id;

	msleep(RESET_WAIT_MS);
	for (i = 0; i < RESET_POLLS; i++) {
		if (!pci_read_config_dword(pdev, PCI_VENDOR_ID, &id) && id != ~0U)
			return 0;
		msleep(RESET_POLL_MS);
	}
	dev_err(&hca->dev, "%s did not come back after the reset\n", pci_name(pdev));
	return -ENODEV;
}

static int tavor_reset_save_bridge(struct saved_config *config, struct pci_dev *pdev,
				   struct pci_dev *hca)
{
	if (!pci_find_capability(pdev, PCI_CAP_ID_PCIX)) {
		dev_err(&hca->dev, "its bridge has no PCI-X capability\n");
		return -ENODEV;
	}
	return tavor_reset_save_config(config, pdev);
}

static int tavor_reset_saved(struct tavor_dev *dev, struct saved_config *hca,
			     struct saved_config *bridge, struct pci_dev *bridge_pdev)
{
	int pcix_cap = pci_find_capability(dev->pdev, PCI_CAP_ID_PCIX);
	int pcie_cap = pci_pcie_cap(dev->pdev);
	int err;

	err = tavor_reset_save_config(hca, dev->pdev);
	if (!err && bridge_pdev)
		err = tavor_reset_save_bridge(bridge, bridge_pdev, dev->pdev);
	err = err ?: tavor_reset_trigger(dev);
	err = err ?: tavor_reset_wait_alive(bridge_pdev ?: dev->pdev, dev->pdev);
	if (!err && bridge_pdev)
		err = tavor_reset_restore_bridge(bridge);
	return err ?: tavor_reset_restore_hca(hca, pcix_cap, pcie_cap);
}

/**
 * tavor_reset() - resets the HCA and restores its configuration space
 * @dev: device, in any state
 *
 * Context: Process context, sleeps for a second and more.
 * Return: 0 or a negative errno; -ENODEV: it did not come back within 11 seconds, or its bridge has
 * no PCI-X capability.
 */
int tavor_reset(struct tavor_dev *dev)
{
	struct pci_dev *bridge = NULL;
	struct saved_config *saved;
	int err;

	might_sleep();
	saved = kcalloc(2, sizeof(*saved), GFP_KERNEL);
	if (!saved)
		return -ENOMEM;
	if (!pci_is_pcie(dev->pdev))
		bridge = tavor_reset_find_bridge(dev->pdev);
	err = tavor_reset_saved(dev, &saved[0], &saved[1], bridge);
	pci_dev_put(bridge);
	kfree(saved);
	return err;
}

/**
 * tavor_dma_off() - stops the HCA from writing memory
 * @dev: device
 *
 * A read of configuration space is allowed in softirq, and returns only after all writes that were
 * posted before it.
 *
 * Context: Any down to softirq.
 */
void tavor_dma_off(struct tavor_dev *dev)
{
	struct pci_dev *pdev = dev->pdev;
	u16 command;

	pci_clear_master(pdev);
	pci_read_config_word(pdev, PCI_COMMAND, &command);
}
