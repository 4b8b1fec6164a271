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
#include <linux/uaccess.h>

#include <rdma/ib_verbs.h>
#include <rdma/uverbs_ioctl.h>

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

/*
 * Whether ib_core destroys an object of a process by itself, because the process has closed the
 * device or the device is being removed; for kernels without that operation. @udata, or NULL, is in
 * the bundle of the call. A destroy by write() has core data there, and one by ioctl() attributes.
 * With SECURITY_INFINIBAND a create that fails can pass driver data that is in no bundle.
 */
#if defined(VRB_HAS_UFILE_HW_CLEANUP) || IS_ENABLED(CONFIG_SECURITY_INFINIBAND)
#define vrb_udata_of_close(udata) ((void)(udata), false)
#else
static inline bool vrb_udata_of_close(struct ib_udata *udata)
{
	struct uverbs_attr_bundle *bundle;

	if (!udata)
		return false;
	bundle = rdma_udata_to_uverbs_attr_bundle(udata);
	/* An ioctl() without core data leaves that uninitialised. */
	return bitmap_empty(bundle->attr_present, UVERBS_API_ATTR_BKEY_LEN) &&
	       !bundle->ucore.inlen;
}
#endif

/* The operation that tells clients which processors handle a completion vector's interrupts. */
#ifdef VRB_HAS_VECTOR_AFFINITY
#define VRB_VECTOR_AFFINITY_OP(fn) .get_vector_affinity = (fn),
#else
#define VRB_VECTOR_AFFINITY_OP(fn)
#endif

/* The parameter of reg_user_mr() for a DMA handle, which is not supported. */
#ifdef VRB_HAS_REG_MR_DMAH
#define VRB_DMAH_PARAM struct ib_dmah *dmah,
#define VRB_DMAH_GIVEN (!!dmah)
#else
#define VRB_DMAH_PARAM
#define VRB_DMAH_GIVEN false
#endif

/*
 * Driver data of a process must reach up to the member @last, and its bytes behind @req must be 0.
 * Bytes of @req that the process does not pass are set to 0.
 */
#ifndef VRB_HAS_UDATA_HELPERS
static inline int vrb_udata_in(struct ib_udata *udata, void *req, size_t size, size_t least)
{
	int err;

	if (udata->inlen < least)
		return -EINVAL;
	err = copy_struct_from_user(req, size, udata->inbuf, udata->inlen);
	return err == -E2BIG ? -EOPNOTSUPP : err;
}

#define ib_copy_validate_udata_in(udata, req, last) \
	vrb_udata_in(udata, &(req), sizeof(req), offsetofend(typeof(req), last))

static inline int ib_is_udata_in_empty(struct ib_udata *udata)
{
	return udata && udata->inlen ? vrb_udata_in(udata, NULL, 0, 0) : 0;
}

/* A buffer that is shorter than the response gets its beginning; the rest of a longer one is 0. */
static inline int vrb_udata_out(struct ib_udata *udata, const void *resp, size_t size)
{
	size_t len = min(size, udata->outlen);

	if (copy_to_user(udata->outbuf, resp, len) ||
	    clear_user(udata->outbuf + len, udata->outlen - len))
		return -EFAULT;
	return 0;
}

#define ib_respond_udata(udata, resp) vrb_udata_out(udata, &(resp), sizeof(resp))

static inline int ib_respond_empty_udata(struct ib_udata *udata)
{
	return udata ? vrb_udata_out(udata, NULL, 0) : 0;
}
#endif

#ifndef VRB_HAS_NO_UDATA_IO
static inline int ib_no_udata_io(struct ib_udata *udata)
{
	return ib_is_udata_in_empty(udata) ?: ib_respond_empty_udata(udata);
}
#endif

/* Tells programs that the driver checks all driver data. Older kernels have no such flag. */
#ifdef VRB_HAS_ROBUST_UDATA
#define VRB_ROBUST_UDATA .uverbs_robust_udata = 1,
#else
#define VRB_ROBUST_UDATA
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
