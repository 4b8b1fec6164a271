/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * Events for the clients of ib_core.
 */
#ifndef TAVOR_DISPATCH_H
#define TAVOR_DISPATCH_H

#include <rdma/ib_verbs.h>

struct tavor_dev;

void tavor_dispatch_init(struct tavor_dev *dev);
void tavor_dispatch_set(struct tavor_dev *dev, bool registered);
bool tavor_dispatches(const struct tavor_dev *dev);
void tavor_dispatch(struct tavor_dev *dev, const struct ib_event *event);

#endif /* TAVOR_DISPATCH_H */
