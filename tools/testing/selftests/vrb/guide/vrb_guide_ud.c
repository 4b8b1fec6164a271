// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * The examples of Documentation/vrb-client.rst for address handles, and for a request that is
 * submitted again after it has timed out. On each device a UD QP sends a datagram with a GRH to
 * itself, answers it, and receives the answer, all in softirq. Each callback logs its own result
 * and starts the next example; ud_end() is the only exit.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include <linux/slab.h>
#include <linux/timer.h>

#include <rdma/ib_cache.h>
#include <rdma/ib_verbs.h>
#include <rdma/vrb.h>
#include <rdma/vrb_verbs.h>

#define PORT	1
#define QKEY	0x1c0ffee
#define RECVS	4
#define SENDS	2		/* a datagram, and the answer to it */
#define SIZE	64		/* of a datagram, without its GRH */
#define ROOM	128		/* for a datagram and its GRH */
#define PAUSE	(HZ / 10)
#define TRIES	100

struct ud {
	struct ib_device *ibdev;
	struct vrb_client *client;
	struct ib_pd *pd;
	void *page;
	dma_addr_t page_dma;
	struct timer_list timer;
	struct timer_list again;
	unsigned int tries;
	bool ended;
	struct ib_cq *cq;
	struct ib_qp *qp;
	struct ib_ah *ah[SENDS];	/* of sends that have not completed */
	unsigned int received;
	struct vrb_query_port query_port;
	struct vrb_create_cq create_cq;
	struct vrb_create_qp create_qp;
	struct vrb_connect_qp connect;
	struct vrb_await_cq await;
};

static void ud_say(struct ud *ud, const char *what, int err)
{
	pr_info("%s: %s: %d\n", dev_name(&ud->ibdev->dev), what, err);
}

/* ---- The end ---- */

static void ud_forget(struct ud *ud, unsigned int n)
{
	if (ud->ah[n])
		rdma_destroy_ah(ud->ah[n], 0);
	ud->ah[n] = NULL;
}

/* The QP is gone, so the hardware does not use the address of a send any more. */
static void ud_gone(void *context)
{
	struct ud *ud = context;
	unsigned int n;

	for (n = 0; n < SENDS; n++)
		ud_forget(ud, n);
	ud_say(ud, "gone", 0);
}

static void ud_end(struct ud *ud)
{
	if (ud->ended)
		return;
	ud->ended = true;
	if (ud->qp)
		vrb_destroy_qp(ud->client, ud->qp, ud_gone, ud);
	if (ud->cq)
		vrb_destroy_cq(ud->client, ud->cq, NULL, NULL);
}

static void ud_submit(struct ud *ud, struct vrb *vrb)
{
	if (vrb_submit(ud->client, vrb) != -EINPROGRESS)
		ud_end(ud);
}

/* Whether the caller must stop: the step has failed, or ud_end() was called before. */
static bool ud_failed(struct ud *ud, const char *what, int err)
{
	ud_say(ud, what, err);
	if (err)
		ud_end(ud);
	return ud->ended;
}

/* ---- Datagrams ---- */

static int ud_post_recv(struct ud *ud, unsigned int n)
{
	struct ib_sge sge = {
		.addr = ud->page_dma + n * ROOM,
		.length = ROOM,
		.lkey = ud->pd->local_dma_lkey,
	};
	struct ib_recv_wr wr = { .wr_id = n, .sg_list = &sge, .num_sge = 1 };

	return ib_post_recv(ud->qp, &wr, NULL);
}

/* Send number @n. Its address handle must exist until it has completed. */
static int ud_send(struct ud *ud, unsigned int n, struct rdma_ah_attr *to, u32 qpn)
{
	struct ib_sge sge = {
		.addr = ud->page_dma + RECVS * ROOM,
		.length = SIZE,
		.lkey = ud->pd->local_dma_lkey,
	};
	struct ib_ud_wr wr = {
		.wr = {
			.wr_id = RECVS + n,
			.sg_list = &sge,
			.num_sge = 1,
			.opcode = IB_WR_SEND,
			.send_flags = IB_SEND_SIGNALED,
		},
		.remote_qpn = qpn,
		.remote_qkey = QKEY,
	};
	int err;

	wr.ah = rdma_create_ah(ud->pd, to, 0);
	if (IS_ERR(wr.ah))
		return PTR_ERR(wr.ah);
	ud->ah[n] = wr.ah;
	err = ib_post_send(ud->qp, &wr.wr, NULL);
	if (err)
		ud_forget(ud, n);
	return err;
}

/* The sender of a datagram. On success @to may hold a reference to the source GID. */
static int ud_sender(struct ud *ud, const struct ib_wc *wc, const struct ib_grh *grh,
		     struct rdma_ah_attr *to)
{
	u32 flow_class = be32_to_cpu(grh->version_tclass_flow);
	union ib_gid dgid = grh->sgid;
	const struct ib_gid_attr *source;

	*to = (struct rdma_ah_attr){ .type = RDMA_AH_ATTR_TYPE_IB };
	rdma_ah_set_port_num(to, PORT);
	rdma_ah_set_dlid(to, wc->slid);
	rdma_ah_set_sl(to, wc->sl);
	rdma_ah_set_path_bits(to, wc->dlid_path_bits);
	if (!(wc->wc_flags & IB_WC_GRH))
		return 0;
	source = rdma_find_gid_by_port(ud->ibdev, &grh->dgid, IB_GID_TYPE_IB, PORT, NULL);
	if (IS_ERR(source))
		return PTR_ERR(source);
	rdma_move_grh_sgid_attr(to, &dgid, flow_class & 0xfffff, 0xff, flow_class >> 20 & 0xff,
				source);
	return 0;
}

static int ud_answer(struct ud *ud, const struct ib_wc *wc)
{
	u64 offset = wc->wr_id * ROOM;
	struct rdma_ah_attr to;
	int err;

	ib_dma_sync_single_for_cpu(ud->ibdev, ud->page_dma + offset, ROOM, DMA_BIDIRECTIONAL);
	err = ud_sender(ud, wc, ud->page + offset, &to);
	if (!err && !(rdma_ah_get_ah_flags(&to) & IB_AH_GRH))
		err = -EPROTO;
	err = err ?: ud_send(ud, 1, &to, wc->src_qp);
	/* The address handle has its own reference to the source GID. */
	rdma_destroy_ah_attr(&to);
	return err;
}

static void ud_received(struct ud *ud, const struct ib_wc *wc)
{
	if (++ud->received == 1) {
		ud_failed(ud, "answered", ud_answer(ud, wc));
		return;
	}
	ud_say(ud, "answer received", 0);
	ud_end(ud);
}

static void ud_completed(struct ud *ud, const struct ib_wc *wc)
{
	if (wc->wr_id >= RECVS)
		ud_forget(ud, wc->wr_id - RECVS);
	if (ud->ended)
		return;
	if (wc->status)
		ud_failed(ud, "completed", -EIO);
	else if (wc->wr_id < RECVS)
		ud_received(ud, wc);
}

static void ud_completions(struct vrb *vrb)
{
	struct ud *ud = container_of(vrb, struct ud, await.vrb);
	struct ib_wc wc[4];
	int i, n;

	if (vrb->status) {
		ud_end(ud);
		return;
	}
	n = ib_poll_cq(ud->cq, ARRAY_SIZE(wc), wc);
	for (i = 0; i < n; i++)
		ud_completed(ud, &wc[i]);
	ud_submit(ud, &ud->await.vrb);
}

static int ud_post_recvs(struct ud *ud)
{
	unsigned int n;
	int err = 0;

	for (n = 0; n < RECVS && !err; n++)
		err = ud_post_recv(ud, n);
	return err;
}

/* The first datagram has a GRH with the first GID of the port, and goes to the QP itself. */
static int ud_send_first(struct ud *ud)
{
	struct rdma_ah_attr to = { .type = RDMA_AH_ATTR_TYPE_IB };
	const struct ib_gid_attr *own = rdma_get_gid_attr(ud->ibdev, PORT, 0);
	union ib_gid dgid;
	int err;

	if (IS_ERR(own))
		return PTR_ERR(own);
	dgid = own->gid;
	rdma_ah_set_port_num(&to, PORT);
	rdma_ah_set_dlid(&to, ud->query_port.attr.lid);
	rdma_move_grh_sgid_attr(&to, &dgid, 0, 64, 0, own);
	err = ud_send(ud, 0, &to, ud->qp->qp_num);
	rdma_destroy_ah_attr(&to);
	return err;
}

static void ud_listen(struct ud *ud)
{
	vrb_prep_await_cq(&ud->await, ud->cq);
	ud->await.flags = IB_CQ_NEXT_COMP;
	ud->await.vrb.done = ud_completions;
	ud_submit(ud, &ud->await.vrb);
	if (ud_failed(ud, "receives posted", ud_post_recvs(ud)))
		return;
	ud_failed(ud, "sent", ud_send_first(ud));
}

/* ---- A request that is submitted again ---- */

static void ud_retry(struct ud *ud, int err)
{
	if (ud->tries++ < TRIES)
		mod_timer(&ud->again, jiffies + PAUSE);
	else
		ud_failed(ud, "connected", err);
}

static void ud_connected(struct vrb *vrb)
{
	struct ud *ud = container_of(vrb, struct ud, connect.vrb);

	switch (vrb->status) {
	case -ETIMEDOUT:
		ud_say(ud, "timed out", 0);
		fallthrough;
	case -EUCLEAN:
		ud_retry(ud, vrb->status);
		break;
	default:
		if (!ud_failed(ud, "connected", vrb->status))
			ud_listen(ud);
	}
}

/* Until the command completes late, the QP accepts no request. Then the connect goes on. */
static void ud_again(struct timer_list *timer)
{
	struct ud *ud = container_of(timer, struct ud, again);
	int err = vrb_submit(ud->client, &ud->connect.vrb);

	switch (err) {
	case -EINPROGRESS:
		ud_say(ud, "submitted again", 0);
		break;
	case -EUCLEAN:
		ud_retry(ud, err);
		break;
	default:
		ud_failed(ud, "submitted again", err);
	}
}

/* ---- The beginning ---- */

static int ud_alloc(struct ud *ud)
{
	struct ib_cq_init_attr cq_attr = { .cqe = RECVS + SENDS };
	struct ib_qp_init_attr qp_attr = {
		.qp_type = IB_QPT_UD,
		.sq_sig_type = IB_SIGNAL_REQ_WR,
		.cap = {
			.max_send_wr = SENDS,
			.max_recv_wr = RECVS,
			.max_send_sge = 1,
			.max_recv_sge = 1,
		},
	};
	struct ib_cq *cq;
	struct ib_qp *qp;

	cq = vrb_alloc_cq(ud->client, &cq_attr, NULL, NULL, NULL, GFP_ATOMIC);
	if (IS_ERR(cq))
		return PTR_ERR(cq);
	ud->cq = cq;
	qp_attr.send_cq = cq;
	qp_attr.recv_cq = cq;
	qp = vrb_alloc_qp(ud->client, ud->pd, &qp_attr, GFP_ATOMIC);
	if (IS_ERR(qp))
		return PTR_ERR(qp);
	ud->qp = qp;
	return 0;
}

static void ud_port_queried(struct vrb *vrb)
{
	struct ud *ud = container_of(vrb, struct ud, query_port.vrb);

	if (ud_failed(ud, "allocated", vrb->status ?: ud_alloc(ud)))
		return;
	vrb_prep_create_cq(&ud->create_cq, ud->cq);
	vrb_prep_create_qp(&ud->create_qp, ud->qp);
	vrb_prep_connect_qp(&ud->connect, ud->qp);
	ud->connect.attr.port_num = PORT;
	ud->connect.attr.qkey = QKEY;
	ud->connect.to = IB_QPS_RTS;
	ud->connect.vrb.done = ud_connected;
	vrb_submit(ud->client, &ud->create_cq.vrb);
	vrb_submit(ud->client, &ud->create_qp.vrb);
	ud_submit(ud, &ud->connect.vrb);
}

static void ud_start(struct timer_list *timer)
{
	struct ud *ud = container_of(timer, struct ud, timer);

	vrb_prep_query_port(&ud->query_port, PORT);
	ud->query_port.vrb.done = ud_port_queried;
	vrb_submit(ud->client, &ud->query_port.vrb);
}

/* ---- Devices come and go ---- */

static struct ib_client ud_ib_client;

static int ud_begin(struct ud *ud)
{
	int err;

	ud->page = (void *)get_zeroed_page(GFP_KERNEL);
	if (!ud->page)
		return -ENOMEM;
	ud->page_dma = ib_dma_map_single(ud->ibdev, ud->page, PAGE_SIZE, DMA_BIDIRECTIONAL);
	err = ib_dma_mapping_error(ud->ibdev, ud->page_dma);
	if (err)
		goto free_page;
	ud->pd = ib_alloc_pd(ud->ibdev, 0);
	if (IS_ERR(ud->pd)) {
		err = PTR_ERR(ud->pd);
		goto unmap_page;
	}
	ud->client = vrb_client_register(ud->ibdev, KBUILD_MODNAME);
	if (!IS_ERR(ud->client))
		return 0;
	err = PTR_ERR(ud->client);
	ib_dealloc_pd(ud->pd);
unmap_page:
	ib_dma_unmap_single(ud->ibdev, ud->page_dma, PAGE_SIZE, DMA_BIDIRECTIONAL);
free_page:
	free_page((unsigned long)ud->page);
	return err;
}

static int ud_add(struct ib_device *ibdev)
{
	struct ud *ud = kzalloc(sizeof(*ud), GFP_KERNEL);
	int err;

	if (!ud)
		return -ENOMEM;
	ud->ibdev = ibdev;
	timer_setup(&ud->timer, ud_start, 0);
	timer_setup(&ud->again, ud_again, 0);
	err = ud_begin(ud);
	if (err) {
		kfree(ud);
		return err;
	}
	ib_set_client_data(ibdev, &ud_ib_client, ud);
	mod_timer(&ud->timer, jiffies);
	return 0;
}

static void ud_remove(struct ib_device *ibdev, void *client_data)
{
	struct ud *ud = client_data;

	vrb_client_shut(ud->client);
	timer_shutdown_sync(&ud->timer);
	/* If it was pending, no callback will end this any more. */
	if (timer_shutdown_sync(&ud->again))
		ud_end(ud);
	vrb_client_unregister(ud->client);
	ib_dealloc_pd(ud->pd);
	ib_dma_unmap_single(ibdev, ud->page_dma, PAGE_SIZE, DMA_BIDIRECTIONAL);
	free_page((unsigned long)ud->page);
	kfree(ud);
}

static struct ib_client ud_ib_client = {
	.name = KBUILD_MODNAME,
	.add = ud_add,
	.remove = ud_remove,
};

module_driver(ud_ib_client, ib_register_client, ib_unregister_client);

MODULE_DESCRIPTION("Examples of Documentation/vrb-client.rst: address handles, a second submit");
MODULE_LICENSE("Dual BSD/GPL");
