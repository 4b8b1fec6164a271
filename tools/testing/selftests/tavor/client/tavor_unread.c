// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Destroys a CQ while its completion event is in the event queue and has not been read, because the
 * handler of another CQ, whose event is before it, is still running. The destroy ends only when the
 * event has been read, or the event could find another CQ that has the same number. The handler
 * keeps its processor busy, so kernel_client.sh moves the interrupts of commands to another one,
 * and this test to that one. It reads the results from the log.
 */
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/slab.h>

#include "loop.h"

#define BUSY_MS		10000
#define ENDS_WITHIN	(20 * HZ)

/**
 * struct unread - the test
 * @busy: the QP and the CQ whose handler keeps the event queue from being read
 * @gone: the QP and the CQ that are destroyed meanwhile
 * @entered: the handler of @busy has been called
 * @leave: it may return
 * @left: it has returned
 * @calls: of the handler of @gone
 * @late: some of them after the CQ had gone
 * @qp_over: the QP of @gone has gone
 * @over: the CQ has gone
 */
struct unread {
	struct loop busy, gone;
	bool entered, leave, left;
	int calls, late;
	struct completion qp_over, over;
};

static void busy_comp(struct ib_cq *cq, void *context)
{
	struct unread *u = context;
	int i;

	WRITE_ONCE(u->entered, true);
	for (i = 0; i < BUSY_MS && !READ_ONCE(u->leave); i++)
		mdelay(1);
	WRITE_ONCE(u->left, true);
}

static void gone_comp(struct ib_cq *cq, void *context)
{
	struct unread *u = context;

	u->calls++;
	u->late += completion_done(&u->over);
}

static void qp_gone(void *context)
{
	struct unread *u = context;

	complete(&u->qp_over);
}

static void gone(void *context)
{
	struct unread *u = context;

	complete(&u->over);
}

static bool make(struct unread *u, struct loop *loop, ib_comp_handler comp)
{
	const struct ib_qp_cap cap = { .max_send_wr = 1, .max_send_sge = 1 };

	return loop_make(loop, 1, &cap, comp, u) && !loop_connect(loop) &&
	       !ib_req_notify_cq(loop->cq, IB_CQ_NEXT_COMP);
}

static int write_nothing(struct loop *loop)
{
	struct ib_rdma_wr wr = {
		.wr = { .opcode = IB_WR_RDMA_WRITE, .send_flags = IB_SEND_SIGNALED },
	};

	return ib_post_send(loop->qp, &wr.wr, NULL);
}

static bool polls(struct loop *loop)
{
	struct ib_wc wc;
	int i;

	for (i = 0; i < 100; i++) {
		if (ib_poll_cq(loop->cq, 1, &wc) == 1)
			return wc.status == IB_WC_SUCCESS;
		usleep_range(20000, 21000);
	}
	return false;
}

/*
 * While the handler of @busy runs, the event of @gone comes, and its CQ is destroyed. An idle CPU
 * may leave its timers to the busy one, so msleep() might not end before the handler does.
 */
static void destroy_unread(struct unread *u)
{
	struct vrb_query_port port;
	int i;

	loop_want(&u->gone, 0, write_nothing(&u->busy), "a message");
	for (i = 0; i < 100 && !READ_ONCE(u->entered); i++)
		usleep_range(20000, 21000);
	loop_want(&u->gone, true, READ_ONCE(u->entered), "the handler runs");
	loop_want(&u->gone, 0, write_nothing(&u->gone), "a message");
	loop_want(&u->gone, true, polls(&u->gone), "its completion");
	/* The event follows the completion. */
	usleep_range(50000, 51000);
	vrb_destroy_qp(u->gone.client, u->gone.qp, qp_gone, u);
	loop_want(&u->gone, true, !!wait_for_completion_timeout(&u->qp_over, ENDS_WITHIN),
		  "its QP goes");
	vrb_destroy_cq(u->gone.client, u->gone.cq, gone, u);
	/* Commands are executed in order, so that of the CQ has been executed by then. */
	vrb_prep_query_port(&port, 1);
	loop_want(&u->gone, 0, loop_ask(&u->gone, &port.vrb), "a command meanwhile");
	usleep_range(100000, 101000);
	loop_want(&u->gone, 0, u->calls, "calls of the handler before its turn");
	loop_want(&u->gone, false, completion_done(&u->over), "gone before its event is read");
	loop_want(&u->gone, false, READ_ONCE(u->left), "the other handler has given up");
	WRITE_ONCE(u->leave, true);
	loop_want(&u->gone, true, !!wait_for_completion_timeout(&u->over, ENDS_WITHIN), "gone");
	msleep(100);
	loop_want(&u->gone, 0, u->late, "calls of the handler afterwards");
}

static int tavor_unread_add(struct ib_device *dev)
{
	struct unread *u = kzalloc(sizeof(*u), GFP_KERNEL);

	if (!u)
		return -ENOMEM;
	init_completion(&u->qp_over);
	init_completion(&u->over);
	loop_begin(&u->busy, dev);
	loop_begin(&u->gone, dev);
	if (make(u, &u->busy, busy_comp) && make(u, &u->gone, gone_comp))
		destroy_unread(u);
	else
		u->gone.wrong++;
	loop_result(&u->gone, "a CQ goes only when its events have been read");
	loop_end(&u->gone);
	loop_end(&u->busy);
	kfree(u);
	return -EOPNOTSUPP;
}

static struct ib_client client = {
	.name = "tavor_unread",
	.add = tavor_unread_add,
};

module_driver(client, ib_register_client, ib_unregister_client);
MODULE_DESCRIPTION("Test of a CQ that is destroyed before its event is read");
MODULE_LICENSE("Dual BSD/GPL");
