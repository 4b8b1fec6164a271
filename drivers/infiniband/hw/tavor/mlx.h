/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * Packet headers of QP0 and QP1.
 */
#ifndef TAVOR_MLX_H
#define TAVOR_MLX_H

#include "qp.h"

void *tavor_mlx_headers(struct tavor_hw_qp *qp, const struct ib_ud_wr *wr, void *wqe);
void *tavor_mlx_icrc(void *seg);

#endif /* TAVOR_MLX_H */
