/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * Reset of the HCA, and the DMA fence.
 */
#ifndef TAVOR_RESET_H
#define TAVOR_RESET_H

#include <linux/types.h>

struct pci_dev;
struct tavor_dev;

int tavor_reset(struct tavor_dev *dev);
bool tavor_reset_unrestored(struct pci_dev *hca);
void tavor_reset_exit(void);
void tavor_dma_off(struct tavor_dev *dev);

#endif /* TAVOR_RESET_H */
