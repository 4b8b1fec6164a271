/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * Work requests that were posted to a device that has failed.
 */
#ifndef TAVOR_FLUSH_H
#define TAVOR_FLUSH_H

#include <rdma/ib_verbs.h>

struct tavor_dev;
struct tavor_hw_cq;
struct tavor_hw_qp;

void tavor_flush_start(struct tavor_dev *dev);
void tavor_flush_stop(struct tavor_dev *dev);
int tavor_flush_poll(struct tavor_hw_cq *cq, int num, struct ib_wc *wc);
bool tavor_flush_pending(struct tavor_hw_cq *cq);
void tavor_flush_anew(struct tavor_hw_qp *qp);

#endif /* TAVOR_FLUSH_H */
