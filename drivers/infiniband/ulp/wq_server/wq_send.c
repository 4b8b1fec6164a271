// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Sends answers. Each has an address handle, a buffer and a mapping until it has been sent.
 */
#include <linux/slab.h>
#include <linux/wait_bit.h>
#include "wq_server.h"

struct wq_send {
	struct ib_cqe cqe;
	struct ib_ah *ah;
	u64 dma;
	struct conn_msg msg;
};

static void wq_send_free(struct wq_server *server, struct wq_send *send)
{
	ib_dma_unmap_single(server->dev, send->dma, sizeof(send->msg), DMA_TO_DEVICE);
	rdma_destroy_ah(send->ah, RDMA_DESTROY_AH_SLEEPABLE);
	kfree(send);
	if (atomic_dec_and_test(&server->sends))
		wake_up_var(&server->sends);
}

static void wq_send_done(struct ib_cq *cq, struct ib_wc *wc)
{
	wq_send_free(cq->cq_context, container_of(wc->wr_cqe, struct wq_send, cqe));
}

static int wq_send_post(struct wq_server *server, struct wq_send *send, u32 qpn)
{
	struct ib_sge sge = {
		.addr = send->dma,
		.length = sizeof(send->msg),
		.lkey = server->pd->local_dma_lkey,
	};
	struct ib_ud_wr wr = {
		.wr.wr_cqe = &send->cqe,
		.wr.opcode = IB_WR_SEND,
		.wr.send_flags = IB_SEND_SIGNALED,
		.wr.sg_list = &sge,
		.wr.num_sge = 1,
		.ah = send->ah,
		.remote_qpn = qpn,
		.remote_qkey = CONN_QKEY,
	};

	return ib_post_send(server->qp, &wr.wr, NULL);
}

static struct wq_send *wq_send_make(struct wq_server *server, const struct wq_peer *peer,
				    const struct conn_msg *msg)
{
	struct rdma_ah_attr attr = peer->ah_attr;
	struct wq_send *send = kzalloc(sizeof(*send), GFP_KERNEL);

	if (!send)
		return NULL;
	send->cqe.done = wq_send_done;
	send->msg = *msg;
	send->ah = rdma_create_ah(server->pd, &attr, RDMA_CREATE_AH_SLEEPABLE);
	if (IS_ERR(send->ah))
		goto free_send;
	send->dma = ib_dma_map_single(server->dev, &send->msg, sizeof(send->msg), DMA_TO_DEVICE);
	if (!ib_dma_mapping_error(server->dev, send->dma)) {
		atomic_inc(&server->sends);
		return send;
	}
	rdma_destroy_ah(send->ah, RDMA_DESTROY_AH_SLEEPABLE);
free_send:
	kfree(send);
	return NULL;
}

static void wq_unsent(struct wq_server *server)
{
	mutex_lock(&server->lock);
	server->counters[WQ_UNSENT]++;
	mutex_unlock(&server->lock);
}

/**
 * wq_send_answer - send a message to a peer
 * @server: server
 * @peer: receiver
 * @answer: message
 *
 * An answer that cannot be sent has the effect of one that is lost: the peer repeats its request.
 *
 * Context: Process, without the server's lock.
 */
void wq_send_answer(struct wq_server *server, const struct wq_peer *peer,
		    const struct conn_msg *answer)
{
	struct wq_send *send = wq_send_make(server, peer, answer);

	if (send && !wq_send_post(server, send, peer->ud_qpn))
		return;
	if (send)
		wq_send_free(server, send);
	wq_unsent(server);
}

/**
 * wq_send_refuse - refuse a connect
 * @server: server
 * @peer: receiver
 * @cookie: cookie of the connect
 * @status: reason
 *
 * Context: Process, without the server's lock.
 */
void wq_send_refuse(struct wq_server *server, const struct wq_peer *peer, u64 cookie, u8 status)
{
	const struct conn_msg msg = {
		.magic = cpu_to_be32(CONN_MAGIC),
		.version = CONN_VERSION,
		.type = CONN_REFUSED,
		.status = status,
		.cookie = cpu_to_be64(cookie),
	};

	wq_send_answer(server, peer, &msg);
}

/**
 * wq_send_wait - wait until all answers have been sent or dropped
 * @server: server, which no longer sends answers
 *
 * ib_drain_sq() cannot be used: it posts an RDMA write, and ib_mthca crashes on that for a UD QP.
 *
 * Context: Process.
 */
void wq_send_wait(struct wq_server *server)
{
	wait_var_event(&server->sends, !atomic_read(&server->sends));
}
