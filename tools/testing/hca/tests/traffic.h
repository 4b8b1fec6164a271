/* SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB */
/*
 * Queue pairs for the small driver of client.h: rings, connections, posting, polling. A queue has
 * RING WQEs of STRIDE bytes, the receive queue first. Doorbells use the socket, or call the model
 * directly (for the benchmark).
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
	u32 key; /* the key of the queues */
	u32 sq, rq, ci;
	u32 cq_log;
	u32 srqn; /* 0: none */
};

/*
 * Posts INIT_IB for both ports, then sets up port 1 like a subnet manager. Exits if the port does
 * not become active.
 */
void tt_port_up(void);
/* Sets up another port like a subnet manager. */
void tt_port_manage(u32 port, u16 lid);
/*
 * These functions can be called again after an SQ error or reset. Before the first call, the caller
 * sets qpn, service, uar and direct.
 */
void tt_make(struct tt_qp *q);		     /* memory, CQ (number qpn & 0xff | 0x80), RST2INIT */
void tt_init_mailbox(const struct tt_qp *q); /* in tc_in() */
void tt_rtr_mailbox(const struct tt_qp *q, u32 remote);
void tt_rts_mailbox(const struct tt_qp *q);
void tt_connect(struct tt_qp *q, u32 remote); /* INIT to RTS */
u8 tt_state(const struct tt_qp *q);

u32 tt_sq_addr(u32 i);
u8 *tt_wqe(struct tt_qp *q); /* the next send WQE, cleared and signaled */
u8 *tt_sge(u8 *at, u32 key, u64 va, u32 len);
void tt_ring_send(struct tt_qp *q, u32 addr, u8 op, u8 size);
/* Rings the doorbell for the WQE of tt_wqe(), which ends at @end. */
void tt_send(struct tt_qp *q, u8 op, const u8 *end);
/* Posts a send, RDMA write or read of one span, with the same key on both sides. */
void tt_post(struct tt_qp *q, u8 op, u32 key, u64 va, u32 len, u64 remote);
void tt_post_recv(struct tt_qp *q, u32 key, u64 va, u32 len);

/*
 * Consumes the next CQE and updates the consumer index. Returns NULL if there is none. The CQE is
 * valid until the queue wraps.
 */
const u8 *tt_poll(struct tt_qp *q);
/* The same, but runs the model for up to ten seconds, so that no test depends on the machine. */
const u8 *tt_wait(struct tt_qp *q);

#endif
