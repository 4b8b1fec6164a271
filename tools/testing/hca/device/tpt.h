/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/* MPT entries in the DDR (tavor-hw 9.1), for tpt.c and tpt_cmd.c. */
#ifndef HCA_TPT_H
#define HCA_TPT_H

#include "core/bytes.h"
#include "device/device.h"

#define MPT_SIZE 64
#define MPT_SW_STATUS 0xf0000000u
#define MPT_BIND (1u << 15)
#define MPT_ATOMIC (1u << 14)
#define MPT_REMOTE_WRITE (1u << 13)
#define MPT_REMOTE_READ (1u << 12)
#define MPT_LOCAL_WRITE (1u << 11)
#define MPT_LOCAL_READ (1u << 10)
#define MPT_PHYSICAL (1u << 9)
#define MPT_REGION (1u << 8)

enum {
	MPT_FLAGS = 0,
	MPT_PAGE = 4,
	MPT_KEY_AT = 8,
	MPT_PD = 0xc,
	MPT_START = 0x10,
	MPT_LEN = 0x18,
	MPT_LKEY = 0x20,
	MPT_BOUND = 0x24,
	MPT_LIMIT = 0x28,
	MPT_MTT_AT = 0x2c
};

struct tpt {
	u8 *mpt;  /* the table, in DDR */
	u32 mask; /* number of MPTs - 1 */
	/* HCA addresses; the MTT table ends where the next area of the DDR begins */
	u64 mtt_base, mtt_end;
	/*
	 * The entries that a card could have cached since the last SYNC_TPT, or the last command on
	 * the entry: one bit for each MTT entry, and the last used key of each MPT entry (0: none).
	 */
	u64 *mtt_cached;
	u32 *mpt_cached;
};

static inline struct tpt *tpt_of(const struct hca *h)
{
	return (struct tpt *)hca_part(h, PART_TPT);
}

static inline u8 *tpt_entry(const struct tpt *t, u32 key)
{
	return t->mpt + (size_t)(key & t->mask) * MPT_SIZE;
}

/* Any value other than 0xF means that hardware owns the entry. */
static inline bool mpt_owned(const u8 *e)
{
	return get32(e) >> 28 != 0xf;
}

static inline unsigned int mpt_page_shift(const u8 *e)
{
	return 12 + (get32(e + MPT_PAGE) & 0x1f);
}

/* Removes the entry and its translations from the cache, when hardware releases the entry. */
void tpt_invalidate(struct tpt *t, const u8 *e);
void tpt_sync(struct tpt *t);

/* Returns the MPT entry of the region that a window is bound to, or NULL if the region is gone. */
u8 *tpt_window_region(struct tpt *t, const u8 *window);
void tpt_unbind(struct tpt *t, u8 *window);

#endif
