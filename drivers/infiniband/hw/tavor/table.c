// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Tables of CQs, SRQs and QPs by the numbers in events and completions. An object stays in its
 * table until it is released, which happens after the hardware has released it. An object that is
 * being destroyed is not found any more.
 *
 * A table has room for all objects from the beginning, so nothing is allocated later.
 */
#include <linux/mm.h>
#include <linux/slab.h>

#include "table.h"
#include "tavor.h"

static u32 tavor_table_index_of(const struct tavor_table *table, u32 number)
{
	return number & table->places->mask;
}

/**
 * tavor_table_init() - creates an empty table and the allocator of its numbers
 * @table: to set up
 * @name: for messages
 * @num: objects it has room for, a power of two
 * @mask: bits a number may have
 * @reserved: the first indices, which are the firmware's or the driver's
 *
 * Context: Process context, may sleep.
 * Return: 0 or a negative errno.
 */
int tavor_table_init(struct tavor_table *table, const char *name, u32 num, u32 mask, u32 reserved)
{
	struct tavor_places *places;
	int err;

	places = kvzalloc(struct_size(places, object, num), GFP_KERNEL);
	if (!places)
		return -ENOMEM;
	places->mask = num - 1;
	err = tavor_bitmap_init(&table->present, num);
	if (err)
		goto free_places;
	err = tavor_alloc_init(&table->alloc, name, num, mask, reserved);
	if (err)
		goto destroy_present;
	spin_lock_init(&table->lock);
	/* Who finds the places finds the rest of the table initialised. */
	smp_store_release(&table->places, places);
	return 0;

destroy_present:
	tavor_bitmap_destroy(&table->present);
free_places:
	kvfree(places);
	return err;
}

/**
 * tavor_table_destroy() - frees a table; objects that are still in it have leaked and are counted
 * @dev: device
 * @table: the table
 *
 * The event queues exist longer than the tables: lookups for late events may be under way.
 *
 * Context: Process context, may sleep.
 */
void tavor_table_destroy(struct tavor_dev *dev, struct tavor_table *table)
{
	struct tavor_places *places = table->places;

	spin_lock_bh(&table->lock);
	WRITE_ONCE(table->places, NULL);
	spin_unlock_bh(&table->lock);
	kvfree_rcu(places, rcu);
	tavor_alloc_destroy(dev, &table->alloc);
	tavor_bitmap_destroy(&table->present);
	table->alloc.num = 0;
}

/**
 * tavor_table_insert() - inserts an object, so that it can be found
 * @table: the table
 * @object: object, its number taken
 *
 * Context: Any down to softirq.
 * Return: 0, or -EBUSY: its place is taken.
 */
int tavor_table_insert(struct tavor_table *table, struct vrb_object *object)
{
	u32 index = tavor_table_index_of(table, object->id);
	int err = -EBUSY;

	spin_lock_bh(&table->lock);
	if (!table->places->object[index]) {
		/* Who finds it without the lock finds it initialised. */
		smp_store_release(&table->places->object[index], object);
		tavor_bitmap_set(&table->present, index);
		err = 0;
	}
	spin_unlock_bh(&table->lock);
	return err;
}

/**
 * tavor_table_remove() - removes an object, so that it is not found; its number stays in use
 * @table: the table
 * @object: object, which may not be in it
 *
 * Context: Any down to softirq, under the table's lock.
 */
void tavor_table_remove(struct tavor_table *table, struct vrb_object *object)
{
	u32 index = tavor_table_index_of(table, object->id);

	lockdep_assert_held(&table->lock);
	if (table->places->object[index] != object)
		return;
	WRITE_ONCE(table->places->object[index], NULL);
	tavor_bitmap_clear(&table->present, index);
}

/**
 * tavor_table_put() - removes an object, so that its number can be used again
 * @table: the table
 * @object: object that the hardware has released; it need not be in the table
 *
 * Context: Any down to softirq.
 */
void tavor_table_put(struct tavor_table *table, struct vrb_object *object)
{
	spin_lock_bh(&table->lock);
	tavor_table_remove(table, object);
	spin_unlock_bh(&table->lock);
	tavor_alloc_put(&table->alloc, object->id);
}

/**
 * tavor_table_find() - finds the object with a number
 * @table: the table
 * @number: number from the hardware
 *
 * Context: Any; the caller must prevent the release of the object, and of the table by RCU or
 * because it has an object of the table.
 * Return: the object, or NULL.
 */
struct vrb_object *tavor_table_find(struct tavor_table *table, u32 number)
{
	struct tavor_places *places;
	struct vrb_object *object;

	/* Pairs with the release in tavor_table_init(). */
	places = smp_load_acquire(&table->places);
	if (!places)
		return NULL;
	/* Pairs with the release in tavor_table_insert(). */
	object = smp_load_acquire(&places->object[number & places->mask]);
	return object && object->id == number ? object : NULL;
}

/**
 * tavor_table_get() - takes a reference to the object of an event
 * @dev: device
 * @table: the table; faulty firmware may send events before it exists
 * @number: number from the hardware
 *
 * Context: Softirq.
 * Return: the object, or NULL if there is none or it is being destroyed.
 */
struct vrb_object *tavor_table_get(struct tavor_dev *dev, struct tavor_table *table, u32 number)
{
	struct vrb_object *object;

	rcu_read_lock();
	object = tavor_table_find(table, number);
	if (object && !vrb_object_tryget(object))
		object = NULL;
	rcu_read_unlock();
	if (!object)
		ibdev_dbg(&dev->ib_dev, "event of none of the %s: %#x\n",
			  table->alloc.name ?: "objects", number);
	return object;
}

/**
 * tavor_table_next() - takes a reference to the next object of a table
 * @table: the table
 * @index: 0 for the first call; set to the position of the next object
 * @object: set to the object, or to NULL if it is being destroyed
 *
 * Context: Any down to softirq.
 * Return: whether there was one; false also before the table exists and after it was destroyed.
 */
bool tavor_table_next(struct tavor_table *table, u32 *index, struct vrb_object **object)
{
	struct tavor_places *places;

	*object = NULL;
	/* Pairs with the release in tavor_table_init(): the lock is there. */
	if (!smp_load_acquire(&table->places))
		return false;
	spin_lock_bh(&table->lock);
	places = table->places;
	if (places) {
		*index = tavor_bitmap_next(&table->present, *index);
		if (*index > places->mask)
			places = NULL;
		else if (vrb_object_tryget(places->object[*index]))
			*object = places->object[*index];
	}
	spin_unlock_bh(&table->lock);
	++*index;
	return places;
}
