/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * Page lists of memory keys.
 */
#ifndef TAVOR_MTT_H
#define TAVOR_MTT_H

#include <linux/spinlock.h>
#include <linux/types.h>

#include "bitmap.h"

struct tavor_dev;
struct vrb_slot;
struct vrb_user;

/* A run of MTT segments: 1 << order segments starting with first. entries == 0: none. */
struct tavor_mtt {
	u32 first;
	u32 entries;
	u8 order;
};

#define TAVOR_MTT_MAX_ORDER	24

struct tavor_mtt_table {
	spinlock_t lock;		/* used, free */
	u32 order;			/* of the whole table */
	u32 used;			/* segments, reserved ones not counted */
	u32 reserved;
	struct tavor_bitmap free[TAVOR_MTT_MAX_ORDER + 1];
	void __iomem *map;		/* NULL: DDR hidden, WRITE_MTT instead */
};

int tavor_mtt_table_init(struct tavor_dev *dev);
void tavor_mtt_table_destroy(struct tavor_dev *dev);
int tavor_mtt_alloc(struct tavor_dev *dev, u32 entries, struct tavor_mtt *mtt);
void tavor_mtt_free(struct tavor_dev *dev, struct tavor_mtt *mtt);
u64 tavor_mtt_addr(const struct tavor_dev *dev, const struct tavor_mtt *mtt);
void tavor_mtt_store(struct tavor_dev *dev, const struct tavor_mtt *mtt, u32 first,
		     const u64 *pages, u32 n);
void tavor_encode_write_mtt(struct tavor_dev *dev, struct vrb_slot *slot,
			    const struct tavor_mtt *mtt, u32 first, const u64 *pages, u32 n);
int tavor_mtt_write(struct tavor_dev *dev, struct vrb_user *user, const struct tavor_mtt *mtt,
		    u32 first, const u64 *pages, u32 n);

#endif /* TAVOR_MTT_H */
