// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * The end of a user context that still has objects: the process has exited or has closed the
 * device, or the device is being removed.
 *
 * ib_core destroys these objects one after the other, and waits for each. This file submits all
 * destroys at once as soon as it is certain that the whole context ends, so that they share the
 * command slots. When ib_core destroys an object later, its destroy has completed or is in
 * progress. Kernels with ufile_hw_cleanup report the end of a context. On other kernels it begins
 * with the first destroy that ib_core does by itself, or that an exiting process does. A window's
 * destroy has no driver data, so it is recognised only as the latter.
 */
#include <linux/sched.h>

#include <rdma/uverbs_types.h>
#include <rdma/vrb_compat.h>

#include "object.h"
#include "tavor.h"
#include "uctx.h"

#define TAVOR_MAX_LEAVING	64U

/**
 * tavor_own_locked() - makes a context the owner of an object
 * @ctx: context, locked
 * @owned: in ib_core's half of the object
 * @object: hardware half
 * @memory: references to the memory of the hardware half
 *
 * Context: Process context.
 */
void tavor_own_locked(struct tavor_ucontext *ctx, struct tavor_owned *owned,
		      struct vrb_object *object, refcount_t *memory)
{
	lockdep_assert_held(&ctx->lock);
	owned->ctx = ctx;
	owned->object = object;
	owned->memory = memory;
	init_completion(&owned->gone);
	list_add(&owned->entry, &ctx->owned);
}

/**
 * tavor_own() - the same, where the context is not locked
 * @ctx: context
 * @owned: in ib_core's half of the object
 * @object: hardware half
 * @memory: references to the memory of the hardware half
 *
 * Context: Process context, may sleep.
 */
void tavor_own(struct tavor_ucontext *ctx, struct tavor_owned *owned, struct vrb_object *object,
	       refcount_t *memory)
{
	mutex_lock(&ctx->lock);
	tavor_own_locked(ctx, owned, object, memory);
	mutex_unlock(&ctx->lock);
}

static void tavor_disown(struct tavor_ucontext *ctx, struct tavor_owned *owned)
{
	mutex_lock(&ctx->lock);
	list_del(&owned->entry);
	mutex_unlock(&ctx->lock);
}

/* The hardware half has been released; ib_core's half exists until its destroy returns. */
static void tavor_owned_gone(void *context)
{
	struct tavor_owned *owned = context;

	complete_all(&owned->gone);
}

/*
 * Submits the destroys, of the youngest object first, as ib_core does. The engine keeps the order
 * in any case: a parent's commands wait until its children are gone. The memory of a hardware half
 * stays until ib_core's destroy, because it may still be read.
 */
static void tavor_destroy_some(struct tavor_ucontext *ctx, bool early)
{
	struct tavor_dev *dev = to_tdev(ctx->ib.device);
	struct tavor_owned *owned;

	list_for_each_entry(owned, &ctx->owned, entry) {
		if (owned->early != early)
			continue;
		refcount_inc(owned->memory);
		if (WARN_ON_ONCE(vrb_destroy(vrb_device_client(dev->vrb), owned->object,
					     tavor_owned_gone, owned) != -EINPROGRESS))
			tavor_owned_gone(owned);
		cond_resched();
	}
}

static void tavor_wait_gone(struct tavor_ucontext *ctx, struct tavor_owned *owned)
{
	vrb_wait_logged(&owned->gone, pci_name(to_tdev(ctx->ib.device)->pdev),
			"objects of a process that is closing the device");
}

/* The engine does not know which region a window is bound to, so all windows go before. */
static void tavor_destroy_owned(struct tavor_ucontext *ctx)
{
	struct tavor_owned *owned;

	lockdep_assert_held(&ctx->lock);
	if (ctx->closing)
		return;
	ctx->closing = true;
	tavor_destroy_some(ctx, true);
	list_for_each_entry(owned, &ctx->owned, entry)
		if (owned->early)
			tavor_wait_gone(ctx, owned);
	tavor_destroy_some(ctx, false);
}

/**
 * tavor_uctx_closes() - whether all objects of a context are being destroyed
 * @ctx: context, locked; one of its objects is being destroyed
 * @udata: of that destroy, or NULL
 *
 * An exiting task destroys objects only when it closes the device.
 *
 * Context: Process context, may sleep.
 */
bool tavor_uctx_closes(struct tavor_ucontext *ctx, struct ib_udata *udata)
{
	lockdep_assert_held(&ctx->lock);
	if (current->flags & PF_EXITING || vrb_udata_of_close(udata))
		tavor_destroy_owned(ctx);
	return ctx->closing;
}

/**
 * tavor_destroy_in_context() - destroys an object of a process, and waits until it is released
 * @owned: of the object
 * @udata: of the destroy, or NULL
 *
 * Context: Process context, may sleep.
 * Return: 0; -EBUSY: the hardware refused and the object still exists, or it has children that
 * ib_core has not destroyed yet. ib_core retries when those are gone.
 */
int tavor_destroy_in_context(struct tavor_owned *owned, struct ib_udata *udata)
{
	struct tavor_ucontext *ctx = owned->ctx;
	struct vrb_object *object = owned->object;
	bool closes;
	int err;

	mutex_lock(&ctx->lock);
	closes = tavor_uctx_closes(ctx, udata);
	mutex_unlock(&ctx->lock);
	if (closes) {
		/*
		 * The child may be a QP that ib_core has not detached from its groups yet. If the
		 * device has failed, ib_core does not have to: tavor_mcg_failed() lets go of them.
		 */
		if (!completion_done(&owned->gone) && vrb_object_has_children(object) &&
		    !vrb_device_failed(to_tdev(ctx->ib.device)->vrb))
			return -EBUSY;
		tavor_wait_gone(ctx, owned);
		tavor_disown(ctx, owned);
		tavor_half_put(object, owned->memory);
		return 0;
	}
	err = tavor_object_destroy(to_tdev(ctx->ib.device), object);
	if (!err)
		tavor_disown(ctx, owned);
	return err;
}

static void tavor_uctx_left(void *context)
{
	struct tavor_ucontext *ctx = context;

	spin_lock_bh(&ctx->left.lock);
	if (!--ctx->leaving)
		wake_up_locked(&ctx->left);
	spin_unlock_bh(&ctx->left.lock);
}

/* Whether one more region may be destroyed without a wait. */
static bool tavor_uctx_leaves(struct tavor_ucontext *ctx)
{
	bool leaves;

	lockdep_assert_held(&ctx->lock);
	spin_lock_bh(&ctx->left.lock);
	leaves = !ctx->closing && ctx->leaving < TAVOR_MAX_LEAVING;
	ctx->leaving += leaves;
	spin_unlock_bh(&ctx->left.lock);
	return leaves;
}

/**
 * tavor_leave_context() - as tavor_destroy_in_context(), but does not wait
 * @owned: of a region without children, which the hardware does not refuse to release
 * @udata: of the destroy
 *
 * Waits nevertheless if too many such destroys are in progress.
 *
 * Context: Process context, may sleep.
 * Return: 0 or -EBUSY.
 */
int tavor_leave_context(struct tavor_owned *owned, struct ib_udata *udata)
{
	struct tavor_ucontext *ctx = owned->ctx;
	bool leaves;

	mutex_lock(&ctx->lock);
	leaves = tavor_uctx_leaves(ctx);
	if (leaves)
		list_del(&owned->entry);
	mutex_unlock(&ctx->lock);
	if (!leaves)
		return tavor_destroy_in_context(owned, udata);
	if (WARN_ON_ONCE(vrb_destroy(vrb_device_client(to_tdev(ctx->ib.device)->vrb),
				     owned->object, tavor_uctx_left, ctx) != -EINPROGRESS))
		tavor_uctx_left(ctx);
	return 0;
}

/**
 * tavor_uctx_settle() - waits for the destroys that tavor_leave_context() has started
 * @ctx: context
 *
 * Context: Process context, may sleep.
 * Return: whether there was one.
 */
bool tavor_uctx_settle(struct tavor_ucontext *ctx)
{
	bool leaving;

	spin_lock_bh(&ctx->left.lock);
	leaving = ctx->leaving;
	spin_unlock_bh(&ctx->left.lock);
	wait_event(ctx->left, !READ_ONCE(ctx->leaving));
	/* tavor_uctx_left() may still hold the lock. */
	spin_lock_bh(&ctx->left.lock);
	spin_unlock_bh(&ctx->left.lock);
	return leaving;
}

#ifdef VRB_HAS_UFILE_HW_CLEANUP
/**
 * tavor_ufile_hw_cleanup() - ib_device_ops.ufile_hw_cleanup
 * @ufile: open file that is being closed, or whose device is being removed
 *
 * Context: Process context, may sleep.
 */
void tavor_ufile_hw_cleanup(struct ib_uverbs_file *ufile)
{
	struct tavor_ucontext *ctx = to_tctx(ufile->ucontext);

	mutex_lock(&ctx->lock);
	tavor_destroy_owned(ctx);
	mutex_unlock(&ctx->lock);
}
#endif
