/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * Functions for all types of hardware objects.
 */
#ifndef TAVOR_OBJECT_H
#define TAVOR_OBJECT_H

#include <linux/list.h>
#include <linux/refcount.h>
#include <linux/slab.h>

#include <rdma/vrb_provider.h>

struct tavor_dev;

/*
 * A hardware half is freed when the engine has released it and ib_core's half no longer points to
 * it. It begins with its object.
 */
static inline void tavor_half_put(void *half, refcount_t *memory)
{
	if (refcount_dec_and_test(memory))
		kfree(half);
}

/**
 * struct tavor_waiter - an object whose request waits on a list of the driver's (VRB_WAIT)
 * @entry: in the list, which its owner guards
 * @object: the object. The list has a reference to it: if the device fails, the request may
 *	complete without its undo, and the object may be destroyed, before the list is empty
 */
struct tavor_waiter {
	struct list_head entry;
	struct vrb_object *object;
};

void tavor_waiter_init(struct tavor_waiter *waiter, struct vrb_object *object);
void tavor_waiter_add(struct tavor_waiter *waiter, struct list_head *list);
void tavor_waiter_remove(struct tavor_waiter *waiter);
void tavor_waiter_resume(struct tavor_waiter *waiter);

int tavor_object_destroy(struct tavor_dev *dev, struct vrb_object *object);

#endif /* TAVOR_OBJECT_H */
