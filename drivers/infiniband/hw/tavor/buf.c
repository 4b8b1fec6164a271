// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Memory of kernel queues: page-sized blocks of one DMA pool, made contiguous by an MTT list, so
 * that they can be allocated and freed in softirq. The pool is filled when the device is probed,
 * grows if that is not enough, and keeps its pages until the device is removed.
 */
#include <linux/dmapool.h>
#include <linux/slab.h>

#include "buf.h"
#include "object.h"
#include "params.h"
#include "tavor.h"

/**
 * tavor_block_get() - a block of the pool, zeroed
 * @dev: device
 * @block: result
 * @gfp: GFP_KERNEL or GFP_ATOMIC: how the pool grows if it has no free block
 *
 * Context: Any down to softirq, as @gfp says.
 * Return: 0 or -ENOMEM.
 */
int tavor_block_get(struct tavor_dev *dev, struct tavor_block *block, gfp_t gfp)
{
	int taken, pages;

	block->addr = dma_pool_zalloc(dev->buf_pool, gfp, &block->dma);
	if (!block->addr)
		return -ENOMEM;
	taken = atomic_inc_return(&dev->buf_blocks);
	/* The pool has grown if more blocks are in use than ever before. */
	pages = atomic_read(&dev->buf_pages);
	while (taken > pages && !atomic_try_cmpxchg(&dev->buf_pages, &pages, taken))
		;
	return 0;
}

/**
 * tavor_block_put() - returns a block to the pool
 * @dev: device
 * @block: from tavor_block_get(); the hardware no longer uses it
 *
 * Context: Any down to softirq.
 */
void tavor_block_put(struct tavor_dev *dev, const struct tavor_block *block)
{
	dma_pool_free(dev->buf_pool, block->addr, block->dma);
	atomic_dec(&dev->buf_blocks);
}

static void tavor_buf_free_blocks(struct tavor_dev *dev, struct tavor_buf *buf)
{
	while (buf->nr_blocks)
		tavor_block_put(dev, &buf->block[--buf->nr_blocks]);
	kfree(buf->block);
	buf->block = NULL;
}

static int tavor_buf_alloc_blocks(struct tavor_dev *dev, struct tavor_buf *buf, u32 nr, gfp_t gfp)
{
	buf->nr_blocks = 0;
	buf->block = kcalloc(nr, sizeof(*buf->block), gfp);
	if (!buf->block)
		return -ENOMEM;
	while (buf->nr_blocks < nr) {
		if (tavor_block_get(dev, &buf->block[buf->nr_blocks], gfp)) {
			tavor_buf_free_blocks(dev, buf);
			return -ENOMEM;
		}
		buf->nr_blocks++;
	}
	return 0;
}

/* A freed block stays in the pool. */
static int tavor_buf_pool_fill(struct tavor_dev *dev)
{
	struct tavor_buf buf;
	int err;

	if (!tavor_params.ring_pages)
		return 0;
	err = tavor_buf_alloc_blocks(dev, &buf, tavor_params.ring_pages, GFP_KERNEL);
	if (!err)
		tavor_buf_free_blocks(dev, &buf);
	return err;
}

/**
 * tavor_buf_pool_init() - the pool of blocks
 * @dev: device
 *
 * Context: Process context, may sleep.
 * Return: 0 or -ENOMEM.
 */
int tavor_buf_pool_init(struct tavor_dev *dev)
{
	dev->buf_pool = dma_pool_create("tavor queue", &dev->pdev->dev, PAGE_SIZE, PAGE_SIZE, 0);
	if (!dev->buf_pool)
		return -ENOMEM;
	if (!tavor_buf_pool_fill(dev))
		return 0;
	dma_pool_destroy(dev->buf_pool);
	return -ENOMEM;
}

/**
 * tavor_buf_pool_destroy() - the end of the pool; blocks in use have leaked and are counted
 * @dev: device
 *
 * Context: Process context, may sleep.
 */
void tavor_buf_pool_destroy(struct tavor_dev *dev)
{
	int blocks = atomic_read(&dev->buf_blocks);

	if (blocks)
		dev_err(&dev->pdev->dev, "%d queue blocks still in use\n", blocks);
	dev->leaked += blocks;
	dma_pool_destroy(dev->buf_pool);
}

/**
 * tavor_buf_alloc() - zeroed memory of a queue and a key for it, from address 0 on
 * @dev: device
 * @buf: result; the MTTs are not yet written and the hardware does not own the MPT
 * @size: bytes wanted, > 0
 * @pdn: protection domain of the key
 * @flags: TAVOR_MPT_LW if the hardware writes the queue
 * @gfp: GFP_KERNEL or GFP_ATOMIC
 *
 * Context: Any down to softirq, as @gfp says.
 * Return: 0 or -ENOMEM.
 */
int tavor_buf_alloc(struct tavor_dev *dev, struct tavor_buf *buf, size_t size, u32 pdn, u32 flags,
		    gfp_t gfp)
{
	u32 nr = DIV_ROUND_UP(size, PAGE_SIZE);
	int err;

	memset(buf, 0, sizeof(*buf));
	buf->size = size;
	err = tavor_buf_alloc_blocks(dev, buf, nr, gfp);
	if (err)
		return err;
	err = tavor_mpt_alloc(dev, &buf->mpt, nr);
	if (err) {
		tavor_buf_free_blocks(dev, buf);
		return err;
	}
	buf->mpt.pdn = pdn;
	buf->mpt.flags = flags;
	buf->mpt.page_shift = PAGE_SHIFT;
	buf->mpt.start = 0;
	buf->mpt.length = (u64)nr << PAGE_SHIFT;
	return 0;
}

/**
 * tavor_buf_free() - returns the blocks of a queue's memory to the pool, and frees its key
 * @dev: device
 * @buf: the queue's memory; all zero if none was allocated
 *
 * If the hardware still owns the key and the device has not failed, nothing is freed: the hardware
 * may still write to the blocks, so they stay allocated, and the log says so.
 *
 * Context: Any down to softirq.
 */
void tavor_buf_free(struct tavor_dev *dev, struct tavor_buf *buf)
{
	if (!buf->block)
		return;
	tavor_mpt_free(dev, &buf->mpt);
	if (!buf->mpt.key)
		tavor_buf_free_blocks(dev, buf);
}

/**
 * tavor_buf_write_mtt() - the MTT list of a buffer
 * @dev: device
 * @buf: as tavor_buf_alloc() made it
 *
 * Context: Process context, may sleep.
 * Return: 0 or the errno of WRITE_MTT.
 */
int tavor_buf_write_mtt(struct tavor_dev *dev, struct tavor_buf *buf)
{
	u64 pages[32];
	u32 first, n, i;
	int err;

	for (first = 0; first < buf->nr_blocks; first += n) {
		n = min_t(u32, buf->nr_blocks - first, ARRAY_SIZE(pages));
		for (i = 0; i < n; i++)
			pages[i] = buf->block[first + i].dma;
		err = tavor_mtt_write(dev, NULL, &buf->mpt.mtt, first, pages, n);
		if (err)
			return err;
	}
	return 0;
}

/* ---- Steps of a queue's verbs: MTTs and key of its buffer, and the queue itself ---- */

static const struct tavor_queue_type *tavor_queue_type_of(const struct vrb_object *object)
{
	return container_of(object->type, struct tavor_queue_type, mtt.object);
}

static struct tavor_half *tavor_half_of(struct vrb_object *object)
{
	return (void *)object + tavor_queue_type_of(object)->half;
}

/* The buffer that a request works on */
static struct tavor_buf *tavor_buf_of(struct vrb *vrb)
{
	const struct tavor_queue_type *type = tavor_queue_type_of(vrb->object);

	return (void *)vrb->object + (vrb->op == VRB_OP_RESIZE_CQ ? type->spare : type->buf);
}

/**
 * tavor_buf_mtt_job() - &tavor_mtt_type.job of a queue's create or resize
 * @vrb: the request
 * @job: filled in
 *
 * Context: Softirq or BH disabled.
 */
void tavor_buf_mtt_job(struct vrb *vrb, struct tavor_mtt_job *job)
{
	struct tavor_buf *buf = tavor_buf_of(vrb);

	/*
	 * While a poll may exchange the buffers of a CQ whose resize has been executed, the
	 * hardware owns both, whichever is seen here.
	 */
	job->over = READ_ONCE(buf->mpt.hw_owned);
	job->mtt = &buf->mpt.mtt;
	job->nr = buf->nr_blocks;
	job->written = &buf->written;
}

/**
 * tavor_buf_mtt_pages() - &tavor_mtt_type.pages of a queue's create or resize
 * @vrb: the request
 * @first: of its blocks
 * @n: how many
 * @pages: filled in
 *
 * Context: Softirq or BH disabled.
 * Return: 0.
 */
int tavor_buf_mtt_pages(struct vrb *vrb, u32 first, u32 n, u64 *pages)
{
	const struct tavor_block *block = tavor_buf_of(vrb)->block + first;

	while (n--)
		*pages++ = block++->dma;
	return 0;
}

/**
 * tavor_buf_create() - &vrb_step.encode of a create or resize: SW2HW_MPT of the buffer
 * @vdev: device
 * @vrb: the request; the queue may be a process's, which has no buffer of the driver's
 * @slot: where to encode
 *
 * From the time the command is posted until its failure is known, the buffer must be treated as
 * owned by the hardware.
 *
 * Context: Softirq or BH disabled, engine's device lock held.
 * Return: as &vrb_step.encode.
 */
int tavor_buf_create(struct vrb_device *vdev, struct vrb *vrb, struct vrb_slot *slot)
{
	struct tavor_mpt *mpt = &tavor_buf_of(vrb)->mpt;

	/* After a resize that timed out the hardware may own the key already. */
	if (!mpt->key || mpt->hw_owned)
		return VRB_NEXT;
	tavor_encode_sw2hw_mpt(vrb_to_tdev(vdev), slot, mpt);
	mpt->hw_owned = true;
	return VRB_POST;
}

/**
 * tavor_buf_created() - &vrb_step.done of the same
 * @vdev: device
 * @vrb: the request
 * @slot: its slot
 * @result: of the command
 *
 * Context: Softirq.
 * Return: as &vrb_step.done.
 */
int tavor_buf_created(struct vrb_device *vdev, struct vrb *vrb, struct vrb_slot *slot,
		      const struct vrb_result *result)
{
	if (result->status)
		tavor_buf_of(vrb)->mpt.hw_owned = false;
	return result->status;
}

/**
 * tavor_buf_late() - &vrb_step.late of a create
 * @vdev: device
 * @object: the queue
 * @result: of the command
 *
 * Context: Softirq.
 */
void tavor_buf_late(struct vrb_device *vdev, struct vrb_object *object,
		    const struct vrb_result *result)
{
	struct tavor_buf *buf = (void *)object + tavor_queue_type_of(object)->buf;

	if (result->status)
		buf->mpt.hw_owned = false;
}

/**
 * tavor_buf_destroy() - &vrb_step.encode of a destroy, &vrb_step.undo of a create: HW2SW_MPT
 * @vdev: device
 * @vrb: the request
 * @slot: where to encode
 *
 * Context: Softirq or BH disabled, engine's device lock held.
 * Return: as &vrb_step.encode.
 */
int tavor_buf_destroy(struct vrb_device *vdev, struct vrb *vrb, struct vrb_slot *slot)
{
	return tavor_mpt_take(vdev, slot, &tavor_buf_of(vrb)->mpt);
}

/**
 * tavor_buf_destroyed() - &vrb_step.done of a destroy, &vrb_step.undone of a create
 * @vdev: device
 * @vrb: the request
 * @slot: its slot
 * @result: of the command
 *
 * Context: Softirq.
 * Return: as &vrb_step.done.
 */
int tavor_buf_destroyed(struct vrb_device *vdev, struct vrb *vrb, struct vrb_slot *slot,
			const struct vrb_result *result)
{
	return tavor_mpt_taken(&tavor_buf_of(vrb)->mpt, result);
}

/**
 * tavor_half_free() - &vrb_object_type.free
 * @object: the queue
 *
 * Context: Softirq.
 */
void tavor_half_free(struct vrb_object *object)
{
	tavor_half_put(object, &tavor_half_of(object)->memory);
}

/**
 * tavor_half_late() - &vrb_step.late of the command that makes a CQ or an SRQ the hardware's
 * @vdev: device
 * @object: the queue. If the command has succeeded, a create that is submitted again skips it
 * @result: of the command
 *
 * Context: Softirq.
 */
void tavor_half_late(struct vrb_device *vdev, struct vrb_object *object,
		     const struct vrb_result *result)
{
	if (result->status)
		tavor_half_of(object)->hw_owned = false;
}

/**
 * tavor_half_created() - &vrb_step.done of the same
 * @vdev: device
 * @vrb: the request
 * @slot: its slot
 * @result: of the command
 *
 * Context: Softirq.
 * Return: as &vrb_step.done.
 */
int tavor_half_created(struct vrb_device *vdev, struct vrb *vrb, struct vrb_slot *slot,
		       const struct vrb_result *result)
{
	tavor_half_late(vdev, vrb->object, result);
	if (!result->status)
		tavor_half_open(tavor_half_of(vrb->object));
	return result->status;
}

/**
 * tavor_half_destroy() - encode the command that takes a CQ or an SRQ back
 * @vdev: device
 * @vrb: the request
 * @slot: its slot
 * @op: the command; its modifier is the object's number
 *
 * Context: as &vrb_step.encode.
 * Return: as &vrb_step.encode.
 */
int tavor_half_destroy(struct vrb_device *vdev, struct vrb *vrb, struct vrb_slot *slot, u16 op)
{
	if (!tavor_half_of(vrb->object)->hw_owned)
		return VRB_NEXT;
	tavor_cmd_set(vrb_to_tdev(vdev), slot, op, 0, vrb->object->id, TAVOR_CMD_OUT);
	return VRB_POST;
}

/**
 * tavor_half_destroyed() - &vrb_step.done of the command that takes a CQ or an SRQ back
 * @vdev: device
 * @vrb: the request
 * @slot: its slot
 * @result: of the command
 *
 * Context: Softirq.
 * Return: as &vrb_step.done.
 */
int tavor_half_destroyed(struct vrb_device *vdev, struct vrb *vrb, struct vrb_slot *slot,
			 const struct vrb_result *result)
{
	if (!result->status)
		tavor_half_of(vrb->object)->hw_owned = false;
	return result->status;
}
