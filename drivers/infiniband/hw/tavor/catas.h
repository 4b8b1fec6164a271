/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * Catastrophic errors.
 */
#ifndef TAVOR_CATAS_H
#define TAVOR_CATAS_H

#include <linux/types.h>

struct tavor_dev;

int tavor_catas_start(struct tavor_dev *dev);
void tavor_catas_stop(struct tavor_dev *dev);
u32 tavor_catas_read(struct tavor_dev *dev, u32 *dword, u32 max);
void tavor_catas_look(struct tavor_dev *dev);
void tavor_fatal(struct tavor_dev *dev);

#endif /* TAVOR_CATAS_H */
