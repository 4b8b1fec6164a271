/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/* A modelled switch: what the agents and the cables need of it (switch.c). */
#ifndef HCA_SWITCH_H
#define HCA_SWITCH_H

#include "fabric/port.h"

/* Switch @index of this process, made at its first use; NULL if @index or memory does not allow. */
struct ibnode *switch_node(unsigned int index);
void switch_delete_all(void);

u16 switch_info_get(struct smp *s);
u16 switch_info_set(struct smp *s);
u16 lft_get(struct smp *s);
u16 lft_set(struct smp *s);
u16 mft_get(struct smp *s);
u16 mft_set(struct smp *s);

#endif
