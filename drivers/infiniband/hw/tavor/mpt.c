// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Memory keys: MPT entries with their MTTs, and the two commands that pass an entry to the hardware
 * and take it back. Every region of the driver uses one: user MRs, DMA MRs, queue buffers. A memory
 * window is an entry too.
 */
#include "mpt.h"
#include "tavor.h"

/**
 * tavor_mpt_table_init() - creates the allocator of keys
 * @dev: device with its limits made
 *
 * Context: Process context, may sleep.
 * Return: 0 or a negative errno.
 */
int tavor_mpt_table_init(struct tavor_dev *dev)
{
	/*
	 * Index 1 ends scatter lists, so it must not be a key even if the firmware reserves less.
	 */
	u32 reserved = max(dev->lim.reserved_mpts, 2U);
	int err;

	err = tavor_alloc_init(&dev->mpt_alloc, "memory keys", dev->limits.num_mpts, ~0U, reserved);
	if (!err)
		dev->mpt_alloc.avoid = TAVOR_LIBMTHCA_LKEY;
	return err;
}

/**
 * tavor_mpt_table_destroy() - counterpart of tavor_mpt_table_init()
 * @dev: device
 *
 * Context: Process context, may sleep.
 */
void tavor_mpt_table_destroy(struct tavor_dev *dev)
{
	tavor_alloc_destroy(dev, &dev->mpt_alloc);
}

/**
 * tavor_mpt_alloc() - takes a key and MTT entries
 * @dev: device
 * @mpt: the caller fills in the other fields
 * @pages: MTT entries; 0: untranslated
 *
 * Context: Any down to softirq.
 * Return: 0 or -ENOMEM.
 */
int tavor_mpt_alloc(struct tavor_dev *dev, struct tavor_mpt *mpt, u32 pages)
{
	int err;

	mpt->hw_owned = false;
	mpt->mtt.entries = 0;
	err = tavor_alloc_get(&dev->mpt_alloc, &mpt->key);
	if (err) {
		mpt->key = 0;
		return err;
	}
	if (pages)
		err = tavor_mtt_alloc(dev, pages, &mpt->mtt);
	if (err)
		tavor_mpt_free(dev, mpt);
	return err;
}

/**
 * tavor_mpt_change_key() - gives an entry another key, so that the old one becomes invalid
 * @dev: device
 * @mpt: an entry the hardware does not own
 *
 * Context: Any down to softirq; one caller at a time.
 */
void tavor_mpt_change_key(struct tavor_dev *dev, struct tavor_mpt *mpt)
{
	/* The index is never 0, so neither is the key. */
	mpt->key = tavor_alloc_change(&dev->mpt_alloc, mpt->key);
}

/**
 * tavor_mpt_free() - returns key and MTT entries
 * @dev: device
 * @mpt: may have no key
 *
 * An entry that the hardware still owns is not freed, unless the device has failed: the hardware
 * then writes no memory, and is reset before it does again.
 *
 * Context: Any down to softirq.
 */
void tavor_mpt_free(struct tavor_dev *dev, struct tavor_mpt *mpt)
{
	if (!mpt->key)
		return;
	if (mpt->hw_owned && !vrb_device_quiesced(dev->vrb)) {
		dev_err_ratelimited(&dev->pdev->dev, "key %#x is still the hardware's\n", mpt->key);
		return;
	}
	tavor_mtt_free(dev, &mpt->mtt);
	tavor_alloc_put(&dev->mpt_alloc, mpt->key);
	mpt->key = 0;
}

static u32 tavor_mpt_index(const struct tavor_dev *dev, const struct tavor_mpt *mpt)
{
	return mpt->key & (dev->limits.num_mpts - 1);
}

static void tavor_encode_region(struct tavor_dev *dev, struct tavor_mpt_entry *entry,
				const struct tavor_mpt *mpt)
{
	u64 addr;

	entry->flags = cpu_to_be32(TAVOR_MPT_SW_OWNED | TAVOR_MPT_MIO | TAVOR_MPT_REGION |
				   TAVOR_MPT_LR | mpt->flags);
	entry->start = cpu_to_be64(mpt->start);
	entry->length = cpu_to_be64(mpt->length);
	if (mpt->flags & TAVOR_MPT_PHYSICAL)
		return;
	addr = tavor_mtt_addr(dev, &mpt->mtt);
	entry->page_size = cpu_to_be32(mpt->page_shift - 12);
	entry->mtt_hi = cpu_to_be32(upper_32_bits(addr));
	entry->mtt_lo = cpu_to_be32(lower_32_bits(addr));
}

/**
 * tavor_encode_sw2hw_mpt() - step: hand the entry to the hardware
 * @dev: device
 * @slot: where to encode
 * @mpt: complete, its MTTs written
 *
 * Context: Softirq or BH disabled, engine's device lock held.
 */
void tavor_encode_sw2hw_mpt(struct tavor_dev *dev, struct vrb_slot *slot,
			    const struct tavor_mpt *mpt)
{
	struct tavor_mpt_entry *entry = tavor_mbox_in(dev, slot);

	memset(entry, 0, sizeof(*entry));
	entry->key = cpu_to_be32(mpt->key);
	entry->pd = cpu_to_be32(mpt->pdn);
	if (!mpt->is_window)
		tavor_encode_region(dev, entry, mpt);
	tavor_cmd_set(dev, slot, TAVOR_CMD_SW2HW_MPT, 0, tavor_mpt_index(dev, mpt), TAVOR_CMD_IN);
}

/**
 * tavor_encode_hw2sw_mpt() - step: take the entry back
 * @dev: device
 * @slot: where to encode
 * @mpt: an entry the hardware owns
 *
 * Context: Softirq or BH disabled, engine's device lock held.
 */
void tavor_encode_hw2sw_mpt(struct tavor_dev *dev, struct vrb_slot *slot,
			    const struct tavor_mpt *mpt)
{
	/* Opcode modifier 1: do not return a copy of the entry. */
	tavor_cmd_set(dev, slot, TAVOR_CMD_HW2SW_MPT, 1, tavor_mpt_index(dev, mpt), 0);
}

/**
 * tavor_mpt_take() - &vrb_step.encode of a destroy: takes the entry back if the hardware owns it
 * @vdev: device
 * @slot: where to encode
 * @mpt: the entry
 *
 * Context: Softirq or BH disabled, engine's device lock held.
 * Return: VRB_POST, or VRB_NEXT: the hardware does not own it.
 */
int tavor_mpt_take(struct vrb_device *vdev, struct vrb_slot *slot, const struct tavor_mpt *mpt)
{
	if (!mpt->hw_owned)
		return VRB_NEXT;
	tavor_encode_hw2sw_mpt(vrb_to_tdev(vdev), slot, mpt);
	return VRB_POST;
}

/**
 * tavor_mpt_taken() - &vrb_step.done of tavor_mpt_take()
 * @mpt: the entry
 * @result: of the command
 *
 * Context: Softirq.
 * Return: the status of the command.
 */
int tavor_mpt_taken(struct tavor_mpt *mpt, const struct vrb_result *result)
{
	if (!result->status)
		mpt->hw_owned = false;
	return result->status;
}

/* A request of its own for one entry */
struct tavor_mpt_request {
	struct vrb vrb;
	struct tavor_mpt *mpt;
};

static struct tavor_mpt *tavor_mpt_of(struct vrb *vrb)
{
	return container_of(vrb, struct tavor_mpt_request, vrb)->mpt;
}

static int tavor_mpt_enable_encode(struct vrb_device *vdev, struct vrb *vrb, struct vrb_slot *slot)
{
	tavor_encode_sw2hw_mpt(vrb_to_tdev(vdev), slot, tavor_mpt_of(vrb));
	return VRB_POST;
}

static int tavor_mpt_disable_encode(struct vrb_device *vdev, struct vrb *vrb, struct vrb_slot *slot)
{
	tavor_encode_hw2sw_mpt(vrb_to_tdev(vdev), slot, tavor_mpt_of(vrb));
	return VRB_POST;
}

static const struct vrb_step tavor_mpt_enable_steps[] = {
	{ .name = "SW2HW_MPT", .encode = tavor_mpt_enable_encode },
};

static const struct vrb_verb tavor_mpt_enable_verb = {
	.name = "ENABLE_MPT",
	.class = VRB_CLASS_NORMAL,
	VRB_STEPS(tavor_mpt_enable_steps),
};

static const struct vrb_step tavor_mpt_disable_steps[] = {
	{ .name = "HW2SW_MPT", .encode = tavor_mpt_disable_encode },
};

static const struct vrb_verb tavor_mpt_disable_verb = {
	.name = "DISABLE_MPT",
	.class = VRB_CLASS_TEARDOWN,
	VRB_STEPS(tavor_mpt_disable_steps),
};

static int tavor_mpt_exec(struct tavor_dev *dev, const struct vrb_verb *verb, struct tavor_mpt *mpt)
{
	struct tavor_mpt_request req = { .mpt = mpt };

	vrb_prep(&req.vrb, verb, NULL);
	return tavor_exec(dev, &req.vrb);
}

/**
 * tavor_mpt_enable() - SW2HW_MPT as a request of its own
 * @dev: device
 * @mpt: complete, its MTTs written
 *
 * Context: Process context, may sleep.
 * Return: 0 or a negative errno. After -ETIMEDOUT the hardware counts as the owner of the entry.
 */
int tavor_mpt_enable(struct tavor_dev *dev, struct tavor_mpt *mpt)
{
	int err = tavor_mpt_exec(dev, &tavor_mpt_enable_verb, mpt);

	mpt->hw_owned = !err || err == -ETIMEDOUT;
	return err;
}

/**
 * tavor_mpt_disable() - HW2SW_MPT as a request of its own
 * @dev: device
 * @mpt: one that tavor_mpt_enable() has enabled
 *
 * Context: Process context, may sleep.
 * Return: 0; a negative errno: the hardware still owns the entry.
 */
int tavor_mpt_disable(struct tavor_dev *dev, struct tavor_mpt *mpt)
{
	int err;

	if (!mpt->hw_owned)
		return 0;
	err = tavor_mpt_exec(dev, &tavor_mpt_disable_verb, mpt);
	if (!err)
		mpt->hw_owned = false;
	return err;
}

/**
 * tavor_mpt_access() - access rights in the format of the MPT
 * @dev: device; firmware without memory windows has no bit for them: the right is ignored there
 * @ib_access: IB_ACCESS_*; local read is always allowed
 *
 * Context: Any.
 * Return: TAVOR_MPT_*.
 */
u32 tavor_mpt_access(const struct tavor_dev *dev, int ib_access)
{
	if (!(dev->lim.flags & TAVOR_DEV_LIM_MW))
		ib_access &= ~IB_ACCESS_MW_BIND;
	return (ib_access & IB_ACCESS_MW_BIND ? TAVOR_MPT_BIND : 0) |
	       (ib_access & IB_ACCESS_REMOTE_ATOMIC ? TAVOR_MPT_ATOMIC : 0) |
	       (ib_access & IB_ACCESS_REMOTE_WRITE ? TAVOR_MPT_RW : 0) |
	       (ib_access & IB_ACCESS_REMOTE_READ ? TAVOR_MPT_RR : 0) |
	       (ib_access & IB_ACCESS_LOCAL_WRITE ? TAVOR_MPT_LW : 0);
}

/**
 * tavor_mpt_ib_access() - the access rights of an MPT
 * @flags: TAVOR_MPT_*
 *
 * Context: Any.
 * Return: IB_ACCESS_*, without those that the hardware does not know.
 */
int tavor_mpt_ib_access(u32 flags)
{
	return (flags & TAVOR_MPT_BIND ? IB_ACCESS_MW_BIND : 0) |
	       (flags & TAVOR_MPT_ATOMIC ? IB_ACCESS_REMOTE_ATOMIC : 0) |
	       (flags & TAVOR_MPT_RW ? IB_ACCESS_REMOTE_WRITE : 0) |
	       (flags & TAVOR_MPT_RR ? IB_ACCESS_REMOTE_READ : 0) |
	       (flags & TAVOR_MPT_LW ? IB_ACCESS_LOCAL_WRITE : 0);
}
