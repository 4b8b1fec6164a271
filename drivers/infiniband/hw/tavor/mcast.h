/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * Multicast groups.
 */
#ifndef TAVOR_MCAST_H
#define TAVOR_MCAST_H

#include <rdma/ib_verbs.h>
#include <rdma/vrb_provider.h>

struct tavor_dev;

extern const struct vrb_verb tavor_verb_attach_mcast, tavor_verb_detach_mcast;

int tavor_mcg_table_init(struct tavor_dev *dev);
void tavor_mcg_table_cleanup(struct tavor_dev *dev);
int tavor_attach_mcast(struct ib_qp *ibqp, union ib_gid *gid, u16 lid);
int tavor_detach_mcast(struct ib_qp *ibqp, union ib_gid *gid, u16 lid);

#endif /* TAVOR_MCAST_H */
