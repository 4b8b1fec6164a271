// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * The UD QP, which receives requests and sends answers. A request of the engine waits for the next
 * completion of its CQ. When it completes, its callback handles at most one batch of completions,
 * one by one, and submits it again.
 */
#include <linux/slab.h>
#include <rdma/ib_cache.h>
#include "softirq_server.h"

#define FIRST_MULTICAST_LID	0xc000
#define FIRST_QPN		2	/* lower numbers are special QPs */

/* ---- Received datagrams ---- */

static bool soft_is_ours(const struct ib_wc *wc, const struct conn_msg *msg)
{
	return wc->byte_len == sizeof(struct soft_datagram) &&
	       msg->magic == cpu_to_be32(CONN_MAGIC) && msg->version == CONN_VERSION &&
	       (msg->type == CONN_CONNECT || msg->type == CONN_DISCONNECT) && !msg->status &&
	       !msg->reserved && !msg->reserved2;
}

/* The sender can be answered: it is neither a multicast group nor a special QP. */
static bool soft_sender_is_somebody(const struct ib_wc *wc)
{
	return wc->slid && wc->slid < FIRST_MULTICAST_LID && wc->src_qp >= FIRST_QPN;
}

static bool soft_gid_is_right(const struct ib_wc *wc, const struct soft_datagram *datagram)
{
	static const u8 none[sizeof(datagram->msg.gid)];

	return !memcmp(datagram->msg.gid,
		       wc->wc_flags & IB_WC_GRH ? datagram->grh.sgid.raw : none, sizeof(none));
}

/* Does for a GRH what ib_init_ah_attr_from_wc() does, which may sleep. */
static int soft_peer_route(const struct soft_server *server, const struct ib_grh *grh,
			   struct rdma_ah_attr *attr)
{
	u32 flow_class = be32_to_cpu(grh->version_tclass_flow);
	const struct ib_gid_attr *gid;

	gid = rdma_find_gid_by_port(server->dev, &grh->dgid, IB_GID_TYPE_IB, server->port, NULL);
	if (IS_ERR(gid))
		return PTR_ERR(gid);
	rdma_move_grh_sgid_attr(attr, (union ib_gid *)&grh->sgid, flow_class & 0xfffff, 0xff,
				flow_class >> 20 & 0xff, gid);
	return 0;
}

/* On success the address of @peer holds a reference to a GID, if there is a GRH. */
static int soft_peer_of(const struct soft_server *server, const struct ib_wc *wc,
			const struct ib_grh *grh, struct soft_peer *peer)
{
	struct rdma_ah_attr *attr = &peer->ah_attr;

	*peer = (struct soft_peer){
		.ah_attr.type = RDMA_AH_ATTR_TYPE_IB,
		.ud_qpn = wc->src_qp,
		.lid = wc->slid,
	};
	if (wc->wc_flags & IB_WC_GRH)
		memcpy(peer->gid, grh->sgid.raw, sizeof(peer->gid));
	rdma_ah_set_port_num(attr, server->port);
	rdma_ah_set_dlid(attr, wc->slid);
	rdma_ah_set_sl(attr, wc->sl);
	rdma_ah_set_path_bits(attr, wc->dlid_path_bits);
	return wc->wc_flags & IB_WC_GRH ? soft_peer_route(server, grh, attr) : 0;
}

static void soft_handle(struct soft_server *server, const struct ib_wc *wc,
			const struct soft_datagram *datagram)
{
	const struct conn_msg *msg = &datagram->msg;
	struct soft_peer peer;
	u8 refused;

	/* A malformed datagram is not answered, because its sender may be forged. */
	if (!soft_is_ours(wc, msg) || !soft_sender_is_somebody(wc) ||
	    !soft_gid_is_right(wc, datagram) || soft_peer_of(server, wc, &datagram->grh, &peer)) {
		server->counters[SOFT_MALFORMED]++;
		return;
	}
	if (msg->type == CONN_CONNECT) {
		refused = soft_conn_connect(server, &peer, msg);
		if (refused)
			soft_refuse(server, &peer, be64_to_cpu(msg->cookie), refused);
	} else {
		soft_conn_disconnect(server, &peer, be64_to_cpu(msg->cookie));
	}
	rdma_destroy_ah_attr(&peer.ah_attr);
}

static u64 soft_recv_dma(const struct soft_server *server, u32 n)
{
	return server->ud.dma + offsetof(struct soft_ud_memory, recvs[n]);
}

/* A QP that has failed accepts no receive, but it receives nothing either. */
static int soft_recv_post(struct soft_server *server, u32 n)
{
	struct ib_sge sges[] = {
		{
			.addr = soft_recv_dma(server, n),
			.length = sizeof(struct soft_datagram),
			.lkey = server->pd->local_dma_lkey,
		}, {
			.addr = server->ud.dma + offsetof(struct soft_ud_memory, excess),
			.length = SOFT_EXCESS,
			.lkey = server->pd->local_dma_lkey,
		},
	};
	struct ib_recv_wr wr = { .wr_id = n, .sg_list = sges, .num_sge = ARRAY_SIZE(sges) };

	return ib_post_recv(server->ud.qp, &wr, NULL);
}

static void soft_received(struct soft_server *server, const struct ib_wc *wc)
{
	struct soft_datagram *datagram = &server->ud.memory->recvs[wc->wr_id];
	u64 dma = soft_recv_dma(server, wc->wr_id);

	ib_dma_sync_single_for_cpu(server->dev, dma, sizeof(*datagram), DMA_BIDIRECTIONAL);
	soft_handle(server, wc, datagram);
	ib_dma_sync_single_for_device(server->dev, dma, sizeof(*datagram), DMA_BIDIRECTIONAL);
	soft_recv_post(server, wc->wr_id);
}

static void soft_ud_one(struct soft_server *server, const struct ib_wc *wc)
{
	lockdep_assert_held(&server->lock);
	if (wc->wr_id >= SOFT_UD_DEPTH)
		soft_answer_sent(server, wc->wr_id - SOFT_UD_DEPTH, wc->status);
	else if (wc->status == IB_WC_SUCCESS)
		soft_received(server, wc);
}

/* Handles one completion. Returns false if there is none. */
static bool soft_ud_next(struct soft_server *server)
{
	struct ib_wc wc;
	bool found;

	spin_lock(&server->lock);
	found = !server->ending && ib_poll_cq(server->ud.cq, 1, &wc) == 1;
	if (found)
		soft_ud_one(server, &wc);
	spin_unlock(&server->lock);
	return found;
}

/*
 * After one batch other softirq work may run: if completions remain, the request completes again at
 * once.
 */
static void soft_ud_completed(struct vrb *vrb)
{
	struct soft_server *server = container_of(vrb, struct soft_server, ud.await.vrb);
	int n;

	/* The server is ending, or the device has failed. */
	if (vrb->status)
		return;
	for (n = 0; n < SOFT_BATCH && soft_ud_next(server); n++)
		;
	spin_lock(&server->lock);
	if (!server->ending)
		vrb_submit(server->client, vrb);
	spin_unlock(&server->lock);
}

/* ---- Start and end ---- */

static int soft_ud_map(struct soft_server *server)
{
	struct soft_ud *ud = &server->ud;

	ud->memory = kzalloc(sizeof(*ud->memory), GFP_KERNEL);
	if (!ud->memory)
		return -ENOMEM;
	ud->dma = ib_dma_map_single(server->dev, ud->memory, sizeof(*ud->memory),
				    DMA_BIDIRECTIONAL);
	if (!ib_dma_mapping_error(server->dev, ud->dma))
		return 0;
	kfree(ud->memory);
	ud->memory = NULL;
	return -ENOMEM;
}

static int soft_ud_alloc(struct soft_server *server)
{
	struct ib_cq_init_attr cq_attr = { .cqe = 2 * SOFT_UD_DEPTH };
	struct ib_qp_init_attr qp_attr = {
		.qp_type = IB_QPT_UD,
		.sq_sig_type = IB_SIGNAL_REQ_WR,
		.cap = {
			.max_send_wr = SOFT_UD_DEPTH,
			.max_recv_wr = SOFT_UD_DEPTH,
			.max_send_sge = 1,
			.max_recv_sge = 2,
		},
	};
	struct soft_ud *ud = &server->ud;

	ud->cq = vrb_alloc_cq(server->client, &cq_attr, NULL, NULL, NULL, GFP_KERNEL);
	if (IS_ERR(ud->cq))
		return PTR_ERR(ud->cq);
	qp_attr.send_cq = ud->cq;
	qp_attr.recv_cq = ud->cq;
	ud->qp = vrb_alloc_qp(server->client, server->pd, &qp_attr, GFP_KERNEL);
	return PTR_ERR_OR_ZERO(ud->qp);
}

static int soft_ud_connect(struct soft_server *server)
{
	struct vrb_connect_qp connect = {
		.attr = { .port_num = server->port, .qkey = CONN_QKEY },
		.to = IB_QPS_RTS,
	};
	struct vrb_create_cq create_cq;
	struct vrb_create_qp create_qp;
	int err;

	vrb_prep_create_cq(&create_cq, server->ud.cq);
	vrb_prep_create_qp(&create_qp, server->ud.qp);
	vrb_prep_connect_qp(&connect, server->ud.qp);
	err = vrb_submit_wait(server->client, &create_cq.vrb);
	err = err ?: vrb_submit_wait(server->client, &create_qp.vrb);
	return err ?: vrb_submit_wait(server->client, &connect.vrb);
}

static int soft_ud_listen(struct soft_server *server)
{
	struct vrb_await_cq *await = &server->ud.await;
	int err = 0;
	u32 n;

	for (n = 0; n < SOFT_UD_DEPTH && !err; n++)
		err = soft_recv_post(server, n);
	if (err)
		return err;
	soft_answers_init(server);
	vrb_prep_await_cq(await, server->ud.cq);
	await->flags = IB_CQ_NEXT_COMP;
	await->vrb.done = soft_ud_completed;
	err = vrb_submit(server->client, &await->vrb);
	return err == -EINPROGRESS ? 0 : err;
}

/**
 * soft_ud_start - start to receive requests
 * @server: server, whose client and PD exist
 *
 * The caller must call soft_ud_end() and soft_ud_free() later, after an error too.
 *
 * Context: Process, may sleep.
 * Return: 0 or a negative errno.
 */
int soft_ud_start(struct soft_server *server)
{
	int err = soft_ud_map(server);

	err = err ?: soft_ud_alloc(server);
	err = err ?: soft_ud_connect(server);
	return err ?: soft_ud_listen(server);
}

/**
 * soft_ud_end - stop receiving requests
 * @server: server, ending, so that its QP and CQ are not accessed any more
 *
 * Context: Any down to softirq.
 */
void soft_ud_end(struct soft_server *server)
{
	if (!IS_ERR_OR_NULL(server->ud.qp))
		vrb_destroy_qp(server->client, server->ud.qp, NULL, NULL);
	if (!IS_ERR_OR_NULL(server->ud.cq))
		vrb_destroy_cq(server->client, server->ud.cq, NULL, NULL);
}

/**
 * soft_ud_free - free the memory of the datagrams
 * @server: server, whose client and QP are gone
 *
 * Context: Process.
 */
void soft_ud_free(struct soft_server *server)
{
	struct soft_ud *ud = &server->ud;

	soft_answers_free(server);
	if (!ud->memory)
		return;
	ib_dma_unmap_single(server->dev, ud->dma, sizeof(*ud->memory), DMA_BIDIRECTIONAL);
	kfree(ud->memory);
}
