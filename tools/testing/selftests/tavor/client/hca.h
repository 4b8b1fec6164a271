/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * The PCI function of the HCA, for modules that change it as a bus or a machine does.
 */
#ifndef TAVOR_TEST_HCA_H
#define TAVOR_TEST_HCA_H

#include <linux/pci.h>

#define VENDOR_MELLANOX		0x15b3
#define CLASS_INFINIBAND	0x0c06

/* The bridge of a PCI-X card has the same vendor ID. Returns a reference, or NULL. */
static inline struct pci_dev *hca_find(void)
{
	struct pci_dev *pdev = NULL;

	while ((pdev = pci_get_device(VENDOR_MELLANOX, PCI_ANY_ID, pdev)))
		if (pdev->class >> 8 == CLASS_INFINIBAND)
			return pdev;
	return NULL;
}

/* The configuration is lost as after a reset of the slot, or without power. */
static inline void hca_forget_config(struct pci_dev *pdev)
{
	int bar;

	pci_write_config_word(pdev, PCI_COMMAND, 0);
	for (bar = 0; bar < PCI_STD_NUM_BARS; bar++)
		pci_write_config_dword(pdev, PCI_BASE_ADDRESS_0 + 4 * bar, 0);
}

#endif /* TAVOR_TEST_HCA_H */
