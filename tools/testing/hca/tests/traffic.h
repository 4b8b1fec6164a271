/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * Queue pairs for the miniature driver of client.h: rings, connections, posting, polling. Queues
 * have RING WQEs of STRIDE bytes each, the receive queue first. Doorbells go over the socket, or
 * straight into the model (benchmark).
 */
#ifndef HCA_TESTS_TRAFFIC_H
#define HCA_TESTS_TRAFFIC_H

#include "client.h"

#include "fabric/packet.h"
#include "qp/qp.h"

#define TT_RING 256u
#define TT_STRIDE 64u
#define TT_SQ (TT_RING * TT_STRIDE)
#define TT_CQ_LOG 12
#define TT_LID 1
#define TT_QKEY 0x11111111u

struct tt_qp {
	u32 qpn, cqn, uar, port;
	u8 service;
	bool direct;
	u8 *wqes, *cqes;
	u32 key; /* of the queues */
	u32 sq, rq, ci;
	u32 cq_log;
	u32 srqn; /* 0: none */
};

/*
 * INIT_IB of both ports, then what a subnet manager does to port 1. Exits if the port does not
 * become active.
 */
void tt_port_up(void);
/* What the subnet manager does to one more port. */
void tt_port_manage(u32 port, u16 lid);
/*
 * After an SQ error or reset these may be called again. Fill in qpn, service, uar, direct before
 * the first.
 */
void tt_make(struct tt_qp *q);		     /* memory, CQ (number qpn & 0xff | 0x80), RST2INIT */
void tt_init_mailbox(const struct tt_qp *q); /* in tc_in() */
void tt_rtr_mailbox(const struct tt_qp *q, u32 remote);
void tt_rts_mailbox(const struct tt_qp *q);
void tt_connect(struct tt_qp *q, u32 remote); /* INIT to RTS */
u8 tt_state(const struct tt_qp *q);

u32 tt_sq_addr(u32 i);
u8 *tt_wqe(struct tt_qp *q); /* the next send WQE, cleared, to be signaled */
u8 *tt_sge(u8 *at, u32 key, u64 va, u32 len);
void tt_ring_send(struct tt_qp *q, u32 addr, u8 op, u8 size);
/* Rings for the WQE that tt_wqe() gave, which ends at @end. */
void tt_send(struct tt_qp *q, u8 op, const u8 *end);
/* A send, RDMA write or read of one span, same key on both sides. */
void tt_post(struct tt_qp *q, u8 op, u32 key, u64 va, u32 len, u64 remote);
void tt_post_recv(struct tt_qp *q, u32 key, u64 va, u32 len);

/* The next CQE, valid until the queue comes around, or NULL; consumed, CI told to the hardware. */
const u8 *tt_poll(struct tt_qp *q);
/* The same, after the model had up to ten seconds: no test depends on how fast the machine is. */
const u8 *tt_wait(struct tt_qp *q);

#endif
