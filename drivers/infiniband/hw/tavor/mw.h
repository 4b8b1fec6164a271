/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * Memory windows.
 */
#ifndef TAVOR_MW_H
#define TAVOR_MW_H

#include <rdma/ib_verbs.h>

extern const struct ib_device_ops tavor_mw_ops;

#endif /* TAVOR_MW_H */
