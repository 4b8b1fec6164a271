// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Connections. Three requests open a connection, and two destroys end it in any state: the server
 * does not wait for outstanding requests first. The connection is freed when the second destroy has
 * completed.
 */
#include <linux/slab.h>
#include "softirq_server.h"

#define QPN_OR_PSN	0xffffffU
#define SWEEP_PARTS	16	/* a sweep is divided, so that each part is short */

/*
 * OPENING: its requests are outstanding. UP: the answer has been sent. ENDING: its destroys are
 * outstanding, and its objects must not be accessed.
 */
enum soft_state { SOFT_OPENING, SOFT_UP, SOFT_ENDING };

struct soft_conn {
	struct conn_entry by_cookie, by_qp;
	struct soft_server *server;
	struct soft_peer peer;
	u64 cookie;
	u32 qpn, psn;		/* of the peer's QP */
	u32 own_psn;
	u8 mtu;
	enum soft_state state;
	bool seen;		/* the peer has acknowledged a probe */
	bool probing;
	bool wants_answer;	/* the peer's disconnect must be answered */
	u8 refused;		/* reason why it was not opened; 0: none */
	u32 place;
	unsigned long ready_by;	/* jiffies; before this a probe might fail */
	struct ib_cq *cq;
	struct ib_qp *qp;
	struct vrb_create_cq create_cq;
	struct vrb_create_qp create_qp;
	struct vrb_connect_qp connect;
	struct conn_msg answer;
};

/* ---- The tables of connections ---- */

static struct conn_key soft_key(const struct soft_peer *peer, u32 qpn, u64 cookie)
{
	struct conn_key key = { .cookie = cookie, .lid = peer->lid, .qpn = qpn };

	memcpy(key.gid, peer->gid, sizeof(key.gid));
	return key;
}

static struct soft_conn *soft_conn_find(struct soft_server *server, const struct soft_peer *peer,
					u64 cookie)
{
	const struct conn_key key = soft_key(peer, peer->ud_qpn, cookie);
	struct conn_entry *entry = conn_table_find(&server->by_cookie, &key);

	return entry ? container_of(entry, struct soft_conn, by_cookie) : NULL;
}

/* Finds the connection of a peer's RC QP. */
static struct soft_conn *soft_conn_of_qp(struct soft_server *server,
					 const struct soft_peer *peer, u32 qpn)
{
	const struct conn_key key = soft_key(peer, qpn, 0);
	struct conn_entry *entry = conn_table_find(&server->by_qp, &key);

	return entry ? container_of(entry, struct soft_conn, by_qp) : NULL;
}

/* Adds the connection to the tables. */
static void soft_conn_add(struct soft_conn *conn)
{
	struct soft_server *server = conn->server;

	conn->by_cookie.key = soft_key(&conn->peer, conn->peer.ud_qpn, conn->cookie);
	conn->by_qp.key = soft_key(&conn->peer, conn->qpn, 0);
	conn_table_add(&server->by_cookie, &conn->by_cookie);
	conn_table_add(&server->by_qp, &conn->by_qp);
	__set_bit(conn->place, server->places);
	server->conns[conn->place] = conn;
	server->now++;
}

static void soft_conn_del(struct soft_conn *conn)
{
	struct soft_server *server = conn->server;

	conn_table_del(&conn->by_cookie);
	conn_table_del(&conn->by_qp);
	__clear_bit(conn->place, server->places);
	server->now--;
}

/* ---- The end ---- */

static void soft_answer_disconnect(struct soft_server *server, const struct soft_peer *peer,
				   u64 cookie)
{
	const struct conn_msg msg = {
		.magic = cpu_to_be32(CONN_MAGIC),
		.version = CONN_VERSION,
		.type = CONN_DISCONNECTED,
		.cookie = cpu_to_be64(cookie),
	};

	soft_answer(server, peer, &msg);
}

static void soft_conn_free(struct soft_conn *conn)
{
	rdma_destroy_ah_attr(&conn->peer.ah_attr);
	kfree(conn);
}

/* Both objects are gone, and no callback will run. */
static void soft_conn_gone(void *context)
{
	struct soft_conn *conn = context;
	struct soft_server *server = conn->server;

	spin_lock(&server->lock);
	soft_conn_del(conn);
	if (conn->refused)
		soft_refuse(server, &conn->peer, conn->cookie, conn->refused);
	if (conn->wants_answer)
		soft_answer_disconnect(server, &conn->peer, conn->cookie);
	spin_unlock(&server->lock);
	soft_conn_free(conn);
}

static void soft_conn_end(struct soft_conn *conn)
{
	struct vrb_client *client = conn->server->client;

	lockdep_assert_held(&conn->server->lock);
	if (conn->state == SOFT_ENDING)
		return;
	conn->state = SOFT_ENDING;
	if (conn->qp)
		vrb_destroy_qp(client, conn->qp, NULL, NULL);
	/* The destroy of the CQ waits for that of the QP, so it completes last. */
	vrb_destroy_cq(client, conn->cq, soft_conn_gone, conn);
}

/* ---- Detection of dead peers ---- */

static void soft_probe_over(struct soft_conn *conn, enum ib_wc_status status)
{
	conn->probing = false;
	if (status == IB_WC_SUCCESS) {
		conn->seen = true;
		return;
	}
	conn->server->counters[conn->seen ? SOFT_DEAD : SOFT_TIMEOUTS]++;
	soft_conn_end(conn);
}

/* At most one work request is outstanding. */
static void soft_conn_completed(struct ib_cq *cq, void *context)
{
	struct soft_conn *conn = context;
	struct soft_server *server = conn->server;
	struct ib_wc wc;

	spin_lock(&server->lock);
	if (conn->state == SOFT_UP && ib_poll_cq(cq, 1, &wc) == 1)
		soft_probe_over(conn, wc.status);
	spin_unlock(&server->lock);
}

/* A probe that precedes the peer's receipt of the answer would fail and move the QP to error. */
static bool soft_is_ready(const struct soft_conn *conn)
{
	return conn->seen || time_after(jiffies, conn->ready_by);
}

/* The probe is a write of 0 bytes, which only a live peer acknowledges. */
static void soft_probe(struct soft_conn *conn)
{
	struct ib_rdma_wr wr = {
		.wr.opcode = IB_WR_RDMA_WRITE,
		.wr.send_flags = IB_SEND_SIGNALED,
	};

	if (conn->state != SOFT_UP || conn->probing || !soft_is_ready(conn))
		return;
	conn->probing = true;
	ib_req_notify_cq(conn->cq, IB_CQ_NEXT_COMP);
	if (ib_post_send(conn->qp, &wr.wr, NULL))
		soft_probe_over(conn, IB_WC_GENERAL_ERR);
}

static unsigned long soft_sweep_pause(void)
{
	return max(1UL, msecs_to_jiffies(READ_ONCE(soft_probe_ms)) / SWEEP_PARTS);
}

/* Probes the first connection from place @n on, below @end. Returns the place after it. */
static u32 soft_probe_next(struct soft_server *server, u32 n, u32 end)
{
	spin_lock(&server->lock);
	n = find_next_bit(server->places, end, n);
	if (n < end)
		soft_probe(server->conns[n]);
	spin_unlock(&server->lock);
	return n + 1;
}

/**
 * soft_conn_sweep - probe some of the connections; one round probes all of them
 * @timer: timer of the server
 *
 * Context: Softirq.
 */
void soft_conn_sweep(struct timer_list *timer)
{
	struct soft_server *server = container_of(timer, struct soft_server, sweep);
	u32 n = server->next_sweep, end = n + SOFT_CONNS / SWEEP_PARTS;

	while (n < end)
		n = soft_probe_next(server, n, end);
	server->next_sweep = end % SOFT_CONNS;
	/* After a shutdown of the timer this has no effect. */
	mod_timer(timer, jiffies + soft_sweep_pause());
}

/* ---- Start of a connection ---- */

static void soft_conn_fill_answer(struct soft_conn *conn)
{
	conn->answer = (struct conn_msg){
		.magic = cpu_to_be32(CONN_MAGIC),
		.version = CONN_VERSION,
		.type = CONN_CONNECTED,
		.mtu = conn->mtu,
		.cookie = cpu_to_be64(conn->cookie),
		.qpn = cpu_to_be32(conn->qp->qp_num),
		.psn = cpu_to_be32(conn->own_psn),
		.rkey = cpu_to_be32(conn->server->mr->rkey),
		.address = cpu_to_be64((u64)conn->place * SOFT_REGION),
		.length = cpu_to_be32(SOFT_REGION),
	};
}

static void soft_conn_up(struct soft_conn *conn)
{
	conn->state = SOFT_UP;
	conn->ready_by = jiffies + msecs_to_jiffies(READ_ONCE(soft_connect_ms));
	conn->server->counters[SOFT_CONNECTED]++;
	soft_conn_fill_answer(conn);
	soft_answer(conn->server, &conn->peer, &conn->answer);
}

static void soft_conn_failed(struct soft_conn *conn)
{
	conn->server->counters[SOFT_FAILED]++;
	conn->refused = CONN_FAILED;
	soft_conn_end(conn);
}

static void soft_conn_connected(struct vrb *vrb)
{
	struct soft_conn *conn = container_of(vrb, struct soft_conn, connect.vrb);
	struct soft_server *server = conn->server;

	spin_lock(&server->lock);
	if (conn->state == SOFT_OPENING) {
		if (vrb->status)
			soft_conn_failed(conn);
		else
			soft_conn_up(conn);
	}
	spin_unlock(&server->lock);
}

static void soft_conn_path(struct soft_conn *conn)
{
	conn->connect.to = IB_QPS_RTS;
	conn->connect.attr = (struct ib_qp_attr){
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
}

/*
 * Each request waits for the previous one, and is refused or fails if that failed. So the result of
 * the last one is the result of all.
 */
static bool soft_conn_submit(struct soft_conn *conn)
{
	struct vrb_client *client = conn->server->client;

	vrb_prep_create_cq(&conn->create_cq, conn->cq);
	vrb_prep_create_qp(&conn->create_qp, conn->qp);
	vrb_prep_connect_qp(&conn->connect, conn->qp);
	soft_conn_path(conn);
	conn->connect.vrb.done = soft_conn_connected;
	vrb_submit(client, &conn->create_cq.vrb);
	vrb_submit(client, &conn->create_qp.vrb);
	return vrb_submit(client, &conn->connect.vrb) == -EINPROGRESS;
}

static bool soft_conn_alloc_cq(struct soft_conn *conn)
{
	struct soft_server *server = conn->server;
	struct ib_cq_init_attr attr = {
		.cqe = 2,
		.comp_vector = conn->place % server->dev->num_comp_vectors,
	};

	conn->cq = vrb_alloc_cq(server->client, &attr, soft_conn_completed, NULL, conn, SOFT_GFP);
	return !IS_ERR(conn->cq);
}

static bool soft_conn_alloc_qp(struct soft_conn *conn)
{
	struct soft_server *server = conn->server;
	struct ib_qp_init_attr attr = {
		.send_cq = conn->cq,
		.recv_cq = conn->cq,
		.qp_type = IB_QPT_RC,
		.sq_sig_type = IB_SIGNAL_REQ_WR,
		.cap = {
			.max_send_wr = 1,
			.max_recv_wr = 1,
			.max_send_sge = 1,
			.max_recv_sge = 1,
		},
	};

	conn->qp = vrb_alloc_qp(server->client, server->pd, &attr, SOFT_GFP);
	if (!IS_ERR(conn->qp))
		return true;
	conn->qp = NULL;
	return false;
}

static struct soft_conn *soft_conn_alloc(struct soft_server *server, const struct soft_peer *peer,
					 const struct conn_msg *msg, u32 place)
{
	struct soft_conn *conn = kzalloc(sizeof(*conn), SOFT_GFP);

	if (!conn)
		return NULL;
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
	if (soft_conn_alloc_cq(conn))
		return conn;
	soft_conn_free(conn);
	return NULL;
}

/* Clears the region, so that a connection cannot read data of the previous one. */
static void soft_region_clear(struct soft_server *server, u32 place)
{
	u64 dma = server->region_dma[place];

	ib_dma_sync_single_for_cpu(server->dev, dma, SOFT_REGION, DMA_BIDIRECTIONAL);
	memset(server->regions[place], 0, SOFT_REGION);
	ib_dma_sync_single_for_device(server->dev, dma, SOFT_REGION, DMA_BIDIRECTIONAL);
}

/*
 * Returns 0, or the reason for a refusal. A connection that has a CQ sends its refusal itself, when
 * it is gone.
 */
static u8 soft_conn_new(struct soft_server *server, const struct soft_peer *peer,
			const struct conn_msg *msg)
{
	u32 place = find_first_zero_bit(server->places, SOFT_CONNS);
	struct soft_conn *conn;

	if (place == SOFT_CONNS)
		return CONN_BUSY;
	conn = soft_conn_alloc(server, peer, msg, place);
	if (!conn)
		return CONN_FAILED;
	soft_conn_add(conn);
	soft_region_clear(server, place);
	if (!soft_conn_alloc_qp(conn) || !soft_conn_submit(conn))
		soft_conn_failed(conn);
	return CONN_OK;
}

/* ---- Requests of peers ---- */

static bool soft_connect_is_sane(const struct soft_server *server, const struct soft_peer *peer,
				 const struct conn_msg *msg)
{
	u32 qpn = be32_to_cpu(msg->qpn);

	return qpn > 1 && qpn < QPN_OR_PSN && be32_to_cpu(msg->psn) <= QPN_OR_PSN &&
	       msg->mtu >= IB_MTU_256 && msg->mtu <= server->mtu &&
	       be16_to_cpu(msg->lid) == peer->lid && !msg->rkey && !msg->address && !msg->length;
}

/* A repeated connect gets the answer of the first one, unless that is still being opened. */
static u8 soft_conn_again(struct soft_conn *conn, const struct conn_msg *msg)
{
	if (conn->qpn != be32_to_cpu(msg->qpn) || conn->psn != be32_to_cpu(msg->psn) ||
	    conn->mtu != msg->mtu)
		return CONN_BAD_REQUEST;
	conn->server->counters[SOFT_REPEATED]++;
	if (conn->state == SOFT_UP)
		soft_answer(conn->server, &conn->peer, &conn->answer);
	return CONN_OK;
}

/*
 * Ends a connection whose QP number is used by a new connect. The peer repeats the connect, and by
 * then the stale connection may be gone. The hardware fills in the sender of a datagram, but any
 * process on the peer's node can name this QP. So only the sender of the first connect can replace
 * it; for others the connection exists until a probe finds it dead.
 */
static u8 soft_conn_replace(struct soft_conn *conn, const struct soft_peer *peer)
{
	if (conn->peer.ud_qpn != peer->ud_qpn)
		return CONN_BUSY;
	conn->server->counters[SOFT_STALE] += conn->state != SOFT_ENDING;
	soft_conn_end(conn);
	return CONN_OK;
}

static u8 soft_conn_begin(struct soft_server *server, const struct soft_peer *peer,
			  const struct conn_msg *msg)
{
	struct soft_conn *conn;

	if (!soft_connect_is_sane(server, peer, msg))
		return CONN_BAD_REQUEST;
	conn = soft_conn_find(server, peer, be64_to_cpu(msg->cookie));
	if (conn)
		return soft_conn_again(conn, msg);
	conn = soft_conn_of_qp(server, peer, be32_to_cpu(msg->qpn));
	return conn ? soft_conn_replace(conn, peer) : soft_conn_new(server, peer, msg);
}

/**
 * soft_conn_connect - handle a connect
 * @server: server
 * @peer: sender
 * @msg: message
 *
 * Context: Softirq, server's lock held.
 * Return: 0, or the reason for a refusal.
 */
u8 soft_conn_connect(struct soft_server *server, const struct soft_peer *peer,
		     const struct conn_msg *msg)
{
	u8 refused = soft_conn_begin(server, peer, msg);

	lockdep_assert_held(&server->lock);
	server->counters[SOFT_REFUSED] += !!refused;
	return refused;
}

/**
 * soft_conn_disconnect - handle a disconnect
 * @server: server
 * @peer: sender
 * @cookie: cookie of the connection
 *
 * The answer is sent when the connection is gone, or at once if there is no such connection.
 *
 * Context: Softirq, server's lock held.
 */
void soft_conn_disconnect(struct soft_server *server, const struct soft_peer *peer, u64 cookie)
{
	struct soft_conn *conn = soft_conn_find(server, peer, cookie);

	lockdep_assert_held(&server->lock);
	if (!conn) {
		soft_answer_disconnect(server, peer, cookie);
		return;
	}
	server->counters[SOFT_DISCONNECTED] += conn->state != SOFT_ENDING;
	conn->wants_answer = true;
	soft_conn_end(conn);
}

/**
 * soft_conn_end_all - end all connections
 * @server: server, ending, so that no connection starts any more
 *
 * The connections are gone when the server's client has been unregistered.
 *
 * Context: Process.
 */
void soft_conn_end_all(struct soft_server *server)
{
	u32 n;

	for (n = 0; n < SOFT_CONNS; n++) {
		spin_lock_bh(&server->lock);
		if (test_bit(n, server->places))
			soft_conn_end(server->conns[n]);
		spin_unlock_bh(&server->lock);
	}
}
