// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Posts that race with the reset of their QP: from the moment its command is issued they are
 * refused, so that no doorbell comes after it. A doorbell of a QP that the hardware has forgotten
 * is a violation of the model's. The results are lines of the log, for kernel_client.sh.
 */
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <rdma/ib_verbs.h>
#include <rdma/vrb_verbs.h>

#define DEPTH		4096		/* more than are posted between two resets */
#define ROUNDS		200
#define ENDS_WITHIN	(20 * HZ)

static char *mode = "races";
module_param(mode, charp, 0444);
MODULE_PARM_DESC(mode, "races, slow (2RST_QPEE takes 300 ms) or refused (the first does not work)");

struct world {
	struct vrb_client *client;
	struct ib_pd *pd;
	struct ib_cq *cq;
	struct ib_qp *qp;
	u16 lid;
	struct vrb_connect_qp connect;
	struct vrb_reset_qp reset;
	struct vrb_modify_qp modify;
	struct completion over;
	atomic_t sent, received;
	atomic_t accepted;		/* posts, of a QP in RESET */
	u32 turn;			/* odd: the QP is in RESET */
	int wrong;
};

static int number;

static void result(struct world *w, const char *text)
{
	pr_info("tavor_resets: %sok %d %s\n", w->wrong ? "not " : "", ++number, text);
	w->wrong = 0;
}

static void want(struct world *w, int want, int got, const char *what)
{
	if (got == want)
		return;
	if (!w->wrong++)
		pr_info("tavor_resets: # %s: %d instead of %d\n", what, got, want);
}

static int ask(struct world *w, struct vrb *vrb)
{
	return vrb_submit_wait(w->client, vrb);
}

/* ---- Posts ---- */

static int send(struct world *w)
{
	struct ib_rdma_wr wr = {
		.wr = { .opcode = IB_WR_RDMA_WRITE, .send_flags = IB_SEND_SIGNALED },
	};

	return ib_post_send(w->qp, &wr.wr, NULL);
}

static int receive(struct world *w)
{
	struct ib_recv_wr wr = {};

	return ib_post_recv(w->qp, &wr, NULL);
}

/* One that began and ended while the QP was in RESET must not have been accepted. */
static void count_post(struct world *w, int (*post)(struct world *w), atomic_t *count)
{
	/* Pairs with the release in next_turn(). */
	u32 turn = smp_load_acquire(&w->turn);
	int ret = post(w);

	if (ret)
		return;
	atomic_inc(count);
	/* The turn as it was when the post was over. */
	smp_rmb();
	if (turn & 1 && READ_ONCE(w->turn) == turn)
		atomic_inc(&w->accepted);
}

static int poster(void *arg)
{
	struct world *w = arg;
	struct ib_wc wc[4];

	while (!kthread_should_stop()) {
		count_post(w, send, &w->sent);
		count_post(w, receive, &w->received);
		ib_poll_cq(w->cq, ARRAY_SIZE(wc), wc);
		cond_resched();
	}
	return 0;
}

/* ---- Requests ---- */

static void reset_done(struct vrb *vrb)
{
	complete(&container_of(vrb, struct world, reset.vrb)->over);
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
	attr->rnr_retry = 7;
	attr->ah_attr.type = RDMA_AH_ATTR_TYPE_IB;
	rdma_ah_set_dlid(&attr->ah_attr, w->lid);
	rdma_ah_set_port_num(&attr->ah_attr, 1);
	w->connect.to = IB_QPS_RTS;
	return ask(w, &w->connect.vrb);
}

static int reset(struct world *w, bool modify)
{
	vrb_prep_reset_qp(&w->reset, w->qp);
	vrb_prep_modify_qp(&w->modify, w->qp);
	w->modify.attr.qp_state = IB_QPS_RESET;
	w->modify.mask = IB_QP_STATE;
	return ask(w, modify ? &w->modify.vrb : &w->reset.vrb);
}

/* ---- Races ---- */

static bool goes_on(const atomic_t *count, int before)
{
	unsigned long end = jiffies + ENDS_WITHIN;

	while (atomic_read(count) == before && time_before(jiffies, end))
		cond_resched();
	return atomic_read(count) != before;
}

static void next_turn(struct world *w)
{
	/* Pairs with the acquire in count_post(): what the request has done is done. */
	smp_store_release(&w->turn, w->turn + 1);
}

static void race_once(struct world *w, bool modify)
{
	int sent = atomic_read(&w->sent), received = atomic_read(&w->received);

	want(w, 0, connect(w), "connect");
	want(w, true, goes_on(&w->sent, sent) && goes_on(&w->received, received), "posts");
	want(w, 0, reset(w, modify), "reset");
	next_turn(w);
	usleep_range(200, 1000);
	want(w, IB_QPS_RESET, vrb_qp_state(w->client, w->qp), "state");
	next_turn(w);
	want(w, 0, atomic_read(&w->accepted), "posts that were accepted in RESET");
}

static void run_races(struct world *w)
{
	struct task_struct *task = kthread_create(poster, w, "tavor_poster");
	int i;

	if (IS_ERR(task)) {
		w->wrong++;
		return;
	}
	if (cpumask_weight(cpu_online_mask) > 1)
		kthread_bind(task, cpumask_last(cpu_online_mask));
	wake_up_process(task);
	for (i = 0; i < ROUNDS && !w->wrong; i++)
		race_once(w, i & 1);
	kthread_stop(task);
	pr_info("tavor_resets: # %d sends, %d receives\n", atomic_read(&w->sent),
		atomic_read(&w->received));
	result(w, "posts on one CPU while another resets their QP");
}

/* ---- A command that takes its time ---- */

static void slow_once(struct world *w)
{
	want(w, 0, connect(w), "connect");
	want(w, 0, receive(w), "receive before");
	want(w, 0, send(w), "send before");
	vrb_prep_reset_qp(&w->reset, w->qp);
	w->reset.vrb.done = reset_done;
	reinit_completion(&w->over);
	want(w, -EINPROGRESS, vrb_submit(w->client, &w->reset.vrb), "submit");
	msleep(50);
	want(w, false, completion_done(&w->over), "over already");
	want(w, -EINVAL, receive(w), "receive meanwhile");
	want(w, -EINVAL, send(w), "send meanwhile");
	want(w, true, !!wait_for_completion_timeout(&w->over, ENDS_WITHIN), "over");
	want(w, 0, w->reset.vrb.status, "status");
	want(w, -EINVAL, receive(w), "receive in RESET");
	want(w, -EINVAL, send(w), "send in RESET");
}

static void run_slow(struct world *w)
{
	struct ib_wc wc;

	slow_once(w);
	slow_once(w);
	want(w, 0, ib_poll_cq(w->cq, 1, &wc), "completions");
	result(w, "posts are refused while the command is under way");
}

/* ---- A command that does not work ---- */

static void run_refused(struct world *w)
{
	struct ib_wc wc = {};
	int i;

	want(w, 0, connect(w), "connect");
	want(w, true, reset(w, false) < 0, "reset that is refused");
	want(w, IB_QPS_RTS, vrb_qp_state(w->client, w->qp), "state");
	want(w, 0, receive(w), "receive");
	want(w, 0, send(w), "send");
	for (i = 0; i < 100 && !ib_poll_cq(w->cq, 1, &wc); i++)
		msleep(20);
	want(w, true, i < 100, "completion");
	want(w, IB_WC_SUCCESS, wc.status, "status of the completion");
	want(w, 0, reset(w, true), "reset");
	want(w, -EINVAL, send(w), "send in RESET");
	result(w, "a reset that is refused changes nothing");
}

/* ---- What it takes ---- */

static bool make(struct world *w)
{
	struct ib_cq_init_attr cq_attr = { .cqe = 2 * DEPTH };
	struct ib_qp_init_attr attr = {
		.qp_type = IB_QPT_RC,
		.cap = {
			.max_send_wr = DEPTH, .max_recv_wr = DEPTH,
			.max_send_sge = 1, .max_recv_sge = 1,
		},
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
	return !ask(w, &create_cq.vrb) && !ask(w, &create_qp.vrb);
}

static const struct {
	const char *name;
	void (*run)(struct world *w);
} modes[] = {
	{ "races", run_races },
	{ "slow", run_slow },
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

static int tavor_resets_add(struct ib_device *dev)
{
	struct world *w = kzalloc(sizeof(*w), GFP_KERNEL);

	if (!w)
		return -ENOMEM;
	w->client = vrb_client_register(dev, "tavor_resets");
	w->pd = ib_alloc_pd(dev, 0);
	if (make(w))
		world_run(w);
	/* It destroys what is left. */
	vrb_client_unregister(w->client);
	ib_dealloc_pd(w->pd);
	kfree(w);
	return -EOPNOTSUPP;
}

static struct ib_client client = {
	.name = "tavor_resets",
	.add = tavor_resets_add,
};

static int __init tavor_resets_init(void)
{
	return ib_register_client(&client);
}

static void __exit tavor_resets_exit(void)
{
	ib_unregister_client(&client);
}

module_init(tavor_resets_init);
module_exit(tavor_resets_exit);
MODULE_DESCRIPTION("Test of posts that race with the reset of their QP");
MODULE_LICENSE("Dual BSD/GPL");
