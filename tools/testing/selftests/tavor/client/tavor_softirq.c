// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * A kernel client that runs in softirq. It allocates a CQ, a QP, an SRQ and a memory region there,
 * creates them, connects the QP to itself, sends a message to itself, and destroys everything,
 * without sleeping. kernel_client.sh reads the results from the log.
 */
#include <linux/completion.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/timer.h>
#include <rdma/ib_verbs.h>
#include <rdma/vrb_verbs.h>

static int cqe = 16;
module_param(cqe, int, 0444);
MODULE_PARM_DESC(cqe, "entries of the CQ");

#define MESSAGE		64
#define RECV_AT		2048
#define LIMIT		3
#define ENDS_WITHIN	(20 * HZ)
#define MANY_QPS	2000	/* they have 10000 events: more than the event queue has entries */

struct round {
	struct ib_device *dev;
	struct vrb_client *client;
	struct ib_pd *pd;
	u8 *page;
	dma_addr_t dma;
	bool with_srq;

	struct timer_list timer;
	struct ib_cq *cq;
	struct ib_qp *qp;
	struct ib_srq *srq;
	struct ib_mr *mr;
	struct vrb_query_port port;
	struct vrb_create_cq create_cq;
	struct vrb_create_qp create_qp;
	struct vrb_create_srq create_srq;
	struct vrb_create_mr create_mr;
	struct vrb_modify_srq modify_srq;
	struct vrb_query_srq query_srq;
	struct vrb_connect_qp connect;
	struct vrb_reg_mr reg;
	struct vrb_unreg_mr unreg;
	struct vrb_query_qp query;
	struct vrb_reset_qp reset;
	struct vrb_await_cq await;

	int pending;			/* callbacks that must come before traffic can flow */
	int completions;
	u32 last_key;
	int failures;
	const char *why;
	int objects;
	int qps;			/* QPs still to be created and destroyed */
	struct completion over;
};

static int number;

static void result(bool ok, const char *text)
{
	pr_info("tavor_softirq: %sok %d %s\n", ok ? "" : "not ", ++number, text);
}

/* All callers must be in softirq; this check notices if one is not. */
static bool round_check(struct round *r, bool ok, const char *what)
{
	if (ok && in_serving_softirq())
		return true;
	if (!r->failures++)
		r->why = what;
	pr_info("tavor_softirq: # %s\n", what);
	return false;
}

static void round_gone(void *context)
{
	struct round *r = context;

	round_check(r, true, "gone was not called in softirq");
	if (!--r->objects)
		complete(&r->over);
}

/* Parents are destroyed first: each destroy waits for the object's children. */
static void round_end(struct round *r)
{
	int ret = -EINPROGRESS;

	/* This keeps the count above 0 until all destroys have been submitted. */
	r->objects = 1;
	if (!IS_ERR_OR_NULL(r->cq) && ++r->objects)
		ret = vrb_destroy_cq(r->client, r->cq, round_gone, r);
	round_check(r, ret == -EINPROGRESS, "destroy of the CQ");
	if (!IS_ERR_OR_NULL(r->srq) && ++r->objects)
		ret = vrb_destroy_srq(r->client, r->srq, round_gone, r);
	round_check(r, ret == -EINPROGRESS, "destroy of the SRQ");
	if (!IS_ERR_OR_NULL(r->mr) && ++r->objects)
		ret = vrb_destroy_mr(r->client, r->mr, round_gone, r);
	round_check(r, ret == -EINPROGRESS, "destroy of the region");
	if (!IS_ERR_OR_NULL(r->qp) && ++r->objects)
		ret = vrb_destroy_qp(r->client, r->qp, round_gone, r);
	round_check(r, ret == -EINPROGRESS, "destroy of the QP");
	round_gone(r);
}

static void round_ask(struct round *r, struct vrb *vrb, vrb_done_fn done, const char *what)
{
	vrb->done = done;
	if (!round_check(r, vrb_submit(r->client, vrb) == -EINPROGRESS, what))
		round_end(r);
}

static void round_reset(struct vrb *vrb)
{
	struct round *r = container_of(vrb, struct round, reset.vrb);

	round_check(r, !vrb->status && vrb_qp_state(r->client, r->qp) == IB_QPS_RESET, "reset");
	round_end(r);
}

static void round_registered_again(struct vrb *vrb)
{
	struct round *r = container_of(vrb, struct round, reg.vrb);

	round_check(r, !vrb->status, "second registration");
	round_check(r, r->mr->lkey != r->last_key && r->mr->rkey == r->mr->lkey, "its key");
	vrb_prep_reset_qp(&r->reset, r->qp);
	round_ask(r, &r->reset.vrb, round_reset, "submit of reset");
}

static void round_unregistered(struct vrb *vrb)
{
	struct round *r = container_of(vrb, struct round, unreg.vrb);

	round_check(r, !vrb->status, "unreg");
	round_ask(r, &r->reg.vrb, round_registered_again, "second submit of reg");
}

static void round_queried(struct vrb *vrb)
{
	struct round *r = container_of(vrb, struct round, query.vrb);

	round_check(r, !vrb->status && r->query.attr.qp_state == IB_QPS_RTS &&
		    r->query.attr.dest_qp_num == r->qp->qp_num, "query");
	r->last_key = r->mr->lkey;
	vrb_prep_unreg_mr(&r->unreg, r->mr);
	round_ask(r, &r->unreg.vrb, round_unregistered, "submit of unreg");
}

static void round_received(struct round *r)
{
	round_check(r, !memcmp(r->page, r->page + RECV_AT, MESSAGE), "what was received");
	vrb_prep_query_qp(&r->query, r->qp);
	round_ask(r, &r->query.vrb, round_queried, "submit of query");
}

static void round_completed(struct vrb *vrb)
{
	struct round *r = container_of(vrb, struct round, await.vrb);
	struct ib_wc wc;

	round_check(r, !vrb->status, "wait for the CQ");
	while (ib_poll_cq(r->cq, 1, &wc) == 1) {
		r->completions++;
		round_check(r, wc.status == IB_WC_SUCCESS, "completion");
	}
	if (r->completions < 2 && !r->failures)
		round_ask(r, &r->await.vrb, round_completed, "second wait for the CQ");
	else
		round_received(r);
}

static int round_post_recv(struct round *r)
{
	struct ib_sge sge = {
		.addr = r->dma + RECV_AT, .length = MESSAGE, .lkey = r->mr->lkey,
	};
	struct ib_recv_wr wr = { .sg_list = &sge, .num_sge = 1 };

	return r->srq ? ib_post_srq_recv(r->srq, &wr, NULL) : ib_post_recv(r->qp, &wr, NULL);
}

static int round_post_send(struct round *r)
{
	struct ib_sge sge = { .addr = r->dma, .length = MESSAGE, .lkey = r->mr->lkey };
	struct ib_send_wr wr = { .sg_list = &sge, .num_sge = 1, .opcode = IB_WR_SEND };

	return ib_post_send(r->qp, &wr, NULL);
}

static void round_traffic(struct round *r)
{
	if (--r->pending)
		return;
	if (r->failures) {
		round_end(r);
		return;
	}
	round_check(r, vrb_qp_state(r->client, r->qp) == IB_QPS_RTS, "state of the QP");
	vrb_prep_await_cq(&r->await, r->cq);
	r->await.flags = IB_CQ_NEXT_COMP;
	round_ask(r, &r->await.vrb, round_completed, "submit of a wait for the CQ");
	round_check(r, !round_post_recv(r) && !round_post_send(r), "posts");
}

static void round_connected(struct vrb *vrb)
{
	struct round *r = container_of(vrb, struct round, connect.vrb);

	round_check(r, !vrb->status, "connect");
	round_traffic(r);
}

static void round_registered(struct vrb *vrb)
{
	struct round *r = container_of(vrb, struct round, reg.vrb);

	round_check(r, !vrb->status, "reg");
	round_traffic(r);
}

static void round_srq_queried(struct vrb *vrb)
{
	struct round *r = container_of(vrb, struct round, query_srq.vrb);

	round_check(r, !vrb->status && r->query_srq.attr.srq_limit == LIMIT, "query of the SRQ");
	round_traffic(r);
}

static void round_connect_attr(struct round *r)
{
	struct ib_qp_attr *attr = &r->connect.attr;

	memset(attr, 0, sizeof(*attr));
	attr->port_num = 1;
	attr->path_mtu = IB_MTU_1024;
	attr->dest_qp_num = r->qp->qp_num;
	attr->max_dest_rd_atomic = 1;
	attr->max_rd_atomic = 1;
	attr->min_rnr_timer = 12;
	attr->timeout = 14;
	attr->retry_cnt = 7;
	attr->rnr_retry = 7;
	attr->ah_attr.type = RDMA_AH_ATTR_TYPE_IB;
	rdma_ah_set_dlid(&attr->ah_attr, r->port.attr.lid);
	rdma_ah_set_port_num(&attr->ah_attr, 1);
	r->connect.to = IB_QPS_RTS;
}

static void round_submit(struct round *r, struct vrb *vrb, vrb_done_fn done, const char *what)
{
	vrb->done = done;
	if (done)
		r->pending++;
	if (!round_check(r, vrb_submit(r->client, vrb) == -EINPROGRESS, what) && done)
		r->pending--;
}

static void round_reg_mr(struct round *r)
{
	vrb_prep_reg_mr(&r->reg, r->mr);
	r->reg.iova = r->dma;
	r->reg.length = PAGE_SIZE;
	r->reg.pages = &r->dma;
	r->reg.nr_pages = 1;
	r->reg.page_shift = PAGE_SHIFT;
	r->reg.access = IB_ACCESS_LOCAL_WRITE;
}

/* Nothing waits here: the engine orders the requests. */
static void round_submit_all(struct round *r)
{
	r->pending = 1;
	vrb_prep_create_cq(&r->create_cq, r->cq);
	vrb_prep_create_qp(&r->create_qp, r->qp);
	vrb_prep_connect_qp(&r->connect, r->qp);
	vrb_prep_create_mr(&r->create_mr, r->mr);
	round_connect_attr(r);
	round_reg_mr(r);
	round_submit(r, &r->create_cq.vrb, NULL, "submit of the CQ");
	if (r->srq) {
		vrb_prep_create_srq(&r->create_srq, r->srq);
		vrb_prep_modify_srq(&r->modify_srq, r->srq);
		vrb_prep_query_srq(&r->query_srq, r->srq);
		r->modify_srq.mask = IB_SRQ_LIMIT;
		r->modify_srq.attr.srq_limit = LIMIT;
		round_submit(r, &r->create_srq.vrb, NULL, "submit of the SRQ");
		round_submit(r, &r->modify_srq.vrb, NULL, "submit of modify_srq");
		round_submit(r, &r->query_srq.vrb, round_srq_queried, "submit of query_srq");
	}
	round_submit(r, &r->create_qp.vrb, NULL, "submit of the QP");
	round_submit(r, &r->connect.vrb, round_connected, "submit of connect");
	round_submit(r, &r->create_mr.vrb, NULL, "submit of the region");
	round_submit(r, &r->reg.vrb, round_registered, "submit of reg");
	round_traffic(r);
}

/* An object that has not been created yet cannot be used. */
static void round_early(struct round *r)
{
	struct ib_wc wc;

	round_check(r, round_post_recv(r) == -EINVAL, "receive of what is not created");
	round_check(r, round_post_send(r) == -EINVAL, "send of what is not created");
	round_check(r, !ib_poll_cq(r->cq, 1, &wc), "poll of what is not created");
	round_check(r, ib_req_notify_cq(r->cq, IB_CQ_NEXT_COMP) == -EINVAL,
		    "arm of what is not created");
}

static bool round_alloc(struct round *r)
{
	struct ib_cq_init_attr cq = { .cqe = cqe };
	struct ib_srq_init_attr srq = {
		.srq_type = IB_SRQT_BASIC,
		.attr = { .max_wr = 8, .max_sge = 1 },
	};
	struct ib_qp_init_attr qp = {
		.qp_type = IB_QPT_RC,
		.sq_sig_type = IB_SIGNAL_ALL_WR,
		.cap = { .max_send_wr = 4, .max_recv_wr = 4, .max_send_sge = 1, .max_recv_sge = 1 },
	};

	r->cq = vrb_alloc_cq(r->client, &cq, NULL, NULL, r, GFP_ATOMIC);
	r->mr = vrb_alloc_mr(r->client, r->pd, 1, GFP_ATOMIC);
	if (r->with_srq)
		r->srq = vrb_alloc_srq(r->client, r->pd, &srq, GFP_ATOMIC);
	if (IS_ERR(r->cq) || IS_ERR(r->mr) || IS_ERR(r->srq))
		return false;
	qp.send_cq = r->cq;
	qp.recv_cq = r->cq;
	qp.srq = r->srq;
	r->qp = vrb_alloc_qp(r->client, r->pd, &qp, GFP_ATOMIC);
	return !IS_ERR(r->qp);
}

static void round_port(struct vrb *vrb)
{
	struct round *r = container_of(vrb, struct round, port.vrb);

	round_check(r, !vrb->status && r->port.attr.state == IB_PORT_ACTIVE && r->port.attr.lid,
		    "query of the port");
	if (!round_check(r, round_alloc(r), "memory")) {
		round_end(r);
		return;
	}
	round_early(r);
	round_submit_all(r);
}

static void round_begin(struct timer_list *timer)
{
	struct round *r = container_of(timer, struct round, timer);

	vrb_prep_query_port(&r->port, 1);
	round_ask(r, &r->port.vrb, round_port, "submit of the query of the port");
}

/* Room for a QP's events is given back when it is gone, even if no process ever creates a QP. */
static void many_next(void *context)
{
	struct round *r = context;
	struct ib_qp_init_attr attr = {
		.qp_type = IB_QPT_RC,
		.send_cq = r->cq,
		.recv_cq = r->cq,
		.cap = { .max_send_wr = 1, .max_recv_wr = 1, .max_send_sge = 1, .max_recv_sge = 1 },
	};
	struct ib_qp *qp;

	qp = r->qps-- ? vrb_alloc_qp(r->client, r->pd, &attr, GFP_ATOMIC) : NULL;
	if (IS_ERR_OR_NULL(qp)) {
		round_check(r, !qp, "one QP more");
		round_end(r);
		return;
	}
	round_check(r, vrb_destroy_qp(r->client, qp, many_next, r) == -EINPROGRESS,
		    "destroy of one QP more");
}

static void many_begin(struct timer_list *timer)
{
	struct round *r = container_of(timer, struct round, timer);
	struct ib_cq_init_attr attr = { .cqe = 2 };

	r->qps = MANY_QPS;
	r->cq = vrb_alloc_cq(r->client, &attr, NULL, NULL, NULL, GFP_ATOMIC);
	if (round_check(r, !IS_ERR(r->cq), "memory of a CQ"))
		many_next(r);
	else
		round_end(r);
}

static bool round_run(struct round *r, void (*begin)(struct timer_list *timer), const char *text)
{
	bool ended;

	memset(r->page, 0, PAGE_SIZE);
	memset(r->page, 0x5a, MESSAGE);
	r->cq = NULL;
	r->qp = NULL;
	r->srq = NULL;
	r->mr = NULL;
	r->completions = 0;
	r->failures = 0;
	init_completion(&r->over);
	timer_setup(&r->timer, begin, 0);
	mod_timer(&r->timer, jiffies + 1);
	ended = wait_for_completion_timeout(&r->over, ENDS_WITHIN);
	result(ended && !r->failures, text);
	return ended;
}

static void rounds(struct round *r)
{
	r->with_srq = false;
	if (!round_run(r, round_begin, "a QP's whole life in softirq"))
		return;
	r->with_srq = true;
	if (!round_run(r, round_begin, "the same with an SRQ"))
		return;
	round_run(r, many_begin, "more QPs than have room at a time, one after another");
}

static int round_map(struct round *r, struct ib_device *dev)
{
	r->dev = dev;
	r->page = (u8 *)get_zeroed_page(GFP_KERNEL);
	if (!r->page)
		return -ENOMEM;
	r->dma = ib_dma_map_single(dev, r->page, PAGE_SIZE, DMA_BIDIRECTIONAL);
	if (!ib_dma_mapping_error(dev, r->dma))
		return 0;
	free_page((unsigned long)r->page);
	return -ENOMEM;
}

static void round_unmap(struct round *r)
{
	ib_dma_unmap_single(r->dev, r->dma, PAGE_SIZE, DMA_BIDIRECTIONAL);
	free_page((unsigned long)r->page);
}

static void round_client(struct round *r)
{
	r->client = vrb_client_register(r->dev, "tavor_softirq");
	if (IS_ERR(r->client)) {
		result(false, "client");
		return;
	}
	rounds(r);
	/* The engine destroys the rest of a round that has not ended. */
	vrb_client_shut(r->client);
	vrb_client_unregister(r->client);
}

static int tavor_softirq_add(struct ib_device *dev)
{
	struct round *r = kzalloc(sizeof(*r), GFP_KERNEL);

	if (!r)
		return -ENOMEM;
	if (!round_map(r, dev)) {
		r->pd = ib_alloc_pd(dev, 0);
		if (!IS_ERR(r->pd)) {
			round_client(r);
			ib_dealloc_pd(r->pd);
		}
		round_unmap(r);
	}
	kfree(r);
	return -EOPNOTSUPP;
}

static struct ib_client client = {
	.name = "tavor_softirq",
	.add = tavor_softirq_add,
};

static int __init tavor_softirq_init(void)
{
	return ib_register_client(&client);
}

static void __exit tavor_softirq_exit(void)
{
	ib_unregister_client(&client);
}

module_init(tavor_softirq_init);
module_exit(tavor_softirq_exit);
MODULE_DESCRIPTION("Test of a client whose objects live in softirq");
MODULE_LICENSE("Dual BSD/GPL");
