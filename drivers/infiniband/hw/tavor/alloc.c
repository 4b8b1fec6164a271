// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Numbers of hardware objects: QPNs, CQNs, keys, PDs, UAR pages, EQNs.
 *
 * The low bits of a number are its index in a table; the bits above, if the mask has any, change
 * each time the index is given out. The search for a free index begins after the one that was given
 * out last. So a stale number with such bits does not name a new object until they have wrapped
 * around. UAR pages and EQNs have no such bits.
 */
#include <linux/log2.h>
#include <linux/mm.h>

#include "alloc.h"
#include "tavor.h"

/**
 * tavor_alloc_init() - an allocator with all but the reserved indices free
 * @alloc: to set up
 * @name: for messages
 * @num: indices, a power of two
 * @mask: bits a number may have
 * @reserved: the first indices, which are the firmware's or the driver's
 *
 * Context: Process context, may sleep.
 * Return: 0, -ENOMEM, or -EINVAL if nothing is left or @num is no power of two.
 */
int tavor_alloc_init(struct tavor_alloc *alloc, const char *name, u32 num, u32 mask, u32 reserved)
{
	int err;
	u32 i;

	if (!is_power_of_2(num) || reserved >= num)
		return -EINVAL;
	alloc->number = kvmalloc_array(num, sizeof(*alloc->number), GFP_KERNEL);
	if (!alloc->number)
		return -ENOMEM;
	err = tavor_bitmap_init(&alloc->free, num);
	if (err) {
		kvfree(alloc->number);
		return err;
	}
	for (i = reserved; i < num; i++) {
		tavor_bitmap_set(&alloc->free, i);
		alloc->number[i] = i;
	}
	spin_lock_init(&alloc->lock);
	alloc->name = name;
	alloc->num = num;
	alloc->mask = mask;
	alloc->avoid = 0;
	alloc->used = 0;
	alloc->next = 0;
	return 0;
}

/**
 * tavor_alloc_destroy() - frees a table; numbers that are still in use have leaked and are counted
 * @dev: device that counts
 * @alloc: the table
 *
 * Context: Process context, may sleep.
 */
void tavor_alloc_destroy(struct tavor_dev *dev, struct tavor_alloc *alloc)
{
	if (alloc->used)
		dev_err(&dev->pdev->dev, "%u %s still in use\n", alloc->used, alloc->name);
	dev->leaked += alloc->used;
	tavor_bitmap_destroy(&alloc->free);
	kvfree(alloc->number);
}

/* The next free index, with wrap-around; num: none. */
static u32 tavor_alloc_pick(const struct tavor_alloc *alloc)
{
	u32 index = tavor_bitmap_next(&alloc->free, alloc->next);

	return index < alloc->num ? index : tavor_bitmap_next(&alloc->free, 0);
}

/* The next number of this index. */
static u32 tavor_alloc_after(const struct tavor_alloc *alloc, u32 number)
{
	return (number + alloc->num) & alloc->mask;
}

static u32 tavor_alloc_allowed(const struct tavor_alloc *alloc, u32 number)
{
	return alloc->avoid && number == alloc->avoid ? tavor_alloc_after(alloc, number) : number;
}

/**
 * tavor_alloc_get() - takes a number
 * @alloc: the allocator
 * @number: the number
 *
 * Context: Any down to softirq.
 * Return: 0, or -ENOMEM if all are in use.
 */
int tavor_alloc_get(struct tavor_alloc *alloc, u32 *number)
{
	int err = -ENOMEM;
	u32 index;

	spin_lock_bh(&alloc->lock);
	index = tavor_alloc_pick(alloc);
	if (index < alloc->num) {
		tavor_bitmap_clear(&alloc->free, index);
		alloc->next = index + 1;
		alloc->used++;
		*number = tavor_alloc_allowed(alloc, alloc->number[index]);
		err = 0;
	}
	spin_unlock_bh(&alloc->lock);
	return err;
}

/**
 * tavor_alloc_change() - another number for the same index, so that the old one becomes invalid
 * @alloc: allocator of @number
 * @number: number in use, which the hardware does not use
 *
 * Context: Any.
 * Return: the new number; the caller must not free the old one.
 */
u32 tavor_alloc_change(const struct tavor_alloc *alloc, u32 number)
{
	return tavor_alloc_allowed(alloc, tavor_alloc_after(alloc, number));
}

/**
 * tavor_alloc_put() - returns a number
 * @alloc: allocator of @number
 * @number: from tavor_alloc_get() or tavor_alloc_change(); the hardware no longer uses it
 *
 * Context: Any down to softirq.
 */
void tavor_alloc_put(struct tavor_alloc *alloc, u32 number)
{
	u32 index = number & (alloc->num - 1);

	spin_lock_bh(&alloc->lock);
	if (!WARN_ON_ONCE(test_bit(index, alloc->free.bits))) {
		tavor_bitmap_set(&alloc->free, index);
		alloc->number[index] = tavor_alloc_after(alloc, number);
		alloc->used--;
	}
	spin_unlock_bh(&alloc->lock);
}
