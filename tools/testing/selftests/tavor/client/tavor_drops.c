// SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
/*
 * Polls a CQ that is full of completions of a QP which ib_core is destroying: they are dropped, and
 * the CQ's lock is released from time to time. kernel_client.sh counts how often, by the doorbells:
 * the driver rings one before it releases the lock.
 */
#include <linux/slab.h>

#include "loop.h"

#define DEPTH 1024

static int hold = 1;
module_param(hold, int, 0644);
MODULE_PARM_DESC(hold, "it waits at this point, 1 or 2, until a script changes it");

static int destroy(void *arg)
{
	struct loop *loop = arg;

	ib_destroy_qp(loop->qp);
	while (!kthread_should_stop())
		usleep_range(1000, 2000);
	return 0;
}

/* A QP and a CQ of ib_core's: no QP of a client is hidden while it is being destroyed. */
static bool make(struct loop *loop)
{
	static const struct ib_cq_init_attr cq = { .cqe = 2 * DEPTH };
	struct ib_qp_init_attr init = {
		.qp_type = IB_QPT_RC,
		.cap = { .max_send_wr = DEPTH, .max_send_sge = 1 },
	};
	struct ib_qp_attr attr = {
		.qp_state = IB_QPS_INIT,
		.port_num = 1,
		.qp_access_flags = IB_ACCESS_REMOTE_WRITE,
	};
	struct vrb_query_port port;

	vrb_prep_query_port(&port, 1);
	loop->cq = ib_create_cq(loop->pd->device, NULL, NULL, NULL, &cq);
	if (IS_ERR(loop->cq))
		return false;
	init.send_cq = loop->cq;
	init.recv_cq = loop->cq;
	loop->qp = ib_create_qp(loop->pd, &init);
	if (IS_ERR(loop->qp) || loop_ask(loop, &port.vrb))
		return false;
	loop->lid = port.attr.lid;
	return !ib_modify_qp(loop->qp, &attr, IB_QP_STATE | IB_QP_PORT | IB_QP_PKEY_INDEX |
			     IB_QP_ACCESS_FLAGS) &&
	       !loop_connect(loop);
}

static void fill(struct loop *loop)
{
	struct ib_rdma_wr wr = {
		.wr = { .opcode = IB_WR_RDMA_WRITE, .send_flags = IB_SEND_SIGNALED },
	};
	int n;

	for (n = 0; n < DEPTH; n++)
		loop_want(loop, 0, ib_post_send(loop->qp, &wr.wr, NULL), "send");
	msleep(1000);
}

static void drop(struct loop *loop)
{
	struct task_struct *task = loop_task(destroy, loop);
	struct ib_wc wc;

	if (IS_ERR(task)) {
		loop->wrong++;
		return;
	}
	msleep(200);			/* the command is under way */
	loop_point(&hold, 1);
	loop_want(loop, 0, ib_poll_cq(loop->cq, 1, &wc), "completions of a QP that is destroyed");
	loop_point(&hold, 2);
	kthread_stop(task);
	loop_result(loop, "completions of a QP that is being destroyed are dropped");
}

static int tavor_drops_add(struct ib_device *dev)
{
	struct loop *loop = kzalloc(sizeof(*loop), GFP_KERNEL);

	if (!loop)
		return -ENOMEM;
	loop_begin(loop, dev);
	if (make(loop)) {
		fill(loop);
		drop(loop);
	}
	if (!IS_ERR_OR_NULL(loop->cq))
		ib_destroy_cq(loop->cq);
	loop_end(loop);
	kfree(loop);
	return -EOPNOTSUPP;
}

static struct ib_client client = {
	.name = "tavor_drops",
	.add = tavor_drops_add,
};

module_driver(client, ib_register_client, ib_unregister_client);
MODULE_DESCRIPTION("Test of a CQ with completions of a QP that is being destroyed");
MODULE_LICENSE("Dual BSD/GPL");
