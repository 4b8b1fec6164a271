/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * Address handles of the kernel. User space keeps its own in its own memory.
 */
#ifndef TAVOR_AH_H
#define TAVOR_AH_H

#include "hw_wqe.h"
#include "tavor.h"

/**
 * struct tavor_ah - address handle
 * @ib: ib_core's half
 * @av: copy of the vector, for the headers of QP0 and QP1 and for queries
 * @addr: the address in a WQE: HCA address in the DDR, or bus address
 * @slot: its place in the table
 */
struct tavor_ah {
	struct ib_ah ib;
	struct tavor_av av;
	u64 addr;
	u32 slot;
};

static inline struct tavor_ah *to_tah(struct ib_ah *ibah)
{
	return container_of(ibah, struct tavor_ah, ib);
}

bool tavor_ah_attr_ok(const struct tavor_dev *dev, const struct rdma_ah_attr *attr);
int tavor_create_ah(struct ib_ah *ibah, struct rdma_ah_init_attr *attr, struct ib_udata *udata);
int tavor_query_ah(struct ib_ah *ibah, struct rdma_ah_attr *attr);
int tavor_destroy_ah(struct ib_ah *ibah, u32 flags);

int tavor_av_table_init(struct tavor_dev *dev);
void tavor_av_table_cleanup(struct tavor_dev *dev);

#endif /* TAVOR_AH_H */
