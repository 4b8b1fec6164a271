/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * What kernel clients can ask for.
 */
#ifndef TAVOR_VERBS_H
#define TAVOR_VERBS_H

#include <rdma/vrb_provider.h>

extern const struct vrb_verbs tavor_verbs;

#endif /* TAVOR_VERBS_H */
