/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * Memory of kernel queues.
 */
#ifndef TAVOR_BUF_H
#define TAVOR_BUF_H

#include <linux/mm.h>
#include <linux/types.h>

#include "mpt.h"

struct tavor_dev;
struct vrb;
struct vrb_result;
struct vrb_slot;

struct tavor_block {
	void *addr;
	dma_addr_t dma;
};

/*
 * Memory of a kernel queue: page-sized blocks, contiguous only to the hardware. mpt starts at
 * address 0.
 */
struct tavor_buf {
	struct tavor_mpt mpt;
	struct tavor_block *block;
	u32 nr_blocks;
	size_t size;
};

int tavor_buf_pool_init(struct tavor_dev *dev);
void tavor_buf_pool_destroy(struct tavor_dev *dev);
int tavor_buf_alloc(struct tavor_dev *dev, struct tavor_buf *buf, size_t size, u32 pdn, u32 flags,
		    gfp_t gfp);
void tavor_buf_free(struct tavor_dev *dev, struct tavor_buf *buf);
int tavor_buf_write_mtt(struct tavor_dev *dev, struct tavor_buf *buf);

int tavor_buf_create_encode(struct tavor_dev *dev, struct vrb *vrb, struct vrb_slot *slot,
			    struct tavor_buf *buf);
int tavor_buf_create_advance(const struct vrb *vrb, const struct vrb_result *result,
			     struct tavor_buf *buf);
int tavor_buf_destroy_encode(struct tavor_dev *dev, struct vrb_slot *slot, struct tavor_buf *buf);

static inline void *tavor_buf_at(const struct tavor_buf *buf, size_t offset)
{
	return buf->block[offset >> PAGE_SHIFT].addr + offset_in_page(offset);
}

#endif /* TAVOR_BUF_H */
