/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * Waits for all posted work requests.
 */
#ifndef TAVOR_DRAIN_H
#define TAVOR_DRAIN_H

#include <rdma/ib_verbs.h>

void tavor_drain_sq(struct ib_qp *ibqp);
void tavor_drain_rq(struct ib_qp *ibqp);

#endif /* TAVOR_DRAIN_H */
