// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Resizes CQs that contain completions. No completion is lost or duplicated, and the order stays
 * the same. kernel_client.sh sets the model's faults and latencies, and reads the results from the
 * log.
 */
#include <linux/completion.h>
#include <linux/kprobes.h>
#include <linux/slab.h>

#include "loop.h"

#define DEPTH		1024
#define SMALL		63		/* 33 .. 63 entries are rounded up to this */
#define ROUNDS		60
#define ENDS_WITHIN	(20 * HZ)

static char *mode = "works";
module_param(mode, charp, 0444);
MODULE_PARM_DESC(mode, "works, busy, slow (RESIZE_CQ takes 300 ms), late, again, refused or core");

static int hold;
module_param(hold, int, 0644);
MODULE_PARM_DESC(hold, "core waits at this point, 1 or 2, until a script changes it");

struct world {
	struct loop loop;
	struct vrb_resize_cq resize;
	struct vrb_reset_qp reset;
	struct completion over;
	u64 sent, polled;		/* the next work request ids */
};

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
	int ret = ib_post_send(w->loop.qp, &wr.wr, NULL);

	w->sent += !ret;
	return ret;
}

/* Sends @n messages, and waits until they must have completed. */
static void send_many(struct world *w, int n)
{
	while (n--)
		loop_want(&w->loop, 0, send(w), "send");
	msleep(100);
}

/* Polls at most @n of the present completions; each has the next id. */
static int poll(struct world *w, int n)
{
	struct ib_wc wc;
	int i;

	for (i = 0; i < n && ib_poll_cq(w->loop.cq, 1, &wc) == 1; i++) {
		loop_want(&w->loop, IB_WC_SUCCESS, wc.status, "status of a completion");
		loop_want(&w->loop, w->polled, wc.wr_id, "completion");
		w->polled = wc.wr_id + 1;
	}
	return i;
}

/* Polls @n completions, and waits for them. */
static void poll_many(struct world *w, int n)
{
	unsigned long end = jiffies + ENDS_WITHIN;
	int found = poll(w, n);

	while (found < n && !w->loop.wrong && time_before(jiffies, end)) {
		msleep(20);
		found += poll(w, n - found);
	}
	loop_want(&w->loop, n, found, "completions");
}

static void poll_rest(struct world *w)
{
	poll_many(w, w->sent - w->polled);
	loop_want(&w->loop, 0, poll(w, 1), "completions too many");
}

/* ---- Resizes ---- */

static void resize_done(struct vrb *vrb)
{
	complete(&container_of(vrb, struct world, resize.vrb)->over);
}

static int ring(struct world *w, int cqe)
{
	return vrb_alloc_cq_ring(w->loop.client, w->loop.cq, cqe, GFP_KERNEL);
}

static int resize_to(struct world *w, int cqe)
{
	vrb_prep_resize_cq(&w->resize, w->loop.cq);
	w->resize.cqe = cqe;
	return loop_ask(&w->loop, &w->resize.vrb);
}

static void resize(struct world *w, int cqe)
{
	loop_want(&w->loop, 0, ring(w, cqe), "ring");
	loop_want(&w->loop, 0, resize_to(w, cqe), "resize");
	loop_want(&w->loop, roundup_pow_of_two(cqe + 1) - 1, w->loop.cq->cqe, "size");
}

/* Submits a resize and does not wait for it. */
static void resize_begin(struct world *w, int cqe)
{
	loop_want(&w->loop, 0, ring(w, cqe), "ring");
	vrb_prep_resize_cq(&w->resize, w->loop.cq);
	w->resize.cqe = cqe;
	w->resize.vrb.done = resize_done;
	reinit_completion(&w->over);
	loop_want(&w->loop, -EINPROGRESS, vrb_submit(w->loop.client, &w->resize.vrb), "submit");
	msleep(50);
	loop_want(&w->loop, false, completion_done(&w->over), "over already");
}

static int resize_status(struct world *w)
{
	return wait_for_completion_timeout(&w->over, ENDS_WITHIN) ? w->resize.vrb.status : -EBUSY;
}

/* ---- One after another ---- */

/* Starts at each position of the ring, so that entries also wrap around its end. */
static void grows_and_shrinks(struct world *w)
{
	int i;

	for (i = 0; i < 32 && !w->loop.wrong; i++) {
		send_many(w, 29);
		poll_many(w, i % 29);
		resize(w, i & 1 ? SMALL : 200 + i);
		send_many(w, 1);
		poll_rest(w);
	}
	loop_result(&w->loop, "a CQ with entries grows and shrinks");
	resize(w, SMALL);
	resize(w, SMALL);
	send_many(w, 5);
	resize(w, 1000);
	poll_rest(w);
	loop_result(&w->loop, "an empty CQ is resized to the same and to a large size");
}

/* Fills the whole ring, which is more than one portion of work. */
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
	loop_result(&w->loop, "a CQ that is full is resized");
}

static void refuses(struct world *w)
{
	loop_want(&w->loop, -EINVAL, resize_to(w, 100), "resize without a ring");
	loop_want(&w->loop, -EINVAL, ring(w, 0), "ring of 0");
	loop_want(&w->loop, -EINVAL, ring(w, -1), "ring of -1");
	loop_want(&w->loop, -EINVAL, ring(w, INT_MAX), "too large");
	loop_want(&w->loop, -EINVAL, vrb_alloc_cq_ring(w->loop.client, NULL, 1, GFP_KERNEL),
		  "ring of nothing");
	resize(w, 255);
	send_many(w, 100);
	loop_want(&w->loop, 0, ring(w, SMALL), "ring");
	loop_want(&w->loop, -EBUSY, ring(w, SMALL), "second ring");
	loop_want(&w->loop, -EINVAL, resize_to(w, SMALL + 1), "another size than the ring's");
	loop_want(&w->loop, -EINVAL, resize_to(w, 0), "resize to 0");
	loop_want(&w->loop, -EINVAL, resize_to(w, INT_MAX), "resize to more than there can be");
	loop_want(&w->loop, -EINVAL, resize_to(w, SMALL), "resize to less than there is");
	loop_want(&w->loop, 255, w->loop.cq->cqe, "size");
	poll_many(w, 60);
	loop_want(&w->loop, 0, resize_to(w, SMALL), "resize");
	loop_want(&w->loop, SMALL, w->loop.cq->cqe, "size");
	poll_rest(w);
	loop_result(&w->loop, "invalid sizes are refused");
}

/* The entries of a QP that is reset are removed from all positions. */
static void forgets(struct world *w)
{
	send_many(w, 10);
	resize(w, 300);
	vrb_prep_reset_qp(&w->reset, w->loop.qp);
	loop_want(&w->loop, 0, loop_ask(&w->loop, &w->reset.vrb), "reset");
	loop_want(&w->loop, 0, poll(w, 1), "completions of a QP that has been reset");
	loop_want(&w->loop, 0, loop_connect(&w->loop), "connect");
	w->polled = w->sent;
	send_many(w, 200);
	poll_rest(w);
	loop_result(&w->loop, "a reset of a QP whose completions have been moved");
	/* This ring is not used; it is freed with the CQ. */
	loop_want(&w->loop, 0, ring(w, 1000), "ring");
}

static void run_works(struct world *w)
{
	grows_and_shrinks(w);
	run_full(w);
	refuses(w);
	forgets(w);
}

/* ---- With traffic all the time ---- */

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
	struct task_struct *task = loop_task(worker, w);
	int i;

	if (IS_ERR(task)) {
		w->loop.wrong++;
		return;
	}
	for (i = 0; i < ROUNDS && !w->loop.wrong; i++)
		resize(w, i & 1 ? SMALL : 64 << i % 4);
	kthread_stop(task);
	msleep(200);
	poll_rest(w);
	pr_info("tavor_resize: # %llu completions\n", w->polled);
	loop_result(&w->loop, "resizes while there is work all the time");
}

/* ---- A command that is slow ---- */

static void run_slow(struct world *w)
{
	send_many(w, 30);
	resize_begin(w, 200);
	send_many(w, 20);
	poll_many(w, 40);
	loop_want(&w->loop, 0, resize_status(w), "resize");
	send_many(w, 5);
	poll_rest(w);
	loop_result(&w->loop, "a CQ is polled while the command is outstanding");
	send_many(w, 30);
	resize_begin(w, SMALL);
	vrb_prep_reset_qp(&w->reset, w->loop.qp);
	loop_want(&w->loop, 0, loop_ask(&w->loop, &w->reset.vrb), "reset");
	loop_want(&w->loop, 0, poll(w, 1), "completions of a QP that has been reset");
	loop_want(&w->loop, 0, loop_connect(&w->loop), "connect");
	w->polled = w->sent;
	send_many(w, 20);
	loop_want(&w->loop, 0, resize_status(w), "resize");
	send_many(w, 20);
	poll_rest(w);
	loop_result(&w->loop, "a QP is reset while the command is outstanding");
	send_many(w, 10);
	resize_begin(w, 1000);
}

/* ---- A command that is answered too late: after 2.5 s ---- */

static void run_late(struct world *w)
{
	int i, ret = -EUCLEAN;

	send_many(w, 30);
	loop_want(&w->loop, 0, ring(w, 200), "ring");
	loop_want(&w->loop, -ETIMEDOUT, resize_to(w, 200), "resize");
	loop_want(&w->loop, -EUCLEAN, resize_to(w, 200), "resize before the answer");
	poll_many(w, 10);
	for (i = 0; i < 200 && ret == -EUCLEAN; i++) {
		msleep(20);
		ret = resize_to(w, 200);
	}
	loop_want(&w->loop, 0, ret, "resize after the answer");
	loop_want(&w->loop, 255, w->loop.cq->cqe, "size");
	send_many(w, 20);
	poll_rest(w);
	resize(w, SMALL);
	loop_result(&w->loop, "a resize that completes too late is finished by another");
}

/* ---- The same, and the CQ is polled while the second request begins ---- */

#define LARGE (4 * DEPTH - 1)

static bool job_known, job_may_go;
static int stores;

/* The step that stores translation entries knows what to write. Another processor polls now. */
static int job_returns(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	int ms;

	if (READ_ONCE(job_known))
		return 0;
	WRITE_ONCE(job_known, true);
	for (ms = 0; ms < 5000 && !READ_ONCE(job_may_go); ms++)
		mdelay(1);
	return 0;
}

static int count_store(struct kprobe *probe, struct pt_regs *regs)
{
	stores++;
	return 0;
}

static struct kretprobe job_probe = {
	.kp.symbol_name = "tavor_buf_mtt_job",
	.handler = job_returns,
};

static struct kprobe store_probe = {
	.symbol_name = "tavor_buf_mtt_pages",
	.pre_handler = count_store,
};

static int poll_meanwhile(void *arg)
{
	struct world *w = arg;

	while (!READ_ONCE(job_known) && !kthread_should_stop())
		usleep_range(1000, 2000);
	poll_rest(w);
	WRITE_ONCE(job_may_go, true);
	while (!kthread_should_stop())
		usleep_range(1000, 2000);
	return 0;
}

static void resize_while_polled(struct world *w)
{
	struct task_struct *task = loop_task(poll_meanwhile, w);

	if (IS_ERR(task)) {
		w->loop.wrong++;
		return;
	}
	loop_want(&w->loop, 0, resize_to(w, LARGE), "resize after the answer");
	loop_want(&w->loop, true, READ_ONCE(job_may_go), "polled while it began");
	kthread_stop(task);
}

/* The hardware has executed the first request, so both buffers have their translation entries. */
static void run_again(struct world *w)
{
	send_many(w, 30);
	loop_want(&w->loop, 0, ring(w, LARGE), "ring");
	loop_want(&w->loop, -ETIMEDOUT, resize_to(w, LARGE), "resize");
	msleep(3000);
	send_many(w, 20);
	loop_want(&w->loop, 0, register_kretprobe(&job_probe), "probe");
	loop_want(&w->loop, 0, register_kprobe(&store_probe), "probe");
	set_cpus_allowed_ptr(current, cpumask_of(0));
	resize_while_polled(w);
	set_cpus_allowed_ptr(current, cpu_possible_mask);
	unregister_kprobe(&store_probe);
	unregister_kretprobe(&job_probe);
	loop_want(&w->loop, 0, stores, "portions of translation entries");
	loop_want(&w->loop, LARGE, w->loop.cq->cqe, "size");
	send_many(w, 20);
	poll_rest(w);
	loop_result(&w->loop, "a CQ is polled while its resize is repeated");
}

/* ---- The same, requested through ib_core ---- */

#ifdef HAS_IB_RESIZE_CQ
/* A CQ that ib_core created, because ib_core cannot resize a client's shell. */
static void run_core(struct world *w)
{
	static const struct ib_cq_init_attr attr = { .cqe = SMALL };
	struct ib_cq *cq = ib_create_cq(w->loop.cq->device, NULL, NULL, NULL, &attr);
	int i, ret = -EUCLEAN;

	if (IS_ERR(cq)) {
		loop_want(&w->loop, 0, PTR_ERR(cq), "create");
		return;
	}
	loop_want(&w->loop, -ETIMEDOUT, ib_resize_cq(cq, 200), "resize");
	loop_want(&w->loop, -EUCLEAN, ib_resize_cq(cq, 200), "resize before the answer");
	loop_point(&hold, 1);		/* the script counts pages */
	for (i = 0; i < 200 && ret == -EUCLEAN; i++) {
		msleep(20);
		ret = ib_resize_cq(cq, 200);
	}
	loop_want(&w->loop, 0, ret, "resize after the answer");
	loop_want(&w->loop, 255, cq->cqe, "size");
	loop_point(&hold, 2);
	loop_want(&w->loop, 0, ib_resize_cq(cq, 300), "resize to another size");
	loop_want(&w->loop, 511, cq->cqe, "size");
	ib_destroy_cq(cq);
	loop_result(&w->loop, "ib_core's resize completes too late, and the next finishes it");
}
#else
static void run_core(struct world *w)
{
}
#endif

/* ---- Commands that are refused ---- */

static void run_refused(struct world *w)
{
	send_many(w, 30);
	loop_want(&w->loop, 0, ring(w, 200), "ring");
	loop_want(&w->loop, true, resize_to(w, 200) < 0, "resize that is refused");
	loop_want(&w->loop, SMALL, w->loop.cq->cqe, "size");
	poll_many(w, 10);
	loop_want(&w->loop, 0, resize_to(w, 200), "resize");
	send_many(w, 40);
	poll_rest(w);
	loop_result(&w->loop, "a resize that is refused changes nothing");
}

/* ---- Modes and module ---- */

static const struct {
	const char *name;
	void (*run)(struct world *w);
} modes[] = {
	{ "works", run_works },
	{ "busy", run_busy },
	{ "slow", run_slow },
	{ "late", run_late },
	{ "again", run_again },
	{ "refused", run_refused },
	{ "core", run_core },
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
	static const struct ib_qp_cap cap = { .max_send_wr = DEPTH, .max_send_sge = 1 };
	struct world *w = kzalloc(sizeof(*w), GFP_KERNEL);

	if (!w)
		return -ENOMEM;
	loop_begin(&w->loop, dev);
	if (vrb_client_can(w->loop.client, VRB_OP_RESIZE_CQ) &&
	    loop_make(&w->loop, SMALL, &cap, NULL, NULL) && !loop_connect(&w->loop))
		world_run(w);
	loop_end(&w->loop);
	kfree(w);
	return -EOPNOTSUPP;
}

static struct ib_client client = {
	.name = "tavor_resize",
	.add = tavor_resize_add,
};

module_driver(client, ib_register_client, ib_unregister_client);
MODULE_DESCRIPTION("Test of CQs that get another size while they are in use");
MODULE_LICENSE("Dual BSD/GPL");
