// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * The UD QP, which receives requests and sends the answers of wq_send.c.
 */
#include <linux/slab.h>
#include <rdma/ib_cache.h>
#include "wq_server.h"

static_assert(sizeof(struct conn_msg) == 64);
static_assert(offsetof(struct conn_msg, cookie) == 8);
static_assert(offsetof(struct conn_msg, address) == 32);
static_assert(offsetof(struct conn_msg, gid) == 48);

#define RECV_SIZE	(sizeof(struct ib_grh) + sizeof(struct conn_msg))
#define FIRST_MULTICAST_LID	0xc000
#define FIRST_QPN		2	/* lower numbers are special QPs */

/*
 * A datagram that is longer than a receive would move the QP to the error state. So all receives
 * end in the same memory, for the rest of the largest MTU, and nobody reads that.
 */
#define EXCESS_SIZE	(4096 - sizeof(struct conn_msg))

static void wq_malformed(struct wq_server *server)
{
	mutex_lock(&server->lock);
	server->counters[WQ_MALFORMED]++;
	mutex_unlock(&server->lock);
}

static bool wq_is_ours(const struct ib_wc *wc, const struct conn_msg *msg)
{
	return wc->byte_len == RECV_SIZE && msg->magic == cpu_to_be32(CONN_MAGIC) &&
	       msg->version == CONN_VERSION && !msg->status && !msg->reserved &&
	       !msg->reserved2 && (msg->type == CONN_CONNECT || msg->type == CONN_DISCONNECT);
}

/* The sender can be answered: it is neither a multicast group nor a special QP. */
static bool wq_sender_is_somebody(const struct ib_wc *wc)
{
	return wc->slid && wc->slid < FIRST_MULTICAST_LID && wc->src_qp >= FIRST_QPN;
}

static bool wq_gid_is_right(const struct ib_wc *wc, const struct ib_grh *grh,
			    const struct conn_msg *msg)
{
	static const u8 none[sizeof(msg->gid)];

	return !memcmp(msg->gid, wc->wc_flags & IB_WC_GRH ? grh->sgid.raw : none,
		       sizeof(msg->gid));
}

static void wq_handle(struct wq_server *server, struct ib_wc *wc, const struct ib_grh *grh,
		      const struct conn_msg *msg)
{
	struct wq_peer peer = { .ud_qpn = wc->src_qp, .lid = wc->slid };

	/* A malformed datagram is not answered, because its sender may be forged. */
	if (!wq_is_ours(wc, msg) || !wq_sender_is_somebody(wc) || !wq_gid_is_right(wc, grh, msg) ||
	    ib_init_ah_attr_from_wc(server->dev, server->port, wc, grh, &peer.ah_attr)) {
		wq_malformed(server);
		return;
	}
	/* wq_gid_is_right() has checked it. */
	memcpy(peer.gid, msg->gid, sizeof(peer.gid));
	if (msg->type == CONN_CONNECT)
		wq_conn_connect(server, &peer, msg);
	else
		wq_conn_disconnect(server, &peer, msg);
	rdma_destroy_ah_attr(&peer.ah_attr);
}

static int wq_recv_post(struct wq_server *server, struct wq_recv *recv)
{
	struct ib_sge sges[] = {
		{
			.addr = recv->dma,
			.length = RECV_SIZE,
			.lkey = server->pd->local_dma_lkey,
		}, {
			.addr = server->excess_dma,
			.length = EXCESS_SIZE,
			.lkey = server->pd->local_dma_lkey,
		},
	};
	struct ib_recv_wr wr = {
		.wr_cqe = &recv->cqe,
		.sg_list = sges,
		.num_sge = ARRAY_SIZE(sges),
	};

	return ib_post_recv(server->qp, &wr, NULL);
}

static void wq_recv_done(struct ib_cq *cq, struct ib_wc *wc)
{
	struct wq_server *server = cq->cq_context;
	struct wq_recv *recv = container_of(wc->wr_cqe, struct wq_recv, cqe);

	if (wc->status != IB_WC_SUCCESS)
		return;
	ib_dma_sync_single_for_cpu(server->dev, recv->dma, RECV_SIZE, DMA_FROM_DEVICE);
	wq_handle(server, wc, recv->grh, (const void *)(recv->grh + 1));
	ib_dma_sync_single_for_device(server->dev, recv->dma, RECV_SIZE, DMA_FROM_DEVICE);
	/* A QP that has failed accepts no receive, but it receives nothing either. */
	wq_recv_post(server, recv);
}

static int wq_excess_make(struct wq_server *server)
{
	server->excess = kmalloc(EXCESS_SIZE, GFP_KERNEL);
	if (!server->excess)
		return -ENOMEM;
	server->excess_dma = ib_dma_map_single(server->dev, server->excess, EXCESS_SIZE,
					       DMA_FROM_DEVICE);
	if (!ib_dma_mapping_error(server->dev, server->excess_dma))
		return 0;
	kfree(server->excess);
	return -ENOMEM;
}

static void wq_excess_free(struct wq_server *server)
{
	ib_dma_unmap_single(server->dev, server->excess_dma, EXCESS_SIZE, DMA_FROM_DEVICE);
	kfree(server->excess);
}

static void wq_recvs_free(struct wq_server *server)
{
	int i;

	for (i = 0; i < WQ_UD_DEPTH && server->recvs[i].grh; i++)
		ib_dma_unmap_single(server->dev, server->recvs[i].dma, RECV_SIZE, DMA_FROM_DEVICE);
	kvfree(server->recv_memory);
	kvfree(server->recvs);
}

static int wq_recv_init(struct wq_server *server, int i)
{
	struct wq_recv *recv = &server->recvs[i];
	void *memory = server->recv_memory + i * RECV_SIZE;

	recv->cqe.done = wq_recv_done;
	recv->dma = ib_dma_map_single(server->dev, memory, RECV_SIZE, DMA_FROM_DEVICE);
	if (ib_dma_mapping_error(server->dev, recv->dma))
		return -ENOMEM;
	recv->grh = memory;
	return 0;
}

static int wq_recvs_make(struct wq_server *server)
{
	int i;

	server->recvs = kvcalloc(WQ_UD_DEPTH, sizeof(*server->recvs), GFP_KERNEL);
	if (!server->recvs)
		return -ENOMEM;
	server->recv_memory = kcalloc(WQ_UD_DEPTH, RECV_SIZE, GFP_KERNEL);
	for (i = 0; i < WQ_UD_DEPTH; i++) {
		if (server->recv_memory && !wq_recv_init(server, i))
			continue;
		wq_recvs_free(server);
		return -ENOMEM;
	}
	return 0;
}

static int wq_qp_to_rts(struct wq_server *server)
{
	struct ib_qp_attr attr = {
		.qp_state = IB_QPS_INIT,
		.port_num = server->port,
		.qkey = CONN_QKEY,
	};
	int err;

	err = ib_modify_qp(server->qp, &attr,
			   IB_QP_STATE | IB_QP_PKEY_INDEX | IB_QP_PORT | IB_QP_QKEY);
	if (err)
		return err;
	attr.qp_state = IB_QPS_RTR;
	err = ib_modify_qp(server->qp, &attr, IB_QP_STATE);
	if (err)
		return err;
	attr.qp_state = IB_QPS_RTS;
	return ib_modify_qp(server->qp, &attr, IB_QP_STATE | IB_QP_SQ_PSN);
}

static int wq_qp_make(struct wq_server *server)
{
	struct ib_qp_init_attr init = {
		.send_cq = server->cq,
		.recv_cq = server->cq,
		.qp_type = IB_QPT_UD,
		.sq_sig_type = IB_SIGNAL_REQ_WR,
		.cap = {
			/* The drain needs one more receive. */
			.max_send_wr = WQ_UD_DEPTH,
			.max_recv_wr = WQ_UD_DEPTH + 1,
			.max_send_sge = 1,
			.max_recv_sge = 2,
		},
	};
	int err;

	server->qp = ib_create_qp(server->pd, &init);
	if (IS_ERR(server->qp))
		return PTR_ERR(server->qp);
	err = wq_qp_to_rts(server);
	if (err)
		ib_destroy_qp(server->qp);
	return err;
}

static void wq_qp_drain(struct wq_server *server)
{
	ib_drain_rq(server->qp);
	wq_send_wait(server);
}

/**
 * wq_ud_make - create what requests are received with
 * @server: server, whose PD exists
 *
 * Context: Process.
 * Return: 0 or a negative errno.
 */
int wq_ud_make(struct wq_server *server)
{
	int err = wq_excess_make(server);

	if (err)
		return err;
	err = wq_recvs_make(server);
	if (err)
		goto free_excess;
	server->cq = ib_alloc_cq(server->dev, server, 2 * (WQ_UD_DEPTH + 1), 0,
				 IB_POLL_WORKQUEUE);
	if (IS_ERR(server->cq)) {
		err = PTR_ERR(server->cq);
		goto free_recvs;
	}
	err = wq_qp_make(server);
	if (!err)
		return 0;

	ib_free_cq(server->cq);
free_recvs:
	wq_recvs_free(server);
free_excess:
	wq_excess_free(server);
	return err;
}

/**
 * wq_ud_start - start to receive requests
 * @server: server, after wq_ud_make(); requests may have come even if this fails
 *
 * Context: Process.
 * Return: 0 or a negative errno.
 */
int wq_ud_start(struct wq_server *server)
{
	int i, err = 0;

	for (i = 0; i < WQ_UD_DEPTH && !err; i++)
		err = wq_recv_post(server, &server->recvs[i]);
	return err;
}

/**
 * wq_ud_stop - stop receiving requests, and wait until all answers have been sent or dropped
 * @server: server
 *
 * Context: Process.
 */
void wq_ud_stop(struct wq_server *server)
{
	wq_qp_drain(server);
	ib_destroy_qp(server->qp);
	ib_free_cq(server->cq);
	wq_recvs_free(server);
	wq_excess_free(server);
}
