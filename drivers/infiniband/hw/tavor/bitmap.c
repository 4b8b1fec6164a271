// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Bitmaps with a summary level: bit w of the summary says that word w has a bit set. A search for a
 * set bit reads at most size / 4096 words, so allocators can use it under a BH spin lock.
 *
 * There is no lock here: the owner must serialize the calls.
 */
#include <linux/bitops.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "bitmap.h"

/**
 * tavor_bitmap_init() - an empty bitmap
 * @map: to set up
 * @size: number of bits
 *
 * Context: Process context, may sleep.
 * Return: 0 or -ENOMEM.
 */
int tavor_bitmap_init(struct tavor_bitmap *map, u32 size)
{
	u32 words = BITS_TO_LONGS(size);

	map->size = size;
	map->count = 0;
	map->bits = kvcalloc(words, sizeof(long), GFP_KERNEL);
	map->summary = kvcalloc(BITS_TO_LONGS(words), sizeof(long), GFP_KERNEL);
	if (map->bits && map->summary)
		return 0;
	tavor_bitmap_destroy(map);
	return -ENOMEM;
}

/**
 * tavor_bitmap_destroy() - frees what tavor_bitmap_init() allocated
 * @map: may be zeroed or destroyed before
 *
 * Context: Process context, may sleep.
 */
void tavor_bitmap_destroy(struct tavor_bitmap *map)
{
	kvfree(map->bits);
	kvfree(map->summary);
	map->bits = NULL;
	map->summary = NULL;
}

/**
 * tavor_bitmap_set() - sets a bit
 * @map: the bitmap
 * @bit: below its size
 *
 * Context: Any, under the owner's lock.
 */
void tavor_bitmap_set(struct tavor_bitmap *map, u32 bit)
{
	if (__test_and_set_bit(bit, map->bits))
		return;
	map->count++;
	__set_bit(BIT_WORD(bit), map->summary);
}

/**
 * tavor_bitmap_clear() - clears a bit
 * @map: the bitmap
 * @bit: below its size
 *
 * Context: Any, under the owner's lock.
 */
void tavor_bitmap_clear(struct tavor_bitmap *map, u32 bit)
{
	if (!__test_and_clear_bit(bit, map->bits))
		return;
	map->count--;
	if (!map->bits[BIT_WORD(bit)])
		__clear_bit(BIT_WORD(bit), map->summary);
}

/**
 * tavor_bitmap_next() - finds a set bit
 * @map: the bitmap
 * @from: first candidate
 *
 * Context: Any, under the owner's lock.
 * Return: the first set bit >= @from, or the size of the map.
 */
u32 tavor_bitmap_next(const struct tavor_bitmap *map, u32 from)
{
	u32 words = BITS_TO_LONGS(map->size);
	u32 word = BIT_WORD(from);
	unsigned long bits;

	if (!map->count || from >= map->size)
		return map->size;
	bits = map->bits[word] & BITMAP_FIRST_WORD_MASK(from);
	if (bits)
		return word * BITS_PER_LONG + __ffs(bits);
	word = find_next_bit(map->summary, words, word + 1);
	if (word >= words)
		return map->size;
	return word * BITS_PER_LONG + __ffs(map->bits[word]);
}
