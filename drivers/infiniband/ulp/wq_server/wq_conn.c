// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Connections. One work item opens a connection, and another closes it. The states change with the
 * server's lock held; the lock is not held while waiting for the HCA.
 */
#include <linux/slab.h>
#include "wq_server.h"

#define QPN_OR_PSN	0xffffffU

enum wq_state { WQ_OPENING, WQ_UP, WQ_CLOSING };

struct wq_conn {
	struct conn_entry by_cookie, by_qp;
	struct wq_server *server;
	struct wq_peer peer;
	u64 cookie;
	u32 qpn, psn;		/* of the peer's QP */
	u32 own_psn;
	u8 mtu;
	enum wq_state state;
	bool seen;		/* the peer has acknowledged a probe */
	bool probing;
	bool was_up;		/* a probe may be outstanding */
	bool wants_answer;	/* the peer's disconnect must be answered */
	u8 refused;		/* reason why it was not opened; 0: none */
	unsigned int place;
	unsigned long ready_by;	/* jiffies; before this a probe might fail */
	struct ib_cq *cq;
	struct ib_qp *qp;
	struct ib_cqe probe;
	struct conn_msg answer;
	struct work_struct open, close;
};

static struct conn_key wq_key(const struct wq_peer *peer, u32 qpn, u64 cookie)
{
	struct conn_key key = { .cookie = cookie, .lid = peer->lid, .qpn = qpn };

	memcpy(key.gid, peer->gid, sizeof(key.gid));
	return key;
}

static struct wq_conn *wq_conn_find(struct wq_server *server, const struct wq_peer *peer,
				    u64 cookie)
{
	const struct conn_key key = wq_key(peer, peer->ud_qpn, cookie);
	struct conn_entry *entry = conn_table_find(&server->by_cookie, &key);

	return entry ? container_of(entry, struct wq_conn, by_cookie) : NULL;
}

static struct wq_conn *wq_conn_of_qp(struct wq_server *server, const struct wq_peer *peer, u32 qpn)
{
	const struct conn_key key = wq_key(peer, qpn, 0);
	struct conn_entry *entry = conn_table_find(&server->by_qp, &key);

	return entry ? container_of(entry, struct wq_conn, by_qp) : NULL;
}

/* Adds the connection to the tables. */
static void wq_conn_add(struct wq_conn *conn)
{
	struct wq_server *server = conn->server;

	conn->by_cookie.key = wq_key(&conn->peer, conn->peer.ud_qpn, conn->cookie);
	conn->by_qp.key = wq_key(&conn->peer, conn->qpn, 0);
	conn_table_add(&server->by_cookie, &conn->by_cookie);
	conn_table_add(&server->by_qp, &conn->by_qp);
	__set_bit(conn->place, server->places);
	server->conns[conn->place] = conn;
	server->now++;
}

static void wq_conn_del(struct wq_conn *conn)
{
	struct wq_server *server = conn->server;

	conn_table_del(&conn->by_cookie);
	conn_table_del(&conn->by_qp);
	__clear_bit(conn->place, server->places);
	server->now--;
}

static void wq_conn_end(struct wq_conn *conn)
{
	lockdep_assert_held(&conn->server->lock);
	if (conn->state == WQ_CLOSING)
		return;
	conn->state = WQ_CLOSING;
	queue_work(conn->server->wq, &conn->close);
}

static void wq_probe_over(struct wq_conn *conn, enum ib_wc_status status)
{
	conn->probing = false;
	if (status == IB_WC_SUCCESS) {
		conn->seen = true;
	} else if (conn->state == WQ_UP) {
		conn->server->counters[conn->seen ? WQ_DEAD : WQ_TIMEOUTS]++;
		wq_conn_end(conn);
	}
}

static void wq_probe_done(struct ib_cq *cq, struct ib_wc *wc)
{
	struct wq_conn *conn = container_of(wc->wr_cqe, struct wq_conn, probe);
	struct wq_server *server = conn->server;

	mutex_lock(&server->lock);
	wq_probe_over(conn, wc->status);
	mutex_unlock(&server->lock);
}

/* A probe that precedes the peer's receipt of the answer would fail and move the QP to error. */
static bool wq_is_ready(const struct wq_conn *conn)
{
	return conn->seen || time_after(jiffies, conn->ready_by);
}

/* The probe is a write of 0 bytes, which only a live peer acknowledges. */
static void wq_probe(struct wq_conn *conn)
{
	struct ib_rdma_wr wr = {
		.wr.wr_cqe = &conn->probe,
		.wr.opcode = IB_WR_RDMA_WRITE,
		.wr.send_flags = IB_SEND_SIGNALED,
	};

	if (conn->state != WQ_UP || conn->probing || !wq_is_ready(conn))
		return;
	conn->probing = true;
	if (ib_post_send(conn->qp, &wr.wr, NULL))
		wq_probe_over(conn, IB_WC_GENERAL_ERR);
}

/* Probes the first connection from place @n on. Returns the place after it. */
static unsigned int wq_probe_next(struct wq_server *server, unsigned int n)
{
	mutex_lock(&server->lock);
	n = find_next_bit(server->places, WQ_CONNS, n);
	if (n < WQ_CONNS)
		wq_probe(server->conns[n]);
	mutex_unlock(&server->lock);
	return n + 1;
}

static unsigned long wq_sweep_pause(void)
{
	return max(1UL, msecs_to_jiffies(READ_ONCE(wq_probe_ms)));
}

/**
 * wq_conn_sweep - probe every connection
 * @work: work item of the server
 *
 * Context: Process.
 */
void wq_conn_sweep(struct work_struct *work)
{
	struct wq_server *server = container_of(work, struct wq_server, sweep.work);
	unsigned int n = 0;

	while (n < WQ_CONNS)
		n = wq_probe_next(server, n);
	queue_delayed_work(server->wq, &server->sweep, wq_sweep_pause());
}

static int wq_conn_to_rts(struct wq_conn *conn)
{
	struct ib_qp_attr attr = {
		.qp_state = IB_QPS_INIT,
		.port_num = conn->server->port,
		.qp_access_flags = IB_ACCESS_REMOTE_READ | IB_ACCESS_REMOTE_WRITE,
		.ah_attr = conn->peer.ah_attr,
		.path_mtu = conn->mtu,
		.dest_qp_num = conn->qpn,
		.rq_psn = conn->psn,
		.sq_psn = conn->own_psn,
		.max_dest_rd_atomic = 1,
		.max_rd_atomic = 1,
		.min_rnr_timer = 12,
		.timeout = 14,
		.retry_cnt = 7,
		.rnr_retry = 7,
	};
	int err;

	err = ib_modify_qp(conn->qp, &attr,
			   IB_QP_STATE | IB_QP_PKEY_INDEX | IB_QP_PORT | IB_QP_ACCESS_FLAGS);
	if (err)
		return err;
	attr.qp_state = IB_QPS_RTR;
	err = ib_modify_qp(conn->qp, &attr,
			   IB_QP_STATE | IB_QP_AV | IB_QP_PATH_MTU | IB_QP_DEST_QPN | IB_QP_RQ_PSN |
			   IB_QP_MAX_DEST_RD_ATOMIC | IB_QP_MIN_RNR_TIMER);
	if (err)
		return err;
	attr.qp_state = IB_QPS_RTS;
	return ib_modify_qp(conn->qp, &attr,
			    IB_QP_STATE | IB_QP_TIMEOUT | IB_QP_RETRY_CNT | IB_QP_RNR_RETRY |
			    IB_QP_SQ_PSN | IB_QP_MAX_QP_RD_ATOMIC);
}

static int wq_conn_make(struct wq_conn *conn)
{
	struct wq_server *server = conn->server;
	struct ib_qp_init_attr init = {
		.qp_type = IB_QPT_RC,
		.sq_sig_type = IB_SIGNAL_REQ_WR,
		.cap = {
			.max_send_wr = 2,	/* the probe, and the drain */
			.max_recv_wr = 1,
			.max_send_sge = 1,
			.max_recv_sge = 1,
		},
	};

	/* On an error the close destroys what has been created. */
	conn->cq = ib_alloc_cq(server->dev, conn, 4, 0, IB_POLL_WORKQUEUE);
	if (IS_ERR(conn->cq)) {
		conn->cq = NULL;
		return -ENOMEM;
	}
	init.send_cq = conn->cq;
	init.recv_cq = conn->cq;
	conn->qp = ib_create_qp(server->pd, &init);
	if (IS_ERR(conn->qp)) {
		conn->qp = NULL;
		return -ENOMEM;
	}
	return wq_conn_to_rts(conn);
}

static void wq_conn_fill_answer(struct wq_conn *conn)
{
	const struct wq_server *server = conn->server;

	conn->answer = (struct conn_msg) {
		.magic = cpu_to_be32(CONN_MAGIC),
		.version = CONN_VERSION,
		.type = CONN_CONNECTED,
		.mtu = conn->mtu,
		.cookie = cpu_to_be64(conn->cookie),
		.qpn = cpu_to_be32(conn->qp->qp_num),
		.psn = cpu_to_be32(conn->own_psn),
		.rkey = cpu_to_be32(server->pd->unsafe_global_rkey),
		.address = cpu_to_be64(server->region_dma + conn->place * WQ_REGION),
		.length = cpu_to_be32(WQ_REGION),
	};
}

static void wq_conn_open(struct work_struct *work)
{
	struct wq_conn *conn = container_of(work, struct wq_conn, open);
	struct wq_server *server = conn->server;
	int err = wq_conn_make(conn);
	bool up;

	mutex_lock(&server->lock);
	up = !err && conn->state == WQ_OPENING;
	if (up) {
		wq_conn_fill_answer(conn);
		conn->state = WQ_UP;
		conn->was_up = true;
		conn->ready_by = jiffies + msecs_to_jiffies(READ_ONCE(wq_connect_ms));
		server->counters[WQ_CONNECTED]++;
	} else if (err && conn->state == WQ_OPENING) {
		server->counters[WQ_FAILED]++;
		conn->refused = CONN_FAILED;
		wq_conn_end(conn);
	}
	mutex_unlock(&server->lock);
	/* The close waits for this work item, so the connection still exists. */
	if (up)
		wq_send_answer(server, &conn->peer, &conn->answer);
}

static void wq_answer_disconnect(struct wq_server *server, const struct wq_peer *peer, u64 cookie)
{
	const struct conn_msg msg = {
		.magic = cpu_to_be32(CONN_MAGIC),
		.version = CONN_VERSION,
		.type = CONN_DISCONNECTED,
		.cookie = cpu_to_be64(cookie),
	};

	wq_send_answer(server, peer, &msg);
}

static void wq_conn_unmake(struct wq_conn *conn)
{
	/* ib_drain_sq() moves the QP to ERR; ib_mthca refuses that in RESET, and ib_core warns. */
	if (conn->was_up)
		ib_drain_sq(conn->qp);
	if (conn->qp)
		ib_destroy_qp(conn->qp);
	if (conn->cq)
		ib_free_cq(conn->cq);
}

static void wq_conn_close(struct work_struct *work)
{
	struct wq_conn *conn = container_of(work, struct wq_conn, close);
	struct wq_server *server = conn->server;

	flush_work(&conn->open);
	wq_conn_unmake(conn);
	mutex_lock(&server->lock);
	wq_conn_del(conn);
	mutex_unlock(&server->lock);
	if (conn->refused)
		wq_send_refuse(server, &conn->peer, conn->cookie, conn->refused);
	if (conn->wants_answer)
		wq_answer_disconnect(server, &conn->peer, conn->cookie);
	rdma_destroy_ah_attr(&conn->peer.ah_attr);
	kfree(conn);
}

/* Clears the region, so that a connection cannot read data of the previous one. */
static void wq_region_clear(struct wq_server *server, unsigned int place)
{
	u64 dma = server->region_dma + place * WQ_REGION;

	ib_dma_sync_single_for_cpu(server->dev, dma, WQ_REGION, DMA_BIDIRECTIONAL);
	memset(server->region + place * WQ_REGION, 0, WQ_REGION);
	ib_dma_sync_single_for_device(server->dev, dma, WQ_REGION, DMA_BIDIRECTIONAL);
}

/* Creates a connection for a connect. Returns 0, or the reason for a refusal. */
static u8 wq_conn_new(struct wq_server *server, struct wq_peer *peer, const struct conn_msg *msg)
{
	unsigned int place = find_first_zero_bit(server->places, WQ_CONNS);
	struct wq_conn *conn;

	if (place == WQ_CONNS)
		return CONN_BUSY;
	conn = kzalloc(sizeof(*conn), GFP_KERNEL);
	if (!conn)
		return CONN_FAILED;
	conn->server = server;
	conn->peer = *peer;
	rdma_copy_ah_attr(&conn->peer.ah_attr, &peer->ah_attr);
	conn->cookie = be64_to_cpu(msg->cookie);
	conn->qpn = be32_to_cpu(msg->qpn);
	conn->psn = be32_to_cpu(msg->psn);
	conn->mtu = msg->mtu;
	/*
	 * A peer that could guess this could connect two QPs of the server to each other, by naming
	 * each as its own in a connect. They would answer each other's probes for ever.
	 */
	conn->own_psn = get_random_u32() & QPN_OR_PSN;
	conn->place = place;
	conn->probe.done = wq_probe_done;
	INIT_WORK(&conn->open, wq_conn_open);
	INIT_WORK(&conn->close, wq_conn_close);
	wq_conn_add(conn);
	wq_region_clear(server, place);
	queue_work(server->wq, &conn->open);
	return CONN_OK;
}

/*
 * Ends a connection whose QP number is used by a new connect. The peer repeats the connect, and by
 * then the stale connection may be gone. The hardware fills in the sender of a datagram, but any
 * process on the peer's node can name this QP. So only the sender of the first connect can replace
 * it; for others the connection exists until a probe finds it dead.
 */
static u8 wq_conn_replace(struct wq_conn *conn, const struct wq_peer *peer)
{
	if (conn->peer.ud_qpn != peer->ud_qpn)
		return CONN_BUSY;
	conn->server->counters[WQ_STALE] += conn->state != WQ_CLOSING;
	wq_conn_end(conn);
	return CONN_OK;
}

static u8 wq_conn_begin(struct wq_server *server, struct wq_peer *peer, const struct conn_msg *msg)
{
	struct wq_conn *conn = wq_conn_of_qp(server, peer, be32_to_cpu(msg->qpn));

	return conn ? wq_conn_replace(conn, peer) : wq_conn_new(server, peer, msg);
}

/* Returns whether a repeated connect equals the first. */
static bool wq_conn_same(const struct wq_conn *conn, const struct conn_msg *msg)
{
	return conn->qpn == be32_to_cpu(msg->qpn) && conn->psn == be32_to_cpu(msg->psn) &&
	       conn->mtu == msg->mtu;
}

/* Stores an answer to be sent at once in @answer; if there is none, its type stays 0. */
static void wq_conn_again(struct wq_conn *conn, const struct conn_msg *msg,
			  struct conn_msg *answer, u8 *refused)
{
	struct wq_server *server = conn->server;

	if (!wq_conn_same(conn, msg)) {
		server->counters[WQ_REFUSED]++;
		*refused = CONN_BAD_REQUEST;
		return;
	}
	server->counters[WQ_REPEATED]++;
	if (conn->state == WQ_UP)
		*answer = conn->answer;
}

static bool wq_connect_is_sane(const struct wq_server *server, const struct wq_peer *peer,
			       const struct conn_msg *msg)
{
	u32 qpn = be32_to_cpu(msg->qpn);

	return qpn > 1 && qpn < QPN_OR_PSN && be32_to_cpu(msg->psn) <= QPN_OR_PSN &&
	       msg->mtu >= IB_MTU_256 && msg->mtu <= server->mtu &&
	       be16_to_cpu(msg->lid) == peer->lid && !msg->rkey && !msg->address && !msg->length;
}

/**
 * wq_conn_connect - handle a connect
 * @server: server
 * @peer: sender
 * @msg: message
 *
 * Context: Process.
 */
void wq_conn_connect(struct wq_server *server, struct wq_peer *peer, const struct conn_msg *msg)
{
	u64 cookie = be64_to_cpu(msg->cookie);
	struct conn_msg answer = {};
	struct wq_conn *conn;
	u8 refused = 0;

	mutex_lock(&server->lock);
	conn = wq_conn_find(server, peer, cookie);
	if (server->ending) {
		refused = CONN_BUSY;
	} else if (!wq_connect_is_sane(server, peer, msg)) {
		refused = CONN_BAD_REQUEST;
		server->counters[WQ_REFUSED]++;
	} else if (conn) {
		wq_conn_again(conn, msg, &answer, &refused);
	} else {
		refused = wq_conn_begin(server, peer, msg);
		server->counters[WQ_REFUSED] += !!refused;
	}
	mutex_unlock(&server->lock);
	if (refused)
		wq_send_refuse(server, peer, cookie, refused);
	else if (answer.type)
		wq_send_answer(server, peer, &answer);
}

/**
 * wq_conn_disconnect - handle a disconnect
 * @server: server
 * @peer: sender
 * @msg: message
 *
 * The answer is sent when the connection is gone, or at once if there is no such connection.
 *
 * Context: Process.
 */
void wq_conn_disconnect(struct wq_server *server, struct wq_peer *peer, const struct conn_msg *msg)
{
	u64 cookie = be64_to_cpu(msg->cookie);
	struct wq_conn *conn;

	mutex_lock(&server->lock);
	conn = wq_conn_find(server, peer, cookie);
	if (conn) {
		server->counters[WQ_DISCONNECTED] += conn->state != WQ_CLOSING;
		conn->wants_answer = true;
		wq_conn_end(conn);
	}
	mutex_unlock(&server->lock);
	if (!conn)
		wq_answer_disconnect(server, peer, cookie);
}

/**
 * wq_conn_end_all - refuse further connects, and start to close all connections
 * @server: server
 *
 * The caller drains the work queue.
 *
 * Context: Process.
 */
void wq_conn_end_all(struct wq_server *server)
{
	unsigned int n;

	mutex_lock(&server->lock);
	server->ending = true;
	mutex_unlock(&server->lock);
	for (n = 0; n < WQ_CONNS; n++) {
		mutex_lock(&server->lock);
		if (test_bit(n, server->places))
			wq_conn_end(server->conns[n]);
		mutex_unlock(&server->lock);
	}
}
