/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * Counters.
 */
#ifndef TAVOR_STATS_H
#define TAVOR_STATS_H

#include <rdma/ib_verbs.h>

extern const struct ib_device_ops tavor_stats_ops;

#endif /* TAVOR_STATS_H */
