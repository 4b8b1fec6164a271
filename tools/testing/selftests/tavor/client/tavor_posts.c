// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Posts work requests that a driver refuses between others that it accepts. Each accepted one
 * completes when the QP is flushed, once and in order. It also posts to a QP in RESET, and lists
 * with an empty entry. It only uses ib_core, so it runs on any driver. core_client.sh reads the
 * results from the log.
 */
#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <rdma/ib_verbs.h>

#define DEPTH		32
#define SGES		2
#define TOO_MANY	64
#define NOWHERE		0x3ffe		/* a LID that nobody has */
#define PATIENCE_MS	2000

/* Places in the page */
#define LENGTH		64
#define FIRST		1024
#define SECOND		2048

static bool run;
module_param(run, bool, 0444);
MODULE_PARM_DESC(run, "test now");

struct world {
	struct ib_pd *pd;
	struct ib_cq *cq;
	struct ib_qp *qp;
	u16 lid;		/* of the other side */
	u8 *page;
	u64 dma;
	int wrong;
};

static int number;

static void result(struct world *w, const char *text)
{
	pr_info("tavor_posts: %sok %d %s\n", w->wrong ? "not " : "", ++number, text);
	w->wrong = 0;
}

static void want(struct world *w, int want, int got, const char *what)
{
	if (want != got && w->wrong++ < 5)
		pr_info("tavor_posts: # %s: %d instead of %d\n", what, got, want);
}

/* ---- The QP ---- */

static int to_state(struct world *w, enum ib_qp_state state, int mask)
{
	struct ib_qp_attr attr = {
		.qp_state = state,
		.port_num = 1,
		.path_mtu = IB_MTU_1024,
		.dest_qp_num = w->qp->qp_num,
		.max_dest_rd_atomic = 1,
		.max_rd_atomic = 1,
		.min_rnr_timer = 12,
		.timeout = 20,
		.retry_cnt = 7,
		.rnr_retry = 7,
		.ah_attr.type = RDMA_AH_ATTR_TYPE_IB,
	};

	rdma_ah_set_dlid(&attr.ah_attr, w->lid);
	rdma_ah_set_port_num(&attr.ah_attr, 1);
	return ib_modify_qp(w->qp, &attr, IB_QP_STATE | mask);
}

static int to_rts(struct world *w)
{
	int err;

	err = to_state(w, IB_QPS_INIT, IB_QP_PKEY_INDEX | IB_QP_PORT | IB_QP_ACCESS_FLAGS);
	err = err ?: to_state(w, IB_QPS_RTR, IB_QP_AV | IB_QP_PATH_MTU | IB_QP_DEST_QPN |
			      IB_QP_RQ_PSN | IB_QP_MAX_DEST_RD_ATOMIC | IB_QP_MIN_RNR_TIMER);
	return err ?: to_state(w, IB_QPS_RTS, IB_QP_SQ_PSN | IB_QP_TIMEOUT | IB_QP_RETRY_CNT |
			       IB_QP_RNR_RETRY | IB_QP_MAX_QP_RD_ATOMIC);
}

/* @lid: of the other side */
static bool world_make(struct world *w, u16 lid)
{
	struct ib_qp_init_attr init = {
		.send_cq = w->cq,
		.recv_cq = w->cq,
		.qp_type = IB_QPT_RC,
		.sq_sig_type = IB_SIGNAL_ALL_WR,
		.cap = { DEPTH, DEPTH, SGES, SGES },
	};

	w->lid = lid;
	w->qp = ib_create_qp(w->pd, &init);
	return !IS_ERR(w->qp);
}

/* ---- Posts ---- */

static struct ib_sge no_data[TOO_MANY];

/* Posts @n requests in one call, with ids from @id on; one at @bad has too many entries. */
static int send(struct world *w, u64 id, int n, int bad, int *refused)
{
	struct ib_rdma_wr wr[4] = {};
	const struct ib_send_wr *at = NULL;
	int i, ret;

	for (i = 0; i < n; i++) {
		wr[i].wr.wr_id = id + i;
		wr[i].wr.opcode = IB_WR_RDMA_WRITE;
		wr[i].wr.sg_list = no_data;
		wr[i].wr.num_sge = i == bad ? TOO_MANY : 0;
		wr[i].wr.next = i + 1 < n ? &wr[i + 1].wr : NULL;
	}
	ret = ib_post_send(w->qp, &wr[0].wr, &at);
	*refused = ret ? container_of(at, struct ib_rdma_wr, wr) - wr : -1;
	return ret;
}

static int receive(struct world *w, u64 id, int n, int bad, int *refused)
{
	struct ib_recv_wr wr[4] = {};
	const struct ib_recv_wr *at = NULL;
	int i, ret;

	for (i = 0; i < n; i++) {
		wr[i].wr_id = id + i;
		wr[i].sg_list = no_data;
		wr[i].num_sge = i == bad ? TOO_MANY : 0;
		wr[i].next = i + 1 < n ? &wr[i + 1] : NULL;
	}
	ret = ib_post_recv(w->qp, &wr[0], &at);
	*refused = ret ? at - wr : -1;
	return ret;
}

typedef int (*post_fn)(struct world *w, u64 id, int n, int bad, int *refused);

/* Exactly the ids from 0 to @n complete. */
static void flushed(struct world *w, int n)
{
	struct ib_wc wc;
	int ms, got = 0;

	want(w, 0, to_state(w, IB_QPS_ERR, 0), "to ERR");
	for (ms = 0; ms < PATIENCE_MS && got < n; ms++) {
		while (ib_poll_cq(w->cq, 1, &wc) == 1)
			want(w, got++, wc.wr_id, "id of a completion");
		usleep_range(1000, 2000);
	}
	msleep(20);
	while (ib_poll_cq(w->cq, 1, &wc) == 1)
		got++;
	want(w, n, got, "completions");
}

/*
 * The refused request is alone, between two calls, or the first, the middle or the last one of a
 * call. Requests after it in its call are not posted.
 */
static void refusals(struct world *w, post_fn post, const char *text)
{
	int at;

	want(w, 0, world_make(w, NOWHERE) ? to_rts(w) : -ENOMEM, "to RTS");
	if (IS_ERR(w->qp))
		return;
	want(w, 0, post(w, 0, 1, -1, &at), "a first one");
	want(w, -EINVAL, post(w, 90, 1, 0, &at), "one with too many entries");
	want(w, 0, at, "which one it was");
	want(w, 0, post(w, 1, 2, -1, &at), "two");
	want(w, -EINVAL, post(w, 3, 3, 1, &at), "three, the second with too many");
	want(w, 1, at, "which one it was");
	want(w, 0, post(w, 4, 3, -1, &at), "three");
	want(w, -EINVAL, post(w, 7, 3, 2, &at), "three, the last with too many");
	want(w, 2, at, "which one it was");
	want(w, 0, post(w, 9, 1, -1, &at), "a last one");
	flushed(w, 10);
	ib_destroy_qp(w->qp);
	result(w, text);
}

static void in_reset(struct world *w)
{
	int at;

	if (!world_make(w, NOWHERE))
		return;
	want(w, -EINVAL, send(w, 0, 1, -1, &at), "a send in RESET");
	want(w, -EINVAL, receive(w, 0, 1, -1, &at), "a receive in RESET");
	ib_destroy_qp(w->qp);
	result(w, "posts to a QP in RESET are refused");
}

/* ---- Lists with an empty entry ---- */

/* The receive and the send complete, and the data is where the second entry says. */
static void arrives(struct world *w)
{
	struct ib_wc wc;
	int ms, got = 0;

	for (ms = 0; ms < PATIENCE_MS && got < 2; ms++) {
		while (ib_poll_cq(w->cq, 1, &wc) == 1) {
			want(w, IB_WC_SUCCESS, wc.status, "status of a completion");
			got++;
		}
		usleep_range(1000, 2000);
	}
	want(w, 2, got, "completions");
	want(w, 0, memcmp(w->page + SECOND, w->page, LENGTH), "data of the second entry");
	want(w, 0, !!memchr_inv(w->page + FIRST, 0, LENGTH), "data of the empty entry");
}

/* The first entry of the send's list is empty, or that of the receive's. */
static void empty_entry(struct world *w, bool in_send, const char *text)
{
	const u32 key = w->pd->local_dma_lkey;
	struct ib_sge from[] = { { w->dma, 0, key }, { w->dma, LENGTH, key } };
	struct ib_sge to[] = { { w->dma + FIRST, 0, key }, { w->dma + SECOND, LENGTH, key } };
	struct ib_recv_wr receive = { .sg_list = to + in_send, .num_sge = 2 - in_send };
	struct ib_send_wr send = {
		.sg_list = from + !in_send,
		.num_sge = 1 + in_send,
		.opcode = IB_WR_SEND,
	};
	struct ib_port_attr port = {};

	want(w, 0, ib_query_port(w->pd->device, 1, &port), "query of the port");
	want(w, 0, world_make(w, port.lid) ? to_rts(w) : -ENOMEM, "to RTS");
	if (IS_ERR(w->qp))
		return;
	memset(w->page, 0, PAGE_SIZE);
	memset(w->page, 0xa5, LENGTH);
	want(w, 0, ib_post_recv(w->qp, &receive, NULL), "the receive");
	want(w, 0, ib_post_send(w->qp, &send, NULL), "the send");
	arrives(w);
	ib_destroy_qp(w->qp);
	result(w, text);
}

static void empty_entries(struct world *w)
{
	struct device *dev = w->pd->device->dma_device;

	w->page = dma_alloc_coherent(dev, PAGE_SIZE, &w->dma, GFP_KERNEL);
	if (!w->page)
		return;
	empty_entry(w, false, "a receive whose first entry is empty");
	empty_entry(w, true, "a send whose first entry is empty");
	dma_free_coherent(dev, PAGE_SIZE, w->page, w->dma);
}

/* ---- Module ---- */

static int posts_add(struct ib_device *dev)
{
	struct world w = {};

	w.pd = ib_alloc_pd(dev, 0);
	w.cq = ib_alloc_cq(dev, NULL, 4 * DEPTH, 0, IB_POLL_DIRECT);
	if (!IS_ERR(w.pd) && !IS_ERR(w.cq)) {
		refusals(&w, send, "sends between which one is refused");
		refusals(&w, receive, "receives between which one is refused");
		in_reset(&w);
		empty_entries(&w);
	}
	if (!IS_ERR(w.cq))
		ib_free_cq(w.cq);
	if (!IS_ERR(w.pd))
		ib_dealloc_pd(w.pd);
	return -EOPNOTSUPP;
}

static struct ib_client client = {
	.name = "tavor_posts",
	.add = posts_add,
};

static int __init posts_init(void)
{
	return run ? ib_register_client(&client) : 0;
}

static void __exit posts_exit(void)
{
	if (run)
		ib_unregister_client(&client);
}

module_init(posts_init);
module_exit(posts_exit);
MODULE_DESCRIPTION("Test of work requests that an HCA's driver refuses");
MODULE_LICENSE("Dual BSD/GPL");
