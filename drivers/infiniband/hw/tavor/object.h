/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * What the life of all hardware objects has in common.
 */
#ifndef TAVOR_OBJECT_H
#define TAVOR_OBJECT_H

#include <linux/refcount.h>
#include <linux/slab.h>

#include <rdma/vrb_provider.h>

struct tavor_dev;

/*
 * A hardware half is freed when the engine has let go of it, and ib_core's half does not point to
 * it any more. It begins with its object.
 */
static inline void tavor_half_put(void *half, refcount_t *memory)
{
	if (refcount_dec_and_test(memory))
		kfree(half);
}

int tavor_object_destroy(struct tavor_dev *dev, struct vrb_object *object);

#endif /* TAVOR_OBJECT_H */
