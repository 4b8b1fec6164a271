/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * Bits with a summary.
 */
#ifndef TAVOR_BITMAP_H
#define TAVOR_BITMAP_H

#include <linux/types.h>

/* Bits with a summary level, so that looking for one is short. No lock of its own. */
struct tavor_bitmap {
	u32 size;
	u32 count;			/* bits set */
	unsigned long *bits;
	unsigned long *summary;		/* bit w: word w of bits is not zero */
};

int tavor_bitmap_init(struct tavor_bitmap *map, u32 size);
void tavor_bitmap_destroy(struct tavor_bitmap *map);
void tavor_bitmap_set(struct tavor_bitmap *map, u32 bit);
void tavor_bitmap_clear(struct tavor_bitmap *map, u32 bit);
u32 tavor_bitmap_next(const struct tavor_bitmap *map, u32 from);

#endif /* TAVOR_BITMAP_H */
