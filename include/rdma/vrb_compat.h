/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * Where the kernels we build for differ, as far as the engine and its tests are concerned.
 * VRB_HAS_* come from compile probes (drivers/infiniband/vrb/probe.mk); the rest reads like
 * mainline.
 */
#ifndef RDMA_VRB_COMPAT_H
#define RDMA_VRB_COMPAT_H

#include <linux/hrtimer.h>

#ifndef VRB_HAS_HRTIMER_SETUP
static inline void hrtimer_setup(struct hrtimer *timer,
				 enum hrtimer_restart (*function)(struct hrtimer *),
				 clockid_t clock_id, enum hrtimer_mode mode)
{
	hrtimer_init(timer, clock_id, mode);
	timer->function = function;
}
#endif

#endif /* RDMA_VRB_COMPAT_H */
