// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * The worked examples of Documentation/vrb-client.rst, which shows these functions as they are
 * here. On each device one connection, of a QP with itself, executes all of them in softirq. Each
 * callback logs its own result and starts the next example; conn_end() is the only exit.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include <linux/refcount.h>
#include <linux/slab.h>
#include <linux/timer.h>

#include <rdma/ib_verbs.h>
#include <rdma/vrb.h>
#include <rdma/vrb_verbs.h>

#define PORT	1

/* &ib_wc.wr_id */
enum {
	WR_SEND,
	WR_RECV,
	WR_LAST_SEND,
	WR_LAST_RECV,
};

/* The state of one device */
struct guide {
	struct ib_device *ibdev;
	struct vrb_client *client;
	struct ib_pd *pd;
	void *page;
	dma_addr_t page_dma;
	struct timer_list timer;
	struct vrb_query_port query_port;
	struct vrb_await_event watch;
};

struct peer {
	u32 qpn;		/* 0: the connection's own QP */
	u32 lid;
	enum ib_mtu mtu;
};

struct conn {
	struct guide *guide;
	refcount_t refs;		/* one for each shell, and one until conn_end() */
	bool ended;
	struct ib_cq *cq;
	struct ib_qp *qp;
	struct ib_mr *mr;
	struct vrb_create_cq create_cq;
	struct vrb_create_qp create_qp;
	struct vrb_create_mr create_mr;
	struct vrb_connect_qp connect;
	struct vrb_reg_mr reg_mr;
	struct vrb_unreg_mr unreg_mr;
	struct vrb_await_cq await;
	struct vrb_resize_cq resize;
	struct vrb_modify_qp modify;
	struct vrb_reset_qp reset;
	struct vrb_query_qp query;
	struct vrb_group group;
	int markers;			/* markers of a flush that have not completed */
	struct ib_qp *mcast_qp;
	struct vrb_create_qp create_mcast_qp;
	struct vrb_mcast attach;
	struct vrb_mcast detach;
};

static void conn_say(struct conn *conn, const char *what, int err)
{
	pr_info("%s: %s: %d\n", dev_name(&conn->guide->ibdev->dev), what, err);
}

/* ---- The end of a connection ---- */

static void conn_gone(void *context)
{
	struct conn *conn = context;

	if (!refcount_dec_and_test(&conn->refs))
		return;
	conn_say(conn, "gone", 0);
	kfree(conn);
}

static void conn_end(struct conn *conn)
{
	struct vrb_client *client = conn->guide->client;

	if (conn->ended)
		return;
	conn->ended = true;
	if (conn->mcast_qp)
		vrb_destroy_qp(client, conn->mcast_qp, conn_gone, conn);
	if (conn->mr)
		vrb_destroy_mr(client, conn->mr, conn_gone, conn);
	if (conn->qp)
		vrb_destroy_qp(client, conn->qp, conn_gone, conn);
	if (conn->cq)
		vrb_destroy_cq(client, conn->cq, conn_gone, conn);
	conn_gone(conn);
}

static void conn_submit(struct conn *conn, struct vrb *vrb)
{
	if (vrb_submit(conn->guide->client, vrb) != -EINPROGRESS)
		conn_end(conn);
}

/* Whether the connection is at its end, for this reason or another: its objects may be gone. */
static bool conn_failed(struct conn *conn, const char *what, int err)
{
	conn_say(conn, what, err);
	if (err)
		conn_end(conn);
	return conn->ended;
}

/* ---- Requests that are cancelled together ---- */

static void conn_quiet(struct vrb_group *group)
{
	struct conn *conn = container_of(group, struct conn, group);

	conn_say(conn, "group idle", 0);
	conn_end(conn);
}

static void conn_ask_in_group(struct conn *conn)
{
	vrb_group_init(&conn->group, conn->guide->client);
	vrb_prep_query_qp(&conn->query, conn->qp);
	conn->query.vrb.group = &conn->group;
	conn->query.vrb.deadline = ktime_add_ms(ktime_get(), 100);
	vrb_submit(conn->guide->client, &conn->query.vrb);

	vrb_group_poison(&conn->group);
	vrb_group_cancel(&conn->group);
	vrb_group_notify(&conn->group, conn_quiet);
}

/* ---- A multicast group ---- */

static void conn_detached(struct vrb *vrb)
{
	struct conn *conn = container_of(vrb, struct conn, detach.vrb);

	if (!conn_failed(conn, "detached", vrb->status))
		conn_ask_in_group(conn);
}

static void conn_attached(struct vrb *vrb)
{
	struct conn *conn = container_of(vrb, struct conn, attach.vrb);

	if (conn_failed(conn, "attached", vrb->status))
		return;
	vrb_prep_detach_mcast(&conn->detach, conn->mcast_qp);
	conn->detach.gid = conn->attach.gid;
	conn->detach.vrb.done = conn_detached;
	conn_submit(conn, &conn->detach.vrb);
}

static int conn_join(struct conn *conn, const union ib_gid *gid)
{
	struct ib_qp_init_attr attr = {
		.qp_type = IB_QPT_UD,
		.send_cq = conn->cq,
		.recv_cq = conn->cq,
		.cap = { .max_send_wr = 1, .max_recv_wr = 1, .max_send_sge = 1, .max_recv_sge = 1 },
	};
	struct ib_qp *qp;

	qp = vrb_alloc_qp(conn->guide->client, conn->guide->pd, &attr, GFP_ATOMIC);
	if (IS_ERR(qp))
		return PTR_ERR(qp);
	conn->mcast_qp = qp;
	refcount_inc(&conn->refs);
	vrb_prep_create_qp(&conn->create_mcast_qp, qp);
	vrb_prep_attach_mcast(&conn->attach, qp);
	conn->attach.gid = *gid;
	conn->attach.vrb.done = conn_attached;
	vrb_submit(conn->guide->client, &conn->create_mcast_qp.vrb);
	conn_submit(conn, &conn->attach.vrb);
	return 0;
}

/* ---- A QP that is used again ---- */

static void conn_unregistered(struct vrb *vrb)
{
	struct conn *conn = container_of(vrb, struct conn, unreg_mr.vrb);
	static const union ib_gid gid = { .raw = { 0xff, 0x12, 0xa0, 0x1c, 0, 0, 0, 0, 0, 0, 0,
						   0, 0, 0, 0, 7 } };
	int err;

	if (conn_failed(conn, "page unregistered", vrb->status))
		return;
	err = conn_join(conn, &gid);
	if (err)
		conn_failed(conn, "joined", err);
}

static void conn_connected_again(struct vrb *vrb)
{
	struct conn *conn = container_of(vrb, struct conn, connect.vrb);

	if (conn_failed(conn, "connected again", vrb->status))
		return;
	vrb_prep_unreg_mr(&conn->unreg_mr, conn->mr);
	conn->unreg_mr.vrb.done = conn_unregistered;
	conn_submit(conn, &conn->unreg_mr.vrb);
}

static void conn_reset(struct vrb *vrb)
{
	struct conn *conn = container_of(vrb, struct conn, reset.vrb);

	if (conn_failed(conn, "reset", vrb->status))
		return;
	conn->connect.vrb.done = conn_connected_again;
	conn_submit(conn, &conn->connect.vrb);
}

static void conn_recycle(struct conn *conn)
{
	vrb_prep_reset_qp(&conn->reset, conn->qp);
	conn->reset.vrb.done = conn_reset;
	conn_submit(conn, &conn->reset.vrb);
}

/* ---- A flush ---- */

static void conn_in_error(struct vrb *vrb)
{
	struct conn *conn = container_of(vrb, struct conn, modify.vrb);
	struct ib_rdma_wr last_send = {
		.wr = {
			.wr_id = WR_LAST_SEND,
			.opcode = IB_WR_RDMA_WRITE,
			.send_flags = IB_SEND_SIGNALED,
		},
	};
	struct ib_recv_wr last_recv = { .wr_id = WR_LAST_RECV };
	int err = vrb->status;

	conn->markers = 2;
	if (!err)
		err = ib_post_send(conn->qp, &last_send.wr, NULL);
	if (!err)
		err = ib_post_recv(conn->qp, &last_recv, NULL);
	conn_failed(conn, "markers posted", err);
}

static void conn_flush(struct conn *conn)
{
	vrb_prep_modify_qp(&conn->modify, conn->qp);
	conn->modify.attr.qp_state = IB_QPS_ERR;
	conn->modify.mask = IB_QP_STATE;
	conn->modify.vrb.done = conn_in_error;
	conn_submit(conn, &conn->modify.vrb);
}

/* ---- Another size for a CQ ---- */

static void conn_grown(struct vrb *vrb)
{
	struct conn *conn = container_of(vrb, struct conn, resize.vrb);

	if (!conn_failed(conn, "CQ resized", vrb->status))
		conn_flush(conn);
}

static int conn_grow(struct conn *conn, int cqe)
{
	int ret = vrb_alloc_cq_ring(conn->guide->client, conn->cq, cqe, GFP_ATOMIC);

	if (ret)
		return ret;
	vrb_prep_resize_cq(&conn->resize, conn->cq);
	conn->resize.cqe = cqe;
	conn->resize.vrb.done = conn_grown;
	conn_submit(conn, &conn->resize.vrb);
	return 0;
}

/* ---- Completions ---- */

static void conn_completed(struct conn *conn, const struct ib_wc *wc)
{
	int err;

	switch (wc->wr_id) {
	case WR_RECV:
		if (conn_failed(conn, "received", wc->status))
			return;
		err = conn_grow(conn, 256);
		if (err)
			conn_failed(conn, "CQ resized", err);
		break;
	case WR_LAST_SEND:
	case WR_LAST_RECV:
		if (!--conn->markers) {
			conn_say(conn, "flushed", 0);
			conn_recycle(conn);
		}
		break;
	}
}

static void conn_event(struct vrb *vrb)
{
	struct conn *conn = container_of(vrb, struct conn, await.vrb);
	struct ib_wc wc[8];
	int i, n;

	if (vrb->status)
		conn_end(conn);
	if (conn->ended)
		return;
	n = ib_poll_cq(conn->cq, ARRAY_SIZE(wc), wc);
	for (i = 0; i < n; i++)
		conn_completed(conn, &wc[i]);
	conn_submit(conn, &conn->await.vrb);
}

static void conn_await(struct conn *conn)
{
	vrb_prep_await_cq(&conn->await, conn->cq);
	conn->await.flags = IB_CQ_NEXT_COMP;
	conn->await.vrb.done = conn_event;
	conn_submit(conn, &conn->await.vrb);
}

/* ---- A memory region ---- */

static int conn_post(struct conn *conn)
{
	struct ib_sge sge = {
		.addr = conn->guide->page_dma,
		.length = 64,
		.lkey = conn->mr->lkey,
	};
	struct ib_recv_wr recv = { .wr_id = WR_RECV, .sg_list = &sge, .num_sge = 1 };
	struct ib_send_wr send = {
		.wr_id = WR_SEND,
		.sg_list = &sge,
		.num_sge = 1,
		.opcode = IB_WR_SEND,
		.send_flags = IB_SEND_SIGNALED,
	};
	int ret;

	ret = ib_post_recv(conn->qp, &recv, NULL);
	return ret ?: ib_post_send(conn->qp, &send, NULL);
}

static void conn_registered(struct vrb *vrb)
{
	struct conn *conn = container_of(vrb, struct conn, reg_mr.vrb);

	if (conn_failed(conn, "page registered", vrb->status))
		return;
	conn_await(conn);
	conn_failed(conn, "posted", conn_post(conn));
}

static int conn_register(struct conn *conn, const dma_addr_t *page)
{
	struct ib_mr *mr;

	mr = vrb_alloc_mr(conn->guide->client, conn->guide->pd, 1, GFP_ATOMIC);
	if (IS_ERR(mr))
		return PTR_ERR(mr);
	conn->mr = mr;
	refcount_inc(&conn->refs);
	vrb_prep_create_mr(&conn->create_mr, mr);
	vrb_prep_reg_mr(&conn->reg_mr, mr);
	conn->reg_mr.iova = *page;
	conn->reg_mr.length = PAGE_SIZE;
	conn->reg_mr.pages = page;
	conn->reg_mr.nr_pages = 1;
	conn->reg_mr.page_shift = PAGE_SHIFT;
	conn->reg_mr.access = IB_ACCESS_LOCAL_WRITE;
	conn->reg_mr.vrb.done = conn_registered;
	vrb_submit(conn->guide->client, &conn->create_mr.vrb);
	conn_submit(conn, &conn->reg_mr.vrb);
	return 0;
}

/* ---- The beginning of a connection ---- */

static void conn_connected(struct vrb *vrb)
{
	struct conn *conn = container_of(vrb, struct conn, connect.vrb);
	int err;

	if (conn_failed(conn, "connected", vrb->status))
		return;
	err = conn_register(conn, &conn->guide->page_dma);
	if (err)
		conn_failed(conn, "region", err);
}

static void conn_fill(struct conn *conn, const struct peer *peer)
{
	struct ib_qp_attr *attr = &conn->connect.attr;

	*attr = (struct ib_qp_attr){
		.port_num = PORT,
		.path_mtu = peer->mtu,
		.dest_qp_num = peer->qpn ?: conn->qp->qp_num,
		.min_rnr_timer = 12,
		.timeout = 14,
		.retry_cnt = 7,
		.rnr_retry = 7,
	};
	attr->ah_attr.type = RDMA_AH_ATTR_TYPE_IB;
	rdma_ah_set_port_num(&attr->ah_attr, PORT);
	rdma_ah_set_dlid(&attr->ah_attr, peer->lid);
}

/* Allocates the shells. After a failure conn_end() destroys those that have been allocated. */
static int conn_alloc(struct conn *conn)
{
	struct ib_cq_init_attr cq_attr = { .cqe = 64 };
	struct ib_qp_init_attr qp_attr = {
		.qp_type = IB_QPT_RC,
		.sq_sig_type = IB_SIGNAL_REQ_WR,
		.cap = { .max_send_wr = 4, .max_recv_wr = 4, .max_send_sge = 1, .max_recv_sge = 1 },
	};
	struct guide *guide = conn->guide;
	struct ib_cq *cq;
	struct ib_qp *qp;

	cq = vrb_alloc_cq(guide->client, &cq_attr, NULL, NULL, NULL, GFP_ATOMIC);
	if (IS_ERR(cq))
		return PTR_ERR(cq);
	conn->cq = cq;
	refcount_inc(&conn->refs);
	qp_attr.send_cq = cq;
	qp_attr.recv_cq = cq;
	qp = vrb_alloc_qp(guide->client, guide->pd, &qp_attr, GFP_ATOMIC);
	if (IS_ERR(qp))
		return PTR_ERR(qp);
	conn->qp = qp;
	refcount_inc(&conn->refs);
	return 0;
}

/* Called in softirq, for example for the completion of a receive. */
static int conn_begin(struct guide *guide, const struct peer *peer)
{
	struct conn *conn = kzalloc(sizeof(*conn), GFP_ATOMIC);
	int ret;

	if (!conn)
		return -ENOMEM;
	conn->guide = guide;
	refcount_set(&conn->refs, 1);
	ret = conn_alloc(conn);
	if (ret) {
		conn_end(conn);
		return ret;
	}
	vrb_prep_create_cq(&conn->create_cq, conn->cq);
	vrb_prep_create_qp(&conn->create_qp, conn->qp);
	vrb_prep_connect_qp(&conn->connect, conn->qp);
	conn_fill(conn, peer);
	conn->connect.to = IB_QPS_RTS;
	conn->connect.vrb.done = conn_connected;

	vrb_submit(guide->client, &conn->create_cq.vrb);
	vrb_submit(guide->client, &conn->create_qp.vrb);
	conn_submit(conn, &conn->connect.vrb);
	return 0;
}

/* ---- Events of the device ---- */

static void guide_event(struct vrb *vrb)
{
	struct guide *guide = container_of(vrb, struct guide, watch.vrb);

	if (vrb->status)
		return;
	if (guide->watch.came & BIT_ULL(IB_EVENT_PORT_ERR))
		pr_info("%s: a port went down\n", dev_name(&guide->ibdev->dev));
	vrb_submit(guide->client, &guide->watch.vrb);
}

static void guide_watch(struct guide *guide)
{
	vrb_prep_await_event(&guide->watch,
			     BIT_ULL(IB_EVENT_PORT_ERR) | BIT_ULL(IB_EVENT_DEVICE_FATAL));
	guide->watch.vrb.done = guide_event;
	vrb_submit(guide->client, &guide->watch.vrb);
}

/* ---- Devices come and go ---- */

static void guide_queried(struct vrb *vrb)
{
	struct guide *guide = container_of(vrb, struct guide, query_port.vrb);
	struct peer self = {
		.lid = guide->query_port.attr.lid,
		.mtu = guide->query_port.attr.active_mtu,
	};

	if (!vrb->status)
		conn_begin(guide, &self);
}

static void guide_start(struct timer_list *timer)
{
	struct guide *guide = container_of(timer, struct guide, timer);

	guide_watch(guide);
	vrb_prep_query_port(&guide->query_port, PORT);
	guide->query_port.vrb.done = guide_queried;
	vrb_submit(guide->client, &guide->query_port.vrb);
}

static struct ib_client guide_ib_client;

static int guide_begin(struct guide *guide)
{
	int err;

	guide->page = (void *)get_zeroed_page(GFP_KERNEL);
	if (!guide->page)
		return -ENOMEM;
	guide->page_dma = ib_dma_map_single(guide->ibdev, guide->page, PAGE_SIZE,
					    DMA_BIDIRECTIONAL);
	err = ib_dma_mapping_error(guide->ibdev, guide->page_dma);
	if (err)
		goto free_page;
	guide->pd = ib_alloc_pd(guide->ibdev, 0);
	if (IS_ERR(guide->pd)) {
		err = PTR_ERR(guide->pd);
		goto unmap_page;
	}
	guide->client = vrb_client_register(guide->ibdev, KBUILD_MODNAME);
	if (IS_ERR(guide->client)) {
		err = PTR_ERR(guide->client);
		goto dealloc_pd;
	}
	return 0;

dealloc_pd:
	ib_dealloc_pd(guide->pd);
unmap_page:
	ib_dma_unmap_single(guide->ibdev, guide->page_dma, PAGE_SIZE, DMA_BIDIRECTIONAL);
free_page:
	free_page((unsigned long)guide->page);
	return err;
}

static int guide_add(struct ib_device *ibdev)
{
	struct guide *guide = kzalloc(sizeof(*guide), GFP_KERNEL);
	int err;

	if (!guide)
		return -ENOMEM;
	guide->ibdev = ibdev;
	timer_setup(&guide->timer, guide_start, 0);
	err = guide_begin(guide);
	if (err) {
		kfree(guide);
		return err;
	}
	ib_set_client_data(ibdev, &guide_ib_client, guide);
	mod_timer(&guide->timer, jiffies);
	return 0;
}

static void guide_remove(struct ib_device *ibdev, void *client_data)
{
	struct guide *guide = client_data;

	vrb_client_shut(guide->client);
	timer_shutdown_sync(&guide->timer);
	vrb_client_unregister(guide->client);
	ib_dealloc_pd(guide->pd);
	ib_dma_unmap_single(ibdev, guide->page_dma, PAGE_SIZE, DMA_BIDIRECTIONAL);
	free_page((unsigned long)guide->page);
	kfree(guide);
}

static struct ib_client guide_ib_client = {
	.name = KBUILD_MODNAME,
	.add = guide_add,
	.remove = guide_remove,
};

static int __init guide_init(void)
{
	return ib_register_client(&guide_ib_client);
}

static void __exit guide_exit(void)
{
	ib_unregister_client(&guide_ib_client);
}

module_init(guide_init);
module_exit(guide_exit);

MODULE_DESCRIPTION("The examples of Documentation/vrb-client.rst");
MODULE_LICENSE("Dual BSD/GPL");
