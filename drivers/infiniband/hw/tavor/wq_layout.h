/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * The WQE layout, on which the kernel and the user library must agree.
 */
#ifndef TAVOR_WQ_LAYOUT_H
#define TAVOR_WQ_LAYOUT_H

#include <rdma/ib_verbs.h>
#include "hw_qp.h"

/**
 * struct tavor_wq_shape - geometry of one work queue
 * @max: slots; exactly the number that the consumer has requested, because user space computes the
 *	same ring
 * @max_gs: data segments that fit into one WQE
 * @shift: log2 of the stride in bytes
 * @offset: of the first slot in the QP's buffer
 */
struct tavor_wq_shape {
	u32 max;
	u32 max_gs;
	u32 shift;
	u32 offset;
};

/**
 * struct tavor_wq_limits - limits of the device for the layout
 * @max_wqes: per queue
 * @max_sg: data segments per WQE
 * @max_desc: bytes per WQE
 */
struct tavor_wq_limits {
	u32 max_wqes;
	u32 max_sg;
	u32 max_desc;
};

/**
 * struct tavor_wq_layout - the two queues of a QP in their buffer
 * @recv: receive queue, first in the buffer
 * @send: send queue
 * @max_inline: bytes a send may carry inline
 * @size: bytes of both queues
 */
struct tavor_wq_layout {
	struct tavor_wq_shape recv;
	struct tavor_wq_shape send;
	u32 max_inline;
	u32 size;
};

u32 tavor_wqe_shift(u32 bytes);
int tavor_wq_plan(const struct tavor_wq_limits *limits, enum tavor_qp_service service,
		  const struct ib_qp_cap *cap, struct tavor_wq_layout *layout);

#endif /* TAVOR_WQ_LAYOUT_H */
