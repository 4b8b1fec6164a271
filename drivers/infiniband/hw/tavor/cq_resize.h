/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * Resize of CQs.
 */
#ifndef TAVOR_CQ_RESIZE_H
#define TAVOR_CQ_RESIZE_H

#include <rdma/ib_verbs.h>
#include <rdma/vrb_compat.h>
#include <rdma/vrb_provider.h>

extern const struct vrb_verb tavor_verb_resize_cq;
int tavor_ring_cq(struct ib_cq *ibcq, int cqe, gfp_t gfp);
int tavor_resize_cq(struct ib_cq *ibcq, vrb_resize_cqe_t cqe, struct ib_udata *udata);

#endif /* TAVOR_CQ_RESIZE_H */
