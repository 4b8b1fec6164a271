/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * ib_core's view of the device.
 */
#ifndef TAVOR_DEVICE_H
#define TAVOR_DEVICE_H

struct tavor_dev;

int tavor_ib_register(struct tavor_dev *dev);
void tavor_ib_unregister(struct tavor_dev *dev);

#endif /* TAVOR_DEVICE_H */
