/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * Differences between the supported kernels. VRB_HAS_* come from compile probes
 * (drivers/infiniband/vrb/probe/); the version of the kernel is not used. All other code is written
 * for mainline.
 */
#ifndef RDMA_VRB_COMPAT_H
#define RDMA_VRB_COMPAT_H

#include <linux/hrtimer.h>
#include <linux/timer.h>

#include "vrb_probes.h"

#ifndef VRB_HAS_HRTIMER_SETUP
static inline void hrtimer_setup(struct hrtimer *timer,
				 enum hrtimer_restart (*function)(struct hrtimer *),
				 clockid_t clock_id, enum hrtimer_mode mode)
{
	hrtimer_init(timer, clock_id, mode);
	timer->function = function;
}
#endif

#ifndef VRB_HAS_TIMER_CONTAINER_OF
#define timer_container_of(var, callback_timer, timer_fieldname) \
	from_timer(var, callback_timer, timer_fieldname)
#endif

#ifndef VRB_HAS_UMEM_GET_VA
#define ib_umem_get_va(device, addr, size, access) ib_umem_get(device, addr, size, access)
#endif

#ifdef VRB_HAS_RESIZE_USER_CQ
#define vrb_resize_cqe_t unsigned int
#define VRB_RESIZE_CQ_OP(fn) .resize_user_cq = (fn)
#else
#define vrb_resize_cqe_t int
#define VRB_RESIZE_CQ_OP(fn) .resize_cq = (fn)
#endif

/*
 * The operation that ib_core calls before it destroys all objects of a process. Kernels without it
 * do not use the function.
 */
#ifdef VRB_HAS_UFILE_HW_CLEANUP
#define VRB_UFILE_HW_CLEANUP_OP(fn) .ufile_hw_cleanup = (fn),
#else
#define VRB_UFILE_HW_CLEANUP_OP(fn)
#endif

/* The parameter of reg_user_mr() for a DMA handle, which is not supported. */
#ifdef VRB_HAS_REG_MR_DMAH
#define VRB_DMAH_PARAM struct ib_dmah *dmah,
#define VRB_DMAH_GIVEN (!!dmah)
#else
#define VRB_DMAH_PARAM
#define VRB_DMAH_GIVEN false
#endif

/* Whether the caller may use a privileged Q_Key. */
#ifdef VRB_HAS_DEV_RAW_CAP
#define vrb_has_raw_cap(ibdev) rdma_dev_has_raw_cap(ibdev)
#else
#define vrb_has_raw_cap(ibdev) ((void)(ibdev), capable(CAP_NET_RAW))
#endif

/* No grace period: the driver itself limits how often it recovers a device. */
#ifdef VRB_HAS_HEALTH_GRACE
#define vrb_health_reporter_create(devlink, ops, priv) \
	devlink_health_reporter_create(devlink, ops, 0, priv)
#else
#define vrb_health_reporter_create(devlink, ops, priv) \
	devlink_health_reporter_create(devlink, ops, priv)
#endif

#endif /* RDMA_VRB_COMPAT_H */
