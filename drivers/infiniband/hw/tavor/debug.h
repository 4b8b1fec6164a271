/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * The driver's files in debugfs.
 */
#ifndef TAVOR_DEBUG_H
#define TAVOR_DEBUG_H

struct tavor_dev;

void tavor_debug_init(void);
void tavor_debug_exit(void);
int tavor_debug_add(struct tavor_dev *dev);
void tavor_debug_remove(struct tavor_dev *dev);

#endif /* TAVOR_DEBUG_H */
