// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Answers: datagrams to peers. Their memory is there from the beginning; of each only the address
 * handle is made, without a command and without a sleep.
 */
#include "softirq_server.h"

static int soft_answer_post(struct soft_server *server, u32 n, u32 qpn)
{
	struct ib_sge sge = {
		.addr = server->ud.dma + offsetof(struct soft_ud_memory, sends[n]),
		.length = sizeof(server->ud.memory->sends[n]),
		.lkey = server->pd->local_dma_lkey,
	};
	struct ib_ud_wr wr = {
		.wr.wr_id = SOFT_UD_DEPTH + n,
		.wr.opcode = IB_WR_SEND,
		.wr.send_flags = IB_SEND_SIGNALED,
		.wr.sg_list = &sge,
		.wr.num_sge = 1,
		.ah = server->ud.ahs[n],
		.remote_qpn = qpn,
		.remote_qkey = CONN_QKEY,
	};

	ib_dma_sync_single_for_device(server->dev, sge.addr, sge.length, DMA_BIDIRECTIONAL);
	return ib_post_send(server->ud.qp, &wr.wr, NULL);
}

/* Returns the place of an answer with an address handle, or SOFT_UD_DEPTH: there can be none. */
static u32 soft_answer_make(struct soft_server *server, const struct soft_peer *peer)
{
	u32 n = find_first_zero_bit(server->ud.sending, SOFT_UD_DEPTH);
	struct rdma_ah_attr attr = peer->ah_attr;
	struct ib_ah *ah;

	if (n == SOFT_UD_DEPTH)
		return n;
	ah = rdma_create_ah(server->pd, &attr, 0);
	if (IS_ERR(ah))
		return SOFT_UD_DEPTH;
	server->ud.ahs[n] = ah;
	__set_bit(n, server->ud.sending);
	return n;
}

/**
 * soft_answer_sent - an answer is under way no more
 * @server: server
 * @n: its place
 *
 * Context: Any down to softirq, server's lock held, or nobody else is at it.
 */
void soft_answer_sent(struct soft_server *server, u32 n)
{
	rdma_destroy_ah(server->ud.ahs[n], 0);
	__clear_bit(n, server->ud.sending);
}

/**
 * soft_answer - send a message to a peer
 * @server: server
 * @peer: to whom
 * @msg: message
 *
 * One that cannot be sent is as good as one that is lost: the peer asks again.
 *
 * Context: Any down to softirq, server's lock held.
 */
void soft_answer(struct soft_server *server, const struct soft_peer *peer,
		 const struct conn_msg *msg)
{
	u32 n;

	lockdep_assert_held(&server->lock);
	/* The QP may be gone. */
	if (server->ending)
		return;
	n = soft_answer_make(server, peer);
	if (n < SOFT_UD_DEPTH) {
		server->ud.memory->sends[n] = *msg;
		if (!soft_answer_post(server, n, peer->ud_qpn))
			return;
		soft_answer_sent(server, n);
	}
	server->counters[SOFT_UNSENT]++;
}

/**
 * soft_refuse - say no to a connect
 * @server: server
 * @peer: to whom
 * @cookie: the connect's
 * @status: why
 *
 * Context: Any down to softirq, server's lock held.
 */
void soft_refuse(struct soft_server *server, const struct soft_peer *peer, u64 cookie, u8 status)
{
	const struct conn_msg msg = {
		.magic = cpu_to_be32(CONN_MAGIC),
		.version = CONN_VERSION,
		.type = CONN_REFUSED,
		.status = status,
		.cookie = cpu_to_be64(cookie),
	};

	soft_answer(server, peer, &msg);
}

/**
 * soft_answers_free - address handles of what had not been sent when the QP went
 * @server: server, its QP and CQ gone
 *
 * Context: Any down to softirq.
 */
void soft_answers_free(struct soft_server *server)
{
	u32 n;

	for_each_set_bit(n, server->ud.sending, SOFT_UD_DEPTH)
		soft_answer_sent(server, n);
}
