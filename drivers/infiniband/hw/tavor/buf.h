/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * Memory of kernel queues.
 */
#ifndef TAVOR_BUF_H
#define TAVOR_BUF_H

#include <linux/mm.h>
#include <linux/types.h>
#include <rdma/vrb_provider.h>

#include "mpt.h"

struct tavor_dev;

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
	u32 written;		/* number of MTTs that a create has written */
	size_t size;
};

int tavor_block_get(struct tavor_dev *dev, struct tavor_block *block, gfp_t gfp);
void tavor_block_put(struct tavor_dev *dev, const struct tavor_block *block);
int tavor_buf_pool_init(struct tavor_dev *dev);
void tavor_buf_pool_destroy(struct tavor_dev *dev);
int tavor_buf_alloc(struct tavor_dev *dev, struct tavor_buf *buf, size_t size, u32 pdn, u32 flags,
		    gfp_t gfp);
void tavor_buf_free(struct tavor_dev *dev, struct tavor_buf *buf);
int tavor_buf_write_mtt(struct tavor_dev *dev, struct tavor_buf *buf);

/**
 * struct tavor_half - what CQs, SRQs and QPs have in common
 * @memory: see tavor_half_put()
 * @user: a process's
 * @hw_owned: of a CQ or SRQ: the command that makes it the hardware's has been posted, and is not
 *	known to have failed
 * @open: a kernel CQ or SRQ that has been created: it may be used
 */
struct tavor_half {
	refcount_t memory;
	bool user;
	bool hw_owned;
	bool open;
};

/**
 * struct tavor_queue_type - a type of objects that have a buffer
 * @mtt: the type; see TAVOR_QUEUE_TYPE()
 * @half: offset of the struct tavor_half from the vrb_object
 * @buf: offset of the struct tavor_buf from the vrb_object
 * @spare: likewise for the buffer that a resize moves to; after the move, for the previous buffer
 */
struct tavor_queue_type {
	struct tavor_mtt_type mtt;
	ptrdiff_t half;
	ptrdiff_t buf;
	ptrdiff_t spare;
};

/*
 * Type of the struct @queue, which has members object, half and buf, and @other for a resize; more
 * of its object's type may follow.
 */
#define TAVOR_QUEUE_TYPE(queue, other, text, release_it, ...) {				\
	.mtt = {									\
		.object = {								\
			.name = (text), .release = (release_it), .free = tavor_half_free, \
			__VA_ARGS__							\
		},									\
		.job = tavor_buf_mtt_job,						\
		.pages = tavor_buf_mtt_pages,						\
	},										\
	.half = offsetof(queue, half) - offsetof(queue, object),			\
	.buf = offsetof(queue, buf) - offsetof(queue, object),				\
	.spare = offsetof(queue, other) - offsetof(queue, object),			\
}

void tavor_buf_mtt_job(struct vrb *vrb, struct tavor_mtt_job *job);
int tavor_buf_mtt_pages(struct vrb *vrb, u32 first, u32 n, u64 *pages);
int tavor_buf_create(struct vrb_device *vdev, struct vrb *vrb, struct vrb_slot *slot);
int tavor_buf_created(struct vrb_device *vdev, struct vrb *vrb, struct vrb_slot *slot,
		      const struct vrb_result *result);
void tavor_buf_late(struct vrb_device *vdev, struct vrb_object *object,
		    const struct vrb_result *result);
int tavor_buf_destroy(struct vrb_device *vdev, struct vrb *vrb, struct vrb_slot *slot);
int tavor_buf_destroyed(struct vrb_device *vdev, struct vrb *vrb, struct vrb_slot *slot,
			const struct vrb_result *result);
void tavor_half_free(struct vrb_object *object);
int tavor_half_created(struct vrb_device *vdev, struct vrb *vrb, struct vrb_slot *slot,
		       const struct vrb_result *result);
void tavor_half_late(struct vrb_device *vdev, struct vrb_object *object,
		     const struct vrb_result *result);
int tavor_half_destroy(struct vrb_device *vdev, struct vrb *vrb, struct vrb_slot *slot, u16 op);
int tavor_half_destroyed(struct vrb_device *vdev, struct vrb *vrb, struct vrb_slot *slot,
			 const struct vrb_result *result);

/*
 * The steps of a queue's verbs for the key of its buffer; the steps for its MTTs precede them. The
 * type is a tavor_queue_type. A queue in a process's memory region needs neither: its create begins
 * after them.
 */
#define TAVOR_NR_BUF_CREATE_STEPS	3	/* with those of the MTTs */

#define TAVOR_BUF_CREATE_STEP {								\
	.name = "SW2HW_MPT", .encode = tavor_buf_create, .done = tavor_buf_created,	\
	.undo = tavor_buf_destroy, .undone = tavor_buf_destroyed, .late = tavor_buf_late, \
}

#define TAVOR_BUF_DESTROY_STEP {							\
	.name = "HW2SW_MPT", .encode = tavor_buf_destroy, .done = tavor_buf_destroyed,	\
}

/* A verb that creates queues of the kernel */
#define TAVOR_CREATE_VERB(text, table) {						\
	.name = (text), .class = VRB_CLASS_NORMAL, .creates = true, VRB_STEPS(table),	\
}

/* The same for a process, in its memory region: without the steps for a buffer of the driver's */
#define TAVOR_CREATE_USER_VERB(text, table) {						\
	.name = (text), .class = VRB_CLASS_NORMAL, .creates = true,			\
	.steps = (table) + TAVOR_NR_BUF_CREATE_STEPS,					\
	.nr_steps = sizeof(table) / sizeof(struct vrb_step) - TAVOR_NR_BUF_CREATE_STEPS, \
}

/* A kernel's queue may be used as soon as the hardware has it. */
static inline void tavor_half_open(struct tavor_half *half)
{
	WRITE_ONCE(half->open, !half->user);
}

static inline void *tavor_buf_at(const struct tavor_buf *buf, size_t offset)
{
	return buf->block[offset >> PAGE_SHIFT].addr + offset_in_page(offset);
}

#endif /* TAVOR_BUF_H */
