// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Reset of the HCA, before every probe, because a boot ROM or another driver may have left it
 * running. The reset also clears the configuration space, which is saved and restored. A PCI-X card
 * has a bridge of its own, which is reset with it. If a card does not come back, what was saved is
 * kept, and the next reset restores it first. This file also has the DMA fence, which stops an HCA
 * at once.
 */
#include <linux/delay.h>
#include <linux/list.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "reset.h"
#include "tavor.h"

#define RESET_WAIT_MS		1000
#define RESET_POLL_MS		100
#define RESET_POLLS		100
#define CONFIG_DWORDS		64
#define HEADER_DWORDS		16
#define PCIX_UPSTREAM_SPLIT	8	/* of the bridge's PCI-X capability */
#define PCIX_DOWNSTREAM_SPLIT	12

/**
 * struct saved_config - configuration space of a function before the reset
 * @pdev: the function, with a reference; NULL: there is none
 * @pcix_cap: where its PCI-X capability is, or 0
 * @pcie_cap: where its PCI Express capability is, or 0
 * @dword: the contents
 */
struct saved_config {
	struct pci_dev *pdev;
	int pcix_cap;
	int pcie_cap;
	u32 dword[CONFIG_DWORDS];
};

/**
 * struct saved_card - what a reset of a card has to restore
 * @entry: in the list of cards that did not come back
 * @hca: the HCA
 * @bridge: its bridge, if it has one of its own
 */
struct saved_card {
	struct list_head entry;
	struct saved_config hca;
	struct saved_config bridge;
};

/*
 * Cards that did not come back. They outlive the driver's binding, because the next reset may be
 * that of another probe. A card that is removed instead stays in the list until the module exits.
 */
static LIST_HEAD(tavor_unrestored);
static DEFINE_SPINLOCK(tavor_unrestored_lock);

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

/* Whether the HCA decodes another address than its own: after a reset it has none. */
static bool tavor_reset_bar_lost(struct pci_dev *hca)
{
	bool wide = pci_resource_flags(hca, 0) & IORESOURCE_MEM_64;
	u32 low = 0, high = 0;

	pci_read_config_dword(hca, PCI_BASE_ADDRESS_0, &low);
	if (wide)
		pci_read_config_dword(hca, PCI_BASE_ADDRESS_1, &high);
	low &= (u32)PCI_BASE_ADDRESS_MEM_MASK;
	return ((u64)high << 32 | low) != pci_bus_address(hca, 0);
}

/* Whether a function does not respond, or has the configuration that a reset leaves. */
static bool tavor_reset_config_lost(struct pci_dev *pdev)
{
	u8 bus = 0;

	if (!pci_device_is_present(pdev))
		return true;
	if (!pdev->subordinate)
		return tavor_reset_bar_lost(pdev);
	pci_read_config_byte(pdev, PCI_SECONDARY_BUS, &bus);
	return bus != pdev->subordinate->number;
}

/* Dwords 22 and 23 are a gateway to the HCA's registers: touching them has effects. */
static int tavor_reset_save_dwords(struct saved_config *config)
{
	unsigned int i;
	int err;

	for (i = 0; i < CONFIG_DWORDS; i++) {
		if (i == 22 || i == 23)
			continue;
		err = pci_read_config_dword(config->pdev, i * 4, &config->dword[i]);
		if (err)
			return pcibios_err_to_errno(err);
	}
	return 0;
}

static int tavor_reset_save_config(struct saved_config *config, struct pci_dev *pdev,
				   struct pci_dev *hca)
{
	if (tavor_reset_config_lost(pdev)) {
		dev_err(&hca->dev, "%s has lost its configuration\n", pci_name(pdev));
		return -ENODEV;
	}
	config->pdev = pci_dev_get(pdev);
	config->pcix_cap = pci_find_capability(pdev, PCI_CAP_ID_PCIX);
	config->pcie_cap = pci_pcie_cap(pdev);
	return tavor_reset_save_dwords(config);
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
	int err;

	err = tavor_reset_restore_dword(config, config->pcix_cap + PCIX_UPSTREAM_SPLIT);
	err = err ?: tavor_reset_restore_dword(config, config->pcix_cap + PCIX_DOWNSTREAM_SPLIT);
	return err ?: tavor_reset_restore_header(config);
}

/* The other half of the dword is a status register; writing back what was read clears its bits. */
static int tavor_reset_restore_word(const struct saved_config *config, unsigned int offset)
{
	u32 dword = config->dword[offset / 4];

	return pcibios_err_to_errno(pci_write_config_word(config->pdev, offset,
							  offset & 2 ? dword >> 16 : dword));
}

static int tavor_reset_restore_hca(const struct saved_config *config)
{
	const int pcie_cap = config->pcie_cap;
	int err = 0;

	if (config->pcix_cap)
		err = tavor_reset_restore_dword(config, config->pcix_cap);
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
 * The configuration space is not valid before it has been restored. Other users of the struct
 * tavor_function wait for its lock meanwhile; accesses by others, as through sysfs, are not
 * blocked.
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

static int tavor_reset_restore_card(const struct saved_card *card)
{
	struct pci_dev *bridge = card->bridge.pdev, *hca = card->hca.pdev;
	int err;

	err = tavor_reset_wait_alive(bridge ?: hca, hca);
	if (!err && bridge)
		err = tavor_reset_restore_bridge(&card->bridge);
	err = err ?: tavor_reset_restore_hca(&card->hca);
	if (!err && tavor_reset_config_lost(hca)) {
		dev_err(&hca->dev, "its configuration could not be restored\n");
		err = -ENODEV;
	}
	return err;
}

/* ---- Cards ---- */

static void tavor_reset_free_card(struct saved_card *card)
{
	pci_dev_put(card->bridge.pdev);
	pci_dev_put(card->hca.pdev);
	kfree(card);
}

static int tavor_reset_save_bridge(struct saved_config *config, struct pci_dev *bridge,
				   struct pci_dev *hca)
{
	int err = tavor_reset_save_config(config, bridge, hca);

	if (!err && !config->pcix_cap) {
		dev_err(&hca->dev, "its bridge has no PCI-X capability\n");
		err = -ENODEV;
	}
	return err;
}

static int tavor_reset_save_both(struct saved_card *card, struct pci_dev *hca)
{
	struct pci_dev *bridge = pci_is_pcie(hca) ? NULL : tavor_reset_find_bridge(hca);
	int err = 0;

	if (bridge)
		err = tavor_reset_save_bridge(&card->bridge, bridge, hca);
	pci_dev_put(bridge);
	return err ?: tavor_reset_save_config(&card->hca, hca, hca);
}

static struct saved_card *tavor_reset_save_card(struct pci_dev *hca)
{
	struct saved_card *card = kzalloc(sizeof(*card), GFP_KERNEL);
	int err;

	if (!card)
		return ERR_PTR(-ENOMEM);
	err = tavor_reset_save_both(card, hca);
	if (!err)
		return card;
	tavor_reset_free_card(card);
	return ERR_PTR(err);
}

static void tavor_reset_keep_card(struct saved_card *card)
{
	spin_lock(&tavor_unrestored_lock);
	list_add(&card->entry, &tavor_unrestored);
	spin_unlock(&tavor_unrestored_lock);
}

static struct saved_card *tavor_reset_kept_card(struct pci_dev *hca)
{
	struct saved_card *card;

	lockdep_assert_held(&tavor_unrestored_lock);
	list_for_each_entry(card, &tavor_unrestored, entry)
		if (card->hca.pdev == hca)
			return card;
	return NULL;
}

/* Restores a card after its reset. One that does not come back is kept for the next reset. */
static int tavor_reset_finish(struct saved_card *card)
{
	int err = tavor_reset_restore_card(card);

	if (err)
		tavor_reset_keep_card(card);
	else
		tavor_reset_free_card(card);
	return err;
}

/* Restores what an earlier reset could not restore: without it the HCA is inaccessible. */
static int tavor_reset_catch_up(struct pci_dev *hca)
{
	struct saved_card *card;
	int err;

	spin_lock(&tavor_unrestored_lock);
	card = tavor_reset_kept_card(hca);
	if (card)
		list_del(&card->entry);
	spin_unlock(&tavor_unrestored_lock);
	if (!card)
		return 0;
	dev_info(&hca->dev, "restoring the configuration from before an earlier reset\n");
	err = tavor_reset_finish(card);
	/* What was saved before this may be of a function that did not respond. */
	return err ?: pci_save_state(hca);
}

/**
 * tavor_reset_unrestored() - whether a reset of the HCA has failed because it did not come back
 * @hca: function; if so, it is inaccessible until the next reset, if that succeeds
 *
 * Context: Process context.
 */
bool tavor_reset_unrestored(struct pci_dev *hca)
{
	bool is;

	spin_lock(&tavor_unrestored_lock);
	is = tavor_reset_kept_card(hca);
	spin_unlock(&tavor_unrestored_lock);
	return is;
}

/**
 * tavor_reset_exit() - forgets the cards that did not come back
 *
 * Context: Process context; no function is bound any more.
 */
void tavor_reset_exit(void)
{
	struct saved_card *card, *next;

	list_for_each_entry_safe(card, next, &tavor_unrestored, entry) {
		pci_warn(card->hca.pdev,
			 "not restored after its reset: unless it was removed it needs a power cycle\n");
		tavor_reset_free_card(card);
	}
}

/**
 * tavor_reset() - resets the HCA and restores its configuration space
 * @dev: device, in any state
 *
 * If an earlier reset has failed, the configuration from before that one is restored first.
 *
 * Context: Process context, sleeps for a second and more.
 * Return: 0 or a negative errno; -ENODEV: it did not come back within 11 seconds, it has lost its
 * configuration otherwise, or its bridge has no PCI-X capability.
 */
int tavor_reset(struct tavor_dev *dev)
{
	struct saved_card *card;
	int err;

	might_sleep();
	err = tavor_reset_catch_up(dev->pdev);
	if (err)
		return err;
	card = tavor_reset_save_card(dev->pdev);
	if (IS_ERR(card))
		return PTR_ERR(card);
	err = tavor_reset_trigger(dev);
	if (!err)
		return tavor_reset_finish(card);
	tavor_reset_free_card(card);
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
