/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * Doorbell pages, and the store that rings a doorbell.
 */
#ifndef TAVOR_UAR_H
#define TAVOR_UAR_H

#include <linux/io.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include "hw_regs.h"

struct tavor_dev;

struct tavor_uar {
	u32 index;
	unsigned long pfn;
};

/* The driver's own page. */
struct tavor_kar {
	struct tavor_uar uar;
	void __iomem *map;
#ifndef CONFIG_64BIT
	spinlock_t lock;		/* a doorbell is two stores */
#endif
};

int tavor_uar_init(struct tavor_dev *dev);
void tavor_uar_cleanup(struct tavor_dev *dev);
int tavor_uar_alloc(struct tavor_dev *dev, struct tavor_uar *uar);
void tavor_uar_free(struct tavor_dev *dev, struct tavor_uar *uar);

/*
 * One doorbell of the driver's page: a 64-bit big-endian store, ordered after all earlier memory
 * writes. Any context.
 */
static inline void tavor_ring(struct tavor_kar *kar, u32 reg, u32 hi, u32 lo)
{
#ifdef CONFIG_64BIT
	writeq(swab64((u64)hi << 32 | lo), kar->map + reg);
#else
	unsigned long flags;

	spin_lock_irqsave(&kar->lock, flags);
	iowrite32be(hi, kar->map + reg);
	iowrite32be(lo, kar->map + reg + 4);
	spin_unlock_irqrestore(&kar->lock, flags);
#endif
}

#endif /* TAVOR_UAR_H */
