// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * The examples of Documentation/vrb-client.rst for shared receive queues and for paths with a GRH.
 * On each device one SRQ feeds a QP that is connected to itself, all in softirq. Each callback logs
 * its own result and starts the next example; pool_end() is the only exit.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/bitops.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/timer.h>

#include <rdma/ib_cache.h>
#include <rdma/ib_verbs.h>
#include <rdma/vrb.h>
#include <rdma/vrb_verbs.h>

#define PORT	1
#define RECVS	16	/* receives that the SRQ can hold */
#define ALL	GENMASK(RECVS - 1, 0)
#define LOW	4	/* the limit: with fewer receives there is an event */
#define SIZE	64	/* of a message */

/* &ib_wc.wr_id; below these is the number of a receive */
enum {
	WR_SEND = RECVS,
	WR_LAST_SEND,
};

struct pool {
	struct ib_device *ibdev;
	struct vrb_client *client;
	struct ib_pd *pd;
	void *page;
	dma_addr_t page_dma;
	struct timer_list timer;
	bool ended;
	struct ib_cq *cq;
	struct ib_srq *srq;
	struct ib_qp *qp;
	unsigned long spare;		/* receives that are not posted, a bit for each */
	unsigned int limits;		/* how often the limit was set */
	unsigned int flushing;		/* what a flush still waits for */
	struct vrb_query_port query_port;
	struct vrb_create_cq create_cq;
	struct vrb_create_srq create_srq;
	struct vrb_create_qp create_qp;
	struct vrb_connect_qp connect;
	struct vrb_modify_srq limit;
	struct vrb_query_srq query;
	struct vrb_modify_qp modify;
	struct vrb_await_cq await;
	struct vrb_await_event watch;
};

static void pool_say(struct pool *pool, const char *what, int err)
{
	pr_info("%s: %s: %d\n", dev_name(&pool->ibdev->dev), what, err);
}

/* ---- The end ---- */

static void pool_gone(void *context)
{
	pool_say(context, "gone", 0);
}

/* The CQ and the SRQ exist until the QP is gone. The pool itself is freed by pool_remove(). */
static void pool_end(struct pool *pool)
{
	if (pool->ended)
		return;
	pool->ended = true;
	if (pool->qp)
		vrb_destroy_qp(pool->client, pool->qp, NULL, NULL);
	if (pool->cq)
		vrb_destroy_cq(pool->client, pool->cq, NULL, NULL);
	if (pool->srq)
		vrb_destroy_srq(pool->client, pool->srq, pool_gone, pool);
}

static void pool_submit(struct pool *pool, struct vrb *vrb)
{
	if (vrb_submit(pool->client, vrb) != -EINPROGRESS)
		pool_end(pool);
}

/* Whether the caller must stop: the step has failed, or the pool was ended before. */
static bool pool_failed(struct pool *pool, const char *what, int err)
{
	pool_say(pool, what, err);
	if (err)
		pool_end(pool);
	return pool->ended;
}

/* ---- A flush ---- */

static void pool_flushed_one(struct pool *pool)
{
	if (--pool->flushing)
		return;
	pool_say(pool, "flushed", 0);
	pool_end(pool);
}

static void pool_in_error(struct vrb *vrb)
{
	struct pool *pool = container_of(vrb, struct pool, modify.vrb);
	struct ib_rdma_wr last = {
		.wr = {
			.wr_id = WR_LAST_SEND,
			.opcode = IB_WR_RDMA_WRITE,
			.send_flags = IB_SEND_SIGNALED,
		},
	};
	int err = vrb->status ?: ib_post_send(pool->qp, &last.wr, NULL);

	pool_failed(pool, "marker posted", err);
}

/* Waits for the marker of the send queue, and for the event "last WQE reached". */
static void pool_flush(struct pool *pool)
{
	pool->flushing = 2;
	vrb_prep_modify_qp(&pool->modify, pool->qp);
	pool->modify.attr.qp_state = IB_QPS_ERR;
	pool->modify.mask = IB_QP_STATE;
	pool->modify.vrb.done = pool_in_error;
	pool_submit(pool, &pool->modify.vrb);
}

/* ---- The limit ---- */

static void pool_queried(struct vrb *vrb)
{
	struct pool *pool = container_of(vrb, struct pool, query.vrb);
	int err = vrb->status;

	if (!err && pool->query.attr.max_wr != RECVS)
		err = -EPROTO;
	if (!pool_failed(pool, "SRQ queried", err))
		pool_flush(pool);
}

static void pool_query(struct pool *pool)
{
	vrb_prep_query_srq(&pool->query, pool->srq);
	pool->query.vrb.done = pool_queried;
	pool_submit(pool, &pool->query.vrb);
}

/* Posts the receives that are not posted. */
static int pool_fill(struct pool *pool)
{
	unsigned int n;
	int err;

	for_each_set_bit(n, &pool->spare, RECVS) {
		struct ib_sge sge = {
			.addr = pool->page_dma + n * SIZE,
			.length = SIZE,
			.lkey = pool->pd->local_dma_lkey,
		};
		struct ib_recv_wr wr = { .wr_id = n, .sg_list = &sge, .num_sge = 1 };

		err = ib_post_srq_recv(pool->srq, &wr, NULL);
		if (err)
			return err;
		__clear_bit(n, &pool->spare);
	}
	return 0;
}

/* Sends so many messages that fewer than LOW receives are left. */
static int pool_send(struct pool *pool)
{
	struct ib_sge sge = {
		.addr = pool->page_dma + RECVS * SIZE,
		.length = SIZE,
		.lkey = pool->pd->local_dma_lkey,
	};
	struct ib_send_wr wr = {
		.wr_id = WR_SEND,
		.sg_list = &sge,
		.num_sge = 1,
		.opcode = IB_WR_SEND,
		.send_flags = IB_SEND_SIGNALED,
	};
	int i, err = 0;

	for (i = 0; i <= RECVS - LOW && !err; i++)
		err = ib_post_send(pool->qp, &wr, NULL);
	return err;
}

/* The wait begins when the limit is set, so that neither request is submitted while it runs. */
static void pool_limit_set(struct vrb *vrb)
{
	struct pool *pool = container_of(vrb, struct pool, limit.vrb);

	if (pool_failed(pool, "limit set", vrb->status))
		return;
	pool_submit(pool, &pool->watch.vrb);
	switch (++pool->limits) {
	case 1:
		pool_failed(pool, "sent", pool_send(pool));
		break;
	case 2:
		pool_query(pool);
		break;
	}
}

/* One request waits for both events. One that occurs before its next submit is kept. */
static void pool_event(struct vrb *vrb)
{
	struct pool *pool = container_of(vrb, struct pool, watch.vrb);

	if (vrb->status) {
		pool_end(pool);
		return;
	}
	if (pool->watch.came & BIT_ULL(IB_EVENT_SRQ_LIMIT_REACHED)) {
		if (pool_failed(pool, "refilled", pool_fill(pool)))
			return;
		pool_submit(pool, &pool->limit.vrb);
	}
	if (pool->watch.came & BIT_ULL(IB_EVENT_QP_LAST_WQE_REACHED))
		pool_flushed_one(pool);
}

static void pool_set_limit(struct pool *pool)
{
	vrb_prep_await_event(&pool->watch, BIT_ULL(IB_EVENT_SRQ_LIMIT_REACHED) |
					   BIT_ULL(IB_EVENT_QP_LAST_WQE_REACHED));
	pool->watch.vrb.done = pool_event;
	vrb_prep_modify_srq(&pool->limit, pool->srq);
	pool->limit.attr.srq_limit = LOW;
	pool->limit.mask = IB_SRQ_LIMIT;
	pool->limit.vrb.done = pool_limit_set;
	pool_submit(pool, &pool->limit.vrb);
}

/* ---- Completions ---- */

static void pool_completed(struct pool *pool, const struct ib_wc *wc)
{
	if (wc->wr_id < RECVS)
		__set_bit(wc->wr_id, &pool->spare);
	if (wc->wr_id == WR_LAST_SEND)
		pool_flushed_one(pool);
	else if (wc->status && !pool->flushing)
		pool_failed(pool, "completed", -EIO);
}

static void pool_completions(struct vrb *vrb)
{
	struct pool *pool = container_of(vrb, struct pool, await.vrb);
	struct ib_wc wc[8];
	int i, n;

	if (vrb->status) {
		pool_end(pool);
		return;
	}
	n = ib_poll_cq(pool->cq, ARRAY_SIZE(wc), wc);
	for (i = 0; i < n; i++)
		pool_completed(pool, &wc[i]);
	/* An empty SRQ causes no event. */
	if (!pool->ended && pool->spare == ALL && pool_failed(pool, "filled", pool_fill(pool)))
		return;
	pool_submit(pool, &pool->await.vrb);
}

static void pool_await(struct pool *pool)
{
	vrb_prep_await_cq(&pool->await, pool->cq);
	pool->await.flags = IB_CQ_NEXT_COMP;
	pool->await.vrb.done = pool_completions;
	pool_submit(pool, &pool->await.vrb);
}

/* ---- The beginning ---- */

static void pool_connected(struct vrb *vrb)
{
	struct pool *pool = container_of(vrb, struct pool, connect.vrb);

	/* The QP has its own reference to the source GID. */
	rdma_destroy_ah_attr(&pool->connect.attr.ah_attr);
	if (pool_failed(pool, "connected", vrb->status) ||
	    pool_failed(pool, "filled", pool_fill(pool)))
		return;
	pool_await(pool);
	pool_set_limit(pool);
}

/* A path with a GRH. On success @ah holds a reference to the source GID. */
static int pool_path(struct pool *pool, u16 dlid, union ib_gid *dgid, struct rdma_ah_attr *ah)
{
	const struct ib_gid_attr *source = rdma_get_gid_attr(pool->ibdev, PORT, 0);

	if (IS_ERR(source))
		return PTR_ERR(source);
	ah->type = RDMA_AH_ATTR_TYPE_IB;
	rdma_ah_set_port_num(ah, PORT);
	rdma_ah_set_dlid(ah, dlid);
	rdma_move_grh_sgid_attr(ah, dgid, 0, 64, 0, source);
	return 0;
}

static int pool_fill_connect(struct pool *pool)
{
	struct ib_qp_attr *attr = &pool->connect.attr;
	union ib_gid own;
	int err;

	vrb_prep_connect_qp(&pool->connect, pool->qp);
	pool->connect.to = IB_QPS_RTS;
	pool->connect.vrb.done = pool_connected;
	*attr = (struct ib_qp_attr){
		.port_num = PORT,
		.path_mtu = pool->query_port.attr.active_mtu,
		.dest_qp_num = pool->qp->qp_num,
		.min_rnr_timer = 12,
		.timeout = 14,
		.retry_cnt = 7,
		.rnr_retry = 7,
	};
	err = rdma_query_gid(pool->ibdev, PORT, 0, &own);
	return err ?: pool_path(pool, pool->query_port.attr.lid, &own, &attr->ah_attr);
}

/* Each create waits for those that it depends on. The result of the connect is that of all. */
static void pool_connect(struct pool *pool)
{
	int err = pool_fill_connect(pool);

	if (err) {
		pool_failed(pool, "path", err);
		return;
	}
	vrb_prep_create_cq(&pool->create_cq, pool->cq);
	vrb_prep_create_srq(&pool->create_srq, pool->srq);
	vrb_prep_create_qp(&pool->create_qp, pool->qp);
	vrb_submit(pool->client, &pool->create_cq.vrb);
	vrb_submit(pool->client, &pool->create_srq.vrb);
	vrb_submit(pool->client, &pool->create_qp.vrb);
	pool_submit(pool, &pool->connect.vrb);
}

static int pool_alloc_srq(struct pool *pool)
{
	struct ib_srq_init_attr attr = {
		.srq_type = IB_SRQT_BASIC,
		.attr = { .max_wr = RECVS, .max_sge = 1 },
	};
	struct ib_srq *srq = vrb_alloc_srq(pool->client, pool->pd, &attr, GFP_ATOMIC);

	if (IS_ERR(srq))
		return PTR_ERR(srq);
	pool->srq = srq;
	pool->spare = ALL;
	return 0;
}

/* A QP with an SRQ has no receive queue of its own. */
static int pool_alloc_qp(struct pool *pool)
{
	struct ib_qp_init_attr attr = {
		.qp_type = IB_QPT_RC,
		.sq_sig_type = IB_SIGNAL_REQ_WR,
		.send_cq = pool->cq,
		.recv_cq = pool->cq,
		.srq = pool->srq,
		.cap = { .max_send_wr = RECVS, .max_send_sge = 1 },
	};
	struct ib_qp *qp = vrb_alloc_qp(pool->client, pool->pd, &attr, GFP_ATOMIC);

	if (IS_ERR(qp))
		return PTR_ERR(qp);
	pool->qp = qp;
	return 0;
}

/* After a failure pool_end() destroys what has been allocated. */
static int pool_alloc(struct pool *pool)
{
	struct ib_cq_init_attr attr = { .cqe = 2 * RECVS + 1 };
	struct ib_cq *cq = vrb_alloc_cq(pool->client, &attr, NULL, NULL, NULL, GFP_ATOMIC);
	int err;

	if (IS_ERR(cq))
		return PTR_ERR(cq);
	pool->cq = cq;
	err = pool_alloc_srq(pool);
	return err ?: pool_alloc_qp(pool);
}

static void pool_port_queried(struct vrb *vrb)
{
	struct pool *pool = container_of(vrb, struct pool, query_port.vrb);
	int err = vrb->status ?: pool_alloc(pool);

	if (!pool_failed(pool, "allocated", err))
		pool_connect(pool);
}

static void pool_start(struct timer_list *timer)
{
	struct pool *pool = container_of(timer, struct pool, timer);

	vrb_prep_query_port(&pool->query_port, PORT);
	pool->query_port.vrb.done = pool_port_queried;
	vrb_submit(pool->client, &pool->query_port.vrb);
}

/* ---- Devices come and go ---- */

static struct ib_client pool_ib_client;

static int pool_begin(struct pool *pool)
{
	int err;

	pool->page = (void *)get_zeroed_page(GFP_KERNEL);
	if (!pool->page)
		return -ENOMEM;
	pool->page_dma = ib_dma_map_single(pool->ibdev, pool->page, PAGE_SIZE, DMA_BIDIRECTIONAL);
	err = ib_dma_mapping_error(pool->ibdev, pool->page_dma);
	if (err)
		goto free_page;
	pool->pd = ib_alloc_pd(pool->ibdev, 0);
	if (IS_ERR(pool->pd)) {
		err = PTR_ERR(pool->pd);
		goto unmap_page;
	}
	pool->client = vrb_client_register(pool->ibdev, KBUILD_MODNAME);
	if (!IS_ERR(pool->client))
		return 0;
	err = PTR_ERR(pool->client);
	ib_dealloc_pd(pool->pd);
unmap_page:
	ib_dma_unmap_single(pool->ibdev, pool->page_dma, PAGE_SIZE, DMA_BIDIRECTIONAL);
free_page:
	free_page((unsigned long)pool->page);
	return err;
}

static int pool_add(struct ib_device *ibdev)
{
	struct pool *pool = kzalloc(sizeof(*pool), GFP_KERNEL);
	int err;

	if (!pool)
		return -ENOMEM;
	pool->ibdev = ibdev;
	timer_setup(&pool->timer, pool_start, 0);
	err = pool_begin(pool);
	if (err) {
		kfree(pool);
		return err;
	}
	ib_set_client_data(ibdev, &pool_ib_client, pool);
	mod_timer(&pool->timer, jiffies);
	return 0;
}

static void pool_remove(struct ib_device *ibdev, void *client_data)
{
	struct pool *pool = client_data;

	vrb_client_shut(pool->client);
	timer_shutdown_sync(&pool->timer);
	vrb_client_unregister(pool->client);
	/* If the connect was refused, nobody has dropped its reference. */
	rdma_destroy_ah_attr(&pool->connect.attr.ah_attr);
	ib_dealloc_pd(pool->pd);
	ib_dma_unmap_single(ibdev, pool->page_dma, PAGE_SIZE, DMA_BIDIRECTIONAL);
	free_page((unsigned long)pool->page);
	kfree(pool);
}

static struct ib_client pool_ib_client = {
	.name = KBUILD_MODNAME,
	.add = pool_add,
	.remove = pool_remove,
};

module_driver(pool_ib_client, ib_register_client, ib_unregister_client);

MODULE_DESCRIPTION("Examples of Documentation/vrb-client.rst: shared receive queues, GRH");
MODULE_LICENSE("Dual BSD/GPL");
