/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * The layers of a device, from the PCI function to its registration.
 */
#ifndef TAVOR_LAYERS_H
#define TAVOR_LAYERS_H

struct tavor_dev;

int tavor_layers_up(struct tavor_dev *dev);
void tavor_layers_down(struct tavor_dev *dev);

#endif /* TAVOR_LAYERS_H */
