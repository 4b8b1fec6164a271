/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * Post send and post receive.
 */
#ifndef TAVOR_POST_H
#define TAVOR_POST_H

#include <rdma/ib_verbs.h>

struct tavor_hw_qp;

int tavor_post_send(struct ib_qp *ibqp, const struct ib_send_wr *wr,
		    const struct ib_send_wr **bad_wr);
int tavor_post_recv(struct ib_qp *ibqp, const struct ib_recv_wr *wr,
		    const struct ib_recv_wr **bad_wr);
int tavor_post_send_marker(struct tavor_hw_qp *qp, u64 wr_id);
int tavor_post_recv_marker(struct tavor_hw_qp *qp, u64 wr_id);

#endif /* TAVOR_POST_H */
