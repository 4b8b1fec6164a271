// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Sends answers. Each has an address handle, a buffer and a mapping until it has been sent.
 *
 * A send that fails stops the send queue: the QP is then in the state SQE, and the hardware flushes
 * what was posted before and what is posted later. Therefore nothing is sent until all outstanding
 * sends have completed and a work item has moved the QP back to RTS. Answers that are due meanwhile
 * are dropped.
 */
#include <linux/slab.h>
#include "wq_server.h"

struct wq_send {
	struct ib_cqe cqe;
	struct ib_ah *ah;
	u64 dma;
	struct conn_msg msg;
};

/* The queue is resumed when nothing is outstanding, and not while it is about to be destroyed. */
static void wq_send_check(struct wq_server *server)
{
	lockdep_assert_held(&server->lock);
	if (server->stopped && !server->sends && !server->ending)
		queue_work(server->wq, &server->resume);
}

/* Counts a send, unless the queue is stopped. */
static bool wq_send_begin(struct wq_server *server)
{
	bool stopped;

	mutex_lock(&server->lock);
	stopped = server->stopped;
	server->sends += !stopped;
	wq_send_check(server);
	mutex_unlock(&server->lock);
	return !stopped;
}

static void wq_send_end(struct wq_server *server)
{
	mutex_lock(&server->lock);
	if (!--server->sends)
		wake_up(&server->idle);
	wq_send_check(server);
	mutex_unlock(&server->lock);
}

/* After a failure the next answer that is due queues the work item again. */
static int wq_qp_resume(struct wq_server *server)
{
	struct ib_qp_attr attr = { .cur_qp_state = IB_QPS_SQE, .qp_state = IB_QPS_RTS };

	return ib_modify_qp(server->qp, &attr, IB_QP_CUR_STATE | IB_QP_STATE);
}

/**
 * wq_send_resume - move the QP from SQE to RTS
 * @work: work item of the server
 *
 * Context: Process.
 */
void wq_send_resume(struct work_struct *work)
{
	struct wq_server *server = container_of(work, struct wq_server, resume);
	bool due;

	/* No send begins, and nobody else clears the flag, while it is set. */
	mutex_lock(&server->lock);
	due = server->stopped && !server->sends;
	mutex_unlock(&server->lock);
	if (!due || wq_qp_resume(server))
		return;
	mutex_lock(&server->lock);
	server->stopped = false;
	server->counters[WQ_RESUMED]++;
	mutex_unlock(&server->lock);
}

static void wq_send_free(struct wq_server *server, struct wq_send *send)
{
	ib_dma_unmap_single(server->dev, send->dma, sizeof(send->msg), DMA_TO_DEVICE);
	rdma_destroy_ah(send->ah, RDMA_DESTROY_AH_SLEEPABLE);
	kfree(send);
}

static void wq_send_failed(struct wq_server *server)
{
	mutex_lock(&server->lock);
	server->stopped = true;
	server->counters[WQ_UNSENT]++;
	mutex_unlock(&server->lock);
}

static void wq_send_done(struct ib_cq *cq, struct ib_wc *wc)
{
	struct wq_server *server = cq->cq_context;

	if (wc->status != IB_WC_SUCCESS)
		wq_send_failed(server);
	wq_send_free(server, container_of(wc->wr_cqe, struct wq_send, cqe));
	wq_send_end(server);
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
	if (!ib_dma_mapping_error(server->dev, send->dma))
		return send;
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

static int wq_send(struct wq_server *server, const struct wq_peer *peer,
		   const struct conn_msg *answer)
{
	struct wq_send *send = wq_send_make(server, peer, answer);
	int err;

	if (!send)
		return -ENOMEM;
	err = wq_send_post(server, send, peer->ud_qpn);
	if (err)
		wq_send_free(server, send);
	return err;
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
	if (wq_send_begin(server)) {
		if (!wq_send(server, peer, answer))
			return;
		wq_send_end(server);
	}
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
	wait_event(server->idle, !READ_ONCE(server->sends));
}
