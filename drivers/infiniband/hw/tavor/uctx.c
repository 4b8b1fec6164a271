// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * User contexts: a process that has opened the device, its doorbell page, and the objects that it
 * may use.
 *
 * The user ABI passes raw PD numbers and keys into hardware contexts. They are checked here: both
 * must belong to objects of this context.
 */
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include <uapi/rdma/mthca-abi.h>

#include "mr.h"
#include "pd.h"
#include "tavor.h"
#include "uctx.h"
#include "udata.h"

static struct tavor_process *tavor_process_find(struct tavor_dev *dev)
{
	struct tavor_process *process;

	lockdep_assert_held(&dev->processes_lock);
	list_for_each_entry(process, &dev->processes, entry)
		if (process->mm == current->mm)
			return process;
	return NULL;
}

static struct tavor_process *tavor_process_new(struct tavor_dev *dev)
{
	struct tavor_process *process = kzalloc(sizeof(*process), GFP_KERNEL);

	lockdep_assert_held(&dev->processes_lock);
	if (!process)
		return NULL;
	process->mm = current->mm;
	mmgrab(process->mm);
	vrb_user_init(&process->user);
	spin_lock_init(&process->lock);
	INIT_LIST_HEAD(&process->released);
	mutex_init(&process->reaping);
	list_add(&process->entry, &dev->processes);
	return process;
}

/* The calling process, which opens the device; NULL: no memory. */
static struct tavor_process *tavor_process_get(struct tavor_dev *dev)
{
	struct tavor_process *process;

	mutex_lock(&dev->processes_lock);
	process = tavor_process_find(dev) ?: tavor_process_new(dev);
	if (process)
		process->opens++;
	mutex_unlock(&dev->processes_lock);
	return process;
}

static void tavor_process_put(struct tavor_dev *dev, struct tavor_process *process)
{
	bool last;

	mutex_lock(&dev->processes_lock);
	last = !--process->opens;
	if (last)
		list_del(&process->entry);
	mutex_unlock(&dev->processes_lock);
	if (!last)
		return;
	mutex_destroy(&process->reaping);
	mmdrop(process->mm);
	kfree(process);
}

/**
 * tavor_alloc_ucontext() - ib_device_ops.alloc_ucontext
 * @ibctx: context of ib_core
 * @udata: the size of the QP table is returned in it
 *
 * Context: Process context, may sleep.
 * Return: 0; -EOPNOTSUPP: unknown driver data; or another negative errno.
 */
int tavor_alloc_ucontext(struct ib_ucontext *ibctx, struct ib_udata *udata)
{
	struct tavor_dev *dev = to_tdev(ibctx->device);
	struct tavor_ucontext *ctx = to_tctx(ibctx);
	struct mthca_alloc_ucontext_resp resp = {
		.qp_tab_size = dev->limits.num_qps,
	};
	int err;

	if (vrb_device_failed(dev->vrb))
		return -EIO;
	err = ib_is_udata_in_empty(udata);
	if (err)
		return err;
	ctx->process = tavor_process_get(dev);
	if (!ctx->process)
		return -ENOMEM;
	err = tavor_uar_alloc(dev, &ctx->uar);
	if (err)
		goto put_process;
	mutex_init(&ctx->lock);
	ctx->pds = RB_ROOT;
	ctx->mrs = RB_ROOT;
	INIT_LIST_HEAD(&ctx->owned);
	init_waitqueue_head(&ctx->left);
	err = tavor_udata_done(udata, ib_respond_udata(udata, resp));
	if (err)
		goto free_uar;
	return 0;

free_uar:
	tavor_uar_free(dev, &ctx->uar);
put_process:
	tavor_process_put(dev, ctx->process);
	return err;
}

/**
 * tavor_dealloc_ucontext() - ib_device_ops.dealloc_ucontext
 * @ibctx: context without objects and mappings
 *
 * Context: Process context, may sleep.
 */
void tavor_dealloc_ucontext(struct ib_ucontext *ibctx)
{
	struct tavor_dev *dev = to_tdev(ibctx->device);
	struct tavor_ucontext *ctx = to_tctx(ibctx);

	/* Regions that were released since the last reap still pin memory of the process. */
	tavor_uctx_settle(ctx);
	tavor_mr_reap(ctx->process);
	WARN_ON_ONCE(!RB_EMPTY_ROOT(&ctx->pds) || !RB_EMPTY_ROOT(&ctx->mrs) ||
		     !list_empty(&ctx->owned));
	mutex_destroy(&ctx->lock);
	tavor_uar_free(dev, &ctx->uar);
	tavor_process_put(dev, ctx->process);
}

/**
 * tavor_mmap() - ib_device_ops.mmap: the context's doorbell page, at offset 0
 * @ibctx: context
 * @vma: one page
 *
 * Context: Process context, may sleep.
 * Return: 0; -EINVAL: another offset or size, or executable; or a negative errno.
 */
int tavor_mmap(struct ib_ucontext *ibctx, struct vm_area_struct *vma)
{
	if (vma->vm_pgoff || vma->vm_end - vma->vm_start != PAGE_SIZE || vma->vm_flags & VM_EXEC)
		return -EINVAL;
	vm_flags_clear(vma, VM_MAYEXEC);
	return rdma_user_mmap_io(ibctx, vma, to_tctx(ibctx)->uar.pfn, PAGE_SIZE,
				 pgprot_noncached(vma->vm_page_prot), NULL);
}

/**
 * tavor_disassociate_ucontext() - ib_device_ops.disassociate_ucontext
 * @ibctx: open context of a device that is being removed
 *
 * ib_core unmaps the doorbell page and destroys the objects; the driver need not do anything.
 *
 * Context: Process context.
 */
void tavor_disassociate_ucontext(struct ib_ucontext *ibctx)
{
}

static int tavor_named_cmp(const void *number, const struct rb_node *node)
{
	u32 wanted = *(const u32 *)number, its = rb_entry(node, struct tavor_named, node)->number;

	return wanted < its ? -1 : wanted > its;
}

static struct tavor_hw_pd *tavor_uctx_pd(struct tavor_ucontext *ctx, u32 pdn)
{
	struct rb_node *node;

	lockdep_assert_held(&ctx->lock);
	node = rb_find(&pdn, &ctx->pds, tavor_named_cmp);
	return rb_entry_safe(node, struct tavor_hw_pd, named.node);
}

static struct tavor_hw_mr *tavor_uctx_mr(struct tavor_ucontext *ctx, u32 key)
{
	struct rb_node *node;

	lockdep_assert_held(&ctx->lock);
	node = rb_find(&key, &ctx->mrs, tavor_named_cmp);
	return rb_entry_safe(node, struct tavor_hw_mr, named.node);
}

static bool tavor_uctx_mr_covers(const struct tavor_hw_mr *mr, u32 pdn, u64 bytes, bool write)
{
	const struct tavor_mpt *mpt = &mr->mpt;

	return mpt->pdn == pdn && mpt->start == 0 && mpt->length >= bytes &&
	       (!write || mpt->flags & TAVOR_MPT_LW);
}

/**
 * tavor_uctx_pin() - checks whether a context may use memory for a queue, and pins it
 * @ctx: context
 * @pdn: protection domain number from the process
 * @lkey: key from the process
 * @bytes: the queue occupies addresses 0 .. @bytes - 1 of the region
 * @write: the hardware writes the queue
 * @child: the queue; PD and region become its parents
 * @pin: set to PD and region; NULL if the queue never moves to another region
 *
 * Context: Process context, may sleep.
 * Return: 0, or -EINVAL if PD or region are not the context's or do not fit.
 */
int tavor_uctx_pin(struct tavor_ucontext *ctx, u32 pdn, u32 lkey, u64 bytes, bool write,
		   struct vrb_object *child, struct tavor_pin *pin)
{
	struct tavor_hw_pd *pd;
	struct tavor_hw_mr *mr;
	int err = -EINVAL;

	mutex_lock(&ctx->lock);
	pd = tavor_uctx_pd(ctx, pdn);
	mr = tavor_uctx_mr(ctx, lkey);
	if (pd && mr && tavor_uctx_mr_covers(mr, pdn, bytes, write))
		err = vrb_object_add_parent(child, &pd->object);
	if (!err) {
		err = vrb_object_add_parent(child, &mr->object);
		/* The quiesce of another queue may have taken the region from the hardware. */
		if (!err && READ_ONCE(mr->retired)) {
			vrb_object_drop_parent(child, &mr->object);
			err = -EINVAL;
		}
		if (err)
			vrb_object_drop_parent(child, &pd->object);
		else if (pin)
			*pin = (struct tavor_pin){ &pd->object, &mr->object };
	}
	err = err ? -EINVAL : 0;
	mutex_unlock(&ctx->lock);
	if (err)
		ibdev_dbg(ctx->ib.device,
			  "PD %#x and key %#x: not this context's, or too small for %llu bytes\n",
			  pdn, lkey, bytes);
	return err;
}

/**
 * tavor_uctx_unpin() - unpins memory that a queue no longer uses
 * @child: the queue
 * @pin: as set by tavor_uctx_pin()
 *
 * Context: Any down to softirq.
 */
void tavor_uctx_unpin(struct vrb_object *child, const struct tavor_pin *pin)
{
	vrb_object_drop_parent(child, pin->region);
	vrb_object_drop_parent(child, pin->pd);
}
