/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * What the life of all hardware objects has in common.
 */
#ifndef TAVOR_OBJECT_H
#define TAVOR_OBJECT_H

#include <rdma/vrb_provider.h>

struct tavor_dev;

void tavor_object_init(struct tavor_dev *dev, struct vrb_object *object,
		       const struct vrb_object_type *type, u32 id, const struct vrb_verb *destroy);
int tavor_object_destroy(struct tavor_dev *dev, struct vrb_object *object);
void tavor_object_abandon(struct tavor_dev *dev, struct vrb_object *object, int err);
bool tavor_object_in_use(struct vrb_object *object);

#endif /* TAVOR_OBJECT_H */
