// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * The example of Documentation/vrb-client.rst for a client of any device: it submits requests where
 * the driver supports them, and elsewhere calls ib_core's verbs, which sleep, in a work item. On
 * each device a timer's softirq begins a connection of a QP with itself, which writes nothing to
 * itself, and ends.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include <linux/slab.h>
#include <linux/timer.h>
#include <linux/workqueue.h>

#include <rdma/ib_verbs.h>
#include <rdma/vrb.h>
#include <rdma/vrb_verbs.h>

#define PORT	1

/* What the connection does next, if its verbs sleep */
enum {
	BEGINS,
	ENDS,
};

struct either {
	struct ib_device *ibdev;
	struct vrb_client *client;	/* NULL: the device's verbs sleep */
	struct ib_pd *pd;
	struct ib_port_attr port;
	struct timer_list timer;
	struct work_struct work;
	int next;
	unsigned long ended;		/* bit 0 */
	struct ib_cq *cq;
	struct ib_qp *qp;
	struct ib_qp_attr attr;
	struct vrb_create_cq create_cq;
	struct vrb_create_qp create_qp;
	struct vrb_connect_qp connect;
};

static void either_say(struct either *e, const char *what, int err)
{
	pr_info("%s: %s: %s: %d\n", dev_name(&e->ibdev->dev),
		e->client ? "requests" : "sleeping verbs", what, err);
}

/* ---- The end ---- */

static void either_gone(void *context)
{
	either_say(context, "gone", 0);
}

static void either_sleep_to_end(struct either *e)
{
	if (e->qp)
		ib_destroy_qp(e->qp);
	if (e->cq)
		ib_destroy_cq(e->cq);
	e->qp = NULL;
	e->cq = NULL;
	either_gone(e);
}

/* Any context but NMI. The first call counts. */
static void either_end(struct either *e)
{
	if (test_and_set_bit(0, &e->ended))
		return;
	if (!e->client) {
		e->next = ENDS;
		schedule_work(&e->work);
		return;
	}
	if (e->qp)
		vrb_destroy_qp(e->client, e->qp, NULL, NULL);
	if (e->cq)
		vrb_destroy_cq(e->client, e->cq, either_gone, e);
}

/* ---- The connection is there ---- */

/* In softirq, or in the driver's interrupt handler. */
static void either_completed(struct ib_cq *cq, void *context)
{
	struct either *e = context;
	struct ib_wc wc;

	if (ib_poll_cq(cq, 1, &wc) != 1)
		return;
	either_say(e, "written", wc.status);
	either_end(e);
}

/* In softirq, or in the work item. */
static void either_connected(struct either *e, int err)
{
	const struct ib_rdma_wr wr = {
		.wr = { .opcode = IB_WR_RDMA_WRITE, .send_flags = IB_SEND_SIGNALED },
	};

	either_say(e, "connected", err);
	err = err ?: ib_req_notify_cq(e->cq, IB_CQ_NEXT_COMP);
	err = err ?: ib_post_send(e->qp, &wr.wr, NULL);
	if (err)
		either_end(e);
}

/* ---- What both ways need ---- */

static const struct ib_cq_init_attr either_cq_attr = { .cqe = 4 };

static void either_qp_attr(struct either *e, struct ib_qp_init_attr *attr)
{
	*attr = (struct ib_qp_init_attr){
		.qp_type = IB_QPT_RC,
		.sq_sig_type = IB_SIGNAL_REQ_WR,
		.send_cq = e->cq,
		.recv_cq = e->cq,
		.cap = { .max_send_wr = 1, .max_recv_wr = 1, .max_send_sge = 1, .max_recv_sge = 1 },
	};
}

static void either_path(struct either *e)
{
	e->attr = (struct ib_qp_attr){
		.port_num = PORT,
		.qp_access_flags = IB_ACCESS_REMOTE_WRITE,
		.path_mtu = e->port.active_mtu,
		.dest_qp_num = e->qp->qp_num,
		.min_rnr_timer = 12,
		.timeout = 14,
		.retry_cnt = 7,
		.rnr_retry = 7,
	};
	e->attr.ah_attr.type = RDMA_AH_ATTR_TYPE_IB;
	rdma_ah_set_port_num(&e->attr.ah_attr, PORT);
	rdma_ah_set_dlid(&e->attr.ah_attr, e->port.lid);
}

/* ---- With requests ---- */

static void either_request_done(struct vrb *vrb)
{
	either_connected(container_of(vrb, struct either, connect.vrb), vrb->status);
}

static int either_alloc(struct either *e)
{
	struct ib_qp_init_attr attr;
	struct ib_cq *cq;
	struct ib_qp *qp;

	cq = vrb_alloc_cq(e->client, &either_cq_attr, either_completed, NULL, e, GFP_ATOMIC);
	if (IS_ERR(cq))
		return PTR_ERR(cq);
	e->cq = cq;
	either_qp_attr(e, &attr);
	qp = vrb_alloc_qp(e->client, e->pd, &attr, GFP_ATOMIC);
	if (IS_ERR(qp))
		return PTR_ERR(qp);
	e->qp = qp;
	return 0;
}

static int either_submit(struct either *e)
{
	int err = either_alloc(e);

	if (err)
		return err;
	either_path(e);
	vrb_prep_create_cq(&e->create_cq, e->cq);
	vrb_prep_create_qp(&e->create_qp, e->qp);
	vrb_prep_connect_qp(&e->connect, e->qp);
	e->connect.attr = e->attr;
	e->connect.to = IB_QPS_RTS;
	e->connect.vrb.done = either_request_done;
	vrb_submit(e->client, &e->create_cq.vrb);
	vrb_submit(e->client, &e->create_qp.vrb);
	err = vrb_submit(e->client, &e->connect.vrb);
	return err == -EINPROGRESS ? 0 : err;
}

/* ---- With ib_core's verbs ---- */

/* struct vrb_connect_qp needs no masks. */
static int either_modify(struct either *e)
{
	static const int masks[] = {
		[IB_QPS_INIT] = IB_QP_STATE | IB_QP_PKEY_INDEX | IB_QP_PORT | IB_QP_ACCESS_FLAGS,
		[IB_QPS_RTR] = IB_QP_STATE | IB_QP_AV | IB_QP_PATH_MTU | IB_QP_DEST_QPN |
			       IB_QP_RQ_PSN | IB_QP_MAX_DEST_RD_ATOMIC | IB_QP_MIN_RNR_TIMER,
		[IB_QPS_RTS] = IB_QP_STATE | IB_QP_TIMEOUT | IB_QP_RETRY_CNT | IB_QP_RNR_RETRY |
			       IB_QP_SQ_PSN | IB_QP_MAX_QP_RD_ATOMIC,
	};
	enum ib_qp_state to;
	int err = 0;

	for (to = IB_QPS_INIT; to <= IB_QPS_RTS && !err; to++) {
		e->attr.qp_state = to;
		err = ib_modify_qp(e->qp, &e->attr, masks[to]);
	}
	return err;
}

static int either_sleep_to_begin(struct either *e)
{
	struct ib_qp_init_attr attr;
	struct ib_cq *cq;
	struct ib_qp *qp;

	cq = ib_create_cq(e->ibdev, either_completed, NULL, e, &either_cq_attr);
	if (IS_ERR(cq))
		return PTR_ERR(cq);
	e->cq = cq;
	either_qp_attr(e, &attr);
	qp = ib_create_qp(e->pd, &attr);
	if (IS_ERR(qp))
		return PTR_ERR(qp);
	e->qp = qp;
	either_path(e);
	return either_modify(e);
}

static void either_work(struct work_struct *work)
{
	struct either *e = container_of(work, struct either, work);

	if (e->next == BEGINS)
		either_connected(e, either_sleep_to_begin(e));
	else
		either_sleep_to_end(e);
}

/* ---- The beginning ---- */

/* In softirq. */
static void either_begin(struct either *e)
{
	int err;

	if (!e->client) {
		schedule_work(&e->work);
		return;
	}
	err = either_submit(e);
	if (err)
		either_connected(e, err);
}

static void either_start(struct timer_list *timer)
{
	either_begin(container_of(timer, struct either, timer));
}

/* ---- Devices come and go ---- */

static const enum vrb_op either_needs[] = {
	VRB_OP_CREATE_CQ, VRB_OP_CREATE_QP, VRB_OP_CONNECT_QP,
};

/* NULL: the device's driver does not support requests, or lacks one that is needed. */
static struct vrb_client *either_client(struct ib_device *ibdev)
{
	struct vrb_client *client = vrb_client_register(ibdev, KBUILD_MODNAME);
	int i;

	if (client == ERR_PTR(-EOPNOTSUPP))
		return NULL;
	if (IS_ERR(client))
		return client;
	for (i = 0; i < ARRAY_SIZE(either_needs); i++) {
		if (vrb_client_can(client, either_needs[i]))
			continue;
		vrb_client_unregister(client);
		return NULL;
	}
	return client;
}

static struct ib_client either_ib_client;

static int either_add(struct ib_device *ibdev)
{
	struct either *e = kzalloc(sizeof(*e), GFP_KERNEL);
	int err;

	if (!e)
		return -ENOMEM;
	e->ibdev = ibdev;
	timer_setup(&e->timer, either_start, 0);
	INIT_WORK(&e->work, either_work);
	err = ib_query_port(ibdev, PORT, &e->port);
	if (err)
		goto free;
	e->pd = ib_alloc_pd(ibdev, 0);
	if (IS_ERR(e->pd)) {
		err = PTR_ERR(e->pd);
		goto free;
	}
	e->client = either_client(ibdev);
	if (IS_ERR(e->client)) {
		err = PTR_ERR(e->client);
		goto dealloc_pd;
	}
	ib_set_client_data(ibdev, &either_ib_client, e);
	mod_timer(&e->timer, jiffies);
	return 0;

dealloc_pd:
	ib_dealloc_pd(e->pd);
free:
	kfree(e);
	return err;
}

static void either_remove(struct ib_device *ibdev, void *client_data)
{
	struct either *e = client_data;

	if (e->client)
		vrb_client_shut(e->client);
	timer_shutdown_sync(&e->timer);
	/* What has begun is over after this, whichever way it took. */
	if (e->client)
		vrb_kill(&e->connect.vrb);
	else
		flush_work(&e->work);
	either_end(e);
	if (e->client)
		vrb_client_unregister(e->client);
	else
		flush_work(&e->work);
	ib_dealloc_pd(e->pd);
	kfree(e);
}

static struct ib_client either_ib_client = {
	.name = KBUILD_MODNAME,
	.add = either_add,
	.remove = either_remove,
};

module_driver(either_ib_client, ib_register_client, ib_unregister_client);

MODULE_DESCRIPTION("Example of Documentation/vrb-client.rst: a client of any device");
MODULE_LICENSE("Dual BSD/GPL");
