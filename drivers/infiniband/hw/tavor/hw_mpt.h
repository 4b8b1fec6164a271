/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * Memory keys and their page lists. All multi-byte fields are big-endian.
 */
#ifndef TAVOR_HW_MPT_H
#define TAVOR_HW_MPT_H

#include <linux/bits.h>
#include <linux/build_bug.h>
#include <linux/types.h>

/* MPT: 64 bytes, the mailbox of SW2HW_MPT and the format in DDR */
struct tavor_mpt_entry {
	__be32 flags;
	__be32 page_size;		/* log2 - 12 */
	__be32 key;
	__be32 pd;
	__be64 start;
	__be64 length;
	__be32 lkey;			/* output: region of a window */
	__be32 window_count;
	__be32 window_limit;
	__be32 mtt_hi;			/* address of the first MTT segment */
	__be32 mtt_lo;
	__be32 reserved[3];
} __packed;

static_assert(sizeof(struct tavor_mpt_entry) == 64);

#define TAVOR_MPT_SW_OWNED	(0xfU << 28)
#define TAVOR_MPT_MIO		BIT(17)
#define TAVOR_MPT_BIND		BIT(15)
#define TAVOR_MPT_ATOMIC	BIT(14)
#define TAVOR_MPT_RW		BIT(13)
#define TAVOR_MPT_RR		BIT(12)
#define TAVOR_MPT_LW		BIT(11)
#define TAVOR_MPT_LR		BIT(10)
#define TAVOR_MPT_PHYSICAL	BIT(9)
#define TAVOR_MPT_REGION	BIT(8)

#define TAVOR_MPT_SIZE		64
#define TAVOR_MTT_ENTRY_SIZE	8
#define TAVOR_MTT_PRESENT	1

/* WRITE_MTT: address of the first entry, then the entries, an even number of them */
struct tavor_write_mtt {
	__be64 addr;
	__be64 reserved;
	__be64 entry[510];
};

static_assert(sizeof(struct tavor_write_mtt) == 4096);

#define TAVOR_WRITE_MTT_MAX	510U

#endif /* TAVOR_HW_MPT_H */
