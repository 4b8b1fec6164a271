/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * A PCI function whose device may fail and come back.
 */
#ifndef TAVOR_RECOVERY_H
#define TAVOR_RECOVERY_H

#include <linux/types.h>

struct pci_dev;

int tavor_function_add(struct pci_dev *pdev);
void tavor_function_remove(struct pci_dev *pdev);
void tavor_function_shutdown(struct pci_dev *pdev);

void tavor_function_cut_off(struct pci_dev *pdev, bool for_good);
int tavor_function_slot_reset(struct pci_dev *pdev);
void tavor_function_resumed(struct pci_dev *pdev);

void tavor_function_sleep(struct pci_dev *pdev);
void tavor_function_wake(struct pci_dev *pdev);

#endif /* TAVOR_RECOVERY_H */
