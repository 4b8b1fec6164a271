// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Tests what only the kernel can request of a driver, as a client of ib_core: posts that are
 * refused, drains, and outstanding work when the device fails. kernel_client.sh reads the results
 * from the log.
 */
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/module.h>
#include <rdma/ib_verbs.h>

#define DEPTH		32
#define OUTSTANDING	5
#define CQS		50
#define TWO_GIB		0x80000000U
#define FAILS_WITHIN	(20 * HZ)
#define FLUSHED_WITHIN	(5 * HZ)
#define DRAINED_WITHIN	(20 * HZ)	/* a minute without the last WQE's event */

static char *mode = "none";
module_param(mode, charp, 0444);
MODULE_PARM_DESC(mode, "works, fails (waits until the device does), cqs or none");

struct test_qp {
	struct ib_pd *pd;
	struct ib_cq *cq;
	struct ib_srq *srq;		/* or NULL */
	struct ib_qp *qp;
	struct ib_cqe cqe;
	atomic_t flushed;
	atomic_t last_wqe;		/* number of these events */
};

static int number;
static DECLARE_COMPLETION(fatal);

static void result(bool ok, const char *text)
{
	pr_info("tavor_client: %sok %d %s\n", ok ? "" : "not ", ++number, text);
}

static void test_done(struct ib_cq *cq, struct ib_wc *wc)
{
	struct test_qp *t = container_of(wc->wr_cqe, struct test_qp, cqe);

	if (wc->status == IB_WC_WR_FLUSH_ERR)
		atomic_inc(&t->flushed);
}

static void test_event(struct ib_event *event, void *context)
{
	struct test_qp *t = context;

	if (event->event == IB_EVENT_QP_LAST_WQE_REACHED)
		atomic_inc(&t->last_wqe);
}

static int to_state(struct ib_qp *qp, enum ib_qp_state state, int mask)
{
	struct ib_qp_attr attr = {
		.qp_state = state,
		.port_num = 1,
		.qkey = 0x1234,
		.path_mtu = IB_MTU_1024,
		.dest_qp_num = qp->qp_num,
		.max_dest_rd_atomic = 1,
		.max_rd_atomic = 1,
		.min_rnr_timer = 12,
		.timeout = 14,
		.retry_cnt = 7,
		.rnr_retry = 7,
		.ah_attr.type = RDMA_AH_ATTR_TYPE_IB,
	};

	rdma_ah_set_dlid(&attr.ah_attr, 1);
	rdma_ah_set_port_num(&attr.ah_attr, 1);
	return ib_modify_qp(qp, &attr, IB_QP_STATE | mask);
}

static int to_rts(struct ib_qp *qp, enum ib_qp_type type)
{
	const int path = IB_QP_AV | IB_QP_PATH_MTU | IB_QP_DEST_QPN | IB_QP_RQ_PSN;
	const int responder = IB_QP_MAX_DEST_RD_ATOMIC | IB_QP_MIN_RNR_TIMER;
	const int requester = IB_QP_TIMEOUT | IB_QP_RETRY_CNT | IB_QP_RNR_RETRY |
			      IB_QP_MAX_QP_RD_ATOMIC;
	const bool rc = type == IB_QPT_RC, ud = type == IB_QPT_UD;
	int err;

	err = to_state(qp, IB_QPS_INIT, IB_QP_PKEY_INDEX | IB_QP_PORT |
		       (ud ? IB_QP_QKEY : IB_QP_ACCESS_FLAGS));
	err = err ?: to_state(qp, IB_QPS_RTR, (ud ? 0 : path) | (rc ? responder : 0));
	return err ?: to_state(qp, IB_QPS_RTS, IB_QP_SQ_PSN | (rc ? requester : 0));
}

static void test_end(struct test_qp *t)
{
	if (t->qp)
		ib_destroy_qp(t->qp);
	if (t->srq)
		ib_destroy_srq(t->srq);
	if (t->cq)
		ib_free_cq(t->cq);
	if (t->pd)
		ib_dealloc_pd(t->pd);
}

/* Returns NULL instead of an ERR_PTR(). */
static void *no_error(void *object)
{
	return IS_ERR(object) ? NULL : object;
}

static struct ib_srq *make_srq(struct ib_pd *pd)
{
	struct ib_srq_init_attr init = {
		.srq_type = IB_SRQT_BASIC,
		.attr = { .max_wr = DEPTH, .max_sge = 2 },
	};

	return ib_create_srq(pd, &init);
}

/* After a failure test_end() destroys what exists. */
static int test_begin(struct ib_device *dev, struct test_qp *t, enum ib_qp_type type, bool srq)
{
	struct ib_qp_init_attr init = {
		.qp_type = type,
		.sq_sig_type = IB_SIGNAL_ALL_WR,
		.event_handler = test_event,
		.qp_context = t,
		.cap = {
			.max_send_wr = DEPTH,
			.max_recv_wr = DEPTH,
			.max_send_sge = 2,
			.max_recv_sge = 2,
		},
	};

	memset(t, 0, sizeof(*t));
	t->cqe.done = test_done;
	t->pd = no_error(ib_alloc_pd(dev, 0));
	t->cq = no_error(ib_alloc_cq(dev, NULL, 4 * DEPTH, 0, IB_POLL_SOFTIRQ));
	t->srq = srq && t->pd ? no_error(make_srq(t->pd)) : NULL;
	if (!t->pd || !t->cq || (srq && !t->srq))
		return -ENOMEM;
	init.send_cq = t->cq;
	init.recv_cq = t->cq;
	init.srq = t->srq;
	t->qp = no_error(ib_create_qp(t->pd, &init));
	return t->qp ? to_rts(t->qp, type) : -ENOMEM;
}

static int post_recv(struct test_qp *t, u32 length)
{
	struct ib_sge sge[2] = { { .length = 8 }, { .length = length } };
	struct ib_recv_wr wr = { .wr_cqe = &t->cqe, .sg_list = sge, .num_sge = length ? 2 : 0 };

	return t->srq ? ib_post_srq_recv(t->srq, &wr, NULL) : ib_post_recv(t->qp, &wr, NULL);
}

static int post_send(struct test_qp *t, u32 length)
{
	struct ib_sge sge[2] = { { .length = 8 }, { .length = length } };
	struct ib_send_wr wr = {
		.wr_cqe = &t->cqe,
		.sg_list = sge,
		.num_sge = length ? 2 : 0,
		.opcode = IB_WR_SEND,
	};

	return ib_post_send(t->qp, &wr, NULL);
}

/* The count becomes @want, and no more. */
static bool counts_to(const atomic_t *count, int want, const char *what)
{
	unsigned long end = jiffies + FLUSHED_WITHIN;

	while (atomic_read(count) < want && time_before(jiffies, end))
		msleep(20);
	if (atomic_read(count) != want)
		pr_info("tavor_client: # %d of %d %s\n", atomic_read(count), want, what);
	return atomic_read(count) == want;
}

static bool all_flushed(struct test_qp *t, int want)
{
	return counts_to(&t->flushed, want, "flushed");
}

static bool outstanding(struct test_qp *t)
{
	int i;

	for (i = 0; i < OUTSTANDING; i++)
		if (post_recv(t, 0))
			return false;
	return true;
}

/* Receives that are posted to an SRQ stay there. */
static bool drained(struct test_qp *t)
{
	unsigned long end = jiffies + DRAINED_WITHIN;

	ib_drain_qp(t->qp);
	return time_before(jiffies, end) && all_flushed(t, t->srq ? 0 : OUTSTANDING) &&
	       counts_to(&t->last_wqe, t->srq ? 1 : 0, "told of the last WQE");
}

static void drains(struct ib_device *dev, enum ib_qp_type type, bool srq, const char *text)
{
	struct test_qp t;
	bool ok = !test_begin(dev, &t, type, srq) && outstanding(&t);

	result(ok && drained(&t), text);
	test_end(&t);
}

/* @srq: the receives go to an SRQ */
static void refuses_two_gib(struct ib_device *dev, bool srq, const char *text)
{
	struct test_qp t;
	bool ok = !test_begin(dev, &t, IB_QPT_RC, srq);

	ok = ok && post_send(&t, TWO_GIB) == -EINVAL && post_send(&t, U32_MAX) == -EINVAL;
	ok = ok && post_recv(&t, TWO_GIB) == -EINVAL && post_recv(&t, U32_MAX) == -EINVAL;
	result(ok && !post_recv(&t, TWO_GIB - 1), text);
	test_end(&t);
}

static void works(struct ib_device *dev)
{
	refuses_two_gib(dev, false, "entries of 2 GiB and more are refused");
	refuses_two_gib(dev, true, "an SRQ refuses them, too");
	drains(dev, IB_QPT_RC, false, "an RC QP is drained");
	drains(dev, IB_QPT_UC, false, "a UC QP is drained");
	drains(dev, IB_QPT_UD, false, "a UD QP is drained");
	drains(dev, IB_QPT_RC, true, "an RC QP with an SRQ is drained");
	drains(dev, IB_QPT_UD, true, "a UD QP with an SRQ is drained");
}

static void device_event(struct ib_event_handler *handler, struct ib_event *event)
{
	if (event->event == IB_EVENT_DEVICE_FATAL)
		complete(&fatal);
}

static bool waits_for_failure(struct ib_device *dev)
{
	struct ib_event_handler handler;
	bool failed;

	INIT_IB_EVENT_HANDLER(&handler, dev, device_event);
	ib_register_event_handler(&handler);
	pr_info("tavor_client: # ready\n");
	failed = wait_for_completion_timeout(&fatal, FAILS_WITHIN);
	ib_unregister_event_handler(&handler);
	return failed;
}

/* QPs of each type, with and without an SRQ. The last one's event of its last WQE has been lost. */
static void fails(struct ib_device *dev)
{
	static const enum ib_qp_type types[] = { IB_QPT_RC, IB_QPT_UD, IB_QPT_RC, IB_QPT_UD,
						 IB_QPT_RC };
	struct test_qp t[ARRAY_SIZE(types)];
	bool ok = true, refused = true;
	int i;

	for (i = 0; i < ARRAY_SIZE(t); i++)
		ok = !test_begin(dev, &t[i], types[i], i > 1) && outstanding(&t[i]) && ok;
	ok = ok && !to_state(t[4].qp, IB_QPS_ERR, 0);
	ok = waits_for_failure(dev) && ok;
	result(ok && all_flushed(&t[0], OUTSTANDING) && all_flushed(&t[1], OUTSTANDING),
	       "what was posted to a device that has failed is flushed");
	for (i = 0; ok && i < ARRAY_SIZE(t); i++)
		refused = post_send(&t[i], 0) == -EIO && post_recv(&t[i], 0) == -EIO && refused;
	result(ok && refused, "posts to a device that has failed are refused");
	result(ok && counts_to(&t[4].last_wqe, 1, "told of the last WQE"),
	       "the event of the last WQE reaches who waits for it");
	for (i = 0; ok && i < ARRAY_SIZE(t); i++)
		ok = drained(&t[i]);
	result(ok, "drains return, with an SRQ and without");
	for (i = 0; i < ARRAY_SIZE(t); i++)
		test_end(&t[i]);
}

static void no_completion(struct ib_cq *cq, void *context)
{
}

/* Both kinds of CQs, one at a time. */
static void cqs(struct ib_device *dev)
{
	const struct ib_cq_init_attr attr = { .cqe = DEPTH };
	struct ib_cq *cq;
	bool ok = true;
	int i;

	for (i = 0; ok && i < CQS; i++) {
		cq = ib_create_cq(dev, no_completion, NULL, NULL, &attr);
		ok = !IS_ERR(cq);
		if (ok)
			ib_destroy_cq(cq);
		cq = ok ? ib_alloc_cq(dev, NULL, DEPTH, 0, IB_POLL_SOFTIRQ) : cq;
		ok = !IS_ERR(cq);
		if (ok)
			ib_free_cq(cq);
	}
	result(ok, "CQs come and go");
}

static int client_add(struct ib_device *dev)
{
	if (!strcmp(mode, "cqs"))
		cqs(dev);
	if (!strcmp(mode, "works"))
		works(dev);
	if (!strcmp(mode, "fails"))
		fails(dev);
	return -EOPNOTSUPP;
}

static struct ib_client client = {
	.name = "tavor_client",
	.add = client_add,
};

static int __init client_init(void)
{
	return strcmp(mode, "none") ? ib_register_client(&client) : 0;
}

static void __exit client_exit(void)
{
	if (strcmp(mode, "none"))
		ib_unregister_client(&client);
}

module_init(client_init);
module_exit(client_exit);
MODULE_DESCRIPTION("Test of what a kernel client may ask of an HCA's driver");
MODULE_LICENSE("Dual BSD/GPL");
