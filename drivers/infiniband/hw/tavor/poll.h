/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * Poll CQ and request notification.
 */
#ifndef TAVOR_POLL_H
#define TAVOR_POLL_H

#include <rdma/ib_verbs.h>

int tavor_poll_cq(struct ib_cq *ibcq, int num, struct ib_wc *wc);
int tavor_req_notify_cq(struct ib_cq *ibcq, enum ib_cq_notify_flags flags);

#endif /* TAVOR_POLL_H */
