/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * The verbs for kernel clients.
 */
#ifndef TAVOR_VERBS_H
#define TAVOR_VERBS_H

#include <rdma/vrb_provider.h>

extern const struct vrb_verbs tavor_verbs;

#endif /* TAVOR_VERBS_H */
