/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * The attributes of objects that rdma(8) shows.
 */
#ifndef TAVOR_RESTRACK_H
#define TAVOR_RESTRACK_H

#include <rdma/ib_verbs.h>

extern const struct ib_device_ops tavor_restrack_ops;

#endif /* TAVOR_RESTRACK_H */
