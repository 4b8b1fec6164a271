/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * Hardware objects by number.
 */
#ifndef TAVOR_TABLE_H
#define TAVOR_TABLE_H

#include <linux/rcupdate.h>
#include <linux/spinlock.h>

#include "alloc.h"
#include "bitmap.h"

struct tavor_dev;
struct vrb_object;

/* Objects by index; freed after a grace period of RCU. */
struct tavor_places {
	struct rcu_head rcu;
	u32 mask;			/* number of places - 1 */
	struct vrb_object *object[];
};

/**
 * struct tavor_table - objects by number; see table.c
 * @alloc: their numbers; num 0: there is no such table
 * @lock: BH; guards changes of @places, and @present
 * @places: NULL before the table exists and after it was destroyed; read without the lock, too
 * @present: which places have an object
 */
struct tavor_table {
	struct tavor_alloc alloc;
	spinlock_t lock;		/* see above */
	struct tavor_places *places;
	struct tavor_bitmap present;
};

int tavor_table_init(struct tavor_table *table, const char *name, u32 num, u32 mask, u32 reserved);
void tavor_table_destroy(struct tavor_dev *dev, struct tavor_table *table);
int tavor_table_insert(struct tavor_table *table, struct vrb_object *object);
void tavor_table_remove(struct tavor_table *table, struct vrb_object *object);
void tavor_table_put(struct tavor_table *table, struct vrb_object *object);
struct vrb_object *tavor_table_find(struct tavor_table *table, u32 number);
bool tavor_table_next(struct tavor_table *table, u32 *index, struct vrb_object **object);
struct vrb_object *tavor_table_get(struct tavor_dev *dev, struct tavor_table *table, u32 number);

#endif /* TAVOR_TABLE_H */
