// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Sends answers, which are datagrams, to peers. Their memory is allocated at the start. Each answer
 * only needs an address handle, whose creation needs no command and does not sleep.
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

/* Returns the place of an answer with an address handle, or SOFT_UD_DEPTH on failure. */
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
 * soft_answer_sent - release an answer that is no longer outstanding
 * @server: server
 * @n: place of the answer
 *
 * Context: Any down to softirq; server's lock held, or no concurrent access to the server.
 */
void soft_answer_sent(struct soft_server *server, u32 n)
{
	rdma_destroy_ah(server->ud.ahs[n], 0);
	__clear_bit(n, server->ud.sending);
}

/**
 * soft_answer - send a message to a peer
 * @server: server
 * @peer: receiver
 * @msg: message
 *
 * An answer that cannot be sent has the effect of one that is lost: the peer repeats its request.
 *
 * Context: Any down to softirq, server's lock held.
 */
void soft_answer(struct soft_server *server, const struct soft_peer *peer,
		 const struct conn_msg *msg)
{
	u32 n;

	lockdep_assert_held(&server->lock);
	/* The QP may have been destroyed. */
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
 * soft_refuse - refuse a connect
 * @server: server
 * @peer: receiver
 * @cookie: cookie of the connect
 * @status: reason
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
 * soft_answers_free - free the address handles of answers that were never sent
 * @server: server, whose QP and CQ are gone
 *
 * Context: Any down to softirq.
 */
void soft_answers_free(struct soft_server *server)
{
	u32 n;

	for_each_set_bit(n, server->ud.sending, SOFT_UD_DEPTH)
		soft_answer_sent(server, n);
}
