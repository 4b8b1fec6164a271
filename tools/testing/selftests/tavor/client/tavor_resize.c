// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * CQs that get another size while there is something in them: nothing is lost, nothing comes
 * twice, and the order stays. The model's faults and latencies are set by kernel_client.sh; the
 * results are lines of the log, for that.
 */
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <rdma/ib_verbs.h>
#include <rdma/vrb_verbs.h>

#define DEPTH		1024
#define SMALL		63		/* what 33 .. 63 entries become */
#define ROUNDS		60
#define ENDS_WITHIN	(20 * HZ)

static char *mode = "works";
module_param(mode, charp, 0444);
MODULE_PARM_DESC(mode, "works, busy, slow (RESIZE_CQ takes 300 ms), late or refused");

struct world {
	struct vrb_client *client;
	struct ib_pd *pd;
	struct ib_cq *cq;
	struct ib_qp *qp;
	u16 lid;
	struct vrb_connect_qp connect;
	struct vrb_resize_cq resize;
	struct vrb_reset_qp reset;
	struct completion over;
	u64 sent, polled;		/* the next work request ids */
	int wrong;
};

static int number;

static void result(struct world *w, const char *text)
{
	pr_info("tavor_resize: %sok %d %s\n", w->wrong ? "not " : "", ++number, text);
	w->wrong = 0;
}

static void want(struct world *w, s64 want, s64 got, const char *what)
{
	if (got == want)
		return;
	if (w->wrong++ < 5)
		pr_info("tavor_resize: # %s: %lld instead of %lld\n", what, got, want);
}

static int ask(struct world *w, struct vrb *vrb)
{
	return vrb_submit_wait(w->client, vrb);
}

/* ---- Work ---- */

static int send(struct world *w)
{
	struct ib_rdma_wr wr = {
		.wr = {
			.wr_id = w->sent,
			.opcode = IB_WR_RDMA_WRITE,
			.send_flags = IB_SEND_SIGNALED,
		},
	};
	int ret = ib_post_send(w->qp, &wr.wr, NULL);

	w->sent += !ret;
	return ret;
}

/* As many, and so much time that they have completed. */
static void send_many(struct world *w, int n)
{
	while (n--)
		want(w, 0, send(w), "send");
	msleep(100);
}

/* The completions there are, at most so many; each has the next id. */
static int poll(struct world *w, int n)
{
	struct ib_wc wc;
	int i;

	for (i = 0; i < n && ib_poll_cq(w->cq, 1, &wc) == 1; i++) {
		want(w, IB_WC_SUCCESS, wc.status, "status of a completion");
		want(w, w->polled, wc.wr_id, "completion");
		w->polled = wc.wr_id + 1;
	}
	return i;
}

/* So many, in their time */
static void poll_many(struct world *w, int n)
{
	unsigned long end = jiffies + ENDS_WITHIN;
	int found = poll(w, n);

	while (found < n && !w->wrong && time_before(jiffies, end)) {
		msleep(20);
		found += poll(w, n - found);
	}
	want(w, n, found, "completions");
}

static void poll_rest(struct world *w)
{
	poll_many(w, w->sent - w->polled);
	want(w, 0, poll(w, 1), "completions too many");
}

static int connect(struct world *w)
{
	struct ib_qp_attr *attr = &w->connect.attr;

	vrb_prep_connect_qp(&w->connect, w->qp);
	attr->port_num = 1;
	attr->qp_access_flags = IB_ACCESS_REMOTE_WRITE;
	attr->path_mtu = IB_MTU_1024;
	attr->dest_qp_num = w->qp->qp_num;
	attr->min_rnr_timer = 12;
	attr->timeout = 18;
	attr->retry_cnt = 7;
	attr->ah_attr.type = RDMA_AH_ATTR_TYPE_IB;
	rdma_ah_set_dlid(&attr->ah_attr, w->lid);
	rdma_ah_set_port_num(&attr->ah_attr, 1);
	w->connect.to = IB_QPS_RTS;
	return ask(w, &w->connect.vrb);
}

/* ---- Resizes ---- */

static void resize_done(struct vrb *vrb)
{
	complete(&container_of(vrb, struct world, resize.vrb)->over);
}

static int resize_to(struct world *w, int cqe)
{
	vrb_prep_resize_cq(&w->resize, w->cq);
	w->resize.cqe = cqe;
	return ask(w, &w->resize.vrb);
}

static void resize(struct world *w, int cqe)
{
	want(w, 0, vrb_alloc_cq_ring(w->client, w->cq, cqe, GFP_KERNEL), "ring");
	want(w, 0, resize_to(w, cqe), "resize");
	want(w, roundup_pow_of_two(cqe + 1) - 1, w->cq->cqe, "size");
}

/* Submitted, and under way. */
static void resize_begin(struct world *w, int cqe)
{
	want(w, 0, vrb_alloc_cq_ring(w->client, w->cq, cqe, GFP_KERNEL), "ring");
	vrb_prep_resize_cq(&w->resize, w->cq);
	w->resize.cqe = cqe;
	w->resize.vrb.done = resize_done;
	reinit_completion(&w->over);
	want(w, -EINPROGRESS, vrb_submit(w->client, &w->resize.vrb), "submit");
	msleep(50);
	want(w, false, completion_done(&w->over), "over already");
}

static int resize_status(struct world *w)
{
	return wait_for_completion_timeout(&w->over, ENDS_WITHIN) ? w->resize.vrb.status : -EBUSY;
}

/* ---- One after another ---- */

/* From each place in the ring, with entries across its end too */
static void grows_and_shrinks(struct world *w)
{
	int i;

	for (i = 0; i < 32 && !w->wrong; i++) {
		send_many(w, 29);
		poll_many(w, i % 29);
		resize(w, i & 1 ? SMALL : 200 + i);
		send_many(w, 1);
		poll_rest(w);
	}
	result(w, "a CQ with entries grows and shrinks");
	resize(w, SMALL);
	resize(w, SMALL);
	send_many(w, 5);
	resize(w, 1000);
	poll_rest(w);
	result(w, "empty, to the same size, and to a large one");
}

/* More than a portion, all that there is room for */
static void run_full(struct world *w)
{
	resize(w, DEPTH - 1);
	send_many(w, DEPTH - 1);
	resize(w, 4 * DEPTH);
	poll_many(w, DEPTH / 2);
	resize(w, DEPTH - 1);
	poll_rest(w);
	send_many(w, DEPTH - 1);
	resize(w, DEPTH - 1);
	poll_rest(w);
	result(w, "a CQ that is full");
}

static void refuses(struct world *w)
{
	want(w, -EINVAL, resize_to(w, 100), "resize without a ring");
	want(w, -EINVAL, vrb_alloc_cq_ring(w->client, w->cq, 0, GFP_KERNEL), "ring of 0");
	want(w, -EINVAL, vrb_alloc_cq_ring(w->client, w->cq, -1, GFP_KERNEL), "ring of -1");
	want(w, -EINVAL, vrb_alloc_cq_ring(w->client, w->cq, INT_MAX, GFP_KERNEL), "too large");
	want(w, -EINVAL, vrb_alloc_cq_ring(w->client, NULL, 1, GFP_KERNEL), "ring of nothing");
	resize(w, 255);
	send_many(w, 100);
	want(w, 0, vrb_alloc_cq_ring(w->client, w->cq, SMALL, GFP_KERNEL), "ring");
	want(w, -EBUSY, vrb_alloc_cq_ring(w->client, w->cq, SMALL, GFP_KERNEL), "second ring");
	want(w, -EINVAL, resize_to(w, SMALL + 1), "resize to another size than the ring's");
	want(w, -EINVAL, resize_to(w, 0), "resize to 0");
	want(w, -EINVAL, resize_to(w, INT_MAX), "resize to more than there can be");
	want(w, -EINVAL, resize_to(w, SMALL), "resize to less than there is");
	want(w, 255, w->cq->cqe, "size");
	poll_many(w, 60);
	want(w, 0, resize_to(w, SMALL), "resize");
	want(w, SMALL, w->cq->cqe, "size");
	poll_rest(w);
	result(w, "sizes that are refused");
}

/* Entries of a QP that is reset go, from wherever they are. */
static void forgets(struct world *w)
{
	send_many(w, 10);
	resize(w, 300);
	vrb_prep_reset_qp(&w->reset, w->qp);
	want(w, 0, ask(w, &w->reset.vrb), "reset");
	want(w, 0, poll(w, 1), "completions of a QP that has been reset");
	want(w, 0, connect(w), "connect");
	w->polled = w->sent;
	send_many(w, 200);
	poll_rest(w);
	result(w, "a reset of a QP whose completions have been moved");
	/* Not used: it goes with the CQ. */
	want(w, 0, vrb_alloc_cq_ring(w->client, w->cq, 1000, GFP_KERNEL), "ring");
}

static void run_works(struct world *w)
{
	grows_and_shrinks(w);
	run_full(w);
	refuses(w);
	forgets(w);
}

/* ---- With work all the time ---- */

static int worker(void *arg)
{
	struct world *w = arg;

	while (!kthread_should_stop()) {
		while (w->sent - w->polled < 40 && !send(w))
			;
		poll(w, 7);
		cond_resched();
	}
	return 0;
}

static void run_busy(struct world *w)
{
	struct task_struct *task = kthread_create(worker, w, "tavor_worker");
	int i;

	if (IS_ERR(task)) {
		w->wrong++;
		return;
	}
	if (cpumask_weight(cpu_online_mask) > 1)
		kthread_bind(task, cpumask_last(cpu_online_mask));
	wake_up_process(task);
	for (i = 0; i < ROUNDS && !w->wrong; i++)
		resize(w, i & 1 ? SMALL : 64 << i % 4);
	kthread_stop(task);
	msleep(200);
	poll_rest(w);
	pr_info("tavor_resize: # %llu completions\n", w->polled);
	result(w, "resizes while there is work all the time");
}

/* ---- A command that takes its time ---- */

static void run_slow(struct world *w)
{
	send_many(w, 30);
	resize_begin(w, 200);
	send_many(w, 20);
	poll_many(w, 40);
	want(w, 0, resize_status(w), "resize");
	send_many(w, 5);
	poll_rest(w);
	result(w, "a CQ is polled while the command is under way");
	send_many(w, 30);
	resize_begin(w, SMALL);
	vrb_prep_reset_qp(&w->reset, w->qp);
	want(w, 0, ask(w, &w->reset.vrb), "reset");
	want(w, 0, poll(w, 1), "completions of a QP that has been reset");
	want(w, 0, connect(w), "connect");
	w->polled = w->sent;
	send_many(w, 20);
	want(w, 0, resize_status(w), "resize");
	send_many(w, 20);
	poll_rest(w);
	result(w, "a QP is reset meanwhile");
	send_many(w, 10);
	resize_begin(w, 1000);
}

/* ---- One that is answered too late: after a second and a half ---- */

static void run_late(struct world *w)
{
	int i, ret = -EUCLEAN;

	send_many(w, 30);
	want(w, 0, vrb_alloc_cq_ring(w->client, w->cq, 200, GFP_KERNEL), "ring");
	want(w, -ETIMEDOUT, resize_to(w, 200), "resize");
	want(w, -EUCLEAN, resize_to(w, 200), "resize before the answer");
	poll_many(w, 10);
	for (i = 0; i < 100 && ret == -EUCLEAN; i++) {
		msleep(20);
		ret = resize_to(w, 200);
	}
	want(w, 0, ret, "resize after the answer");
	want(w, 255, w->cq->cqe, "size");
	send_many(w, 20);
	poll_rest(w);
	resize(w, SMALL);
	result(w, "a resize that is answered too late is completed by another");
}

/* ---- Commands that are refused ---- */

static void run_refused(struct world *w)
{
	send_many(w, 30);
	want(w, 0, vrb_alloc_cq_ring(w->client, w->cq, 200, GFP_KERNEL), "ring");
	want(w, true, resize_to(w, 200) < 0, "resize that is refused");
	want(w, SMALL, w->cq->cqe, "size");
	poll_many(w, 10);
	want(w, 0, resize_to(w, 200), "resize");
	send_many(w, 40);
	poll_rest(w);
	result(w, "a resize that is refused changes nothing");
}

/* ---- What it takes ---- */

static bool make(struct world *w)
{
	struct ib_cq_init_attr cq_attr = { .cqe = SMALL };
	struct ib_qp_init_attr attr = {
		.qp_type = IB_QPT_RC,
		.cap = { .max_send_wr = DEPTH, .max_send_sge = 1 },
	};
	struct vrb_create_cq create_cq;
	struct vrb_create_qp create_qp;
	struct vrb_query_port port;

	vrb_prep_query_port(&port, 1);
	w->cq = vrb_alloc_cq(w->client, &cq_attr, NULL, NULL, NULL, GFP_KERNEL);
	if (IS_ERR(w->cq) || ask(w, &port.vrb))
		return false;
	w->lid = port.attr.lid;
	attr.send_cq = w->cq;
	attr.recv_cq = w->cq;
	w->qp = vrb_alloc_qp(w->client, w->pd, &attr, GFP_KERNEL);
	if (IS_ERR(w->qp))
		return false;
	vrb_prep_create_cq(&create_cq, w->cq);
	vrb_prep_create_qp(&create_qp, w->qp);
	return !ask(w, &create_cq.vrb) && !ask(w, &create_qp.vrb) && !connect(w);
}

static const struct {
	const char *name;
	void (*run)(struct world *w);
} modes[] = {
	{ "works", run_works },
	{ "busy", run_busy },
	{ "slow", run_slow },
	{ "late", run_late },
	{ "refused", run_refused },
};

static void world_run(struct world *w)
{
	int i;

	init_completion(&w->over);
	for (i = 0; i < ARRAY_SIZE(modes); i++)
		if (!strcmp(mode, modes[i].name))
			modes[i].run(w);
}

static int tavor_resize_add(struct ib_device *dev)
{
	struct world *w = kzalloc(sizeof(*w), GFP_KERNEL);

	if (!w)
		return -ENOMEM;
	w->client = vrb_client_register(dev, "tavor_resize");
	w->pd = ib_alloc_pd(dev, 0);
	if (vrb_client_can(w->client, VRB_OP_RESIZE_CQ) && make(w))
		world_run(w);
	/* It destroys what is left. */
	vrb_client_unregister(w->client);
	ib_dealloc_pd(w->pd);
	kfree(w);
	return -EOPNOTSUPP;
}

static struct ib_client client = {
	.name = "tavor_resize",
	.add = tavor_resize_add,
};

static int __init tavor_resize_init(void)
{
	return ib_register_client(&client);
}

static void __exit tavor_resize_exit(void)
{
	ib_unregister_client(&client);
}

module_init(tavor_resize_init);
module_exit(tavor_resize_exit);
MODULE_DESCRIPTION("Test of CQs that get another size while they are in use");
MODULE_LICENSE("Dual BSD/GPL");
