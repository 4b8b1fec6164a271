/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * Numbers of hardware objects.
 */
#ifndef TAVOR_ALLOC_H
#define TAVOR_ALLOC_H

#include <linux/spinlock.h>
#include <linux/types.h>

#include "bitmap.h"

struct tavor_dev;

/**
 * struct tavor_alloc - numbers of hardware objects
 * @name: for leak messages
 * @num: size of the table, a power of two; the low bits of a number are its index
 * @mask: all bits a number may have; those above @num change each time an index is given out, so
 *	that a number is not used again soon
 * @avoid: a number never handed out; 0: none
 * @used: numbers handed out and not yet returned
 */
struct tavor_alloc {
	const char *name;
	u32 num;
	u32 mask;
	u32 avoid;
	u32 used;
	/* private: */
	spinlock_t lock;
	struct tavor_bitmap free;
	u32 next;
	u32 *number;			/* by index: the next one of it */
};

int tavor_alloc_init(struct tavor_alloc *alloc, const char *name, u32 num, u32 mask, u32 reserved);
void tavor_alloc_destroy(struct tavor_dev *dev, struct tavor_alloc *alloc);
int tavor_alloc_get(struct tavor_alloc *alloc, u32 *number);
u32 tavor_alloc_change(const struct tavor_alloc *alloc, u32 number);
void tavor_alloc_put(struct tavor_alloc *alloc, u32 number);

#endif /* TAVOR_ALLOC_H */
