// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Memory regions: of ib_core (all DMA addresses for the kernel, or memory of a process), and of
 * kernel clients that never sleep.
 *
 * The pages of a process's region stay pinned until the hardware has released the region. This may
 * happen in softirq, where pages cannot be unpinned. So released regions are kept in a list of the
 * process, and the next call of tavor_mr_reap() in process context unpins their pages. No process
 * waits while the pages of another one are unpinned.
 *
 * libmthca registers a region for the rings of each QP and SRQ before it creates the queue, and
 * deregisters it after it has destroyed the queue. Such a region (is_ring) is recognised by its
 * arguments: no access rights and I/O virtual address 0. The process waits neither for its
 * registration nor, normally, for its deregistration. The hardware must know the region before the
 * first command that passes its key: SW2HW_SRQ, or the first transition of the QP. So that command
 * waits for the registration (tavor_ring_ready()).
 */
#include <linux/sched.h>
#include <linux/slab.h>

#include <rdma/iter.h>
#include <rdma/mthca-abi.h>

#include "mr.h"
#include "object.h"
#include "pd.h"
#include "tavor.h"
#include "uctx.h"
#include "udata.h"

#define MR_MTT_CHUNK	32U
/*
 * How many queues may wait for the registration of one region. tavor_ring_registered() resumes all
 * of them while it holds a spin lock, so their number must be bounded.
 */
#define MR_MAX_WAITING	16
#define MR_PAGE_SIZES	GENMASK(30, PAGE_SHIFT)	/* the MPT's page-size code goes up to 19 */

static int tavor_mr_create_encode(struct vrb_device *vdev, struct vrb *vrb, struct vrb_slot *slot)
{
	struct tavor_hw_mr *mr = to_hw_mr(vrb->object);

	tavor_encode_sw2hw_mpt(mr->dev, slot, &mr->mpt);
	return VRB_POST;
}

static void tavor_mr_create_late(struct vrb_device *vdev, struct vrb_object *object,
				 const struct vrb_result *result)
{
	if (!result->status)
		to_hw_mr(object)->mpt.hw_owned = true;
}

static int tavor_mr_create_done(struct vrb_device *vdev, struct vrb *vrb, struct vrb_slot *slot,
				const struct vrb_result *result)
{
	tavor_mr_create_late(vdev, vrb->object, result);
	return result->status;
}

static int tavor_mr_destroy_encode(struct vrb_device *vdev, struct vrb *vrb, struct vrb_slot *slot)
{
	return tavor_mpt_take(vdev, slot, &to_hw_mr(vrb->object)->mpt);
}

static int tavor_mr_destroy_done(struct vrb_device *vdev, struct vrb *vrb, struct vrb_slot *slot,
				 const struct vrb_result *result)
{
	return tavor_mpt_taken(&to_hw_mr(vrb->object)->mpt, result);
}

/* A window's steps are the same. */
const struct vrb_step tavor_mr_create_steps[] = {
	{
		.name = "SW2HW_MPT",
		.encode = tavor_mr_create_encode,
		.done = tavor_mr_create_done,
		.late = tavor_mr_create_late,
	},
};

static const struct vrb_verb tavor_mr_create_verb = {
	.name = "REG_MR",
	.class = VRB_CLASS_NORMAL,
	VRB_STEPS(tavor_mr_create_steps),
};

const struct vrb_step tavor_mr_destroy_steps[] = {
	{ .name = "HW2SW_MPT", .encode = tavor_mr_destroy_encode, .done = tavor_mr_destroy_done },
};

/* A quiesce, or a rereg, may have taken it from the hardware. */
static bool tavor_mr_destroy_is_void(const struct vrb_object *object)
{
	return !container_of(object, struct tavor_hw_mr, object)->mpt.hw_owned;
}

static const struct vrb_verb tavor_mr_destroy_verb = {
	.name = "DEREG_MR",
	.class = VRB_CLASS_TEARDOWN,
	.may_refuse = true,		/* if windows are bound to it */
	.is_void = tavor_mr_destroy_is_void,
	VRB_STEPS(tavor_mr_destroy_steps),
};

/**
 * tavor_mr_release() - &vrb_object_type.release of a region, or of a window
 * @object: region; its process stays until the destroys of all its regions have completed
 *
 * Context: Softirq.
 */
void tavor_mr_release(struct vrb_object *object)
{
	struct tavor_hw_mr *mr = to_hw_mr(object);
	struct tavor_process *process = mr->process;

	tavor_mpt_free(mr->dev, &mr->mpt);
	if (!process) {
		tavor_half_put(mr, &mr->memory);
		return;
	}
	spin_lock_bh(&process->lock);
	list_add_tail(&mr->reap, &process->released);
	spin_unlock_bh(&process->lock);
}

static const struct vrb_object_type tavor_mr_type = {
	.name = "MR",
	.release = tavor_mr_release,
};

/**
 * tavor_mr_reap() - unpins the memory of a process's released regions, and frees them
 * @process: process
 *
 * When this returns, all regions that had been released before the call have been freed.
 *
 * Context: Process context, may sleep.
 * Return: whether there were any.
 */
bool tavor_mr_reap(struct tavor_process *process)
{
	struct tavor_hw_mr *mr, *next;
	LIST_HEAD(released);
	bool any;

	mutex_lock(&process->reaping);
	spin_lock_bh(&process->lock);
	list_splice_init(&process->released, &released);
	spin_unlock_bh(&process->lock);
	any = !list_empty(&released);
	list_for_each_entry_safe(mr, next, &released, reap) {
		ib_umem_release(mr->umem);
		tavor_half_put(mr, &mr->memory);
		cond_resched();
	}
	mutex_unlock(&process->reaping);
	return any;
}

/* Frees the regions that a process has deregistered. Returns whether it waited or freed any. */
static bool tavor_mr_settle(struct tavor_ucontext *ctx)
{
	bool waited = tavor_uctx_settle(ctx);

	return tavor_mr_reap(ctx->process) || waited;
}

/* ---- Regions of processes' queues ---- */

static void tavor_ring_registered(struct vrb *vrb)
{
	struct tavor_hw_mr *mr = to_hw_mr(vrb->object);
	struct tavor_dev *dev = mr->dev;
	struct tavor_waiter *wait, *next;

	spin_lock_bh(&dev->rings_lock);
	mr->ring.status = vrb->status;
	mr->ring.coming = false;
	list_for_each_entry_safe(wait, next, &mr->ring.waiting, entry)
		tavor_waiter_resume(wait);
	spin_unlock_bh(&dev->rings_lock);
}

/* Submits the registration. */
static int tavor_ring_create(struct tavor_dev *dev, struct tavor_hw_mr *hw, struct vrb_user *user)
{
	struct vrb *vrb = &hw->ring.create;
	int err;

	vrb_prep(vrb, &tavor_mr_create_verb, &hw->object);
	vrb->user = user;
	vrb->done = tavor_ring_registered;
	hw->ring.coming = true;
	err = vrb_submit(vrb_device_client(dev->vrb), vrb);
	return err == -EINPROGRESS ? 0 : err;
}

/**
 * tavor_ring_ready() - whether the hardware knows the region that a queue lies in
 * @mr: region
 * @wait: waiter of the queue
 *
 * Context: Softirq or BH disabled, engine's device lock held.
 * Return: VRB_NEXT; VRB_WAIT: the queue will be resumed; -EBUSY: too many queues wait (libmthca has
 * one per region); or the errno of the registration.
 */
int tavor_ring_ready(struct tavor_hw_mr *mr, struct tavor_waiter *wait)
{
	struct tavor_dev *dev = mr->dev;
	int ret;

	spin_lock_bh(&dev->rings_lock);
	if (!mr->ring.coming) {
		ret = mr->ring.status ?: VRB_NEXT;
	} else if (list_count_nodes(&mr->ring.waiting) < MR_MAX_WAITING) {
		ret = VRB_WAIT;
		tavor_waiter_add(wait, &mr->ring.waiting);
	} else {
		ret = -EBUSY;
	}
	spin_unlock_bh(&dev->rings_lock);
	return ret;
}

/**
 * tavor_ring_forget() - ends the wait of a queue
 * @dev: device
 * @wait: waiter of the queue, which may not have waited
 *
 * Context: Any down to softirq.
 */
void tavor_ring_forget(struct tavor_dev *dev, struct tavor_waiter *wait)
{
	spin_lock_bh(&dev->rings_lock);
	tavor_waiter_remove(wait);
	spin_unlock_bh(&dev->rings_lock);
}

/* ---- Life ---- */

static struct tavor_mr *tavor_mr_alloc(struct tavor_dev *dev)
{
	struct tavor_mr *mr = kzalloc(sizeof(*mr), GFP_KERNEL);

	if (!mr)
		return NULL;
	mr->hw = kzalloc(sizeof(*mr->hw), GFP_KERNEL);
	if (!mr->hw) {
		kfree(mr);
		return NULL;
	}
	mr->hw->dev = dev;
	INIT_LIST_HEAD(&mr->hw->ring.waiting);
	refcount_set(&mr->hw->memory, 1);
	return mr;
}

static void tavor_mr_free_unborn(struct tavor_mr *mr)
{
	tavor_mpt_free(mr->hw->dev, &mr->hw->mpt);
	kfree(mr->hw);
	kfree(mr);
}

/*
 * Makes the region an object of the engine and registers it. If this fails, the region is destroyed
 * and its memory unpinned.
 */
static int tavor_mr_enable(struct tavor_mr *mr, struct tavor_hw_pd *pd, struct vrb_user *user)
{
	struct tavor_hw_mr *hw = mr->hw;
	struct tavor_process *process = hw->process;
	struct tavor_dev *dev = hw->dev;
	struct vrb vrb;
	int err;

	vrb_object_init(&hw->object, dev->vrb, &tavor_mr_type, hw->mpt.key, &tavor_mr_destroy_verb);
	hw->object.destroy.user = user;
	err = vrb_object_add_parent(&hw->object, &pd->object);
	if (!err && hw->is_ring)
		err = tavor_ring_create(dev, hw, user);
	else if (!err)
		err = tavor_exec_on(&hw->object, &tavor_mr_create_verb, &vrb);
	if (err) {
		tavor_object_destroy(dev, &hw->object);
		if (process)
			tavor_mr_reap(process);
		kfree(mr);
		return err;
	}
	mr->ib.lkey = hw->mpt.key;
	mr->ib.rkey = hw->mpt.key;
	return 0;
}

/* ---- Regions of clients that never sleep ---- */

#define MR_REG_ACCESS	(IB_ACCESS_LOCAL_WRITE | IB_ACCESS_REMOTE_READ | \
			 IB_ACCESS_REMOTE_WRITE | IB_ACCESS_REMOTE_ATOMIC)

static void tavor_shell_mr_release(struct vrb_object *object)
{
	struct tavor_hw_mr *mr = to_hw_mr(object);

	tavor_mpt_free(mr->dev, &mr->mpt);
}

static void tavor_shell_mr_free(struct vrb_object *object)
{
	kfree(to_hw_mr(object));
}

static struct vrb_reg_mr *to_reg_mr(struct vrb *vrb)
{
	return container_of(vrb, struct vrb_reg_mr, vrb);
}

static void tavor_reg_mtt_job(struct vrb *vrb, struct tavor_mtt_job *job)
{
	struct vrb_reg_mr *req = to_reg_mr(vrb);

	job->mtt = &to_hw_mr(vrb->object)->mpt.mtt;
	job->nr = req->nr_pages;
	job->written = &req->written;
}

/* An invalid page fails the request before the hardware knows the region. */
static int tavor_reg_mtt_pages(struct vrb *vrb, u32 first, u32 n, u64 *pages)
{
	const struct vrb_reg_mr *req = to_reg_mr(vrb);
	u64 all = 0;
	u32 i;

	for (i = 0; i < n; i++) {
		pages[i] = req->pages[first + i];
		all |= pages[i];
	}
	return all & (BIT_ULL(req->page_shift) - 1) ? -EINVAL : 0;
}

/* The client owns the memory: there is nothing to unpin. */
static const struct tavor_mtt_type tavor_shell_mr_type = {
	.object = {
		.name = "MR",
		.release = tavor_shell_mr_release,
		.free = tavor_shell_mr_free,
	},
	.job = tavor_reg_mtt_job,
	.pages = tavor_reg_mtt_pages,
};

/**
 * tavor_init_mr() - &vrb_verbs.init_mr: initialises a region, which its create makes usable
 * @ibmr: shell
 * @max_pages: the largest number of pages
 * @gfp: GFP_KERNEL or GFP_ATOMIC
 *
 * Context: Any down to softirq, as @gfp says.
 * Return: 0 or -ENOMEM.
 */
int tavor_init_mr(struct ib_mr *ibmr, u32 max_pages, gfp_t gfp)
{
	struct tavor_dev *dev = to_tdev(ibmr->device);
	struct tavor_hw_pd *pd = to_tpd(ibmr->pd)->hw;
	struct tavor_hw_mr *mr;
	int err;

	mr = kzalloc(sizeof(*mr), gfp);
	if (!mr)
		return -ENOMEM;
	mr->dev = dev;
	err = tavor_mpt_alloc(dev, &mr->mpt, max_pages);
	if (err) {
		kfree(mr);
		return err;
	}
	mr->mpt.pdn = pd->pdn;
	vrb_object_init_shell(&mr->object, dev->vrb, &tavor_shell_mr_type.object,
			      mr->mpt.key, &tavor_mr_destroy_verb);
	to_tmr(ibmr)->hw = mr;
	err = vrb_object_add_parent(&mr->object, &pd->object);
	if (err)
		vrb_object_abandon(&mr->object);
	return err;
}

/**
 * tavor_mr_object() - &vrb_verbs.mr_object
 * @ibmr: region of this driver's
 *
 * Context: Any.
 * Return: its hardware half.
 */
struct vrb_object *tavor_mr_object(struct ib_mr *ibmr)
{
	return &to_tmr(ibmr)->hw->object;
}

/* Needs no command: the registration makes a region known to the hardware. */
static int tavor_create_mr_encode(struct vrb_device *vdev, struct vrb *vrb, struct vrb_slot *slot)
{
	return VRB_END;
}

static const struct vrb_step tavor_create_mr_steps[] = {
	{ .name = "no command", .encode = tavor_create_mr_encode },
};

const struct vrb_verb tavor_verb_create_mr = {
	.name = "CREATE_MR",
	.class = VRB_CLASS_NORMAL,
	.creates = true,
	VRB_STEPS(tavor_create_mr_steps),
};

/* The end of the region, the byte after the last one, must fit into 64 bits for the hardware. */
static bool tavor_mr_range_ok(u64 iova, u64 length)
{
	return length && iova + length >= iova;
}

static bool tavor_reg_access_ok(int access)
{
	if (access & ~MR_REG_ACCESS)
		return false;
	return access & IB_ACCESS_LOCAL_WRITE ||
	       !(access & (IB_ACCESS_REMOTE_WRITE | IB_ACCESS_REMOTE_ATOMIC));
}

/* Whether the number of pages matches address and length, and the region has room for them. */
static bool tavor_reg_pages_ok(const struct tavor_hw_mr *mr, const struct vrb_reg_mr *req)
{
	u64 offset;

	if (!req->pages || !tavor_mr_range_ok(req->iova, req->length))
		return false;
	if (req->page_shift < 12 || req->page_shift > 31 || req->nr_pages > mr->mpt.mtt.entries)
		return false;
	offset = req->iova & (BIT_ULL(req->page_shift) - 1);
	return req->nr_pages == ((offset + req->length - 1) >> req->page_shift) + 1;
}

/* Only a shell can be registered: regions of ib_core are registered from their creation on. */
static int tavor_reg_check(struct vrb_device *vdev, struct vrb *vrb, struct vrb_slot *slot)
{
	struct tavor_hw_mr *mr = to_hw_mr(vrb->object);
	struct vrb_reg_mr *req = to_reg_mr(vrb);

	if (!vrb_object_is_shell(vrb->object) || mr->mpt.hw_owned)
		return -EINVAL;
	if (!tavor_reg_access_ok(req->access) || !tavor_reg_pages_ok(mr, req))
		return -EINVAL;
	req->written = 0;
	mr->mpt.flags = tavor_mpt_access(mr->dev, req->access);
	mr->mpt.page_shift = req->page_shift;
	mr->mpt.start = req->iova;
	mr->mpt.length = req->length;
	return VRB_NEXT;
}

static int tavor_reg_done(struct vrb_device *vdev, struct vrb *vrb, struct vrb_slot *slot,
			  const struct vrb_result *result)
{
	struct ib_mr *ibmr = to_reg_mr(vrb)->mr;

	tavor_mr_create_late(vdev, vrb->object, result);
	if (!result->status) {
		ibmr->lkey = to_hw_mr(vrb->object)->mpt.key;
		ibmr->rkey = ibmr->lkey;
	}
	return result->status;
}

static const struct vrb_step tavor_reg_mr_steps[] = {
	{ .name = "check", .encode = tavor_reg_check },
	TAVOR_MTT_STORE_STEP,
	TAVOR_MTT_WRITE_STEP,
	{
		.name = "SW2HW_MPT",
		.encode = tavor_mr_create_encode,
		.done = tavor_reg_done,
		.late = tavor_mr_create_late,
	},
};

const struct vrb_verb tavor_verb_reg_mr = {
	.name = "REG_MR",
	.class = VRB_CLASS_NORMAL,
	VRB_STEPS(tavor_reg_mr_steps),
};

static int tavor_unreg_encode(struct vrb_device *vdev, struct vrb *vrb, struct vrb_slot *slot)
{
	struct tavor_hw_mr *mr = to_hw_mr(vrb->object);

	if (!vrb_object_is_shell(vrb->object) || !mr->mpt.hw_owned)
		return -EINVAL;
	tavor_encode_hw2sw_mpt(mr->dev, slot, &mr->mpt);
	return VRB_POST;
}

static void tavor_unreg_late(struct vrb_device *vdev, struct vrb_object *object,
			     const struct vrb_result *result)
{
	struct tavor_hw_mr *mr = to_hw_mr(object);

	if (result->status)
		return;
	mr->mpt.hw_owned = false;
	tavor_mpt_change_key(mr->dev, &mr->mpt);
}

static int tavor_unreg_done(struct vrb_device *vdev, struct vrb *vrb, struct vrb_slot *slot,
			    const struct vrb_result *result)
{
	tavor_unreg_late(vdev, vrb->object, result);
	return result->status;
}

static const struct vrb_step tavor_unreg_mr_steps[] = {
	{
		.name = "HW2SW_MPT",
		.encode = tavor_unreg_encode,
		.done = tavor_unreg_done,
		.late = tavor_unreg_late,
	},
};

const struct vrb_verb tavor_verb_unreg_mr = {
	.name = "UNREG_MR",
	.class = VRB_CLASS_TEARDOWN,
	VRB_STEPS(tavor_unreg_mr_steps),
};

/* ---- Regions of ib_core ---- */

/**
 * tavor_get_dma_mr() - ib_device_ops.get_dma_mr: all DMA addresses
 * @ibpd: kernel PD
 * @access: IB_ACCESS_*
 *
 * Context: Process context, may sleep.
 * Return: the region or ERR_PTR().
 */
static struct ib_mr *tavor_get_dma_mr(struct ib_pd *ibpd, int access)
{
	struct tavor_mr *mr = tavor_mr_alloc(to_tdev(ibpd->device));
	int err;

	if (!mr)
		return ERR_PTR(-ENOMEM);
	err = tavor_mpt_alloc(mr->hw->dev, &mr->hw->mpt, 0);
	if (err) {
		tavor_mr_free_unborn(mr);
		return ERR_PTR(err);
	}
	mr->hw->mpt.pdn = to_tpd(ibpd)->hw->pdn;
	mr->hw->mpt.flags = TAVOR_MPT_PHYSICAL | tavor_mpt_access(mr->hw->dev, access);
	mr->hw->mpt.start = 0;
	mr->hw->mpt.length = U64_MAX;
	err = tavor_mr_enable(mr, to_tpd(ibpd)->hw, NULL);
	return err ? ERR_PTR(err) : &mr->ib;
}

static int tavor_mr_write_mtt(struct tavor_hw_mr *mr, struct vrb_user *user,
			      unsigned long page_size)
{
	struct ib_block_iter iter;
	u64 pages[MR_MTT_CHUNK];
	u32 first = 0, n = 0;
	int err = 0;

	rdma_umem_for_each_dma_block(mr->umem, &iter, page_size) {
		pages[n++] = rdma_block_iter_dma_address(&iter);
		if (n < MR_MTT_CHUNK)
			continue;
		err = tavor_mtt_write(mr->dev, user, &mr->mpt.mtt, first, pages, n);
		if (err)
			return err;
		first += n;
		n = 0;
		cond_resched();
	}
	return n ? tavor_mtt_write(mr->dev, user, &mr->mpt.mtt, first, pages, n) : 0;
}

/*
 * struct tavor_mr_source - what a process registers
 * @start: address, or offset into the dma-buf
 * @length: bytes
 * @iova: the first byte's address in the region
 * @access: IB_ACCESS_*
 * @fd: of the dma-buf; -1: memory of the process
 */
struct tavor_mr_source {
	u64 start;
	u64 length;
	u64 iova;
	int access;
	int fd;
};

/* On 32 bits ib_core would pin less than the hardware is told of. */
static bool tavor_mr_source_fits(const struct tavor_mr_source *from)
{
	return from->start <= ULONG_MAX && from->length <= SIZE_MAX;
}

static struct ib_umem *tavor_mr_pin(struct tavor_dev *dev, const struct tavor_mr_source *from)
{
	struct ib_umem_dmabuf *buf;

	if (from->fd < 0)
		return ib_umem_get_va(&dev->ib_dev, from->start, from->length, from->access);
	buf = ib_umem_dmabuf_get_pinned(&dev->ib_dev, from->start, from->length, from->fd,
					from->access);
	return IS_ERR(buf) ? ERR_CAST(buf) : &buf->umem;
}

/* Pins the memory and describes it; the hardware does not know of it yet. */
static int tavor_mr_map_user(struct tavor_hw_mr *mr, struct vrb_user *user,
			     const struct tavor_mr_source *from)
{
	struct tavor_mpt *mpt = &mr->mpt;
	unsigned long page_size;
	size_t blocks;
	int err;

	mr->umem = tavor_mr_pin(mr->dev, from);
	if (IS_ERR(mr->umem)) {
		err = PTR_ERR(mr->umem);
		goto forget_umem;
	}
	page_size = ib_umem_find_best_pgsz(mr->umem, MR_PAGE_SIZES, from->iova);
	if (!page_size) {
		err = -EINVAL;
		goto release_umem;
	}
	blocks = ib_umem_num_dma_blocks(mr->umem, page_size);
	err = blocks > U32_MAX ? -ENOMEM : tavor_mpt_alloc(mr->dev, mpt, blocks);
	if (err)
		goto release_umem;
	mpt->flags = tavor_mpt_access(mr->dev, from->access);
	mpt->page_shift = ilog2(page_size);
	mpt->start = from->iova;
	mpt->length = from->length;
	err = tavor_mr_write_mtt(mr, user, page_size);
	if (!err)
		return 0;
	tavor_mpt_free(mr->dev, mpt);
release_umem:
	ib_umem_release(mr->umem);
forget_umem:
	mr->umem = NULL;
	return err;
}

static void tavor_mr_publish(struct tavor_ucontext *ctx, struct tavor_mr *mr)
{
	mutex_lock(&ctx->lock);
	tavor_uctx_name(ctx, &ctx->mrs, &mr->hw->named, mr->ib.lkey);
	tavor_own_locked(ctx, &mr->owned, &mr->hw->object, &mr->hw->memory);
	mutex_unlock(&ctx->lock);
}

/* The memory of a region that the hardware does not know yet */
static struct tavor_mr *tavor_mr_prepare(struct tavor_ucontext *ctx, struct ib_pd *ibpd,
					 const struct tavor_mr_source *from)
{
	struct tavor_dev *dev = to_tdev(ibpd->device);
	struct tavor_mr *mr;
	int err;

	if (from->access & (IB_ACCESS_ON_DEMAND | IB_ZERO_BASED))
		return ERR_PTR(-EOPNOTSUPP);
	if (!tavor_mr_range_ok(from->iova, from->length) || !tavor_mr_source_fits(from))
		return ERR_PTR(-EINVAL);
	tavor_mr_reap(ctx->process);
	mr = tavor_mr_alloc(dev);
	if (!mr)
		return ERR_PTR(-ENOMEM);
	mr->hw->process = ctx->process;
	mr->hw->is_ring = from->fd < 0 && !from->access && !from->iova;
	err = tavor_mr_map_user(mr->hw, &ctx->process->user, from);
	/* Regions that the process has deregistered may hold what is needed. */
	if (err == -ENOMEM && tavor_mr_settle(ctx))
		err = tavor_mr_map_user(mr->hw, &ctx->process->user, from);
	if (err) {
		tavor_mr_free_unborn(mr);
		return ERR_PTR(err);
	}
	mr->hw->mpt.pdn = to_tpd(ibpd)->hw->pdn;
	mr->ib.iova = from->iova;
	mr->ib.length = from->length;
	return mr;
}

static struct ib_mr *tavor_mr_register(struct tavor_ucontext *ctx, struct ib_pd *ibpd,
				       const struct tavor_mr_source *from)
{
	struct tavor_mr *mr = tavor_mr_prepare(ctx, ibpd, from);
	int err;

	if (IS_ERR(mr))
		return ERR_CAST(mr);
	err = tavor_mr_enable(mr, to_tpd(ibpd)->hw, &ctx->process->user);
	if (err)
		return ERR_PTR(err);
	tavor_mr_publish(ctx, mr);
	return &mr->ib;
}

/*
 * Nothing of the structure is used (tavor-hw 18.2). The first versions of libmthca did not pass it.
 */
static int tavor_mr_check_udata(struct ib_udata *udata)
{
	struct mthca_reg_mr cmd;
	int err = udata->inlen ? ib_copy_validate_udata_in(udata, cmd, reserved) : 0;

	return err ?: tavor_udata_done(udata, ib_respond_empty_udata(udata));
}

static struct ib_mr *tavor_reg_user_mr(struct ib_pd *ibpd, u64 start, u64 length, u64 iova,
				       int access, VRB_DMAH_PARAM struct ib_udata *udata)
{
	const struct tavor_mr_source from = { start, length, iova, access, -1 };
	int err;

	if (VRB_DMAH_GIVEN)
		return ERR_PTR(-EOPNOTSUPP);
	err = tavor_mr_check_udata(udata);
	if (err)
		return ERR_PTR(err);
	return tavor_mr_register(rdma_udata_to_drv_context(udata, struct tavor_ucontext, ib), ibpd,
				 &from);
}

/* The exporter must not move its memory while it is registered: the hardware cannot fault. */
static struct ib_mr *tavor_reg_user_mr_dmabuf(struct ib_pd *ibpd, u64 offset, u64 length, u64 iova,
					      int fd, int access,
					      VRB_DMAH_PARAM struct uverbs_attr_bundle *attrs)
{
	const struct tavor_mr_source from = { offset, length, iova, access, fd };
	int err;

	if (VRB_DMAH_GIVEN)
		return ERR_PTR(-EOPNOTSUPP);
	if (fd < 0)
		return ERR_PTR(-EBADF);
	err = tavor_mr_check_udata(&attrs->driver_udata);
	if (err)
		return ERR_PTR(err);
	return tavor_mr_register(rdma_udata_to_drv_context(&attrs->driver_udata,
							   struct tavor_ucontext, ib),
				 ibpd, &from);
}

/* ---- Reregistration: a new region replaces the old one, which ib_core deregisters ---- */

static int tavor_mr_withdraw_encode(struct vrb_device *vdev, struct vrb *vrb, struct vrb_slot *slot)
{
	tavor_encode_hw2sw_mpt(vrb_to_tdev(vdev), slot, &to_hw_mr(vrb->object)->mpt);
	return VRB_POST;
}

/* The hardware knows the region as before its reregistration. */
static void tavor_mr_reinstate(struct tavor_hw_mr *mr)
{
	WRITE_ONCE(mr->retired, TAVOR_MR_IN_USE);
}

static void tavor_mr_withdraw_late(struct vrb_device *vdev, struct vrb_object *object,
				   const struct vrb_result *result)
{
	struct tavor_hw_mr *mr = to_hw_mr(object);

	if (!result->status)
		mr->mpt.hw_owned = false;
	else
		tavor_mr_reinstate(mr);
}

static int tavor_mr_withdraw_done(struct vrb_device *vdev, struct vrb *vrb, struct vrb_slot *slot,
				  const struct vrb_result *result)
{
	tavor_mr_withdraw_late(vdev, vrb->object, result);
	return result->status;
}

static const struct vrb_step tavor_mr_withdraw_steps[] = {
	{
		.name = "HW2SW_MPT",
		.encode = tavor_mr_withdraw_encode,
		.done = tavor_mr_withdraw_done,
		.late = tavor_mr_withdraw_late,
	},
};

static const struct vrb_verb tavor_mr_withdraw_verb = {
	.name = "REREG_MR",
	.class = VRB_CLASS_TEARDOWN,
	VRB_STEPS(tavor_mr_withdraw_steps),
};

/*
 * Withdraws a region from the hardware, which refuses if windows are bound to it. So the
 * deregistration by ib_core, which expects no failure, cannot fail later.
 */
static int tavor_mr_withdraw(struct tavor_hw_mr *mr)
{
	struct vrb vrb;

	if (!(mr->mpt.flags & TAVOR_MPT_BIND))
		return 0;
	return tavor_exec_on(&mr->object, &tavor_mr_withdraw_verb, &vrb);
}

/*
 * Restores what tavor_mr_withdraw() withdrew. If the hardware does not take the region again, it
 * can only be deregistered. The region of a ring, which is never withdrawn, may still be on its
 * way.
 */
static int tavor_mr_restore(struct tavor_hw_mr *mr)
{
	struct vrb vrb;
	int err = 0;

	if ((mr->mpt.flags & TAVOR_MPT_BIND) && !mr->mpt.hw_owned)
		err = tavor_exec_on(&mr->object, &tavor_mr_create_verb, &vrb);
	if (!err)
		tavor_mr_reinstate(mr);
	return err;
}

/*
 * The new region must not be known to the hardware before the old one has been withdrawn: a process
 * that guesses its key could bind a window to it, so that it could not be destroyed.
 */
static int tavor_mr_replace(struct tavor_hw_mr *old, struct tavor_mr *new, struct tavor_hw_pd *pd,
			    struct vrb_user *user)
{
	int restored, err = tavor_mr_withdraw(old);

	if (err) {
		if (err != -ETIMEDOUT)
			tavor_mr_reinstate(old);
		ib_umem_release(new->hw->umem);
		tavor_mr_free_unborn(new);
		return err;
	}
	err = tavor_mr_enable(new, pd, user);
	restored = err ? tavor_mr_restore(old) : 0;
	/* On a failed device nothing was refused. */
	if (restored)
		err = err == -EIO || restored == -EIO ? -EIO : -EUCLEAN;
	return err;
}

/*
 * From now on no queue can be created in the region. -EBUSY: there is one in it; -EINVAL: there was
 * one that has been quiesced, so the hardware does not know the region any more; -EUCLEAN: after a
 * failed reregistration the hardware does not know the region, or may not.
 */
static int tavor_mr_retire(struct tavor_mr *mr)
{
	struct tavor_ucontext *ctx = mr->owned.ctx;
	u8 retired;
	int err = 0;

	mutex_lock(&ctx->lock);
	retired = READ_ONCE(mr->hw->retired);
	if (vrb_object_has_children(&mr->hw->object))
		err = -EBUSY;
	else if (retired)
		err = retired == TAVOR_MR_WITHDRAWN ? -EUCLEAN : -EINVAL;
	else
		WRITE_ONCE(mr->hw->retired, TAVOR_MR_WITHDRAWN);
	mutex_unlock(&ctx->lock);
	return err;
}

/* What is not given stays; a dma-buf cannot be pinned again without its file descriptor. */
static int tavor_mr_source_again(const struct tavor_hw_mr *mr, int flags,
				 struct tavor_mr_source *from)
{
	if (!(flags & IB_MR_REREG_TRANS)) {
		if (mr->umem->is_dmabuf)
			return -EOPNOTSUPP;
		from->start = mr->umem->address;
		from->length = mr->mpt.length;
		from->iova = mr->mpt.start;
	}
	if (!(flags & IB_MR_REREG_ACCESS))
		from->access = tavor_mpt_ib_access(mr->mpt.flags);
	return 0;
}

/**
 * tavor_rereg_user_mr() - ib_device_ops.rereg_user_mr
 * @ibmr: region of a process
 * @flags: IB_MR_REREG_*: what of the rest is new
 * @start: address
 * @length: bytes
 * @iova: the first byte's address in the region
 * @access: IB_ACCESS_*
 * @ibpd: PD, new or not
 * @udata: of the process
 *
 * Until ib_core deregisters the old region, the memory of both is pinned. A region to which windows
 * may be bound is taken from the hardware before the new one is registered. While it is uncertain
 * whether the hardware has released it, its memory stays pinned, and its deregistration waits.
 *
 * Context: Process context, may sleep.
 * Return: the new region, which has another key. ERR_PTR(): the old one is as it was, except after
 * -ETIMEDOUT and -EUCLEAN; -EBUSY: the buffer of a CQ, QP or SRQ lies in it, or windows are bound
 * to it; -EINVAL: it contained the buffer of a QP that was quiesced; -EOPNOTSUPP: it is of a
 * dma-buf, and no new memory is given, or unknown driver data; -EFAULT; -ETIMEDOUT: the hardware
 * did not answer: it may not know the old one any more; -EUCLEAN: the hardware does not know the
 * old one any more, or an earlier -ETIMEDOUT left this unknown: it can only be deregistered.
 */
static struct ib_mr *tavor_rereg_user_mr(struct ib_mr *ibmr, int flags, u64 start, u64 length,
					 u64 iova, int access, struct ib_pd *ibpd,
					 struct ib_udata *udata)
{
	struct tavor_ucontext *ctx = rdma_udata_to_drv_context(udata, struct tavor_ucontext, ib);
	struct tavor_mr_source from = { start, length, iova, access, -1 };
	struct tavor_mr *mr = to_tmr(ibmr), *new;
	int err;

	err = tavor_no_udata(udata) ?: tavor_mr_source_again(mr->hw, flags, &from);
	if (!err)
		err = tavor_mr_retire(mr);
	if (err)
		return ERR_PTR(err);
	new = tavor_mr_prepare(ctx, ibpd, &from);
	if (IS_ERR(new)) {
		tavor_mr_reinstate(mr->hw);
		return ERR_CAST(new);
	}
	err = tavor_mr_replace(mr->hw, new, to_tpd(ibpd)->hw, &ctx->process->user);
	if (err)
		return ERR_PTR(err);
	tavor_mr_publish(ctx, new);
	return &new->ib;
}

/* ---- Their end ---- */

/* Removes it from the context's table, so that no queue can pin it; -EBUSY: a queue has done so. */
static int tavor_mr_unpublish(struct tavor_ucontext *ctx, struct tavor_mr *mr,
			      struct ib_udata *udata)
{
	int err = 0;

	mutex_lock(&ctx->lock);
	if (!tavor_uctx_closes(ctx, udata) && vrb_object_has_children(&mr->hw->object))
		err = -EBUSY;
	else
		tavor_uctx_forget(ctx, &ctx->mrs, &mr->hw->named);
	mutex_unlock(&ctx->lock);
	return err;
}

/* The hardware has refused the destroy: queues can be made in the region again. */
static void tavor_mr_republish(struct tavor_ucontext *ctx, struct tavor_mr *mr)
{
	mutex_lock(&ctx->lock);
	if (!ctx->closing)
		tavor_uctx_name(ctx, &ctx->mrs, &mr->hw->named, mr->ib.lkey);
	mutex_unlock(&ctx->lock);
}

static int tavor_dereg_user_mr(struct tavor_mr *mr, struct ib_udata *udata)
{
	struct tavor_ucontext *ctx = mr->owned.ctx;
	int err = tavor_mr_unpublish(ctx, mr, udata);

	if (err)
		return err;
	if (mr->hw->is_ring)
		return tavor_leave_context(&mr->owned, udata);
	err = tavor_destroy_in_context(&mr->owned, udata);
	if (err)
		tavor_mr_republish(ctx, mr);
	return err;
}

/**
 * tavor_dereg_mr() - ib_device_ops.dereg_mr
 * @ibmr: region of ib_core
 * @udata: of a process, or NULL
 *
 * Context: Process context, may sleep.
 * Return: 0; -EBUSY: the buffer of a CQ, QP or SRQ lies in it, or windows are bound to it;
 * -EOPNOTSUPP, -EFAULT: as tavor_destroy_cq().
 */
static int tavor_dereg_mr(struct ib_mr *ibmr, struct ib_udata *udata)
{
	struct tavor_dev *dev = to_tdev(ibmr->device);
	struct tavor_mr *mr = to_tmr(ibmr);
	struct tavor_ucontext *ctx = mr->owned.ctx;
	int err = tavor_no_udata(udata);

	if (err)
		return err;
	if (ctx) {
		err = tavor_dereg_user_mr(mr, udata);
	} else {
		if (vrb_object_is_shell(&mr->hw->object))
			vrb_object_warn_shell(&mr->hw->object, "ib_dereg_mr");
		err = tavor_object_destroy(dev, &mr->hw->object);
	}
	if (err)
		return err;
	if (ctx)
		tavor_mr_reap(ctx->process);
	kfree(mr);
	return 0;
}

const struct ib_device_ops tavor_mr_ops = {
	.get_dma_mr = tavor_get_dma_mr,
	.reg_user_mr = tavor_reg_user_mr,
	.reg_user_mr_dmabuf = tavor_reg_user_mr_dmabuf,
	.rereg_user_mr = tavor_rereg_user_mr,
	.dereg_mr = tavor_dereg_mr,
};
