/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * What the life of all hardware objects has in common.
 */
#ifndef TAVOR_OBJECT_H
#define TAVOR_OBJECT_H

#include <rdma/vrb_provider.h>

struct tavor_dev;

int tavor_object_destroy(struct tavor_dev *dev, struct vrb_object *object);

#endif /* TAVOR_OBJECT_H */
