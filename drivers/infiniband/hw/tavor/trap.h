/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * Traps of the firmware.
 */
#ifndef TAVOR_TRAP_H
#define TAVOR_TRAP_H

#include <rdma/ib_mad.h>

struct tavor_dev;

int tavor_mad_register_agents(struct tavor_dev *dev);
void tavor_mad_unregister_agents(struct tavor_dev *dev);
void tavor_forward_trap(struct tavor_dev *dev, u32 port, const struct ib_mad *mad);

#endif /* TAVOR_TRAP_H */
