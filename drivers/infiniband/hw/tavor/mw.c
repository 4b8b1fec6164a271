// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Memory windows of processes, type 1. A window is an MPT entry with a key and a PD. The process
 * binds it to a part of a region by a work request in its own queue, and chooses the high bits of
 * the bound key itself. The driver learns nothing of that; the hardware refuses to release a region
 * while windows are bound to it (tavor-hw 9.5).
 *
 * A key that a process has chosen may be the key of a later object with the same index. It gives no
 * access to that one, because the key's PD must be the QP's.
 */
#include <linux/slab.h>

#include <rdma/vrb_provider.h>

#include "mr.h"
#include "mw.h"
#include "object.h"
#include "pd.h"
#include "tavor.h"
#include "uctx.h"
#include "udata.h"

struct tavor_mw {
	struct ib_mw ib;
	struct tavor_hw_mr *hw;
	struct tavor_owned owned;
};

static struct tavor_mw *to_tmw(struct ib_mw *ibmw)
{
	return container_of(ibmw, struct tavor_mw, ib);
}

static const struct vrb_verb tavor_mw_create_verb = {
	.name = "ALLOC_MW",
	.class = VRB_CLASS_NORMAL,
	VRB_STEPS(tavor_mr_create_steps),
};

static const struct vrb_verb tavor_mw_destroy_verb = {
	.name = "DEALLOC_MW",
	.class = VRB_CLASS_TEARDOWN,
	VRB_STEPS(tavor_mr_destroy_steps),
};

static const struct vrb_object_type tavor_mw_type = {
	.name = "MW",
	.release = tavor_mr_release,
};

static struct tavor_hw_mr *tavor_mw_make(struct tavor_dev *dev, struct tavor_ucontext *ctx)
{
	struct tavor_hw_mr *mw = kzalloc(sizeof(*mw), GFP_KERNEL);
	int err;

	if (!mw)
		return ERR_PTR(-ENOMEM);
	mw->dev = dev;
	refcount_set(&mw->memory, 1);
	err = tavor_mpt_alloc(dev, &mw->mpt, 0);
	if (err == -ENOMEM) {
		/* Regions that the process has deregistered may have had the last keys. */
		tavor_uctx_settle(ctx);
		err = tavor_mpt_alloc(dev, &mw->mpt, 0);
	}
	if (!err)
		return mw;
	kfree(mw);
	return ERR_PTR(err);
}

/* Makes the window an object of the engine. If this fails, the window is destroyed. */
static int tavor_mw_enable(struct tavor_hw_mr *mw, struct tavor_hw_pd *pd, struct vrb_user *user)
{
	struct vrb vrb;
	int err;

	mw->mpt.pdn = pd->pdn;
	mw->mpt.is_window = true;
	vrb_object_init(&mw->object, mw->dev->vrb, &tavor_mw_type, mw->mpt.key,
			&tavor_mw_destroy_verb);
	mw->object.destroy.user = user;
	err = vrb_object_add_parent(&mw->object, &pd->object);
	err = err ?: tavor_exec_on(&mw->object, &tavor_mw_create_verb, &vrb);
	if (err)
		tavor_object_destroy(mw->dev, &mw->object);
	return err;
}

/**
 * tavor_alloc_mw() - ib_device_ops.alloc_mw
 * @ibmw: window of a process, made by ib_core; its R_Key is set
 * @udata: of the process
 *
 * Context: Process context, may sleep.
 * Return: 0; -EOPNOTSUPP: a window of type 2, or unknown driver data; or another negative errno.
 */
static int tavor_alloc_mw(struct ib_mw *ibmw, struct ib_udata *udata)
{
	struct tavor_ucontext *ctx = tavor_udata_ctx(udata);
	struct tavor_mw *mw = to_tmw(ibmw);
	struct tavor_hw_mr *hw;
	int err;

	if (ibmw->type != IB_MW_TYPE_1)
		return -EOPNOTSUPP;
	err = tavor_no_udata(udata);
	if (err)
		return err;
	hw = tavor_mw_make(to_tdev(ibmw->device), ctx);
	if (IS_ERR(hw))
		return PTR_ERR(hw);
	err = tavor_mw_enable(hw, to_tpd(ibmw->pd)->hw, &ctx->process->user);
	if (err)
		return err;
	mw->hw = hw;
	mw->owned.early = true;
	ibmw->rkey = hw->mpt.key;
	tavor_own(ctx, &mw->owned, &hw->object, &hw->memory);
	return 0;
}

/**
 * tavor_dealloc_mw() - ib_device_ops.dealloc_mw
 * @ibmw: window of a process, bound or not
 *
 * Context: Process context, may sleep.
 * Return: 0.
 */
static int tavor_dealloc_mw(struct ib_mw *ibmw)
{
	return tavor_destroy_in_context(&to_tmw(ibmw)->owned, NULL);
}

/* Only for firmware that has windows */
const struct ib_device_ops tavor_mw_ops = {
	.alloc_mw = tavor_alloc_mw,
	.dealloc_mw = tavor_dealloc_mw,

	INIT_RDMA_OBJ_SIZE(ib_mw, tavor_mw, ib),
};
