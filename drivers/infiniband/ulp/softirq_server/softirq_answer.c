// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Sends answers, which are datagrams, to peers. Their memory is allocated at the start. Each answer
 * only needs an address handle, whose creation needs no command and does not sleep.
 *
 * A send that fails stops the send queue: the QP is then in the state SQE, and the hardware flushes
 * what was posted before and what is posted later. Therefore nothing is sent until all outstanding
 * sends have completed and a modify has moved the QP back to RTS. Answers that are due meanwhile
 * are dropped.
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

static void soft_answer_release(struct soft_server *server, u32 n)
{
	rdma_destroy_ah(server->ud.ahs[n], 0);
	__clear_bit(n, server->ud.sending);
}

/* ---- The send queue after an error ---- */

/* After a failure the next answer that is due submits the request again. */
static void soft_resumed(struct vrb *vrb)
{
	struct soft_server *server = container_of(vrb, struct soft_server, ud.resume.vrb);

	spin_lock(&server->lock);
	if (!vrb->status) {
		server->ud.stopped = false;
		server->counters[SOFT_RESUMED]++;
	}
	spin_unlock(&server->lock);
}

/*
 * While a send is outstanding its completion may be that of another error, so the queue is resumed
 * after the last one. A submit of a request that is not idle changes nothing.
 */
static void soft_resume(struct soft_server *server)
{
	lockdep_assert_held(&server->lock);
	if (bitmap_empty(server->ud.sending, SOFT_UD_DEPTH))
		vrb_submit(server->client, &server->ud.resume.vrb);
}

/**
 * soft_answers_init - prepare for answers
 * @server: server, whose UD QP exists
 *
 * Context: Process.
 */
void soft_answers_init(struct soft_server *server)
{
	struct vrb_modify_qp *resume = &server->ud.resume;

	vrb_prep_modify_qp(resume, server->ud.qp);
	resume->attr.cur_qp_state = IB_QPS_SQE;
	resume->attr.qp_state = IB_QPS_RTS;
	resume->mask = IB_QP_CUR_STATE | IB_QP_STATE;
	resume->vrb.done = soft_resumed;
}

/**
 * soft_answer_sent - handle the completion of an answer's send
 * @server: server
 * @n: place of the answer
 * @status: status of the completion
 *
 * Context: Any down to softirq, server's lock held.
 */
void soft_answer_sent(struct soft_server *server, u32 n, enum ib_wc_status status)
{
	soft_answer_release(server, n);
	if (status) {
		server->ud.stopped = true;
		server->counters[SOFT_UNSENT]++;
	}
	if (server->ud.stopped)
		soft_resume(server);
}

/* ---- Answers ---- */

static void soft_answer_send(struct soft_server *server, const struct soft_peer *peer,
			     const struct conn_msg *msg)
{
	u32 n = soft_answer_make(server, peer);

	if (n < SOFT_UD_DEPTH) {
		server->ud.memory->sends[n] = *msg;
		if (!soft_answer_post(server, n, peer->ud_qpn))
			return;
		soft_answer_release(server, n);
	}
	server->counters[SOFT_UNSENT]++;
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
	lockdep_assert_held(&server->lock);
	/* The QP may have been destroyed. */
	if (server->ending)
		return;
	if (!server->ud.stopped) {
		soft_answer_send(server, peer, msg);
		return;
	}
	server->counters[SOFT_UNSENT]++;
	soft_resume(server);
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
		soft_answer_release(server, n);
}
