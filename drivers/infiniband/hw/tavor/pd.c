// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Protection domains. A PD is only a number to the hardware. A kernel PD has an untranslated region
 * of its own; the hardware uses its key to fetch address vectors and headers of management packets.
 */
#include <linux/slab.h>

#include <uapi/rdma/mthca-abi.h>

#include "object.h"
#include "pd.h"
#include "tavor.h"
#include "uctx.h"
#include "udata.h"

static struct tavor_hw_pd *to_hw_pd(struct vrb_object *object)
{
	return container_of(object, struct tavor_hw_pd, object);
}

static int tavor_pd_destroy_encode(struct vrb_device *vdev, struct vrb *vrb, struct vrb_slot *slot)
{
	return tavor_mpt_take(vdev, slot, &to_hw_pd(vrb->object)->ntmr);
}

static int tavor_pd_destroy_done(struct vrb_device *vdev, struct vrb *vrb, struct vrb_slot *slot,
				 const struct vrb_result *result)
{
	return tavor_mpt_taken(&to_hw_pd(vrb->object)->ntmr, result);
}

static const struct vrb_step tavor_pd_destroy_steps[] = {
	{ .name = "HW2SW_MPT", .encode = tavor_pd_destroy_encode, .done = tavor_pd_destroy_done },
};

static const struct vrb_verb tavor_pd_destroy_verb = {
	.name = "DEALLOC_PD",
	.class = VRB_CLASS_TEARDOWN,
	VRB_STEPS(tavor_pd_destroy_steps),
};

/* Only the context looks PDs up, and this one has been removed from it. */
static void tavor_pd_free(struct tavor_hw_pd *pd)
{
	tavor_mpt_free(pd->dev, &pd->ntmr);
	/* If its key of all memory may still become valid, the number must not name another PD. */
	if (!pd->ntmr.key)
		tavor_alloc_put(&pd->dev->pd_alloc, pd->pdn);
	kfree(pd);
}

static void tavor_pd_release(struct vrb_object *object)
{
	tavor_pd_free(to_hw_pd(object));
}

static const struct vrb_object_type tavor_pd_type = {
	.name = "PD",
	.release = tavor_pd_release,
};

static int tavor_pd_enable_ntmr(struct tavor_hw_pd *pd)
{
	struct tavor_mpt *mpt = &pd->ntmr;
	int err;

	err = tavor_mpt_alloc(pd->dev, mpt, 0);
	if (err)
		return err;
	mpt->pdn = pd->pdn;
	mpt->flags = TAVOR_MPT_PHYSICAL | TAVOR_MPT_LW;
	mpt->start = 0;
	mpt->length = U64_MAX;
	return tavor_mpt_enable(pd->dev, mpt);
}

/**
 * tavor_hw_pd_create() - creates a protection domain
 * @dev: device
 * @user: for a process: it has no region of its own
 *
 * Context: Process context, may sleep.
 * Return: the PD or ERR_PTR().
 */
struct tavor_hw_pd *tavor_hw_pd_create(struct tavor_dev *dev, bool user)
{
	struct tavor_hw_pd *pd;
	int err;

	pd = kzalloc(sizeof(*pd), GFP_KERNEL);
	if (!pd)
		return ERR_PTR(-ENOMEM);
	pd->dev = dev;
	pd->user = user;
	err = tavor_alloc_get(&dev->pd_alloc, &pd->pdn);
	if (err) {
		kfree(pd);
		return ERR_PTR(err);
	}
	err = user ? 0 : tavor_pd_enable_ntmr(pd);
	if (err) {
		tavor_pd_free(pd);
		return ERR_PTR(err);
	}
	vrb_object_init(&pd->object, dev->vrb, &tavor_pd_type, pd->pdn, &tavor_pd_destroy_verb);
	return pd;
}

/**
 * tavor_hw_pd_destroy() - destroys a protection domain
 * @pd: must not be used afterwards unless this fails
 *
 * Context: Process context, may sleep.
 * Return: 0, or -EBUSY if something still uses it.
 */
int tavor_hw_pd_destroy(struct tavor_hw_pd *pd)
{
	if (vrb_object_has_children(&pd->object))
		return -EBUSY;
	return tavor_object_destroy(pd->dev, &pd->object);
}

static int tavor_pd_publish(struct tavor_ucontext *ctx, struct tavor_hw_pd *pd,
			    struct ib_udata *udata)
{
	struct mthca_alloc_pd_resp resp = { .pdn = pd->pdn };
	int err;

	err = tavor_udata_done(udata, ib_respond_udata(udata, resp));
	if (err)
		return err;
	mutex_lock(&ctx->lock);
	tavor_uctx_name(ctx, &ctx->pds, &pd->named, pd->pdn);
	mutex_unlock(&ctx->lock);
	return 0;
}

/**
 * tavor_alloc_pd() - ib_device_ops.alloc_pd
 * @ibpd: PD of ib_core
 * @udata: of a process; the PD's number is returned in it
 *
 * Context: Process context, may sleep.
 * Return: 0; -EOPNOTSUPP: unknown driver data; or another negative errno.
 */
int tavor_alloc_pd(struct ib_pd *ibpd, struct ib_udata *udata)
{
	struct tavor_ucontext *ctx = udata ?
		rdma_udata_to_drv_context(udata, struct tavor_ucontext, ib) : NULL;
	struct tavor_pd *pd = to_tpd(ibpd);
	int err = ib_is_udata_in_empty(udata);

	if (err)
		return err;
	pd->hw = tavor_hw_pd_create(to_tdev(ibpd->device), udata);
	if (IS_ERR(pd->hw))
		return PTR_ERR(pd->hw);
	pd->ctx = ctx;
	err = ctx ? tavor_pd_publish(ctx, pd->hw, udata) : 0;
	if (err)
		tavor_hw_pd_destroy(pd->hw);
	return err;
}

static int tavor_pd_dealloc_user(struct tavor_ucontext *ctx, struct tavor_hw_pd *pd)
{
	/* A region may still be in its deregistration, and its key names the PD until then. */
	if (vrb_object_has_children(&pd->object))
		tavor_uctx_settle(ctx);
	mutex_lock(&ctx->lock);
	if (vrb_object_has_children(&pd->object)) {
		mutex_unlock(&ctx->lock);
		return -EBUSY;
	}
	tavor_uctx_forget(ctx, &ctx->pds, &pd->named);
	mutex_unlock(&ctx->lock);
	return tavor_object_destroy(pd->dev, &pd->object);
}

/**
 * tavor_dealloc_pd() - ib_device_ops.dealloc_pd
 * @ibpd: PD of ib_core
 * @udata: of a process, or NULL
 *
 * Context: Process context, may sleep.
 * Return: 0; -EBUSY: a CQ, QP, SRQ, MR or MW still uses it; -EOPNOTSUPP, -EFAULT: driver data.
 */
int tavor_dealloc_pd(struct ib_pd *ibpd, struct ib_udata *udata)
{
	struct tavor_pd *pd = to_tpd(ibpd);
	int err = tavor_no_udata(udata);

	if (err)
		return err;
	if (pd->ctx)
		return tavor_pd_dealloc_user(pd->ctx, pd->hw);
	return tavor_hw_pd_destroy(pd->hw);
}
