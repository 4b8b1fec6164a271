/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * Driver data (udata): what a process passes to the driver with a call of uverbs, and what it gets
 * back. The structures are those of mthca-abi.h.
 *
 * Every operation that can get driver data checks its size. Input behind the structure must be 0,
 * so that a later ABI can use it; reserved fields within are not looked at, because libmthca does
 * not set all of them. Output behind the structure is cleared. An operation whose input has been
 * copied and whose output has been written ends with tavor_udata_done(); one without a structure
 * begins with tavor_no_udata(). Operations that are called in softirq never get driver data.
 */
#ifndef TAVOR_UDATA_H
#define TAVOR_UDATA_H

#include <rdma/ib_verbs.h>
#include <rdma/uverbs_ioctl.h>
#include <rdma/vrb_compat.h>

/*
 * Takes away the driver data of a call. When ib_core cannot tell the process about a new object it
 * destroys it, and passes the driver data of the create to the destroy. That must not fail, and has
 * no use for the input of a create. The same is true of the old region of a reregistration.
 */
static inline int tavor_udata_done(struct ib_udata *udata, int err)
{
	if (udata && !err)
		*udata = (struct ib_udata){};
	return err;
}

/* For an operation without input and output: -EOPNOTSUPP: input that is not 0; -EFAULT. */
static inline int tavor_no_udata(struct ib_udata *udata)
{
	return tavor_udata_done(udata, ib_no_udata_io(udata));
}

#endif /* TAVOR_UDATA_H */
