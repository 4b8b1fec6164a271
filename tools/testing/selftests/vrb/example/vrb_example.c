// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * A client that never sleeps. It was written only from <rdma/vrb.h>, <rdma/vrb_verbs.h> and
 * Documentation/vrb-client.rst, and does not depend on the provider.
 *
 * On each device that has verbs request blocks a timer's softirq creates a CQ, a QP and a memory
 * region, connects the QP to itself, posts a write of a page to the same memory, waits for the
 * completion, queries the QP's state in the hardware, and destroys everything. Each callback
 * submits the next request; after any failure example_end() destroys what exists. A read of
 * /sys/kernel/debug/vrb_example/<device> waits for the end and prints the results as KTAP.
 */
#include <linux/completion.h>
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/timer.h>

#include <rdma/ib_verbs.h>
#include <rdma/vrb.h>
#include <rdma/vrb_verbs.h>

#define PORT	1
#define PATIENCE	(10 * HZ)

enum example_stage {
	STAGE_PORT,
	STAGE_ALLOC,
	STAGE_CONNECT,
	STAGE_REGISTER,
	STAGE_POST,
	STAGE_EVENT,
	STAGE_QUERY,
	STAGE_UNREGISTER,
	STAGE_GONE,
	NR_STAGES
};

static const char *const stage_names[NR_STAGES] = {
	[STAGE_PORT] = "port queried",
	[STAGE_ALLOC] = "memory of CQ, QP and region allocated in softirq",
	[STAGE_CONNECT] = "QP created and connected to itself",
	[STAGE_REGISTER] = "page registered",
	[STAGE_POST] = "RDMA write posted",
	[STAGE_EVENT] = "completion awaited and polled",
	[STAGE_QUERY] = "hardware says RTS",
	[STAGE_UNREGISTER] = "page taken back",
	[STAGE_GONE] = "everything destroyed",
};

/* The state of one device */
struct example {
	struct ib_device *ibdev;
	struct vrb_client *client;
	struct ib_pd *pd;
	void *page;
	dma_addr_t page_dma;

	struct timer_list begin;	/* provides the softirq */
	struct timer_list give_up;	/* stops the wait for the completion */

	struct ib_cq *cq;
	struct ib_qp *qp;
	struct ib_mr *mr;

	struct vrb_query_port query_port;
	struct vrb_create_cq create_cq;
	struct vrb_create_qp create_qp;
	struct vrb_create_mr create_mr;
	struct vrb_connect_qp connect;
	struct vrb_reg_mr reg_mr;
	struct vrb_await_cq await;
	struct vrb_query_qp query_qp;
	struct vrb_unreg_mr unreg_mr;

	int results[NR_STAGES];		/* 0, an errno, -ENODATA: not reached */
	atomic_t shells;		/* existing shells, and the example itself */
	struct completion over;
	struct dentry *file;
};

static struct dentry *dir;

/* ---- The end ---- */

static void example_gone(void *context)
{
	struct example *ex = context;

	if (!atomic_dec_and_test(&ex->shells))
		return;
	ex->results[STAGE_GONE] = 0;
	complete(&ex->over);
}

/* Destroys what exists. The engine keeps the QP's CQ until the QP is gone; no wait is needed. */
static void example_end(struct example *ex)
{
	if (ex->qp)
		vrb_destroy_qp(ex->client, ex->qp, example_gone, ex);
	if (ex->mr)
		vrb_destroy_mr(ex->client, ex->mr, example_gone, ex);
	if (ex->cq)
		vrb_destroy_cq(ex->client, ex->cq, example_gone, ex);
	example_gone(ex);
}

/* Records the result of @stage. On failure ends the example and returns false. */
static bool example_went_well(struct example *ex, enum example_stage stage, int err)
{
	ex->results[stage] = err;
	if (err)
		example_end(ex);
	return !err;
}

/* Submits a request. A refused request has no callback. */
static void example_ask(struct example *ex, enum example_stage stage, struct vrb *vrb)
{
	int err = vrb_submit(ex->client, vrb);

	if (err != -EINPROGRESS)
		example_went_well(ex, stage, err);
}

/* ---- The stages, from the last to the first ---- */

static void example_unregistered(struct vrb *vrb)
{
	struct example *ex = container_of(vrb, struct example, unreg_mr.vrb);

	if (example_went_well(ex, STAGE_UNREGISTER, vrb->status))
		example_end(ex);
}

static void example_queried(struct vrb *vrb)
{
	struct example *ex = container_of(vrb, struct example, query_qp.vrb);
	int err = vrb->status;

	if (!err && (ex->query_qp.attr.qp_state != IB_QPS_RTS ||
		     vrb_qp_state(ex->client, ex->qp) != IB_QPS_RTS))
		err = -EPROTO;
	if (!example_went_well(ex, STAGE_QUERY, err))
		return;
	vrb_prep_unreg_mr(&ex->unreg_mr, ex->mr);
	ex->unreg_mr.vrb.done = example_unregistered;
	example_ask(ex, STAGE_UNREGISTER, &ex->unreg_mr.vrb);
}

static void example_completed(struct vrb *vrb)
{
	struct example *ex = container_of(vrb, struct example, await.vrb);
	int err = vrb->status;
	struct ib_wc wc;

	if (!err && (ib_poll_cq(ex->cq, 1, &wc) != 1 || wc.status != IB_WC_SUCCESS ||
		     wc.wr_id != (uintptr_t)ex))
		err = -EPROTO;
	if (!example_went_well(ex, STAGE_EVENT, err))
		return;
	vrb_prep_query_qp(&ex->query_qp, ex->qp);
	ex->query_qp.vrb.done = example_queried;
	example_ask(ex, STAGE_QUERY, &ex->query_qp.vrb);
}

static int example_post(struct example *ex)
{
	struct ib_sge sge = {
		.addr = ex->page_dma,
		.length = PAGE_SIZE,
		.lkey = ex->mr->lkey,
	};
	struct ib_rdma_wr wr = {
		.wr = {
			.wr_id = (uintptr_t)ex,
			.sg_list = &sge,
			.num_sge = 1,
			.opcode = IB_WR_RDMA_WRITE,
			.send_flags = IB_SEND_SIGNALED,
		},
		.remote_addr = ex->page_dma,
		.rkey = ex->mr->rkey,
	};

	return ib_post_send(ex->qp, &wr.wr, NULL);
}

/* Submits a wait for an event, which has no deadline, and causes the event. */
static void example_registered(struct vrb *vrb)
{
	struct example *ex = container_of(vrb, struct example, reg_mr.vrb);

	if (!example_went_well(ex, STAGE_REGISTER, vrb->status))
		return;
	vrb_prep_await_cq(&ex->await, ex->cq);
	ex->await.flags = IB_CQ_NEXT_COMP;
	ex->await.vrb.done = example_completed;
	mod_timer(&ex->give_up, jiffies + PATIENCE);
	ex->results[STAGE_POST] = example_post(ex);
	if (ex->results[STAGE_POST])
		example_end(ex);
	else
		example_ask(ex, STAGE_EVENT, &ex->await.vrb);
}

/* The request then completes with -ECANCELED. */
static void example_give_up(struct timer_list *timer)
{
	struct example *ex = container_of(timer, struct example, give_up);

	vrb_cancel(&ex->await.vrb);
}

static void example_connected(struct vrb *vrb)
{
	struct example *ex = container_of(vrb, struct example, connect.vrb);

	if (!example_went_well(ex, STAGE_CONNECT, vrb->status))
		return;
	vrb_prep_reg_mr(&ex->reg_mr, ex->mr);
	ex->reg_mr.iova = ex->page_dma;
	ex->reg_mr.length = PAGE_SIZE;
	ex->reg_mr.pages = &ex->page_dma;
	ex->reg_mr.nr_pages = 1;
	ex->reg_mr.page_shift = PAGE_SHIFT;
	ex->reg_mr.access = IB_ACCESS_LOCAL_WRITE | IB_ACCESS_REMOTE_WRITE;
	ex->reg_mr.vrb.done = example_registered;
	example_ask(ex, STAGE_REGISTER, &ex->reg_mr.vrb);
}

static void example_path(struct example *ex)
{
	struct ib_qp_attr *attr = &ex->connect.attr;

	*attr = (struct ib_qp_attr){
		.port_num = PORT,
		.qp_access_flags = IB_ACCESS_REMOTE_WRITE,
		.path_mtu = ex->query_port.attr.active_mtu,
		.dest_qp_num = ex->qp->qp_num,
		.max_dest_rd_atomic = 1,
		.max_rd_atomic = 1,
		.min_rnr_timer = 12,
		.timeout = 14,
		.retry_cnt = 7,
		.rnr_retry = 7,
	};
	attr->ah_attr.type = RDMA_AH_ATTR_TYPE_IB;
	rdma_ah_set_port_num(&attr->ah_attr, PORT);
	rdma_ah_set_dlid(&attr->ah_attr, ex->query_port.attr.lid);
}

/*
 * Submits the creates and the connect at once. The return value and the status of the connect cover
 * the creates of the CQ and the QP. The create of the region is independent: if it fails, the later
 * registration fails.
 */
static void example_connect(struct example *ex)
{
	vrb_prep_create_cq(&ex->create_cq, ex->cq);
	vrb_prep_create_qp(&ex->create_qp, ex->qp);
	vrb_prep_create_mr(&ex->create_mr, ex->mr);
	vrb_prep_connect_qp(&ex->connect, ex->qp);
	example_path(ex);
	ex->connect.to = IB_QPS_RTS;
	ex->connect.vrb.done = example_connected;

	vrb_submit(ex->client, &ex->create_mr.vrb);
	vrb_submit(ex->client, &ex->create_cq.vrb);
	vrb_submit(ex->client, &ex->create_qp.vrb);
	example_ask(ex, STAGE_CONNECT, &ex->connect.vrb);
}

/* Allocates the shells. On failure the caller destroys those that have been allocated. */
static int example_alloc(struct example *ex)
{
	struct ib_cq_init_attr cq_attr = { .cqe = 16 };
	struct ib_qp_init_attr qp_attr = {
		.qp_type = IB_QPT_RC,
		.sq_sig_type = IB_SIGNAL_REQ_WR,
		.cap = {
			.max_send_wr = 4,
			.max_recv_wr = 1,
			.max_send_sge = 1,
			.max_recv_sge = 1,
		},
	};
	struct ib_cq *cq;
	struct ib_qp *qp;
	struct ib_mr *mr;

	cq = vrb_alloc_cq(ex->client, &cq_attr, NULL, NULL, ex, GFP_ATOMIC);
	if (IS_ERR(cq))
		return PTR_ERR(cq);
	ex->cq = cq;
	atomic_inc(&ex->shells);

	qp_attr.send_cq = cq;
	qp_attr.recv_cq = cq;
	qp = vrb_alloc_qp(ex->client, ex->pd, &qp_attr, GFP_ATOMIC);
	if (IS_ERR(qp))
		return PTR_ERR(qp);
	ex->qp = qp;
	atomic_inc(&ex->shells);

	mr = vrb_alloc_mr(ex->client, ex->pd, 1, GFP_ATOMIC);
	if (IS_ERR(mr))
		return PTR_ERR(mr);
	ex->mr = mr;
	atomic_inc(&ex->shells);
	return 0;
}

static void example_port_queried(struct vrb *vrb)
{
	struct example *ex = container_of(vrb, struct example, query_port.vrb);

	if (!example_went_well(ex, STAGE_PORT, vrb->status))
		return;
	if (example_went_well(ex, STAGE_ALLOC, example_alloc(ex)))
		example_connect(ex);
}

static void example_begin(struct timer_list *timer)
{
	struct example *ex = container_of(timer, struct example, begin);

	vrb_prep_query_port(&ex->query_port, PORT);
	ex->query_port.vrb.done = example_port_queried;
	example_ask(ex, STAGE_PORT, &ex->query_port.vrb);
}

/* ---- Results ---- */

static int example_show(struct seq_file *m, void *unused)
{
	struct example *ex = m->private;
	int i, err;

	err = wait_for_completion_killable_timeout(&ex->over, 3 * PATIENCE);
	if (err < 0)
		return err;
	seq_printf(m, "1..%d\n", NR_STAGES);
	for (i = 0; i < NR_STAGES; i++) {
		if (ex->results[i])
			seq_printf(m, "# %d\n", ex->results[i]);
		seq_printf(m, "%s %d %s\n", ex->results[i] ? "not ok" : "ok", i + 1,
			   stage_names[i]);
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(example);

/* ---- Devices come and go ---- */

static struct ib_client example_ib_client;

static int example_start(struct example *ex)
{
	int i, err;

	for (i = 0; i < NR_STAGES; i++)
		ex->results[i] = -ENODATA;
	atomic_set(&ex->shells, 1);
	init_completion(&ex->over);
	timer_setup(&ex->begin, example_begin, 0);
	timer_setup(&ex->give_up, example_give_up, 0);

	ex->page = (void *)get_zeroed_page(GFP_KERNEL);
	if (!ex->page)
		return -ENOMEM;
	ex->page_dma = ib_dma_map_single(ex->ibdev, ex->page, PAGE_SIZE, DMA_BIDIRECTIONAL);
	err = ib_dma_mapping_error(ex->ibdev, ex->page_dma);
	if (err)
		goto free_page;
	ex->pd = ib_alloc_pd(ex->ibdev, 0);
	if (IS_ERR(ex->pd)) {
		err = PTR_ERR(ex->pd);
		goto unmap_page;
	}
	ex->client = vrb_client_register(ex->ibdev, KBUILD_MODNAME);
	if (IS_ERR(ex->client)) {
		err = PTR_ERR(ex->client);
		goto dealloc_pd;
	}
	return 0;

dealloc_pd:
	ib_dealloc_pd(ex->pd);
unmap_page:
	ib_dma_unmap_single(ex->ibdev, ex->page_dma, PAGE_SIZE, DMA_BIDIRECTIONAL);
free_page:
	free_page((unsigned long)ex->page);
	return err;
}

static int example_add(struct ib_device *ibdev)
{
	struct example *ex = kzalloc(sizeof(*ex), GFP_KERNEL);
	int err;

	if (!ex)
		return -ENOMEM;
	ex->ibdev = ibdev;
	err = example_start(ex);
	if (err) {
		kfree(ex);
		return err;
	}
	ib_set_client_data(ibdev, &example_ib_client, ex);
	ex->file = debugfs_create_file(dev_name(&ibdev->dev), 0400, dir, ex, &example_fops);
	mod_timer(&ex->begin, jiffies);
	return 0;
}

/* The order is that of Documentation/vrb-client.rst. */
static void example_remove(struct ib_device *ibdev, void *client_data)
{
	struct example *ex = client_data;

	debugfs_remove(ex->file);
	vrb_client_shut(ex->client);
	timer_shutdown_sync(&ex->begin);
	timer_shutdown_sync(&ex->give_up);
	vrb_client_unregister(ex->client);
	ib_dealloc_pd(ex->pd);
	ib_dma_unmap_single(ex->ibdev, ex->page_dma, PAGE_SIZE, DMA_BIDIRECTIONAL);
	free_page((unsigned long)ex->page);
	kfree(ex);
}

static struct ib_client example_ib_client = {
	.name = KBUILD_MODNAME,
	.add = example_add,
	.remove = example_remove,
};

static int __init example_init(void)
{
	int err;

	dir = debugfs_create_dir(KBUILD_MODNAME, NULL);
	err = ib_register_client(&example_ib_client);
	if (err)
		debugfs_remove(dir);
	return err;
}

static void __exit example_exit(void)
{
	ib_unregister_client(&example_ib_client);
	debugfs_remove(dir);
}

module_init(example_init);
module_exit(example_exit);

MODULE_DESCRIPTION("Example of a client of verbs request blocks");
MODULE_LICENSE("Dual BSD/GPL");
