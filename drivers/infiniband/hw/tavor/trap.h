/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * Traps of the firmware.
 */
#ifndef TAVOR_TRAP_H
#define TAVOR_TRAP_H

#include <rdma/ib_mad.h>

struct tavor_dev;

int tavor_trap_init(void);
void tavor_trap_exit(void);
void tavor_forward_trap(struct tavor_dev *dev, u32 port, const struct ib_mad *mad);

#endif /* TAVOR_TRAP_H */
