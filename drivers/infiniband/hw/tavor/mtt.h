/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * Page lists of memory keys.
 */
#ifndef TAVOR_MTT_H
#define TAVOR_MTT_H

#include <linux/spinlock.h>
#include <linux/types.h>
#include <rdma/vrb_provider.h>

#include "bitmap.h"

struct tavor_dev;

/*
 * A run of MTT segments: 1 << order segments starting with first. entries == 0: none. lost: a
 * command that was given up may still write entries.
 */
struct tavor_mtt {
	u32 first;
	u32 entries;
	u8 order;
	bool lost;
};

#define TAVOR_MTT_MAX_ORDER	24

struct tavor_mtt_table {
	spinlock_t lock;		/* used, free */
	u32 order;			/* of the whole table */
	u32 used;			/* segments, reserved ones not counted */
	u32 reserved;
	struct tavor_bitmap free[TAVOR_MTT_MAX_ORDER + 1];
	void __iomem *map;		/* NULL: DDR hidden, WRITE_MTT instead */
};

int tavor_mtt_table_init(struct tavor_dev *dev);
void tavor_mtt_table_destroy(struct tavor_dev *dev);
int tavor_mtt_alloc(struct tavor_dev *dev, u32 entries, struct tavor_mtt *mtt);
void tavor_mtt_free(struct tavor_dev *dev, struct tavor_mtt *mtt);
u64 tavor_mtt_addr(const struct tavor_dev *dev, const struct tavor_mtt *mtt);
void tavor_mtt_store(struct tavor_dev *dev, const struct tavor_mtt *mtt, u32 first,
		     const u64 *pages, u32 n);
void tavor_encode_write_mtt(struct tavor_dev *dev, struct vrb_slot *slot,
			    const struct tavor_mtt *mtt, u32 first, const u64 *pages, u32 n);
int tavor_mtt_write(struct tavor_dev *dev, struct vrb_user *user, struct tavor_mtt *mtt,
		    u32 first, const u64 *pages, u32 n);

/**
 * struct tavor_mtt_job - entries that a request must write
 * @mtt: the run
 * @nr: number of entries, from the first on
 * @written: number of entries written so far
 * @over: nothing is to be written, and the other members have no meaning
 */
struct tavor_mtt_job {
	const struct tavor_mtt *mtt;
	u32 nr;
	u32 *written;
	bool over;
};

/**
 * struct tavor_mtt_type - a type of objects whose requests write entries
 * @object: the type
 * @job: returns what a request must write.
 *	Called in softirq or with BH disabled, with the engine's device lock held or not.
 * @pages: returns the DMA addresses of @n entries, from @first on.
 *	Returns 0, or -EINVAL: an address is invalid.
 *	Called as @job is.
 */
struct tavor_mtt_type {
	struct vrb_object_type object;
	void (*job)(struct vrb *vrb, struct tavor_mtt_job *job);
	int (*pages)(struct vrb *vrb, u32 first, u32 n, u64 *pages);
};

int tavor_mtt_step_store(struct vrb_device *vdev, struct vrb *vrb);
int tavor_mtt_step_encode(struct vrb_device *vdev, struct vrb *vrb, struct vrb_slot *slot);
int tavor_mtt_step_done(struct vrb_device *vdev, struct vrb *vrb, struct vrb_slot *slot,
			const struct vrb_result *result);

/* Two steps of a verb: one of them writes its entries. */
#define TAVOR_MTT_STORE_STEP {								\
	.name = "store MTTs", .work = tavor_mtt_step_store,				\
}

#define TAVOR_MTT_WRITE_STEP {								\
	.name = "WRITE_MTT", .encode = tavor_mtt_step_encode, .done = tavor_mtt_step_done, \
}

#endif /* TAVOR_MTT_H */
