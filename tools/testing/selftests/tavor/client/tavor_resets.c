// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Tests posts that race with the reset of their QP. They are refused from the moment the command is
 * issued, so that no doorbell follows it. The model records a doorbell of a QP in RESET as a
 * violation. kernel_client.sh reads the results from the log.
 */
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/slab.h>

#include "loop.h"

#define DEPTH		4096		/* more than is posted between two resets */
#define ROUNDS		200
#define ENDS_WITHIN	(20 * HZ)

static char *mode = "races";
module_param(mode, charp, 0444);
MODULE_PARM_DESC(mode, "races, slow (2RST_QPEE takes 300 ms) or refused (the first does not work)");

struct world {
	struct loop loop;
	struct vrb_reset_qp reset;
	struct vrb_modify_qp modify;
	struct completion over;
	atomic_t sent, received;
	atomic_t accepted;		/* posts accepted while the QP was in RESET */
	u32 turn;			/* odd: the QP is in RESET */
};

/* ---- Posts ---- */

static int send(struct world *w)
{
	struct ib_rdma_wr wr = {
		.wr = { .opcode = IB_WR_RDMA_WRITE, .send_flags = IB_SEND_SIGNALED },
	};

	return ib_post_send(w->loop.qp, &wr.wr, NULL);
}

static int receive(struct world *w)
{
	struct ib_recv_wr wr = {};

	return ib_post_recv(w->loop.qp, &wr, NULL);
}

/* A post that began and ended while the QP was in RESET must not have been accepted. */
static void count_post(struct world *w, int (*post)(struct world *w), atomic_t *count)
{
	/* Pairs with the release in next_turn(). */
	u32 turn = smp_load_acquire(&w->turn);
	int ret = post(w);

	if (ret)
		return;
	atomic_inc(count);
	/* Read the turn after the post. */
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
		ib_poll_cq(w->loop.cq, ARRAY_SIZE(wc), wc);
		cond_resched();
	}
	return 0;
}

/* ---- Requests ---- */

static void reset_done(struct vrb *vrb)
{
	complete(&container_of(vrb, struct world, reset.vrb)->over);
}

static int reset(struct world *w, bool modify)
{
	vrb_prep_reset_qp(&w->reset, w->loop.qp);
	vrb_prep_modify_qp(&w->modify, w->loop.qp);
	w->modify.attr.qp_state = IB_QPS_RESET;
	w->modify.mask = IB_QP_STATE;
	return loop_ask(&w->loop, modify ? &w->modify.vrb : &w->reset.vrb);
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
	/* Pairs with the acquire in count_post(): first the request, then the turn. */
	smp_store_release(&w->turn, w->turn + 1);
}

static void race_once(struct world *w, bool modify)
{
	int sent = atomic_read(&w->sent), received = atomic_read(&w->received);

	loop_want(&w->loop, 0, loop_connect(&w->loop), "connect");
	loop_want(&w->loop, true, goes_on(&w->sent, sent), "sends");
	loop_want(&w->loop, true, goes_on(&w->received, received), "receives");
	loop_want(&w->loop, 0, reset(w, modify), "reset");
	next_turn(w);
	usleep_range(200, 1000);
	loop_want(&w->loop, IB_QPS_RESET, vrb_qp_state(w->loop.client, w->loop.qp), "state");
	next_turn(w);
	loop_want(&w->loop, 0, atomic_read(&w->accepted), "posts that were accepted in RESET");
}

static void run_races(struct world *w)
{
	struct task_struct *task = loop_task(poster, w);
	int i;

	if (IS_ERR(task)) {
		w->loop.wrong++;
		return;
	}
	for (i = 0; i < ROUNDS && !w->loop.wrong; i++)
		race_once(w, i & 1);
	kthread_stop(task);
	pr_info("tavor_resets: # %d sends, %d receives\n", atomic_read(&w->sent),
		atomic_read(&w->received));
	loop_result(&w->loop, "posts on one CPU while another resets their QP");
}

/* ---- A command that is slow ---- */

static void slow_once(struct world *w)
{
	loop_want(&w->loop, 0, loop_connect(&w->loop), "connect");
	loop_want(&w->loop, 0, receive(w), "receive before");
	loop_want(&w->loop, 0, send(w), "send before");
	vrb_prep_reset_qp(&w->reset, w->loop.qp);
	w->reset.vrb.done = reset_done;
	reinit_completion(&w->over);
	loop_want(&w->loop, -EINPROGRESS, vrb_submit(w->loop.client, &w->reset.vrb), "submit");
	msleep(50);
	loop_want(&w->loop, false, completion_done(&w->over), "over already");
	loop_want(&w->loop, -EINVAL, receive(w), "receive meanwhile");
	loop_want(&w->loop, -EINVAL, send(w), "send meanwhile");
	loop_want(&w->loop, true, !!wait_for_completion_timeout(&w->over, ENDS_WITHIN), "over");
	loop_want(&w->loop, 0, w->reset.vrb.status, "status");
	loop_want(&w->loop, -EINVAL, receive(w), "receive in RESET");
	loop_want(&w->loop, -EINVAL, send(w), "send in RESET");
}

static void run_slow(struct world *w)
{
	struct ib_wc wc;

	slow_once(w);
	slow_once(w);
	loop_want(&w->loop, 0, ib_poll_cq(w->loop.cq, 1, &wc), "completions");
	loop_result(&w->loop, "posts are refused while the command is outstanding");
}

/* ---- A command that fails ---- */

static void run_refused(struct world *w)
{
	struct ib_wc wc = {};
	int i;

	loop_want(&w->loop, 0, loop_connect(&w->loop), "connect");
	loop_want(&w->loop, true, reset(w, false) < 0, "reset that is refused");
	loop_want(&w->loop, IB_QPS_RTS, vrb_qp_state(w->loop.client, w->loop.qp), "state");
	loop_want(&w->loop, 0, receive(w), "receive");
	loop_want(&w->loop, 0, send(w), "send");
	for (i = 0; i < 100 && !ib_poll_cq(w->loop.cq, 1, &wc); i++)
		msleep(20);
	loop_want(&w->loop, true, i < 100, "completion");
	loop_want(&w->loop, IB_WC_SUCCESS, wc.status, "status of the completion");
	loop_want(&w->loop, 0, reset(w, true), "reset");
	loop_want(&w->loop, -EINVAL, send(w), "send in RESET");
	loop_result(&w->loop, "a reset that is refused changes nothing");
}

/* ---- Modes and module ---- */

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
	static const struct ib_qp_cap cap = {
		.max_send_wr = DEPTH, .max_recv_wr = DEPTH, .max_send_sge = 1, .max_recv_sge = 1,
	};
	struct world *w = kzalloc(sizeof(*w), GFP_KERNEL);

	if (!w)
		return -ENOMEM;
	loop_begin(&w->loop, dev);
	if (loop_make(&w->loop, 2 * DEPTH, &cap, NULL, NULL))
		world_run(w);
	loop_end(&w->loop);
	kfree(w);
	return -EOPNOTSUPP;
}

static struct ib_client client = {
	.name = "tavor_resets",
	.add = tavor_resets_add,
};

module_driver(client, ib_register_client, ib_unregister_client);
MODULE_DESCRIPTION("Test of posts that race with the reset of their QP");
MODULE_LICENSE("Dual BSD/GPL");
