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

static inline __be64 tavor_doorbell(u32 hi, u32 lo)
{
	return cpu_to_be64((u64)hi << 32 | lo);
}

/*
 * One doorbell of the driver's page: a 64-bit store, ordered after all earlier memory writes. Any
 * context.
 */
static inline void tavor_ring_doorbell(struct tavor_kar *kar, u32 reg, __be64 doorbell)
{
#ifdef CONFIG_64BIT
	writeq(le64_to_cpu((__force __le64)doorbell), kar->map + reg);
#else
	unsigned long flags;

	spin_lock_irqsave(&kar->lock, flags);
	iowrite32be(upper_32_bits(be64_to_cpu(doorbell)), kar->map + reg);
	iowrite32be(lower_32_bits(be64_to_cpu(doorbell)), kar->map + reg + 4);
	spin_unlock_irqrestore(&kar->lock, flags);
#endif
}

static inline void tavor_ring(struct tavor_kar *kar, u32 reg, u32 hi, u32 lo)
{
	tavor_ring_doorbell(kar, reg, tavor_doorbell(hi, lo));
}

#endif /* TAVOR_UAR_H */
