/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * Memory keys and their page lists. All multi-byte fields are big-endian.
 */
#ifndef TAVOR_HW_MPT_H
#define TAVOR_HW_MPT_H

#include <linux/bits.h>
#include <linux/types.h>

#include "hw.h"

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

TAVOR_HW_SIZE(tavor_mpt_entry, 0x40);
TAVOR_HW_FIELD(tavor_mpt_entry, flags, 0x0);
TAVOR_HW_FIELD(tavor_mpt_entry, page_size, 0x4);
TAVOR_HW_FIELD(tavor_mpt_entry, key, 0x8);
TAVOR_HW_FIELD(tavor_mpt_entry, pd, 0xc);
TAVOR_HW_FIELD(tavor_mpt_entry, start, 0x10);
TAVOR_HW_FIELD(tavor_mpt_entry, length, 0x18);
TAVOR_HW_FIELD(tavor_mpt_entry, lkey, 0x20);
TAVOR_HW_FIELD(tavor_mpt_entry, window_count, 0x24);
TAVOR_HW_FIELD(tavor_mpt_entry, window_limit, 0x28);
TAVOR_HW_FIELD(tavor_mpt_entry, mtt_hi, 0x2c);
TAVOR_HW_FIELD(tavor_mpt_entry, mtt_lo, 0x30);

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

TAVOR_HW_SIZE(tavor_write_mtt, 0x1000);
TAVOR_HW_FIELD(tavor_write_mtt, addr, 0x0);
TAVOR_HW_FIELD(tavor_write_mtt, entry, 0x10);

#define TAVOR_WRITE_MTT_MAX	510U

#endif /* TAVOR_HW_MPT_H */
