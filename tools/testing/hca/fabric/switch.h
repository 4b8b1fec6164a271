/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/* A modelled switch */
#ifndef HCA_SWITCH_H
#define HCA_SWITCH_H

#include "fabric/port.h"

#define LFT_SIZE 0xc000u
#define MFT_SIZE 1024u

struct ibswitch {
	struct ibnode *node;
	u16 lft_top;
	u8 default_port, default_primary, default_not_primary;
	u8 life_time;
	bool state_change;
	u8 lft[LFT_SIZE];
	u64 mft[MFT_SIZE]; /* one bit per port */
};

static inline struct ibswitch *switch_of(const struct ibnode *node)
{
	return node->sw;
}

/* --- switch.c --- */

/* Returns switch @index, created at its first use; NULL if @index is invalid or without memory. */
struct ibnode *switch_node(unsigned int index);
void switch_delete_all(void);

/* --- switch_tables.c --- */

u16 switch_info_get(struct smp *s);
u16 switch_info_set(struct smp *s);
u16 lft_get(struct smp *s);
u16 lft_set(struct smp *s);
u16 mft_get(struct smp *s);
u16 mft_set(struct smp *s);

#endif
