/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * Events for the clients of ib_core.
 */
#ifndef TAVOR_DISPATCH_H
#define TAVOR_DISPATCH_H

#include <rdma/ib_verbs.h>

struct tavor_dev;

void tavor_dispatch_init(struct tavor_dev *dev);
void tavor_dispatch_on(struct tavor_dev *dev);
void tavor_dispatch_off(struct tavor_dev *dev);
bool tavor_dispatches(struct tavor_dev *dev);
void tavor_dispatch(struct tavor_dev *dev, enum ib_event_type type, u32 port);

#endif /* TAVOR_DISPATCH_H */
