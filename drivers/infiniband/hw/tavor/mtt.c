// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * MTT segments: a buddy allocator for the MTT table in the HCA's DDR, and functions that write
 * entries. Entries are stored through BAR 4 if the DDR is visible, otherwise by WRITE_MTT.
 */
#include <linux/log2.h>
#include <linux/slab.h>

#include "mtt.h"
#include "tavor.h"

static void tavor_mtt_buddy_destroy(struct tavor_mtt_table *table)
{
	u32 order;

	for (order = 0; order <= table->order; order++)
		tavor_bitmap_destroy(&table->free[order]);
}

static int tavor_mtt_buddy_init(struct tavor_mtt_table *table, u32 order)
{
	int err;
	u32 i;

	spin_lock_init(&table->lock);
	table->order = order;
	table->used = 0;
	for (i = 0; i <= order; i++) {
		err = tavor_bitmap_init(&table->free[i], 1U << (order - i));
		if (err) {
			tavor_mtt_buddy_destroy(table);
			return err;
		}
	}
	tavor_bitmap_set(&table->free[order], 0);
	return 0;
}

/* Smallest free block of at least @order, cut to size. Returns the segment or -1. */
static s64 tavor_mtt_buddy_get(struct tavor_mtt_table *table, u32 order)
{
	u32 bit, o;

	lockdep_assert_held(&table->lock);
	for (o = order; o <= table->order; o++)
		if (table->free[o].count)
			break;
	if (o > table->order)
		return -1;
	bit = tavor_bitmap_next(&table->free[o], 0);
	tavor_bitmap_clear(&table->free[o], bit);
	while (o > order) {
		o--;
		bit <<= 1;
		tavor_bitmap_set(&table->free[o], bit + 1);
	}
	table->used += 1U << order;
	return (s64)bit << order;
}

static void tavor_mtt_buddy_put(struct tavor_mtt_table *table, u32 segment, u32 order)
{
	u32 bit = segment >> order;

	lockdep_assert_held(&table->lock);
	table->used -= 1U << order;
	while (order < table->order && test_bit(bit ^ 1, table->free[order].bits)) {
		tavor_bitmap_clear(&table->free[order], bit ^ 1);
		bit >>= 1;
		order++;
	}
	tavor_bitmap_set(&table->free[order], bit);
}

static int tavor_mtt_map(struct tavor_dev *dev)
{
	struct tavor_mtt_table *table = &dev->mtt;
	resource_size_t bar = pci_resource_start(dev->pdev, 4);
	u64 offset = dev->layout.mtt & (dev->ddr_bar_size - 1);

	table->map = NULL;
	if (!dev->ddr_bar_size)
		return 0;
	table->map = ioremap(bar + offset,
			     (u64)dev->limits.num_mtt_segs * dev->limits.mtt_seg_size);
	return table->map ? 0 : -ENOMEM;
}

/**
 * tavor_mtt_table_init() - creates the allocator; the reserved segments are in use
 * @dev: device with its layout made
 *
 * Context: Process context, may sleep.
 * Return: 0, -ENOMEM, or -EINVAL if the table is too large.
 */
int tavor_mtt_table_init(struct tavor_dev *dev)
{
	u32 order = ilog2(dev->limits.num_mtt_segs);
	struct tavor_mtt_table *table = &dev->mtt;
	int err;

	if (order > TAVOR_MTT_MAX_ORDER)
		return -EINVAL;
	err = tavor_mtt_buddy_init(table, order);
	if (err)
		return err;
	table->reserved = 0;
	if (dev->lim.reserved_mtt_segs) {
		u32 reserved = order_base_2(dev->lim.reserved_mtt_segs);

		spin_lock_bh(&table->lock);
		if (reserved < order && !tavor_mtt_buddy_get(table, reserved))
			table->reserved = table->used;
		spin_unlock_bh(&table->lock);
		err = table->reserved ? 0 : -EINVAL;
	}
	if (!err)
		err = tavor_mtt_map(dev);
	if (err)
		tavor_mtt_buddy_destroy(table);
	return err;
}

/**
 * tavor_mtt_table_destroy() - frees the allocator; segments in use have leaked and are counted
 * @dev: device
 *
 * Context: Process context, may sleep.
 */
void tavor_mtt_table_destroy(struct tavor_dev *dev)
{
	struct tavor_mtt_table *table = &dev->mtt;

	if (table->used != table->reserved) {
		dev_err(&dev->pdev->dev, "%u MTT segments still in use\n",
			table->used - table->reserved);
		dev->leaked++;
	}
	if (table->map)
		iounmap(table->map);
	tavor_mtt_buddy_destroy(table);
}

/**
 * tavor_mtt_alloc() - takes contiguous MTT entries
 * @dev: device
 * @entries: number of entries, > 0
 * @mtt: result
 *
 * Context: Any down to softirq.
 * Return: 0, or -ENOMEM if there is no such run.
 */
int tavor_mtt_alloc(struct tavor_dev *dev, u32 entries, struct tavor_mtt *mtt)
{
	u32 per_segment = dev->limits.mtt_seg_size / TAVOR_MTT_ENTRY_SIZE;
	/* Rounded up without an addition, which might overflow. */
	u32 order = order_base_2((entries - 1) / per_segment + 1);
	s64 segment;

	if (order > dev->mtt.order)
		return -ENOMEM;
	spin_lock_bh(&dev->mtt.lock);
	segment = tavor_mtt_buddy_get(&dev->mtt, order);
	spin_unlock_bh(&dev->mtt.lock);
	if (segment < 0)
		return -ENOMEM;
	mtt->first = segment;
	mtt->order = order;
	mtt->entries = entries;
	mtt->lost = false;
	return 0;
}

/**
 * tavor_mtt_free() - returns entries that no MPT of the hardware refers to any more
 * @dev: device
 * @mtt: may be empty; is empty afterwards
 *
 * Entries that a lost command may still write are not used again before the device's next reset.
 *
 * Context: Any down to softirq.
 */
void tavor_mtt_free(struct tavor_dev *dev, struct tavor_mtt *mtt)
{
	if (!mtt->entries)
		return;
	if (mtt->lost && !vrb_device_quiesced(dev->vrb)) {
		dev_warn(&dev->pdev->dev, "%u MTT entries are lost with a WRITE_MTT\n",
			 mtt->entries);
		mtt->entries = 0;
		return;
	}
	spin_lock_bh(&dev->mtt.lock);
	tavor_mtt_buddy_put(&dev->mtt, mtt->first, mtt->order);
	spin_unlock_bh(&dev->mtt.lock);
	mtt->entries = 0;
}

/**
 * tavor_mtt_addr() - HCA address of the first entry
 * @dev: device
 * @mtt: entries
 *
 * Context: Any.
 * Return: the address.
 */
u64 tavor_mtt_addr(const struct tavor_dev *dev, const struct tavor_mtt *mtt)
{
	return dev->layout.mtt + (u64)mtt->first * dev->limits.mtt_seg_size;
}

static void tavor_mtt_store_one(void __iomem *entry, u64 page)
{
	u64 value = page | TAVOR_MTT_PRESENT;

#ifdef CONFIG_64BIT
	writeq(swab64(value), entry);
#else
	iowrite32be(upper_32_bits(value), entry);
	iowrite32be(lower_32_bits(value), entry + 4);
#endif
}

/**
 * tavor_mtt_store() - writes entries of a visible table; SW2HW_MPT comes after it
 * @dev: device with &tavor_mtt_table.map
 * @mtt: the run
 * @first: first entry of it to write
 * @pages: DMA addresses
 * @n: how many
 *
 * Context: Any.
 */
void tavor_mtt_store(struct tavor_dev *dev, const struct tavor_mtt *mtt, u32 first,
		     const u64 *pages, u32 n)
{
	void __iomem *entry = dev->mtt.map + (size_t)mtt->first * dev->limits.mtt_seg_size +
			      (size_t)first * TAVOR_MTT_ENTRY_SIZE;
	u32 i;

	for (i = 0; i < n; i++)
		tavor_mtt_store_one(entry + (size_t)i * TAVOR_MTT_ENTRY_SIZE, pages[i]);
}

/**
 * tavor_encode_write_mtt() - step: writes entries of a hidden table; SW2HW_MPT comes after it
 * @dev: device
 * @slot: where to encode
 * @mtt: the run
 * @first: first entry of it to write, even
 * @pages: DMA addresses
 * @n: number of entries, at most TAVOR_WRITE_MTT_MAX; must be even unless they end the run, which
 *	is padded with a zero entry
 *
 * Context: Softirq or BH disabled, engine's device lock held.
 */
void tavor_encode_write_mtt(struct tavor_dev *dev, struct vrb_slot *slot,
			    const struct tavor_mtt *mtt, u32 first, const u64 *pages, u32 n)
{
	struct tavor_write_mtt *in = tavor_mbox_in(dev, slot);
	u32 i;

	in->addr = cpu_to_be64(tavor_mtt_addr(dev, mtt) + (u64)first * TAVOR_MTT_ENTRY_SIZE);
	in->reserved = 0;
	for (i = 0; i < n; i++)
		in->entry[i] = cpu_to_be64(pages[i] | TAVOR_MTT_PRESENT);
	if (n & 1)
		in->entry[n] = 0;
	tavor_cmd_set(dev, slot, TAVOR_CMD_WRITE_MTT, 0, round_up(n, 2), TAVOR_CMD_IN);
}

/**
 * tavor_mtt_write() - writes entries; SW2HW_MPT comes after it
 * @dev: device
 * @user: the process that is charged; NULL: the kernel
 * @mtt: the run
 * @first: first entry of it to write, even
 * @pages: DMA addresses
 * @n: number of entries; must be even unless they end the run
 *
 * After a failure of the device, objects return their runs without a command, and the HCA may have
 * entries of these cached until its reset. So nothing is written then.
 *
 * Context: Process context, may sleep: without a visible DDR this is WRITE_MTT.
 * Return: 0 or the errno of WRITE_MTT; -EIO if the device has failed.
 */
int tavor_mtt_write(struct tavor_dev *dev, struct vrb_user *user, struct tavor_mtt *mtt,
		    u32 first, const u64 *pages, u32 n)
{
	u64 addr = tavor_mtt_addr(dev, mtt) + (u64)first * TAVOR_MTT_ENTRY_SIZE;
	u32 done, chunk;
	int err;

	might_sleep();
	if (WARN_ON_ONCE(first + n > mtt->entries))
		return -EINVAL;
	/* Checked after the run was allocated: if such an object returned it, this is true. */
	if (vrb_device_failed(dev->vrb))
		return -EIO;
	if (dev->mtt.map) {
		tavor_mtt_store(dev, mtt, first, pages, n);
		return 0;
	}
	for (done = 0; done < n; done += chunk) {
		chunk = min(n - done, TAVOR_WRITE_MTT_MAX);
		err = tavor_fw_write_mtt(dev, user, addr + (u64)done * TAVOR_MTT_ENTRY_SIZE,
					 pages + done, chunk);
		if (err) {
			mtt->lost |= err == -ETIMEDOUT;
			return err;
		}
	}
	return 0;
}

/* ---- Steps of a verb ---- */

#define TAVOR_MTT_PORTION	64U	/* entries, at most, that a run of the engine writes */

static const struct tavor_mtt_type *tavor_mtt_type_of(const struct vrb *vrb)
{
	return container_of(vrb->object->type, struct tavor_mtt_type, object);
}

static struct tavor_mtt_job tavor_mtt_job_of(struct vrb *vrb)
{
	struct tavor_mtt_job job = {};

	tavor_mtt_type_of(vrb)->job(vrb, &job);
	return job;
}

static u32 tavor_mtt_portion(const struct tavor_mtt_job *job)
{
	return min(job->nr - *job->written, TAVOR_MTT_PORTION);
}

static int tavor_mtt_portion_over(const struct tavor_mtt_job *job)
{
	*job->written += tavor_mtt_portion(job);
	return *job->written < job->nr ? VRB_AGAIN : VRB_NEXT;
}

/**
 * tavor_mtt_step_store() - &vrb_step.work: writes a portion of entries, if the table is visible
 * @vdev: device
 * @vrb: request on an object of a struct tavor_mtt_type
 *
 * Context: Softirq.
 * Return: as &vrb_step.work.
 */
int tavor_mtt_step_store(struct vrb_device *vdev, struct vrb *vrb)
{
	struct tavor_mtt_job job = tavor_mtt_job_of(vrb);
	struct tavor_dev *dev = vrb_to_tdev(vdev);
	u64 pages[TAVOR_MTT_PORTION];
	int err;
	u32 n;

	if (!dev->mtt.map || job.over)
		return VRB_NEXT;
	n = tavor_mtt_portion(&job);
	err = tavor_mtt_type_of(vrb)->pages(vrb, *job.written, n, pages);
	if (err)
		return err;
	tavor_mtt_store(dev, job.mtt, *job.written, pages, n);
	return tavor_mtt_portion_over(&job);
}

/**
 * tavor_mtt_step_encode() - &vrb_step.encode: writes a portion of entries, if the table is hidden
 * @vdev: device
 * @vrb: request on an object of a struct tavor_mtt_type
 * @slot: where to encode
 *
 * Context: Softirq or BH disabled, engine's device lock held.
 * Return: as &vrb_step.encode.
 */
int tavor_mtt_step_encode(struct vrb_device *vdev, struct vrb *vrb, struct vrb_slot *slot)
{
	struct tavor_mtt_job job = tavor_mtt_job_of(vrb);
	u64 pages[TAVOR_MTT_PORTION];
	int err;
	u32 n;

	if (job.over)
		return VRB_NEXT;
	n = tavor_mtt_portion(&job);
	if (!n)
		return VRB_NEXT;
	err = tavor_mtt_type_of(vrb)->pages(vrb, *job.written, n, pages);
	if (err)
		return err;
	tavor_encode_write_mtt(vrb_to_tdev(vdev), slot, job.mtt, *job.written, pages, n);
	return VRB_POST;
}

/**
 * tavor_mtt_step_done() - &vrb_step.done of that step
 * @vdev: device
 * @vrb: request
 * @slot: its slot
 * @result: of the command
 *
 * Context: Softirq.
 * Return: as &vrb_step.done.
 */
int tavor_mtt_step_done(struct vrb_device *vdev, struct vrb *vrb, struct vrb_slot *slot,
			const struct vrb_result *result)
{
	struct tavor_mtt_job job = tavor_mtt_job_of(vrb);

	return result->status ?: tavor_mtt_portion_over(&job);
}
