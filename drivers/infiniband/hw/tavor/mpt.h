/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * Memory keys.
 */
#ifndef TAVOR_MPT_H
#define TAVOR_MPT_H

#include <linux/types.h>

#include "hw_mpt.h"
#include "mtt.h"

struct tavor_dev;
struct vrb_device;
struct vrb_result;
struct vrb_slot;

#define TAVOR_LIBMTHCA_LKEY	0x100	/* libmthca ends a scatter list with it: never a key */

/**
 * struct tavor_mpt - one MPT entry: a memory region or window as the hardware sees it
 * @key: L_Key and R_Key; its low bits are the index; 0: not allocated
 * @pdn: protection domain number
 * @flags: TAVOR_MPT_* access and kind
 * @is_window: only @key and @pdn are used; the rest is set by the work request that binds it
 * @page_shift: of the entries in @mtt, >= 12
 * @start: first virtual address
 * @length: in bytes
 * @hw_owned: SW2HW_MPT has succeeded, or its result is not known: of the buffer of a queue from the
 *	time the command is encoded, of other entries after a timeout in tavor_mpt_enable()
 * @mtt: its translations
 */
struct tavor_mpt {
	u32 key;
	u32 pdn;
	u32 flags;
	bool is_window;
	u8 page_shift;
	bool hw_owned;
	u64 start;
	u64 length;
	struct tavor_mtt mtt;
};

int tavor_mpt_table_init(struct tavor_dev *dev);
void tavor_mpt_table_destroy(struct tavor_dev *dev);
int tavor_mpt_alloc(struct tavor_dev *dev, struct tavor_mpt *mpt, u32 pages);
void tavor_mpt_change_key(struct tavor_dev *dev, struct tavor_mpt *mpt);
void tavor_mpt_free(struct tavor_dev *dev, struct tavor_mpt *mpt);
u32 tavor_mpt_access(const struct tavor_dev *dev, int ib_access);
int tavor_mpt_ib_access(u32 flags);

void tavor_encode_sw2hw_mpt(struct tavor_dev *dev, struct vrb_slot *slot,
			    const struct tavor_mpt *mpt);
void tavor_encode_hw2sw_mpt(struct tavor_dev *dev, struct vrb_slot *slot,
			    const struct tavor_mpt *mpt);
int tavor_mpt_take(struct vrb_device *vdev, struct vrb_slot *slot, const struct tavor_mpt *mpt);
int tavor_mpt_taken(struct tavor_mpt *mpt, const struct vrb_result *result);
int tavor_mpt_enable(struct tavor_dev *dev, struct tavor_mpt *mpt);
int tavor_mpt_disable(struct tavor_dev *dev, struct tavor_mpt *mpt);

#endif /* TAVOR_MPT_H */
